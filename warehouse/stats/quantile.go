package stats

import (
	"fmt"
	"math"
)

// Moment is a time in days that may lie beyond what was observed. Reached =
// false is a value of its own ("not reached"), never zero.
type Moment struct {
	Days    float64
	Reached bool
}

// Quantile is the time by which a fraction P of the subjects had their event,
// with its Brookmeyer–Crowley interval. Hi not reached is an open upper end; Lo
// not reached means that there are too few data for any lower limit.
type Quantile struct {
	P             float64
	Value, Lo, Hi Moment
	N             float64
	Unstable      bool
	Method        string
}

// quantileTolerance absorbs the rounding of a product over many steps, so that
// 3/4 · 2/3 counts as having reached one half. R uses 1.5e-8.
const quantileTolerance = 1e-11

// Quantile is the smallest observed time at which S ≤ 1 − p: p = 0.5 is the
// median, p = 0.9 the p90. The limits are the smallest times at which the lower
// and the upper limit of S are ≤ 1 − p (as R's survfit with conf.type "log-log",
// without R's averaging over a flat stretch exactly at 1 − p).
func (c *Curve) Quantile(p float64) (Quantile, error) {
	if !(p > 0 && p < 1) {
		return Quantile{}, fmt.Errorf("stats: quantile p is %v; give a fraction between 0 and 1, such as 0.5", p)
	}
	q := Quantile{P: p, N: c.N, Unstable: c.Unstable, Method: MethodQuantile}
	limit := 1 - p + quantileTolerance
	for _, pt := range c.Points {
		q.Value.reach(pt.Time, pt.S <= limit)
		if band := pt.Interval(); band.OK {
			q.Lo.reach(pt.Time, band.Lo <= limit)
			q.Hi.reach(pt.Time, band.Hi <= limit)
		}
		if q.Hi.Reached {
			break
		}
	}
	return q, nil
}

// reach sets the moment the first time that crossed is true.
func (m *Moment) reach(t float64, crossed bool) {
	if crossed && !m.Reached {
		*m = Moment{Days: t, Reached: true}
	}
}

// RMST is the mean time until the event, counted to at most tau days: the area
// under S up to tau. Its variance is Greenwood's, Σ A(tᵢ)² dᵢ/(nᵢ(nᵢ−dᵢ)) with A
// the area from tᵢ to tau; the normal interval is clamped to [0, tau]. It is
// unknown when tau lies beyond the last observation.
func (c *Curve) RMST(tau float64) (Estimate, error) {
	e := newEstimate(c.N, MethodRMST)
	if !(tau > 0) || math.IsInf(tau, 0) {
		return e, fmt.Errorf("stats: RMST tau is %v days; give a finite number above 0", tau)
	}
	if _, known := c.at(tau); !known {
		return e, nil
	}
	steps, area := c.areas(tau)
	var variance float64
	for i, before := range steps {
		n := c.Points[i].AtRisk
		d := LifeRow{Events: c.Points[i].Events}.failing()
		if d == 0 || d == n { // at d = n the curve is 0 and no area is left
			continue
		}
		rest := area - before
		variance += rest * rest * d / (n * (n - d))
	}
	e.Value, e.Known, e.SE = area, true, math.Sqrt(variance)
	e.Interval = Interval{Lo: math.Max(0, area-z95*e.SE), Hi: math.Min(tau, area+z95*e.SE), OK: true}
	return e, nil
}

// areas gives the area under S up to each point at or before tau, and up to tau.
func (c *Curve) areas(tau float64) (upTo []float64, total float64) {
	s, last := 1.0, 0.0
	for _, p := range c.Points {
		if p.Time > tau {
			break
		}
		total += s * (p.Time - last)
		upTo = append(upTo, total)
		s, last = p.S, p.Time
	}
	return upTo, total + s*(tau-last)
}
