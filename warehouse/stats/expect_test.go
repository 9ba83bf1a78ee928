package stats

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// By hand: two regions of equal size, the first of which had three times as many before; both categories keep their own totals.
func TestScanExpectsThePastOfEachCategory(t *testing.T) {
	t.Parallel()
	cells := []ScanCell{
		{0, "a", 300_000, []float64{6, 2}}, {1, "a", 100_000, []float64{2, 2}},
		{0, "b", 2, []float64{1, 0}}, {1, "b", 0, []float64{3, 4}},
	}
	observed, expected, err := ScanExpected([]float64{1000, 1000}, cells, 2)
	require.NoError(t, err)
	require.Equal(t, [][]float64{{7, 2}, {5, 6}}, observed)
	require.InDelta(t, 0.75*8+0.5*4, expected[0][0], 1e-3, "a by its past, b, of which too little is known, by people")
	require.InDelta(t, 0.25*4+0.5*4, expected[1][1], 1e-3)
	require.InDelta(t, 20, expected[0][0]+expected[0][1]+expected[1][0]+expected[1][1], 1e-9, "as many are expected as there were")
	_, _, err = ScanExpected([]float64{1}, cells, 2)
	require.ErrorContains(t, err, "region 1")
}

// Where a zone of four regions has twice what is expected, the scan finds it; drawing cell by cell gives the same test as one by one.
func TestScanFindsWhatIsPlanted(t *testing.T) {
	t.Parallel()
	for _, scale := range []float64{2, 60} {
		rng := rand.New(rand.NewPCG(5, 1))
		var areas []ScanArea
		for i := range 36 {
			a := ScanArea{Code: string(rune('A' + i)), X: float64(i % 6), Y: float64(i / 6), Population: 1000}
			for k := range 6 {
				rate := scale
				if i%6 < 2 && i/6 < 2 && k >= 3 {
					rate *= 2
				}
				n := 0.0
				for range int(rate * 10) {
					if rng.Float64() < 0.1 {
						n++
					}
				}
				a.Observed, a.Expected = append(a.Observed, n), append(a.Expected, scale)
			}
			areas = append(areas, a)
		}
		clusters, err := Scan(areas, ScanOptions{Seed: 3, MaxAreas: 6, Replicas: 199})
		require.NoError(t, err)
		require.LessOrEqual(t, clusters[0].P, 0.05)
		require.LessOrEqual(t, len(clusters[0].Areas), 6)
		require.Contains(t, clusters[0].Areas, 0)
		require.InDelta(t, 3, clusters[0].Periods, 1)
		again, err := Scan(areas, ScanOptions{Seed: 3, MaxAreas: 6, Replicas: 199})
		require.NoError(t, err)
		require.Equal(t, clusters, again)
	}
}

// A local rate is the global one of the neighbourhood alone.
func TestLocalRates(t *testing.T) {
	t.Parallel()
	areas := []Area{{"a", 40, 100}, {"b", 2, 100}, {"c", 90, 100}, {"d", 5, 0}, {"e", 7, 100}}
	local, err := ShrinkLocal(areas, [][]int{{1, 2}, {0}, {0}, {}, {}})
	require.NoError(t, err)
	around, err := Shrink(areas[:3])
	require.NoError(t, err)
	require.Equal(t, around.Areas[0], local[0])
	require.False(t, local[3].Known, "nobody lives there")
	require.InDelta(t, 0.07, local[4].Value, 1e-12, "nothing around it")
	_, err = ShrinkLocal(areas, nil)
	require.Error(t, err)
}
