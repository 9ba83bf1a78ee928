package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// MethodDesign names the share of a stratified sample.
const MethodDesign = "stratified share, Clopper–Pearson on the effective sample size (Korn–Graubard)"

// Sampled is a stratum of a sample: X of the N that answered, out of Size.
type Sampled struct{ X, N, Size float64 }

// DesignShare is the share in a population of which a stratified sample answered (measure F7): strata count by their size, and the exact interval is that
// of as many answers as would be as precise without strata. Strata in which nobody answered are left out.
func DesignShare(strata []Sampled) (Estimate, error) {
	var n, size, value, variance float64
	for i, s := range strata {
		for _, v := range []float64{s.X, s.N, s.Size} {
			if err := checkCount(fmt.Sprintf("design share: stratum %d", i), v); err != nil {
				return Estimate{}, err
			}
		}
		if s.X > s.N || s.N > s.Size {
			return Estimate{}, fmt.Errorf("stats: design share: stratum %d has %v of %v answers out of %v", i, s.X, s.N, s.Size)
		}
		if s.N > 0 {
			n, size = n+s.N, size+s.Size
		}
	}
	e := newEstimate(n, MethodDesign)
	if n == 0 {
		return e, nil
	}
	for _, s := range strata {
		if s.N > 0 {
			p, w := s.X/s.N, s.Size/size
			value += w * p
			variance += w * w * p * (1 - p) / s.N
		}
	}
	e.Value, e.Known, e.SE = value, true, math.Sqrt(variance)
	effective := n
	if variance > 0 {
		effective = math.Min(n, value*(1-value)/variance)
	}
	e.Interval = exactInterval(value*effective, effective)
	return e, nil
}

// exactInterval is that of Clopper and Pearson, of counts that need not be whole.
func exactInterval(x, n float64) Interval {
	tail := (1 - Level) / 2
	i := Interval{Lo: 0, Hi: 1, OK: true}
	if x > 0 {
		i.Lo = mathext.InvRegIncBeta(x, n-x+1, tail)
	}
	if x < n {
		i.Hi = mathext.InvRegIncBeta(x+1, n-x, 1-tail)
	}
	return i
}
