package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSurpriseGolden(t *testing.T) {
	t.Parallel()
	g := goldenOf[struct {
		Base     []float64
		Observed float64
		Tail     float64 `json:"predictive_tail"`
		Bits     float64 `json:"surprise_bits"`
	}](t, "golden.json", "surprise")
	o, err := Predict(g.Base, g.Observed)
	require.NoError(t, err)
	require.InDelta(t, g.Tail, o.Tail, 1e-12)
	require.InDelta(t, g.Bits, o.Bits, 1e-9)
	require.Greater(t, g.Observed, o.Upper)
}

func TestPredictionLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		past := make([]float64, rapid.IntRange(1, 30).Draw(t, "weeks"))
		for i := range past {
			past[i] = float64(rapid.IntRange(0, 40).Draw(t, "count"))
		}
		o, err := Predict(past, float64(rapid.IntRange(0, 100).Draw(t, "y")))
		require.NoError(t, err)
		above, err := Predict(past, o.Upper+1)
		require.NoError(t, err)
		require.LessOrEqual(t, above.Tail, 0.01+1e-9, "P(Y > U) is at most 1 %%")
		if o.Upper > 0 {
			at, err := Predict(past, o.Upper)
			require.NoError(t, err)
			require.Greater(t, at.Tail, 0.01-1e-9, "and U is the smallest such number")
		}
		require.GreaterOrEqual(t, o.Bits, 0.0)
	})
	_, err := Predict(nil, 3)
	require.ErrorContains(t, err, "without a past")
}

// season makes weekly counts with a yearly season and a trend.
func season(rng *rand.Rand, weeks int, level, trend, dispersion float64) []float64 {
	y := make([]float64, weeks)
	for w := range y {
		mu := level * math.Exp(trend*float64(w)/52+0.4*math.Sin(2*math.Pi*float64(w)/52))
		if dispersion > 1 { // gamma–Poisson
			mu = gammaDraw(rng, mu/(dispersion-1)) * (dispersion - 1)
		}
		y[w] = poissonDraw(rng, mu)
	}
	return y
}

