package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"groundwork/warehouse/stats"
)

const defaultHotspotLevel = "COUNTY"

// perPersons is the number of person-years that rates are given for.
const perPersons = 1000

// Hotspots is H1: issues per 1,000 person-years by region and, where asked, by category. Numbers: issues, repeats (opinions beyond
// the first of each issue), personYears, rawRate, rate (shrunk), weight (of the raw rate in it) and rank (from the highest rate, per
// category, only where the rate has an interval). Regions without a known population have no rates and the flag noPopulation.
func (m *Measures) Hotspots(ctx context.Context, q HotspotQuery) (*Table, error) {
	r, err := m.ratesAround(ctx, q, "H1")
	if err != nil {
		return nil, err
	}
	return r.t, m.fillHotspots(ctx, r)
}

// rates are the issues and person-years of regions: what H1 shows, and what the measures that look around regions begin with.
type rates struct {
	s      *scope
	t      *Table
	window span
	cells  map[cellKey]*hotspotCell
	areas  map[string]float64 // person-years by code
	around *surroundings      // nil where nothing is asked of them
}

// middle is the day whose boundaries count.
func (r *rates) middle() time.Time { return r.window.from.Add(r.window.to.Sub(r.window.from) / 2) }

// rates counts issues by region and begins the answer of a measure.
func (m *Measures) rates(ctx context.Context, q HotspotQuery, code string) (*rates, error) {
	return m.ratesAnd(ctx, q, code, func(*rates) error { return nil })
}

// ratesAround are rates with what lies around the regions.
func (m *Measures) ratesAround(ctx context.Context, q HotspotQuery, code string) (*rates, error) {
	return m.ratesAnd(ctx, q, code, func(r *rates) (err error) {
		r.around, err = m.surroundings(ctx, r.s.RegionLevel, r.middle())
		return err
	})
}

// ratesAnd does further beside counting, once the window is known.
func (m *Measures) ratesAnd(ctx context.Context, q HotspotQuery, code string, further func(*rates) error) (*rates, error) {
	if err := q.complete(); err != nil {
		return nil, err
	}
	d, err := versioned(code, q.version)
	if err != nil {
		return nil, err
	}
	s, err := m.scope(ctx, q.Query)
	if err != nil {
		return nil, err
	}
	r := &rates{s: s, t: s.table(d)}
	r.t.Flags["noPopulation"] = nil
	var data extent
	var regions *nodeTree
	if err := together(
		func() (err error) { data, err = m.dataExtent(ctx, s); return err },
		func() (err error) { regions, err = m.regions(ctx); return err },
	); err != nil {
		return nil, err
	}
	r.window = s.hotspotWindow(r.t, data.span, q.From, q.To)
	if r.areas, err = s.areasOf(regions, r.window); err != nil {
		return nil, err
	}
	if err := together(
		func() (err error) { r.cells, err = m.hotspotCells(ctx, s, r.t, r.areas, r.window, data); return err },
		func() error { return further(r) },
	); err != nil {
		return nil, err
	}
	return r, shrinkByCategory(r.t, r.cells, r.areas)
}

// hotspotQuery is a question of the registry as one of H1.
func (q Question) hotspotQuery() HotspotQuery {
	h := HotspotQuery{Query: q.Query, version: q.Version}
	if q.From != nil {
		h.From = *q.From
	}
	if q.To != nil {
		h.To = *q.To
	}
	return h
}

// complete checks what H1 asks for beyond other measures, and fills in its defaults.
func (q *HotspotQuery) complete() error {
	if len(q.By) == 0 {
		q.By = []Dimension{ByRegion}
	}
	for _, d := range q.By {
		if d != ByRegion && d != ByCategory {
			return invalid("By", "hotspots cannot be split by %s; give REGION, or REGION and CATEGORY", d)
		}
	}
	if !slices.Contains(q.By, ByRegion) {
		return invalid("By", "hotspots compare regions; add REGION")
	}
	if q.RegionLevel == "" {
		q.RegionLevel = defaultHotspotLevel
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return invalid("To", "%s does not lie after From %s; give a window of some length", q.To.Format(time.RFC3339), q.From.Format(time.RFC3339))
	}
	return nil
}

// span is a window of origins [from, to).
type span struct{ from, to time.Time }

// years is the length in calendar years, so that every whole year counts as 1.
func (w span) years(in *time.Location) float64 {
	return max(0, stats.Years(w.from.In(in), w.to.In(in)))
}

