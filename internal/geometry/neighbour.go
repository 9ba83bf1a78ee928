package geometry

import (
	"cmp"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// Snap is how near borders come, in degrees, to count as one: about a metre, so that outlines drawn apart still meet.
const Snap = 1e-5

// Neighbours lists the pairs of shapes, by their indices, that share a stretch of border or a corner (queen contiguity). Borders need not
// have the same positions: a corner of one may lie anywhere on the line of the other, and borders that cross count as shared.
func Neighbours(shapes []Shape) [][2]int {
	order := make([]int, len(shapes))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(shapes[a].Bound.Left(), shapes[b].Bound.Left()), cmp.Compare(a, b))
	})
	var pairs [][2]int
	for n, i := range order {
		for _, j := range order[n+1:] {
			if shapes[j].Bound.Left() > shapes[i].Bound.Right()+Snap {
				break
			}
			if touch(&shapes[i], &shapes[j]) {
				pairs = append(pairs, [2]int{min(i, j), max(i, j)})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	return pairs
}

// touch looks only where both may be.
func touch(a, b *Shape) bool {
	shared := orb.Bound{
		Min: orb.Point{max(a.Bound.Left(), b.Bound.Left()) - Snap, max(a.Bound.Bottom(), b.Bound.Bottom()) - Snap},
		Max: orb.Point{min(a.Bound.Right(), b.Bound.Right()) + Snap, min(a.Bound.Top(), b.Bound.Top()) + Snap},
	}
	if shared.IsEmpty() {
		return false
	}
	left, right := a.lines(shared), b.lines(shared)
	slices.SortFunc(right, func(x, y line) int { return cmp.Compare(x.west(), y.west()) })
	widest := 0.0
	for _, r := range right {
		widest = max(widest, r.east()-r.west())
	}
	for _, l := range left {
		from, _ := slices.BinarySearchFunc(right, l.west()-Snap-widest, func(r line, west float64) int { return cmp.Compare(r.west(), west) })
		for _, r := range right[from:] {
			if r.west() > l.east()+Snap {
				break
			}
			if l.meets(r) {
				return true
			}
		}
	}
	return false
}

// line is a straight piece of border.
type line struct{ from, to orb.Point }

func (l line) west() float64  { return min(l.from.Lon(), l.to.Lon()) }
func (l line) east() float64  { return max(l.from.Lon(), l.to.Lon()) }
func (l line) south() float64 { return min(l.from.Lat(), l.to.Lat()) }
func (l line) north() float64 { return max(l.from.Lat(), l.to.Lat()) }

// lines are the pieces of border that may lie within a bound.
func (s *Shape) lines(within orb.Bound) (found []line) {
	for _, polygon := range s.MultiPolygon {
		for _, ring := range polygon {
			for i := range ring[1:] {
				l := line{ring[i], ring[i+1]}
				if l.west() <= within.Right() && l.east() >= within.Left() && l.south() <= within.Top() && l.north() >= within.Bottom() {
					found = append(found, l)
				}
			}
		}
	}
	return found
}

func (l line) meets(other line) bool {
	if l.south() > other.north()+Snap || l.north() < other.south()-Snap || l.west() > other.east()+Snap || l.east() < other.west()-Snap {
		return false
	}
	return l.near(other.from) || l.near(other.to) || other.near(l.from) || other.near(l.to) || l.crosses(other)
}

func (l line) near(p orb.Point) bool {
	return planar.DistanceFromSegmentSquared(l.from, l.to, p) <= Snap*Snap
}

// crosses reports whether the lines cut each other in their inside.
func (l line) crosses(other line) bool {
	return side(l, other.from)*side(l, other.to) < 0 && side(other, l.from)*side(other, l.to) < 0
}

// side is positive to the left of the line.
func side(l line, p orb.Point) float64 {
	return (l.to.Lon()-l.from.Lon())*(p.Lat()-l.from.Lat()) - (l.to.Lat()-l.from.Lat())*(p.Lon()-l.from.Lon())
}

// crossing finds where a closed ring cuts itself. Lines are looked at from west to east, each against those that begin before it ends.
func crossing(ring orb.Ring) (at orb.Point, crossed bool) {
	lines := make([]line, len(ring)-1)
	for i := range lines {
		lines[i] = line{ring[i], ring[i+1]}
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.west(), b.west()) })
	for i, l := range lines {
		for _, other := range lines[i+1:] {
			if other.west() > l.east() {
				break
			}
			if other.south() <= l.north() && other.north() >= l.south() && l.crosses(other) {
				return other.from, true
			}
		}
	}
	return at, false
}
