package warehouse

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gonum.org/v1/gonum/floats"

	"groundwork/warehouse/stats"
)

// ByCampaign tells campaigns apart.
const ByCampaign Dimension = "CAMPAIGN"

// When the effect of a campaign can be judged, over how many months after it, and against how many regions at least, where there are so many.
const (
	daysAfterExit   = 90
	monthsAfterExit = 12
	matchedAtLeast  = stats.MinClusters
)

// campaign is one that is over, with the regions that it chose and those it named for comparison.
type campaign struct {
	id, category, level      string
	selected, started, ended time.Time
	treated, compared        map[string]bool
}

// campaignCell is what is said of a campaign.
type campaignCell struct {
	n          int64
	effect     *policyEffect
	regression float64 // what the rates of the chosen regions would do by themselves
	controls   int
}

// CampaignEffect is P2, by campaign: effect (issues per 1,000 person-years in the months after it, less those that were to be expected without it),
// regressionToMean (what the rates of regions so extreme do by themselves), effectCompared (against the regions frozen at selection), treated, controls
// (regions), months (after it). Flags descriptive and preTrend. n = issues in the regions treated.
func (m *Measures) CampaignEffect(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.beginEffect(ctx, q, "P2")
	if err != nil {
		return nil, err
	}
	campaigns, err := m.campaigns(ctx, s)
	if err != nil {
		return nil, err
	}
	cells := map[cellKey]*campaignCell{}
	for _, c := range campaigns {
		if err := m.judgeCampaign(ctx, s, t, c, campaigns, cells); err != nil {
			return nil, err
		}
	}
	s.By = []Dimension{ByCampaign}
	const unit = "issues per 1,000 person-years"
	c := newColumns(t, []Num{ranged("effect", unit), plain("regressionToMean", unit), ranged("effectCompared", unit), plain("treated", "regions"), plain("controls", "regions"), plain("months", "months")})
	found, err := arrange(ctx, m, s, cells, t)
	if err != nil {
		return nil, err
	}
	for _, cell := range found {
		e := cell.effect
		c.estimate("effect", e.all.Overall, perPersons)
		c.number("regressionToMean", cell.regression*perPersons)
		if e.apart == nil {
			c.missing("effectCompared")
		} else {
			c.estimate("effectCompared", e.apart.Overall, perPersons)
		}
		c.number("treated", float64(e.all.Treated))
		c.number("controls", float64(cell.controls))
		c.number("months", float64(e.months))
		c.end(cell.n, map[string]bool{"descriptive": e.all.Descriptive, "preTrend": e.preTrend})
	}
	t.noteNothing(len(campaigns), "not computable: no campaign was selected")
	s.ownUnits(t)
	return t, nil
}

// campaigns reads those that were selected by as-of; the moments of what came later are unknown.
func (m *Measures) campaigns(ctx context.Context, s *scope) ([]*campaign, error) {
	text := statement{text: `SELECT toString(c.id), ifNull(toString(c.category_id), ''), assumeNotNull(c.selected_at), ifNull(c.started_at, toDateTime64(0, 6, 'UTC')), ifNull(c.ended_at, toDateTime64(0, 6, 'UTC')), toString(a.role), r.code, toString(r.level)
		FROM (SELECT * FROM f_campaign FINAL WHERE _deleted = 0 AND selected_at <= fromUnixTimestamp64Micro({as_of:Int64}, 'UTC')) AS c
		INNER JOIN (SELECT * FROM f_campaign_region FINAL WHERE _deleted = 0) AS a ON a.campaign_id = c.id
		INNER JOIN (SELECT id, code, level FROM d_region FINAL WHERE _deleted = 0) AS r ON r.id = a.region_id
		ORDER BY c.selected_at, c.id, r.code`}.with("as_of", s.asOf.UnixMicro())
	var all []*campaign
	err := m.each(ctx, "read campaigns", text, func(scan func(...any) error) error {
		var id, category, role, code, level string
		var selected, started, ended time.Time
		if err := scan(&id, &category, &selected, &started, &ended, &role, &code, &level); err != nil {
			return err
		}
		if len(all) == 0 || all[len(all)-1].id != id {
			all = append(all, &campaign{id: id, category: category, level: level, selected: selected, started: settled(started, s.asOf), ended: settled(ended, s.asOf), treated: map[string]bool{}, compared: map[string]bool{}})
		}
		c := all[len(all)-1]
		if role == "TREATED" {
			c.treated[code] = true
		} else {
			c.compared[code] = true
		}
		if c.level != level {
			c.level = ""
		}
		return nil
	})
	if len(all) > maxPolicies {
		return nil, invalid("By", "%d campaigns are too many for one answer; ask as of an earlier moment", len(all))
	}
	return all, err
}

