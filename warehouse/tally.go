package warehouse

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"groundwork/warehouse/stats"
)

// tally counts, per cell, units of some kind (issues, claims, verdicts, visits) and sums over them. rows is SQL with one row a unit: the
// columns of spells or of visitRows, with anchor_at as the time at which the unit belongs to a period; sums are aggregates over rows. Weighted
// rows (of which the base was allowed) come in parts; of these sums must sum w, and units do.
type tally struct {
	rows  statement
	parts []statement // in place of rows
	sums  []string
}

// tallied is a cell of a tally.
type tallied struct {
	n    int64
	sums []float64
}

func (t *tallied) add(part tallied) {
	t.n += part.n
	for i, sum := range part.sums {
		t.sums[i] += sum
	}
}

// tally counts the units whose anchor lies in the window of the scope.
func (m *Measures) tally(ctx context.Context, s *scope, how tally) (map[cellKey]*tallied, error) {
	cells := map[cellKey]*tallied{}
	sums := &strings.Builder{}
	for _, sum := range how.sums {
		fmt.Fprintf(sums, ", ifNotFinite(ifNull(toFloat64(%s), 0), 0)", sum)
	}
	units := "toInt64(sum(w))"
	if how.parts == nil {
		units, how.parts = "toInt64(count())", []statement{how.rows}
	}
	parts := make([]statement, len(how.parts))
	for i, rows := range how.parts {
		parts[i] = s.group(rows, units+sums.String())
	}
	err := m.eachOf(ctx, "count", parts, func() ([]any, func()) {
		targets, key := s.scanKeys()
		row := tallied{sums: make([]float64, len(how.sums))}
		targets = append(targets, &row.n)
		for i := range row.sums {
			targets = append(targets, &row.sums[i])
		}
		return targets, func() {
			k := key()
			if cells[k] == nil {
				cells[k] = &tallied{sums: make([]float64, len(how.sums))}
			}
			cells[k].add(row)
		}
	})
	maps.DeleteFunc(cells, func(_ cellKey, c *tallied) bool { return c.n == 0 }) // what came and went again leaves nothing
	if exceptionCode(err) == codeTooManyRows {
		return nil, invalid("By", "the split gives more cells than one answer can hold; split by less, roll regions up to a level, or narrow the filter")
	}
	return cells, err
}

// group makes the statement that aggregates rows by cell, of those whose anchor lies in the window.
func (s *scope) group(rows statement, aggregates string, further ...string) statement {
	return s.byCell(&builder{}, rows, s.window, aggregates, further...)
}

// window writes the condition on the anchor.
func (s *scope) window(b *builder) {
	and := " WHERE "
	if s.from != nil {
		b.write(and, "anchor_at >= fromUnixTimestamp64Micro({window_from:Int64}, 'UTC')")
		b.value("window_from", ceilMicro(*s.from))
		and = " AND "
	}
	if s.to != nil {
		b.write(and, "anchor_at < fromUnixTimestamp64Micro({window_to:Int64}, 'UTC')")
		b.value("window_to", ceilMicro(*s.to))
	}
}

// withReporters adds to the table how many units and reporters there are behind its cells, for Protect.
func (m *Measures) withReporters(ctx context.Context, s *scope, t *Table, of voices) error {
	if !s.Protect {
		return nil
	}
	found, err := m.reporters(ctx, s, of, func(yield func(cellKey) bool) {
		for row := range t.N {
			if !yield(t.cell(row)) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	s.spokenBy(t, func(row int) int64 { return found[t.cell(row)].reporters })
	return nil
}

// withReportersOf is withReporters of rows of claims or ratings.
func (m *Measures) withReportersOf(ctx context.Context, s *scope, t *Table, rows func(*scope) statement) error {
	if !s.Protect {
		return nil
	}
	of, err := m.speakers(ctx, s, rows)
	if err != nil {
		return err
	}
	return m.withReporters(ctx, s, t, of)
}

// spokenBy tells Protect how many reporters there are behind each row.
func (s *scope) spokenBy(t *Table, reporters func(row int) int64) {
	t.counts = s.table(Definition{})
	c := newColumns(t.counts, []Num{plain("reporters", "persons")})
	t.counts.Dims = t.Dims
	for row, n := range t.N {
		c.number("reporters", float64(reporters(row)))
		t.counts.N = append(t.counts.N, n)
		t.counts.flag(nil)
	}
}

// cell is the key of a row, as queries have it.
func (t *Table) cell(row int) (k cellKey) {
	for d, dim := range t.Dims {
		k[d] = identity(dim, dim.Keys[row])
	}
	return k
}

// shared specifies a share with an interval that is of something else than n.
func shared(name string) Num {
	return Num{Name: name, Unit: "share", Lo: []*float64{}, Hi: []*float64{}, Of: []int64{}}
}

// share puts x of n with its Wilson interval; a share of nothing is unknown.
func (c *columns) share(name string, x, n float64) error {
	num := &c.table.Nums[c.index[name]]
	if num.Of != nil {
		num.Of = append(num.Of, int64(n))
	}
	if n == 0 {
		c.missing(name)
		return nil
	}
	e, err := stats.Wilson(x, n)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c.estimate(name, e, 1)
	return nil
}

// none puts a share of nothing.
func (c *columns) none(name string) {
	num := &c.table.Nums[c.index[name]]
	num.Of = append(num.Of, 0)
	c.missing(name)
}

// noteNothing says why there are no rows.
func (t *Table) noteNothing(rows int, why string) {
	if rows == 0 {
		t.Notes = append(t.Notes, why)
	}
}

// noteImports says in how many cells all is imported, from where such things are never told.
func (t *Table) noteImports(imported, cells int, what string) {
	switch imported {
	case 0:
	case cells:
		t.Notes = append(t.Notes, "not computable: all is imported here, and imports tell of "+what)
	default:
		t.Notes = append(t.Notes, fmt.Sprintf("not computable in %d of %d cells: all is imported there, and imports tell of %s", imported, cells, what))
	}
}

// shares puts several shares of the same n.
func (c *columns) shares(n float64, parts map[string]float64) error {
	for name, x := range parts {
		if err := c.share(name, x, n); err != nil {
			return err
		}
	}
	return nil
}

// end closes a row.
func (c *columns) end(n int64, flags map[string]bool) {
	c.table.N = append(c.table.N, n)
	if flags == nil {
		flags = map[string]bool{}
	}
	flags["unstable"] = flags["unstable"] || n < stats.UnstableBelow
	c.table.flag(flags)
}
