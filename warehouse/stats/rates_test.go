package stats

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"
)

func TestWilsonProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := float64(rapid.IntRange(1, 1_000_000).Draw(t, "n"))
		x := float64(rapid.IntRange(0, int(n)).Draw(t, "x"))
		e, err := Wilson(x, n)
		require.NoError(t, err)
		require.True(t, e.Known && e.Interval.OK)
		require.True(t, 0 <= e.Interval.Lo && e.Interval.Lo <= e.Value, "%+v", e)
		require.True(t, e.Value <= e.Interval.Hi && e.Interval.Hi <= 1, "%+v", e)
		require.Equal(t, x == 0, e.Interval.Lo == 0)
		require.Equal(t, x == n, e.Interval.Hi == 1)
		// The limits solve |p̂ − p| = z·√(p(1−p)/n).
		for _, p := range []float64{e.Interval.Lo, e.Interval.Hi} {
			require.InDelta(t, math.Abs(e.Value-p), z95*math.Sqrt(p*(1-p)/n), 1e-7)
		}
	})
}

// TestWilsonEndsAreExact: rounding alone would give 0.9999999999999999 for 10/10.
func TestWilsonEndsAreExact(t *testing.T) {
	t.Parallel()
	for n := 1.0; n < 200; n++ {
		all, err := Wilson(n, n)
		require.NoError(t, err)
		require.Equal(t, 1.0, all.Interval.Hi, "n = %v", n)
		none, err := Wilson(0, n)
		require.NoError(t, err)
		require.Zero(t, none.Interval.Lo, "n = %v", n)
	}
}

func TestClopperPearsonInvertsTheBinomialTails(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := float64(rapid.IntRange(1, 5000).Draw(t, "n"))
		x := float64(rapid.IntRange(0, int(n)).Draw(t, "x"))
		e, err := ClopperPearson(x, n)
		require.NoError(t, err)
		if x == 0 {
			require.Zero(t, e.Interval.Lo)
		} else {
			require.InDelta(t, 0.025, 1-distuv.Binomial{N: n, P: e.Interval.Lo}.CDF(x-1), 1e-9)
		}
		if x == n {
			require.Equal(t, 1.0, e.Interval.Hi)
		} else {
			require.InDelta(t, 0.025, distuv.Binomial{N: n, P: e.Interval.Hi}.CDF(x), 1e-9)
		}
	})
}

func TestGarwoodPublishedLimits(t *testing.T) {
	t.Parallel()
	// The classic table of exact 95 % limits of a Poisson count.
	for count, want := range map[float64][2]float64{
		0: {0, 3.689}, 1: {0.0253, 5.572}, 2: {0.242, 7.225}, 5: {1.623, 11.668},
		10: {4.795, 18.390}, 20: {12.217, 30.888}, 100: {81.364, 121.627},
	} {
		e, err := Garwood(count)
		require.NoError(t, err)
		require.InDelta(t, want[0], e.Interval.Lo, 5e-4)
		require.InDelta(t, want[1], e.Interval.Hi, 5e-4)
		require.Equal(t, count < UnstableBelow, e.Unstable)
		rate, err := GarwoodRate(count, 250)
		require.NoError(t, err)
		require.InDelta(t, count/250, rate.Value, 1e-15)
		require.InDelta(t, e.Interval.Lo/250, rate.Interval.Lo, 1e-12)
		require.InDelta(t, e.Interval.Hi/250, rate.Interval.Hi, 1e-12)
	}
}

func TestGarwoodInvertsThePoissonTailsAtAnySize(t *testing.T) {
	t.Parallel()
	for _, count := range []float64{1, 7, 500, 1e4, 1e6, 1e8} {
		e, err := Garwood(count)
		require.NoError(t, err)
		require.InDelta(t, 0.025, mathext.GammaIncReg(count, e.Interval.Lo), 1e-9)
		require.InDelta(t, 0.025, mathext.GammaIncRegComp(count+1, e.Interval.Hi), 1e-9)
	}
}

func TestGammaQuantileOfSmallShapes(t *testing.T) {
	t.Parallel()
	for _, shape := range []float64{0.05, 0.1, 0.2, 0.4, 0.9} {
		for _, p := range []float64{0.025, 0.975} {
			require.InDelta(t, p, mathext.GammaIncReg(shape, 3*gammaQuantile(p, shape, 3)), 1e-9, "shape %v", shape)
		}
	}
	require.Positive(t, gammaQuantile(0.025, 0.01, 1))
}

func TestPoissonRatio(t *testing.T) {
	t.Parallel()
	e, err := PoissonRatio(30, 20)
	require.NoError(t, err)
	require.InDelta(t, 1.5, e.Value, 1e-15)
	require.Equal(t, 50.0, e.N)
	share, err := ClopperPearson(30, 50)
	require.NoError(t, err)
	require.InDelta(t, share.Interval.Lo, e.Interval.Lo/(1+e.Interval.Lo), 1e-12)
	require.InDelta(t, share.Interval.Hi, e.Interval.Hi/(1+e.Interval.Hi), 1e-12)

	inverse, err := PoissonRatio(20, 30)
	require.NoError(t, err)
	require.InDelta(t, 1/e.Interval.Hi, inverse.Interval.Lo, 1e-9, "the reversed ratio has the reversed interval")

	noOutflow, err := PoissonRatio(3, 0)
	require.NoError(t, err)
	require.False(t, noOutflow.Known)
	require.True(t, noOutflow.Interval.OK && math.IsInf(noOutflow.Interval.Hi, 1))
	require.Positive(t, noOutflow.Interval.Lo)

	nothing, err := PoissonRatio(0, 0)
	require.NoError(t, err)
	require.False(t, nothing.Known || nothing.Interval.OK)
}

