package stats

import (
	"fmt"
	"math"
	"sort"
)

// Point is the state of a curve from its Time until the next point's.
type Point struct {
	Time   float64
	AtRisk float64
	Events [causes]float64
	// S is the all-cause Kaplan–Meier survival, VarS its Greenwood variance.
	S, VarS float64
	// CIF is the Aalen–Johansen cumulative incidence by cause and VarCIF its
	// variance; index 0 is not used.
	CIF, VarCIF [causes]float64
}

// Interval is the 95 % log–log interval of S; it has none where S is 0 or 1.
func (p Point) Interval() Interval { return logLogInterval(p.S, p.VarS) }

// Curve is a fitted life table.
type Curve struct {
	// N is the number of subjects, Total their exits by cause (0 = censored).
	N        float64
	Total    [causes]float64
	Unstable bool
	// Points has one entry for each distinct time of the life table at which
	// anybody entered or left, in order of time.
	Points []Point
}

// Fit estimates survival and cumulative incidences from a life table. An empty
// table gives a curve on which everything is unknown. The error names a row with
// an impossible time or count.
func Fit(rows []LifeRow) (*Curve, error) {
	merged, err := mergeRows(rows)
	if err != nil {
		return nil, err
	}
	atRisk, n, err := atRiskCounts(merged)
	if err != nil {
		return nil, err
	}
	c := &Curve{N: n, Unstable: n < UnstableBelow, Points: make([]Point, len(merged))}
	state := newStep()
	for i, r := range merged {
		for cause, d := range r.Events {
			c.Total[cause] += d
		}
		if atRisk[i] > 0 {
			state.advance(atRisk[i], r)
		}
		c.Points[i] = state.point(atRisk[i], r)
	}
	return c, nil
}

// step carries the estimate and its covariance from one time to the next.
//
// One step is linear in (S, CIF_k): S' = S(1−h) and CIF_k' = CIF_k + S·h_k, where
// the hazards h_k = d_k/n have multinomial covariance. Propagating the covariance
// matrix through that step gives Greenwood's variance for S, and for CIF_k the
// Greenwood-type variance of Andersen et al. (1993, 4.4.20), which equals the
// delta-method sum of Gaynor et al. (1993) and Marubini–Valsecchi (1995; R's
// etm). Unlike those sums the recursion neither divides by n−d nor cancels.
// R's survfit reports the infinitesimal jackknife for CIF_k, and cmprsk Aalen's
// formula; both differ from this in small samples.
type step struct {
	s, varS  float64
	cif      [causes]float64
	varCIF   [causes]float64
	covSWith [causes]float64
}

func newStep() *step { return &step{s: 1} }

// advance applies what happened to n subjects at risk at one time.
func (st *step) advance(n float64, r LifeRow) {
	d := r.failing()
	if d == 0 {
		return
	}
	hazard, stay := d/n, (n-d)/n
	spread := st.s * st.s / n
	for k := 1; k < causes; k++ {
		hk := r.Events[k] / n
		variance := st.varCIF[k] + 2*hk*st.covSWith[k] + hk*hk*st.varS + spread*hk*(1-hk)
		st.varCIF[k] = math.Max(0, variance)
		st.covSWith[k] = stay*(st.covSWith[k]+hk*st.varS) - spread*hk*stay
		st.cif[k] += st.s * hk
	}
	st.varS = stay*stay*st.varS + spread*hazard*stay
	st.s *= stay
}

func (st *step) point(atRisk float64, r LifeRow) Point {
	return Point{
		Time: r.Time, AtRisk: atRisk, Events: r.Events,
		S: st.s, VarS: st.varS, CIF: st.cif, VarCIF: st.varCIF,
	}
}

// at is the state of the curve at time t. known is false when there are no
// subjects, or when t lies beyond the last observation while some had not had
// their event: nobody knows then.
func (c *Curve) at(t float64) (p Point, known bool) {
	if c.N == 0 || math.IsNaN(t) {
		return Point{}, false
	}
	i := sort.Search(len(c.Points), func(i int) bool { return c.Points[i].Time > t })
	if i == 0 {
		return Point{Time: t, S: 1}, true
	}
	p = c.Points[i-1]
	return p, t <= c.followUp() || p.S == 0
}

// followUp is the last time at which anybody was observed.
func (c *Curve) followUp() float64 { return c.Points[len(c.Points)-1].Time }

// Survival is S(t), the share that had no event up to and including t days.
func (c *Curve) Survival(t float64) Estimate {
	e := newEstimate(c.N, MethodLogLog)
	p, known := c.at(t)
	if !known {
		return e
	}
	e.Value, e.Known, e.SE, e.Interval = p.S, true, math.Sqrt(p.VarS), p.Interval()
	return e
}

// Failure is F(t) = 1 − S(t), the share with an event of any cause by t days.
// With competing causes use [Curve.CIF] for the share of one of them.
func (c *Curve) Failure(t float64) Estimate {
	e := c.Survival(t)
	if e.Known {
		e.Value, e.Interval = 1-e.Value, e.Interval.complement()
	}
	return e
}

// CIF is the Aalen–Johansen cumulative incidence of a cause by t days, with an
// interval on the scale log(−log(1−CIF)), so that with a single cause it equals
// [Curve.Failure].
func (c *Curve) CIF(cause Cause, t float64) (Estimate, error) {
	e := newEstimate(c.N, MethodAalenJohansen)
	if cause < Confirmed || cause > Withdrawn {
		return e, fmt.Errorf("stats: cause is %d; give 1 to %d", cause, causes-1)
	}
	p, known := c.at(t)
	if !known {
		return e, nil
	}
	e.Value, e.Known, e.SE = p.CIF[cause], true, math.Sqrt(p.VarCIF[cause])
	e.Interval = logLogInterval(1-e.Value, p.VarCIF[cause]).complement()
	return e, nil
}
