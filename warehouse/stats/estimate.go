package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Level is the confidence level of all intervals unless a function takes its own.
const Level = 0.95

// UnstableBelow is the n under which an estimate is marked unstable.
const UnstableBelow = 30

// The names of the methods, as they are published beside each interval.
const (
	MethodLogLog          = "Kaplan–Meier, log–log Greenwood"
	MethodQuantile        = "Kaplan–Meier, Brookmeyer–Crowley log–log"
	MethodRMST            = "restricted mean, normal with Greenwood standard error"
	MethodAalenJohansen   = "Aalen–Johansen, complementary log–log, Greenwood-type variance"
	MethodWilson          = "Wilson without continuity correction"
	MethodClopperPearson  = "Clopper–Pearson exact"
	MethodGarwood         = "Garwood exact Poisson"
	MethodPoissonRatio    = "exact conditional ratio of two Poisson counts"
	MethodMarshall        = "Marshall global empirical Bayes, Gamma interval"
	MethodMarshallNoPrior = "Marshall global empirical Bayes, no between-area signal"
)

// Interval is a confidence interval. OK is false where the method defines none,
// for instance log–log at a survival of exactly 0 or 1; Lo and Hi are then 0 and
// mean nothing. An unbounded upper limit is +Inf with OK true.
type Interval struct {
	Lo, Hi float64
	OK     bool
}

// Estimate is one published figure with what it takes to judge it.
type Estimate struct {
	// Value means nothing unless Known: no data, or a time that nobody was
	// observed long enough to reach, gives Known = false rather than 0.
	Value float64
	Known bool
	// SE is the standard error on Value's own scale; 0 where Method has none.
	SE       float64
	Interval Interval
	// N is the number of units behind the figure: subjects of a life table,
	// the denominator of a proportion, the events of a Poisson rate.
	N        float64
	Unstable bool
	Method   string
}

// newEstimate marks the estimate unstable by its n; everything else starts unknown.
func newEstimate(n float64, method string) Estimate {
	return Estimate{N: n, Unstable: n < UnstableBelow, Method: method}
}

// zFor is the two-sided normal quantile of a confidence level: 1.96 for 0.95.
func zFor(level float64) float64 { return distuv.UnitNormal.Quantile((1 + level) / 2) }

var z95 = zFor(Level)

// logLogInterval transforms a normal interval of log(−log p) back to p
// (Kalbfleisch–Prentice). It has no value where p is 0 or 1.
func logLogInterval(p, variance float64) Interval {
	if !(p > 0 && p < 1) {
		return Interval{}
	}
	logP := math.Log(p)
	half := z95 * math.Sqrt(variance) / (p * -logP)
	return Interval{Lo: math.Exp(logP * math.Exp(half)), Hi: math.Exp(logP * math.Exp(-half)), OK: true}
}

// complement is the interval of 1 − p given that of p.
func (i Interval) complement() Interval {
	if !i.OK {
		return i
	}
	return Interval{Lo: 1 - i.Hi, Hi: 1 - i.Lo, OK: true}
}

// checkCount rejects what cannot be a count or an exposure.
func checkCount(field string, v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
		return fmt.Errorf("stats: %s is %v; give a finite number of at least 0", field, v)
	}
	return nil
}

// checkLevel rejects levels that are not inside (0,1), such as 95 for 0.95.
func checkLevel(level float64) error {
	if !(level > 0 && level < 1) {
		return fmt.Errorf("stats: confidence level is %v; give a fraction between 0 and 1, such as 0.95", level)
	}
	return nil
}
