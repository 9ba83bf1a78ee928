package warehouse

import (
	"context"
	"fmt"

	"groundwork/warehouse/stats"
)

// visitRows has one row a visit that was held, of the regions of the scope, anchored at its end.
func (s *scope) visitRows() (statement, error) {
	if err := s.placesOnly("visits"); err != nil {
		return statement{}, err
	}
	b := &builder{}
	b.value("as_of", s.asOf.UnixMicro())
	b.write(`SELECT v.*, site.region_id AS region_id, site.kind AS site_kind`)
	if s.ofUnits() {
		b.write(", h.lead_unit_id AS lead_unit_id")
	}
	if s.split(ByRegion) {
		b.write(", ", s.regionPlace(b, "site"), " AS region_place")
	}
	b.write(` FROM (SELECT id, site_id, lead_id, activity_kind, citizens_met, note_created_at, note_unit_id, ifNull(ended_at, started_at) AS anchor_at, started_at, ended_at, state, drawn
			FROM f_visit FINAL WHERE _deleted = 0 AND state IN ('HELD', 'RECORDED', 'CLOSED_OUT') AND anchor_at <= `, asOf, `) AS v
		LEFT ANY JOIN (SELECT id AS site, toNullable(region_id) AS region_id, kind FROM d_site FINAL WHERE _deleted = 0) AS site ON v.site_id = site.site`)
	s.postUnit(b, "v.lead_id")
	and := " WHERE "
	switch {
	case len(s.Where.Regions) > 0:
		and = " AND "
		b.write(" WHERE site.region_id IN (SELECT id FROM d_region FINAL WHERE _deleted = 0 AND hasAny(splitByChar('.', path), {regions:Array(String)}))")
		b.value("regions", s.Where.Regions)
	case s.Where.RegionUnknown:
		and = " AND "
		b.write(" WHERE site.region_id IS NULL")
	}
	s.subjectFilter(b, and, "v.lead_id")
	return b.statement(), nil
}

// ownUnits makes Protect hide cells of few units, where units are not spoken by reporters.
func (s *scope) ownUnits(t *Table) {
	s.spokenBy(t, func(row int) int64 { return t.N[row] })
}

// traceDays is how long after a visit what it left must be there.
const traceDays = 14

// traces adds to rows of visits what was there of each within 14 days of its end, and whether these are over (ripe).
func traces(rows statement) statement {
	rows.text = fmt.Sprintf(`SELECT v.*, o.first_opinion != toDateTime64(0, 6, 'UTC') AND o.first_opinion <= addDays(v.anchor_at, %[1]d) AS voiced,
			p.first_answer != toDateTime64(0, 6, 'UTC') AND p.first_answer <= addDays(v.anchor_at, %[1]d) AS answered,
			p.first_question != toDateTime64(0, 6, 'UTC') AND p.first_question <= addDays(v.anchor_at, %[1]d) AND ifNull(v.citizens_met, 0) > 0 AS asked,
			a.first_word != toDateTime64(0, 6, 'UTC') AND a.first_word <= addDays(v.anchor_at, %[1]d) AS attested,
			toUInt64(arrayCount(at -> at <= addDays(v.anchor_at, %[1]d), i.origins)) AS issues,
			NOT voiced AND issues = 0 AND NOT if(activity_kind = 'PROPAGATION', asked, answered OR attested) AS traceless, v.anchor_at <= subtractDays(%[3]s, %[1]d) AS ripe
		FROM (%[2]s) AS v
		LEFT ANY JOIN (SELECT assumeNotNull(visit_id) AS visit, min(received_at) AS first_opinion FROM f_opinion FINAL WHERE _deleted = 0 AND visit_id IS NOT NULL GROUP BY visit SETTINGS max_rows_to_group_by = 0) AS o ON o.visit = v.id
		LEFT ANY JOIN (SELECT assumeNotNull(source_visit_id) AS visit, groupArray(origin_at) AS origins FROM f_issue FINAL WHERE _deleted = 0 AND source_visit_id IS NOT NULL GROUP BY visit SETTINGS max_rows_to_group_by = 0) AS i ON i.visit = v.id
		LEFT ANY JOIN (SELECT visit_id AS visit, minIf(created_at, questions_asked > 0) AS first_question, minIf(created_at, answered > 0) AS first_answer FROM f_visit_policy_item FINAL WHERE _deleted = 0 GROUP BY visit SETTINGS max_rows_to_group_by = 0) AS p ON p.visit = v.id
		LEFT ANY JOIN (SELECT visit_id AS visit, min(at) AS first_word FROM f_attestation FINAL WHERE _deleted = 0 AND nothing_raised GROUP BY visit SETTINGS max_rows_to_group_by = 0) AS a ON a.visit = v.id`,
		traceDays, rows.text, asOf)
	return rows
}