// settled is zero for a moment that is none, or lies after as-of.
func settled(t, asOf time.Time) time.Time {
	if t.Unix() == 0 || t.After(asOf) {
		return time.Time{}
	}
	return t
}

// judgeCampaign estimates the effect of a campaign, or notes why that cannot be.
func (m *Measures) judgeCampaign(ctx context.Context, s *scope, t *Table, c *campaign, all []*campaign, cells map[cellKey]*campaignCell) error {
	because := func(format string, args ...any) error {
		t.Notes = append(t.Notes, "campaign "+c.id+": not computable: "+fmt.Sprintf(format, args...))
		return nil
	}
	switch {
	case c.level == "":
		return because("its regions are of different levels, which cannot be compared with one kind of region")
	case c.started.IsZero():
		return because("it has not begun")
	case c.ended.IsZero() || s.asOf.Before(c.ended.AddDate(0, 0, daysAfterExit)):
		return because("it has not been over for %d days", daysAfterExit)
	}
	of, err := m.campaignScope(ctx, s, c)
	if err != nil {
		return err
	}
	since := c.selected
	if s.version < 3 {
		since = c.started
	}
	before, err := m.ratesBefore(ctx, of, since)
	if err != nil {
		return err
	}
	window := int(c.ended.Sub(c.started).Hours()/24) + 31*monthsAfterExit
	change := &policyChange{id: c.id, measure: "H1", window: window, regions: map[string]time.Time{}, level: c.level}
	for code := range c.treated {
		change.regions[code] = c.started.In(s.location)
	}
	p, err := m.policyPanel(ctx, of, change)
	if err != nil {
		return err
	}
	if monthsBetween(p.first, monthOf(c.started.In(s.location))) < 1 {
		return because("there is no whole month with data before it")
	}
	after := p.skip(c.started.In(s.location), c.ended.In(s.location))
	if after < 1 {
		return because("no whole month after it is over")
	}
	frozen := p.keep(func(code string) bool { return c.treated[code] || c.compared[code] })
	controls := c.matched(before, all)
	matched := p.keep(func(code string) bool { return c.treated[code] || controls[code] })
	if reason := matched.lacks(); reason != "" {
		return because("%s", reason)
	}
	var others []stats.Panel
	if len(frozen.panels) > len(c.treated) {
		others = frozen.panels
	}
	e, err := matched.effect(t, s, c.id, 0, after, others)
	if err != nil {
		return err
	}
	if e != nil && s.version >= 3 {
		if e.all, err = matched.againstExpected(before, after); err != nil {
			return err
		}
		if !e.all.Overall.Known {
			return because("the regions to compare with had no issues in the year before")
		}
		if e.apart != nil {
			if e.apart, err = frozen.againstExpected(before, after); err != nil {
				return err
			}
		}
	}
	if e == nil {
		return because("no month after it has both its regions and others to compare with, and months before")
	}
	cells[cellKey{c.id}] = &campaignCell{n: matched.issues(func(int) bool { return true }), effect: e, regression: c.regression(before), controls: e.all.Controls}
	return nil
}

// campaignScope looks at the issues of the campaign's matter.
func (m *Measures) campaignScope(ctx context.Context, s *scope, c *campaign) (*scope, error) {
	of := *s
	of.RegionLevel = c.level
	if c.category == "" {
		return &of, nil
	}
	of.Where.Categories = []string{c.category}
	var err error
	of.categories, err = m.categoriesBelow(ctx, of.Where.Categories)
	return &of, err
}

