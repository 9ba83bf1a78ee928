package warehouse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

type neighbours struct {
	Region    uuid.UUID `ch:"region_id"`
	Neighbour uuid.UUID `ch:"neighbour_id"`
}

type place struct {
	Region    uuid.UUID `ch:"region_id"`
	GeoJSON   string    `ch:"geojson"`
	Latitude  float64   `ch:"latitude"`
	Longitude float64   `ch:"longitude"`
}

// lattice is a square of counties of 1,000 people each, a tenth of a degree apart, in two prefectures; touching says whether it is known
// which touch.
func (h *house) lattice(size int, touching bool) []uuid.UUID {
	h.t.Helper()
	ids := make([]uuid.UUID, size*size)
	var regions []region
	var places []place
	var people []population
	var pairs []neighbours
	for i := range ids {
		ids[i] = uuid.New()
		code := fmt.Sprintf("99%02d%02d000000", 1+i/size*2/size, i+1)
		regions = append(regions, region{ID: ids[i], Code: code, Level: "COUNTY", Path: code[:4] + "00000000." + code, Name: code})
		places = append(places, place{ids[i], `{"type":"Polygon"}`, 28 + float64(i/size)/10, 112 + float64(i%size)/10})
		people = append(people, population{ids[i], 2025, 1000})
	}
	for i := range ids {
		for j := range ids[:i] {
			if touching && max(i/size-j/size, j/size-i/size, i%size-j%size, j%size-i%size) == 1 {
				pairs = append(pairs, neighbours{ids[i], ids[j]})
			}
		}
	}
	insert(h, "d_region", regions...)
	insert(h, "d_region_boundary", places...)
	insert(h, "d_population", people...)
	insert(h, "d_region_neighbour", pairs...)
	return ids
}

type voiced struct {
	ID uuid.UUID `ch:"id"`
}

type link struct {
	Issue   uuid.UUID `ch:"issue_id"`
	Opinion uuid.UUID `ch:"opinion_id"`
}

// raised gathers issues, each told by somebody else, until they are written at once.
type raised struct {
	issues   []issue
	opinions []voiced
	links    []link
}

// add gathers n issues of a region, in the given week after the beginning.
func (r *raised) add(region uuid.UUID, week, n int) {
	for range n {
		i, o := someIssue(), voiced{uuid.New()}
		i.Region, i.Origin = &region, begin.AddDate(0, 0, 1+7*week)
		r.issues, r.opinions, r.links = append(r.issues, i), append(r.opinions, o), append(r.links, link{i.ID, o.ID})
	}
}

func (r *raised) write(h *house) {
	h.t.Helper()
	insert(h, "f_issue", r.issues...)
	insert(h, "f_opinion", r.opinions...)
	insert(h, "f_issue_opinion", r.links...)
	*r = raised{}
}

// block is the four regions in the first corner.
func block(size int) []int { return []int{0, 1, size, size + 1} }

