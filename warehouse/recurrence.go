package warehouse

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"groundwork/warehouse/stats"
)

// How long a reopening is waited for at most, and how long a new issue of the same matter counts as its return.
const (
	reopeningDays  = 90
	recurrenceDays = 180
)

// lived is a cell of lives: how many ended, and when.
type lived struct {
	n, ended int64
	at       map[lifeEnd]int64 // how many
}

type lifeEnd struct {
	event uint8
	hours int64
}

// curve is that of a cell.
func (l *lived) curve() (*stats.Curve, error) {
	var rows []stats.LifeRow
	for end, n := range l.at {
		if n == 0 { // what came and went again
			continue
		}
		row := stats.LifeRow{Time: float64(end.hours) / 24}
		row.Events[end.event] = float64(n)
		rows = append(rows, row)
	}
	return stats.Fit(rows)
}

// lives counts, per cell, what began at anchor_at and ended (event = 1) or was last seen at exit_at, by weights; times are whole hours, rounded up, of which those longer than
// so many days are not told apart (0 = all are).
func (m *Measures) lives(ctx context.Context, s *scope, longest int, parts ...statement) (map[cellKey]*lived, error) {
	cells := map[cellKey]*lived{}
	told := "whole"
	if longest > 0 {
		told = fmt.Sprintf("least(whole, %d)", 24*longest+1)
	}
	grouped := make([]statement, len(parts))
	for i, rows := range parts {
		rows.text = "SELECT *, intDiv(greatest(0, toUnixTimestamp64Micro(exit_at) - toUnixTimestamp64Micro(anchor_at)) + 3599999999, 3600000000) AS whole, " + told + " AS hours FROM (" + rows.text + ")"
		grouped[i] = s.group(rows, "event, hours, toInt64(sum(w))", "event", "hours")
	}
	err := m.eachOf(ctx, "count lives", grouped, func() ([]any, func()) {
		targets, key := s.scanKeys()
		var end lifeEnd
		var n int64
		return append(targets, &end.event, &end.hours, &n), func() {
			k := key()
			if cells[k] == nil {
				cells[k] = &lived{at: map[lifeEnd]int64{}}
			}
			c := cells[k]
			c.n, c.ended = c.n+n, c.ended+int64(end.event)*n
			c.at[end] += n
		}
	})
	maps.DeleteFunc(cells, func(_ cellKey, c *lived) bool { return c.n == 0 })
	return cells, err
}

// reopeningRows has one row an issue that was ever closed, from its first closing to its first reopening.
func (s *scope) reopeningRows() statement {
	rows := s.histories(records{closings: true})
	rows.text = "SELECT * REPLACE (closed_first AS anchor_at), toUInt8(" + historyMarks.test("marks", "reopened") + ") AS event, if(event, reopened_first, greatest(seen_until, closed_first)) AS exit_at FROM (" + rows.text + ")"
	return historyMarks.named(rows, "counts AND ended")
}

// recurrenceBase is a copy of the issues with a site and a category, each with when the next of its matter arose. A change of one issue moves all of its matter, of before and of now, so that
// what moved can be joined with itself.
var recurrenceBase = &baseKind{
	table: "f_recurrence_base", name: "the base of recurrences", mirrors: []string{"f_issue"}, columns: recurrenceColumns, anchor: "origin_at",
	moved: changedIDs + " UNION ALL SELECT id FROM f_recurrence_base WHERE " + ofBase + " AND matter IN (SELECT " + matterOf + " FROM f_issue WHERE " + sincePosition +
		" UNION ALL SELECT matter FROM f_recurrence_base WHERE " + ofBase + " AND " + inBase(changedIDs) + ") GROUP BY id, matter HAVING sum(w) > 0 SETTINGS max_rows_to_group_by = 0",
	now: recurrencesNow,
	// A slice has all issues of its matters.
	slices: func(_ string, n uint64) []string {
		all := make([]string, (n+fourfold-1)/fourfold)
		for i := range all {
			all[i] = fmt.Sprintf("%s %% %d = %d", matterOf, len(all), i)
		}
		return all
	},
	mark:        noID + ", 0, 0, NULL, " + never + ", NULL, NULL, '', '', '', '', NULL, NULL, NULL, '', " + never + ", 0, 0",
	projections: []string{"by_matter"},
}

const (
	recurrenceColumns = "id, matter, confirmed, closed_at, again_at, category_id, region_id, area_id, " + ofClaimed
	// matterOf stands for the site and the category of an issue; 0 = not both are known.
	matterOf    = "if(site_id IS NULL OR category_id IS NULL, 0, sipHash64(assumeNotNull(site_id), assumeNotNull(category_id)))"
	isConfirmed = "state = 'CLOSED' AND ifNull(closure_type = 'CONFIRMED', 0) AND closed_at IS NOT NULL"
)

func recurrencesNow(_ records, of func(column string) string, _ string) string {
	from := " FROM f_issue FINAL WHERE _deleted = 0 AND " + of("id") // not PREWHERE, which would choose among versions of an issue by their matter
	issues := "SELECT id, site_id, category_id, region_id, closure_type, closed_at, " + ofClaimed + from
	columns := strings.Replace(recurrenceColumns, "category_id, region_id, area_id", "toString(r.category_id) AS category_id, toString(r.region_id) AS region_id", 1)
	return "SELECT " + columns + " FROM (" + againBeside(issues, "SELECT site_id, category_id, state, origin_at"+from) + ") AS r"
}