func gammaDraw(rng *rand.Rand, shape float64) float64 {
	d := shape - 1.0/3
	if shape < 1 {
		return gammaDraw(rng, shape+1) * math.Pow(rng.Float64(), 1/shape)
	}
	for {
		x := rng.NormFloat64()
		v := math.Pow(1+x/math.Sqrt(9*d), 3)
		if v > 0 && math.Log(rng.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

func poissonDraw(rng *rand.Rand, mu float64) float64 {
	k, p := 0.0, 1.0
	for limit := math.Exp(-mu); p > limit; k++ {
		p *= rng.Float64()
	}
	return k - 1
}

// In control about 1 % of weeks lie above the limit, whether counts vary as Poisson or more.
func TestFarringtonKeepsItsLevel(t *testing.T) {
	t.Parallel()
	for _, dispersion := range []float64{1, 2} {
		rng := rand.New(rand.NewPCG(11, uint64(dispersion)))
		alarms, weeks := 0, 0
		for range 30 {
			y := season(rng, 5*52+20, 12, 0.05, dispersion)
			for now := 5*52 + 4; now < len(y); now += 3 {
				o, err := Farrington(y[:now+1])
				require.NoError(t, err)
				weeks++
				if y[now] > o.Upper {
					alarms++
				}
			}
		}
		require.InDelta(t, 0.012, float64(alarms)/float64(weeks), 0.025, "dispersion %v: %d alarms in %d weeks", dispersion, alarms, weeks)
	}
}

func TestFarringtonSeesAnOutbreakAndForgetsAnOldOne(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	y := season(rng, 5*52+4, 10, 0, 1)
	now := len(y) - 1
	calm, err := Farrington(y)
	require.NoError(t, err)
	require.InDelta(t, calm.Expected, 10*math.Exp(0.4*math.Sin(2*math.Pi*float64(now)/52)), 4)
	for w := now - 60; w < now-54; w++ {
		y[w] += 60 // an outbreak a year ago
	}
	after, err := Farrington(y)
	require.NoError(t, err)
	require.Less(t, after.Upper, 2*calm.Upper, "past outbreaks weigh less")
	y[now] = 60
	o, err := Farrington(y)
	require.NoError(t, err)
	require.Greater(t, y[now], o.Upper)
	require.Greater(t, o.Bits, 10.0)
	_, err = Farrington(y[:50])
	require.ErrorContains(t, err, "use Predict")
}

func TestFarringtonOfSilence(t *testing.T) {
	t.Parallel()
	o, err := Farrington(make([]float64, 200))
	require.NoError(t, err)
	require.InDelta(t, 0, o.Expected, 1e-3)
	require.Zero(t, o.Bits)
}

func TestBunchingGolden(t *testing.T) {
	t.Parallel()
	g := goldenOf[struct {
		Cycle    float64 `json:"cycle_days"`
		Window   float64 `json:"window_days"`
		Visits   float64
		InWindow float64 `json:"in_window"`
		Expected float64
		Ratio    float64
		Excess   float64 `json:"excess_share"`
		P        float64 `json:"p_one_sided"`
	}](t, "golden.json", "bunching")
	b, err := Bunch(g.InWindow, g.Visits, g.Window, g.Cycle)
	require.NoError(t, err)
	require.InDelta(t, g.Expected, b.Expected, 1e-12)
	require.InDelta(t, g.Ratio, b.Ratio, 1e-12)
	require.InDelta(t, g.Excess, b.ExcessShare, 1e-12)
	require.InEpsilon(t, g.P, b.P, 1e-9)
	all, err := Bunch(5, 5, 7, 30)
	require.NoError(t, err)
	require.False(t, all.Known, "with nothing outside there is no ratio")
	_, err = Bunch(6, 5, 7, 30)
	require.ErrorContains(t, err, "parts smaller than the whole")
}

func TestTheilGolden(t *testing.T) {
	t.Parallel()
	g := goldenOf[struct {
		V []float64
		T float64
	}](t, "golden.json", "theil_T")
	var shares []Share
	for i, v := range g.V {
		shares = append(shares, Share{Value: v, Weight: 1, Group: fmt.Sprint(i % 2)})
	}
	got, err := TheilT(shares)
	require.NoError(t, err)
	require.InDelta(t, g.T, got.T, 1e-12)
	require.InDelta(t, got.T, got.Between+got.Within, 1e-12)
	require.Positive(t, got.Within)
	_, err = TheilT([]Share{{Weight: 1}})
	require.ErrorContains(t, err, "all 0")
}

func TestTheilProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		shares := make([]Share, rapid.IntRange(1, 12).Draw(t, "n"))
		for i := range shares {
			shares[i] = Share{Value: rapid.Float64Range(0.1, 9).Draw(t, "v"), Weight: rapid.Float64Range(0.1, 9).Draw(t, "w"), Group: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "g")}
		}
		got, err := TheilT(shares)
		require.NoError(t, err)
		require.GreaterOrEqual(t, got.T, -1e-12)
		require.GreaterOrEqual(t, got.Between, -1e-12)
		require.GreaterOrEqual(t, got.Within, -1e-12)
		for range 4 {
			again, err := TheilT(shares)
			require.NoError(t, err)
			require.Equal(t, got, again, "to the last bit")
		}
		for i := range shares {
			shares[i].Value *= 3
		}
		scaled, err := TheilT(shares)
		require.NoError(t, err)
		require.InDelta(t, got.T, scaled.T, 1e-9, "no unit")
	})
}

// Sums of equal values round: what is left of them is no inequality, and has no part between.
func TestTheilOfEqualValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64Range(1e-6, 9).Draw(t, "v")
		shares := make([]Share, rapid.IntRange(1, 30).Draw(t, "n"))
		for i := range shares {
			shares[i] = Share{Value: v, Weight: rapid.Float64Range(0.1, 1e6).Draw(t, "w"), Group: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "g")}
		}
		got, err := TheilT(shares)
		require.NoError(t, err)
		require.Zero(t, got)
	})
}

func TestConcentration(t *testing.T) {
	t.Parallel()
	// By hand: values 1, 2, 3 in the order of need: 2·cov/mean = 2·(2/9)/2 = 2/9.
	c, err := ConcentrationIndex([]Ranked{{3, 30, 1}, {1, 10, 1}, {2, 20, 1}})
	require.NoError(t, err)
	require.InDelta(t, 2.0/9, c, 1e-12)
	c, err = ConcentrationIndex([]Ranked{{3, 10, 1}, {2, 20, 1}, {1, 30, 1}})
	require.NoError(t, err)
	require.InDelta(t, -2.0/9, c, 1e-12)
	c, err = ConcentrationIndex([]Ranked{{3, 5, 1}, {1, 5, 2}})
	require.NoError(t, err)
	require.InDelta(t, 0, c, 1e-12, "equal needs have one rank")
	_, err = ConcentrationIndex([]Ranked{{0, 1, 1}})
	require.ErrorContains(t, err, "nothing to compare")
}

