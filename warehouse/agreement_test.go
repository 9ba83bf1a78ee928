package warehouse_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

const tolerance = 1e-6

// ask makes a random question about the world.
func (w *world) ask(k int) warehouse.Query {
	var q warehouse.Query
	all := []warehouse.Dimension{warehouse.ByRegion, warehouse.ByCategory, warehouse.ByMonth, warehouse.ByChannel, warehouse.ByKind}
	w.rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	q.By = all[:k%3]
	q.RegionLevel = []string{"", "PREFECTURE", "COUNTY", "TOWNSHIP"}[w.rnd.IntN(4)]
	q.Timezone = []string{"", "UTC", "America/New_York"}[w.rnd.IntN(3)]
	if k%2 == 1 {
		q.AsOf = new(start.Add(days(20 + 200*w.rnd.Float64())).Truncate(time.Microsecond))
	}
	switch w.rnd.IntN(6) {
	case 0:
		q.Where.Regions = []string{w.regions[1].Code, w.regions[len(w.regions)-3].Code}
	case 1:
		q.Where.Categories = []string{w.categories[0].ID.String()}
	case 2:
		q.Where.Channels, q.Where.Severities = []string{"HOTLINE", "VISIT"}, []string{"LOW"}
	case 3:
		q.Where.OriginFrom, q.Where.OriginTo = new(start.Add(days(30))), new(start.Add(days(90)))
	case 4:
		q.Where.RegionUnknown, q.Where.Kinds = true, []string{"HELP"}
	}
	return q
}

func TestMeasuresAgreeWithTheirDefinitionsRowByRow(t *testing.T) {
	t.Parallel()
	w := newWorld(1, 450)
	h := open(t)
	w.load(h, nil)
	for k := range 24 {
		q := w.ask(k)
		t.Run(fmt.Sprint(k), func(t *testing.T) {
			cells, merged := w.cells(q)
			asOf := w.end()
			if q.AsOf != nil {
				asOf = *q.AsOf
			}
			check := func(got *warehouse.Table, err error, row func(*warehouse.Table, int, []issue)) {
				require.NoError(t, err)
				require.Equal(t, merged, got.Excluded["merged"])
				require.True(t, slices.IsSorted(keysOf(got)), "by code: %v", keysOf(got))
				require.False(t, got.Truncated)
				for i := range got.N {
					row(got, i, cells[rowKey(got, i)])
				}
			}
			got, err := h.TimeToResponse(t.Context(), q)
			check(got, err, func(got *warehouse.Table, i int, cell []issue) { sameResponse(t, got, i, cell, asOf) })
			require.Len(t, got.N, len(cells))
			got, err = h.TimeToResolution(t.Context(), q)
			check(got, err, func(got *warehouse.Table, i int, cell []issue) { sameResolution(t, got, i, cell, asOf) })
			require.Len(t, got.N, len(cells))
			got, err = h.Backlog(t.Context(), q)
			check(got, err, func(got *warehouse.Table, i int, cell []issue) { sameBacklog(t, got, i, cell, asOf) })
		})
	}
}

func keysOf(got *warehouse.Table) (keys []string) {
	for i := range got.N {
		keys = append(keys, rowKey(got, i))
	}
	return keys
}

// same compares a number with an expectation that may be unknown.
func same(t *testing.T, got *warehouse.Table, name string, row int, want float64, known bool) {
	t.Helper()
	v := num(t, got, name, row)
	if !known {
		require.Nil(t, v, "%s of %s", name, rowKey(got, row))
		return
	}
	require.NotNil(t, v, "%s of %s", name, rowKey(got, row))
	require.InDelta(t, want, *v, tolerance, "%s of %s", name, rowKey(got, row))
}

func sameQuantile(t *testing.T, got *warehouse.Table, name string, row int, want *float64) {
	t.Helper()
	if want == nil {
		same(t, got, name, row, 0, false)
		return
	}
	same(t, got, name, row, *want, true)
}

func sameResponse(t *testing.T, got *warehouse.Table, row int, cell []issue, asOf time.Time) {
	t.Helper()
	var exits []exit
	for _, i := range cell {
		exits = append(exits, responseExit(i, asOf))
	}
	require.EqualValues(t, len(exits), got.N[row])
	for name, at := range map[string]float64{"responded24h": 1, "responded7d": 7, "responded30d": 30} {
		want, known := share(exits, 0, at)
		same(t, got, name, row, want, known)
	}
	sameQuantile(t, got, "medianDays", row, quantile(exits, 0.5))
	sameQuantile(t, got, "p90Days", row, quantile(exits, 0.9))
	require.Equal(t, len(exits) < 30, got.Flags["unstable"][row])
}

