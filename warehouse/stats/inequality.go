package stats

import (
	"errors"
	"maps"
	"math"
	"slices"
)

// Theil is Theil's T of values with weights (population), and its parts between
// and within groups (measure E1c; Theil 1967): T = Σ w (v/μ) ln(v/μ).
type Theil struct {
	T, Between, Within float64
}

// Share is one region's value, weight and group.
type Share struct {
	Value, Weight float64
	Group         string
}

// leastTheil is the T below which values are equal but for the rounding of sums.
const leastTheil = 1e-12

// TheilT computes T. Values of 0 contribute 0; a mean of 0 has no T, and that of equal values is exactly 0.
func TheilT(shares []Share) (Theil, error) {
	type sums struct{ weight, value float64 }
	var all sums
	groups := map[string]*sums{}
	for _, s := range shares {
		if err := errors.Join(checkCount("Theil: value", s.Value), checkCount("Theil: weight", s.Weight)); err != nil {
			return Theil{}, err
		}
		if groups[s.Group] == nil {
			groups[s.Group] = &sums{}
		}
		all.weight, all.value = all.weight+s.Weight, all.value+s.Weight*s.Value
		groups[s.Group].weight += s.Weight
		groups[s.Group].value += s.Weight * s.Value
	}
	if all.weight == 0 || all.value == 0 {
		return Theil{}, errors.New("stats: Theil's T of values that are all 0; there is no inequality to measure")
	}
	mean := all.value / all.weight
	var t Theil
	for _, s := range shares {
		t.T += s.Weight / all.weight * relativeEntropy(s.Value/mean)
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		if g := groups[name]; g.weight > 0 {
			t.Between += g.weight / all.weight * relativeEntropy(g.value/g.weight/mean)
		}
	}
	if t.T < leastTheil {
		return Theil{}, nil
	}
	t.Within = t.T - t.Between
	return t, nil
}

func relativeEntropy(x float64) float64 {
	if x == 0 {
		return 0
	}
	return x * math.Log(x)
}

// Ranked is one region's value, its place by need, and its population.
type Ranked struct{ Value, Need, Weight float64 }

// ConcentrationIndex says where the values lie by need (measure I3; Wagstaff
// 1991): C = 2 cov(v, R)/v̄ with R the fractional rank from the least need; above
// 0 where the values go to the needy. Equal needs have the same middle rank.
func ConcentrationIndex(items []Ranked) (float64, error) {
	var weight, mean float64
	for _, i := range items {
		if err := errors.Join(checkCount("concentration: value", i.Value), checkCount("concentration: weight", i.Weight)); err != nil {
			return 0, err
		}
		weight, mean = weight+i.Weight, mean+i.Weight*i.Value
	}
	if weight == 0 || mean == 0 {
		return 0, errors.New("stats: concentration of values that are all 0; there is nothing to compare")
	}
	mean /= weight
	sorted := slices.Clone(items)
	slices.SortFunc(sorted, func(a, b Ranked) int {
		switch {
		case a.Need < b.Need:
			return -1
		case a.Need > b.Need:
			return 1
		default:
			return 0
		}
	})
	covariance, before := 0.0, 0.0
	for from := 0; from < len(sorted); {
		to, tied := from, 0.0
		for ; to < len(sorted) && sorted[to].Need == sorted[from].Need; to++ {
			tied += sorted[to].Weight
		}
		rank := (before + tied/2) / weight
		for _, i := range sorted[from:to] {
			covariance += i.Weight / weight * (i.Value - mean) * (rank - 0.5)
		}
		before, from = before+tied, to
	}
	return 2 * covariance / mean, nil
}

// winsorised draws the lowest and highest share of values in to their quantiles.
func winsorised(values []float64, share float64) []float64 {
	sorted := slices.Sorted(slices.Values(values))
	cut := int(share * float64(len(sorted)))
	lo, hi := sorted[cut], sorted[len(sorted)-1-cut]
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = min(max(v, lo), hi)
	}
	return out
}
