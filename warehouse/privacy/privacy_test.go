package privacy

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func flat(t *testing.T, rows, columns int) *Grid {
	t.Helper()
	codes := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprint(i))
		}
		return all
	}
	g, err := NewGrid(Flat(codes(rows)...), Flat(codes(columns)...))
	require.NoError(t, err)
	return g
}

// table enters counts without totals, row by row.
func table(g *Grid, rows ...[]int64) []int64 {
	counts := make([]int64, g.Size())
	for r, row := range rows {
		for c, n := range row {
			counts[g.Cell(r+1, c+1)] = n
		}
	}
	g.Total(counts)
	return counts
}

// shown renders what is published, totals in the first row and column.
func shown(g *Grid, counts []int64, hidden []bool) (rows [][]string) {
	for r := range g.axes[0].Codes {
		var row []string
		for c := range g.axes[1].Codes {
			cell := g.Cell(r, c)
			text := fmt.Sprint(counts[cell])
			if hidden[cell] {
				text = "-"
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	return rows
}

func TestHide(t *testing.T) {
	t.Parallel()
	g := flat(t, 3, 3)
	counts := table(g, []int64{40, 30, 3}, []int64{25, 60, 0}, []int64{50, 20, 70})
	require.Equal(t, [][]string{
		{"298", "115", "110", "73"},
		{"73", "40", "-", "-"}, // 3 is small; 30 and, below them, 20 and 70 close the loop: less is hidden than by 40, 50
		{"85", "25", "60", "0"},
		{"140", "50", "-", "-"},
	}, shown(g, counts, g.Hide(counts, nil)))

	one, err := NewGrid(Flat("a", "b", "c", "d"))
	require.NoError(t, err)
	line := func(counts ...int64) []int64 {
		counts = append([]int64{0}, counts...)
		one.Total(counts)
		return counts
	}
	for _, c := range []struct {
		counts []int64
		hidden []bool // the total first
		why    string
	}{
		{line(20, 30, 40, 0), []bool{false, false, false, false, false}, "nothing is small"},
		{line(3, 30, 40, 0), []bool{false, true, true, false, false}, "the next smallest, but not the zero"},
		{line(3, 11, 40, 0), []bool{false, true, true, false, false}, "together 14: either could be from 1 to 13"},
		{line(1, 11, 40, 0), []bool{false, true, false, true, false}, "1 and 11 leave a range of 10: not enough"},
		{line(3, 5, 4, 0), []bool{true, true, true, true, false}, "all are small; only the total leaves room"},
		{line(1, 0, 0, 0), []bool{true, true, false, false, false}, "a small total"},
		{line(20, 20, 3, 99), []bool{false, true, false, true, false}, "ties go to the lower code"},
	} {
		require.Equal(t, c.hidden, one.Hide(c.counts, nil), c.why)
	}
}

func TestHideParts(t *testing.T) {
	t.Parallel()
	one, err := NewGrid(Flat("a", "b", "c"))
	require.NoError(t, err)
	wholes := []int64{0, 40, 60, 5}
	parts := []int64{0, 20, 57, 2}
	one.Total(wholes)
	one.Total(parts)
	hidden, exposed := one.HideParts(parts, wholes, one.Hide(wholes, nil), nil)
	require.Empty(t, exposed)
	require.Equal(t, []bool{false, true, true, true}, hidden, "of b the rest of 3 is small; a alone gives it room")

	wholes, parts = []int64{0, 11, 0, 0}, []int64{0, 5, 0, 0}
	one.Total(wholes)
	one.Total(parts)
	_, exposed = one.HideParts(parts, wholes, one.Hide(wholes, nil), nil)
	require.Equal(t, []int{0, 1}, exposed, "of 11 known ones, from 1 to 10 were answered: no choice of cells makes that wider")
	hidden, exposed = one.HideParts(parts, wholes, one.Hide(wholes, []bool{true, true, false, false}), nil)
	require.Empty(t, exposed, "with the 11 hidden there is room")
	require.Equal(t, []bool{true, true, false, false}, hidden)
}

func TestGridOfATree(t *testing.T) {
	t.Parallel()
	// A province of two prefectures with two counties each.
	tree := Axis{Codes: []string{"Z", "A", "B", "A1", "A2", "B1", "B2"}, Parents: []int{-1, 0, 0, 1, 1, 2, 2}}
	g, err := NewGrid(tree)
	require.NoError(t, err)
	counts := []int64{0, 0, 0, 3, 30, 50, 60}
	g.Total(counts)
	require.Equal(t, []int64{143, 33, 110, 3, 30, 50, 60}, counts)
	require.Equal(t, []bool{false, false, false, true, true, false, false}, g.Hide(counts, nil), "a sibling keeps the prefecture's total")
	counts = []int64{0, 0, 0, 3, 0, 50, 60}
	g.Total(counts)
	require.Equal(t, []bool{true, true, false, true, false, false, false}, g.Hide(counts, nil), "a prefecture of one county: the total of 113 costs less than a prefecture of 110 with a county")
	counts = []int64{0, 0, 0, 3, 0, 50, 60, 400}
	wide, err := NewGrid(Axis{Codes: append(tree.Codes, "C"), Parents: append(tree.Parents, 0)})
	require.NoError(t, err)
	wide.Total(counts)
	require.Equal(t, []bool{false, true, true, true, false, true, false, false}, wide.Hide(counts, nil), "now another prefecture and its smaller county cost less")

	_, err = NewGrid(Axis{Codes: []string{"a", "b"}, Parents: []int{1, -1}})
	require.ErrorContains(t, err, "stands before the one above it")
}

func TestRound(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]int64{0: 0, 11: 10, 12: 10, 13: 15, 17: 15, 18: 20} {
		require.Equal(t, want, Round(n), n)
	}
}

// countGen draws counts as they come: zeros, small ones, middling, large.
var countGen = rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(1, 10), rapid.Int64Range(8, 30), rapid.Int64Range(11, 500))

func drawGrid(t *rapid.T) *Grid {
	axis := func(name string, most int) Axis {
		n := rapid.IntRange(1, most).Draw(t, name)
		a := Axis{Codes: []string{""}, Parents: []int{-1}}
		for i := 1; i <= n; i++ {
			a.Codes = append(a.Codes, fmt.Sprint(i))
			parent := 0
			if i > 2 && rapid.IntRange(0, 3).Draw(t, "deeper") == 0 {
				parent = rapid.IntRange(1, 2).Draw(t, "parent")
			}
			a.Parents = append(a.Parents, parent)
		}
		return a
	}
	axes := []Axis{axis("rows", 5)}
	if rapid.Bool().Draw(t, "two axes") {
		axes = append(axes, axis("columns", 4))
		if rapid.IntRange(0, 2).Draw(t, "three axes") == 0 {
			axes = append(axes, Flat("x", "y"))
		}
	}
	g, err := NewGrid(axes...)
	require.NoError(t, err)
	return g
}

// For any table: no small count is shown, zeros are, and an attacker who solves the system of all totals finds every hidden count in
// a range at least 11 wide.
func TestNoHiddenCountCanBeNarrowedDown(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := drawGrid(t)
		counts := make([]int64, g.Size())
		for cell := range counts {
			counts[cell] = countGen.Draw(t, "count")
		}
		g.Total(counts)
		hidden := g.Hide(counts, nil)
		for cell, n := range counts {
			if Small(n) && !hidden[cell] || n == 0 && hidden[cell] {
				t.Fatalf("cell %d of %v: hidden %v", cell, counts, hidden[cell])
			}
		}
		a := newAttacker(g, counts, hidden, func(int) (float64, float64) { return 1, math.Inf(1) })
		for i, cell := range a.cells {
			if width := a.width(i); width < Least-tiny {
				t.Fatalf("cell %d of %v can be narrowed down to a range of %g", cell, counts, width)
			}
		}
	})
}

