package stats

import (
	"fmt"
	"maps"
	"slices"
)

// fewestBefore is the number of events before, in all regions together, from which the past of a category says how it is spread.
const fewestBefore = 50

// ScanCell is what a region had of a category: before the periods that are scanned, and in each of them.
type ScanCell struct {
	Region   int // index
	Category string
	Before   float64
	Observed []float64
}

// ScanExpected makes the counts that [Scan] takes (measure H3). In each category and
// period, as many are expected in all as there were: so season, weekday, holidays and
// growth are those of that very time. They are spread over the regions by their people
// times the rate that each had before, shrunk towards the common rate ([Shrink]); where
// a category had fewer than 50 before, by their people alone. What is found is more than
// a region's own past, and all regions' present, let expect.
func ScanExpected(populations []float64, cells []ScanCell, periods int) (observed, expected [][]float64, err error) {
	observed, expected = grid(len(populations), periods), grid(len(populations), periods)
	byCategory := map[string][]ScanCell{}
	for _, c := range cells {
		if c.Region < 0 || c.Region >= len(populations) || len(c.Observed) != periods {
			return nil, nil, fmt.Errorf("stats: scan: a cell of region %d with %d periods; give one of %d regions and %d periods", c.Region, len(c.Observed), len(populations), periods)
		}
		byCategory[c.Category] = append(byCategory[c.Category], c)
	}
	for _, category := range slices.Sorted(maps.Keys(byCategory)) {
		totals := make([]float64, periods)
		before := make([]float64, len(populations))
		for _, c := range byCategory[category] {
			before[c.Region] += c.Before
			for k, n := range c.Observed {
				observed[c.Region][k] += n
				totals[k] += n
			}
		}
		shares, err := spread(populations, before)
		if err != nil {
			return nil, nil, err
		}
		for i, share := range shares {
			for k, total := range totals {
				expected[i][k] += share * total
			}
		}
	}
	return observed, expected, nil
}

func grid(rows, columns int) [][]float64 {
	g := make([][]float64, rows)
	for i := range g {
		g[i] = make([]float64, columns)
	}
	return g
}

// spread is which share of a category each region should have.
func spread(populations, before []float64) ([]float64, error) {
	weights := slices.Clone(populations)
	if total := sumOf(before); total >= fewestBefore {
		areas := make([]Area, len(before))
		for i := range before {
			areas[i] = Area{Issues: before[i], PersonYears: populations[i]}
		}
		shrunk, err := Shrink(areas)
		if err != nil {
			return nil, err
		}
		next := 0
		for i, a := range areas {
			if a.PersonYears > 0 {
				weights[i] *= shrunk.Areas[next].Value
				next++
			}
		}
	}
	if total := sumOf(weights); total > 0 {
		for i := range weights {
			weights[i] /= total
		}
	}
	return weights, nil
}

func sumOf(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}
