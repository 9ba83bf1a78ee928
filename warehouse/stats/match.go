package stats

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// NearestRates chooses regions to compare with (measure P2): for each of the chosen ones in turn, from the highest rate down, the region that is neither chosen nor taken and whose rate is
// nearest, and so again until there are as many as chosen ones and at least atLeast, or none is left. Of equally near ones it is that with the lower code. Chosen
// regions without a rate are passed over. The codes of the regions are returned in the order in which they were found; taken is left as it was.
func NearestRates(rates map[string]float64, chosen []string, taken map[string]bool, atLeast int) (nearest []string) {
	codes, used := slices.Sorted(maps.Keys(rates)), map[string]bool{}
	maps.Copy(used, taken)
	for _, code := range chosen {
		used[code] = true
	}
	chosen = slices.DeleteFunc(slices.Sorted(slices.Values(chosen)), func(code string) bool { _, known := rates[code]; return !known })
	slices.SortStableFunc(chosen, func(a, b string) int { return cmp.Compare(rates[b], rates[a]) })
	for wanted := max(len(chosen), atLeast); len(chosen) > 0; {
		before := len(nearest)
		for _, code := range chosen {
			best, off := "", math.Inf(1)
			for _, other := range codes {
				if far := math.Abs(rates[other] - rates[code]); !used[other] && far < off {
					best, off = other, far
				}
			}
			if best != "" && len(nearest) < wanted {
				used[best], nearest = true, append(nearest, best)
			}
		}
		if len(nearest) == before {
			break
		}
	}
	return nearest
}
