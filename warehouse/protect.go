package warehouse

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"groundwork/warehouse/privacy"
)

// maxGrid bounds the cells, with all totals, over which hidden cells are chosen.
const maxGrid = 2_000_000

// keptFlags tell nothing of what is hidden.
var keptFlags = []string{"suppressed", "noPopulation"}

// Flags that Protect sets beside "suppressed": the cell's n is shown, but not how it divides.
const flagPartsHidden = "partsSuppressed"

// Protect hides, in place, what a published table must not tell; counts is the answer of Counts to the same query. It comes last, after
// all figures are computed, and nothing can switch it off.
//
//   - A cell of 1 to 10 issues or reporters is hidden whole (n is 0 and the flag "suppressed" set), and so are further cells, so that
//     totals over any dimension, or over the regions above, give none away.
//   - Where a share or count within n is small, or what remains of n, all shares and counts of the cell are hidden (flag
//     "partsSuppressed"): one of them left out could be got from the others. n is at least 13 where it is divided.
//   - Times are whole days, and weeks beyond 30 days.
func (t *Table) Protect(counts *Table) error {
	if t.Truncated || counts.Truncated {
		return invalid("Limit", "the answer has more cells than the limit, so its totals are not known; raise the limit, split by less, or narrow the filter")
	}
	p, err := newProtection(t, counts)
	if err != nil {
		return err
	}
	must := p.fewReporters(counts)
	for row, cell := range p.cells {
		must[cell] = must[cell] || t.N[row] < leastDivided
	}
	whole := p.grid.Hide(p.wholes, must)
	parts := p.hideParts(whole)
	t.Flags[flagPartsHidden] = make([]bool, len(t.N))
	t.Flags["suppressed"] = make([]bool, len(t.N))
	for row, cell := range p.cells {
		t.Flags["suppressed"][row] = whole[cell]
		t.Flags[flagPartsHidden][row] = parts[cell] && !whole[cell]
		t.hide(row, whole[cell], parts[cell])
		if whole[cell] { // a flag tells of the count: that it is below 30, or striking
			for name, column := range t.Flags {
				column[row] = column[row] && slices.Contains(keptFlags, name)
			}
		}
	}
	t.inheritHidden(p, whole, parts)
	t.protectCurves()
	return nil
}

// inheritHidden empties numbers that are made of other rows where one of these is hidden, and with them the findings of the row.
func (t *Table) inheritHidden(p *protection, whole, parts []bool) {
	hidden := func(row int) bool { return whole[p.cells[row]] || parts[p.cells[row]] }
	for i := range t.Nums {
		n := &t.Nums[i]
		for row, inputs := range t.inputs[n.Name] {
			if whole[p.cells[row]] || !slices.ContainsFunc(inputs, hidden) {
				continue
			}
			for _, column := range [][]*float64{n.Value, n.Lo, n.Hi} {
				if column != nil {
					column[row] = nil
				}
			}
			t.Flags[flagPartsHidden][row] = true
			for _, name := range t.derived {
				t.Flags[name][row] = false
			}
		}
	}
}

func (t *Table) hide(row int, whole, parts bool) {
	if whole {
		t.N[row] = 0
	}
	for _, n := range t.Nums {
		if n.Of != nil && (whole || parts) {
			n.Of[row] = 0
		}
	}
	for i := range t.Nums {
		n := &t.Nums[i]
		columns := [][]*float64{n.Value, n.Lo, n.Hi}
		for _, column := range columns {
			switch {
			case column == nil || column[row] == nil:
			case whole || parts && n.Unit != "d":
				column[row] = nil
			case n.Unit == "d":
				column[row] = wholeDays(*column[row])
			}
		}
	}
}

// wholeDays rounds a time up to days, and beyond 30 of them to weeks.
func wholeDays(days float64) *float64 {
	days = math.Ceil(days)
	if days > 30 {
		days = math.Ceil(days/7) * 7
	}
	return &days
}

