package stats

import "math"

// MethodDifference names the difference of two estimates that do not depend on each other.
const MethodDifference = "difference of independent estimates, normal"

// Difference is a − b with a normal interval; unknown if either is, and without an interval if neither has a variance.
func Difference(a, b Estimate) Estimate {
	e := newEstimate(a.N+b.N, MethodDifference)
	if !a.Known || !b.Known {
		return e
	}
	e.Value, e.Known, e.SE = a.Value-b.Value, true, math.Hypot(a.SE, b.SE)
	e.Interval = Interval{Lo: e.Value - z95*e.SE, Hi: e.Value + z95*e.SE, OK: e.SE > 0}
	return e
}