func TestStandardisationGolden(t *testing.T) {
	t.Parallel()
	g := goldenOf[struct{ A, B float64 }](t, "golden.json", "std")
	for want, counts := range map[float64][2][2]float64{g.A: {{9, 10}, {1, 10}}, g.B: {{80, 100}, {5, 10}}} {
		var strata []Stratum
		for i, weight := range []float64{110, 20} {
			p := counts[i][0] / counts[i][1]
			strata = append(strata, Stratum{Value: p, Variance: p * (1 - p) / counts[i][1], Weight: weight, Known: true})
		}
		e, covered, err := Standardise(strata, counts[0][1]+counts[1][1])
		require.NoError(t, err)
		require.InDelta(t, want, e.Value, 1e-12)
		require.InDelta(t, 1, covered, 0)
		require.Less(t, e.Interval.Lo, e.Value)
	}
	e, covered, err := Standardise([]Stratum{{Value: 0.5, Weight: 3, Known: true}, {Weight: 1}}, 10)
	require.NoError(t, err)
	require.InDelta(t, 0.5, e.Value, 0)
	require.InDelta(t, 0.75, covered, 0)
	e, _, err = Standardise([]Stratum{{Weight: 1}}, 0)
	require.NoError(t, err)
	require.False(t, e.Known)
	_, _, err = Standardise(nil, 0)
	require.ErrorContains(t, err, "without weights")
}

func TestFunnel(t *testing.T) {
	t.Parallel()
	units := []Unit{{0.5, 0.05}, {0.9, 0.05}, {0.1, 0.05}}
	places, tau2, err := Funnel(units, 0.5)
	require.NoError(t, err)
	require.Zero(t, tau2, "too few units to tell over-dispersion")
	require.Equal(t, []string{FunnelWithin, FunnelAbove, FunnelBelow}, []string{places[0].Within, places[1].Within, places[2].Within})
	require.InDelta(t, 0.5+1.959964*0.05, places[0].Hi95, 1e-6)
	require.InDelta(t, 0.5+3.090232*0.05, places[0].Hi998, 1e-6)
	// Units that vary by themselves: the variance between them is found, and widens the limits.
	rng := rand.New(rand.NewPCG(8, 9))
	var wide []Unit
	for range 400 {
		wide = append(wide, Unit{0.5 + 0.1*rng.NormFloat64() + 0.05*rng.NormFloat64(), 0.05})
	}
	places, tau2, err = Funnel(wide, 0.5)
	require.NoError(t, err)
	require.InDelta(t, 0.008, tau2, 0.003, "winsorising draws it in")
	require.Greater(t, places[0].Hi95, 0.65)
	_, _, err = Funnel([]Unit{{0.5, 0}}, 0.5)
	require.ErrorContains(t, err, "leave out units without")
}

func TestDiDGolden(t *testing.T) {
	t.Parallel()
	g := goldenOf[struct {
		Means map[string][]float64
		A33   float64 `json:"ATT_3_3"`
		A34   float64 `json:"ATT_3_4"`
		A44   float64 `json:"ATT_4_4"`
		Pre   float64 `json:"pretrend_g3_t2"`
	}](t, "golden.json", "did")
	panels := []Panel{{Code: "3", Outcome: g.Means["g3"], Treated: 2}, {Code: "4", Outcome: g.Means["g4"], Treated: 3}, {Code: "n", Outcome: g.Means["never"], Treated: -1}}
	e, err := DiD(panels, DiDOptions{})
	require.NoError(t, err)
	require.True(t, e.Descriptive)
	at := map[[2]int]float64{}
	for _, gt := range e.GroupTimes {
		at[[2]int{gt.Group, gt.Time}] = gt.Estimate
	}
	require.InDelta(t, g.A33, at[[2]int{2, 2}], 1e-12)
	require.InDelta(t, g.A34, at[[2]int{2, 3}], 1e-12)
	require.InDelta(t, g.A44, at[[2]int{3, 3}], 1e-12)
	require.InDelta(t, g.Pre, at[[2]int{2, 1}], 1e-12)
}

// effectPanel makes regions with levels and a common trend of their own, and an effect from a period on in the treated.
func effectPanel(rng *rand.Rand, regions, periods int, effect float64) []Panel {
	panels := make([]Panel, regions)
	trend := make([]float64, periods)
	for t := 1; t < periods; t++ {
		trend[t] = trend[t-1] + rng.NormFloat64()
	}
	for i := range panels {
		p := Panel{Code: fmt.Sprint(i), Treated: -1, Weight: 1}
		if i%2 == 0 {
			p.Treated = 5 + i%3
		}
		level := 3 * rng.NormFloat64()
		for t := range periods {
			y := level + trend[t] + rng.NormFloat64()
			if p.Treated >= 0 && t >= p.Treated {
				y += effect
			}
			p.Outcome = append(p.Outcome, y)
		}
		panels[i] = p
	}
	return panels
}

