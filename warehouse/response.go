package warehouse

import (
	"context"

	"groundwork/warehouse/stats"
)

// A response ends the wait. A withdrawal without one ends the observation, and so does the moment up to which the issue was
// observed; an issue closed without a response goes on waiting.
var responseSpell = spell{end: "response_end", micros: "response_micros", point: "response_point", phase: phaseUnanswered, kept: "by_response"}

// TimeToResponse is T1. Numbers: responded24h, responded7d, responded30d (share), medianDays, p90Days (d), responded (count).
func (m *Measures) TimeToResponse(ctx context.Context, q Query) (*Table, error) {
	s, err := m.scope(ctx, q)
	if err != nil {
		return nil, err
	}
	t := s.table(definition("T1"))
	c := newColumns(t, []Num{
		ranged("responded24h", "share"), ranged("responded7d", "share"), ranged("responded30d", "share"),
		ranged("medianDays", "d"), ranged("p90Days", "d"), plain("responded", "issues"),
	})
	found, err := m.lifeTables(ctx, s, t, responseSpell, m.grids)
	if err != nil {
		return nil, err
	}
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	curves, err := beside(len(cells), func(i int) (*stats.Curve, error) { return stats.Fit(cells[i].rows) })
	if err != nil {
		return nil, err
	}
	for i, cell := range cells {
		if err := c.response(cell, curves[i]); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (c *columns) response(cell *cell, curve *stats.Curve) error {
	c.estimate("responded24h", curve.Failure(1), 1)
	c.estimate("responded7d", curve.Failure(7), 1)
	c.estimate("responded30d", curve.Failure(30), 1)
	if err := c.medianAndP90(curve); err != nil {
		return err
	}
	c.number("responded", cell.total(1))
	c.failures("responded", curve)
	c.table.N = append(c.table.N, cell.n)
	c.table.flag(map[string]bool{"unstable": cell.n < stats.UnstableBelow})
	return nil
}

func (c *columns) medianAndP90(curve *stats.Curve) error {
	for name, p := range map[string]float64{"medianDays": 0.5, "p90Days": 0.9} {
		q, err := curve.Quantile(p)
		if err != nil {
			return err
		}
		c.quantile(name, q)
	}
	return nil
}
