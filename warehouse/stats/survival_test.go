package stats

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func row(t float64, censored float64, byCause ...float64) LifeRow {
	r := LifeRow{Time: t}
	r.Events[Censored] = censored
	copy(r.Events[1:], byCause)
	return r
}

func TestFitRejectsImpossibleRows(t *testing.T) {
	t.Parallel()
	for want, rows := range map[string][]LifeRow{
		"Time is -0.5 days":               {row(-0.5, 0, 1)},
		"Time is NaN days":                {row(math.NaN(), 0, 1)},
		"Time is +Inf days":               {row(math.Inf(1), 1)},
		"at 2 days: Events[1] is -1":      {row(2, 0, -1)},
		"at 2 days: Events[0] is 0.5":     {row(2, 0.5)},
		"at 2 days: Entered is -3":        {{Time: 2, Entered: -3}},
		"at 2 days: Awaiting is NaN":      {{Time: 2, Awaiting: math.NaN()}},
		"Awaiting is 2 but only 1":        {{Time: 2, Events: [5]float64{1}, Awaiting: 2}},
		"5 subjects enter but 2 leave":    {{Time: 0, Entered: 5}, row(3, 0, 2)},
		"1 subjects leave but only 0 are": {{Time: 3, Entered: 1, Events: [5]float64{0, 1}}},
	} {
		_, err := Fit(rows)
		require.ErrorContains(t, err, want)
		_, err = FitBounds(rows)
		require.ErrorContains(t, err, want)
	}
}

func TestEmptyTableKnowsNothing(t *testing.T) {
	t.Parallel()
	for _, rows := range [][]LifeRow{nil, {row(7, 0)}} {
		c := mustFit(t, rows)
		require.Zero(t, c.N)
		require.True(t, c.Unstable)
		require.False(t, c.Survival(1).Known)
		require.False(t, c.Failure(0).Known)
		e, err := c.CIF(Confirmed, 1)
		require.NoError(t, err)
		require.False(t, e.Known)
		e, err = c.RMST(1)
		require.NoError(t, err)
		require.False(t, e.Known)
		q, err := c.Quantile(0.5)
		require.NoError(t, err)
		require.False(t, q.Value.Reached)
	}
}

func TestSingleEventDropsToZero(t *testing.T) {
	t.Parallel()
	c := mustFit(t, []LifeRow{row(4, 0, 1)})
	require.Equal(t, 1.0, c.Survival(3.9).Value)
	require.False(t, c.Survival(3.9).Interval.OK, "log–log is undefined at 1")
	for _, at := range []float64{4, 400} {
		e := c.Survival(at)
		require.True(t, e.Known, "once all had their event the future is known")
		require.Zero(t, e.Value)
		require.Zero(t, e.SE)
		require.False(t, e.Interval.OK, "log–log is undefined at 0")
	}
	q, err := c.Quantile(0.9)
	require.NoError(t, err)
	require.Equal(t, Moment{4, true}, q.Value)
	require.False(t, q.Lo.Reached || q.Hi.Reached, "one event gives no interval")
	mean, err := c.RMST(90)
	require.NoError(t, err)
	require.Equal(t, 4.0, mean.Value)
}

func TestAllCensored(t *testing.T) {
	t.Parallel()
	c := mustFit(t, []LifeRow{row(3, 20), row(5, 20)})
	require.False(t, c.Unstable)
	require.Equal(t, 1.0, c.Survival(5).Value)
	require.False(t, c.Survival(5.1).Known, "nobody was observed so long")
	empty := mustFit(t, []LifeRow{row(3, 20), row(5, 20), row(400, 0)})
	require.Equal(t, c, empty, "an empty row must not lengthen the follow-up")
	f := c.Failure(5)
	require.True(t, f.Known)
	require.Zero(t, f.Value)
	q, err := c.Quantile(0.5)
	require.NoError(t, err)
	require.Equal(t, Moment{}, q.Value)
	mean, err := c.RMST(5)
	require.NoError(t, err)
	require.Equal(t, 5.0, mean.Value)
	require.Equal(t, Interval{Lo: 5, Hi: 5, OK: true}, mean.Interval)
	mean, err = c.RMST(6)
	require.NoError(t, err)
	require.False(t, mean.Known)
}