func TestNoHiddenPartCanBeNarrowedDown(t *testing.T) {
	t.Parallel()
	published := 0
	rapid.Check(t, func(t *rapid.T) {
		g := drawGrid(t)
		wholes, parts := make([]int64, g.Size()), make([]int64, g.Size())
		for cell := range wholes {
			wholes[cell] = countGen.Draw(t, "whole")
			parts[cell] = rapid.Int64Range(0, wholes[cell]).Draw(t, "part")
		}
		g.Total(wholes)
		g.Total(parts)
		wholesHidden, must := g.Hide(wholes, nil), make([]bool, g.Size())
		for cell := range must { // hidden for another column's sake
			must[cell] = rapid.IntRange(0, 9).Draw(t, "must") == 0
		}
		hidden, exposed := g.HideParts(parts, wholes, wholesHidden, must)
		if len(exposed) > 0 {
			return
		}
		published++
		a := newAttacker(g, parts, hidden, func(cell int) (float64, float64) {
			if wholesHidden[cell] {
				return 0, math.Inf(1)
			}
			return 0, float64(wholes[cell])
		})
		for i, cell := range a.cells {
			// None, or all, of a shown whole is no secret of any person.
			secret := parts[cell] > 0 && (wholesHidden[cell] || parts[cell] < wholes[cell])
			if width := a.width(i); secret && width < Least-tiny {
				t.Fatalf("cell %d, %v of %v, can be narrowed down to a range of %g", cell, parts, wholes, width)
			}
		}
		for cell, k := range parts {
			if SmallPart(k, wholes[cell]) && !hidden[cell] {
				t.Fatalf("cell %d shows %d of %d", cell, k, wholes[cell])
			}
		}
	})
	require.Positive(t, published)
}

