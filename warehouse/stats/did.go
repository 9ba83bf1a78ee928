package stats

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// MethodDiD names the estimator of policy effects.
const MethodDiD = "Callaway–Sant'Anna group-time effects, not-yet-treated controls, multiplier bootstrap by region, uniform 95 % band"

// MinClusters is the number of treated, and of control, regions under which an
// effect is only descriptive.
const MinClusters = 8

// Panel is one region over time.
type Panel struct {
	Code string
	// Outcome of each period; NaN = unknown.
	Outcome []float64
	// Treated is the first period under the policy; −1 = never in the data.
	Treated int
	Weight  float64 // population; 0 = 1
}

// GroupTime is the effect in period Time on the regions first treated in Group.
type GroupTime struct {
	Group, Time       int
	Estimate          float64
	SE                float64
	Treated, Controls int // regions
	influence         []float64
}

// EventTime is the effect so many periods after treatment (negative: before, which
// ought to be none).
type EventTime struct {
	Relative int
	Estimate float64
	SE       float64
	Lo, Hi   float64 // pointwise 95 %
	BandLo   float64 // uniform over all event times
	BandHi   float64
}

// Effect is the answer of [DiD].
type Effect struct {
	GroupTimes []GroupTime
	Events     []EventTime
	// Overall is the average over treated region-periods.
	Overall     Estimate
	Treated     int // regions ever treated
	Controls    int // regions never treated
	Descriptive bool
	Method      string
}

// DiD estimates what a policy did (measure P1; Callaway–Sant'Anna 2021):
// ATT(g,t) = E[Y_t − Y_{g−1−a} | G = g] − the same of regions not yet treated at
// t, a being the periods of anticipation. Bootstrap draws and so intervals depend
// on the seed alone.
func DiD(panels []Panel, anticipation, draws int, seed uint64) (*Effect, error) {
	periods, err := checkPanels(panels, anticipation)
	if err != nil {
		return nil, err
	}
	e := &Effect{Method: MethodDiD}
	groups := map[int]bool{}
	for _, p := range panels {
		if p.Treated < 0 {
			e.Controls++
		} else {
			e.Treated++
			groups[p.Treated] = true
		}
	}
	e.Descriptive = e.Treated < MinClusters || e.Controls < MinClusters
	for g := range periods {
		if !groups[g] || g-1-anticipation < 0 {
			continue
		}
		for t := 1; t < periods; t++ {
			if gt, ok := groupTime(panels, g, t, anticipation); ok {
				e.GroupTimes = append(e.GroupTimes, gt)
			}
		}
	}
	e.aggregate(panels, draws, seed)
	return e, nil
}

func checkPanels(panels []Panel, anticipation int) (periods int, err error) {
	if len(panels) < 2 || anticipation < 0 {
		return 0, errors.New("stats: policy effect: give at least two regions and an anticipation of at least 0 periods")
	}
	periods = len(panels[0].Outcome)
	for _, p := range panels {
		if len(p.Outcome) != periods {
			return 0, fmt.Errorf("stats: policy effect: region %q has %d periods, the first %d; give all the same", p.Code, len(p.Outcome), periods)
		}
		if err := checkCount("policy effect: weight of "+p.Code, p.Weight); err != nil {
			return 0, err
		}
	}
	return periods, nil
}

func (p Panel) weight() float64 {
	if p.Weight == 0 {
		return 1
	}
	return p.Weight
}

// groupTime compares the change since the base period with that of the controls. Before treatment the base is the period before
// (varying base), so that pre-trends are told step by step.
func groupTime(panels []Panel, g, t, anticipation int) (GroupTime, bool) {
	base := g - 1 - anticipation
	if t <= base {
		base = t - 1
	}
	var treated, control side
	for i, p := range panels {
		change := p.Outcome[t] - p.Outcome[base]
		if math.IsNaN(change) {
			continue
		}
		switch {
		case p.Treated == g:
			treated.add(i, change, p.weight())
		case p.Treated < 0 || p.Treated > max(t, base)+anticipation:
			control.add(i, change, p.weight())
		}
	}
	if len(treated.index) == 0 || len(control.index) == 0 {
		return GroupTime{}, false
	}
	gt := GroupTime{Group: g, Time: t, Estimate: treated.mean() - control.mean(), Treated: len(treated.index), Controls: len(control.index),
		influence: make([]float64, len(panels))}
	treated.spread(gt.influence, 1)
	control.spread(gt.influence, -1)
	gt.SE = norm(gt.influence)
	return gt, true
}

