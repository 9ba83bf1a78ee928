package privacy

import (
	"cmp"
	"math"
	"slices"
)

// unbounded is room without end, small enough to be added to itself.
const unbounded = math.MaxInt64 / 4

// Hide returns which cells of a table of counts are hidden. The counts hold all totals (Grid.Total); must, which may be nil, are
// cells to be hidden whatever their count.
func (g *Grid) Hide(counts []int64, must []bool) []bool {
	hidden := make([]bool, g.size)
	for cell, n := range counts {
		hidden[cell] = Small(n) || must != nil && must[cell] && n > 0
	}
	h := hiding{Grid: g, counts: counts, hidden: hidden, covered: make([]bool, g.size), room: func(cell int) (down, up int64) {
		return counts[cell] - 1, unbounded // that it is hidden tells that it is not 0
	}}
	for cell := range hidden {
		h.cover(cell) // never fails: all totals above a cell can be hidden with it, and then nothing bounds it
	}
	return hidden
}

// HideParts does the same for a count of those among wholes (such as the answered among all) whose wholes are published where
// they are not hidden. A small rest is hidden as a small part is, and so are the cells of must, which may be nil. exposed are cells
// that no choice of further cells protects, such as some of 12 known ones: nothing may be published until their wholes are hidden.
func (g *Grid) HideParts(parts, wholes []int64, wholesHidden, must []bool) (hidden []bool, exposed []int) {
	hidden = make([]bool, g.size)
	for cell := range parts {
		hidden[cell] = wholesHidden[cell] || SmallPart(parts[cell], wholes[cell]) || must != nil && must[cell]
	}
	h := hiding{Grid: g, counts: parts, hidden: hidden, covered: make([]bool, g.size), room: func(cell int) (down, up int64) {
		if wholesHidden[cell] {
			return parts[cell] - 1, unbounded
		}
		return parts[cell] - 1, wholes[cell] - parts[cell] - 1
	}}
	for cell := range hidden {
		// None or all of a whole that is shown needs no protection, and cannot be moved.
		if movable := parts[cell] > 0 && (wholesHidden[cell] || parts[cell] < wholes[cell]); movable && !h.cover(cell) {
			exposed = append(exposed, cell)
		}
	}
	return hidden, exposed
}

type hiding struct {
	*Grid
	counts  []int64
	hidden  []bool
	covered []bool                          // lies on a loop that is wide enough
	room    func(cell int) (down, up int64) // how far the count of a hidden cell could be away, by itself
}

// cover makes sure that a hidden cell lies on a loop of hidden cells along which at least 11 can be shifted. Of all such loops that
// were looked at, it takes the one that costs least: the smallest sum of counts that are hidden only for it.
func (h *hiding) cover(cell int) bool {
	if !h.hidden[cell] || h.covered[cell] {
		return true
	}
	options := make([][]path, len(h.axes))
	for d := range h.axes {
		options[d] = h.options(cell, d)
	}
	var best []step
	least := int64(math.MaxInt64)
	h.product(options, func(loop []step) {
		if cost, ok := h.cost(loop); ok && cost < least {
			best, least = slices.Clone(loop), cost
		}
	})
	for _, s := range best {
		h.hidden[s.cell], h.covered[s.cell] = true, true
	}
	return best != nil
}

// path is a loop in one axis: values that rise (+1) and fall (-1) together so that no total of the axis changes.
type path []step

// step is a value of an axis, or a cell of the grid, with the direction in which it moves.
type step struct {
	cell int
	sign int64
}

// maxOptions bounds, for each axis, the loops that are looked at: the cheapest in the cell's own line that have room.
const maxOptions = 12

