package warehouse

import (
	"context"
	"strconv"

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
	recent   int64 // ended during the last 90 days
	inflow   int64
	outflow  int64
	merged   int64
	invalid  int64
}

// grid is how exits are counted: times are rounded up to its points, so that "within 24 hours" and "over 60 days" stay exact on each grid.
type grid struct {
	seconds int64  // of one unit
	points  string // of the units, which of them are points of the grid
	note    string
}

var (
	bySecond = grid{seconds: 1, points: "units"}
	// byHour has few points, however many issues there are: hours during 30 days, days up to 400, then weeks.
	byHour = grid{seconds: 3600, points: "multiIf(units <= 720, units, units <= 9600, intDiv(units + 23, 24) * 24, intDiv(units + 167, 168) * 168)",
		note: "times are counted in whole hours up to 30 days, in days up to 400, then in weeks, since there are so many"}
)

// fineTotal is the number of issues up to which the base is asked by second at first; beyond, the grid would overflow.
const fineTotal = 500_000

const (
	secondsPerDay = 86400
	flowDays      = 28
)

// spell is SQL over the columns of spells that gives cause (an end), awaiting and exit_at.
type spell struct {
	sql  string
	flow bool // cells matter for what flows through them, even with nobody in the life table
}

// lifeTables counts, per cell, the issues by how and when their spell ended, by second where the counts fit the guard and else by hour.
func (m *Measures) lifeTables(ctx context.Context, s *scope, t *Table, how spell) (map[cellKey]*cell, error) {
	if err := m.useBase(ctx, s); err != nil {
		return nil, err
	}
	for _, g := range m.grids(s) {
		cells, err := m.lifeTablesOn(ctx, s, how.sql, g)
		if exceptionCode(err) == codeTooManyRows {
			continue
		}
		if err != nil {
			return nil, err
		}
		if g.note != "" {
			t.Notes = append(t.Notes, g.note)
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

// grids are those to try, from the finest.
func (m *Measures) grids(s *scope) []grid {
	if s.base != nil && s.base.total > fineTotal && m.maxGroups == maxGroups {
		return []grid{byHour}
	}
	return []grid{bySecond, byHour}
}

func (t *Table) exclude(reason string, n int64) {
	if n > 0 {
		t.Excluded[reason] += n
	}
}

func (m *Measures) lifeTablesOn(ctx context.Context, s *scope, ending string, on grid) (map[cellKey]*cell, error) {
	cells := map[cellKey]*cell{}
	targets, key := s.scanKeys()
	var g group
	targets = append(targets, g.targets()...)
	err := m.each(ctx, "count issues by time", s.lifeStatement(ending, on), func(scan func(...any) error) error {
		if err := scan(targets...); err != nil {
			return err
		}
		k := key()
		if cells[k] == nil {
			cells[k] = &cell{key: k}
		}
		cells[k].add(g, on.seconds)
		return nil
	})
	return cells, err
}

// lifeStatement groups the spells by cell, end and time.
func (s *scope) lifeStatement(ending string, on grid) statement {
	rows := s.spells()
	rows.text = "SELECT *, ending < 8 ? " + on.points + " : 0 AS point, origin_at > flow_from AND state != 'MERGED' AS came, ifNull(closed_at > flow_from, 0) AND state = 'CLOSED' AS went FROM (" +
		"SELECT *, micros < 0 AND cause < 8 ? 9 : cause AS ending, intDiv(micros + {unit:Int64} - 1, {unit:Int64}) AS units FROM (" +
		"SELECT *, subtractDays(" + asOf + ", 28) AS flow_from, toUnixTimestamp64Micro(exit_at) - toUnixTimestamp64Micro(origin_at) AS micros FROM (" +
		"SELECT *, " + ending + " FROM (" + rows.text + "))))"
	rows = rows.with("unit", on.seconds*1_000_000)
	aggregates := `ending, awaiting, point, toInt64(sum(w)), toInt64(sumIf(w, claimed_at IS NOT NULL)),
		toInt64(sumIf(w, resolved_at IS NOT NULL OR dispute_count > 0)),
		toInt64(sumIf(w, cause = 0 AND seen_until < ` + asOf + `)), toInt64(sumIf(w, exit_at > subtractDays(` + asOf + `, ` + strconv.Itoa(reopenDays) + `))),
		toInt64(sumIf(w, came)), toInt64(sumIf(w, went))`
	return s.byCell(&builder{}, rows, nil, aggregates, "ending", "awaiting", "point")
}

// group is one row of the answer: issues of a cell that ended alike at the same time.
type group struct {
	ending, awaiting                             uint8
	units                                        int64
	n, claims, verdicts, unseen, inflow, outflow int64
	recent                                       int64
}

func (g *group) targets() []any {
	return []any{&g.ending, &g.awaiting, &g.units, &g.n, &g.claims, &g.verdicts, &g.unseen, &g.recent, &g.inflow, &g.outflow}
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
	if g.n == 0 { // came and went again between the base and now
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
	if g.ending != 0 {
		c.recent += g.recent
	}
}

func (c *cell) total(cause stats.Cause) float64 {
	var n float64
	for _, r := range c.rows {
		n += r.Events[cause]
	}
	return n
}
