package stats

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// The names of the two ways to tell an unusual week.
const (
	MethodPredictive = "gamma–Poisson predictive, Jeffreys prior"
	MethodFarrington = "Farrington flexible: quasi-Poisson trend and season, negative binomial plug-in limit"
)

// Outlook is what the past lets expect of the next count, and how surprising the
// count was.
type Outlook struct {
	Expected float64
	// Upper is the 0.99 limit: a count above it is an alarm, if enough was counted.
	Upper float64
	// Tail is P(Y ≥ y), Bits is −log₂ of it.
	Tail, Bits float64
	Method     string
}

// upperLevel is that of the alarm limit.
const upperLevel = 0.99

// Predict judges a count by a short past (measure H4): with n weeks of counts
// summing to S the rate has the posterior Gamma(½+S, n), and the next count is
// negative binomial.
func Predict(past []float64, y float64) (Outlook, error) {
	if len(past) == 0 {
		return Outlook{}, errors.New("stats: surprise without a past; give at least one earlier count")
	}
	shape := 0.5
	for i, v := range past {
		if err := checkCount(fmt.Sprintf("surprise: count %d of the past", i), v); err != nil {
			return Outlook{}, err
		}
		shape += v
	}
	if err := checkCount("surprise: the count", y); err != nil {
		return Outlook{}, err
	}
	n := float64(len(past))
	return outlook(shape/n, shape, n/(n+1), y, MethodPredictive), nil
}

// outlook judges y by the negative binomial with size and success probability p.
func outlook(mean, size, p, y float64, method string) Outlook {
	tail := negBinomialTail(size, p, y)
	return Outlook{Expected: mean, Upper: negBinomialQuantile(upperLevel, size, p), Tail: tail, Bits: -math.Log2(tail), Method: method}
}

// negBinomialTail is P(Y ≥ y): I_{1−p}(y, size).
func negBinomialTail(size, p, y float64) float64 {
	if y <= 0 {
		return 1
	}
	return mathext.RegIncBeta(y, size, 1-p)
}

// negBinomialQuantile is the smallest whole k with P(Y ≤ k) ≥ level.
func negBinomialQuantile(level, size, p float64) float64 {
	reached := func(k float64) bool { return 1-negBinomialTail(size, p, k+1) >= level }
	lo, hi := -1.0, 1.0
	for !reached(hi) {
		lo, hi = hi, 2*hi
	}
	for hi-lo > 1 {
		if mid := math.Floor((lo + hi) / 2); reached(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// Farrington's options as this project fixes them (Noufaily et al. 2013, and the
// definition of measure H4).
const (
	weeksOfYear    = 52
	farringtonBack = 5    // years
	halfWindow     = 3    // same weeks ± so many
	leftOut        = 8    // last weeks, which an outbreak under way would spoil
	outlier        = 2.58 // standardised Anscombe residual from which past outbreaks weigh less
	minYears       = 2
)

// FarringtonWeeks is how many weeks of past [Farrington] needs.
const FarringtonWeeks = minYears*weeksOfYear + halfWindow

// Farrington judges the last of weekly counts by the same weeks of up to five
// years before (Farrington 1996, Noufaily 2013). It needs [FarringtonWeeks]
// weeks before the last; with fewer, use [Predict].
func Farrington(weeks []float64) (Outlook, error) {
	if len(weeks) <= FarringtonWeeks {
		return Outlook{}, fmt.Errorf("stats: Farrington with %d weeks; give more than %d, or use Predict", len(weeks), FarringtonWeeks)
	}
	for i, v := range weeks {
		if err := checkCount(fmt.Sprintf("Farrington: week %d", i), v); err != nil {
			return Outlook{}, err
		}
	}
	now := len(weeks) - 1
	design := farringtonDesign(weeks, now)
	fit, err := design.fitRobustly()
	if err != nil {
		return Outlook{}, err
	}
	mean := fit.predict(design.row(now))
	y := weeks[now]
	if fit.dispersion <= 1+1e-9 {
		return poissonOutlook(mean, y), nil
	}
	size := mean / (fit.dispersion - 1)
	return outlook(mean, size, 1/fit.dispersion, y, MethodFarrington), nil
}

func poissonOutlook(mean, y float64) Outlook {
	tail := 1.0
	if y > 0 {
		tail = mathext.GammaIncReg(y, mean)
	}
	p := distuv.Poisson{Lambda: mean}
	k := math.Floor(mean)
	for p.CDF(k) < upperLevel {
		k++
	}
	return Outlook{Expected: mean, Upper: k, Tail: tail, Bits: -math.Log2(tail), Method: MethodFarrington}
}
