package stats

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// The names of the estimator of policy effects.
const (
	MethodDiD      = "Callaway–Sant'Anna group-time effects, not-yet-treated controls; HC2 by region, Student's t with Welch–Satterthwaite degrees of freedom; uniform 95 % band of Šidák"
	MethodDiDLarge = "Callaway–Sant'Anna group-time effects, not-yet-treated controls, multiplier bootstrap by region, uniform 95 % band"
)

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

// DiDOptions are how a policy effect is estimated.
type DiDOptions struct {
	Anticipation int // periods before treatment that it may already change
	// LargeSample takes regions for many: residuals are not corrected for that means were fitted to them, estimates are taken for normal, and the band is that of a
	// multiplier bootstrap. Intervals of few regions are too short then.
	LargeSample bool
	Draws       int    // of the bootstrap
	Seed        uint64 // on which its draws, and so the band, depend alone
}

// DiD estimates what a policy did (measure P1; Callaway–Sant'Anna 2021):
// ATT(g,t) = E[Y_t − Y_{g−1−a} | G = g] − the same of regions not yet treated at
// t, a being the periods of anticipation.
//
// Standard errors are by region. With few regions in a group the residuals about its mean are smaller than the deviations from its expectation: each is divided by
// √(1−h), h the region's share in the mean (HC2). A group of one region has no residual, and takes the spread of those that it is compared with (Conley–Taber 2011).
// Estimates are held against Student's t, with Welch and Satterthwaite's degrees of freedom of the groups that they rest on. The uniform band is Šidák's, which holds
// whatever the months have to do with each other: a bootstrap learns that from the regions, and of few it learns too much (docs/decisions/0330-few-regions.md).
func DiD(panels []Panel, o DiDOptions) (*Effect, error) {
	anticipation := o.Anticipation
	periods, err := checkPanels(panels, anticipation)
	if err != nil {
		return nil, err
	}
	e := &Effect{Method: MethodDiD}
	if o.LargeSample {
		e.Method = MethodDiDLarge
	}
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
			if gt, ok := groupTime(panels, g, t, o); ok {
				e.GroupTimes = append(e.GroupTimes, gt)
			}
		}
	}
	e.aggregate(panels, o)
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
		if p.Treated < -1 {
			return 0, fmt.Errorf("stats: policy effect: region %q is treated %d periods before the first, which tells nothing of before: leave it out, or give -1 if it is never treated", p.Code, -p.Treated)
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
func groupTime(panels []Panel, g, t int, o DiDOptions) (GroupTime, bool) {
	base := g - 1 - o.Anticipation
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
		case p.Treated < 0 || p.Treated > max(t, base)+o.Anticipation:
			control.add(i, change, p.weight())
		}
	}
	if len(treated.index) == 0 || len(control.index) == 0 {
		return GroupTime{}, false
	}
	gt := GroupTime{Group: g, Time: t, Estimate: treated.mean() - control.mean(), Treated: len(treated.index), Controls: len(control.index),
		influence: make([]float64, len(panels))}
	treated.spread(gt.influence, 1, &control, o)
	control.spread(gt.influence, -1, &treated, o)
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

// spread notes each region's pull on the mean; other is the side that this one is compared with.
func (s *side) spread(influence []float64, sign float64, other *side, o DiDOptions) {
	if len(s.index) == 1 && !o.LargeSample {
		influence[s.index[0]] += sign * other.deviation()
		return
	}
	for k, i := range s.index {
		pull := s.weights[k] * (s.change[k] - s.mean()) / s.weight
		if !o.LargeSample {
			pull /= math.Sqrt(1 - s.weights[k]/s.weight)
		}
		influence[i] += sign * pull
	}
}

// deviation is the standard deviation of a region's change; NaN of one region.
func (s *side) deviation() float64 {
	if len(s.index) == 1 {
		return math.NaN()
	}
	var sum float64
	for k, change := range s.change {
		h := s.weights[k] / s.weight
		sum += h * (change - s.mean()) * (change - s.mean()) / (1 - h)
	}
	return math.Sqrt(sum)
}

func norm(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return math.Sqrt(sum)
}

// aggregate averages the group-time effects by time since treatment, and over all treated region-periods, and draws the bands.
func (e *Effect) aggregate(panels []Panel, o DiDOptions) {
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
	quantile := studentOf(panels, o)
	critical := distuv.UnitNormal.Quantile((1 + math.Pow(Level, 1/float64(max(1, len(influences))))) / 2)
	if o.LargeSample {
		critical = uniformCritical(influences, o.Draws, o.Seed)
	}
	for i := range e.Events {
		v := &e.Events[i]
		half, band := quantile(influences[i], z95)*v.SE, quantile(influences[i], critical)*v.SE
		v.Lo, v.Hi = v.Estimate-half, v.Estimate+half
		v.BandLo, v.BandHi = v.Estimate-band, v.Estimate+band
	}
	e.Overall = newEstimate(float64(e.Treated), e.Method)
	if len(after) > 0 {
		value, influence := average(after, size, len(panels))
		e.Overall.Value, e.Overall.Known, e.Overall.SE = value, true, norm(influence)
		half := quantile(influence, z95) * e.Overall.SE
		e.Overall.Interval = Interval{Lo: value - half, Hi: value + half, OK: !math.IsNaN(half)}
	}
}

// studentOf returns what takes a quantile of the normal distribution to that of Student's t of the same probability, for an estimate with these influences:
// its variance is the sum of those of the groups of regions treated at the same time, each with as many degrees of freedom as the group has regions, less one.
// A group of one region took its spread from others: its variance goes with that of the largest group. Unequal weights count for fewer regions (Kish).
func studentOf(panels []Panel, o DiDOptions) func(influence []float64, z float64) float64 {
	if o.LargeSample {
		return func(_ []float64, z float64) float64 { return z }
	}
	type sums struct{ w, w2 float64 }
	groups := map[int]sums{}
	for _, p := range panels {
		s := groups[p.Treated]
		groups[p.Treated] = sums{s.w + p.weight(), s.w2 + p.weight()*p.weight()}
	}
	free, lender := map[int]float64{}, panels[0].Treated
	for _, g := range sortedKeys(groups) {
		s := groups[g]
		if free[g] = s.w*s.w/s.w2 - 1; free[g] > free[lender] {
			lender = g
		}
	}
	return func(influence []float64, z float64) float64 {
		variances := map[int]float64{}
		for i, v := range influence {
			g := panels[i].Treated
			if free[g] < 1e-9 {
				g = lender
			}
			variances[g] += v * v
		}
		var all, squares float64
		for _, g := range sortedKeys(variances) {
			all, squares = all+variances[g], squares+variances[g]*variances[g]/free[g]
		}
		if all == 0 || math.IsNaN(all) {
			return z
		}
		t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: max(1, all*all/squares)}
		return t.Quantile(distuv.UnitNormal.CDF(z))
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
