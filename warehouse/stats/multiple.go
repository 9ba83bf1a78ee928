package stats

import (
	"fmt"
	"math"
	"slices"
)

// BenjaminiHochberg turns the p-values of one family of tests into adjusted
// ones (Benjamini–Hochberg 1995): rejecting where they are at most q keeps the
// expected share of false discoveries at most q. The order is that of the input.
func BenjaminiHochberg(p []float64) ([]float64, error) {
	order := make([]int, len(p))
	for i, v := range p {
		if math.IsNaN(v) || v < 0 || v > 1 {
			return nil, fmt.Errorf("stats: p-value %d is %v; give a number from 0 to 1", i, v)
		}
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		default:
			return a - b
		}
	})
	adjusted, least := make([]float64, len(p)), 1.0
	for rank := len(order); rank >= 1; rank-- {
		i := order[rank-1]
		least = math.Min(least, p[i]*(float64(len(p))/float64(rank))) // the factor first: of the last it is exactly 1
		adjusted[i] = least
	}
	return adjusted, nil
}
