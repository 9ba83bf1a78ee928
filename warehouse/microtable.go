package warehouse

import (
	"context"
	"slices"

	"groundwork/warehouse/privacy"
)

// TotalKey stands, in a Microtable, where a dimension is not split.
var TotalKey = Key{Code: "TOTAL", Label: "Total"}

// Microtable counts issues per cell with the totals over every dimension, fit for publication: small counts and as many others as the
// totals make necessary are hidden (flag "suppressed", n = 0), the others rounded to multiples of 5. Cells that are not listed have no
// issues. Totals are rounded by themselves, so they need not be the sums of their rounded parts.
func (m *Measures) Microtable(ctx context.Context, q Query) (*Table, error) {
	counts, err := m.Counts(ctx, q)
	if err != nil {
		return nil, err
	}
	if counts.Truncated {
		return nil, invalid("Limit", "the table has more cells than the limit, so its totals are not known; raise the limit, split by less, or narrow the filter")
	}
	p, err := newProtection(counts, counts)
	if err != nil {
		return nil, err
	}
	few := make([]bool, p.grid.Size())
	for _, by := range subsets(q.By) {
		if err := m.fewReporters(ctx, q, by, p, few); err != nil {
			return nil, err
		}
	}
	totals := p.total(func(row int) int64 { return counts.N[row] })
	return p.microtable(totals, p.grid.Hide(totals, few)), nil
}

// fewReporters marks the cells of a split, totals in the dimensions that it leaves out, behind which there are few reporters. Reporters
// of a total are not the sum of those of its parts, so each split is counted.
func (m *Measures) fewReporters(ctx context.Context, q Query, by []Dimension, p *protection, few []bool) error {
	part := q
	part.By = by
	counts, err := m.Counts(ctx, part)
	if err != nil {
		return err
	}
	for row := range counts.N {
		at, known := make([]int, len(p.Dims)), true
		for d, dim := range p.Dims {
			if i := slices.Index(by, dim.Dimension); i >= 0 && known {
				at[d], known = p.places[d][identity(dim, counts.Dims[i].Keys[row])]
			}
		}
		if known { // a cell that has come into being since is not in the table
			few[p.grid.Cell(at...)] = privacy.Small(int64(*counts.Nums[0].Value[row]))
		}
	}
	return nil
}

// subsets lists all selections of the dimensions, in their order.
func subsets(dims []Dimension) (all [][]Dimension) {
	for mask := range 1 << len(dims) {
		var some []Dimension
		for i, d := range dims {
			if mask>>i&1 == 1 {
				some = append(some, d)
			}
		}
		all = append(all, some)
	}
	return all
}

// microtable lists the cells with issues, each dimension's values or its total.
func (p *protection) microtable(totals []int64, hidden []bool) *Table {
	t := &Table{Measure: p.Measure, DefinitionVersion: p.DefinitionVersion, Anchor: p.Anchor, Method: p.Method, AsOf: p.AsOf, Watermark: p.Watermark,
		Fresh: p.Fresh, Flags: map[string][]bool{"suppressed": {}}, Excluded: p.Excluded, Notes: p.Notes}
	keys := make([]map[int]Key, len(p.Dims)) // by place
	for d, dim := range p.Dims {
		t.Dims = append(t.Dims, Dim{Dimension: dim.Dimension})
		keys[d] = map[int]Key{0: TotalKey}
		for _, k := range dim.Keys {
			keys[d][p.places[d][identity(dim, k)]] = k
		}
	}
	for cell, n := range totals {
		row, listed := p.keysOf(cell, keys)
		if n == 0 || !listed {
			continue
		}
		for d := range t.Dims {
			t.Dims[d].Keys = append(t.Dims[d].Keys, row[d])
		}
		n = privacy.Round(n)
		if hidden[cell] {
			n = 0
		}
		t.N = append(t.N, n)
		t.flag(map[string]bool{"suppressed": hidden[cell]})
	}
	return t
}

// keysOf names a cell of the grid; the totals of regions between are not listed.
func (p *protection) keysOf(cell int, keys []map[int]Key) ([]Key, bool) {
	row := make([]Key, len(keys))
	for d := range keys {
		key, listed := keys[d][p.grid.At(cell, d)]
		if !listed {
			return nil, false
		}
		row[d] = key
	}
	return row, true
}
