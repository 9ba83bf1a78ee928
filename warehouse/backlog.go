package warehouse

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"groundwork/warehouse/stats"
)

// The stock: its age is that at the last moment of observation. What is closed counts in the flow alone.
var backlogSpell = spell{flow: true, end: "multiIf(state = 'MERGED', 8, state = 'CLOSED', 10, state = 'CLAIMED', 5, 0)", micros: "toInt64(-1)", point: "0", phase: phaseOpen,
	rest: []string{"phase = " + merged, "phase != " + merged + " AND origin_at > " + flowFrom, "phase != " + merged + " AND origin_at <= " + flowFrom + " AND closed_at > " + flowFrom}, sums: func(c *cell) []cellSum {
		return []cellSum{lately(&c.unseen, "ending < 8 AND seen_until < "+asOf), lately(&c.inflow, "state != 'MERGED' AND origin_at > "+flowFrom),
			endedLately(&c.outflow, "state = 'CLOSED' AND ifNull(closed_at > "+flowFrom+", 0)")}
	}}

// merged is the phase of an issue that was merged into another: nothing goes on then.
var merged = strconv.Itoa(phaseMerged)

var flowFrom = "subtractDays(" + asOf + ", " + strconv.Itoa(flowDays) + ")"

// Backlog is T4. Numbers: open, awaitingFeedback (of the open), notObserved (of the open), inflow28Days, outflow28Days (counts);
// ageP50Days, ageP90Days (d); shareOver60Days, shareOver90Days (share); flowRatio = inflow/outflow. n = open.
func (m *Measures) Backlog(ctx context.Context, q Query) (*Table, error) {
	s, err := m.scope(ctx, q)
	if err != nil {
		return nil, err
	}
	t := s.table(definition("T4"))
	c := newColumns(t, []Num{
		plain("open", "issues"), plain("awaitingFeedback", "issues"), plain("notObserved", "issues"),
		plain("ageP50Days", "d"), plain("ageP90Days", "d"), plain("shareOver60Days", "share"), plain("shareOver90Days", "share"),
		plain("inflow28Days", "issues"), plain("outflow28Days", "issues"), ranged("flowRatio", "ratio"),
	})
	found, err := m.lifeTables(ctx, s, t, backlogSpell, m.grids)
	if err != nil {
		return nil, err
	}
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	var unseen int64
	for _, cell := range cells {
		unseen += cell.unseen
		if err := c.backlog(cell); err != nil {
			return nil, err
		}
	}
	if unseen > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%s open when last observed (imported) were not observed up to as-of: whether they are still open is unknown, and their age is that at the last observation", issues(unseen)))
	}
	return t, nil
}

func (c *columns) backlog(cell *cell) error {
	c.number("open", float64(cell.n))
	c.number("awaitingFeedback", float64(cell.awaiting))
	c.number("notObserved", float64(cell.unseen))
	for name, p := range map[string]float64{"ageP50Days": 0.5, "ageP90Days": 0.9} {
		c.put(name, ageNotExceeded(cell.rows, p, cell.n), nil, nil)
	}
	for name, days := range map[string]float64{"shareOver60Days": 60, "shareOver90Days": 90} {
		c.number(name, countOver(cell.rows, days)/float64(cell.n)) // 0/0 is NaN, which is nil
	}
	c.number("inflow28Days", float64(cell.inflow))
	c.number("outflow28Days", float64(cell.outflow))
	ratio, err := stats.PoissonRatio(float64(cell.inflow), float64(cell.outflow))
	if err != nil {
		return err
	}
	c.estimate("flowRatio", ratio, 1)
	c.table.N = append(c.table.N, cell.n)
	c.table.flag(map[string]bool{"unstable": cell.n < stats.UnstableBelow})
	return nil
}

// ageNotExceeded is the smallest age that at least the fraction p of the n issues does not exceed.
func ageNotExceeded(ages []stats.LifeRow, p float64, n int64) *float64 {
	need, have := math.Ceil(p*float64(n)-1e-9), 0.0
	for _, row := range ages {
		if have += row.Events[stats.Censored]; have >= need {
			return &row.Time
		}
	}
	return nil
}

func countOver(ages []stats.LifeRow, days float64) (n float64) {
	for _, row := range ages {
		if row.Time > days {
			n += row.Events[stats.Censored]
		}
	}
	return n
}
