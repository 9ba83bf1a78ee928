package warehouse

import (
	"context"
	"fmt"

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
	rows     []stats.LifeRow
}

// lives counts, per cell, what began at anchor_at and ended (event = 1) or was last seen at exit_at, by weights; times are whole hours, rounded up, of which those longer than
// so many days are not told apart (0 = all are).
func (m *Measures) lives(ctx context.Context, s *scope, rows statement, longest int) (map[cellKey]*lived, error) {
	cells := map[cellKey]*lived{}
	told := "whole"
	if longest > 0 {
		told = fmt.Sprintf("least(whole, %d)", 24*longest+1)
	}
	rows.text = "SELECT *, intDiv(greatest(0, toUnixTimestamp64Micro(exit_at) - toUnixTimestamp64Micro(anchor_at)) + 3599999999, 3600000000) AS whole, " + told + " AS hours FROM (" + rows.text + ")"
	grouped := s.group(rows, "event, hours, toInt64(sum(w))", "event", "hours")
	targets, key := s.scanKeys()
	var event uint8
	var hours, n int64
	targets = append(targets, &event, &hours, &n)
	err := m.each(ctx, "count lives", grouped, func(scan func(...any) error) error {
		if err := scan(targets...); err != nil {
			return err
		}
		if n == 0 { // what came and went again
			return nil
		}
		k := key()
		if cells[k] == nil {
			cells[k] = &lived{}
		}
		row := stats.LifeRow{Time: float64(hours) / 24}
		row.Events[event] = float64(n)
		c := cells[k]
		c.rows, c.n, c.ended = append(c.rows, row), c.n+n, c.ended+int64(event)*n
		return nil
	})
	return cells, err
}

// reopeningRows has one row an issue that was ever closed, from its first closing to its first reopening.
func (s *scope) reopeningRows() statement {
	rows := s.histories(records{closings: true})
	rows.text = "SELECT * REPLACE (closed_first AS anchor_at), toUInt8(" + historyMarks.test("marks", "reopened") + ") AS event, if(event, reopened_first, greatest(seen_until, closed_first)) AS exit_at FROM (" + rows.text + ")"
	return historyMarks.named(rows, "counts AND ended")
}

// recurrenceRows has one row a confirmed issue with a site and a category, from its closing to the next issue of the kind at the site.
func (s *scope) recurrenceRows() statement {
	rows := s.spells()
	rows.text = fmt.Sprintf(`SELECT c.* REPLACE (assumeNotNull(c.closed_at) AS anchor_at), toUInt8(n.arose > c.closed_at) AS event,
			if(n.arose > c.closed_at, n.arose, greatest(c.seen_until, assumeNotNull(c.closed_at))) AS exit_at
		FROM (SELECT *, assumeNotNull(site_id) AS at_site, assumeNotNull(category_id) AS of_matter, assumeNotNull(closed_at) AS ended FROM (%s)
			WHERE state = 'CLOSED' AND closure_type = 'CONFIRMED' AND closed_at IS NOT NULL AND site_id IS NOT NULL AND category_id IS NOT NULL) AS c
		ASOF LEFT JOIN (SELECT assumeNotNull(site_id) AS at_site, assumeNotNull(category_id) AS of_matter, origin_at AS arose FROM f_issue FINAL
			WHERE _deleted = 0 AND site_id IS NOT NULL AND category_id IS NOT NULL AND state != 'MERGED' AND origin_at <= %s) AS n
		ON c.at_site = n.at_site AND c.of_matter = n.of_matter AND n.arose > c.ended`, rows.text, asOf)
	return rows
}

// Reopening is Q4. Numbers: reopened30, reopened90, recurred180 (share), reopened (count). n = issues ever closed.
func (m *Measures) Reopening(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "Q4")
	if err != nil {
		return nil, err
	}
	closed := *s
	if err := m.useBase(ctx, &closed, historyBase); err != nil {
		return nil, err
	}
	found, err := m.lives(ctx, &closed, closed.reopeningRows(), reopeningDays)
	if err != nil {
		return nil, err
	}
	again, err := m.lives(ctx, s, s.recurrenceRows(), recurrenceDays)
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{ranged("reopened30", "share"), ranged("reopened90", "share"), ranged("recurred180", "share"), plain("reopened", "issues")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	for row, cell := range cells {
		curve, err := stats.Fit(cell.rows)
		if err != nil {
			return nil, err
		}
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
		return nil
	}
	curve, err := stats.Fit(cell.rows)
	if err != nil {
		return err
	}
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
