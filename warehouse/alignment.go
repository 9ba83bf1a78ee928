package warehouse

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"groundwork/warehouse/stats"
)

// resamples of a percentile bootstrap.
const resamples = 999

// bootstrap draws n things with replacement and returns the ends of the middle 95 % of what of makes of them. Draws of which it makes nothing are
// left out; where half of them are, there is no interval. An interval always holds what was estimated.
func bootstrap(n int, estimate float64, seed uint64, of func(drawn []int) (float64, error)) stats.Interval {
	rng := rand.New(rand.NewPCG(seed, 1))
	var values []float64
	drawn := make([]int, n)
	for range resamples {
		for i := range drawn {
			drawn[i] = rng.IntN(n)
		}
		if v, err := of(drawn); err == nil {
			values = append(values, v)
		}
	}
	return middle(values, estimate)
}

// middle is the percentile interval of an estimate; none where half of the draws gave nothing.
func middle(values []float64, estimate float64) stats.Interval {
	if len(values) < resamples/2 {
		return stats.Interval{}
	}
	slices.Sort(values)
	return stats.Interval{Lo: min(estimate, values[len(values)*25/1000]), Hi: max(estimate, values[len(values)*975/1000]), OK: true}
}

// Inequality is E1(c): Theil's T of the shrunk rates of regions, weighted by people, and its parts between and within the regions above. Numbers: theil
// (bootstrap by region), between, within, shareBetween, regions, groups. n = issues.
func (m *Measures) Inequality(ctx context.Context, q Question) (*Table, error) {
	split := q.By
	h := q.hotspotQuery()
	h.By = append([]Dimension{ByRegion}, split...)
	r, err := m.rates(ctx, h, "E1C")
	if err != nil {
		return nil, err
	}
	regions, err := m.regions(ctx)
	if err != nil {
		return nil, err
	}
	delete(r.t.Flags, "noPopulation")
	groups := map[cellKey][]*hotspotCell{}
	for category, cells := range r.inOrder() {
		groups[cellKey{category}] = cells
	}
	r.s.By = split
	c := newColumns(r.t, []Num{ranged("theil", "T"), plain("between", "T"), plain("within", "T"), plain("shareBetween", "ratio"), plain("regions", "regions"), plain("groups", "regions above")})
	rows, err := arrange(ctx, m, r.s, groups, r.t)
	if err != nil {
		return nil, err
	}
	for _, cells := range rows {
		if err := c.theil(cells, regions, seed("E1C", r.t.DefinitionVersion, r.window)); err != nil {
			return nil, err
		}
	}
	if len(rows) == 0 {
		r.t.Notes = append(r.t.Notes, "not computable: no region has a known population")
	}
	return r.t, nil
}

func (c *columns) theil(cells []*hotspotCell, regions *nodeTree, seed uint64) error {
	shares := make([]stats.Share, len(cells))
	above := map[string]bool{}
	var n int64
	for i, cell := range cells {
		parent := ""
		if at := regions.byCode[cell.region]; at != nil {
			parent = at.parent
		}
		shares[i] = stats.Share{Value: cell.shrunk.Value, Weight: cell.shrunk.PersonYears, Group: parent}
		above[parent] = true
		n += cell.issues
	}
	c.number("regions", float64(len(cells)))
	c.number("groups", float64(len(above)))
	theil, err := stats.TheilT(shares)
	if err != nil { // nothing was raised anywhere
		c.missing("theil", "between", "within", "shareBetween")
		c.end(n, nil)
		return nil
	}
	interval := bootstrap(len(shares), theil.T, seed, func(drawn []int) (float64, error) {
		t, err := stats.TheilT(pick(shares, drawn))
		return t.T, err
	})
	c.estimate("theil", stats.Estimate{Value: theil.T, Known: true, Interval: interval}, 1)
	c.number("between", theil.Between)
	c.number("within", theil.Within)
	if theil.T > 0 {
		c.number("shareBetween", theil.Between/theil.T)
	} else {
		c.missing("shareBetween")
	}
	c.end(n, nil)
	return nil
}

// Bounds within which the readiness to report corrects a rate: an index from few repeats must not turn the order over.
const leastIndex, greatestIndex = 0.25, 4

// fewestRanked is the number of regions under which no concentration is given.
const fewestRanked = 10