func TestHotSurroundings(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, begin.AddDate(0, 3, 0))
	ids := h.lattice(6, true)
	var all raised
	for i, id := range ids {
		n := 20 + i*7%5
		for _, hot := range block(6) {
			if i == hot {
				n = 90 + i
			}
		}
		all.add(id, i%4, n)
	}
	all.write(h)
	table := h.answer("H2", warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}}})
	require.Len(t, table.N, 36)
	require.True(t, table.Flags["hot"][0])
	require.Greater(t, value(t, table, "z", 0), 4.0)
	require.Equal(t, 2.0, value(t, table, "class", 0))
	require.Equal(t, 3.0, value(t, table, "neighbours", 0))
	require.Equal(t, 8.0, value(t, table, "neighbours", 7))
	require.False(t, table.Flags["hot"][35])
	again := h.answer("H2", warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}}})
	require.Equal(t, table.Nums, again.Nums, "seeds are fixed")

	local, err := h.Ask(t.Context(), "H1", warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}}})
	require.NoError(t, err)
	require.Greater(t, value(t, local, "localRate", 0), value(t, local, "rate", 1)*0.8)
	require.NotNil(t, num(t, local, "localRate", 35))

	t.Run("what is hidden hides what is made of it", func(t *testing.T) {
		small := uuid.New() // a region with few issues that touches the first one
		insert(h, "d_region", region{ID: small, Code: "990299000000", Level: "COUNTY", Path: "990200000000.990299000000", Name: "small"})
		insert(h, "d_population", population{small, 2025, 1000})
		insert(h, "d_region_neighbour", neighbours{small, ids[0]})
		all.add(small, 1, 3)
		all.write(h)
		q := warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}, Protect: true}}
		table := h.answer("H2", q)
		for row, hidden := range table.Flags["suppressed"] {
			if hidden {
				require.Nil(t, num(t, table, "z", row))
			}
		}
		at := rowOf(table, "990101000000")
		require.False(t, table.Flags["suppressed"][at])
		require.NotNil(t, num(t, table, "rate", at))
		require.Nil(t, num(t, table, "z", at), "a neighbour is hidden")
		require.True(t, table.Flags["partsSuppressed"][at])
	})
	t.Run("not computable", func(t *testing.T) {
		narrow := h.answer("H2", warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}, Where: warehouse.Filter{Regions: []string{"990101000000", "990102000000"}}}})
		require.Contains(t, fmt.Sprint(narrow.Notes), "fewer than 30 regions")
		require.Nil(t, num(t, narrow, "z", 0))
		bare := open(t)
		bare.watermark(1, begin.AddDate(0, 3, 0))
		for _, id := range bare.lattice(6, false) {
			all.add(id, 0, 20)
		}
		all.write(bare)
		none := bare.answer("H2", warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}}})
		require.Contains(t, fmt.Sprint(none.Notes), "import boundaries")
		require.Nil(t, num(t, none, "z", 0))
	})
}

// answer asks a measure.
func (h *house) answer(code string, q warehouse.Question) *warehouse.Table {
	h.t.Helper()
	table, err := h.Ask(h.t.Context(), code, q)
	require.NoError(h.t, err)
	return table
}

func rowOf(t *warehouse.Table, code string) int {
	for row, key := range t.Dims[0].Keys {
		if key.Code == code {
			return row
		}
	}
	return -1
}

// Five weeks before, all alike but for one region that always has more; then four regions have three times as many for three weeks.
func TestScanFindsACluster(t *testing.T) {
	t.Parallel()
	h := open(t)
	const weeks = 40
	h.watermark(1, begin.AddDate(0, 0, 1+7*weeks+2))
	ids := h.lattice(6, true)
	planted := block(6)
	var all raised
	for i, id := range ids {
		before := 100
		if i == 20 {
			before = 600
		}
		all.add(id, 10, before)
		for week := weeks - 13; week < weeks; week++ {
			n := 4
			if i == 20 {
				n = 24
			}
			for _, hot := range planted {
				if i == hot && week >= weeks-3 {
					n *= 3
				}
			}
			all.add(id, week, n)
		}
	}
	all.write(h)
	by := warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}}
	table := h.answer("H3", warehouse.Question{Query: by})
	first := rowOf(table, "990101000000")
	require.True(t, table.Flags["inCluster"][first])
	require.Equal(t, 1.0, value(t, table, "cluster", first))
	require.Equal(t, 3.0, value(t, table, "weeks", first))
	require.Equal(t, 144.0, value(t, table, "clusterObserved", first))
	require.Greater(t, value(t, table, "relativeRisk", first), 2.5)
	require.Equal(t, 0.001, value(t, table, "p", first))
	require.InDelta(t, 4.0/36, value(t, table, "personShare", first), 1e-9)
	members := 0
	for row, in := range table.Flags["inCluster"] {
		if in {
			members++
			require.Contains(t, []string{"990101000000", "990102000000", "990107000000", "990108000000"}, table.Dims[0].Keys[row].Code)
		}
	}
	require.Equal(t, 4, members, "the region that always has more is no news")

	by.Protect = true
	protected := h.answer("H3", warehouse.Question{Query: by})
	require.Equal(t, 144.0, value(t, protected, "clusterObserved", rowOf(protected, "990101000000")))
	empty := h.answer("H3", warehouse.Question{Query: warehouse.Query{By: by.By, RegionLevel: "TOWNSHIP"}})
	require.Contains(t, fmt.Sprint(empty.Notes), "not computable")
}

