package stats

import (
	"errors"
	"math"
)

// MethodRatio names the ratio of two sums.
const MethodRatio = "ratio of sums, normal with linearised variance"

// Moments are the sums over units that the ratio of two totals needs: of x (below), y (above), their squares and their product.
type Moments struct{ N, X, Y, XX, YY, XY float64 }

// Ratio is Y/X with an interval by Taylor linearisation (Cochran 1977, 6.4): for many units it is that of a bootstrap by unit, in one
// pass over them. X = 0 makes it unknown.
func Ratio(m Moments) (Estimate, error) {
	e := newEstimate(m.N, MethodRatio)
	for _, v := range []float64{m.N, m.X, m.Y, m.XX, m.YY} {
		if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
			return e, errors.New("stats: the ratio of sums is of values that are not negative")
		}
	}
	if m.X == 0 {
		return e, nil
	}
	e.Value, e.Known = m.Y/m.X, true
	if m.N < 2 {
		return e, nil
	}
	residual := math.Max(0, m.YY-2*e.Value*m.XY+e.Value*e.Value*m.XX)
	e.SE = math.Sqrt(m.N/(m.N-1)*residual) / m.X
	e.Interval = Interval{Lo: math.Max(0, e.Value-z95*e.SE), Hi: e.Value + z95*e.SE, OK: true}
	return e, nil
}