// hotspotWindow settles the window: as asked, within OriginFrom and OriginTo, and not beyond what was observed at as-of. Open ends
// are those of the data, whatever the filter, so that a region without issues is not observed for less time. The window becomes
// the filter of the scope.
func (s *scope) hotspotWindow(t *Table, data span, from, to time.Time) span {
	if data.to.IsZero() {
		return span{}
	}
	w := span{from: from, to: to}
	if from.IsZero() {
		w.from = data.from
	}
	if to.IsZero() {
		w.to = data.to
	}
	if s.Where.OriginFrom != nil && s.Where.OriginFrom.After(w.from) {
		w.from = *s.Where.OriginFrom
	}
	if s.Where.OriginTo != nil && s.Where.OriginTo.Before(w.to) {
		w.to = *s.Where.OriginTo
	}
	if w.to.After(s.asOf) {
		w.to = s.asOf.Add(time.Microsecond)
		t.Notes = append(t.Notes, "the window ends at as-of: nothing is known beyond")
	}
	s.Where.OriginFrom, s.Where.OriginTo = &w.from, &w.to
	t.Notes = append(t.Notes, fmt.Sprintf("window %s to %s (%s)", w.from.In(s.location).Format(time.RFC3339), w.to.In(s.location).Format(time.RFC3339), s.Timezone))
	return w
}

// lastSeen is when the answer of a measure of the latest weeks ends: as asked, and not beyond what was observed. Weeks after the last look at imported
// messages would otherwise be weeks without any.
func (m *Measures) lastSeen(ctx context.Context, s *scope, t *Table, to *time.Time) (end time.Time, err error) {
	end = s.asOf
	if to != nil && to.Before(end) {
		end = *to
	}
	data, err := m.dataExtent(ctx, s)
	if err == nil && !data.to.IsZero() && data.to.Before(end) {
		end = data.to
		t.Notes = append(t.Notes, "nothing is observed after "+end.In(s.location).Format(time.RFC3339)+": the weeks end there")
	}
	return end, err
}

// extreme is SQL of the least or greatest moment of weighted rows: of those of the extreme day, the ones that are left. It reads the
// rows twice.
func extreme(function, column, rows string) string {
	day := "SELECT " + function + "(day) FROM (SELECT toDate32(" + column + ") AS day FROM (" + rows + ") GROUP BY day HAVING sum(w) > 0)"
	return "assumeNotNull((SELECT " + function + "(moment) FROM (SELECT " + column + " AS moment FROM (" + rows + ") WHERE toDate32(" + column + ") = (" + day + ") GROUP BY moment HAVING sum(w) > 0)))"
}

// hotspotCell is the issues of one region, or of one category in it.
type hotspotCell struct {
	key             cellKey
	region          string
	category        string
	issues, repeats int64
	shrunk          *stats.AreaRate // nil without a population
	rank            int             // 0 = none
}

// hotspotCells counts the issues, and adds the regions that have people but no issues: they too say how common issues are.
func (m *Measures) hotspotCells(ctx context.Context, s *scope, t *Table, areas map[string]float64, window span, data extent) (map[cellKey]*hotspotCell, error) {
	cells := map[cellKey]*hotspotCell{}
	if window.to.IsZero() {
		return cells, nil
	}
	region := slices.Index(s.By, ByRegion)
	category := slices.Index(s.By, ByCategory)
	named := func(k cellKey) *hotspotCell {
		if cells[k] == nil {
			cells[k] = &hotspotCell{key: k, region: k[region]}
			if category >= 0 {
				cells[k].category = k[category]
			}
		}
		return cells[k]
	}
	if err := m.countHotspots(ctx, s, t, region, data, named); err != nil {
		return nil, err
	}
	categories := map[string]bool{}
	for _, c := range cells {
		categories[c.category] = true
	}
	if category < 0 {
		categories[""] = true
	}
	for code := range areas {
		for id := range categories {
			var k cellKey
			k[region] = code
			if category >= 0 {
				k[category] = id
			}
			named(k)
		}
	}
	return cells, nil
}

func (m *Measures) countHotspots(ctx context.Context, s *scope, t *Table, region int, data extent, named func(cellKey) *hotspotCell) error {
	type part struct {
		key    cellKey
		merged uint8
	}
	type sums struct{ n, repeats int64 }
	found := map[part]sums{}
	targets, key := s.scanKeys()
	var of part
	var more sums
	targets = append(targets, &of.merged, &more.n, &more.repeats)
	for _, rows := range s.issuesByPlace(data) {
		counts := s.byCell(&builder{}, rows, nil, "merged, toInt64(sum(w)), toInt64(sum(repeats))", "merged")
		if err := m.each(ctx, "count issues by region", counts, func(scan func(...any) error) error {
			err := scan(targets...)
			of.key = key()
			found[of] = sums{found[of].n + more.n, found[of].repeats + more.repeats}
			return err
		}); err != nil {
			return err
		}
	}
	for of, all := range found {
		switch {
		case all.n == 0 && all.repeats == 0: // came and went again
		case of.merged == 1:
			t.exclude("merged", all.n)
		case of.key[region] == "":
			t.exclude("regionUnknown", all.n)
		default:
			c := named(of.key)
			c.issues, c.repeats = all.n, all.repeats
		}
	}
	return nil
}

