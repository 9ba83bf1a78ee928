package stats

import (
	"fmt"
	"math"
)

// Area is one region's input to [Shrink].
type Area struct {
	Code string
	// Issues is the number of distinct issues, PersonYears their exposure.
	Issues, PersonYears float64
}

// AreaRate is one region's shrunk rate, per person-year.
type AreaRate struct {
	Area
	// Raw is Issues/PersonYears; Weight is the share of Raw in the estimate, the
	// rest being the overall rate.
	Raw, Weight float64
	// Estimate is the empirical Bayes rate with its Gamma interval; its N is the
	// number of issues.
	Estimate
}

// Shrunk is the answer of [Shrink].
type Shrunk struct {
	// Mu is the overall rate and Sigma2 the variance between areas, both of the
	// areas with exposure.
	Mu, Sigma2 float64
	// NoSignal: the areas differ no more than chance explains (Sigma2 = 0), so
	// every estimate is Mu and has no interval.
	NoSignal bool
	// Areas are those with exposure, in the order given.
	Areas []AreaRate
	// Excluded are the areas without exposure, in the order given.
	Excluded []Area
	N        float64
	Unstable bool
	Method   string
}

// Shrink computes Marshall's global empirical Bayes rates (measure H1; Marshall
// 1991, as spdep's EBest). With μ the overall rate and σ² the moment estimate of
// the variance between areas, the posterior of an area with O issues in P
// person-years is Gamma(O + μ²/σ², P + μ/σ²).
func Shrink(areas []Area) (Shrunk, error) {
	var s Shrunk
	var kept []Area
	var exposure float64
	for _, a := range areas {
		if err := a.validate(); err != nil {
			return Shrunk{}, err
		}
		if a.PersonYears == 0 {
			s.Excluded = append(s.Excluded, a)
			continue
		}
		kept = append(kept, a)
		s.N += a.Issues
		exposure += a.PersonYears
	}
	s.Unstable = s.N < UnstableBelow
	if len(kept) > 0 {
		s.Mu = s.N / exposure
		s.Sigma2 = betweenVariance(kept, s.Mu, exposure)
	}
	s.NoSignal = s.Sigma2 == 0
	s.Method = MethodMarshall
	if s.NoSignal {
		s.Method = MethodMarshallNoPrior
	}
	for _, a := range kept {
		s.Areas = append(s.Areas, s.rate(a))
	}
	return s, nil
}

func (a Area) validate() error {
	if err := checkCount(fmt.Sprintf("area %q: Issues", a.Code), a.Issues); err != nil {
		return err
	}
	return checkCount(fmt.Sprintf("area %q: PersonYears", a.Code), a.PersonYears)
}

// betweenVariance is Marshall's moment estimate: the weighted variance of the
// raw rates less what Poisson chance alone would give, never below 0.
func betweenVariance(areas []Area, mu, exposure float64) float64 {
	var spread float64
	for _, a := range areas {
		diff := a.Issues/a.PersonYears - mu
		spread += a.PersonYears * diff * diff
	}
	meanExposure := exposure / float64(len(areas))
	return math.Max(0, spread/exposure-mu/meanExposure)
}

func (s Shrunk) rate(a Area) AreaRate {
	r := AreaRate{Area: a, Raw: a.Issues / a.PersonYears, Estimate: newEstimate(a.Issues, s.Method)}
	r.Known = true
	if s.NoSignal {
		r.Value = s.Mu
		return r
	}
	r.Weight = s.Sigma2 / (s.Sigma2 + s.Mu/a.PersonYears)
	r.Value = r.Weight*r.Raw + (1-r.Weight)*s.Mu
	shape, rate := a.Issues+s.Mu*s.Mu/s.Sigma2, a.PersonYears+s.Mu/s.Sigma2
	r.SE = math.Sqrt(shape) / rate
	tail := (1 - Level) / 2
	r.Interval = Interval{Lo: gammaQuantile(tail, shape, rate), Hi: gammaQuantile(1-tail, shape, rate), OK: true}
	return r
}

// ShrinkLocal draws each area towards the rate of itself and its neighbours together (Marshall's local rates, as spdep's EBlocal): mean and
// variance are those of the neighbourhood. neighbours[i] lists the neighbours of i, without i. An area without exposure is not Known, and
// one without neighbours keeps its raw rate.
func ShrinkLocal(areas []Area, neighbours [][]int) ([]AreaRate, error) {
	if len(areas) != len(neighbours) {
		return nil, fmt.Errorf("stats: local rates of %d areas with %d lists of neighbours; give a list for each", len(areas), len(neighbours))
	}
	rates := make([]AreaRate, len(areas))
	for i, a := range areas {
		rates[i] = AreaRate{Area: a, Estimate: newEstimate(a.Issues, MethodMarshall)}
		if a.PersonYears == 0 {
			continue
		}
		around := []Area{a}
		for _, j := range neighbours[i] {
			around = append(around, areas[j])
		}
		s, err := Shrink(around)
		if err != nil {
			return nil, err
		}
		rates[i] = s.Areas[0]
	}
	return rates, nil
}
