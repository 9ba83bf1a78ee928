package warehouse

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"groundwork/warehouse/stats"
)

// dueRows has one row an issue with a due time, anchored at it: whether it counts, and how it stands.
func (s *scope) dueRows() statement { return standings(s.dueMarks()) }

// dueMarks has one row an issue with a due time, anchored at it, and what standings make of it where it stands.
func (s *scope) dueMarks() statement {
	rows := s.spells()
	rows.text = "SELECT s.* REPLACE (assumeNotNull(s.due_at) AS anchor_at), bitOr(s.due_marks, bitOr(32 * (assumeNotNull(s.due_at) <= " + asOf +
		"), 64 * (s.state != 'CLOSED' AND s.seen_until < least(assumeNotNull(s.due_at), " + asOf + ")))) AS marks FROM (" + rows.text + ") AS s WHERE s.due_at IS NOT NULL AND s.state != 'MERGED'"
	return rows
}

// standings names the marks. Held: the remedy was confirmed in time, or the refusal was explained in time.
func standings(rows statement) statement {
	var named strings.Builder
	for i, name := range []string{"closed", "held", "waits", "withdrawn", "told", "due", "unseen"} {
		fmt.Fprintf(&named, ", bitTest(marks, %d) AS %s", i, name)
	}
	rows.text = "SELECT *" + named.String() + ", due AND NOT withdrawn AND NOT unseen AS counts, closed AND NOT held AS late, NOT closed AND NOT held AND NOT waits AS overdue FROM (" + rows.text + ")"
	return rows
}

// pooled counts rows that have the same marks as one, of their weight together, where the cells are of regions alone.
func (s *scope) pooled(rows statement) statement {
	if slices.ContainsFunc(s.By, func(d Dimension) bool { return d != ByRegion }) {
		return rows
	}
	key, unpacked := "toUInt64(marks)", "toUInt8(packed) AS marks"
	if s.split(ByRegion) {
		key += " + bitShiftLeft(toUInt64(region_place), 8)"
		unpacked += ", toUInt32(bitShiftRight(packed, 8)) AS region_place"
	}
	if s.from != nil || s.to != nil {
		key, unpacked = key+" AS packed, anchor_at AS anchor", unpacked+", any(anchor) AS anchor_at"
	} else {
		key += " AS packed"
	}
	b := &builder{values: rows.values}
	b.write("SELECT ", unpacked, ", toInt64(sum(weight)) AS w FROM (SELECT ", key, ", w AS weight FROM (", rows.text, ")")
	s.window(b)
	b.write(") GROUP BY packed")
	return b.statement()
}

// OnTime is T3. Numbers: onTime (share), onTimeUpper (share), onTimeIssues, late, openOverdue, awaitingFeedback, notYetDue (counts).
// n = issues due by as-of.
func (m *Measures) OnTime(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "T3")
	if err != nil {
		return nil, err
	}
	if err := m.useBase(ctx, s, issueBase); err != nil {
		return nil, err
	}
	parts := []statement{s.dueMarks()}
	if s.wholly() && s.from == nil && s.to == nil {
		parts = s.dueByDay()
	}
	for i := range parts {
		parts[i] = standings(s.pooled(parts[i]))
	}
	found, err := m.tally(ctx, s, tally{parts: parts, sums: []string{
		"sumIf(w, counts)", "sumIf(w, counts AND held)", "sumIf(w, counts AND waits)", "sumIf(w, counts AND late)", "sumIf(w, counts AND overdue)", "sumIf(w, NOT due)",
		"sumIf(w, due AND withdrawn)", "sumIf(w, due AND unseen AND NOT withdrawn)",
		"sumIf(w, counts AND told)",
	}})
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{
		ranged("onTime", "share"), plain("onTimeUpper", "share"), plain("onTimeIssues", "issues"), plain("late", "issues"),
		plain("openOverdue", "issues"), plain("awaitingFeedback", "issues"), plain("notYetDue", "issues"),
	})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	silent := 0
	for _, cell := range cells {
		due, held, waits := cell.sums[0], cell.sums[1], cell.sums[2]
		if waits > 0 && cell.sums[8] == 0 { // claims came in time, and nobody was ever asked: 0 would say that none held
			c.missing("onTime")
			silent++
		} else if err := c.share("onTime", held, due); err != nil {
			return nil, err
		}
		c.number("onTimeUpper", (held+waits)/due)
		for i, name := range []string{"onTimeIssues", "awaitingFeedback", "late", "openOverdue", "notYetDue"} {
			c.number(name, cell.sums[1+i])
		}
		t.exclude("withdrawn", int64(cell.sums[6]))
		t.exclude("notObservedUntilDue", int64(cell.sums[7]))
		c.end(int64(due), map[string]bool{"provisional": waits > 0})
	}
	if len(cells) == 0 {
		t.Notes = append(t.Notes, "not computable: no issue here has a due time, since no target was in force when it came in")
	}
	t.noteSilence(silent, len(cells))
	return t, m.withReporters(ctx, s, t, s.nearby((*scope).dueRows))
}

