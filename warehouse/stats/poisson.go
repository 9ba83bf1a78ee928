package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Garwood is a Poisson count with its exact 95 % interval (Garwood 1936).
func Garwood(count float64) (Estimate, error) { return GarwoodRate(count, 1) }

// GarwoodRate is the rate count/exposure with Garwood's limits divided by the
// exposure, which is taken as known. Without exposure it is unknown.
func GarwoodRate(count, exposure float64) (Estimate, error) {
	e := newEstimate(count, MethodGarwood)
	if err := checkCount("Poisson count", count); err != nil {
		return e, err
	}
	if count != math.Trunc(count) {
		return e, fmt.Errorf("stats: Poisson count is %v; the exact interval needs a whole number", count)
	}
	if err := checkCount("Poisson exposure", exposure); err != nil || exposure == 0 {
		return e, err
	}
	e.Value, e.Known = count/exposure, true
	tail := (1 - Level) / 2
	e.Interval = Interval{Hi: gammaQuantile(1-tail, count+1, exposure), OK: true}
	if count > 0 {
		e.Interval.Lo = gammaQuantile(tail, count, exposure)
	}
	return e, nil
}

// PoissonRatio is a/b, the ratio of two independent Poisson counts over the same
// span, such as inflow to outflow. Given a+b, a is binomial; its Clopper–Pearson
// limits p become p/(1−p). It is the two-count form of Garwood's interval and,
// unlike Garwood's limits of a divided by b, allows for the chance in b. N is
// a+b. With b = 0 the ratio is unknown; its interval then has Hi = +Inf.
func PoissonRatio(a, b float64) (Estimate, error) {
	e := newEstimate(a+b, MethodPoissonRatio)
	if err := checkCount("Poisson ratio numerator", a); err != nil {
		return e, err
	}
	if err := checkCount("Poisson ratio denominator", b); err != nil {
		return e, err
	}
	share, err := ClopperPearson(a, a+b)
	if err != nil || !share.Known {
		return e, err
	}
	e.Interval = Interval{Lo: odds(share.Interval.Lo), Hi: odds(share.Interval.Hi), OK: true}
	if b > 0 {
		e.Value, e.Known = a/b, true
	}
	return e, nil
}

func odds(p float64) float64 {
	if p >= 1 {
		return math.Inf(1)
	}
	return p / (1 - p)
}

// gammaQuantile is the p-quantile of Gamma(shape, rate). For small shapes the
// lower quantiles are minute and gonum's search loses them; there the first term
// of the series, P(X ≤ x) ≈ x^shape/Γ(shape+1), is exact to rounding.
func gammaQuantile(p, shape, rate float64) float64 {
	if shape < 1 {
		if x := math.Pow(p*math.Gamma(shape+1), 1/shape); x < 1e-12 {
			return x / rate
		}
	}
	return distuv.Gamma{Alpha: shape, Beta: rate}.Quantile(p)
}
