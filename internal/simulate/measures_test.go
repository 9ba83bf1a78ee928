package simulate_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/internal/embedded/embeddedtest"
	"groundwork/internal/embedded/replicatetest"
	"groundwork/internal/simulate"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
	"groundwork/warehouse"
	"groundwork/warehouse/stats"
)

// asked is a measure by unit, at the present of the province: each number by the unit's id, and n.
func asked(t *testing.T, m *warehouse.Measures, code string, asOf time.Time, by ...warehouse.Dimension) map[string]map[string]float64 {
	t.Helper()
	table, err := m.Ask(t.Context(), code, warehouse.Question{Reviewer: true, Query: warehouse.Query{By: by, AsOf: &asOf, RegionLevel: "", Limit: 1000}})
	require.NoError(t, err)
	answer := map[string]map[string]float64{}
	for row, n := range table.N {
		cell := map[string]float64{"n": float64(n)}
		for _, num := range table.Nums {
			if num.Value[row] != nil {
				cell[num.Name] = *num.Value[row]
			}
		}
		key := ""
		if len(by) > 0 {
			key = table.Dims[0].Keys[row].ID
		}
		answer[key] = cell
	}
	return answer
}

// What I1 answers of turns, and F1 and F7 of visits, for each unit and for all, is what the truth file says; and what is stored of issues, visits and turns is what
// their events say.
func TestMeasuresAnswerTheTruth(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	j := job(t, dsn)
	j.Simulation.Issues = 2000
	require.NoError(t, j.Run(t.Context()))
	report, err := pgtest.Open(t, dsn, postgres.Options{}).Rebuild(t.Context(), postgres.RebuildOptions{})
	require.NoError(t, err)
	require.True(t, report.Sound(), "%v %v %v", report.DifferingIDs, report.BrokenIDs, report.BrokenHistoryIDs)

	var truth simulate.Truth
	text, err := os.ReadFile(j.Truth)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &truth))
	lives := truth.Size.Visits + truth.Size.Turns + len(truth.Policies) + len(truth.Campaigns)
	for _, c := range truth.Campaigns {
		lives += c.Tasks
	}
	require.Equal(t, int64(lives), report.Histories-swapped(t, dsn))

	m := warehouse.NewMeasures(replicatetest.Start(t, dsn, embeddedtest.ClickHouse(t))).Patient(time.Minute)
	turns := asked(t, m, "I1", j.Simulation.To, warehouse.ByUnit)
	ofRegion := map[uuid.UUID]simulate.TruthTurns{}
	var all simulate.TruthTurns
	for _, row := range truth.Turns {
		agreesOnTurns(t, row, turns[row.Unit.String()])
		sum := ofRegion[row.Region]
		ofRegion[row.Region] = plus(sum, row)
		all = plus(all, row)
	}
	require.Len(t, turns, len(truth.Turns))
	agreesOnTurns(t, all, asked(t, m, "I1", j.Simulation.To)[""])
	for region, cell := range asked(t, m, "I1", j.Simulation.To, warehouse.ByRegion) {
		agreesOnTurns(t, ofRegion[uuid.MustParse(region)], cell)
	}
	require.Greater(t, all.Missed+all.Late+all.Excused, 200)

	traceless, plausible := asked(t, m, "F1", j.Simulation.To, warehouse.ByUnit), asked(t, m, "F7", j.Simulation.To, warehouse.ByUnit)
	for _, row := range truth.VisitsHeld {
		f1, f7 := traceless[row.Unit.String()], plausible[row.Unit.String()]
		require.InDelta(t, row.Held, f1["n"], 0)
		require.InDelta(t, row.Traceless, f1["tracelessVisits"], 0)
		require.InDelta(t, row.HeldAWeek, f7["n"], 0)
		require.InDelta(t, float64(row.Unnoted)/float64(row.HeldAWeek), f7["noteLate"], 1e-9)
		for _, number := range []string{"overlapping", "tooFast", "tooShort", "noteByOthers"} {
			require.Zero(t, f7[number], "%s is not planted: %v", number, f7)
		}
		agreesOnBackCheck(t, row.BackCheck, f7)
	}
	require.Len(t, traceless, len(truth.VisitsHeld))
	findsUntrueVisits(t, truth, asked(t, m, "F7", j.Simulation.To)[""])
	findsRepeats(t, dsn, truth, asked(t, m, "D1", j.Simulation.To)[""])
	findsPolicies(t, dsn, truth, m, j.Simulation.To)
	findsCampaigns(t, dsn, truth, m, j.Simulation.To)
}

