package warehouse

import (
	"context"
	"math"
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
	// byDay has few points even for many cells. Only shares at a whole day are asked of it: mean times would be half a day too long.
	byDay = grid{seconds: secondsPerDay, points: "units", note: "times are counted in whole days, since there are so many"}
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
	return lifeTablesBy(t, m.grids(s), how.flow, func(g grid) (map[cellKey]*cell, error) { return m.lifeTablesOn(ctx, s, how.sql, g) })
}

// lifeTablesWithin is lifeTables for what lies within so many days and asks of confirmations alone: whoever left later stands at one later
// time, the other ends are all Referred, and cells tell of no flow and of nothing awaiting.
func (m *Measures) lifeTablesWithin(ctx context.Context, s *scope, t *Table, days int64, grids func(*scope) []grid) (map[cellKey]*cell, error) {
	if err := m.useBase(ctx, s); err != nil {
		return nil, err
	}
	return lifeTablesBy(t, grids(s), false, func(g grid) (map[cellKey]*cell, error) {
		return m.lifeTablesWithinOn(ctx, s, resolutionSpell.sql, g, days)
	})
}

// lifeTablesBy takes the first grid on which the counts fit the guard. Cells with nobody in the life table matter only for a flow.
func lifeTablesBy(t *Table, grids []grid, flow bool, on func(grid) (map[cellKey]*cell, error)) (map[cellKey]*cell, error) {
	for _, g := range grids {
		cells, err := on(g)
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
			if c.n == 0 && (!flow || c.inflow+c.outflow == 0) {
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

// gridsOfShares are those for a share at some whole day, for which days do: which censorings of a day came before an event of it hardly matters.
func (m *Measures) gridsOfShares(s *scope) []grid {
	if s.base != nil && s.base.total > fineTotal {
		return []grid{byDay}
	}
	return []grid{bySecond, byHour, byDay}
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

func (m *Measures) lifeTablesWithinOn(ctx context.Context, s *scope, ending string, on grid, days int64) (map[cellKey]*cell, error) {
	cells := map[cellKey]*cell{}
	targets, key := s.scanKeys()
	var c cell
	var points, open, confirmed, others []int32
	targets = append(targets, &points, &open, &confirmed, &others, &c.claims, &c.verdicts, &c.merged, &c.invalid)
	err := m.each(ctx, "count issues by time", s.lifeStatementWithin(ending, on, days), func(scan func(...any) error) error {
		if err := scan(targets...); err != nil {
			return err
		}
		found := c
		found.key = key()
		for i, point := range points {
			row := stats.LifeRow{Time: float64(int64(point)*on.seconds) / secondsPerDay}
			row.Events[stats.Censored], row.Events[stats.Confirmed], row.Events[stats.Referred] = float64(open[i]), float64(confirmed[i]), float64(others[i])
			if n := int64(open[i]) + int64(confirmed[i]) + int64(others[i]); n > 0 { // else it came and went again between the base and now
				found.rows, found.n = append(found.rows, row), found.n+n
			}
		}
		cells[found.key] = &found
		return nil
	})
	return cells, err
}

// endings are the spells with their ending and the point of the grid at which they ended, at most the one after so many units.
func (s *scope) endings(ending string, on grid, units int64) statement {
	rows := s.spells()
	rows.text = "SELECT *, ending < 8 ? " + on.points + " : 0 AS point FROM (" +
		"SELECT *, micros < 0 AND cause < 8 ? 9 : cause AS ending, least(intDiv(micros + {unit:Int64} - 1, {unit:Int64}), {longest:Int64} + 1) AS units FROM (" +
		"SELECT *, toUnixTimestamp64Micro(exit_at) - toUnixTimestamp64Micro(origin_at) AS micros FROM (" +
		"SELECT *, " + ending + " FROM (" + rows.text + "))))"
	return rows.with("unit", on.seconds*1_000_000).with("longest", units)
}

// lifeStatementWithin gathers the spells of a cell by time.
func (s *scope) lifeStatementWithin(ending string, on grid, days int64) statement {
	const gather = "groupArray(point), groupArray(open), groupArray(confirmed), groupArray(others), sum(claimed), sum(judged), sum(merged), sum(invalid)"
	const aggregates = `toInt32(point) AS point, toInt32(sumIf(w, ending = 0)) AS open, toInt32(sumIf(w, ending = 1)) AS confirmed, toInt32(sumIf(w, ending IN (2, 3, 4))) AS others,
		toInt64(sumIf(w, ending < 8 AND claimed_at IS NOT NULL)) AS claimed, toInt64(sumIf(w, ending < 8 AND (resolved_at IS NOT NULL OR dispute_count > 0))) AS judged,
		toInt64(sumIf(w, ending = 8)) AS merged, toInt64(sumIf(w, ending = 9)) AS invalid`
	return s.gathered(&builder{}, s.endings(ending, on, days*secondsPerDay/on.seconds), nil, gather, aggregates, "point")
}

// lifeStatement groups the spells by cell, end and time.
func (s *scope) lifeStatement(ending string, on grid) statement {
	rows := s.endings(ending, on, math.MaxInt64-1)
	rows.text = "SELECT *, subtractDays(" + asOf + ", 28) AS flow_from, origin_at > flow_from AND state != 'MERGED' AS came, ifNull(closed_at > flow_from, 0) AND state = 'CLOSED' AS went FROM (" + rows.text + ")"
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