// protection is a table laid out on a grid with all its totals.
type protection struct {
	*Table
	grid   *privacy.Grid
	places []map[string]int // of the dimensions' values in the axes
	cells  []int            // of the rows
	wholes []int64          // n, with all totals
}

func newProtection(t, counts *Table) (*protection, error) {
	if len(counts.Dims) != len(t.Dims) {
		return nil, fmt.Errorf("protect %s: its cells are of %d dimensions, and what they count of %d", t.Measure, len(t.Dims), len(counts.Dims))
	}
	p := &protection{Table: t, places: make([]map[string]int, len(t.Dims))}
	axes := make([]privacy.Axis, len(t.Dims))
	size := 1
	for d, dim := range t.Dims {
		axes[d], p.places[d] = axisOf(dim, counts.Dims[d])
		if size *= len(axes[d].Codes); size > maxGrid {
			return nil, invalid("By", "the table has more than %d cells with its totals; split by less or narrow the filter", maxGrid)
		}
	}
	var err error
	if p.grid, err = privacy.NewGrid(axes...); err != nil {
		return nil, fmt.Errorf("lay out the table: %w", err)
	}
	for row := range t.N {
		at := make([]int, len(t.Dims))
		for d, dim := range t.Dims {
			at[d] = p.places[d][identity(dim, dim.Keys[row])]
		}
		p.cells = append(p.cells, p.grid.Cell(at...))
	}
	p.wholes = p.total(func(row int) int64 { return t.N[row] })
	return p, nil
}

// total lays a count of each row out on the grid, with all totals.
func (p *protection) total(of func(row int) int64) []int64 {
	counts := make([]int64, p.grid.Size())
	for row, cell := range p.cells {
		counts[cell] = of(row)
	}
	p.grid.Total(counts)
	return counts
}

// fewReporters marks the cells behind which there are 1 to 10 reporters.
func (p *protection) fewReporters(counts *Table) []bool {
	behind := map[cellKey]int64{}
	for row := range counts.N {
		behind[counts.key(row)] = int64(*counts.Nums[0].Value[row])
	}
	few := make([]bool, p.grid.Size())
	for row, cell := range p.cells {
		few[cell] = privacy.Small(behind[p.key(row)])
	}
	return few
}

func (t *Table) key(row int) (k cellKey) {
	for d, dim := range t.Dims {
		k[d] = identity(dim, dim.Keys[row])
	}
	return k
}

// leastDivided is the smallest n that is shown with shares of it: of 11 or 12 known ones no share leaves a range 11 wide.
const leastDivided = privacy.Least + 2

// hideParts hides the shares and counts of the cells for which one of them asks, for as long as hiding a cell for one column asks for
// more cells of another. Columns that nothing protects, such as a share near 1 everywhere, are left out.
func (p *protection) hideParts(whole []bool) []bool {
	hidden := slices.Clone(whole)
	for grown := true; grown; {
		grown = false
		for i, n := range p.Nums {
			if !isPart(n) {
				continue
			}
			more, ok := p.hideColumn(n, whole, hidden)
			if !ok {
				p.leaveOut(i)
				continue
			}
			for cell, h := range more {
				if h && !hidden[cell] {
					hidden[cell], grown = true, true
				}
			}
		}
	}
	return hidden
}

// countUnits are the units of numbers that are counts.
var countUnits = []string{"issues", "claims", "visits", "legs", "sites", "slots"}

func isPart(n Num) bool { return n.Unit == "share" || isCount(n) }

func isCount(n Num) bool { return slices.Contains(countUnits, n.Unit) }

// leaveOut empties a column; of counts all, and their ratios, since one could be got from the others.
func (p *protection) leaveOut(column int) {
	counts := isCount(p.Nums[column])
	for i := range p.Nums {
		n := &p.Nums[i]
		follows := counts && (isCount(*n) || n.Unit == "ratio")
		if i != column && !follows {
			continue
		}
		p.Notes = append(p.Notes, n.Name+" is left out: the issues within it, or those that remain, are too few in too many cells")
		for _, values := range [][]*float64{n.Value, n.Lo, n.Hi} {
			clear(values)
		}
	}
}