// againBeside is SQL of issues that have a site and a category, each with when the next of all issues of its matter arose after it was confirmed (never = none did, or it is not).
func againBeside(issues, all string) string {
	return "SELECT c.*, n.arose AS again_at FROM (SELECT *, " + matterOf + " AS matter, toUInt8(" + isConfirmed + ") AS confirmed, if(confirmed, assumeNotNull(closed_at), toDateTime64('2200-01-01 00:00:00', 6, 'UTC')) AS ended" +
		" FROM (" + issues + ") WHERE matter != 0) AS c ASOF LEFT JOIN (SELECT " + matterOf + " AS matter, origin_at AS arose FROM (" + all + ") WHERE matter != 0 AND state != 'MERGED') AS n" +
		" ON c.matter = n.matter AND n.arose > c.ended"
}

// recurrenceRows has one row a confirmed issue with a site and a category, from its closing to the next issue of the kind at the site.
func (s *scope) recurrenceRows() statement {
	of := *s
	if s.base != nil {
		own := *s.base
		own.only, of.base = own.only+" AND confirmed", &own
	}
	rows := of.spells()
	if s.base == nil {
		rows.text = againBeside("SELECT * FROM ("+rows.text+") WHERE "+isConfirmed, s.mirrorRows())
	}
	const came = "again_at > closed_at AND again_at <= " + asOf
	rows.text = "SELECT * REPLACE (assumeNotNull(closed_at) AS anchor_at), toUInt8(" + came + ") AS event, if(" + came + ", again_at, greatest(seen_until, assumeNotNull(closed_at))) AS exit_at FROM (" + rows.text + ") WHERE confirmed"
	return rows
}

// Reopening is Q4. Numbers: reopened30, reopened90, recurred180 (share), reopened (count). n = issues ever closed.
func (m *Measures) Reopening(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "Q4")
	if err != nil {
		return nil, err
	}
	closed, confirmed := *s, *s
	if err := m.useBase(ctx, &closed, historyBase); err != nil {
		return nil, err
	}
	if err := m.useBase(ctx, &confirmed, recurrenceBase); err != nil {
		return nil, err
	}
	found, err := m.lives(ctx, &closed, reopeningDays, closed.inParts((*scope).reopeningRows)...)
	if err != nil {
		return nil, err
	}
	again, err := m.lives(ctx, &confirmed, recurrenceDays, confirmed.inParts((*scope).recurrenceRows)...)
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{ranged("reopened30", "share"), ranged("reopened90", "share"), ranged("recurred180", "share"), plain("reopened", "issues")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	for row, cell := range cells {
		curve, err := cell.curve()
		if err != nil {
			return nil, err
		}
		c.failures("reopened", curve)
		c.estimate("reopened30", curve.Failure(30), 1)
		c.estimate("reopened90", curve.Failure(reopeningDays), 1)
		if err := c.recurred(again[t.cell(row)]); err != nil {
			return nil, err
		}
		c.number("reopened", float64(cell.ended))
		c.end(cell.n, nil)
	}
	t.noteNothing(len(cells), "not computable: nothing was closed here; imports do not tell of closings")
	if len(again) == 0 {
		t.Notes = append(t.Notes, "recurred180 is not computable: no confirmed issue here has a known site and category")
	}
	return t, m.withReportersOf(ctx, &closed, t, (*scope).reopeningRows)
}

func (c *columns) recurred(cell *lived) error {
	if cell == nil {
		c.missing("recurred180")
		c.failures("recurred", nil)
		return nil
	}
	curve, err := cell.curve()
	if err != nil {
		return err
	}
	c.failures("recurred", curve)
	c.estimate("recurred180", curve.Failure(recurrenceDays), 1)
	return nil
}

// onTheSpotDays is how old visits are when what was raised at them counts.
const onTheSpotDays = 30

// OnTheSpot is Q5. Numbers: onTheSpot, within30 (share), resolved (count). n = issues raised at visits.
func (m *Measures) OnTheSpot(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "Q5")
	if err != nil {
		return nil, err
	}
	rows := s.spells()
	rows.text = fmt.Sprintf(`SELECT s.* REPLACE (v.ended AS anchor_at), ifNull(s.resolved_at <= addHours(v.ended, 24), 0) AS spot,
			ifNull(s.resolved_at <= addDays(s.origin_at, 30), 0) AS month
		FROM (%s) AS s INNER JOIN (SELECT id AS visit, ifNull(ended_at, started_at) AS ended FROM f_visit FINAL WHERE _deleted = 0 AND ended <= subtractDays(%s, %d)) AS v
		ON s.source_visit_id = v.visit WHERE s.state != 'MERGED'`, rows.text, asOf, onTheSpotDays)
	found, err := m.tally(ctx, s, tally{rows: rows, sums: []string{"countIf(spot)", "countIf(month)"}})
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{ranged("onTheSpot", "share"), ranged("within30", "share"), plain("resolved", "issues")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	for _, cell := range cells {
		if err := c.shares(float64(cell.n), map[string]float64{"onTheSpot": cell.sums[0], "within30": cell.sums[1]}); err != nil {
			return nil, err
		}
		c.number("resolved", cell.sums[0])
		c.end(cell.n, nil)
	}
	if len(cells) == 0 {
		t.Notes = append(t.Notes, "not computable: nothing was raised at a visit that ended 30 days ago or earlier")
	}
	return t, m.withReporters(ctx, s, t, voicesOf(rows))
}
