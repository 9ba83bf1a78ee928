package stats_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse/stats"
)

func TestConcentrationOfVisitsThatHadToGoSomewhere(t *testing.T) {
	t.Parallel()
	sites := make([]float64, 20)
	sites[0], sites[1] = 5, 5
	free, err := stats.Concentrate(sites, []stats.Deal{{Visits: 10, From: 0, To: 20}}, 9_999, 1)
	require.NoError(t, err)
	require.InDelta(t, 2, free.Effective, 1e-12)
	require.InDelta(t, 10, free.Top5, 0)
	require.Less(t, free.P, 0.001)
	bound, err := stats.Concentrate(sites, []stats.Deal{{Visits: 10, From: 0, To: 2}}, 9_999, 1)
	require.NoError(t, err)
	require.InDelta(t, 2, bound.Effective, 1e-12)
	require.Equal(t, 1.0, bound.P, "of two sites nothing is less concentrated than five visits each")
	require.LessOrEqual(t, bound.Chance.Interval.Hi, 2.0)
	// Deals that share sites: of 5 bound to one site and 5 to any of two, E Σn² = E (5+k)² + (5-k)² = 50 + 2·E k² = 50 + 2·(2.5² + 1.25) = 65, k the free ones at the first.
	both, err := stats.Concentrate([]float64{8, 2}, []stats.Deal{{Visits: 5, From: 0, To: 1}, {Visits: 5, From: 0, To: 2}}, 9_999, 1)
	require.NoError(t, err)
	require.InDelta(t, 100.0/65, both.Chance.Value, 0.06)
	require.InDelta(t, 0.5, both.P, 0.02, "3 or more of 5 at the first: one half")
}

func TestConcentrationRefuses(t *testing.T) {
	t.Parallel()
	for name, deal := range map[string]stats.Deal{"no site": {1, 0, 0}, "beyond": {1, 0, 3}, "before": {1, -1, 2}, "negative": {-1, 0, 2}} {
		_, err := stats.Concentrate([]float64{1, 0}, []stats.Deal{deal}, 9, 1)
		require.ErrorContains(t, err, "give a deal visits and sites that there are", name)
	}
	_, err := stats.Concentrate([]float64{0, 0}, []stats.Deal{{0, 0, 2}}, 9, 1)
	require.ErrorContains(t, err, "no visits")
	_, err = stats.Concentrate([]float64{-1, 2}, []stats.Deal{{1, 0, 2}}, 9, 1)
	require.Error(t, err)
}
