package stats

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// Concentration is how visits lie over sites.
type Concentration struct {
	Effective float64 // 1/Σp²: as many sites visited equally often would be as concentrated
	Top5      float64 // visits to the five most visited sites
	// Chance is what Effective would be if the visits of each deal had gone to any of its sites: the mean over permutations, with the
	// middle 95 % of them as interval.
	Chance Estimate
	P      float64 // of as few effective sites or fewer by chance, (r+1)/(R+1)
}

// Deal is a number of visits that might have gone to any of some sites: those at From up to, and without, To. Deals may share sites.
type Deal struct{ Visits, From, To int }

// Concentrate computes the concentration of visits over sites (measure F6); sites without visits stand as 0. In a permutation the visits of each deal go to
// its sites at random; draws depend on the seed alone.
func Concentrate(sites []float64, deals []Deal, permutations int, seed uint64) (c Concentration, err error) {
	for _, n := range sites {
		if err := checkCount("concentration: visits of a site", n); err != nil {
			return c, err
		}
	}
	for _, d := range deals {
		if d.Visits < 0 || d.From < 0 || d.From >= d.To || d.To > len(sites) {
			return c, fmt.Errorf("stats: concentration: %d visits to the sites from %d to %d of %d; give a deal visits and sites that there are", d.Visits, d.From, d.To, len(sites))
		}
	}
	var known bool
	if c.Effective, known = effective(sites); !known {
		return c, errors.New("stats: concentration of no visits; give some")
	}
	most := slices.Clone(sites)
	slices.SortFunc(most, func(a, b float64) int { return int(b - a) })
	for _, n := range most[:min(5, len(most))] {
		c.Top5 += n
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	dealt := make([]float64, len(sites))
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

// dealtOut is the effective number of sites after the visits of each deal went to its sites at random; dealt has room for all sites, and is left empty.
func dealtOut(deals []Deal, dealt []float64, rng *rand.Rand) float64 {
	var total, squares float64
	var at []int
	for _, d := range deals {
		for range d.Visits {
			site := d.From + rng.IntN(d.To-d.From)
			squares += 2*dealt[site] + 1
			dealt[site]++
			at = append(at, site)
		}
		total += float64(d.Visits)
	}
	for _, site := range at {
		dealt[site] = 0
	}
	return total * total / squares
}
