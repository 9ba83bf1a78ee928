package stats

import "fmt"

// MethodExpected is how [ExpectedEffect] estimates.
const MethodExpected = "empirical Bayes before-and-after study with a comparison group (Hauer); HC2 by region, Student's t with Welch–Satterthwaite degrees of freedom"

// BeforeAfter is a region's input to [ExpectedEffect].
type BeforeAfter struct {
	Code    string
	Treated bool
	// Before is the empirical Bayes rate of the time in which the region was chosen, or not; After is the rate afterwards.
	Before, After float64
	// Weight is the region's people.
	Weight float64
}

// ExpectedEffect estimates what a campaign did in regions that were chosen for being extreme (measure P2; the empirical Bayes before-and-after study with a comparison
// group of Hauer 1997): the rate afterwards less the one that was to be expected, which is the empirical Bayes rate of before times the change of the regions that were not
// chosen. Whatever a region was chosen for lies in the data that its empirical Bayes rate is made of, so that by choosing nothing is added to it, as it is to the rate as it
// was: that falls by itself.
//
// Regions compared with are scaled to the expected level of those treated, since seasons and growth change high rates by more than low ones. Intervals are those of [DiD],
// by region. The estimate is unknown where either side has no region, or those compared with are expected to have no issues.
func ExpectedEffect(regions []BeforeAfter) (*Effect, error) {
	var people, before, after [2]float64 // compared with, treated
	for _, r := range regions {
		if !(r.Before >= 0 && r.After >= 0 && r.Weight > 0) {
			return nil, fmt.Errorf("stats: region %s has the rates %g and %g of %g people; give rates from 0 and people above 0", r.Code, r.Before, r.After, r.Weight)
		}
		side := 0
		if r.Treated {
			side = 1
		}
		people[side], before[side], after[side] = people[side]+r.Weight, before[side]+r.Weight*r.Before, after[side]+r.Weight*r.After
	}
	if before[0] == 0 || people[1] == 0 {
		return &Effect{Method: MethodExpected, Overall: newEstimate(0, MethodExpected)}, nil
	}
	change, scale := after[0]/before[0], before[1]/people[1]/(before[0]/people[0])
	panels := make([]Panel, len(regions))
	for i, r := range regions {
		panels[i] = Panel{Code: r.Code, Treated: -1, Weight: r.Weight, Outcome: []float64{scale * change * r.Before, scale * r.After}}
		if r.Treated {
			panels[i].Treated, panels[i].Outcome = 1, []float64{change * r.Before, r.After}
		}
	}
	e, err := DiD(panels, DiDOptions{})
	if err != nil {
		return nil, err
	}
	e.Method, e.Overall.Method = MethodExpected, MethodExpected
	return e, nil
}