// NeedAlignment is I3. Numbers: concentration (bootstrap by region), visits, regions, regionsWithoutVisit, corrected (regions whose rate was corrected by
// how readily they report). n = visits held in the window.
func (m *Measures) NeedAlignment(ctx context.Context, q Question) (*Table, error) {
	w := q.Where
	if len(w.Categories)+len(w.Channels)+len(w.Kinds)+len(w.Severities)+len(w.Segments) > 0 {
		return nil, invalid("Where", "visits have a place and a time, no category, channel, kind, severity or segment; leave these out")
	}
	h := q.hotspotQuery()
	h.By = []Dimension{ByRegion}
	r, err := m.rates(ctx, h, "I3")
	if err != nil {
		return nil, err
	}
	delete(r.t.Flags, "noPopulation")
	index, err := m.readiness(ctx, q, r)
	if err != nil {
		return nil, err
	}
	visits, err := m.visitsByRegion(ctx, q, r)
	if err != nil {
		return nil, err
	}
	cells := r.inOrder()[""]
	ranked := make([]stats.Ranked, len(cells))
	var n, without, corrected int64
	for i, cell := range cells {
		held := visits[cell.region]
		need := cell.shrunk.Value
		if at, known := index[cell.region]; known {
			need /= min(max(at, leastIndex), greatestIndex)
			corrected++
		}
		if held == 0 {
			without++
		}
		n += held
		ranked[i] = stats.Ranked{Value: float64(held) / cell.shrunk.PersonYears, Need: need, Weight: cell.shrunk.PersonYears}
	}
	r.s.By = nil
	c := newColumns(r.t, []Num{ranged("concentration", "index"), plain("visits", "visits"), plain("regions", "regions"), plain("regionsWithoutVisit", "regions"), plain("corrected", "regions")})
	if n > 0 {
		c.concentration(ranked, seed("I3", r.t.DefinitionVersion, r.window))
		for name, v := range map[string]int64{"visits": n, "regions": int64(len(cells)), "regionsWithoutVisit": without, "corrected": corrected} {
			c.number(name, float64(v))
		}
		c.end(n, nil)
	}
	r.t.noteAlignment(n, len(cells), r.s.RegionLevel)
	r.s.ownUnits(r.t)
	return r.t, nil
}

func (c *columns) concentration(ranked []stats.Ranked, seed uint64) {
	index, err := stats.ConcentrationIndex(ranked)
	if err != nil || len(ranked) < fewestRanked {
		c.missing("concentration")
		return
	}
	interval := bootstrap(len(ranked), index, seed, func(drawn []int) (float64, error) { return stats.ConcentrationIndex(pick(ranked, drawn)) })
	c.estimate("concentration", stats.Estimate{Value: index, Known: true, Interval: interval}, 1)
}

func (t *Table) noteAlignment(visits int64, regions int, level string) {
	switch {
	case visits == 0:
		t.Notes = append(t.Notes, "not computable: no visit was held in the window in a region with a known population")
	case regions < fewestRanked:
		t.Notes = append(t.Notes, fmt.Sprintf("not computable: %d regions of level %s have a known population, and fewer than %d cannot be ranked; take a lower level", regions, level, fewestRanked))
	}
}

// readiness is how readily each region reports, where that is known (H5, of the same version).
func (m *Measures) readiness(ctx context.Context, q Question, r *rates) (map[string]float64, error) {
	q.By, q.RegionLevel, q.Protect, q.Limit = []Dimension{ByRegion}, r.s.RegionLevel, false, maxProtected
	t, err := m.ReportingRate(ctx, q)
	if err != nil {
		return nil, err
	}
	index := map[string]float64{}
	for row, v := range t.Nums[0].Value {
		if v != nil {
			index[t.Dims[0].Keys[row].Code] = *v
		}
	}
	return index, nil
}

func (m *Measures) visitsByRegion(ctx context.Context, q Question, r *rates) (map[string]int64, error) {
	if r.window.to.IsZero() {
		return nil, nil
	}
	of := q.Query
	of.By, of.RegionLevel = []Dimension{ByRegion}, r.s.RegionLevel
	of.Where = Filter{Regions: q.Where.Regions}
	s, err := m.scope(ctx, of)
	if err != nil {
		return nil, err
	}
	s.from, s.to = &r.window.from, &r.window.to
	rows, err := s.visitRows()
	if err != nil {
		return nil, err
	}
	found, err := m.tally(ctx, s, tally{rows: rows})
	visits := map[string]int64{}
	for key, cell := range found {
		visits[key[0]] = cell.n
	}
	return visits, err
}

// sortedCodes are the keys in their order.
func sortedCodes[V any](of map[string]V) []string {
	return slices.SortedFunc(maps.Keys(of), strings.Compare)
}
