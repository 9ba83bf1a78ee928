package stats

import (
	"fmt"

	"gonum.org/v1/gonum/mathext"
)

// MinBunching is the number of events under which bunching is not tested.
const MinBunching = 20

// Bunching is the answer of [Bunch].
type Bunching struct {
	// Ratio of the daily rate in the window to that outside; Known is false with
	// nothing outside.
	Ratio       float64
	Known       bool
	Expected    float64 // in the window, were all days alike
	ExcessShare float64 // of all events: those in the window beyond the rate outside
	P           float64 // one-sided exact binomial
}

// Bunch compares events in a window of days with those on the other days of a
// cycle (measure F4: the last 7 of D days at risk).
func Bunch(inWindow, events, windowDays, cycleDays float64) (Bunching, error) {
	for field, v := range map[string]float64{"bunching: events in the window": inWindow, "bunching: events": events, "bunching: days of the window": windowDays, "bunching: days of the cycle": cycleDays} {
		if err := checkCount(field, v); err != nil {
			return Bunching{}, err
		}
	}
	if inWindow > events || windowDays <= 0 || windowDays >= cycleDays {
		return Bunching{}, fmt.Errorf("stats: bunching of %v of %v events in %v of %v days; give parts smaller than the whole", inWindow, events, windowDays, cycleDays)
	}
	outside := (events - inWindow) / (cycleDays - windowDays)
	b := Bunching{Expected: events * windowDays / cycleDays, P: binomialTail(inWindow, events, windowDays/cycleDays)}
	if events > 0 {
		b.ExcessShare = (inWindow - outside*windowDays) / events
	}
	if outside > 0 {
		b.Ratio, b.Known = inWindow/windowDays/outside, true
	}
	return b, nil
}

// binomialTail is P(X ≥ x) of n draws: I_p(x, n−x+1).
func binomialTail(x, n, p float64) float64 {
	if x <= 0 {
		return 1
	}
	return mathext.RegIncBeta(x, n-x+1, p)
}