func TestDiDCoversTheTruth(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(21, 22))
	covered, rounds, sum := 0, 200, 0.0
	for range rounds {
		e, err := DiD(effectPanel(rng, 60, 10, -1.5), DiDOptions{})
		require.NoError(t, err)
		require.False(t, e.Descriptive)
		sum += e.Overall.Value
		if e.Overall.Interval.Lo <= -1.5 && -1.5 <= e.Overall.Interval.Hi {
			covered++
		}
	}
	require.InDelta(t, -1.5, sum/float64(rounds), 0.06, "unbiased")
	require.InDelta(t, 0.95, float64(covered)/float64(rounds), 0.045, "covers at 95 %%")
}

// With 8 regions on either side, in two waves, intervals hold the truth about as often as they say, and bands the whole path; the normal ones did not.
func TestFewRegionsGetHonestIntervals(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 5))
	const rounds = 300
	held := map[string]float64{}
	count := func(name string, is bool) {
		if is {
			held[name] += 1. / rounds
		}
	}
	for range rounds {
		panels := effectPanel(rng, 16, 14, -1.5)
		for large, name := range map[bool]string{false: "few", true: "many"} {
			e, err := DiD(panels, DiDOptions{LargeSample: large, Draws: 199, Seed: 3})
			require.NoError(t, err)
			count(name, e.Overall.Interval.Lo <= -1.5 && -1.5 <= e.Overall.Interval.Hi)
			path := true
			for _, v := range e.Events {
				truth := 0.0
				if v.Relative >= 0 {
					truth = -1.5
				}
				path = path && v.BandLo <= truth && truth <= v.BandHi
			}
			count(name+" path", path)
		}
	}
	require.InDelta(t, 0.95, held["few"], 0.045)
	require.Greater(t, held["few path"], 0.89)
	require.Less(t, held["many"], held["few"])
	require.Less(t, held["many path"], 0.7)
}

// A group of one region has nothing to tell its spread by: it takes that of the others; where these are one too, nothing is known.
func TestAGroupOfOneRegionIsNotCertain(t *testing.T) {
	t.Parallel()
	panels := []Panel{{Outcome: []float64{1, 1, 5}, Treated: 2}, {Outcome: []float64{0, 0, 1}, Treated: -1}, {Outcome: []float64{0, 0, 2}, Treated: -1}, {Outcome: []float64{0, 0, 3}, Treated: -1}}
	e, err := DiD(panels, DiDOptions{})
	require.NoError(t, err)
	last := e.Events[len(e.Events)-1]
	require.InDelta(t, 2, last.Estimate, 1e-12)
	require.InDelta(t, math.Sqrt(1+1./3), last.SE, 1e-12, "controls change by 2 with a standard deviation of 1: that of one, and that of the mean of three")
	require.InDelta(t, 4.302653*math.Sqrt(4./3), last.Hi-last.Estimate, 1e-5, "t with two degrees of freedom")
	e, err = DiD(panels[:2], DiDOptions{})
	require.NoError(t, err)
	require.True(t, e.Overall.Known)
	require.False(t, e.Overall.Interval.OK)
}

func TestDiDBand(t *testing.T) {
	t.Parallel()
	panels := effectPanel(rand.New(rand.NewPCG(31, 32)), 60, 10, -1.5)
	former, err := DiD(panels, DiDOptions{LargeSample: true, Draws: 499, Seed: 1})
	require.NoError(t, err)
	again, err := DiD(panels, DiDOptions{LargeSample: true, Draws: 499, Seed: 1})
	require.NoError(t, err)
	require.Equal(t, former, again)
	e, err := DiD(panels, DiDOptions{})
	require.NoError(t, err)
	require.Greater(t, e.Overall.SE, former.Overall.SE, "residuals are smaller than deviations")
	for _, v := range e.Events {
		require.LessOrEqual(t, v.BandLo, v.Lo, "the uniform band is the wider")
		require.GreaterOrEqual(t, v.BandHi, v.Hi)
		if v.Relative < 0 {
			require.True(t, v.BandLo <= 0 && 0 <= v.BandHi, "no effect before the policy")
		}
	}
	panels[0].Outcome[3] = math.NaN()
	_, err = DiD(panels, DiDOptions{Anticipation: 1})
	require.NoError(t, err, "an unknown outcome is left out")
	_, err = DiD([]Panel{{Outcome: []float64{1, 2}, Treated: -1}, {Code: "early", Outcome: []float64{1, 2}, Treated: -3}}, DiDOptions{})
	require.ErrorContains(t, err, `"early" is treated 3 periods before the first`)
	_, err = DiD([]Panel{{Outcome: []float64{1}}, {Outcome: []float64{1, 2}}}, DiDOptions{})
	require.ErrorContains(t, err, "give all the same")
}
