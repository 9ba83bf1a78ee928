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
	split := q.By
	q.By = append(slices.Clone(split), ByCategory)
	q.From, q.To = nil, nil
	s, t, err := m.begin(ctx, q, "H5")
	if err != nil {
		return nil, err
	}
	if err := m.useBase(ctx, s, historyBase); err != nil {
		return nil, err
	}
	found, err := m.tally(ctx, s, tally{parts: s.inParts((*scope).exposureRows), sums: []string{"sum(w * repeats)", "sum(w * exposed)"}})
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

// exposureRows has one row an issue with a category: how long it was open to further reports, and how many came meanwhile (repeats), on it or, from version 2 on, on those that it stands for.
func (s *scope) exposureRows() statement {
	rows := s.histories(records{heard: true})
	told, more := "heard", ""
	if s.version >= 2 {
		matters := s.heardByMatters()
		for name, value := range matters.values {
			rows = rows.with(name, value)
		}
		told, more = "arrayConcat(u.heard, r.more)", " LEFT ANY JOIN ("+matters.text+") AS r ON r.matter = u.id"
	}
	rows.text = fmt.Sprintf(`SELECT u.*, least(%[2]d * 86400, greatest(0, dateDiff('second', u.origin_at, least(ifNull(u.claimed_at, u.seen_until), u.seen_until)))) AS exposed,
			arrayCount(at -> at > u.origin_at AND at <= least(addDays(u.origin_at, %[2]d), ifNull(u.claimed_at, toDateTime64('2299-01-01 00:00:00', 6, 'UTC'))), %[3]s) AS repeats
		FROM (SELECT * FROM (%[1]s) WHERE state != 'MERGED' AND category_id IS NOT NULL) AS u%[4]s`, rows.text, exposureDays, told, more)
	return rows
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
