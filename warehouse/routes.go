package warehouse

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"groundwork/warehouse/stats"
)

// routeMonths is how long a route is looked at.
const routeMonths = 12

// route is a cell of F6: the eligible sites by region, each with its visits by month.
type route struct {
	n      int64
	homes  map[string]map[string]*[routeMonths]float64 // region of the site, site
	leads  map[string]bool                             // posts that led the visits
	asked  map[string]map[string]int                   // visits that had to go to a site of a kind, by region and kind
	pooled bool                                        // visits may go to any site, wherever it lies
	beside map[string]int                              // of a pool, the sites of each kind without a visit, which homes has not
}

// eligibleSite is the region and the kind of a site.
type eligibleSite struct{ home, kind string }

func (r *route) site(home, id string) *[routeMonths]float64 {
	if r.homes == nil {
		r.homes = map[string]map[string]*[routeMonths]float64{}
	}
	if r.homes[home] == nil {
		r.homes[home] = map[string]*[routeMonths]float64{}
	}
	if r.homes[home][id] == nil {
		r.homes[home][id] = &[routeMonths]float64{}
	}
	return r.homes[home][id]
}

// ShowcaseRoutes is F6, over the 12 months before the end of the window (as-of, if it has none). Numbers: effectiveShare (effective sites of the
// eligible ones), effectiveSites, chanceSites (what chance gives, with the middle 95 % of it), eligibleSites, top5Share, siteMonthP95 (visits that a
// site received in a month, 95th percentile over eligible sites and months), p, q. Flag showcase. n = visits to eligible sites.
func (m *Measures) ShowcaseRoutes(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "F6")
	if err != nil {
		return nil, err
	}
	t.Flags["showcase"] = []bool{}
	end := s.asOf
	if s.to != nil && s.to.Before(end) {
		end = *s.to
	}
	begin := end.AddDate(0, -routeMonths, 0)
	s.from, s.to = &begin, &end
	found, eligible, err := m.routes(ctx, s, t)
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{plain("effectiveShare", "ratio"), plain("effectiveSites", "sites"), ranged("chanceSites", "sites"), plain("eligibleSites", "sites"),
		ranged("top5Share", "share"), plain("siteMonthP95", "visits"), plain("p", "probability"), plain("q", "probability")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	tested, p := make([]bool, len(cells)), []float64{}
	for row, cell := range cells {
		visits, deals := cell.deals(eligible)
		of, err := stats.Concentrate(visits, deals, s.dealings(), seed("F6 "+strings.Join(t.keys(row), " "), t.DefinitionVersion, span{begin, end}))
		if err != nil {
			return nil, err
		}
		sites := float64(cell.sites())
		c.number("effectiveSites", of.Effective)
		c.number("effectiveShare", of.Effective/sites)
		c.estimate("chanceSites", of.Chance, 1)
		c.number("eligibleSites", sites)
		if err := c.share("top5Share", of.Top5, float64(cell.n)); err != nil {
			return nil, err
		}
		c.number("siteMonthP95", cell.crowding(0.95))
		if tested[row] = cell.n >= s.fewestOnRoute(); tested[row] {
			c.number("p", of.P)
			p = append(p, of.P)
		} else {
			c.missing("p")
		}
	}
	if err := c.adjusted(tested, p, func(row int, low bool) { c.end(cells[row].n, map[string]bool{"showcase": low}) }); err != nil {
		return nil, err
	}
	if len(cells) == 0 {
		t.Notes = append(t.Notes, "not computable: no visit was held here at an eligible site in the 12 months")
	}
	s.ownUnits(t)
	return t, nil
}

// byLead reports whether cells are of units or posts, which go where they choose to.
func (s *scope) byLead() bool { return s.ofUnits() || s.ofPosts() }

// fewestOnRoute is the number of visits below which nothing is tested: a post goes down once a month.
func (s *scope) fewestOnRoute() int64 {
	if s.version >= 2 && s.byLead() {
		return fewestOfAPerson
	}
	return stats.MinBunching
}

// dealings is how often the visits are dealt out. Units and posts are tested by the hundred: adjusted for that, the least p of 999 would be a finding of none.
func (s *scope) dealings() int {
	if s.version >= 2 && s.byLead() {
		return 9_999
	}
	return resamples
}