// ratesBefore are the shrunk rates of the regions in the 12 months before a moment, as far as there are data, by code.
func (m *Measures) ratesBefore(ctx context.Context, of *scope, moment time.Time) (map[string]*stats.AreaRate, error) {
	q := of.Query
	q.By, q.Protect, q.Where.Regions = []Dimension{ByRegion}, false, nil
	from := moment.AddDate(0, -monthsBefore, 0)
	if of.version >= 3 {
		data, err := m.dataExtent(ctx, of)
		if err != nil {
			return nil, err
		}
		from = maxTime(from, minTime(data.from, moment.Add(-time.Microsecond)))
	}
	r, err := m.rates(ctx, HotspotQuery{Query: q, From: from, To: moment}, "H1")
	if err != nil {
		return nil, err
	}
	rates := map[string]*stats.AreaRate{}
	for _, cell := range r.cells {
		if cell.shrunk != nil {
			rates[cell.region] = cell.shrunk
		}
	}
	return rates, nil
}

// matched are the regions to compare with: of those that no campaign on the same matter chose, the ones whose rate before was nearest to that of a region
// chosen, one for each in turn, until there are as many and at least 8.
func (c *campaign) matched(before map[string]*stats.AreaRate, all []*campaign) map[string]bool {
	taken := map[string]bool{}
	for _, other := range all {
		if other.category == c.category || other.category == "" || c.category == "" {
			for code := range other.treated {
				taken[code] = true
			}
		}
	}
	rates, controls := map[string]float64{}, map[string]bool{}
	for code, rate := range before {
		rates[code] = rate.Value
	}
	for _, code := range stats.NearestRates(rates, sortedCodes(c.treated), taken, matchedAtLeast) {
		controls[code] = true
	}
	return controls
}

// againstExpected is the effect of a campaign whose regions were chosen by what their rates before are made of, over the last months of the panel. Regions without a known
// rate before are left out. Until version 3 of P2 the month before the campaign began was compared, in which the chosen regions are as extreme by chance as in all that
// they were chosen by.
func (p *policyPanel) againstExpected(before map[string]*stats.AreaRate, months int) (*stats.Effect, error) {
	var regions []stats.BeforeAfter
	for _, panel := range p.panels {
		if rate := before[panel.Code]; rate != nil {
			after := panel.Outcome[len(panel.Outcome)-months:]
			regions = append(regions, stats.BeforeAfter{Code: panel.Code, Treated: panel.Treated >= 0, Before: rate.Value, After: floats.Sum(after) / float64(months), Weight: panel.Weight})
		}
	}
	return stats.ExpectedEffect(regions)
}

// regression is how the rate of the chosen regions would change by itself, −(1−w)(r−μ), weighted by people.
func (c *campaign) regression(before map[string]*stats.AreaRate) float64 {
	var change, people float64
	for _, code := range sortedCodes(c.treated) {
		if rate := before[code]; rate != nil {
			change += rate.PersonYears * (rate.Value - rate.Raw)
			people += rate.PersonYears
		}
	}
	return change / people
}

// skip leaves out the months from that of begin to that of end, in which more is reported because more is asked, and says how many are left after them.
func (p *policyPanel) skip(begin, end time.Time) (after int) {
	from, to := max(0, monthsBetween(p.first, monthOf(begin))), monthsBetween(p.first, monthOf(end))+1
	to = min(to, p.months())
	for i := range p.panels {
		p.panels[i].Outcome = slices.Delete(slices.Clone(p.panels[i].Outcome), from, to)
		p.counts[i] = slices.Delete(slices.Clone(p.counts[i]), from, to)
	}
	after = p.months() - to
	p.last = p.last.AddDate(0, from-to, 0)
	return after
}

// keep is the panel of some regions.
func (p *policyPanel) keep(wanted func(code string) bool) *policyPanel {
	kept := *p
	kept.panels, kept.counts = nil, nil
	for i, panel := range p.panels {
		if wanted(panel.Code) {
			kept.panels, kept.counts = append(kept.panels, panel), append(kept.counts, p.counts[i])
		}
	}
	return &kept
}