func TestEventsAtTimeZeroCount(t *testing.T) {
	t.Parallel()
	for _, entered := range []float64{0, 4} {
		rows := []LifeRow{row(0, 1, 1), row(2, 0, 2)}
		rows[0].Entered = entered
		c := mustFit(t, rows)
		require.Equal(t, 0.75, c.Survival(0).Value)
		require.Equal(t, 1.0, c.Survival(-1).Value)
		require.Zero(t, c.Survival(2).Value)
	}
}

func TestEventsPrecedeCensoringsAtTheSameTime(t *testing.T) {
	t.Parallel()
	c := mustFit(t, []LifeRow{row(1, 3, 1), row(2, 1)})
	require.Equal(t, 0.8, c.Survival(1).Value, "the three censored at 1 were at risk at 1")
}

// TestDelayedEntry: of three subjects one enters at 2, so it is not at risk for
// the event at 1 nor, an entry counting from just after its time, at 2.
func TestDelayedEntry(t *testing.T) {
	t.Parallel()
	c := mustFit(t, []LifeRow{
		{Time: 0, Entered: 3},
		row(1, 0, 1),
		{Time: 2, Entered: 1, Events: [5]float64{0, 1}},
		row(3, 0, 1), row(4, 1),
	})
	var atRisk []float64
	for _, p := range c.Points {
		atRisk = append(atRisk, p.AtRisk)
	}
	require.Equal(t, []float64{3, 3, 2, 2, 1}, atRisk)
	require.InDelta(t, 2.0/3*1/2*1/2, c.Survival(3).Value, 1e-15)
}

// TestBoundsByHand: ten claims, four of them awaiting at day 1, one confirmed at
// day 2, the rest open until day 3.
func TestBoundsByHand(t *testing.T) {
	t.Parallel()
	rows := []LifeRow{{Time: 1, Events: [5]float64{4}, Awaiting: 4}, row(2, 0, 1), row(3, 5)}
	b, err := FitBounds(rows)
	require.NoError(t, err)
	lower, upper, err := b.Confirmed(2)
	require.NoError(t, err)
	require.InDelta(t, 0.1, lower.Value, 1e-15)
	require.InDelta(t, 0.5, upper.Value, 1e-15)
	e, err := mustFit(t, rows).CIF(Confirmed, 2)
	require.NoError(t, err)
	require.InDelta(t, 1.0/6, e.Value, 1e-15)
	require.Equal(t, 4.0, rows[0].Events[Censored], "the input must not change")
}

func TestQuestionsRejectBadArguments(t *testing.T) {
	t.Parallel()
	c := mustFit(t, []LifeRow{row(1, 0, 1)})
	for _, p := range []float64{0, 1, -0.5, 90, math.NaN()} {
		_, err := c.Quantile(p)
		require.ErrorContains(t, err, "give a fraction between 0 and 1")
	}
	for _, tau := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		_, err := c.RMST(tau)
		require.ErrorContains(t, err, "RMST tau is")
	}
	for _, cause := range []Cause{Censored, 5, -1} {
		_, err := c.CIF(cause, 1)
		require.ErrorContains(t, err, "give 1 to 4")
	}
	require.False(t, c.Survival(math.NaN()).Known)
}

// TestQuantileForgivesRounding: 3/4 · 2/3 is not exactly one half in floating
// point, and neither is a hundred thousand steps' product.
func TestQuantileForgivesRounding(t *testing.T) {
	t.Parallel()
	const n = 100_000
	rows := make([]LifeRow, n)
	for i := range rows {
		rows[i] = row(float64(i+1), 0, 1)
	}
	for p, want := range map[float64]float64{0.5: n / 2, 0.9: n * 9 / 10, 0.25: n / 4} {
		q, err := mustFit(t, rows).Quantile(p)
		require.NoError(t, err)
		require.Equal(t, Moment{want, true}, q.Value)
	}
}
