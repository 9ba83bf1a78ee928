package warehouse

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"

	"groundwork/warehouse/stats"
)

// giPermutations is how often the surroundings of a region are drawn anew, and giWork how many draws one answer may cost.
const (
	giPermutations = 9_999
	giWork         = 1_000_000_000
)

// seed makes the random numbers of an answer depend on the definition and the window alone.
func seed(code, version string, w span) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %s %d %d", code, version, w.from.UnixMicro(), w.to.UnixMicro())
	return h.Sum64()
}

// Clusters is H2. Numbers: rate (shrunk, issues per 1,000 person-years), neighbours, z, p, q and class (2 hot and −2 cold at q ≤ 0.01, 1 and −1
// at q ≤ 0.05, else 0). Flags hot and cold. n = issues.
func (m *Measures) Clusters(ctx context.Context, q Question) (*Table, error) {
	r, err := m.rates(ctx, q.hotspotQuery(), "H2")
	if err != nil {
		return nil, err
	}
	r.t.Flags["hot"], r.t.Flags["cold"] = []bool{}, []bool{}
	r.t.derived = []string{"hot", "cold"}
	around, err := m.surroundings(ctx, r.s.RegionLevel, r.middle())
	if err != nil {
		return nil, err
	}
	found, err := r.localG(around)
	if err != nil {
		return nil, err
	}
	c := newColumns(r.t, []Num{ranged("rate", "issues per 1,000 person-years"), plain("neighbours", "regions"), plain("z", "standard deviations"), plain("p", "probability"), plain("q", "probability"), plain("class", "class")})
	cells, err := arrange(ctx, m, r.s, r.cells, r.t)
	if err != nil {
		return nil, err
	}
	rows := map[*hotspotCell]int{}
	for row, cell := range cells {
		rows[cell] = row
		c.gi(cell, found[cell])
	}
	r.dependOn(cells, rows, around, "z", "p", "q", "class")
	return r.t, nil
}

// localFound is what Gi* says of a region.
type localFound struct {
	stats.LocalG
	neighbours int
}

func (c *columns) gi(cell *hotspotCell, g *localFound) {
	flags := map[string]bool{"noPopulation": cell.shrunk == nil}
	if cell.shrunk == nil {
		c.missing("rate")
	} else {
		c.estimate("rate", cell.shrunk.Estimate, perPersons)
	}
	if g == nil {
		c.missing("neighbours", "z", "p", "q", "class")
		c.end(cell.issues, flags)
		return
	}
	class := 0.0
	switch {
	case g.Q <= 0.01:
		class = 2
	case g.Q <= familyLevel:
		class = 1
	}
	if g.Z < 0 {
		class = -class
	}
	flags["hot"], flags["cold"] = class > 0, class < 0
	c.number("neighbours", float64(g.neighbours))
	c.number("z", g.Z)
	c.number("p", g.P)
	c.number("q", g.Q)
	c.number("class", class)
	c.end(cell.issues, flags)
}

// localG tests every region of every category; all tests are one family.
func (r *rates) localG(around *surroundings) (map[*hotspotCell]*localFound, error) {
	found := map[*hotspotCell]*localFound{}
	if len(around.near) == 0 {
		r.t.Notes = append(r.t.Notes, "not computable: which regions of level "+r.s.RegionLevel+" touch is not known; load outlines by `groundwork import boundaries FILE` or pairs by `groundwork import neighbours FILE`")
		return found, nil
	}
	groups := r.inOrder()
	var tested []*hotspotCell
	var p []float64
	work, few, islands, alone := 0, 0, 0, 0
	for _, category := range slices.Sorted(maps.Keys(groups)) {
		cells := groups[category]
		near, single, none := around.lattice(codesOf(cells))
		islands, alone = max(islands, len(single)), max(alone, len(none))
		for i := range near {
			work += (len(near[i]) + 1) * giPermutations
		}
		if work > giWork {
			return nil, invalid("By", "%d regions by %d categories are too many for %d permutations each; leave out CATEGORY, or narrow the regions or categories", len(cells), len(groups), giPermutations)
		}
		x := make([]float64, len(cells))
		for i, c := range cells {
			x[i] = c.shrunk.Value
		}
		g, err := stats.GiStar(x, near, giPermutations, seed("H2", r.t.DefinitionVersion, r.window))
		if errors.Is(err, stats.ErrTooFewAreas) {
			few++
			continue
		}
		if err != nil {
			return nil, err
		}
		for i, c := range cells {
			if !slices.Contains(none, i) {
				found[c] = &localFound{g[i], len(near[i])}
				tested, p = append(tested, c), append(p, g[i].P)
			}
		}
	}
	r.noteSurroundings(few, islands, alone)
	adjusted, err := stats.BenjaminiHochberg(p)
	for i, c := range tested {
		found[c].Q = adjusted[i]
	}
	return found, err
}

func (r *rates) noteSurroundings(few, islands, alone int) {
	if few > 0 {
		r.t.Notes = append(r.t.Notes, fmt.Sprintf("not reported: there are fewer than %d regions of level %s with a known population here; take a lower level or more regions", stats.MinAreas, r.s.RegionLevel))
	}
	if islands > 0 {
		r.t.Notes = append(r.t.Notes, fmt.Sprintf("%d regions touch no other; their %d nearest stand in", islands, islandNeighbours))
	}
	if alone > 0 {
		r.t.Notes = append(r.t.Notes, fmt.Sprintf("%d regions touch no other and have no known place; they are not tested", alone))
	}
}