// TracelessVisits is F1: neither an opinion nor an issue, nor what the activity may leave instead — policy that was propagated to an audience
// which asked at least one question; elsewhere an answered question of policy, or somebody's word that nothing was raised. Numbers: traceless (share), withoutOpinion (share), tracelessVisits (count). n = visits held.
func (m *Measures) TracelessVisits(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "F1")
	if err != nil {
		return nil, err
	}
	count := func(s *scope) (tally, error) {
		rows, err := s.visitRows()
		rows = traces(rows)
		rows.text = "SELECT * FROM (" + rows.text + ") WHERE ripe"
		return tally{rows: rows, sums: []string{"countIf(traceless)", "countIf(NOT voiced)"}}, err
	}
	how, err := count(s)
	if err != nil {
		return nil, err
	}
	found, err := m.tally(ctx, s, how)
	if err != nil {
		return nil, err
	}
	shares := []shareOf{of("traceless", 0, ofUnits), of("withoutOpinion", 1, ofUnits)}
	among, err := m.crowd(ctx, "F1", s, shares, count)
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{ranged("traceless", "share"), ranged("withoutOpinion", "share"), plain("tracelessVisits", "visits")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	for _, cell := range cells {
		if err := c.sharesOf(shares, cell.sums, float64(cell.n), among); err != nil {
			return nil, err
		}
		c.number("tracelessVisits", cell.sums[0])
		c.end(cell.n, nil)
	}
	t.notePeople(among)
	t.noteNoVisits()
	s.ownUnits(t)
	return t, nil
}

func (t *Table) noteNoVisits() {
	if len(t.N) == 0 {
		t.Notes = append(t.Notes, "not computable: no visit was held here in the window")
	}
}

// bunchDays is the last part of a cycle to which visits are put off, at most one part in bunchPart of it.
const bunchDays, bunchPart = 7, 4

// DeadlineBunching is F4, over the whole cycles of the window. Numbers: ratio, expected (visits), inWindow (visits), excessShare, p, q
// (Benjamini–Hochberg over the rows), and of both parts of the cycle issuesInside, issuesOutside (per visit), tracelessInside, tracelessOutside (shares). n = visits on
// working days.
func (m *Measures) DeadlineBunching(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "F4")
	if err != nil {
		return nil, err
	}
	t.Flags["bunched"] = []bool{}
	count := func(s *scope) (tally, error) {
		rows, err := s.visitRows()
		whole, days, windowDays := s.wholeCycles, "countIf(worked)", "sumIf(window_days / days, worked)" // each visit lies in the last days by chance as these are of its own cycle
		if s.version < 3 {
			whole, days, windowDays = s.wholeQuarters, "arraySum(x -> x.3, groupUniqArray((quarter, risk, days)))", "arraySum(x -> x.3, groupUniqArray((quarter, risk, window_days)))"
		}
		return tally{rows: whole(traces(rows)), sums: []string{"countIf(worked AND last_days)", "countIf(worked)", days, windowDays,
			"sumIf(issues, worked AND last_days)", "sumIf(issues, worked AND NOT last_days)", "countIf(traceless AND ripe AND worked AND last_days)", "countIf(ripe AND worked AND last_days)",
			"countIf(traceless AND ripe AND worked AND NOT last_days)", "countIf(ripe AND worked AND NOT last_days)"}}, err
	}
	how, err := count(s)
	if err != nil {
		return nil, err
	}
	found, err := m.tally(ctx, s, how)
	if err != nil {
		return nil, err
	}
	for key, cell := range found {
		t.exclude("onDaysOff", cell.n-int64(cell.sums[1]))
		if cell.sums[1] == 0 {
			delete(found, key)
		}
	}
	inWindow, traceless := of("ratio", 0, 1), []shareOf{of("tracelessInside", 6, 7), of("tracelessOutside", 8, 9)}
	beside := []Num{plain("issuesInside", "issues per visit"), plain("issuesOutside", "issues per visit"), shared("tracelessInside"), shared("tracelessOutside")}
	if s.version < 2 {
		beside, traceless = nil, nil
	}
	among, err := m.crowd(ctx, "F4", s, append([]shareOf{inWindow}, traceless...), count)
	if err != nil {
		return nil, err
	}
	c := newColumns(t, append([]Num{plain("ratio", "ratio"), plain("expected", "visits"), plain("inWindow", "visits"), plain("excessShare", "share of visits"), plain("p", "probability"), plain("q", "probability")}, beside...))
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	tested, p := make([]bool, len(cells)), []float64{}
	for row, cell := range cells {
		v := cell.sums
		c.number("inWindow", v[0])
		if tested[row] = v[1] >= stats.MinBunching && v[3] > 0 && v[3] < v[2]; tested[row] {
			tail, err := c.bunching(v, inWindow.of(v, 0), among)
			if err != nil {
				return nil, err
			}
			p = append(p, tail)
		} else {
			c.missing("ratio", "expected", "excessShare", "p")
		}
		if s.version >= 2 {
			c.perVisit("issuesInside", v[4], v[0])
			c.perVisit("issuesOutside", v[5], v[1]-v[0])
		}
		if err := c.sharesOf(traceless, v, 0, among); err != nil {
			return nil, err
		}
	}
	if err := c.adjusted(tested, p, func(row int, low bool) {
		c.end(int64(cells[row].sums[1]), map[string]bool{"bunched": low})
	}); err != nil {
		return nil, err
	}
	t.noteNoVisits()
	t.notePeople(among)
	s.ownUnits(t)
	return t, nil
}

