package simulate_test

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/etl"
	"groundwork/internal/embedded/embeddedtest"
	"groundwork/internal/simulate"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
	"groundwork/warehouse"
)

// replicated has a warehouse follow a system of record and returns its measures.
func replicated(t *testing.T, dsn string) *warehouse.Measures {
	t.Helper()
	db, err := warehouse.Open(t.Context(), embeddedtest.ClickHouse(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = warehouse.Migrate(t.Context(), db, warehouse.Layout{})
	require.NoError(t, err)
	r, err := etl.New(etl.Config{Postgres: dsn, ClickHouse: db, Slot: "simulate_" + strings.ReplaceAll(uuid.NewString(), "-", "")})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil && ctx.Err() == nil {
			t.Errorf("replication: %v", err)
		}
	})
	require.NoError(t, r.AwaitStreaming(t.Context()))
	return warehouse.NewMeasures(db).Patient(time.Minute)
}

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
	require.Equal(t, int64(truth.Size.Visits+truth.Size.Turns), report.Histories-swapped(t, dsn))

	m := replicated(t, dsn)
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
		require.Zero(t, f7["tooShort"]+f7["noteByOthers"])
	}
	require.Len(t, traceless, len(truth.VisitsHeld))
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
