package stats

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// MethodScan names the scan statistic and its test.
const MethodScan = "Kulldorff Poisson scan, circular zones × last weeks, 999 Monte Carlo replicas"

// manyToACell is how many to a cell make it cheaper to draw cell by cell.
const manyToACell = 4

// ScanArea is one region's input to [Scan]: where its centre is, how many people
// it has, and what was observed and expected in each period, the last last.
type ScanArea struct {
	Code       string
	X, Y       float64 // planar, or degrees of a small country
	Population float64
	Observed   []float64
	Expected   []float64 // any scale: it is scaled to the total observed
}

// ScanOptions bound the zones of [Scan].
type ScanOptions struct {
	MaxShare float64 // of the population that a zone may hold; 0 = 0.25, at most 0.5
	MaxAreas int     // that a zone may hold; 0 = any number. It bounds the work
	Replicas int     // 0 = 999
	Seed     uint64
}

// Cluster is a zone where more was observed than expected.
type Cluster struct {
	Areas        []int // indices, the centre first, then by distance
	Periods      int   // the last so many
	Observed     float64
	Expected     float64
	Population   float64
	LLR          float64
	P            float64 // (1 + #{LLR* ≥ LLR}) / (1 + replicas)
	RelativeRisk float64 // inside against outside
}

// LLR is the log-likelihood ratio of a zone with c observed and e expected of a
// total (Kulldorff 1997): 0 unless more was observed than expected.
func LLR(c, e, total float64) float64 {
	if c <= e || e <= 0 {
		return 0
	}
	llr := c * math.Log(c/e)
	if c < total {
		llr += (total - c) * math.Log((total-c)/(total-e))
	}
	return llr
}

// Scan finds the most likely cluster and those beside it that do not overlap with
// a likelier one (measure H3). Ties go to the smaller population, then the lower
// code. The answer depends on the seed alone.
func Scan(areas []ScanArea, o ScanOptions) ([]Cluster, error) {
	s, err := newScan(areas, o)
	if err != nil || s.total == 0 {
		return nil, err
	}
	found := s.best(s.observed)
	maxima := make([]float64, s.replicas)
	inParallel(s.replicas, func(r int) { maxima[r] = s.replica(r) })
	slices.Sort(maxima)
	var clusters []Cluster
	taken := make([]bool, len(areas))
	for _, z := range found {
		if z.llr <= 0 || slices.ContainsFunc(s.members(z), func(i int) bool { return taken[i] }) {
			continue
		}
		for _, i := range s.members(z) {
			taken[i] = true
		}
		above := len(maxima) - sortSearch(maxima, z.llr)
		clusters = append(clusters, s.cluster(z, float64(above+1)/float64(s.replicas+1)))
	}
	return clusters, nil
}

func sortSearch(sorted []float64, v float64) int {
	i, _ := slices.BinarySearch(sorted, v-1e-9)
	return i
}

// scan holds what all replicas share.
type scan struct {
	areas     []ScanArea
	order     [][]int // of each centre: areas by distance, as many as a zone may hold
	periods   int
	replicas  int
	seed      uint64
	total     float64
	observed  [][]float64 // [area][k]: of the last k+1 periods
	expected  [][]float64
	cumulated []float64 // of the expected of all cells, for drawing
}

// zone is the first size areas around a centre in the last periods.
type zone struct {
	centre, size, periods int
	c, e, population, llr float64
}

func newScan(areas []ScanArea, o ScanOptions) (*scan, error) {
	if o.MaxShare == 0 {
		o.MaxShare = 0.25
	}
	if o.Replicas == 0 {
		o.Replicas = 999
	}
	if o.MaxShare < 0 || o.MaxShare > 0.5 {
		return nil, fmt.Errorf("stats: scan: zones of %v of the population; give at most 0.5", o.MaxShare)
	}
	if len(areas) == 0 {
		return nil, errors.New("stats: scan without areas; give at least one")
	}
	s := &scan{areas: areas, periods: len(areas[0].Observed), replicas: o.Replicas, seed: o.Seed}
	var expected, population float64
	for _, a := range areas {
		if err := a.validate(s.periods); err != nil {
			return nil, err
		}
		population += a.Population
		for k := range a.Observed {
			s.total += a.Observed[k]
			expected += a.Expected[k]
		}
	}
	if s.total > 0 && expected == 0 {
		return nil, errors.New("stats: scan: something was observed and nothing expected; give expectations")
	}
	s.prepare(expected)
	s.order = zonesAround(areas, o.MaxShare*population)
	for c := range s.order {
		if o.MaxAreas > 0 && len(s.order[c]) > o.MaxAreas {
			s.order[c] = s.order[c][:o.MaxAreas]
		}
	}
	return s, nil
}

func (a ScanArea) validate(periods int) error {
	if len(a.Observed) != periods || len(a.Expected) != periods || periods == 0 {
		return fmt.Errorf("stats: scan: area %q has %d observed and %d expected periods; give %d of both", a.Code, len(a.Observed), len(a.Expected), periods)
	}
	for k := range a.Observed {
		if err := errors.Join(checkCount("scan: observed of "+a.Code, a.Observed[k]), checkCount("scan: expected of "+a.Code, a.Expected[k])); err != nil {
			return err
		}
	}
	return checkCount("scan: population of "+a.Code, a.Population)
}