// bunching puts how the visits of a cell lie in the quarter, and returns the tail probability. Of posts ratio and excess are of the share in the window that is drawn towards that of all;
// the probability is that of the visits as they are.
func (c *columns) bunching(v []float64, counted stats.Counted, among crowd) (tail float64, err error) {
	found, err := stats.Bunch(counted.X, counted.N, v[3], v[2])
	if err != nil {
		return 0, err
	}
	c.number("expected", found.Expected)
	c.number("p", found.P)
	shown := found
	if among != nil {
		if shown, err = stats.Bunch(among["ratio"].Shrink(counted).Value*counted.N, counted.N, v[3], v[2]); err != nil {
			return 0, err
		}
	}
	c.number("excessShare", shown.ExcessShare)
	if shown.Known {
		c.number("ratio", shown.Ratio)
	} else {
		c.missing("ratio")
	}
	return found.P, nil
}

// perVisit puts a mean, which of nothing is unknown.
func (c *columns) perVisit(name string, sum, visits float64) {
	if visits == 0 {
		c.missing(name)
		return
	}
	c.number(name, sum/visits)
}

// familyLevel is the share of false discoveries within one release.
const familyLevel = 0.05

// adjusted puts q, the p-values adjusted for that there are many, and ends each row with whether it is a finding.
func (c *columns) adjusted(tested []bool, p []float64, end func(row int, low bool)) error {
	adjusted, err := stats.BenjaminiHochberg(p)
	if err != nil {
		return err
	}
	next := 0
	for row, has := range tested {
		if !has {
			c.missing("q")
			end(row, false)
			continue
		}
		c.number("q", adjusted[next])
		end(row, adjusted[next] <= familyLevel)
		next++
	}
	return nil
}

// wholeQuarters leaves visits of quarters that are over at as-of and that the window covers from their beginning, each with the working days of its quarter on which it
// could have been held (days), how many of them are of the last 7 of the quarter (window_days), and whether it was held on a working day (worked), and on one of those (last_days).
// Posts could visit while they were held. Version 1 took all days of the calendar for working days.
func (s *scope) wholeQuarters(rows statement) statement {
	b := &builder{values: rows.values}
	b.value("zone", s.Timezone)
	every := "if(worked, day, NULL)"
	if s.version < 2 {
		every = "day"
	}
	held, risk := "1", "toUUID('00000000-0000-0000-0000-000000000000')"
	if s.version >= 2 && s.ofPosts() {
		held, risk = "d >= h.since AND d < h.until", "v.lead_id"
	}
	b.write(`SELECT v.*, q.quarter AS quarter, `, risk, ` AS risk, toUInt64(arrayCount(d -> `, held, `, q.workdays)) AS days, toUInt64(arrayCount(d -> d >= q.last_from AND `, held, `, q.workdays)) AS window_days,
			has(q.workdays, v.day) AS worked, v.day >= q.last_from AS last_days
		FROM (SELECT *, toDate(toTimeZone(anchor_at, {zone:String})) AS day, toStartOfQuarter(day) AS of_quarter FROM (`, rows.text, `)) AS v
		INNER JOIN (SELECT toStartOfQuarter(day) AS quarter, arraySort(groupArray(`, every, `)) AS workdays, workdays[-`, fmt.Sprint(bunchDays), `] AS last_from FROM (`, workingDays, `)
			WHERE addQuarters(quarter, 1) <= toDate(toTimeZone(`, asOf, `, {zone:String}))`)
	if s.from != nil {
		b.write(" AND quarter >= toDate(toTimeZone(fromUnixTimestamp64Micro({quarter_from:Int64}, 'UTC'), {zone:String}))")
		b.value("quarter_from", s.from.UnixMicro())
	}
	b.write(" GROUP BY quarter HAVING length(workdays) > ", fmt.Sprint(bunchDays), " SETTINGS max_rows_to_group_by = 0) AS q ON q.quarter = v.of_quarter")
	if held != "1" {
		b.write(holdings)
	}
	return b.statement()
}