// findsPolicies compares P1 with the policies that were planted: what it says of each, asked of its matter, holds what was planted.
func findsPolicies(t *testing.T, dsn string, truth simulate.Truth, m *warehouse.Measures, asOf time.Time) {
	t.Helper()
	conn := connect(t, dsn)
	counties := value[int](t, conn, "SELECT count(*) FROM region WHERE level = 'COUNTY'")
	require.Len(t, truth.Policies, 2)
	for _, policy := range truth.Policies {
		category := value[string](t, conn, "SELECT id::text FROM category WHERE code = '"+policy.Category+"'")
		table, err := m.Ask(t.Context(), "P1", warehouse.Question{Query: warehouse.Query{AsOf: &asOf, Where: warehouse.Filter{Categories: []string{category}}}})
		require.NoError(t, err)
		row := slices.IndexFunc(table.Dims[0].Keys, func(k warehouse.Key) bool { return k.ID == policy.Change.String() })
		require.GreaterOrEqual(t, row, 0, "%s: %v", policy.Code, table.Notes)
		number := func(name string) float64 {
			n := slices.IndexFunc(table.Nums, func(n warehouse.Num) bool { return n.Name == name })
			require.NotNil(t, table.Nums[n].Value[row], "%s %s", policy.Code, name)
			return *table.Nums[n].Value[row]
		}
		require.InDelta(t, len(policy.Treated), number("treated"), 0)
		require.InDelta(t, counties-len(policy.Treated), number("controls"), 0)
		if policy.On == "INCIDENCE" {
			effect := table.Nums[slices.IndexFunc(table.Nums, func(n warehouse.Num) bool { return n.Name == "effect" })]
			planted := brought(t, conn, policy, asOf)
			t.Logf("%s: %.2f (%.2f to %.2f) in place of %.2f per 1,000 person-years", policy.Code, *effect.Value[row], *effect.Lo[row], *effect.Hi[row], planted)
			require.Negative(t, planted)
			require.LessOrEqual(t, *effect.Lo[row], planted)
			require.GreaterOrEqual(t, *effect.Hi[row], planted)
		}
	}
}

// findsCampaigns compares P2 with the campaigns that were planted: what it says of the one that is over holds what it brought, and of the one that goes on it says why
// nothing can be said. The evidence on which they were selected is what H1 answers as of then.
func findsCampaigns(t *testing.T, dsn string, truth simulate.Truth, m *warehouse.Measures, asOf time.Time) {
	t.Helper()
	conn := connect(t, dsn)
	require.Len(t, truth.Campaigns, 2)
	table, err := m.Ask(t.Context(), "P2", warehouse.Question{Query: warehouse.Query{AsOf: &asOf}})
	require.NoError(t, err)
	over, on := truth.Campaigns[0], truth.Campaigns[1]
	require.Len(t, table.N, 1)
	require.Equal(t, over.Campaign.String(), table.Dims[0].Keys[0].ID)
	require.Contains(t, strings.Join(table.Notes, "\n"), "campaign "+on.Campaign.String()+": not computable: it has not been over for 90 days")
	column := func(name string) warehouse.Num {
		return table.Nums[slices.IndexFunc(table.Nums, func(n warehouse.Num) bool { return n.Name == name })]
	}
	require.InDelta(t, len(over.Treated), *column("treated").Value[0], 0)
	effect := column("effect")
	planted := broughtByCampaign(t, conn, over, asOf)
	t.Logf("%s: %.2f (%.2f to %.2f) in place of %.2f per 1,000 person-years", over.Topic, *effect.Value[0], *effect.Lo[0], *effect.Hi[0], planted)
	require.Negative(t, planted)
	require.LessOrEqual(t, *effect.Lo[0], planted)
	require.GreaterOrEqual(t, *effect.Hi[0], planted)
	for _, c := range truth.Campaigns {
		agreesWithEvidence(t, conn, c, m)
	}
}