// The parts of Theil's T: two prefectures of equal regions within, one with three times the rate of the other.
func TestInequalityBetweenAndWithin(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, begin.AddDate(1, 0, 0))
	var all raised
	for i, id := range h.lattice(6, true) {
		all.add(id, 1, 400*(1+2*(i/18))) // so many that shrinking changes little
	}
	all.write(h)
	table := h.answer("E1C", warehouse.Question{})
	require.Len(t, table.N, 1)
	require.InDelta(t, 0.5*0.5*-0.6931471805599453+0.5*1.5*0.4054651081081644, value(t, table, "theil", 0), 2e-3) // ½·½·ln ½ + ½·3⁄2·ln 3⁄2
	require.InDelta(t, 1, value(t, table, "shareBetween", 0), 1e-6)
	require.Equal(t, 2.0, value(t, table, "groups", 0))
	require.Less(t, *table.Nums[0].Lo[0], *table.Nums[0].Value[0])
}

type visited struct {
	ID      uuid.UUID `ch:"id"`
	Site    uuid.UUID `ch:"site_id"`
	Started time.Time `ch:"started_at"`
	State   string    `ch:"state"`
}

type siteOf struct {
	ID     uuid.UUID `ch:"id"`
	Region uuid.UUID `ch:"region_id"`
}

// All visits go to the neediest region: C = 2 cov(v, R)/v̄ = 1 − 1/n; to the least needy: the negative.
func TestVisitsAndNeed(t *testing.T) {
	t.Parallel()
	for neediest, want := range map[bool]float64{true: 1 - 1.0/16, false: 1.0/16 - 1} {
		h := open(t)
		h.watermark(1, begin.AddDate(0, 6, 0))
		ids := h.lattice(4, true)
		var all raised
		for i, id := range ids {
			all.add(id, 1, 50+50*i)
		}
		all.write(h)
		to := ids[0]
		if neediest {
			to = ids[15]
		}
		site := uuid.New()
		insert(h, "d_site", siteOf{site, to})
		none := h.answer("I3", warehouse.Question{})
		require.Contains(t, fmt.Sprint(none.Notes), "no visit was held")
		var visits []visited
		for range 20 {
			visits = append(visits, visited{uuid.New(), site, begin.AddDate(0, 0, 9), "HELD"})
		}
		insert(h, "f_visit", visits...)
		table := h.answer("I3", warehouse.Question{To: new(begin.AddDate(0, 2, 0))})
		require.InDelta(t, want, value(t, table, "concentration", 0), 1e-9)
		require.Equal(t, 15.0, value(t, table, "regionsWithoutVisit", 0))
		require.Equal(t, int64(20), table.N[0])
	}
}

type changed struct {
	ID           uuid.UUID  `ch:"id"`
	Measure      *string    `ch:"outcome_measure"`
	Window       *int32     `ch:"window_days"`
	Anticipation *int32     `ch:"anticipation_days"`
	Proposed     time.Time  `ch:"proposed_at"`
	Adopted      *time.Time `ch:"adopted_at"`
	Evaluated    *time.Time `ch:"evaluated_at"`
}

type rolled struct {
	Change uuid.UUID `ch:"policy_change_id"`
	Region uuid.UUID `ch:"region_id"`
	From   time.Time `ch:"effective_from"`
}

type linked struct {
	ID     uuid.UUID `ch:"id"`
	Change uuid.UUID `ch:"policy_change_id"`
	At     time.Time `ch:"evidence_at"`
}

