package stats

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// subject is one person-like row, from which life tables are aggregated.
type subject struct {
	entry, exit float64
	cause       Cause
	awaiting    bool
}

// drawSubjects makes a cohort with many ties and, if delayed, late entries.
func drawSubjects(t *rapid.T, delayed bool) []subject {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) subject {
		s := subject{
			exit:  float64(rapid.IntRange(0, 12).Draw(t, "exit")) / 4,
			cause: Cause(rapid.IntRange(0, 4).Draw(t, "cause")),
		}
		s.awaiting = s.cause == Censored && rapid.Bool().Draw(t, "awaiting")
		if delayed && s.exit > 0 {
			s.entry = float64(rapid.IntRange(0, int(s.exit*4)-1).Draw(t, "entry")) / 4
		}
		return s
	}), 1, 40).Draw(t, "subjects")
}

// aggregate makes the life table as a database would: grouped by time.
func aggregate(subjects []subject, delayed bool) []LifeRow {
	byTime := map[float64]*LifeRow{}
	row := func(t float64) *LifeRow {
		if byTime[t] == nil {
			byTime[t] = &LifeRow{Time: t}
		}
		return byTime[t]
	}
	for _, s := range subjects {
		row(s.exit).Events[s.cause]++
		if s.awaiting {
			row(s.exit).Awaiting++
		}
		if delayed {
			row(s.entry).Entered++
		}
	}
	rows := make([]LifeRow, 0, len(byTime))
	for _, r := range byTime {
		rows = append(rows, *r)
	}
	return rows
}

// slow is an independent computation, subject by subject, with the textbook sums.
type slow struct {
	subjects []subject
	times    []float64
}

func newSlow(subjects []subject) slow {
	sl := slow{subjects: subjects}
	for _, s := range subjects {
		if s.cause != Censored {
			sl.times = append(sl.times, s.exit)
		}
	}
	slices.Sort(sl.times)
	sl.times = slices.Compact(sl.times)
	return sl
}

// counts gives the subjects at risk at t, those failing there, and those by cause k.
func (sl slow) counts(t float64, k Cause) (n, d, dk float64) {
	for _, s := range sl.subjects {
		if s.exit >= t && (s.entry < t || s.entry == 0) {
			n++
		}
		if s.exit == t && s.cause != Censored {
			d++
		}
		if s.exit == t && s.cause == k {
			dk++
		}
	}
	return n, d, dk
}

// survival is the product over event times up to t; inclusive says whether t counts.
func (sl slow) survival(t float64, inclusive bool) (s, variance float64) {
	s = 1
	var sum float64
	for _, u := range sl.times {
		if u > t || (u == t && !inclusive) {
			break
		}
		n, d, _ := sl.counts(u, Confirmed)
		s *= 1 - d/n
		sum += d / (n * (n - d))
	}
	if s == 0 {
		return 0, 0
	}
	return s, s * s * sum
}

func (sl slow) cif(k Cause, t float64) float64 {
	var sum float64
	for _, u := range sl.times {
		if u <= t {
			before, _ := sl.survival(u, false)
			n, _, dk := sl.counts(u, k)
			sum += before * dk / n
		}
	}
	return sum
}

// varCIF is the delta-method sum of Gaynor et al. (1993).
func (sl slow) varCIF(k Cause, t float64) float64 {
	var sum float64
	for _, u := range sl.times {
		if u > t {
			break
		}
		before, _ := sl.survival(u, false)
		n, d, dk := sl.counts(u, k)
		later := sl.cif(k, t) - sl.cif(k, u)
		if n > d {
			sum += later * later * d / (n * (n - d))
		}
		sum += before * before * (n - dk) * dk / (n * n * n)
		sum -= 2 * later * before * dk / (n * n)
	}
	return sum
}

// rmst integrates the curve and sums Greenwood's terms directly.
func (sl slow) rmst(tau float64) (mean, variance float64) {
	area := func(from float64) float64 {
		var sum float64
		cuts := append([]float64{from, tau}, sl.times...)
		cuts = slices.DeleteFunc(cuts, func(u float64) bool { return u < from || u > tau })
		slices.Sort(cuts)
		for i := 1; i < len(cuts); i++ {
			s, _ := sl.survival(cuts[i-1], true)
			sum += s * (cuts[i] - cuts[i-1])
		}
		return sum
	}
	for _, u := range sl.times {
		if n, d, _ := sl.counts(u, Confirmed); u <= tau && n > d {
			variance += math.Pow(area(u), 2) * d / (n * (n - d))
		}
	}
	return area(0), variance
}

