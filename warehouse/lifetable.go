package warehouse

import (
	"context"
	"fmt"
	"time"

	"groundwork/warehouse/stats"
)

// Ends of an issue's spell beyond the causes of package stats: what is left out, and counted.
const (
	endMerged  = 8  // the same matter as its target, where it is measured
	endInvalid = 9  // an event before the origin: the source's times contradict each other
	endGone    = 10 // outside of what the measure counts, looked at for its flow alone
)

// cell is what ClickHouse hands over about one cell: a life table, and counts.
type cell struct {
	key      cellKey
	rows     []stats.LifeRow
	n        int64 // issues in the rows
	awaiting int64 // of them claims that await a verdict
	claims   int64 // issues ever claimed
	verdicts int64 // issues with a verdict of a citizen
	unseen   int64 // open issues last observed before as-of
	newest   time.Time
	inflow   int64
	outflow  int64
	merged   int64
	invalid  int64
}

// units of time in which exits are counted, from the finest.
var units = []struct {
	seconds int64
	name    string
}{{1, "seconds"}, {60, "minutes"}, {3600, "hours"}}

const (
	secondsPerDay = 86400
	flowDays      = 28
)

// spell is SQL over the columns of spells that gives cause (an end), awaiting and exit_at.
type spell struct {
	sql  string
	flow bool // cells matter for what flows through them, even with nobody in the life table
}

// lifeTables counts, per cell, the issues by how and when their spell ended. Times are rounded up to a unit, so that "within 24 hours" and "over 60 days" stay exact in every unit; the unit is the
// finest in which the counts fit the guard.
func (m *Measures) lifeTables(ctx context.Context, s *scope, t *Table, how spell) (map[cellKey]*cell, error) {
	for i, unit := range units {
		cells, err := m.lifeTablesIn(ctx, s, how.sql, unit.seconds)
		if exceptionCode(err) == codeTooManyRows {
			continue
		}
		if err != nil {
			return nil, err
		}
		if i > 0 {
			t.Notes = append(t.Notes, fmt.Sprintf("times are counted in whole %s, since there are so many", unit.name))
		}
		for _, c := range cells {
			t.exclude("merged", c.merged)
			t.exclude("eventBeforeOrigin", c.invalid)
			if c.n == 0 && (!how.flow || c.inflow+c.outflow == 0) {
				delete(cells, c.key)
			}
		}
		return cells, nil
	}
	return nil, invalid("By", "the split gives more cells than one answer can hold; split by less, roll regions up to a level, or narrow the filter")
}

func (t *Table) exclude(reason string, n int64) {
	if n > 0 {
		t.Excluded[reason] += n
	}
}

func (m *Measures) lifeTablesIn(ctx context.Context, s *scope, ending string, unit int64) (map[cellKey]*cell, error) {
	cells := map[cellKey]*cell{}
	targets, key := s.scanKeys()
	var g group
	targets = append(targets, g.targets()...)
	err := m.each(ctx, "count issues by time", s.lifeStatement(ending, unit), func(scan func(...any) error) error {
		if err := scan(targets...); err != nil {
			return err
		}
		k := key()
		if cells[k] == nil {
			cells[k] = &cell{key: k}
		}
		cells[k].add(g, unit)
		return nil
	})
	return cells, err
}

// lifeStatement groups the spells by cell, end and time.
func (s *scope) lifeStatement(ending string, unit int64) statement {
	b := &builder{values: s.spells().values}
	b.write("SELECT ")
	names := s.keyColumns(b)
	b.value("unit", unit*1_000_000)
	b.write(`micros < 0 AND cause < 8 ? 9 : cause AS ending, awaiting,
		ending < 8 ? intDiv(micros + {unit:Int64} - 1, {unit:Int64}) : 0 AS units,
		toInt64(count()), toInt64(countIf(claimed_at IS NOT NULL)),
		toInt64(countIf(resolved_at IS NOT NULL OR dispute_count > 0)),
		toInt64(countIf(cause = 0 AND seen_until < `, asOf, `)), max(exit_at),
		toInt64(countIf(origin_at > flow_from AND state != 'MERGED')), toInt64(countIf(closed_at > flow_from AND state = 'CLOSED'))
	FROM (SELECT *, subtractDays(`, asOf, `, 28) AS flow_from, toUnixTimestamp64Micro(exit_at) - toUnixTimestamp64Micro(origin_at) AS micros
		FROM (SELECT *, `, ending, ` FROM (`, s.spells().text, `))) GROUP BY `)
	for _, name := range names {
		b.write(name, ", ")
	}
	b.write("ending, awaiting, units")
	return b.statement()
}

// group is one row of the answer: issues of a cell that ended alike at the same time.
type group struct {
	ending, awaiting                             uint8
	units                                        int64
	n, claims, verdicts, unseen, inflow, outflow int64
	newest                                       time.Time
}

func (g *group) targets() []any {
	return []any{&g.ending, &g.awaiting, &g.units, &g.n, &g.claims, &g.verdicts, &g.unseen, &g.newest, &g.inflow, &g.outflow}
}

func (c *cell) add(g group, unit int64) {
	c.inflow += g.inflow
	c.outflow += g.outflow
	switch g.ending {
	case endMerged:
		c.merged += g.n
		return
	case endInvalid:
		c.invalid += g.n
		return
	case endGone:
		return
	}
	row := stats.LifeRow{Time: float64(g.units*unit) / secondsPerDay}
	row.Events[g.ending] = float64(g.n)
	if g.awaiting == 1 {
		row.Awaiting = float64(g.n)
		c.awaiting += g.n
	}
	c.rows = append(c.rows, row)
	c.n += g.n
	c.claims += g.claims
	c.verdicts += g.verdicts
	c.unseen += g.unseen
	if g.ending != 0 && g.newest.After(c.newest) {
		c.newest = g.newest
	}
}

func (c *cell) total(cause stats.Cause) float64 {
	var n float64
	for _, r := range c.rows {
		n += r.Events[cause]
	}
	return n
}