// secondsUp is SQL of the whole seconds from one moment to another, rounded up as all times are: dateDiff would count the strokes of the second between them.
func secondsUp(from, to string) string {
	return "intDiv(greatest(0, toUnixTimestamp64Micro(" + to + ") - toUnixTimestamp64Micro(" + from + ")) + 999999, 1000000)"
}

// clockRows has one row an issue: how long it was open until its closing or as-of (gross), and paused (s), its legs, and how many of them were returned, each as often as it weighs.
func (s *scope) clockRows() statement {
	rows := s.histories(records{legs: true})
	// One step after the other: the engine writes out what a name stands for wherever it is named beside it.
	rows.text = "SELECT *, least(gross, paused_seconds + ifNull(" + secondsUp("paused_since", "seen_until") + ", 0)) AS paused FROM (" +
		"SELECT *, " + secondsUp("origin_at", "if(state = 'CLOSED', ifNull(closed_at, seen_until), seen_until)") + " AS gross FROM (" + rows.text + "))"
	rows = historyMarks.named(rows, "counts", "counts", "returned_twice")
	rows.text = "SELECT *, w * gross AS all_gross, w * paused AS all_paused, w * toInt128(gross * gross) AS gross_squared, w * toInt128(paused * paused) AS paused_squared, w * toInt128(gross * paused) AS gross_paused, " +
		"w * legs AS all_legs, w * returned AS all_returned, observed_until IS NULL OR legs > 0 AS traced FROM (" + rows.text + ")"
	return rows
}

// keptClocks are those of the base added up, of issues that are over.
var keptClocks = addedUp{sums: "by_clock", settled: "over", open: "NOT over", columns: "`bitTest(marks, 7)` AS returned_twice, `or(isNull(observed_until), greater(legs, 0))` AS traced, finalizeAggregation(" + sumWeight + ") AS w, " +
	keptClock("gross", "all_gross") + ", " + keptClock("paused", "all_paused") + ", " + keptClock("toInt128(multiply(gross, gross))", "gross_squared") + ", " + keptClock("toInt128(multiply(paused, paused))", "paused_squared") + ", " +
	keptClock("toInt128(multiply(gross, paused))", "gross_paused") + ", " + keptClock("legs", "all_legs") + ", " + keptClock("returned", "all_returned")}

func keptClock(of, name string) string {
	return "finalizeAggregation(`sum(multiply(w, " + of + "))`) AS " + name
}

// ClockIntegrity is T5. Numbers: pausedShare (share of time), returnedLegs (share of legs), returnedTwice (share), legs (count).
// n = issues.
func (m *Measures) ClockIntegrity(ctx context.Context, q Query) (*Table, error) {
	s, t, err := m.begin(ctx, Question{Query: q}, "T5")
	if err != nil {
		return nil, err
	}
	if err := m.useBase(ctx, s, historyBase); err != nil {
		return nil, err
	}
	parts := s.historyParts(keptClocks, nil, (*scope).clockRows)
	found, err := m.tally(ctx, s, tally{parts: parts, sums: []string{
		"sum(all_gross)", "sum(all_paused)", "sum(gross_squared)", "sum(paused_squared)", "sum(gross_paused)", "sum(all_legs)", "sum(all_returned)", "sumIf(w, returned_twice)", "sumIf(w, traced)",
	}})
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{ranged("pausedShare", "share of time"), shared("returnedLegs"), ranged("returnedTwice", "share"), plain("legs", "legs")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	imported := 0
	for _, cell := range cells {
		v := cell.sums
		if v[8] == 0 {
			imported++
			c.missing("pausedShare", "returnedTwice")
			c.none("returnedLegs")
			c.missing("legs")
			c.end(cell.n, nil)
			continue
		}
		paused, err := stats.Ratio(stats.Moments{N: float64(cell.n), X: v[0], Y: v[1], XX: v[2], YY: v[3], XY: v[4]})
		if err != nil {
			return nil, err
		}
		c.estimate("pausedShare", paused, 1)
		if err := c.share("returnedLegs", v[6], v[5]); err != nil {
			return nil, err
		}
		if err := c.share("returnedTwice", v[7], float64(cell.n)); err != nil {
			return nil, err
		}
		c.number("legs", v[5])
		c.end(cell.n, nil)
	}
	t.noteNothing(len(cells), "not computable: no issue came in here")
	t.noteImports(imported, len(cells), "no pause and no leg")
	return t, nil
}