// routes counts the visits to eligible sites by cell, site and month, and adds the eligible sites that nobody visited: of the cell's region, or where
// cells are units or posts, of the regions that their units serve with everything below, among all of which they choose. Until version 2, and where that is not known, of the regions
// in which they visit. Since version 3 a visit that fulfilled a turn for sites of one kind had to go to such a site. It tells the eligible sites, too.
func (m *Measures) routes(ctx context.Context, s *scope, t *Table) (map[cellKey]*route, map[string]eligibleSite, error) {
	visits, err := s.visitRows()
	if err != nil {
		return nil, nil, err
	}
	sites := s.siteRows(visits.text, visits.values)
	eligible := map[string]eligibleSite{}
	unvisited := map[cellKey]*route{}
	byPost := s.byLead()
	targets, key := s.scanKeys()
	listed := *s
	if byPost {
		listed.By = nil
		targets, key = listed.scanKeys()
	}
	var home, site, kind string
	all := &route{}
	err = m.each(ctx, "list eligible sites", listed.byCell(&builder{}, sites, nil, "toString(home) AS of, toString(id) AS site, toString(kind) AS of_kind", "home", "id", "kind"), func(scan func(...any) error) error {
		if err := scan(append(targets, &home, &site, &kind)...); err != nil {
			return err
		}
		k := key()
		if unvisited[k] == nil {
			unvisited[k] = &route{}
		}
		unvisited[k].site(home, site)
		all.site(home, site)
		eligible[site] = eligibleSite{home, kind}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	rows := visits.with("route_from", s.from.UnixMicro())
	turns, asked := "", "''"
	if s.version >= 3 {
		turns, asked = " LEFT ANY JOIN ("+turnsOfKinds+") AS turn ON turn.of_visit = v.id AND turn.of_post = v.lead_id", "turn.kind"
	}
	rows.text = fmt.Sprintf("SELECT v.*, %s AS asked, least(toUInt8(%d), toUInt8(age('month', fromUnixTimestamp64Micro({route_from:Int64}, 'UTC'), v.anchor_at))) AS month FROM (%s) AS v%s", asked, routeMonths-1, rows.text, turns)
	targets, key = s.scanKeys()
	var month uint8
	var n int64
	var lead string
	found := map[cellKey]*route{}
	err = m.each(ctx, "count visits of sites", s.group(rows, "toString(site_id) AS site, month, toString(lead_id) AS lead, asked, toInt64(count())", "site_id", "month", "lead_id", "asked"), func(scan func(...any) error) error {
		if err := scan(append(targets, &site, &month, &lead, &kind, &n)...); err != nil {
			return err
		}
		at, has := eligible[site]
		if !has {
			t.exclude("siteNotEligible", n)
			return nil
		}
		k := key()
		if found[k] == nil {
			found[k] = &route{leads: map[string]bool{}, asked: map[string]map[string]int{}}
		}
		found[k].n += n
		found[k].leads[lead] = true
		found[k].site(at.home, site)[month] += float64(n)
		if kind == at.kind {
			if found[k].asked[at.home] == nil {
				found[k].asked[at.home] = map[string]int{}
			}
			found[k].asked[at.home][kind] += int(n)
		}
		return nil
	})
	if err == nil && byPost && s.version >= 2 && !s.split(ByRegion) {
		err = m.pool(ctx, found, all, eligible)
	}
	for k, cell := range found {
		if cell.pooled {
			continue
		}
		for home, sites := range all.homes {
			if byPost && cell.homes[home] == nil || !byPost && (unvisited[k] == nil || unvisited[k].homes[home] == nil) {
				continue
			}
			for id := range sites {
				cell.site(home, id)
			}
		}
	}
	return found, eligible, err
}

// turnsOfKinds are the turns that were fulfilled by a visit and ask for sites of one kind.
const turnsOfKinds = `SELECT assumeNotNull(visit_id) AS of_visit, post_id AS of_post, min(toString(assumeNotNull(site_kind))) AS kind
	FROM f_slot FINAL WHERE _deleted = 0 AND visit_id IS NOT NULL AND site_kind IS NOT NULL GROUP BY of_visit, of_post SETTINGS max_rows_to_group_by = 0`

// pool has cells choose among all sites of the regions that the units of those who led visits serve.
func (m *Measures) pool(ctx context.Context, found map[cellKey]*route, all *route, eligible map[string]eligibleSite) error {
	var id, text string
	paths, serves := map[string][]string{}, map[string]string{} // of regions, the codes of those above; of posts, the code of the region
	err := m.each(ctx, "read regions", statement{text: "SELECT toString(id), path FROM d_region FINAL WHERE _deleted = 0"}, func(scan func(...any) error) error {
		err := scan(&id, &text)
		paths[id] = strings.Split(text, ".")
		return err
	})
	if err != nil {
		return err
	}
	err = m.each(ctx, "read regions of posts", statement{text: `SELECT toString(p.id), r.code FROM (SELECT id, org_unit_id FROM d_post_holding FINAL WHERE _deleted = 0) AS p
		INNER JOIN (SELECT id, region_id FROM d_org_unit FINAL WHERE _deleted = 0 AND region_id IS NOT NULL) AS u ON u.id = p.org_unit_id
		INNER JOIN (SELECT id, code FROM d_region FINAL WHERE _deleted = 0) AS r ON r.id = assumeNotNull(u.region_id)`}, func(scan func(...any) error) error {
		err := scan(&id, &text)
		serves[id] = text
		return err
	})
	if err != nil {
		return err
	}
	below := map[string][]string{} // regions of sites, by the code of each above them
	for home := range all.homes {
		for _, code := range paths[home] {
			below[code] = append(below[code], home)
		}
	}
	for _, cell := range found {
		grounds := map[string]bool{}
		for lead := range cell.leads {
			for _, home := range below[serves[lead]] {
				grounds[home] = true
			}
		}
		cell.pooled, cell.beside = len(grounds) > 0, map[string]int{}
		for home := range grounds {
			for id := range all.homes[home] {
				if cell.homes[home][id] == nil {
					cell.beside[eligible[id].kind]++
				}
			}
		}
	}
	return nil
}

// deals are the visits by site, in a fixed order, and which of them might have gone where: to any site of the region, or of the pool, and those for a kind to any of that kind.
func (r *route) deals(of map[string]eligibleSite) (visits []float64, deals []stats.Deal) {
	grounds := [][]string{sortedCodes(r.homes)} // regions among whose sites visits choose
	if !r.pooled {
		grounds = slices.Collect(slices.Chunk(grounds[0], 1))
	}
	for _, homes := range grounds {
		byKind, asked := map[string][]float64{}, map[string]int{}
		for kind, n := range r.beside {
			byKind[kind] = make([]float64, n)
		}
		free := stats.Deal{From: len(visits)}
		for _, home := range homes {
			for _, id := range sortedCodes(r.homes[home]) {
				var n float64
				for _, month := range r.homes[home][id] {
					n += month
				}
				byKind[of[id].kind] = append(byKind[of[id].kind], n)
				free.Visits += int(n)
			}
			for kind, n := range r.asked[home] {
				asked[kind] += n
			}
		}
		for _, kind := range sortedCodes(byKind) {
			bound := stats.Deal{Visits: asked[kind], From: len(visits), To: len(visits) + len(byKind[kind])}
			if visits = append(visits, byKind[kind]...); bound.Visits > 0 {
				deals = append(deals, bound)
				free.Visits -= bound.Visits
			}
		}
		if free.To = len(visits); free.Visits > 0 {
			deals = append(deals, free)
		}
	}
	return visits, deals
}

// idle is how many sites of a pool nobody visited.
func (r *route) idle() (n int) {
	for _, sites := range r.beside {
		n += sites
	}
	return n
}

func (r *route) sites() (n int) {
	for _, sites := range r.homes {
		n += len(sites)
	}
	return n + r.idle()
}

// crowding is the quantile of visits over sites and months: the least number that so many of them do not exceed.
func (r *route) crowding(p float64) float64 {
	var all []float64
	for _, sites := range r.homes {
		for _, months := range sites {
			all = append(all, months[:]...)
		}
	}
	all = append(all, make([]float64, r.idle()*routeMonths)...)
	slices.Sort(all)
	return all[int(math.Ceil(float64(len(all))*p-1e-9))-1]
}

// keys are the values of a row's dimensions.
func (t *Table) keys(row int) []string {
	keys := make([]string, len(t.Dims))
	for d, dim := range t.Dims {
		keys[d] = dim.Keys[row].ID
	}
	return keys
}