func (m *Measures) fillHotspots(ctx context.Context, r *rates) error {
	const unit = "issues per 1,000 person-years"
	c := newColumns(r.t, []Num{
		plain("issues", "issues"), plain("repeats", "opinions"), plain("personYears", "person-years"),
		plain("rawRate", unit), ranged("rate", unit), plain("weight", "share"), plain("rank", "rank"), ranged("localRate", unit),
	})
	local, err := r.localRates(r.around)
	if err != nil {
		return err
	}
	cells, err := arrange(ctx, m, r.s, r.cells, r.t)
	if err != nil {
		return err
	}
	rows := map[*hotspotCell]int{}
	for row, cell := range cells {
		rows[cell] = row
		c.hotspot(cell)
		if rate, has := local[cell]; has {
			c.estimate("localRate", rate.Estimate, perPersons)
		} else {
			c.missing("localRate")
		}
	}
	r.dependOn(cells, rows, r.around, "localRate")
	return nil
}

func (c *columns) hotspot(cell *hotspotCell) {
	c.number("issues", float64(cell.issues))
	c.number("repeats", float64(cell.repeats))
	if r := cell.shrunk; r == nil {
		c.missing("personYears", "rawRate", "rate", "weight")
	} else {
		c.number("personYears", r.PersonYears)
		c.number("rawRate", r.Raw*perPersons)
		c.estimate("rate", r.Estimate, perPersons)
		c.number("weight", r.Weight)
	}
	if cell.rank > 0 {
		c.number("rank", float64(cell.rank))
	} else {
		c.missing("rank")
	}
	c.table.N = append(c.table.N, cell.issues)
	c.table.flag(map[string]bool{"unstable": cell.issues < stats.UnstableBelow, "noPopulation": cell.shrunk == nil})
}

// shrinkByCategory shrinks the rates of each category over the regions.
func shrinkByCategory(t *Table, cells map[cellKey]*hotspotCell, areas map[string]float64) error {
	byCategory := map[string][]*hotspotCell{}
	unknown := map[string]bool{}
	for _, c := range cells {
		if areas[c.region] > 0 {
			byCategory[c.category] = append(byCategory[c.category], c)
		} else {
			unknown[c.region] = true
		}
	}
	silent := 0
	for _, group := range byCategory {
		signal, err := shrinkRates(group, areas)
		if err != nil {
			return err
		}
		if !signal {
			silent++
		}
	}
	t.noteHotspots(len(byCategory), silent, len(unknown))
	return nil
}

func (t *Table) noteHotspots(groups, silent, unknown int) {
	switch {
	case groups == 0 && unknown == 0:
		t.Notes = append(t.Notes, "not computable: no issue here has a known region of the level, and no region of it a known population")
	case groups == 0 && unknown > 0:
		t.Notes = append(t.Notes, "no region has a known population, so there are no rates: load some by `groundwork import populations FILE`")
	case unknown > 0:
		t.Notes = append(t.Notes, fmt.Sprintf("%d regions have issues but no known population, and so no rate: load theirs by `groundwork import populations FILE`", unknown))
	}
	switch {
	case silent == 0:
	case groups == 1:
		t.Notes = append(t.Notes, "no between-area signal: the regions differ no more than chance explains, so each has the overall rate and none has a rank")
	default:
		t.Notes = append(t.Notes, fmt.Sprintf("no between-area signal in %d of %d categories: there each region has the overall rate and none has a rank", silent, groups))
	}
}

// shrinkRates fills in the rates of one category and their ranks; equal rates share the lower number.
func shrinkRates(cells []*hotspotCell, areas map[string]float64) (signal bool, err error) {
	slices.SortFunc(cells, func(a, b *hotspotCell) int { return cmp.Compare(a.region, b.region) }) // sums must not depend on order
	input := make([]stats.Area, len(cells))
	for i, c := range cells {
		input[i] = stats.Area{Code: c.region, Issues: float64(c.issues), PersonYears: areas[c.region]}
	}
	shrunk, err := stats.Shrink(input)
	if err != nil {
		return false, err
	}
	for i, c := range cells {
		c.shrunk = &shrunk.Areas[i]
	}
	if shrunk.NoSignal {
		return false, nil
	}
	slices.SortStableFunc(cells, func(a, b *hotspotCell) int { return cmp.Compare(b.shrunk.Value, a.shrunk.Value) })
	for i, c := range cells {
		c.rank = i + 1
		if i > 0 && c.shrunk.Value == cells[i-1].shrunk.Value {
			c.rank = cells[i-1].rank
		}
	}
	return true, nil
}
