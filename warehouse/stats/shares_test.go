package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse/stats"
)

// By hand: 8 of 10, 2 of 10 and 5 of 10 have μ = 0.5; the variance between is 0.06, of which chance explains 0.025, so that σ² = (0.06 − 0.025)/0.9 = 7/180
// and the prior is worth 0.25/(7/180) − 1 = 38/7 cases: 8 of 10 becomes (8 + 19/7)/(10 + 38/7) = 25/36.
func TestSharesAreDrawnTogether(t *testing.T) {
	t.Parallel()
	p, err := stats.SharesOf([]stats.Counted{{8, 10}, {2, 10}, {5, 10}, {0, 0}})
	require.NoError(t, err)
	require.InDelta(t, 0.5, p.Mu, 1e-12)
	require.InDelta(t, 7./180, p.Sigma2, 1e-12)
	require.InDelta(t, 38./7, p.Size, 1e-12)
	e := p.Shrink(stats.Counted{X: 8, N: 10})
	require.InDelta(t, 25./36, e.Value, 1e-12)
	require.InDelta(t, 0.45214, e.Interval.Lo, 1e-5, "2.5 % of Beta(75/7, 33/7), integrated numerically")
	require.False(t, p.Shrink(stats.Counted{}).Known)

	p, err = stats.SharesOf([]stats.Counted{{5, 10}, {5, 10}})
	require.NoError(t, err)
	require.True(t, p.NoSignal)
	require.Equal(t, 0.5, p.Shrink(stats.Counted{X: 1, N: 1}).Value, "who differs no more than by chance is like all")
	require.False(t, p.Shrink(stats.Counted{X: 1, N: 1}).Interval.OK)

	p, err = stats.SharesOf([]stats.Counted{{10, 10}, {0, 10}})
	require.NoError(t, err)
	require.InDelta(t, 10.5/11, p.Shrink(stats.Counted{X: 10, N: 10}).Value, 1e-12, "all or nothing leaves a prior of one case")
	_, err = stats.SharesOf([]stats.Counted{{3, 2}})
	require.ErrorContains(t, err, "3 of 2")
}

// People's own shares are known here: shrunk ones lie nearer to them than raw ones, and their intervals hold 95 % of them.
func TestShrunkSharesAreNearerTheTruth(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 7))
	var raw, shrunk float64
	held, people := 0, 0
	for range 20 {
		truth, seen := make([]float64, 400), make([]stats.Counted, 400)
		for i := range seen {
			truth[i] = 0.05 + 0.5*math.Pow(rng.Float64(), 3)
			seen[i].N = float64(10 + rng.IntN(30))
			for range int(seen[i].N) {
				if rng.Float64() < truth[i] {
					seen[i].X++
				}
			}
		}
		p, err := stats.SharesOf(seen)
		require.NoError(t, err)
		for i, s := range seen {
			e := p.Shrink(s)
			raw += math.Abs(s.X/s.N - truth[i])
			shrunk += math.Abs(e.Value - truth[i])
			if people++; e.Interval.Lo <= truth[i] && truth[i] <= e.Interval.Hi {
				held++
			}
		}
	}
	require.Less(t, shrunk, 0.95*raw)
	require.InDelta(t, 0.95, float64(held)/float64(people), 0.03)
}
