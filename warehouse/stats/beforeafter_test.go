package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"
)

// By hand: the two regions compared with went from 12 to 18, so 40/3 in the treated would have become 20; they have 8.
func TestExpectedEffect(t *testing.T) {
	t.Parallel()
	regions := []BeforeAfter{
		{Code: "a", Treated: true, Before: 10, After: 6, Weight: 2}, {Code: "b", Treated: true, Before: 20, After: 12, Weight: 1},
		{Code: "c", Before: 10, After: 17, Weight: 1}, {Code: "d", Before: 14, After: 19, Weight: 1},
	}
	e, err := ExpectedEffect(regions)
	require.NoError(t, err)
	require.True(t, e.Overall.Known)
	require.InDelta(t, -12, e.Overall.Value, 1e-12)
	require.Less(t, e.Overall.Interval.Lo, -12.0)
	require.Greater(t, e.Overall.Interval.Hi, -12.0)
	require.Equal(t, [2]int{2, 2}, [2]int{e.Treated, e.Controls})
	require.True(t, e.Descriptive)
	require.Equal(t, MethodExpected, e.Overall.Method)

	for i := range regions[2:] { // what those compared with are scaled by does not matter
		regions[2+i].Before, regions[2+i].After = 3*regions[2+i].Before, 3*regions[2+i].After
	}
	scaled, err := ExpectedEffect(regions)
	require.NoError(t, err)
	require.InDelta(t, -12, scaled.Overall.Value, 1e-12)
	require.InDelta(t, e.Overall.SE, scaled.Overall.SE, 1e-12)

	for _, unknown := range [][]BeforeAfter{regions[:2], regions[2:], {regions[0], {Code: "e", Weight: 1, After: 2}}} {
		e, err := ExpectedEffect(unknown)
		require.NoError(t, err)
		require.False(t, e.Overall.Known)
	}
	for _, wrong := range []BeforeAfter{{Before: -1, Weight: 1}, {After: math.NaN(), Weight: 1}, {Weight: 0}} {
		_, err := ExpectedEffect([]BeforeAfter{regions[0], wrong})
		require.ErrorContains(t, err, "rates from 0 and people above 0")
	}
}

// Of 60 regions the twenty with the highest counts of a year are chosen, and nothing is done there. The difference of the counts says that something was, the expected
// effect does not.
func TestChoosingAddsNothingToTheExpectedEffect(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	var plain, expected float64
	const worlds = 300
	for range worlds {
		areas := make([]Area, 60)
		rate := make([]float64, len(areas))
		for i := range areas {
			rate[i] = distuv.Gamma{Alpha: 10, Beta: 0.5, Src: rng}.Rand() // 20 a year, with a standard deviation of 6
			areas[i] = Area{PersonYears: 1, Issues: distuv.Poisson{Lambda: rate[i], Src: rng}.Rand()}
		}
		shrunk, err := Shrink(areas)
		require.NoError(t, err)
		regions := make([]BeforeAfter, len(areas))
		for i := range areas {
			higher := 0
			for j := range areas {
				if areas[j].Issues > areas[i].Issues || areas[j].Issues == areas[i].Issues && j < i {
					higher++
				}
			}
			regions[i] = BeforeAfter{Treated: higher < 20, Before: shrunk.Areas[i].Value, After: distuv.Poisson{Lambda: rate[i], Src: rng}.Rand(), Weight: 1}
			if regions[i].Treated {
				plain += (regions[i].After - areas[i].Issues) / 20 / worlds
			} else {
				plain -= (regions[i].After - areas[i].Issues) / 40 / worlds
			}
		}
		e, err := ExpectedEffect(regions)
		require.NoError(t, err)
		expected += e.Overall.Value / worlds
	}
	require.Less(t, plain, -3.0)
	require.InDelta(t, 0, expected, 0.4)
}

func TestNearestRates(t *testing.T) {
	t.Parallel()
	rates := map[string]float64{"a": 10, "b": 8, "c": 7.5, "d": 7.5, "e": 3, "f": 9}
	chosen := map[string]bool{"a": true, "b": true}
	require.Equal(t, []string{"f", "c"}, NearestRates(rates, []string{"b", "a", "unknown"}, chosen, 0), "the highest first; of equals the lower code")
	require.Equal(t, []string{"f", "c", "d"}, NearestRates(rates, []string{"a", "b"}, chosen, 3))
	require.Equal(t, []string{"f", "c", "d", "e"}, NearestRates(rates, []string{"a", "b"}, chosen, 9), "all that there are")
	require.Empty(t, NearestRates(rates, []string{"unknown"}, nil, 2))
	require.Equal(t, []string{"f"}, NearestRates(rates, []string{"a"}, nil, 0))
	require.Equal(t, map[string]bool{"a": true, "b": true}, chosen)
}
