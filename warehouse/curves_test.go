package warehouse_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
	"groundwork/warehouse/stats"
)

func randomLives(rnd *rand.Rand, n int) (rows []stats.LifeRow) {
	for range n {
		row := stats.LifeRow{Time: rnd.ExpFloat64() * 40}
		row.Events[rnd.IntN(2)] = float64(1 + rnd.IntN(3))
		rows = append(rows, row)
	}
	return rows
}

// A curve is what the fitted one says at each of its days, as far as that is known.
func TestCurvesAreTheFittedOnes(t *testing.T) {
	t.Parallel()
	require.Equal(t, []int64{0, 1, 2}, warehouse.CurveDays[:3])
	require.Equal(t, []int64{29, 30, 37, 44}, warehouse.CurveDays[29:33])
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rows := randomLives(rnd, 1+rnd.IntN(60))
		curve, err := stats.Fit(rows)
		require.NoError(t, err)
		steps := warehouse.StepsOf(curve, []stats.Cause{1})
		for i, value := range steps.Value {
			day := float64(warehouse.CurveDays[i])
			e := curve.Failure(day)
			require.True(t, e.Known)
			require.InDelta(t, e.Value, value, 0)
			var after, ended float64
			for _, r := range rows {
				if r.Time > day {
					after += r.Events[0] + r.Events[1]
				} else {
					ended += r.Events[1]
				}
			}
			require.EqualValues(t, after, steps.AtRisk[i])
			require.InDelta(t, ended, steps.Ended()[i][0], 0)
		}
		if n := len(steps.Value); n < len(warehouse.CurveDays) && steps.AtRisk[n-1] > 0 {
			require.False(t, curve.Failure(float64(warehouse.CurveDays[n])).Known, "it ends where nobody knows")
		}
	}
}

// What is published of a curve ends before fewer than eleven are followed, never moves for fewer than three, and tells of no moment between its days.
func TestPublishedCurvesTellOfNoFew(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	moved := 0
	for range 500 {
		curve, err := stats.Fit(randomLives(rnd, 1+rnd.IntN(80)))
		require.NoError(t, err)
		all := warehouse.StepsOf(curve, []stats.Cause{1})
		shown := all.Shown()
		few := slices.IndexFunc(all.AtRisk, func(n int64) bool { return n < 11 })
		if few == 0 {
			require.Nil(t, shown)
			continue
		}
		require.Nil(t, shown.AtRisk)
		if few > 0 {
			require.Len(t, shown.Value, few)
		}
		before, since := 0.0, 0.0
		for i, value := range shown.Value {
			if value == before {
				continue
			}
			require.InDelta(t, all.Value[i], value, 0)
			require.GreaterOrEqual(t, all.Ended()[i][0]-since, 3.0)
			before, since = value, all.Ended()[i][0]
			moved++
		}
	}
	require.Greater(t, moved, 1000)
}

// Two curves of a row move together, so that their difference has no step of fewer than three either.
func TestCurvesBesideEachOther(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(5, 6))
	moved := 0
	for range 300 {
		var rows []stats.LifeRow
		for range 40 + rnd.IntN(80) {
			row := stats.LifeRow{Time: rnd.ExpFloat64() * 40}
			row.Events[rnd.IntN(3)] = 1
			rows = append(rows, row)
		}
		curve, err := stats.Fit(rows)
		require.NoError(t, err)
		all := warehouse.StepsOf(curve, []stats.Cause{1}, []stats.Cause{2})
		shown := all.Shown()
		if shown == nil {
			continue
		}
		before, since := 0.0, []float64{0, 0}
		for i, value := range shown.Value {
			if value == before {
				continue
			}
			for part, ended := range all.Ended()[i] {
				step := ended - since[part]
				require.True(t, step == 0 || step >= 3, "%v of part %d", step, part)
			}
			before, since = value, all.Ended()[i]
			moved++
		}
	}
	require.Greater(t, moved, 500)
}

// The curves of a measure go through its shares, and are there only where they are asked for; of a hidden row none is.
func TestCurvesOfMeasures(t *testing.T) {
	t.Parallel()
	w := newWorld(61, 400)
	h := open(t)
	w.load(h, nil)
	at := map[string]map[string]int{"T1": {"responded24h": 1, "responded7d": 7, "responded30d": 30}, "T2": {"confirmed30": 30}, "Q4": {"reopened30": 30}}
	names := map[string][]string{"T1": {"responded"}, "T2": {"ended", "confirmed"}, "Q4": {"reopened", "recurred"}}
	through := map[string]string{"T1": "responded", "T2": "confirmed", "Q4": "reopened"}
	for code, shares := range at {
		q := warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}, RegionLevel: "PREFECTURE"}}
		table, err := h.Ask(t.Context(), code, q)
		require.NoError(t, err)
		require.Empty(t, table.Curves)
		q.Curves = true
		table, err = h.Ask(t.Context(), code, q)
		require.NoError(t, err)
		var found []string
		for _, curve := range table.Curves {
			found = append(found, curve.Name)
			require.Len(t, curve.Rows, len(table.N), code)
		}
		require.Equal(t, names[code], found)
		known := 0
		for name, day := range shares {
			num := table.Nums[slices.IndexFunc(table.Nums, func(n warehouse.Num) bool { return n.Name == name })]
			rows := table.Curves[slices.Index(found, through[code])].Rows
			for row, value := range num.Value {
				if value != nil && rows[row] != nil && day < len(rows[row].Value) {
					require.InDelta(t, *value, rows[row].Value[day], 1e-12, "%s %s", code, name)
					known++
				}
			}
		}
		require.NotZero(t, known, code)
		q.Protect = true
		table, err = h.Ask(t.Context(), code, q)
		require.NoError(t, err)
		for _, curve := range table.Curves {
			for row, steps := range curve.Rows {
				if table.Flags["suppressed"][row] || table.Flags["partsSuppressed"][row] {
					require.Nil(t, steps)
				} else if steps != nil {
					require.Nil(t, steps.AtRisk)
				}
			}
		}
	}
	q := warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByDay, warehouse.ByChannel}, Curves: true}}
	_, err := h.Ask(t.Context(), "T1", q)
	require.ErrorContains(t, err, "at most 200 are told at once: split by less")
}
