package warehouse

import (
	"slices"

	"groundwork/warehouse/stats"
)

// Curve is a column of curves, one a row of the table: which share had come to an end by each day. Nil where a row has none, or none is shown.
type Curve struct {
	Name string
	Rows []*Steps
}

// Steps are the values of a curve at the first days of CurveDays, as far as anybody was followed.
type Steps struct {
	Value  []float64
	Lo, Hi []*float64  // ends of the 95 % interval; nil = there is none
	AtRisk []int64     // who were followed beyond the day; nil where that would tell too much
	ended  [][]float64 // by the day, of each part of those that move the row's curves
}

// Days of curves: each of the first 30, then each seventh, for two years.
const (
	dailyCurve   = 30
	longestCurve = 730
)

// CurveDays are the days at which curves have values: no finer times are told to anybody.
var CurveDays = func() (days []int64) {
	for day := int64(0); day <= longestCurve; day++ {
		if day <= dailyCurve || (day-dailyCurve)%7 == 0 {
			days = append(days, day)
		}
	}
	return days
}()

// maxCurves is how many rows may have curves: no chart shows more.
const maxCurves = 200

// What a curve of a published table must not tell (docs/decisions/0500-curves.md): it ends before fewer than so many are followed, and has no step of fewer.
const (
	leastAtRisk = 11
	leastStep   = 3
)

// stepsOf reads a fitted curve at those days, by what it says of one. The parts are the causes that move the curves of the row, apart as far as these
// tell them apart.
func stepsOf(curve *stats.Curve, at func(day float64) stats.Estimate, parts ...[]stats.Cause) *Steps {
	s := &Steps{}
	ended, next := make([]float64, len(parts)), 0
	for _, day := range CurveDays {
		e := at(float64(day))
		if !e.Known {
			break
		}
		for ; next < len(curve.Points) && curve.Points[next].Time <= float64(day); next++ {
			for i, causes := range parts {
				for _, cause := range causes {
					ended[i] += curve.Points[next].Events[cause]
				}
			}
		}
		atRisk := 0.0
		if next < len(curve.Points) {
			atRisk = curve.Points[next].AtRisk
		}
		var lo, hi *float64
		if e.Interval.OK {
			lo, hi = finite(e.Interval.Lo), finite(e.Interval.Hi)
		}
		s.Value, s.Lo, s.Hi = append(s.Value, e.Value), append(s.Lo, lo), append(s.Hi, hi)
		s.AtRisk, s.ended = append(s.AtRisk, int64(atRisk)), append(s.ended, slices.Clone(ended))
		if next == len(curve.Points) {
			break // nothing is known to happen later
		}
	}
	return s
}

// protect ends the curve before fewer than 11 are followed, and lets it stand where fewer than three of a part ended since it last moved. So the curves of a
// row move on the same days, and what one says beside the other is of no fewer.
func (s *Steps) protect() *Steps {
	if s == nil {
		return nil
	}
	n := slices.IndexFunc(s.AtRisk, func(n int64) bool { return n < leastAtRisk })
	if n < 0 {
		n = len(s.AtRisk)
	}
	if n == 0 {
		return nil
	}
	p := &Steps{}
	var shown struct {
		value  float64
		lo, hi *float64
		ended  []float64
	}
	shown.ended = make([]float64, len(s.ended[0]))
	for i := range n {
		if enough(shown.ended, s.ended[i]) {
			shown.value, shown.ended, shown.lo, shown.hi = s.Value[i], s.ended[i], s.Lo[i], s.Hi[i]
		}
		p.Value, p.Lo, p.Hi = append(p.Value, shown.value), append(p.Lo, shown.lo), append(p.Hi, shown.hi)
	}
	return p
}

// enough says whether a curve may move from one day to another: in each part nobody ended between them, or three or more.
func enough(before, now []float64) (moves bool) {
	for i := range now {
		switch step := now[i] - before[i]; {
		case step >= leastStep:
			moves = true
		case step > 0:
			return false
		}
	}
	return moves
}

// protectCurves leaves curves to rows of which nothing is hidden.
func (t *Table) protectCurves() {
	for _, curve := range t.Curves {
		for row, steps := range curve.Rows {
			if t.Flags["suppressed"][row] || t.Flags[flagPartsHidden][row] {
				steps = nil
			}
			curve.Rows[row] = steps.protect()
		}
	}
}

// curve appends the curve of a row, where curves are asked for.
func (c *columns) curve(name string, steps func() *Steps) {
	if !c.table.withCurves {
		return
	}
	i := slices.IndexFunc(c.table.Curves, func(curve Curve) bool { return curve.Name == name })
	if i < 0 {
		i = len(c.table.Curves)
		c.table.Curves = append(c.table.Curves, Curve{Name: name})
	}
	c.table.Curves[i].Rows = append(c.table.Curves[i].Rows, steps())
}

// failures appends the curve of lives that end in one way; nil where nobody lived.
func (c *columns) failures(name string, curve *stats.Curve) {
	c.curve(name, func() *Steps {
		if curve == nil {
			return nil
		}
		return stepsOf(curve, curve.Failure, []stats.Cause{1})
	})
}