// A table of a thousand regions and two years of months takes moments, not minutes.
func BenchmarkHide(b *testing.B) {
	g := func() *Grid {
		regions, months := make([]string, 1000), make([]string, 24)
		g, err := NewGrid(Flat(regions...), Flat(months...))
		require.NoError(b, err)
		return g
	}()
	counts := make([]int64, g.Size())
	for cell := range counts {
		counts[cell] = int64(cell * 2654435761 % 97)
	}
	g.Total(counts)
	for b.Loop() {
		g.Hide(counts, nil)
	}
}

// The attacker of the property tests finds what there is to find.
func TestAttacker(t *testing.T) {
	t.Parallel()
	unlimited := func(int) (float64, float64) { return 1, math.Inf(1) }
	widths := func(g *Grid, counts []int64, hidden ...int) (all []float64) {
		g.Total(counts)
		h := make([]bool, g.Size())
		for _, cell := range hidden {
			h[cell] = true
		}
		a := newAttacker(g, counts, h, unlimited)
		for i := range a.cells {
			all = append(all, a.width(i))
		}
		return all
	}
	one, err := NewGrid(Flat("a", "b", "c"))
	require.NoError(t, err)
	require.Equal(t, []float64{0}, widths(one, []int64{0, 3, 30, 40}, 1), "subtract the others from the total")
	require.Equal(t, []float64{6, 6}, widths(one, []int64{0, 3, 5, 40}, 1, 2), "1 to 7, together 8")
	require.Equal(t, []float64{math.Inf(1), math.Inf(1)}, widths(one, []int64{0, 3, 0, 0}, 0, 1))
	g := flat(t, 2, 2)
	counts := table(g, []int64{3, 20}, []int64{30, 9})
	require.Equal(t, []float64{0, 0, 0}, widths(g, counts, g.Cell(1, 1), g.Cell(1, 2), g.Cell(2, 1)), "three corners are not a loop")
	require.Equal(t, []float64{21, 21, 21, 21}, widths(g, counts, g.Cell(1, 1), g.Cell(1, 2), g.Cell(2, 1), g.Cell(2, 2)), "2 down and 19 up")
}