// 10 of 36 counties come under a policy in July: 20 issues a month before everywhere, 26 after without it, 16 with it. The effect is −10 issues of 1,000
// people a month, −120 per 1,000 person-years.
func TestEffectOfAPolicy(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, time.Date(2027, 1, 10, 0, 0, 0, 0, time.UTC))
	ids := h.lattice(6, true)
	id := uuid.MustParse("00000000-0000-7000-8000-0000000000aa")
	insert(h, "f_policy_change", changed{ID: id, Measure: new("H1"), Window: new(int32(150)), Anticipation: new(int32(0)), Proposed: start},
		changed{ID: uuid.New(), Proposed: start})
	var all raised
	for i, region := range ids {
		if i < 10 {
			insert(h, "f_policy_rollout", rolled{id, region, time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)})
		}
		for month := range 12 {
			n := 20
			switch {
			case month >= 6 && i < 10:
				n = 16
			case month >= 6:
				n = 26
			}
			all.add(region, int(time.Date(2026, time.Month(1+month), 10, 0, 0, 0, 0, time.UTC).Sub(begin).Hours()/24/7), n+(i+month)%2) // a little noise, the same on both sides
		}
	}
	all.write(h)
	table := h.answer("P1", warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByPolicyChange}}})
	require.Len(t, table.N, 1, fmt.Sprint(table.Notes))
	require.InDelta(t, -120, value(t, table, "effect", 0), 6)
	require.InDelta(t, -120, value(t, table, "effectApart", 0), 8)
	require.Equal(t, 10.0, value(t, table, "treated", 0))
	require.Equal(t, 26.0, value(t, table, "controls", 0))
	require.False(t, table.Flags["descriptive"][0])
	require.False(t, table.Flags["preTrend"][0])
	require.Equal(t, id.String(), table.Dims[0].Keys[0].ID)

	events := h.answer("P1", warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByPolicyChange, warehouse.ByEventMonth}}})
	require.Greater(t, len(events.N), 8)
	after := 0
	for row, key := range events.Dims[1].Keys {
		if key.Code[0] == '-' {
			require.InDelta(t, 0, value(t, events, "effect", row), 26, key.Code)
			continue
		}
		after++
		require.InDelta(t, -120, value(t, events, "effect", row), 26, key.Code)
		require.LessOrEqual(t, value(t, events, "bandLow", row), *events.Nums[0].Lo[row])
	}
	require.GreaterOrEqual(t, after, 5)

	few := h.answer("P1", warehouse.Question{Query: warehouse.Query{Where: warehouse.Filter{Regions: []string{"990101000000", "990102000000", "990236000000"}}}})
	require.True(t, few.Flags["descriptive"][0])
}

func TestEffectThatCannotBeComputed(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, begin.AddDate(0, 6, 0))
	ids := h.lattice(2, true)
	none := h.answer("P1", warehouse.Question{})
	require.Empty(t, none.N)
	require.Contains(t, fmt.Sprint(none.Notes), "no change of a policy")
	other, early := uuid.New(), uuid.New()
	insert(h, "f_policy_change", changed{ID: other, Measure: new("Q2"), Window: new(int32(90)), Proposed: start}, changed{ID: early, Measure: new("H1"), Window: new(int32(90)), Proposed: start})
	insert(h, "f_policy_rollout", rolled{other, ids[0], begin}, rolled{early, ids[0], begin})
	var all raised
	all.add(ids[0], 20, 3)
	all.write(h)
	table := h.answer("P1", warehouse.Question{})
	require.Empty(t, table.N)
	require.Contains(t, fmt.Sprint(table.Notes), "its outcome Q2 is no monthly rate")
	require.Contains(t, fmt.Sprint(table.Notes), early.String())
}

// Of three changes two were adopted, one of them with evidence before the proposal and evaluated in time.
func TestFromEvidenceToPolicy(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, start.AddDate(3, 0, 0))
	require.Contains(t, fmt.Sprint(h.answer("P3", warehouse.Question{}).Notes), "no change of a policy")
	good, late, open := uuid.New(), uuid.New(), uuid.New()
	insert(h, "f_policy_change",
		changed{ID: good, Proposed: start, Adopted: new(start.AddDate(0, 0, 90)), Evaluated: new(start.AddDate(1, 0, 0))},
		changed{ID: late, Proposed: start, Adopted: new(start.AddDate(0, 0, 40)), Evaluated: new(start.AddDate(2, 0, 0))},
		changed{ID: open, Proposed: start})
	insert(h, "f_evidence_link", linked{uuid.New(), good, start.AddDate(0, 0, -10)}, linked{uuid.New(), late, start.AddDate(0, 0, 10)}, linked{uuid.New(), open, start})
	table := h.answer("P3", warehouse.Question{})
	require.Equal(t, 0.5, value(t, table, "evidenceBefore", 0))
	require.Equal(t, 0.5, value(t, table, "evaluated", 0))
	require.Equal(t, 1.0, value(t, table, "pending", 0))
	require.Equal(t, 100.0, value(t, table, "toAdoptionP50Days", 0)) // 30, 100 and one still open: S falls to ⅓ at 100
	require.Empty(t, table.Notes)
	for after, says := range map[int]string{20: "no change of a policy has been adopted", 100: "no change of a policy was adopted a year ago"} {
		table := h.answer("P3", warehouse.Question{Query: warehouse.Query{AsOf: new(start.AddDate(0, 0, after))}})
		require.Contains(t, fmt.Sprint(table.Notes), says)
		require.Nil(t, num(t, table, "evaluated", 0))
	}
}