// holdings joins the days [since, until) on which the lead's post was held.
const holdings = ` LEFT ANY JOIN (SELECT id, toDate(held_from) AS since, if(held_to IS NULL, toDate('2149-01-01'), toDate(assumeNotNull(held_to))) AS until FROM d_post_holding FINAL WHERE _deleted = 0) AS h ON h.id = v.lead_id`

// ofPosts reports whether cells are posts, or of some.
func (s *scope) ofPosts() bool { return s.split(ByPost) || len(s.Where.Posts) > 0 }

// wholeCycles leaves visits whose cycle is over at as-of and lies whole in the window, with what wholeQuarters says of them. The cycle is the window of the turn that the visit fulfilled,
// if it lies in it; else of a turn of its lead for its activity, the shortest; else the month.
func (s *scope) wholeCycles(rows statement) statement {
	b := &builder{values: rows.values}
	b.value("zone", s.Timezone)
	const turns = "SELECT visit_id, post_id, activity_kind, toDate(window_from) AS first, toDate(window_to) AS past FROM f_slot FINAL WHERE _deleted = 0 AND state != 'SWAPPED'"
	held, join := "1", ""
	if s.ofPosts() {
		held, join = "d >= h.since AND d < h.until", holdings
	}
	b.write(`SELECT v.*, arrayFilter(d -> `, held, `, q.workdays) AS at_risk, length(at_risk) AS days, arrayCount(d -> d >= q.last_from, at_risk) AS window_days, has(at_risk, v.day) AS worked, v.day >= q.last_from AS last_days
		FROM (SELECT r.*, multiIf(f.first <= r.day AND r.day < f.past, (f.first, f.past), notEmpty(arrayFilter(w -> w.2 <= r.day AND r.day < w.3, t.windows) AS around), (around[1].2, around[1].3),
				(toStartOfMonth(r.day), toDate(addMonths(toStartOfMonth(r.day), 1)))) AS cycle, cycle.1 AS first, cycle.2 AS past
			FROM (SELECT *, toDate(toTimeZone(anchor_at, {zone:String})) AS day FROM (`, rows.text, `)) AS r
			LEFT ANY JOIN (SELECT assumeNotNull(visit_id) AS visit, first, past FROM (`, turns, `) WHERE visit_id IS NOT NULL) AS f ON f.visit = r.id
			LEFT ANY JOIN (SELECT post_id, activity_kind, arraySort(groupArray((past - first, first, past))) AS windows FROM (`, turns, `) GROUP BY post_id, activity_kind SETTINGS max_rows_to_group_by = 0) AS t
				ON t.post_id = r.lead_id AND t.activity_kind = r.activity_kind) AS v
		INNER JOIN (SELECT c.first AS first, c.past AS past, arraySort(groupArray(c.day)) AS workdays, workdays[-least(`, fmt.Sprint(bunchDays), `, intDiv(toInt64(length(workdays)), `, fmt.Sprint(bunchPart), `))] AS last_from
			FROM (SELECT first, past, toDate(first + arrayJoin(range(toUInt32(past - first)))) AS day FROM (SELECT first, past FROM (`, turns, `)
					UNION DISTINCT SELECT toStartOfMonth(day) AS first, toDate(addMonths(first, 1)) AS past FROM (`, workingDays, `) GROUP BY first)
				WHERE past <= toDate(toTimeZone(`, asOf, `, {zone:String}))`)
	if s.from != nil {
		b.write(" AND first >= toDate(toTimeZone(fromUnixTimestamp64Micro({cycle_from:Int64}, 'UTC'), {zone:String}))")
		b.value("cycle_from", s.from.UnixMicro())
	}
	if s.to != nil {
		b.write(" AND past <= toDate(toTimeZone(fromUnixTimestamp64Micro({cycle_to:Int64}, 'UTC'), {zone:String}))")
		b.value("cycle_to", s.to.UnixMicro())
	}
	b.write(`) AS c INNER JOIN (`, workingDays, `) AS w ON w.day = c.day WHERE w.worked GROUP BY c.first, c.past HAVING length(workdays) >= `, fmt.Sprint(bunchPart), ` SETTINGS max_rows_to_group_by = 0) AS q ON q.first = v.first AND q.past = v.past`, join)
	return b.statement()
}

