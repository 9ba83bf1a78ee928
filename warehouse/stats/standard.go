package stats

import (
	"errors"
	"fmt"
	"math"
)

// MethodStandardised names direct standardisation.
const MethodStandardised = "direct standardisation to the pooled mix, normal with stratum variances"

// Stratum is one category's proportion in a region and its weight in the standard.
type Stratum struct {
	Value, Variance float64
	Weight          float64
	Known           bool // false: the region has nobody in the stratum
}

// Standardise weights the strata as the standard has them (measure E1a). Strata
// that the region lacks are left out and the rest weighted up: Covered is the
// share of the standard that is there.
func Standardise(strata []Stratum, n float64) (e Estimate, covered float64, err error) {
	e = newEstimate(n, MethodStandardised)
	var all, variance float64
	for i, s := range strata {
		if err := checkCount(fmt.Sprintf("standardise: weight %d", i), s.Weight); err != nil {
			return e, 0, err
		}
		all += s.Weight
		if s.Known {
			covered += s.Weight
			e.Value += s.Weight * s.Value
			variance += s.Weight * s.Weight * s.Variance
		}
	}
	if all == 0 {
		return e, 0, errors.New("stats: standardise without weights; give the standard")
	}
	if covered == 0 {
		return e, 0, nil
	}
	e.Value, e.Known, e.SE = e.Value/covered, true, math.Sqrt(variance)/covered
	e.Interval = Interval{Lo: e.Value - z95*e.SE, Hi: e.Value + z95*e.SE, OK: true}.clampUnit()
	return e, covered / all, nil
}

// Unit is one institution of a funnel: its value with its standard error under
// the target.
type Unit struct{ Value, SE float64 }

// Place is where a unit lies in a funnel.
type Place struct {
	Lo95, Hi95, Lo998, Hi998 float64
	Within                   string // WITHIN, ABOVE or BELOW the 99.8 % limits
}

// The places of a unit.
const (
	FunnelWithin = "WITHIN"
	FunnelAbove  = "ABOVE"
	FunnelBelow  = "BELOW"
)

// minOverdispersed is the number of units from which over-dispersion is estimated.
const minOverdispersed = 10

// Funnel places units around a target, the limits widened by additive
// over-dispersion: the variance between units that chance within them leaves
// unexplained (Spiegelhalter 2005, winsorised at 10 %). Tau2 is that variance.
func Funnel(units []Unit, target float64) (places []Place, tau2 float64, err error) {
	scores := make([]float64, len(units))
	for i, u := range units {
		if !(u.SE > 0) || math.IsInf(u.SE, 0) || math.IsNaN(u.Value) {
			return nil, 0, fmt.Errorf("stats: funnel: unit %d has value %v and standard error %v; leave out units without", i, u.Value, u.SE)
		}
		scores[i] = (u.Value - target) / u.SE
	}
	tau2 = overdispersion(units, scores)
	places = make([]Place, len(units))
	for i, u := range units {
		sd := math.Sqrt(u.SE*u.SE + tau2)
		p := Place{Lo95: target - zFor(0.95)*sd, Hi95: target + zFor(0.95)*sd, Lo998: target - zFor(0.998)*sd, Hi998: target + zFor(0.998)*sd, Within: FunnelWithin}
		switch {
		case u.Value > p.Hi998:
			p.Within = FunnelAbove
		case u.Value < p.Lo998:
			p.Within = FunnelBelow
		}
		places[i] = p
	}
	return places, tau2, nil
}

func overdispersion(units []Unit, scores []float64) float64 {
	if len(units) < minOverdispersed {
		return 0
	}
	var phi, w, w2 float64
	for i, z := range winsorised(scores, 0.1) {
		phi += z * z
		v := 1 / (units[i].SE * units[i].SE)
		w, w2 = w+v, w2+v*v
	}
	n := float64(len(units))
	phi /= n
	if n*phi <= n-1 {
		return 0
	}
	return (n*phi - (n - 1)) / (w - w2/w)
}