// side is the treated or the controls of one comparison.
type side struct {
	index           []int
	change, weights []float64
	sum, weight     float64
}

func (s *side) add(i int, change, weight float64) {
	s.index, s.change, s.weights = append(s.index, i), append(s.change, change), append(s.weights, weight)
	s.sum, s.weight = s.sum+weight*change, s.weight+weight
}

func (s *side) mean() float64 { return s.sum / s.weight }

// spread notes each region's pull on the mean.
func (s *side) spread(influence []float64, sign float64) {
	for k, i := range s.index {
		influence[i] += sign * s.weights[k] * (s.change[k] - s.mean()) / s.weight
	}
}

func norm(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return math.Sqrt(sum)
}

// aggregate averages the group-time effects by time since treatment, and over all treated region-periods, and draws the bands.
func (e *Effect) aggregate(panels []Panel, draws int, seed uint64) {
	size := map[int]float64{}
	for _, p := range panels {
		if p.Treated >= 0 {
			size[p.Treated] += p.weight()
		}
	}
	byRelative := map[int][]GroupTime{}
	var after []GroupTime
	for _, gt := range e.GroupTimes {
		byRelative[gt.Time-gt.Group] = append(byRelative[gt.Time-gt.Group], gt)
		if gt.Time >= gt.Group {
			after = append(after, gt)
		}
	}
	var influences [][]float64
	for _, r := range sortedKeys(byRelative) {
		value, influence := average(byRelative[r], size, len(panels))
		e.Events = append(e.Events, EventTime{Relative: r, Estimate: value, SE: norm(influence)})
		influences = append(influences, influence)
	}
	critical := uniformCritical(influences, draws, seed)
	for i := range e.Events {
		v := &e.Events[i]
		v.Lo, v.Hi = v.Estimate-z95*v.SE, v.Estimate+z95*v.SE
		v.BandLo, v.BandHi = v.Estimate-critical*v.SE, v.Estimate+critical*v.SE
	}
	e.Overall = newEstimate(float64(e.Treated), MethodDiD)
	if len(after) > 0 {
		value, influence := average(after, size, len(panels))
		e.Overall.Value, e.Overall.Known, e.Overall.SE = value, true, norm(influence)
		e.Overall.Interval = Interval{Lo: value - z95*e.Overall.SE, Hi: value + z95*e.Overall.SE, OK: true}
	}
}

func sortedKeys[T any](m map[int]T) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// average weights group-time effects by the size of their groups.
func average(gts []GroupTime, size map[int]float64, regions int) (float64, []float64) {
	var all, value float64
	for _, gt := range gts {
		all += size[gt.Group]
	}
	influence := make([]float64, regions)
	for _, gt := range gts {
		share := size[gt.Group] / all
		value += share * gt.Estimate
		for i, v := range gt.influence {
			influence[i] += share * v
		}
	}
	return value, influence
}

// uniformCritical is the 95 % quantile of the greatest standardised deviation over all event times, by Rademacher multipliers.
func uniformCritical(influences [][]float64, draws int, seed uint64) float64 {
	if len(influences) == 0 || draws <= 0 {
		return z95
	}
	se := make([]float64, len(influences))
	for i, v := range influences {
		se[i] = norm(v)
	}
	greatest := make([]float64, draws)
	inParallel(draws, func(d int) {
		rng := rand.New(rand.NewPCG(seed, uint64(d)))
		signs := make([]float64, len(influences[0]))
		for i := range signs {
			signs[i] = float64(2*rng.IntN(2) - 1)
		}
		for i, v := range influences {
			sum := 0.0
			for k, x := range v {
				sum += signs[k] * x
			}
			if se[i] > 0 {
				greatest[d] = math.Max(greatest[d], math.Abs(sum)/se[i])
			}
		}
	})
	slices.Sort(greatest)
	return math.Max(z95, greatest[int(math.Ceil(Level*float64(draws)))-1])
}
