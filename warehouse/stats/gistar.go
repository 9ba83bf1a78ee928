package stats

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
)

// MethodGiStar names the local statistic and its test.
const MethodGiStar = "Getis–Ord Gi*, binary weights with self, conditional permutation p, Benjamini–Hochberg"

// MinAreas is the number of areas under which Gi* is not reported.
const MinAreas = 30

// leastSpread is the standard deviation, as a part of the mean, below which values
// are equal but for the rounding of sums.
const leastSpread = 1e-12

// LocalG is one area's answer of [GiStar].
type LocalG struct {
	// Z is the standardised statistic: above 0 where high values gather.
	Z float64
	// P is two-sided, (r+1)/(R+1) over conditional permutations; Q is adjusted
	// over all areas.
	P, Q float64
}

// GiZ computes the standardised Gi* of every area (Ord–Getis 1995): z =
// (Σwx − x̄W) / (s√((nΣw² − W²)/(n−1))) with binary weights, where neighbours[i]
// lists the neighbours of i without i itself, which always counts. Where an area
// has everybody as its neighbour, or all have the same value, z is 0.
func GiZ(x []float64, neighbours [][]int) ([]float64, error) {
	mean, s, err := checkLattice(x, neighbours)
	if err != nil {
		return nil, err
	}
	z := make([]float64, len(x))
	for i, list := range neighbours {
		sum := x[i]
		for _, j := range list {
			sum += x[j]
		}
		z[i] = giZ(sum, float64(len(list)+1), float64(len(x)), mean, s)
	}
	return z, nil
}

func giZ(sum, w, n, mean, s float64) float64 {
	spread := s * math.Sqrt((n*w-w*w)/(n-1))
	if spread == 0 {
		return 0
	}
	return (sum - mean*w) / spread
}

func checkLattice(x []float64, neighbours [][]int) (mean, s float64, err error) {
	n := len(x)
	if n < 2 || len(neighbours) != n {
		return 0, 0, fmt.Errorf("stats: Gi* of %d values and %d lists of neighbours; give at least two areas and a list for each", n, len(neighbours))
	}
	for i, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 0, 0, fmt.Errorf("stats: Gi*: value %d is %v; give finite values", i, v)
		}
		mean += v / float64(n)
		for _, j := range neighbours[i] {
			if j < 0 || j >= n || j == i {
				return 0, 0, fmt.Errorf("stats: Gi*: area %d has neighbour %d; give others of the %d areas", i, j, n)
			}
		}
	}
	for _, v := range x {
		s += (v - mean) * (v - mean)
	}
	s = math.Sqrt(s / float64(n))
	if s < leastSpread*math.Abs(mean) {
		s = 0
	}
	return mean, s, nil
}

// GiStar computes Gi* with its conditional permutation test (measure H2): the
// value of an area stays, those around it are drawn without replacement from all
// others. The answer depends on the seed alone, whatever the number of cores.
func GiStar(x []float64, neighbours [][]int, permutations int, seed uint64) ([]LocalG, error) {
	if permutations < 99 {
		return nil, fmt.Errorf("stats: Gi* with %d permutations; give at least 99", permutations)
	}
	if len(x) < MinAreas {
		return nil, ErrTooFewAreas
	}
	z, err := GiZ(x, neighbours)
	if err != nil {
		return nil, err
	}
	mean, s, _ := checkLattice(x, neighbours) // checked by GiZ
	p := make([]float64, len(x))
	inParallel(len(x), func(i int) { p[i] = permutedP(x, i, len(neighbours[i]), z[i], mean, s, permutations, seed) })
	q, err := BenjaminiHochberg(p)
	if err != nil {
		return nil, err
	}
	out := make([]LocalG, len(x))
	for i := range out {
		out[i] = LocalG{Z: z[i], P: p[i], Q: q[i]}
	}
	return out, nil
}

// ErrTooFewAreas tells that a map is too small for a local statistic.
var ErrTooFewAreas = errors.New("stats: Gi* needs at least 30 areas")

// permutedP counts how often as extreme a statistic arises where the others are shuffled.
func permutedP(x []float64, i, k int, z, mean, s float64, permutations int, seed uint64) float64 {
	rng := rand.New(rand.NewPCG(seed, uint64(i)))
	others := make([]float64, 0, len(x)-1)
	others = append(append(others, x[:i]...), x[i+1:]...)
	extreme := 0
	for range permutations {
		sum := x[i]
		for j := range k { // the first k of a Fisher–Yates shuffle
			other := j + rng.IntN(len(others)-j)
			others[j], others[other] = others[other], others[j]
			sum += others[j]
		}
		if math.Abs(giZ(sum, float64(k+1), float64(len(x)), mean, s)) >= math.Abs(z)-1e-12 {
			extreme++
		}
	}
	return float64(extreme+1) / float64(permutations+1)
}

// inParallel runs f(0) … f(n−1) on all cores.
func inParallel(n int, f func(int)) {
	var next sync.Mutex
	i := 0
	take := func() int {
		next.Lock()
		defer next.Unlock()
		i++
		return i - 1
	}
	var done sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		done.Go(func() {
			for k := take(); k < n; k = take() {
				f(k)
			}
		})
	}
	done.Wait()
}
