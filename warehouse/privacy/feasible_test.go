package privacy

import "math"

// attacker knows all totals and all counts that are shown. It asks how far each hidden count could be away from what it is without
// any total changing: by linear programming over the moves that keep all totals, which are the null space of the lines over the
// hidden cells. It also knows a floor for each hidden count and, for some, a most.
type attacker struct {
	cells []int       // the hidden cells
	moves [][]float64 // a basis of the moves; each has a value a hidden cell
	room  []float64   // how far each hidden count may fall to its floor
	above []float64   // how far it may rise
}

func newAttacker(g *Grid, counts []int64, hidden []bool, bounds func(cell int) (floor, most float64)) *attacker {
	a := &attacker{}
	column := map[int]int{}
	for cell, h := range hidden {
		if h {
			column[cell] = len(a.cells)
			floor, most := bounds(cell)
			a.cells = append(a.cells, cell)
			a.room = append(a.room, float64(counts[cell])-floor)
			a.above = append(a.above, most-float64(counts[cell]))
		}
	}
	var equations [][]float64
	for _, l := range g.lines() {
		row := make([]float64, len(a.cells))
		if i, unknown := column[l.total]; unknown {
			row[i] = -1
		}
		for _, part := range l.parts {
			if i, unknown := column[part]; unknown {
				row[i] = 1
			}
		}
		equations = append(equations, row)
	}
	a.moves = nullSpace(equations, len(a.cells))
	return a
}

// width is how wide the range is in which the i-th hidden count may lie.
func (a *attacker) width(i int) float64 {
	rise := make([]float64, len(a.moves))
	for k, move := range a.moves {
		rise[k] = move[i]
	}
	fall := make([]float64, len(a.moves))
	for k := range rise {
		fall[k] = -rise[k]
	}
	return a.maximise(rise) + a.maximise(fall)
}

// maximise finds the most of objective·z over combinations z of the moves that leave every hidden count within its bounds. z = 0 does,
// so the simplex method starts there; Bland's rule keeps it from going round.
func (a *attacker) maximise(objective []float64) float64 {
	var tableau [][]float64 // columns: z, -z, slack, right side
	bound := func(i int, sign, room float64) {
		if math.IsInf(room, 1) {
			return
		}
		row := make([]float64, 2*len(a.moves))
		for k, move := range a.moves {
			row[k], row[len(a.moves)+k] = sign*move[i], -sign*move[i]
		}
		tableau = append(tableau, append(row, room))
	}
	for i := range a.cells {
		bound(i, -1, a.room[i])
		bound(i, 1, a.above[i])
	}
	variables, slacks := 2*len(a.moves), len(tableau)
	basis := make([]int, slacks)
	for i, row := range tableau {
		right := row[variables]
		row = append(row[:variables], make([]float64, slacks+1)...)
		row[variables+i], row[variables+slacks] = 1, right
		tableau[i], basis[i] = row, variables+i
	}
	costs := make([]float64, variables+slacks+1)
	for k, v := range objective {
		costs[k], costs[len(objective)+k] = -v, v
	}
	for {
		enter := -1
		for k := range variables + slacks {
			if costs[k] < -tiny {
				enter = k
				break
			}
		}
		if enter < 0 {
			return costs[variables+slacks]
		}
		leave, least := -1, math.Inf(1)
		for i, row := range tableau {
			if row[enter] <= tiny {
				continue
			}
			ratio := row[len(row)-1] / row[enter]
			if ratio < least-tiny || ratio < least+tiny && basis[i] < basis[leave] {
				leave, least = i, ratio
			}
		}
		if leave < 0 {
			return math.Inf(1)
		}
		basis[leave] = enter
		pivot(append(tableau[:len(tableau):len(tableau)], costs), leave, enter)
	}
}

// tiny is less than any difference of these small whole-numbered systems.
const tiny = 1e-9

// pivot makes the column a unit vector with its one in the row.
func pivot(rows [][]float64, row, column int) {
	scale := rows[row][column]
	for k := range rows[row] {
		rows[row][k] /= scale
	}
	for i, other := range rows {
		if factor := other[column]; i != row && math.Abs(factor) > tiny {
			for k := range other {
				other[k] -= factor * rows[row][k]
			}
		}
	}
}

// nullSpace is a basis of the vectors that solve the homogeneous equations.
func nullSpace(equations [][]float64, columns int) (basis [][]float64) {
	rank, pivots, isPivot := 0, []int{}, make([]bool, columns)
	for column := 0; column < columns; column++ {
		for i := rank; i < len(equations); i++ {
			if math.Abs(equations[i][column]) > tiny {
				equations[rank], equations[i] = equations[i], equations[rank]
				pivot(equations, rank, column)
				pivots, isPivot[column] = append(pivots, column), true
				rank++
				break
			}
		}
	}
	for free := range columns {
		if isPivot[free] {
			continue
		}
		v := make([]float64, columns)
		v[free] = 1
		for i, column := range pivots {
			v[column] = -equations[i][free]
		}
		basis = append(basis, v)
	}
	return basis
}
