package stats

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// 30 of 100 against 10 of 400: both together 40 of 500 = 0.08, so 8 with and 92 without are seen beforehand on each side. The ratio is
// (38 / 162) / (18 / 482) = 6.2812; its logarithm, 1.8376, has the error √(1/38 + 1/162 + 1/18 + 1/482) = 0.30020. Of 40 drawn with 0.2, as 100 of 500
// are on this side, 30 or more come with the probability 1.062e-13.
func TestLogOddsByHand(t *testing.T) {
	t.Parallel()
	c, err := LogOdds(30, 100, 10, 400)
	require.NoError(t, err)
	require.InDelta(t, 6.281207, c.Ratio.Value, 1e-6)
	require.InDelta(t, 6.121166, c.Z, 1e-6)
	require.InDelta(t, 3.487499, c.Ratio.Interval.Lo, 1e-6)
	require.InDelta(t, 11.312854, c.Ratio.Interval.Hi, 1e-6)
	require.InEpsilon(t, 1.0619949e-13, c.P, 1e-6)
	require.False(t, c.Ratio.Unstable)
}

func TestLogOdds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ x, n, y, m, ratio, z, p float64 }{
		{20, 1000, 0, 4000, 153.105025, 3.513951, 1.0485760e-14},  // new: nothing before, and still a number; p = 0.2²⁰
		{20, 1000, 80, 4000, 1, 0, 0.539839},                      // as before
		{15, 50000, 2, 200000, 22.421174, 4.562999, 2.9425664e-9}, // so rare that more is seen beforehand
		{0, 50, 3, 100, 0.527027, -0.759131, 1},
	} {
		got, err := LogOdds(c.x, c.n, c.y, c.m)
		require.NoError(t, err)
		require.InEpsilon(t, c.ratio, got.Ratio.Value, 1e-6)
		require.InDelta(t, c.z, got.Z, 1e-6)
		require.InEpsilon(t, c.p, got.P, 1e-5)
	}
	for _, all := range []float64{0, 1} { // nobody, or everybody
		got, err := LogOdds(all*9, 9, all*7, 7)
		require.NoError(t, err)
		require.False(t, got.Ratio.Known)
		require.Equal(t, []float64{0, 1}, []float64{got.Z, got.P})
	}
	// The other side is the inverse.
	here, err := LogOdds(7, 60, 3, 90)
	require.NoError(t, err)
	there, err := LogOdds(3, 90, 7, 60)
	require.NoError(t, err)
	require.InEpsilon(t, 1, here.Ratio.Value*there.Ratio.Value, 1e-12)
	for _, bad := range [][4]float64{{-1, 1, 0, 1}, {2, 1, 0, 1}, {0, 0, 0, 1}, {0, 1, 2, 1}, {0, 1, 0, 0}} {
		_, err := LogOdds(bad[0], bad[1], bad[2], bad[3])
		require.Error(t, err)
	}
}
