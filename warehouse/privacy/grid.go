package privacy

import (
	"fmt"
	"slices"
)

// Axis is one dimension of a grid: a tree of its values. A flat list is a tree of one root, the total, and its children.
type Axis struct {
	Codes   []string
	Parents []int // index of the value above; -1 = none. Values stand behind those above them
	leaves  []int
	below   [][]int
}

// Flat is an axis of values that add up to one total, which stands first.
func Flat(codes ...string) Axis {
	a := Axis{Codes: append([]string{""}, codes...), Parents: make([]int, len(codes)+1)}
	a.Parents[0] = -1
	return a
}

// Grid is a table with all its totals: a cell for each combination of values of its axes.
type Grid struct {
	axes    []Axis
	strides []int
	size    int
}

// NewGrid makes a grid of axes. A value that stands before the one above it is an error.
func NewGrid(axes ...Axis) (*Grid, error) {
	g := &Grid{axes: slices.Clone(axes), strides: make([]int, len(axes)), size: 1}
	for d := len(axes) - 1; d >= 0; d-- {
		a := &g.axes[d]
		if len(a.Codes) == 0 || len(a.Codes) != len(a.Parents) {
			return nil, fmt.Errorf("axis %d has %d codes and %d parents; give one parent a code, and at least one", d, len(a.Codes), len(a.Parents))
		}
		a.below = make([][]int, len(a.Codes))
		for node, parent := range a.Parents {
			if parent >= node || parent < -1 {
				return nil, fmt.Errorf("axis %d: value %q stands before the one above it", d, a.Codes[node])
			}
			if parent >= 0 {
				a.below[parent] = append(a.below[parent], node)
			}
		}
		for node := range a.Codes {
			if len(a.below[node]) == 0 {
				a.leaves = append(a.leaves, node)
			}
		}
		g.strides[d] = g.size
		g.size *= len(a.Codes)
	}
	return g, nil
}

// Size is the number of cells, totals included.
func (g *Grid) Size() int { return g.size }

// Cell is the index of the cell at the values' indexes, one an axis.
func (g *Grid) Cell(values ...int) int {
	cell := 0
	for d, v := range values {
		cell += v * g.strides[d]
	}
	return cell
}

// At is the index of the cell's value in an axis.
func (g *Grid) At(cell, axis int) int { return cell / g.strides[axis] % len(g.axes[axis].Codes) }

// Total fills in the totals from the cells that have none below them.
func (g *Grid) Total(counts []int64) {
	for d := range g.axes {
		for node := len(g.axes[d].Codes) - 1; node >= 0; node-- {
			if len(g.axes[d].below[node]) == 0 {
				continue
			}
			for cell := range g.size {
				if g.At(cell, d) != node {
					continue
				}
				counts[cell] = 0
				for _, child := range g.axes[d].below[node] {
					counts[cell] += counts[cell+(child-node)*g.strides[d]]
				}
			}
		}
	}
}

// line is a total and the cells that add up to it.
type line struct {
	total int
	parts []int
}

// lines lists all totals of the grid.
func (g *Grid) lines() (all []line) {
	for cell := range g.size {
		for d := range g.axes {
			node := g.At(cell, d)
			if len(g.axes[d].below[node]) == 0 {
				continue
			}
			l := line{total: cell}
			for _, child := range g.axes[d].below[node] {
				l.parts = append(l.parts, cell+(child-node)*g.strides[d])
			}
			all = append(all, l)
		}
	}
	return all
}