// options lists loops of the axis through the cell's value: with each other leaf, and the one that ends in the total of all.
func (h *hiding) options(cell, axis int) []path {
	type priced struct {
		path
		cost int64
	}
	node := h.At(cell, axis)
	base := cell - node*h.strides[axis]
	own := h.leafBelow(base, axis, node)
	if own < 0 {
		return nil
	}
	var all []priced
	for _, leaf := range h.axes[axis].leaves {
		p := h.between(axis, own, leaf)
		if p == nil || !slices.ContainsFunc(p, func(s step) bool { return s.cell == node }) {
			continue
		}
		if cost, ok := h.cost(h.inLine(p, base, axis)); ok {
			all = append(all, priced{p, cost})
		}
	}
	slices.SortStableFunc(all, func(a, b priced) int { return cmp.Compare(a.cost, b.cost) })
	all = all[:min(len(all), maxOptions)]
	paths := []path{h.upwards(axis, own)}
	for _, p := range all {
		paths = append(paths, p.path)
	}
	return paths
}

// leafBelow follows the smallest count that can move down from a value to one that has none below it; -1 if there is none.
func (h *hiding) leafBelow(base, axis, node int) int {
	for len(h.axes[axis].below[node]) > 0 {
		next := -1
		for _, child := range h.axes[axis].below[node] {
			n := h.counts[base+child*h.strides[axis]]
			if h.movable(base+child*h.strides[axis]) && (next < 0 || n < h.counts[base+next*h.strides[axis]]) {
				next = child
			}
		}
		if next < 0 {
			return -1
		}
		node = next
	}
	return node
}

// movable reports whether a count is no public fact: neither none nor, of parts, all.
func (h *hiding) movable(cell int) bool {
	down, up := h.room(cell)
	return h.counts[cell] > 0 && down >= 0 && up >= 0
}

// inLine is the path in the cell's own line: part of every loop that takes the path, so that what has no room here has none at all.
func (h *hiding) inLine(p path, base, axis int) []step {
	steps := make([]step, len(p))
	for i, s := range p {
		steps[i] = step{base + s.cell*h.strides[axis], s.sign}
	}
	return steps
}

// between is the path that moves what is counted from one leaf to another: up the tree to where they meet, and down again.
func (h *hiding) between(axis, from, to int) path {
	if from == to {
		return nil
	}
	var p path
	a, b := h.upwards(axis, from), h.upwards(axis, to)
	for len(a) > 0 && len(b) > 0 && a[len(a)-1].cell == b[len(b)-1].cell {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	p = append(p, a...)
	for _, s := range b {
		p = append(p, step{s.cell, -1})
	}
	return p
}

// upwards is the path from a leaf to the top: what is counted appears in all totals.
func (h *hiding) upwards(axis, leaf int) (p path) {
	for node := leaf; node >= 0; node = h.axes[axis].Parents[node] {
		p = append(p, step{node, 1})
	}
	return p
}

// product calls f with every loop of the grid that is made of one path an axis.
func (h *hiding) product(options [][]path, f func(loop []step)) {
	var extend func(axis int, loop []step)
	extend = func(axis int, loop []step) {
		if axis == len(options) {
			f(loop)
			return
		}
		for _, p := range options[axis] {
			longer := make([]step, 0, len(loop)*len(p))
			for _, have := range loop {
				for _, s := range p {
					longer = append(longer, step{have.cell + s.cell*h.strides[axis], have.sign * s.sign})
				}
			}
			extend(axis+1, longer)
		}
	}
	extend(0, []step{{0, 1}})
}

// cost is what a loop hides that was shown; false if it cannot be shifted by 11 in all.
func (h *hiding) cost(loop []step) (cost int64, ok bool) {
	forward, backward := int64(unbounded), int64(unbounded)
	for _, s := range loop {
		if !h.movable(s.cell) {
			return 0, false
		}
		down, up := h.room(s.cell)
		if s.sign < 0 {
			down, up = up, down
		}
		forward, backward = min(forward, up), min(backward, down)
		if !h.hidden[s.cell] {
			cost += h.counts[s.cell]
		}
	}
	return cost, forward+backward >= Least
}
