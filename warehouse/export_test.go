package warehouse

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"groundwork/warehouse/stats"
)

// HandOver limits how many groups ClickHouse may hand over, so that tests reach the coarser units with few rows.
func (m *Measures) HandOver(groups uint64) { m.maxGroups = groups }

// Arrays limits how many counts by time the arrays of an answer may have together; beyond it each is handed over by itself.
func (m *Measures) Arrays(counts uint64) { m.maxCounts = counts }

// ByHour lets times be counted as where there are many issues.
func (m *Measures) ByHour() { m.coarse = true }

// HourOf is SQL of the number of a number of hours, and what leads from the number to the hours that it stands for.
func HourOf() (sql string, hours func(number int64) int64) { return byHour.number, byHour.units }

// Sequence is SQL of a number by which rows lie in the order of a moment, then of their entry.
func Sequence(at, id string) string { return sequence(at, id) }

// Voices are the units and reporters behind the cells of an answer that was protected.
func (t *Table) Voices() *Table { return t.counts }

// Render returns the schema files as the layout fills them.
func (l Layout) Render() (fs.FS, error) { return l.render() }

// WithoutBase makes the measures read the mirror alone.
func (m *Measures) WithoutBase() { m.mirrorOnly = true }

// WithoutSums makes the measures read the base as on a server that knows no table function mergeTreeProjection.
func (m *Measures) WithoutSums() { m.withoutSums = true }

// Moved limits of how many issues that changed since a base the rows go with a statement.
func (m *Measures) Moved(most int) { m.maxMoved = most }

// Send limits how many values go with a statement as they are.
func (m *Measures) Send(most int) { m.maxSent = most }

// Sample sets how many issues of the base are looked at where some are enough.
func (m *Measures) Sample(issues int64) { m.sample = issues }

// LookEachTime makes the cache look at the versions for every question, by the given clock.
func (c *Cache) LookEachTime(now func() time.Time) { c.now, c.again = now, 0 }

// Refused asks what ClickHouse refuses with that code.
func (m *Measures) Refused(ctx context.Context, code int) error {
	refusal := statement{text: fmt.Sprintf("SELECT throwIf(1, 'as a test wants it', toInt16(%d)) SETTINGS allow_custom_error_code_in_throwif = 1", code)}
	return m.each(ctx, "ask", refusal, func(scan func(...any) error) error { return scan(new(uint8)) })
}

// AskOf asks for a number that is bound twice, by both ways in which statements get their values.
func (m *Measures) AskOf(ctx context.Context, first, second int64) (n int64, err error) {
	b := &builder{values: statement{}.with("n", first).values}
	b.write("SELECT {n:Int64}")
	b.value("n", second)
	return n, m.each(ctx, "ask", b.statement(), func(scan func(...any) error) error { return scan(&n) })
}

// Remembers reports whether something was read that can be taken from memory.
func (m *Measures) Remembers(what string) bool { return m.memory.Contains(what) }

// ReadCounts reads the text that the engine makes of an array of whole numbers.
func ReadCounts(text string) ([]int64, error) {
	var c counts
	err := c.Scan(text)
	return c, err
}

// NumberedCounts are how many issues have the number of a time, one by one.
type NumberedCounts struct{ Numbers, Counts []int64 }

// CountByHour is the life table, by hour, of a cell whose issues ended in several ways: those of each have the index of it as their end.
func CountByHour(ends []NumberedCounts) []stats.LifeRow {
	var c cell
	for end, of := range ends {
		c.count(uint8(end), nil, of.Numbers, of.Counts, byHour)
	}
	c.inOrder()
	return c.rows
}

// DaysByHour is the time of the point with a number.
func DaysByHour(number int64) float64 { return byHour.days(number) }

// Slice has a keeper build the base by statements of about so many rows.
func (k *Keeper) Slice(rows uint64) { k.slice = rows }

// Most has a keeper build a base anew rather than fold in more issues than that.
func (k *Keeper) Most(issues uint64) { k.most = issues }

// RowsRead has statements read so many rows of a base one by one.
func (m *Measures) RowsRead(rows int64) { m.rowsRead = rows }

// StepsOf reads a fitted curve at the days of curves; Shown is what of it a published table tells.
func StepsOf(curve *stats.Curve, parts ...[]stats.Cause) *Steps {
	return stepsOf(curve, curve.Failure, parts...)
}
func (s *Steps) Shown() *Steps      { return s.protect() }
func (s *Steps) Ended() [][]float64 { return s.ended }

// InBase is a condition by which rows of a base are of the issues that a query gives the ids of.
func InBase(ids string) string { return inBase(ids) }

// MovedRecurrences is SQL of the ids of the issues whose rows in the base of recurrences changed.
func MovedRecurrences() string { return recurrenceBase.moved }