func (p *protection) hideColumn(n Num, whole, must []bool) (hidden []bool, ok bool) {
	if n.Of != nil {
		return p.hideShared(n, must), true
	}
	within := true
	parts := p.total(func(row int) int64 {
		value := n.Value[row]
		switch {
		case value == nil:
			return 0
		case n.Unit == "share":
			return int64(math.Round(*value * float64(p.N[row])))
		}
		within = within && *value <= float64(p.N[row])
		return int64(*value)
	})
	if within {
		hidden, exposed := p.grid.HideParts(parts, p.wholes, whole, must)
		return hidden, len(exposed) == 0
	}
	return p.grid.Hide(parts, must), true // a flow, such as what came in: no part of n
}

// hideShared hides where a share of something else than n has few in it, few beside it or few in all: each is held by itself, since
// any two of them give the third.
func (p *protection) hideShared(n Num, must []bool) []bool {
	within := func(row int) int64 {
		if n.Value[row] == nil {
			return 0
		}
		return int64(math.Round(*n.Value[row] * float64(n.Of[row])))
	}
	hidden := slices.Clone(must)
	for grown := true; grown; {
		grown = false
		for _, of := range []func(int) int64{within, func(row int) int64 { return n.Of[row] - within(row) }, func(row int) int64 { return n.Of[row] }} {
			for cell, h := range p.grid.Hide(p.total(of), hidden) {
				if h && !hidden[cell] {
					hidden[cell], grown = true, true
				}
			}
		}
	}
	return hidden
}

// axisOf is a dimension with its totals: for regions, those of the regions above as well.
func axisOf(dims ...Dim) (privacy.Axis, map[string]int) {
	places := map[string]int{}
	for _, dim := range dims {
		for _, key := range dim.Keys {
			places[identity(dim, key)] = 0
		}
	}
	axis := privacy.Axis{Codes: []string{"TOTAL"}, Parents: []int{-1}}
	values := slices.Sorted(maps.Keys(places))
	upper := upperRegions{axis: &axis, members: map[string]int{}, places: map[string]int{}}
	if dims[0].Dimension == ByRegion {
		upper.count(values)
	}
	for _, value := range values {
		parent := upper.of(value)
		places[value] = len(axis.Codes)
		axis.Codes, axis.Parents = append(axis.Codes, value), append(axis.Parents, parent)
	}
	return axis, places
}

// identity tells the values of a dimension apart; regions go by their codes, which say what lies above them.
func identity(d Dim, k Key) string {
	if d.Dimension == ByRegion {
		return k.Code
	}
	return k.ID
}

// upperRegions are the totals above the regions of a table: of each region that has several of them.
type upperRegions struct {
	axis    *privacy.Axis
	members map[string]int // how many regions of the table begin with these digits
	places  map[string]int
}

// rungs are the lengths of what the codes in a province, a prefecture, a county and a township begin with.
var rungs = []int{2, 4, 6, 9}

func (u upperRegions) count(codes []string) {
	for _, code := range codes {
		for _, rung := range rungs {
			if len(code) >= rung {
				u.members[code[:rung]]++
			}
		}
	}
}

// of is the lowest total above a region; those that are new enter the axis.
func (u upperRegions) of(code string) (parent int) {
	last := 0
	for _, rung := range rungs {
		if len(code) < rung {
			break
		}
		members := u.members[code[:rung]]
		if members < 2 || members == last {
			continue // the region itself, or the same ones as in the total above
		}
		last = members
		at, there := u.places[code[:rung]]
		if !there {
			at = len(u.axis.Codes)
			u.places[code[:rung]] = at
			u.axis.Codes, u.axis.Parents = append(u.axis.Codes, code[:rung]+"…"), append(u.axis.Parents, parent)
		}
		parent = at
	}
	return parent
}
