package warehouse

import (
	"context"
	"fmt"
	"slices"

	"groundwork/warehouse/stats"
)

// Exposure to further reports, and what makes an index worth giving.
const (
	exposureDays    = 30
	fewestRepeats   = 20
	silentIndex     = 0.5
	leastExpectance = 1
)

// ReportingRate is H5. Numbers: index (to what the same matters get elsewhere), repeats, expected (opinions), days (of exposure),
// delayDays (until the next report). n = issues.
func (m *Measures) ReportingRate(ctx context.Context, q Question) (*Table, error) {
	q.Query = q.byOrigin()
	if len(q.By) == 0 {
		q.By = []Dimension{ByRegion}
	}
	split := q.By
	q.By = append(slices.Clone(split), ByCategory)
	q.From, q.To = nil, nil
	s, t, err := m.begin(ctx, q, "H5")
	if err != nil {
		return nil, err
	}
	told := s.linked()
	if s.version < 2 {
		told = links
	}
	rows := s.spells()
	rows.text = fmt.Sprintf(`SELECT u.*, least(%[2]d * 86400, greatest(0, dateDiff('second', u.origin_at, least(ifNull(u.claimed_at, u.seen_until), u.seen_until)))) AS exposed, r.repeats AS repeats
		FROM (%[1]s) AS u LEFT ANY JOIN (
			SELECT link.matter AS issue_id, countIf(o.received_at > i.origin_at AND o.received_at <= least(addDays(i.origin_at, %[2]d), ifNull(i.claimed_at, toDateTime64('2299-01-01 00:00:00', 6, 'UTC')))) AS repeats
			FROM (%[4]s) AS link
			INNER JOIN (SELECT id, received_at FROM f_opinion FINAL WHERE _deleted = 0 AND received_at <= %[3]s) AS o ON o.id = link.opinion_id
			INNER JOIN (SELECT id, origin_at, claimed_at FROM (%[1]s)) AS i ON i.id = link.matter
			GROUP BY issue_id SETTINGS max_rows_to_group_by = 0) AS r ON r.issue_id = u.id WHERE u.state != 'MERGED' AND u.category_id IS NOT NULL`, rows.text, exposureDays, asOf, told)
	found, err := m.tally(ctx, s, tally{rows: rows, sums: []string{"sum(repeats)", "sum(exposed)"}})
	if err != nil {
		return nil, err
	}
	s.By = split
	t.Flags["silent"] = []bool{}
	c := newColumns(t, []Num{ranged("index", "ratio"), plain("repeats", "opinions"), plain("expected", "expected opinions"), plain("days", "d"), plain("delayDays", "d")})
	cells, err := arrange(ctx, m, s, reportingCells(found, len(split)), t)
	if err != nil {
		return nil, err
	}
	for _, cell := range cells {
		if err := c.reporting(cell); err != nil {
			return nil, err
		}
	}
	if len(cells) == 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("not computable: no category here has %d repeats", fewestRepeats))
	}
	return t, nil
}

// reportingCell is what a cell was told again, and what the same matters would be elsewhere.
type reportingCell struct {
	n                       int64
	repeats, expected, days float64
}

// reportingCells sums over the categories that have enough repeats, each with its own rate: a Poisson regression with category effects, of
// which the cells are what is left.
func reportingCells(found map[cellKey]*tallied, split int) map[cellKey]*reportingCell {
	type total struct{ repeats, seconds float64 }
	categories := map[string]total{}
	for key, cell := range found {
		t := categories[key[split]]
		categories[key[split]] = total{t.repeats + cell.sums[0], t.seconds + cell.sums[1]}
	}
	cells := map[cellKey]*reportingCell{}
	for key, cell := range inOrder(found) {
		of := categories[key[split]]
		if of.repeats < fewestRepeats || of.seconds == 0 {
			continue
		}
		key[split] = ""
		if cells[key] == nil {
			cells[key] = &reportingCell{}
		}
		c := cells[key]
		c.n += cell.n
		c.repeats, c.days, c.expected = c.repeats+cell.sums[0], c.days+cell.sums[1]/secondsPerDay, c.expected+of.repeats/of.seconds*cell.sums[1]
	}
	return cells
}

func (c *columns) reporting(cell *reportingCell) error {
	silent := false
	if cell.expected < leastExpectance {
		c.missing("index")
	} else {
		index, err := stats.GarwoodRate(cell.repeats, cell.expected)
		if err != nil {
			return err
		}
		c.estimate("index", index, 1)
		silent = index.Value < silentIndex && index.Interval.Hi < 1
	}
	c.number("repeats", cell.repeats)
	c.number("expected", cell.expected)
	c.number("days", cell.days)
	c.number("delayDays", cell.days/cell.repeats) // without repeats it is infinite, which is nil
	c.end(cell.n, map[string]bool{"silent": silent})
	return nil
}
