package warehouse

import (
	"context"
	"fmt"

	"groundwork/warehouse/stats"
)

// How an issue ended, and when. A resolution stands even if the issue was reopened more than 90 days later. A claim that awaits
// the verdict is observed up to the claim.
var resolutionSpell = spell{sql: `multiIf(
		state = 'MERGED', 8,
		resolved_at IS NOT NULL, 1,
		state != 'CLOSED' OR closed_at IS NULL, 0,
		closure_type = 'CONFIRMED', 1,
		closure_type IN ('EXPLAINED', 'REFERRED_OUT'), 2,
		closure_type = 'UNCONFIRMED', 3,
		closure_type = 'WITHDRAWN', 4,
		0) AS cause,
	cause = 0 AND state = 'CLAIMED' AND claimed_at IS NOT NULL AS awaiting,
	multiIf(
		resolved_at IS NOT NULL, assumeNotNull(resolved_at),
		awaiting, assumeNotNull(claimed_at),
		closed_at IS NOT NULL AND state = 'CLOSED', assumeNotNull(closed_at),
		greatest(seen_until, origin_at)) AS exit_at`}

// reopenDays is how long a reopening takes a resolution back.
const reopenDays = 90

var horizons = []int{30, 60, 90}

// TimeToResolution is T2. Numbers: confirmed30, confirmed60, confirmed90 (share) with their bounds confirmed30Lower,
// confirmed30Upper and so on; medianDays, p90Days, rmst90Days (d); open, awaitingFeedback, confirmed, explainedOrReferred,
// unconfirmed, withdrawn (counts, which add up to n).
func (m *Measures) TimeToResolution(ctx context.Context, q Query) (*Table, error) {
	s, err := m.scope(ctx, q)
	if err != nil {
		return nil, err
	}
	t := s.table(definition("T2"))
	var specs []Num
	for _, h := range horizons {
		name := fmt.Sprintf("confirmed%d", h)
		specs = append(specs, ranged(name, "share"), plain(name+"Lower", "share"), plain(name+"Upper", "share"))
	}
	specs = append(specs, ranged("medianDays", "d"), ranged("p90Days", "d"), ranged("rmst90Days", "d"))
	for _, name := range []string{"open", "awaitingFeedback", "confirmed", "explainedOrReferred", "unconfirmed", "withdrawn"} {
		specs = append(specs, plain(name, "issues"))
	}
	c := newColumns(t, specs)
	found, err := m.lifeTables(ctx, s, t, resolutionSpell)
	if err != nil {
		return nil, err
	}
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	silent := 0
	for _, cell := range cells {
		if cell.withoutVerdicts() {
			silent++
		}
		if err := c.resolution(cell); err != nil {
			return nil, err
		}
	}
	t.noteSilence(silent, len(cells))
	return t, nil
}

// withoutVerdicts: somebody claimed, and not one citizen was ever asked. Then nobody can say what share was resolved.
func (c *cell) withoutVerdicts() bool { return c.claims > 0 && c.verdicts == 0 }

func (t *Table) noteSilence(silent, cells int) {
	const meaning = "no confirmations are recorded: the share resolved lies between the bounds; a claim is not a resolution"
	switch silent {
	case 0:
	case cells:
		t.Notes = append(t.Notes, meaning)
	default:
		t.Notes = append(t.Notes, fmt.Sprintf("in %d of %d cells %s", silent, cells, meaning))
	}
}

func (c *columns) resolution(cell *cell) error {
	curve, err := stats.Fit(cell.rows)
	if err != nil {
		return err
	}
	bounds, err := stats.FitBounds(cell.rows)
	if err != nil {
		return err
	}
	for _, h := range horizons {
		if err := c.confirmed(cell, curve, bounds, h); err != nil {
			return err
		}
	}
	if err := c.medianAndP90(curve); err != nil {
		return err
	}
	mean, err := curve.RMST(90)
	if err != nil {
		return err
	}
	c.estimate("rmst90Days", mean, 1)
	c.number("open", cell.total(stats.Censored)-float64(cell.awaiting))
	c.number("awaitingFeedback", float64(cell.awaiting))
	c.number("confirmed", cell.total(stats.Confirmed))
	c.number("explainedOrReferred", cell.total(stats.Referred))
	c.number("unconfirmed", cell.total(stats.Unconfirmed))
	c.number("withdrawn", cell.total(stats.Withdrawn))
	c.table.N = append(c.table.N, cell.n)
	c.table.flag(map[string]bool{
		"unstable":    cell.n < stats.UnstableBelow,
		"provisional": cell.recent > 0,
	})
	return nil
}

func (c *columns) confirmed(cell *cell, curve *stats.Curve, bounds stats.Bounds, horizon int) error {
	name := fmt.Sprintf("confirmed%d", horizon)
	share, err := curve.CIF(stats.Confirmed, float64(horizon))
	if err != nil {
		return err
	}
	lower, upper, err := bounds.Confirmed(float64(horizon))
	if err != nil {
		return err
	}
	if cell.withoutVerdicts() {
		c.missing(name)
	} else {
		c.estimate(name, share, 1)
	}
	c.estimate(name+"Lower", lower, 1)
	c.estimate(name+"Upper", upper, 1)
	return nil
}