// agreesWithEvidence asks H1 what a campaign was selected on.
func agreesWithEvidence(t *testing.T, conn *pgx.Conn, c simulate.TruthCampaign, m *warehouse.Measures) {
	t.Helper()
	var evidence groundwork.HotspotEvidence
	require.NoError(t, json.Unmarshal([]byte(value[string](t, conn, fmt.Sprintf("SELECT evidence FROM campaign WHERE id = '%s'", c.Campaign))), &evidence))
	category := value[string](t, conn, "SELECT id::text FROM category WHERE code = '"+c.Category+"'")
	h1, err := m.Ask(t.Context(), "H1", warehouse.Question{From: &evidence.From, To: &evidence.To, Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion},
		RegionLevel: "COUNTY", AsOf: &evidence.AsOf, Limit: 1000, Where: warehouse.Filter{Categories: []string{category}}}})
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(evidence.DefinitionVersion), h1.DefinitionVersion)
	require.Len(t, h1.N, len(evidence.Cells))
	for row, key := range h1.Dims[0].Keys {
		cell := evidence.Cells[slices.IndexFunc(evidence.Cells, func(c groundwork.HotspotCell) bool { return c.RegionID.String() == key.ID })]
		require.Equal(t, int64(cell.Issues), h1.N[row])
		for name, want := range map[string]float64{"rate": cell.Rate, "rawRate": cell.RawRate, "personYears": cell.PersonYears} {
			n := slices.IndexFunc(h1.Nums, func(n warehouse.Num) bool { return n.Name == name })
			require.InEpsilon(t, want+1e-9, *h1.Nums[n].Value[row]+1e-9, 1e-6, name)
		}
	}
}

// broughtByCampaign is by how much a campaign changed the rate of its matter after it was over, per 1,000 person-years.
func broughtByCampaign(t *testing.T, conn *pgx.Conn, c simulate.TruthCampaign, asOf time.Time) float64 {
	t.Helper()
	after, err := simulate.ParseDay(c.Ended)
	require.NoError(t, err)
	p := simulate.TruthPolicy{Category: c.Category, Step: c.Step}
	for _, county := range c.Treated {
		county.From = c.Ended
		p.Treated = append(p.Treated, county)
	}
	require.True(t, after.Before(asOf))
	return brought(t, conn, p, asOf)
}

// findsRepeats compares D1 with what was planted: of the issues that repeat another, it finds the opinions on those that were merged since, all of which were planted.
func findsRepeats(t *testing.T, dsn string, truth simulate.Truth, d1 map[string]float64) {
	t.Helper()
	conn := connect(t, dsn)
	const said = "SELECT count(*) FROM issue_opinion l JOIN issue i ON i.id = l.issue_id"
	opinions, merged := value[int64](t, conn, said), value[int64](t, conn, said+" WHERE i.state = 'MERGED'")
	standing := value[int64](t, conn, "SELECT count(*) FROM issue WHERE state <> 'MERGED'")
	require.Positive(t, merged)
	require.InDelta(t, opinions, d1["n"], 0)
	require.InDelta(t, float64(opinions-standing)/float64(opinions), d1["repeated"], 1e-9, "all but the first of each matter")
	require.InDelta(t, float64(merged)/float64(opinions), d1["foundLater"], 1e-9)
	planted := map[uuid.UUID]bool{}
	for _, pair := range truth.Repeats.Pairs {
		planted[pair[0]] = true
	}
	found := value[[]uuid.UUID](t, conn, "SELECT array_agg(id) FROM issue WHERE state = 'MERGED'")
	for _, id := range found {
		require.True(t, planted[id], "%s was merged and not planted", id)
	}
	share := truth.Repeats.Merged
	require.InDelta(t, share, float64(len(found))/float64(len(planted)), 3*math.Sqrt(share*(1-share)/float64(len(planted)))+0.1, "some are closed before anybody sees that they are the same")
}

// brought is by how much a planted policy changed the rate of its matter, per 1,000 person-years: each issue that there was since stands for 1/factor without it.
func brought(t *testing.T, conn *pgx.Conn, p simulate.TruthPolicy, asOf time.Time) float64 {
	t.Helper()
	var change, personYears float64
	for _, county := range p.Treated {
		from, err := simulate.ParseDay(county.From)
		require.NoError(t, err)
		persons := value[float64](t, conn, fmt.Sprintf("SELECT max(persons)::float8 FROM region_population WHERE region_id = '%s'", county.Region))
		personYears += persons * asOf.Sub(from).Hours() / 24 / 365.25
		days := value[[]float64](t, conn, fmt.Sprintf(`SELECT coalesce(array_agg((extract(epoch FROM i.origin_at) - %d)::float8 / 86400), '{}')
			FROM issue i JOIN category c ON c.id = i.category_id JOIN region r ON r.id = i.region_id
			WHERE c.code = '%s' AND r.code LIKE '%s%%' AND i.origin_at >= to_timestamp(%d)`, from.Unix(), p.Category, county.Code[:6], from.Unix()))
		for _, day := range days {
			change += 1 - math.Exp(-p.Step-p.Slope*day/(365.25/12))
		}
	}
	return 1000 * change / personYears
}