// TestPoissonRatioTendsToGarwood: against a huge denominator only the
// numerator's chance is left, so the limits become Garwood's.
func TestPoissonRatioTendsToGarwood(t *testing.T) {
	t.Parallel()
	const b = 1e8
	ratio, err := PoissonRatio(12, b)
	require.NoError(t, err)
	rate, err := GarwoodRate(12, b)
	require.NoError(t, err)
	require.InEpsilon(t, rate.Interval.Lo, ratio.Interval.Lo, 1e-5)
	require.InEpsilon(t, rate.Interval.Hi, ratio.Interval.Hi, 1e-5)
}

func TestShrinkProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		areas := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Area {
			return Area{
				Issues:      float64(rapid.IntRange(0, 500).Draw(t, "issues")),
				PersonYears: float64(rapid.IntRange(0, 20000).Draw(t, "py")),
			}
		}), 0, 20).Draw(t, "areas")
		s, err := Shrink(areas)
		require.NoError(t, err)
		require.Len(t, areas, len(s.Areas)+len(s.Excluded))
		for _, a := range s.Areas {
			lo, hi := math.Min(a.Raw, s.Mu), math.Max(a.Raw, s.Mu)
			require.GreaterOrEqual(t, a.Value, lo*(1-1e-12))
			require.LessOrEqual(t, a.Value, hi*(1+1e-12))
			require.Equal(t, s.NoSignal, !a.Interval.OK)
			if !s.NoSignal {
				require.LessOrEqual(t, a.Interval.Lo, a.Interval.Hi)
				posteriorMean := (a.N + s.Mu*s.Mu/s.Sigma2) / (a.PersonYears + s.Mu/s.Sigma2)
				require.InEpsilon(t, posteriorMean, a.Value, 1e-9)
			}
		}
	})
}

func TestShrinkNoSignal(t *testing.T) {
	t.Parallel()
	for name, areas := range map[string][]Area{
		"equal rates":     {{"a", 10, 1000}, {"b", 20, 2000}},
		"no issues":       {{"a", 0, 1000}, {"b", 0, 2000}},
		"one area":        {{"a", 10, 1000}},
		"nobody anywhere": {{"a", 10, 0}},
		"no areas":        nil,
	} {
		s, err := Shrink(areas)
		require.NoError(t, err, name)
		require.True(t, s.NoSignal, name)
		require.Equal(t, MethodMarshallNoPrior, s.Method, name)
		for _, a := range s.Areas {
			require.True(t, a.Known, name)
			require.Equal(t, s.Mu, a.Value, name)
			require.False(t, a.Interval.OK, name)
		}
	}
}

func TestRatesRejectBadInput(t *testing.T) {
	t.Parallel()
	for want, call := range map[string]func() (Estimate, error){
		"proportion numerator x is -1":         func() (Estimate, error) { return Wilson(-1, 2) },
		"proportion denominator n is NaN":      func() (Estimate, error) { return Wilson(0, math.NaN()) },
		"proportion 3/2 is above 1":            func() (Estimate, error) { return Wilson(3, 2) },
		"confidence level is 95":               func() (Estimate, error) { return WilsonAt(1, 2, 95) },
		"use Wilson for weighted":              func() (Estimate, error) { return ClopperPearson(0.5, 2) },
		"Poisson count is -2":                  func() (Estimate, error) { return Garwood(-2) },
		"Poisson count is 1.5":                 func() (Estimate, error) { return Garwood(1.5) },
		"Poisson exposure is +Inf":             func() (Estimate, error) { return GarwoodRate(1, math.Inf(1)) },
		"Poisson ratio denominator is -1":      func() (Estimate, error) { return PoissonRatio(3, -1) },
		"Poisson ratio numerator is NaN":       func() (Estimate, error) { return PoissonRatio(math.NaN(), 1) },
		`area "310000": PersonYears is -5`:     func() (Estimate, error) { _, err := Shrink([]Area{{"310000", 1, -5}}); return Estimate{}, err },
		`area "310000": Issues is NaN; give a`: func() (Estimate, error) { _, err := Shrink([]Area{{"310000", math.NaN(), 5}}); return Estimate{}, err },
	} {
		e, err := call()
		require.ErrorContains(t, err, want)
		require.False(t, e.Known)
	}
}

func TestRatesWithoutData(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func() (Estimate, error){
		"Wilson":         func() (Estimate, error) { return Wilson(0, 0) },
		"ClopperPearson": func() (Estimate, error) { return ClopperPearson(0, 0) },
		"GarwoodRate":    func() (Estimate, error) { return GarwoodRate(3, 0) },
	} {
		e, err := call()
		require.NoError(t, err, name)
		require.False(t, e.Known || e.Interval.OK, name)
		require.True(t, e.Unstable, name)
		require.NotEmpty(t, e.Method, name)
	}
}