// prepare scales the expectations to the total and sums both from the end.
func (s *scan) prepare(expected float64) {
	var sum float64
	for _, a := range s.areas {
		scaled := make([]float64, s.periods)
		for k, e := range a.Expected {
			scaled[k] = e * s.total / max(expected, math.SmallestNonzeroFloat64)
			sum += scaled[k]
			s.cumulated = append(s.cumulated, sum)
		}
		s.observed, s.expected = append(s.observed, fromEnd(a.Observed)), append(s.expected, fromEnd(scaled))
	}
}

func fromEnd(v []float64) []float64 {
	sums, sum := make([]float64, len(v)), 0.0
	for k := range v {
		sum += v[len(v)-1-k]
		sums[k] = sum
	}
	return sums
}

// zonesAround lists of each centre the areas by distance, as long as their people stay within the bound.
func zonesAround(areas []ScanArea, bound float64) [][]int {
	order := make([][]int, len(areas))
	for c, centre := range areas {
		near := make([]int, len(areas))
		for i := range near {
			near[i] = i
		}
		distance := func(i int) float64 { return math.Hypot(areas[i].X-centre.X, areas[i].Y-centre.Y) }
		slices.SortFunc(near, func(i, j int) int {
			if i == c || j == c {
				return cmp.Compare(boolInt(j == c), boolInt(i == c))
			}
			return cmp.Or(cmp.Compare(distance(i), distance(j)), cmp.Compare(areas[i].Code, areas[j].Code))
		})
		var people float64
		size := 0
		for _, i := range near {
			if people += areas[i].Population; people > bound {
				break
			}
			size++
		}
		order[c] = near[:size]
	}
	return order
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// best returns the likeliest zone of every centre, the likeliest first.
func (s *scan) best(observed [][]float64) []zone {
	zones := make([]zone, 0, len(s.order))
	for c := range s.order {
		if z := s.around(c, observed); z.llr > 0 {
			zones = append(zones, z)
		}
	}
	slices.SortStableFunc(zones, func(a, b zone) int {
		return cmp.Or(cmp.Compare(b.llr, a.llr), cmp.Compare(a.population, b.population), cmp.Compare(s.areas[a.centre].Code, s.areas[b.centre].Code))
	})
	return zones
}

func (s *scan) around(centre int, observed [][]float64) (best zone) {
	for k := range s.periods {
		z := zone{centre: centre, periods: k + 1}
		for n, i := range s.order[centre] {
			z.size, z.c, z.e, z.population = n+1, z.c+observed[i][k], z.e+s.expected[i][k], z.population+s.areas[i].Population
			if z.c <= z.e || z.e < s.total && (z.c-z.e)*(z.c-z.e)*s.total <= best.llr*z.e*(s.total-z.e) {
				continue // the ratio is at most chi-squared, which needs no logarithm
			}
			if z.llr = LLR(z.c, z.e, s.total); z.llr > best.llr {
				best = z
			}
		}
	}
	return best
}

// replica draws the total anew over all cells as expected and returns the greatest likelihood ratio.
func (s *scan) replica(r int) (greatest float64) {
	rng := rand.New(rand.NewPCG(s.seed, uint64(r)))
	drawn := make([][]float64, len(s.areas))
	flat := s.draw(rng)
	for i := range drawn {
		drawn[i] = fromEnd(flat[i*s.periods : (i+1)*s.periods])
	}
	for c := range s.order {
		greatest = max(greatest, s.around(c, drawn).llr)
	}
	return greatest
}

// draw spreads the total over all cells as expected: one by one, or, where there are many to a cell, cell by cell.
func (s *scan) draw(rng *rand.Rand) []float64 {
	flat := make([]float64, len(s.areas)*s.periods)
	if s.total <= manyToACell*float64(len(flat)) {
		for range int(s.total) {
			cell, _ := slices.BinarySearch(s.cumulated, rng.Float64()*s.total)
			flat[min(cell, len(flat)-1)]++
		}
		return flat
	}
	left, before := s.total, 0.0
	for i, upTo := range s.cumulated {
		share := 1.0
		if rest := s.cumulated[len(s.cumulated)-1] - before; i < len(flat)-1 && rest > 0 {
			share = min(1, max(0, (upTo-before)/rest))
		}
		switch {
		case share == 1:
			flat[i] = left
		case share > 0 && left > 0:
			flat[i] = distuv.Binomial{N: left, P: share, Src: rng}.Rand()
		}
		left, before = left-flat[i], upTo
	}
	return flat
}

func (s *scan) members(z zone) []int { return s.order[z.centre][:z.size] }

func (s *scan) cluster(z zone, p float64) Cluster {
	rr := math.Inf(1)
	if z.c < s.total {
		rr = (z.c / z.e) / ((s.total - z.c) / (s.total - z.e))
	}
	return Cluster{Areas: slices.Clone(s.members(z)), Periods: z.periods, Observed: z.c, Expected: z.e, Population: z.population,
		LLR: z.llr, P: p, RelativeRisk: rr}
}