// agreesOnBackCheck compares what is answered of visits that were drawn by lot with what was said of them.
func agreesOnBackCheck(t *testing.T, checks []simulate.TruthCheck, f7 map[string]float64) (answered int) {
	t.Helper()
	strata := make([]stats.Sampled, len(checks))
	for i, c := range checks {
		strata[i] = stats.Sampled{X: float64(c.Denied), N: float64(c.Answered), Size: float64(c.Held)}
		answered += c.Answered
	}
	require.InDelta(t, answered, f7["answered"], 0)
	want, err := stats.DesignShare(strata)
	require.NoError(t, err)
	share, known := f7["falseShare"]
	require.Equal(t, want.Known, known)
	require.InDelta(t, want.Value, share, 1e-9)
	return answered
}

// findsUntrueVisits compares falseShare with the visits that were recorded and never made: for the whole province, and for the units with the habit beside all others.
func findsUntrueVisits(t *testing.T, truth simulate.Truth, f7 map[string]float64) {
	t.Helper()
	bad := map[uuid.UUID]bool{}
	for _, unit := range truth.Untrue {
		bad[unit.Unit] = true
	}
	require.NotEmpty(t, bad)
	kinds := map[groundwork.ActivityKind]simulate.TruthCheck{}
	var held, untrue float64
	var said, denied [2]float64 // of units without the habit, and with it
	for _, row := range truth.VisitsHeld {
		held, untrue = held+float64(row.HeldAWeek), untrue+float64(row.Untrue)
		habit := 0
		if bad[row.Unit] {
			habit = 1
		}
		for _, c := range row.BackCheck {
			sum := kinds[c.Activity]
			kinds[c.Activity] = simulate.TruthCheck{Activity: c.Activity, Held: sum.Held + c.Held, Answered: sum.Answered + c.Answered, Denied: sum.Denied + c.Denied}
			said[habit], denied[habit] = said[habit]+float64(c.Answered), denied[habit]+float64(c.Denied)
		}
	}
	answered := agreesOnBackCheck(t, slices.Collect(maps.Values(kinds)), f7)
	require.Greater(t, answered, 200)
	require.InDelta(t, untrue/held, f7["falseShare"], 3*math.Sqrt(untrue/held*(1-untrue/held)/float64(answered))+0.01, "what is said is what was, but for chance and doubt")
	require.Greater(t, denied[1]/said[1], 0.2)
	require.Less(t, denied[0]/said[0], 0.06)
}

// swapped is how many slots were swapped away: their turn is that of another slot.
func swapped(t *testing.T, dsn string) int64 {
	t.Helper()
	return value[int64](t, connect(t, dsn), "SELECT count(*) FROM rota_slot WHERE state = 'SWAPPED'")
}

func plus(a, b simulate.TruthTurns) simulate.TruthTurns {
	return simulate.TruthTurns{Planned: a.Planned + b.Planned, Fulfilled: a.Fulfilled + b.Fulfilled, Late: a.Late + b.Late, Missed: a.Missed + b.Missed,
		Excused: a.Excused + b.Excused, Open: a.Open + b.Open}
}

func agreesOnTurns(t *testing.T, row simulate.TruthTurns, cell map[string]float64) {
	t.Helper()
	require.InDelta(t, row.Planned, cell["n"], 0)
	require.InDelta(t, float64(row.Fulfilled)/float64(row.Planned), cell["fulfilled"], 1e-9)
	require.InDelta(t, float64(row.Fulfilled+row.Late)/float64(row.Planned), cell["done"], 1e-9)
	require.InDelta(t, row.Late, cell["late"], 0)
	require.InDelta(t, row.Missed, cell["missed"], 0)
	require.InDelta(t, row.Excused, cell["excused"], 0)
}
