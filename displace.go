package groundwork

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
)

// Displacer moves places before the public sees them, as health surveys do: up to 2 km in towns, up to 5 km elsewhere and, for one
// place in a hundred there, up to 10 km. The move follows from the place and a secret key, so asking again tells nothing more, and
// many reports from one house, which all move alike, do not give the house away by their mean.
type Displacer struct{ Key []byte }

const (
	kmPerDegree = 111.32
	gridSteps   = 1000 // places are known to a thousandth of a degree, about 100 m, before and after the move
)

// Move returns where the public may think that the place is.
func (d Displacer) Move(latitude, longitude float64, urban bool) (float64, float64) {
	latitude, longitude = onGrid(latitude), onGrid(longitude)
	mac := hmac.New(sha256.New, d.Key)
	fmt.Fprintf(mac, "%.3f %.3f", latitude, longitude)
	sum := mac.Sum(nil)
	reach := 5.0
	switch {
	case urban:
		reach = 2
	case fraction(sum[16:]) < 0.01:
		reach = 10
	}
	angle, distance := 2*math.Pi*fraction(sum), reach*fraction(sum[8:])
	north := distance * math.Cos(angle) / kmPerDegree
	east := distance * math.Sin(angle) / (kmPerDegree * math.Max(0.01, math.Cos(latitude*math.Pi/180)))
	return onGrid(min(max(latitude+north, -90), 90)), onGrid(math.Remainder(longitude+east, 360))
}

func onGrid(degrees float64) float64 { return math.Round(degrees*gridSteps) / gridSteps }

// fraction is a number in [0, 1) from eight random bytes.
func fraction(random []byte) float64 {
	return float64(binary.BigEndian.Uint64(random)>>11) / (1 << 53)
}
