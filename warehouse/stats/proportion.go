package stats

import (
	"fmt"
	"math"
)

// Wilson is the proportion x/n with its 95 % score interval, without continuity
// correction. With n = 0 it is unknown.
func Wilson(x, n float64) (Estimate, error) { return WilsonAt(x, n, Level) }

// WilsonAt is [Wilson] at another confidence level, such as 0.998 for a funnel.
// x and n may be weighted sums.
func WilsonAt(x, n, level float64) (Estimate, error) {
	e, err := proportion(x, n, level, MethodWilson)
	if err != nil || !e.Known {
		return e, err
	}
	z2 := zFor(level) * zFor(level)
	centre := x + z2/2
	half := math.Sqrt(z2 * (x*(n-x)/n + z2/4))
	e.Interval = Interval{Lo: (centre - half) / (n + z2), Hi: (centre + half) / (n + z2), OK: true}
	// The limits are exactly 0 and 1 at the ends; rounding must not say otherwise.
	if x == 0 {
		e.Interval.Lo = 0
	}
	if x == n {
		e.Interval.Hi = 1
	}
	e.Interval = e.Interval.clampUnit()
	return e, nil
}

// ClopperPearson is the proportion x/n with its exact 95 % binomial interval.
// With n = 0 it is unknown.
func ClopperPearson(x, n float64) (Estimate, error) {
	e, err := proportion(x, n, Level, MethodClopperPearson)
	if err != nil || !e.Known {
		return e, err
	}
	if x != math.Trunc(x) || n != math.Trunc(n) {
		return Estimate{}, fmt.Errorf("stats: proportion %v/%v: the exact interval needs whole counts; use Wilson for weighted ones", x, n)
	}
	e.Interval = exactInterval(x, n)
	return e, nil
}

// proportion checks the input and gives x/n, still without an interval.
func proportion(x, n, level float64, method string) (Estimate, error) {
	e := newEstimate(n, method)
	if err := checkCount("proportion numerator x", x); err != nil {
		return e, err
	}
	if err := checkCount("proportion denominator n", n); err != nil {
		return e, err
	}
	if x > n {
		return e, fmt.Errorf("stats: proportion %v/%v is above 1; count the numerator among the denominator", x, n)
	}
	if err := checkLevel(level); err != nil || n == 0 {
		return e, err
	}
	e.Value, e.Known = x/n, true
	return e, nil
}

func (i Interval) clampUnit() Interval {
	i.Lo, i.Hi = math.Max(0, i.Lo), math.Min(1, i.Hi)
	return i
}
