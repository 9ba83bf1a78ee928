package groundwork

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestDisplacerKeepsWithinReach(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := Displacer{Key: rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key")}
		latitude, longitude := rapid.Float64Range(-85, 85).Draw(t, "latitude"), rapid.Float64Range(-180, 180).Draw(t, "longitude")
		urban := rapid.Bool().Draw(t, "urban")
		y, x := d.Move(latitude, longitude, urban)
		again, _ := d.Move(latitude, longitude, urban)
		require.Equal(t, y, again, "asking again tells nothing more")
		require.True(t, x >= -180 && x <= 180)
		reach := 10.0
		if urban {
			reach = 2
		}
		require.LessOrEqual(t, distanceKM(latitude, longitude, y, x), reach+0.3, "0.3 for the two roundings")
	})
}

// The moves spread over the whole reach in all directions, go beyond 5 km for about one rural place in a hundred, and depend on the key.
func TestDisplacerSpreads(t *testing.T) {
	t.Parallel()
	d, other := Displacer{Key: []byte("one")}, Displacer{Key: []byte("two")}
	const n = 5000
	var sumNorth, sumEast, sum float64
	far, same := 0, 0
	for i := range n {
		latitude, longitude := 28+float64(i)*0.001, 113.0
		y, x := d.Move(latitude, longitude, false)
		distance := distanceKM(latitude, longitude, y, x)
		sumNorth, sumEast, sum = sumNorth+y-latitude, sumEast+x-longitude, sum+distance
		if distance > 5.1 {
			far++
		}
		if v, u := other.Move(latitude, longitude, false); v == y && u == x {
			same++
		}
	}
	require.InDelta(t, 2.5, sum/n, 0.15)
	require.InDelta(t, 0, sumNorth/n*kmPerDegree, 0.15)
	require.InDelta(t, 0, sumEast/n*kmPerDegree, 0.15)
	require.InDelta(t, 0.005, float64(far)/n, 0.004, "half of the hundredth that may go up to 10 km")
	require.Less(t, same, n/100)
}

func distanceKM(lat1, long1, lat2, long2 float64) float64 {
	return math.Hypot(lat2-lat1, math.Remainder(long2-long1, 360)*math.Cos(lat1*math.Pi/180)) * kmPerDegree
}
