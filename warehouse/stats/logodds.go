package stats

import (
	"fmt"
	"math"
)

// MethodLogOdds is the name of LogOdds.
const MethodLogOdds = "odds ratio with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008), p exact conditional"

// The prior of LogOdds, as units seen beforehand on both sides: a hundred with the share of both sides together, or as many as it takes to have seen half a one that
// has it, and half a one that has not.
const (
	priorUnits = 100
	priorLeast = 0.5
)

// Contrast tells how much more common something is on one side than on the other.
type Contrast struct {
	// Ratio is the ratio of odds, shrunk towards 1.
	Ratio Estimate
	// Z is the logarithm of Ratio by its standard error.
	Z float64
	// P is one-sided: how probable so many or more of all that are known would be on this side, if it were as common on both. It takes no prior.
	P float64
}

// LogOdds compares x of n units with y of m. Monroe, Colaresi and Quinn (2008, equations 16, 20 and 22) have a Dirichlet prior over all words of a text; what is
// counted here are units that have a word or not, of which each word is judged by itself, so it is the same with two classes.
func LogOdds(x, n, y, m float64) (Contrast, error) {
	if x < 0 || y < 0 || n <= 0 || m <= 0 || x > n || y > m {
		return Contrast{}, fmt.Errorf("stats: %v of %v against %v of %v; give parts of wholes that are not nothing", x, n, y, m)
	}
	c := Contrast{Ratio: newEstimate(n, MethodLogOdds), P: 1}
	share := (x + y) / (n + m)
	if share == 0 || share == 1 { // nothing differs
		return c, nil
	}
	units := max(priorUnits, priorLeast/share, priorLeast/(1-share))
	with, without := units*share, units*(1-share)
	delta := math.Log((x+with)/(n-x+without)) - math.Log((y+with)/(m-y+without))
	se := math.Sqrt(1/(x+with) + 1/(n-x+without) + 1/(y+with) + 1/(m-y+without))
	c.Z, c.P = delta/se, binomialTail(x, x+y, n/(n+m))
	c.Ratio.Value, c.Ratio.Known, c.Ratio.SE = math.Exp(delta), true, math.Exp(delta)*se
	c.Ratio.Interval = Interval{Lo: math.Exp(delta - z95*se), Hi: math.Exp(delta + z95*se), OK: true}
	return c, nil
}
