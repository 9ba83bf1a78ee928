package warehouse

import (
	"context"
	"fmt"
	"strconv"

	"groundwork/warehouse/stats"
)

// How an issue ended, and when. A resolution stands even if the issue was reopened more than 90 days later. A claim that awaits
// the verdict is observed up to the claim.
var resolutionSpell = spell{end: "resolution_end", micros: "resolution_micros", point: "resolution_point", phase: phaseUnresolved,
	kept: "by_resolution", daily: "by_category", late: recentlyResolved, sums: func(c *cell) []cellSum {
		return append(verdictSums(c), endedLately(&c.recent, "resolution_end BETWEEN 1 AND 4 AND "+recentlyResolved))
	}}

var recentlyResolved = "resolution_second > intDiv({as_of:Int64}, 1000000) - " + strconv.Itoa(reopenDays*secondsPerDay)

// confirmedWithin is what of the resolution lies within so many days, for who asks of confirmations alone: the other ends are all Referred, and
// nothing awaits.
func confirmedWithin(days int64) spell {
	how := resolutionSpell
	how.sums, how.late, how.days = verdictSums, "", days
	return how
}

func verdictSums(c *cell) []cellSum {
	return []cellSum{anyTime(&c.claims, "ending < 8 AND claimed"), anyTime(&c.verdicts, "ending < 8 AND judged")}
}

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
	found, err := m.lifeTables(ctx, s, t, resolutionSpell, m.grids)
	if err != nil {
		return nil, err
	}
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	fits, err := beside(len(cells), func(i int) (fit, error) { return fitResolution(cells[i]) })
	if err != nil {
		return nil, err
	}
	silent := 0
	for i, cell := range cells {
		if cell.withoutVerdicts() {
			silent++
		}
		if err := c.resolution(cell, fits[i]); err != nil {
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

// fit is the curve of a cell, and those that it lies between.
type fit struct {
	curve  *stats.Curve
	bounds stats.Bounds
}

func fitResolution(cell *cell) (f fit, err error) {
	if f.curve, err = stats.Fit(cell.rows); err != nil {
		return f, err
	}
	f.bounds, err = stats.FitBounds(cell.rows)
	return f, err
}

func (c *columns) resolution(cell *cell, f fit) error {
	for _, h := range horizons {
		if err := c.confirmed(cell, f.curve, f.bounds, h); err != nil {
			return err
		}
	}
	if err := c.medianAndP90(f.curve); err != nil {
		return err
	}
	mean, err := f.curve.RMST(90)
	if err != nil {
		return err
	}
	c.estimate("rmst90Days", mean, 1)
	confirmed, otherwise := []stats.Cause{stats.Confirmed}, []stats.Cause{stats.Referred, stats.Unconfirmed, stats.Withdrawn}
	c.curve("ended", func() *Steps { return stepsOf(f.curve, f.curve.Failure, confirmed, otherwise) })
	c.curve("confirmed", func() *Steps {
		if cell.withoutVerdicts() {
			return nil
		}
		return stepsOf(f.curve, func(day float64) stats.Estimate { e, _ := f.curve.CIF(stats.Confirmed, day); return e }, confirmed, otherwise) // of a cause that there is
	})
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
