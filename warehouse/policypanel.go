package warehouse

import (
	"context"
	"math"
	"slices"
	"time"

	"groundwork/warehouse/stats"
)

// policyPanel is the outcome of regions by month.
type policyPanel struct {
	panels      []stats.Panel
	already     int       // regions left out: they were under the policy before anything is known of them
	counts      [][]int64 // issues, as the panels
	first, last time.Time // months, the last one excluded
	scale       float64
}

func (p *policyPanel) months() int { return monthsBetween(p.first, p.last) }

func monthsBetween(a, b time.Time) int {
	return (b.Year()-a.Year())*12 + int(b.Month()) - int(a.Month())
}

func monthOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, t.Location())
}

// issues of the treated regions in the months that lie so far from their first.
func (p *policyPanel) issues(when func(relative int) bool) (n int64) {
	for i, panel := range p.panels {
		if panel.Treated < 0 {
			continue
		}
		for month, count := range p.counts[i] {
			if when(month - panel.Treated) {
				n += count
			}
		}
	}
	return n
}

// lacks says what is missing for an estimate.
func (p *policyPanel) lacks() string {
	treated, controls := 0, 0
	for _, panel := range p.panels {
		if panel.Treated >= 0 {
			treated++
		} else {
			controls++
		}
	}
	switch {
	case p.months() < 2:
		return "there are no two whole months with data around its beginning"
	case treated == 0:
		return "no region in which it took effect has both a known population and a month with data before"
	case controls == 0 && treated < 2:
		return "there is no region without it to compare with"
	}
	return ""
}

// apart leaves out controls that touch a treated region: the effect may spill over.
func (p *policyPanel) apart(around *surroundings) []stats.Panel {
	treated := map[string]bool{}
	for _, panel := range p.panels {
		treated[panel.Code] = panel.Treated >= 0
	}
	return slices.DeleteFunc(slices.Clone(p.panels), func(panel stats.Panel) bool {
		return panel.Treated < 0 && slices.ContainsFunc(around.near[panel.Code], func(code string) bool { return treated[code] })
	})
}

// policyPanel counts by region and month, from a year before the first region came under the policy until the end of its registered window, as far as
// months are over (and, for shares within 60 days, 60 days older).
func (m *Measures) policyPanel(ctx context.Context, s *scope, change *policyChange) (*policyPanel, error) {
	first, last := s.asOf.In(s.location), time.Time{}
	for _, day := range change.regions {
		first, last = minTime(first, day), maxTime(last, day)
	}
	seen := s.asOf.In(s.location)
	if change.measure == "T2" {
		seen = seen.AddDate(0, 0, -equityDays)
	}
	p := &policyPanel{first: monthOf(first).AddDate(0, -monthsBefore, 0), last: monthOf(minTime(seen, last.AddDate(0, 0, change.window).AddDate(0, 1, 0))), scale: 1}
	monthly := *s
	monthly.By, monthly.RegionLevel, monthly.Limit = []Dimension{ByRegion, ByMonth}, change.level, maxProtected
	begin := p.first
	monthly.Where.OriginFrom, monthly.Where.OriginTo = &begin, &p.last
	if p.months() < 2 {
		return p, nil
	}
	since, err := m.dataBegins(ctx, &monthly)
	if err != nil {
		return nil, err
	}
	if since.After(p.first) { // a month before the data is not one without issues
		p.first = monthOf(since.In(s.location))
		if since.In(s.location).After(p.first) {
			p.first = p.first.AddDate(0, 1, 0)
		}
	}
	if p.months() < 2 {
		return p, nil
	}
	people, err := m.hotspotAreas(ctx, &monthly, span{p.first, p.last})
	if err != nil {
		return nil, err
	}
	outcome := m.monthlyRates
	if change.measure == "T2" {
		outcome = m.monthlyShares
	}
	values, counts, err := outcome(ctx, &monthly, p, people)
	if err != nil {
		return nil, err
	}
	for _, code := range sortedCodes(people) {
		panel := stats.Panel{Code: code, Outcome: values[code], Treated: -1, Weight: people[code]}
		if day, treated := change.regions[code]; treated {
			panel.Treated = monthsBetween(p.first, monthOf(day))
			if panel.Treated <= change.anticipation() { // no month to compare with; and it is no control either
				p.already++
				continue
			}
		}
		p.panels, p.counts = append(p.panels, panel), append(p.counts, counts[code])
	}
	return p, nil
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// dataBegins is the first origin that is known, whatever the filter but of regions.
func (m *Measures) dataBegins(ctx context.Context, s *scope) (since time.Time, err error) {
	whole := *s
	whole.By, whole.categories, whole.Where = nil, nil, Filter{Regions: s.Where.Regions}
	text := whole.spells()
	text.text = "SELECT min(origin_at) FROM (" + text.text + ")"
	err = m.each(ctx, "find when the data begin", text, func(scan func(...any) error) error { return scan(&since) })
	return since, err
}

// emptyMonths has a value for each month of each region.
func (p *policyPanel) emptyMonths(people map[string]float64, value float64) (values map[string][]float64, counts map[string][]int64) {
	values, counts = map[string][]float64{}, map[string][]int64{}
	for code := range people {
		counts[code] = make([]int64, p.months())
		for range p.months() {
			values[code] = append(values[code], value)
		}
	}
	return values, counts
}

// month is the place of a month, such as 2026-03, in the panel; known is false outside.
func (p *policyPanel) month(text string) (at int, known bool) {
	t, err := time.ParseInLocation("2006-01", text, p.first.Location())
	at = monthsBetween(p.first, t)
	return at, err == nil && at >= 0 && at < p.months()
}

// monthlyRates is H1 as it is, not shrunk: shrinking would draw treated regions and controls together.
func (m *Measures) monthlyRates(ctx context.Context, s *scope, p *policyPanel, people map[string]float64) (values map[string][]float64, counts map[string][]int64, err error) {
	rows := s.unmerged()
	found, err := m.tally(ctx, s, tally{rows: rows})
	if err != nil {
		return nil, nil, err
	}
	p.scale = perPersons
	values, counts = p.emptyMonths(people, 0)
	for key, cell := range found {
		if at, known := p.month(key[1]); known && counts[key[0]] != nil {
			counts[key[0]][at] = cell.n
		}
	}
	perMonth := float64(p.months())
	for code, months := range counts {
		for at, n := range months {
			values[code][at] = float64(n) / (people[code] / perMonth)
		}
	}
	return values, counts, nil
}

// monthlyShares is the share confirmed within 60 days of T2; a month without issues has none.
func (m *Measures) monthlyShares(ctx context.Context, s *scope, p *policyPanel, people map[string]float64) (values map[string][]float64, counts map[string][]int64, err error) {
	found, err := m.lifeTables(ctx, s, s.table(definition("T2")), confirmedWithin(equityDays), m.gridsOfShares)
	if err != nil {
		return nil, nil, err
	}
	values, counts = p.emptyMonths(people, math.NaN())
	for key, cell := range found {
		at, known := p.month(key[1])
		if !known || counts[key[0]] == nil || cell.n < fewestClosing || cell.withoutVerdicts() {
			continue
		}
		share, err := within(cell.rows)
		if err != nil {
			return nil, nil, err
		}
		if share.Known {
			values[key[0]][at], counts[key[0]][at] = share.Value, cell.n
		}
	}
	return values, counts, nil
}