// coverageDays is the year that a site should be visited in.
const coverageDays = 365

// Coverage is I2. Numbers: covered (share of eligible sites with a visit in the year before as-of), gapP50Days, gapP90Days (d, between
// visits, from the first day of eligibility), visitedSites (count). n = eligible sites.
func (m *Measures) Coverage(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "I2")
	if err != nil {
		return nil, err
	}
	visits, err := s.visitRows()
	if err != nil {
		return nil, err
	}
	sites := s.siteRows(visits.text, visits.values)
	found, err := m.tally(ctx, s, tally{rows: sites, sums: []string{fmt.Sprintf("countIf(arrayExists(v -> v > subtractDays(%s, %d), visits))", asOf, coverageDays)}})
	if err != nil {
		return nil, err
	}
	gaps := statement{values: sites.values, text: fmt.Sprintf(`SELECT * EXCEPT anchor_at, gap.1 AS anchor_at, gap.2 AS exit_at, gap.3 AS event, 1 AS w FROM (
		SELECT *, arrayJoin(arrayMap((a, b, n) -> (a, b, toUInt8(n <= length(visits))), arrayConcat([eligible], visits), arrayConcat(visits, [%s]), arrayEnumerate(arrayConcat([eligible], visits)))) AS gap
		FROM (%s))`, asOf, sites.text)}
	between, err := m.lives(ctx, s, 0, gaps)
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{ranged("covered", "share"), ranged("gapP50Days", "d"), ranged("gapP90Days", "d"), plain("visitedSites", "sites")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	for row, cell := range cells {
		if err := c.share("covered", cell.sums[0], float64(cell.n)); err != nil {
			return nil, err
		}
		c.number("visitedSites", cell.sums[0])
		if err := c.gaps(between[t.cell(row)]); err != nil {
			return nil, err
		}
		c.end(cell.n, nil)
	}
	if len(cells) == 0 {
		t.Notes = append(t.Notes, "not computable: no site is eligible for visits here")
	}
	s.ownUnits(t)
	return t, nil
}

func (c *columns) gaps(cell *lived) error {
	if cell == nil {
		c.missing("gapP50Days", "gapP90Days")
		c.failures("visited", nil)
		return nil
	}
	curve, err := cell.curve()
	if err != nil {
		return err
	}
	c.failures("visited", curve)
	for name, p := range map[string]float64{"gapP50Days": 0.5, "gapP90Days": 0.9} {
		at, err := curve.Quantile(p)
		if err != nil {
			return err
		}
		c.quantile(name, at)
	}
	return nil
}

// siteRows has one row a site that is eligible at as-of, with its visits since it became so. The days of eligibility are days in China.
func (s *scope) siteRows(visits string, values map[string]any) statement {
	b := &builder{values: values}
	b.value("china", DefaultTimezone)
	b.write(`SELECT w.id AS id, w.kind AS kind, w.region_id AS home, w.eligible AS eligible, `, asOf, ` AS anchor_at, arraySort(arrayFilter(v -> v >= w.eligible, h.held)) AS visits`)
	if s.split(ByRegion) {
		b.write(", ", s.regionPlace(b, "w"), " AS region_place")
	}
	b.write(` FROM (SELECT id, kind, toNullable(region_id) AS region_id, toTimeZone(toDateTime64(ifNull(eligible_from, toDate32(toTimeZone(created_at, {china:String}))), 6, {china:String}), 'UTC') AS eligible FROM d_site FINAL
			WHERE _deleted = 0 AND eligible <= `, asOf, ` AND (eligible_to IS NULL OR eligible_to > toDate32(toTimeZone(`, asOf, `, {china:String})))) AS w
		LEFT ANY JOIN (SELECT site_id, groupArray(anchor_at) AS held FROM (`, visits, `) GROUP BY site_id SETTINGS max_rows_to_group_by = 0) AS h ON h.site_id = w.id`)
	if len(s.Where.Regions) > 0 {
		b.write(" WHERE w.region_id IN (SELECT id FROM d_region FINAL WHERE _deleted = 0 AND hasAny(splitByChar('.', path), {regions:Array(String)}))")
	}
	return b.statement()
}