func sameResolution(t *testing.T, got *warehouse.Table, row int, cell []issue, asOf time.Time) {
	t.Helper()
	var exits, none, all []exit
	claims, verdicts, young, waiting := false, false, false, 0.0
	for _, i := range cell {
		x := resolutionExit(i, asOf)
		lower, upper := x, x
		if x.awaiting {
			waiting++
			lower.cause, upper.cause = 3, 1
		}
		exits, none, all = append(exits, x), append(none, lower), append(all, upper)
		claims = claims || i.Claimed != nil
		verdicts = verdicts || i.Resolved != nil || i.Disputes > 0
		young = young || x.cause > 0 && i.Origin.Add(days(x.days)).After(asOf.AddDate(0, 0, -90))
	}
	require.EqualValues(t, len(exits), got.N[row])
	for _, at := range []float64{30, 60, 90} {
		name := fmt.Sprintf("confirmed%d", int(at))
		want, known := share(exits, 1, at)
		same(t, got, name, row, want, known && (verdicts || !claims))
		want, known = share(none, 1, at)
		same(t, got, name+"Lower", row, want, known)
		want, known = share(all, 1, at)
		same(t, got, name+"Upper", row, want, known)
	}
	sameQuantile(t, got, "medianDays", row, quantile(exits, 0.5))
	sameQuantile(t, got, "p90Days", row, quantile(exits, 0.9))
	_, known := share(exits, 0, 90)
	same(t, got, "rmst90Days", row, restricted(exits, 90), known)
	same(t, got, "awaitingFeedback", row, waiting, true)
	require.Equal(t, young, got.Flags["provisional"][row])
	total := 0.0
	for _, name := range []string{"open", "awaitingFeedback", "confirmed", "explainedOrReferred", "unconfirmed", "withdrawn"} {
		total += value(t, got, name, row)
	}
	require.EqualValues(t, got.N[row], total)
}

func sameBacklog(t *testing.T, got *warehouse.Table, row int, cell []issue, asOf time.Time) {
	t.Helper()
	var ages []float64
	var over60, over90, waiting, unseen, in, out float64
	for _, i := range cell {
		if i.Origin.After(asOf.Add(-days(28))) {
			in++
		}
		if i.State == "CLOSED" {
			if i.Closed.After(asOf.Add(-days(28))) {
				out++
			}
			continue
		}
		age := daysSince(i.Origin, seenUntil(i, asOf))
		ages = append(ages, age)
		over60, over90 = over60+one(age > 60), over90+one(age > 90)
		waiting += one(i.State == "CLAIMED")
		unseen += one(i.ObservedUntil != nil && i.ObservedUntil.Before(asOf))
	}
	n := float64(len(ages))
	slices.Sort(ages)
	same(t, got, "open", row, n, true)
	same(t, got, "awaitingFeedback", row, waiting, true)
	same(t, got, "notObserved", row, unseen, true)
	same(t, got, "shareOver60Days", row, over60/n, n > 0)
	same(t, got, "shareOver90Days", row, over90/n, n > 0)
	same(t, got, "inflow28Days", row, in, true)
	same(t, got, "outflow28Days", row, out, true)
	same(t, got, "flowRatio", row, in/out, out > 0)
	for name, p := range map[string]float64{"ageP50Days": 0.5, "ageP90Days": 0.9} {
		if n == 0 {
			same(t, got, name, row, 0, false)
			continue
		}
		same(t, got, name, row, ages[int(math.Ceil(p*n-1e-9))-1], true)
	}
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// What was known at a moment is answered alike by the warehouse of today and by one that stopped then.
func TestThePastIsAnsweredAsItWasKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(2, 300)
	today := open(t)
	w.load(today, nil)
	for _, after := range []float64{15, 90, 170} {
		at := start.Add(days(after)).Truncate(time.Microsecond)
		then := open(t)
		w.load(then, &at)
		for _, q := range []warehouse.Query{{}, {By: []warehouse.Dimension{warehouse.ByRegion, warehouse.ByMonth}, RegionLevel: "PREFECTURE"}} {
			past := q
			past.AsOf = &at
			for _, ask := range []func(*house, warehouse.Query) (*warehouse.Table, error){
				func(h *house, q warehouse.Query) (*warehouse.Table, error) { return h.TimeToResponse(t.Context(), q) },
				func(h *house, q warehouse.Query) (*warehouse.Table, error) { return h.TimeToResolution(t.Context(), q) },
				func(h *house, q warehouse.Query) (*warehouse.Table, error) { return h.Backlog(t.Context(), q) },
				func(h *house, q warehouse.Query) (*warehouse.Table, error) {
					return h.Ask(t.Context(), "Q4", warehouse.Question{Query: q})
				},
				func(h *house, q warehouse.Query) (*warehouse.Table, error) {
					return h.Hotspots(t.Context(), warehouse.HotspotQuery{Query: warehouse.Query{AsOf: q.AsOf}})
				},
			} {
				want, err := ask(then, q)
				require.NoError(t, err)
				got, err := ask(today, past)
				require.NoError(t, err)
				require.NotEmpty(t, want.N)
				got.Watermark = want.Watermark
				require.Equal(t, want, got)
			}
		}
	}
}
