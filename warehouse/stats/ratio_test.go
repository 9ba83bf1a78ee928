package stats

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The interval in one pass is that of a percentile bootstrap by unit, within what 4,000 draws leave to chance.
func TestRatioAgreesWithTheBootstrap(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 0))
	var x, y [600]float64
	var m Moments
	for i := range x {
		x[i] = random.ExpFloat64() * 30
		if random.IntN(3) == 0 {
			y[i] = x[i] * random.Float64()
		}
		m.N++
		m.X, m.Y, m.XX, m.YY, m.XY = m.X+x[i], m.Y+y[i], m.XX+x[i]*x[i], m.YY+y[i]*y[i], m.XY+x[i]*y[i]
	}
	e, err := Ratio(m)
	require.NoError(t, err)
	require.InDelta(t, m.Y/m.X, e.Value, 1e-12)
	draws := make([]float64, 4000)
	for d := range draws {
		var above, below float64
		for range x {
			i := random.IntN(len(x))
			above, below = above+y[i], below+x[i]
		}
		draws[d] = above / below
	}
	slices.Sort(draws)
	require.InDelta(t, draws[100], e.Interval.Lo, 0.1*(e.Interval.Hi-e.Interval.Lo))
	require.InDelta(t, draws[3899], e.Interval.Hi, 0.1*(e.Interval.Hi-e.Interval.Lo))
}

func TestRatiosOfLittle(t *testing.T) {
	t.Parallel()
	e, err := Ratio(Moments{})
	require.NoError(t, err)
	require.False(t, e.Known)
	e, err = Ratio(Moments{N: 1, X: 2, Y: 1, XX: 4, YY: 1, XY: 2})
	require.NoError(t, err)
	require.True(t, e.Known)
	require.False(t, e.Interval.OK)
	_, err = Ratio(Moments{N: 1, X: -1})
	require.Error(t, err)
}
