package stats

import (
	"errors"
	"math/rand/v2"
	"slices"
)

// MethodRoutes names how the concentration of visits is judged.
const MethodRoutes = "effective number of sites (inverse Simpson) against visits dealt out at random within their regions"

// Concentration is how visits lie over sites.
type Concentration struct {
	Effective float64 // 1/Σp²: as many sites visited equally often would be as concentrated
	Top5      float64 // visits to the five most visited sites
	// Chance is what Effective would be if the visits of each region had gone to any of its sites: the mean over permutations, with the
	// middle 95 % of them as interval.
	Chance Estimate
	P      float64 // of as few effective sites or fewer by chance, (r+1)/(R+1)
}

// Visits are those of one region, by site. Sites without visits stand as 0.
type Visits []float64

// Concentrate computes the concentration of visits over all sites of the regions (measure F6). In a permutation the visits of a region go to
// its sites at random; draws depend on the seed alone.
func Concentrate(regions []Visits, permutations int, seed uint64) (c Concentration, err error) {
	var all []float64
	for _, region := range regions {
		for _, n := range region {
			if err := checkCount("concentration: visits of a site", n); err != nil {
				return c, err
			}
		}
		all = append(all, region...)
	}
	var known bool
	if c.Effective, known = effective(all); !known {
		return c, errors.New("stats: concentration of no visits; give some")
	}
	slices.SortFunc(all, func(a, b float64) int { return int(b - a) })
	for _, n := range all[:min(5, len(all))] {
		c.Top5 += n
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	deals, most := make([]deal, len(regions)), 0
	for i, region := range regions {
		deals[i].sites, most = len(region), max(most, len(region))
		for _, n := range region {
			deals[i].visits += int(n)
		}
	}
	dealt := make([]float64, most)
	drawn := make([]float64, permutations)
	fewer := 0
	for i := range drawn {
		drawn[i] = dealtOut(deals, dealt, rng)
		if drawn[i] <= c.Effective+1e-9 {
			fewer++
		}
		c.Chance.Value += drawn[i] / float64(permutations)
	}
	slices.Sort(drawn)
	c.P = float64(fewer+1) / float64(permutations+1)
	c.Chance.Known = permutations > 0
	if c.Chance.Known {
		c.Chance.Interval = Interval{Lo: drawn[permutations*25/1000], Hi: drawn[permutations*975/1000], OK: true}
	}
	return c, nil
}

// effective is 1/Σp²; unknown without visits.
func effective(visits []float64) (value float64, known bool) {
	var total, squares float64
	for _, n := range visits {
		total, squares = total+n, squares+n*n
	}
	if total == 0 {
		return 0, false
	}
	return total * total / squares, true
}

// deal is how many visits go to how many sites of a region.
type deal struct{ sites, visits int }

// dealtOut is the effective number of sites after the visits of each region went to its sites at random; dealt has room for the sites of each, and is left empty.
func dealtOut(deals []deal, dealt []float64, rng *rand.Rand) float64 {
	var total, squares float64
	var at []int
	for _, d := range deals {
		for range d.visits {
			site := rng.IntN(d.sites)
			squares += 2*dealt[site] + 1
			dealt[site]++
			at = append(at, site)
		}
		total += float64(d.visits)
		for _, site := range at {
			dealt[site] = 0
		}
		at = at[:0]
	}
	return total * total / squares
}