func TestAggregatedEqualsSubjectLoop(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		delayed := rapid.Bool().Draw(t, "delayed")
		subjects := drawSubjects(t, delayed)
		c, sl := mustFit(t, aggregate(subjects, delayed)), newSlow(subjects)
		for _, p := range c.Points {
			s, variance := sl.survival(p.Time, true)
			require.InDelta(t, s, p.S, 1e-9)
			require.InDelta(t, variance, p.VarS, 1e-9)
			for k := Confirmed; k <= Withdrawn; k++ {
				require.InDelta(t, sl.cif(k, p.Time), p.CIF[k], 1e-9)
				require.InDelta(t, sl.varCIF(k, p.Time), p.VarCIF[k], 1e-9)
			}
			if p.Time > 0 {
				e, err := c.RMST(p.Time)
				require.NoError(t, err)
				mean, variance := sl.rmst(p.Time)
				require.InDelta(t, mean, e.Value, 1e-9)
				require.InDelta(t, variance, e.SE*e.SE, 1e-9)
			}
		}
	})
}

func TestCurveProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		delayed := rapid.Bool().Draw(t, "delayed")
		rows := aggregate(drawSubjects(t, delayed), delayed)
		c := mustFit(t, rows)
		naive := mustFit(t, censorCompetitors(rows))
		s := 1.0
		for _, p := range c.Points {
			require.LessOrEqual(t, p.S, s)
			s = p.S
			require.InDelta(t, 1, p.S+p.CIF[1]+p.CIF[2]+p.CIF[3]+p.CIF[4], 1e-12)
			one, err := c.CIF(Confirmed, p.Time)
			require.NoError(t, err)
			require.LessOrEqual(t, one.Value, naive.Failure(p.Time).Value+1e-12)
			if iv := p.Interval(); iv.OK {
				require.True(t, 0 <= iv.Lo && iv.Lo <= p.S && p.S <= iv.Hi && iv.Hi <= 1, "%+v in %+v", p.S, iv)
			}
			if one.Interval.OK {
				require.LessOrEqual(t, one.Interval.Lo, one.Value+1e-12)
				require.GreaterOrEqual(t, one.Interval.Hi, one.Value-1e-12)
			}
		}
	})
}

// censorCompetitors makes every cause but the first a censoring.
func censorCompetitors(rows []LifeRow) []LifeRow {
	out := slices.Clone(rows)
	for i, r := range out {
		out[i].Events = [causes]float64{r.leaving() - r.Events[1], r.Events[1]}
	}
	return out
}

func TestSingleCauseIncidenceIsFailure(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := mustFit(t, censorCompetitors(aggregate(drawSubjects(t, false), false)))
		for _, p := range c.Points {
			f := c.Failure(p.Time)
			e, err := c.CIF(Confirmed, p.Time)
			require.NoError(t, err)
			require.InDelta(t, f.Value, e.Value, 1e-12)
			require.InDelta(t, f.SE, e.SE, 1e-7)
			if f.Interval.OK && f.Value < 1-1e-9 {
				require.InDelta(t, f.Interval.Lo, e.Interval.Lo, 1e-9)
				require.InDelta(t, f.Interval.Hi, e.Interval.Hi, 1e-9)
			}
		}
	})
}

func TestSplittingAndShufflingRowsChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		delayed := rapid.Bool().Draw(t, "delayed")
		subjects := drawSubjects(t, delayed)
		var split []LifeRow
		for _, s := range subjects {
			split = append(split, aggregate([]subject{s}, delayed)...)
		}
		split = rapid.Permutation(split).Draw(t, "order")
		given := slices.Clone(split)
		require.Equal(t, mustFit(t, aggregate(subjects, delayed)), mustFit(t, split))
		require.Equal(t, given, split, "the input must not change")
	})
}

func TestQuantileProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := mustFit(t, aggregate(drawSubjects(t, false), false))
		p := rapid.Float64Range(0.01, 0.99).Draw(t, "p")
		q, err := c.Quantile(p)
		require.NoError(t, err)
		for _, pt := range c.Points {
			reachedBy := q.Value.Reached && q.Value.Days <= pt.Time
			require.Equal(t, pt.S <= 1-p+quantileTolerance, reachedBy)
		}
		if q.Lo.Reached && q.Value.Reached {
			require.LessOrEqual(t, q.Lo.Days, q.Value.Days)
		}
		if q.Hi.Reached {
			require.True(t, q.Value.Reached)
			require.LessOrEqual(t, q.Value.Days, q.Hi.Days)
		}
	})
}

func TestBoundsEncloseTheEstimate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := aggregate(drawSubjects(t, false), false)
		c := mustFit(t, rows)
		b, err := FitBounds(rows)
		require.NoError(t, err)
		for _, p := range c.Points {
			lower, upper, err := b.Confirmed(p.Time)
			require.NoError(t, err)
			require.LessOrEqual(t, lower.Value, p.CIF[Confirmed]+1e-12)
			require.GreaterOrEqual(t, upper.Value, p.CIF[Confirmed]-1e-12)
		}
	})
}
