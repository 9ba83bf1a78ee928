package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Cause is why a subject left observation. The numbers are those of measure T2;
// a measure with a single kind of event uses cause 1 alone.
type Cause int

// The causes of measure T2.
const (
	Censored    Cause = 0 // still open when last seen
	Confirmed   Cause = 1
	Referred    Cause = 2 // explained or referred
	Unconfirmed Cause = 3
	Withdrawn   Cause = 4
)

// causes counts the values of Cause, Censored included.
const causes = 5

// LifeRow is one line of a life table: everything that happened at one time.
// Rows may come in any order, and several may share a time.
type LifeRow struct {
	// Time in days since the subject's origin, at least 0.
	Time float64
	// Events counts the subjects that left at Time, by cause; index 0 are the
	// censored. Ties: all events at a time precede its censorings.
	Events [causes]float64
	// Awaiting are those of Events[Censored] that are claims awaiting feedback,
	// censored at the time of the claim. Only [FitBounds] reads it.
	Awaiting float64
	// Entered counts subjects that come under observation at Time (delayed
	// entry). They are at risk after Time, except that those who enter at 0 are
	// at risk at 0 too. When no row has entries, everybody enters at 0;
	// otherwise the entries must add up to the exits, and a subject that enters
	// and leaves at the same Time > 0 was never observed and must be left out.
	// The curve is then conditional on having reached the earliest entry.
	Entered float64
}

func (r LifeRow) validate() error {
	if math.IsNaN(r.Time) || math.IsInf(r.Time, 0) || r.Time < 0 {
		return fmt.Errorf("stats: life table: Time is %v days; an event cannot precede its origin: "+
			"repair the two timestamps or leave the row out", r.Time)
	}
	for cause, d := range r.Events {
		if !isCount(d) {
			return r.badCount(fmt.Sprintf("Events[%d]", cause), d)
		}
	}
	if !isCount(r.Entered) {
		return r.badCount("Entered", r.Entered)
	}
	if !isCount(r.Awaiting) {
		return r.badCount("Awaiting", r.Awaiting)
	}
	if r.Awaiting > r.Events[Censored] {
		return fmt.Errorf("stats: life table at %v days: Awaiting is %v but only %v are censored; "+
			"count awaiting claims in Events[0] too", r.Time, r.Awaiting, r.Events[Censored])
	}
	return nil
}

func isCount(v float64) bool { return v >= 0 && v == math.Trunc(v) && !math.IsInf(v, 0) }

func (r LifeRow) badCount(field string, v float64) error {
	return fmt.Errorf("stats: life table at %v days: %s is %v; give a whole count of at least 0", r.Time, field, v)
}

// leaving is the number of subjects that left at the row's time by any cause.
func (r LifeRow) leaving() float64 { return r.failing() + r.Events[Censored] }

// failing is the number that left by an event, censorings not counted.
func (r LifeRow) failing() float64 {
	return r.Events[1] + r.Events[2] + r.Events[3] + r.Events[4]
}

// mergeRows validates the rows and returns them sorted, one for each time.
// The input is not changed, and is what is returned where it is so already.
func mergeRows(rows []LifeRow) ([]LifeRow, error) {
	for _, r := range rows {
		if err := r.validate(); err != nil {
			return nil, err
		}
	}
	if areMerged(rows) {
		return rows, nil
	}
	byTime := func(a, b LifeRow) int { return cmp.Compare(a.Time, b.Time) }
	sorted := slices.Clone(rows)
	if !slices.IsSortedFunc(sorted, byTime) {
		slices.SortStableFunc(sorted, byTime)
	}
	merged := sorted[:0]
	for _, r := range sorted {
		if r.leaving() == 0 && r.Entered == 0 {
			continue // an empty row must not lengthen the follow-up
		}
		if last := len(merged) - 1; last >= 0 && merged[last].Time == r.Time {
			merged[last].add(r)
			continue
		}
		merged = append(merged, r)
	}
	return merged, nil
}

// areMerged reports whether the rows are in order, one for each time, none empty.
func areMerged(rows []LifeRow) bool {
	for i, r := range rows {
		if r.leaving() == 0 && r.Entered == 0 || i > 0 && r.Time <= rows[i-1].Time {
			return false
		}
	}
	return true
}

func (r *LifeRow) add(other LifeRow) {
	r.Entered += other.Entered
	r.Awaiting += other.Awaiting
	for c := range r.Events {
		r.Events[c] += other.Events[c]
	}
}

// atRiskCounts gives, for each merged row, how many subjects could have had an
// event at its time, and the number of subjects in all.
func atRiskCounts(rows []LifeRow) (atRisk []float64, n float64, err error) {
	var entered float64
	for _, r := range rows {
		entered += r.Entered
		n += r.leaving()
	}
	delayed := entered > 0
	if delayed && entered != n {
		return nil, 0, fmt.Errorf("stats: life table: %v subjects enter but %v leave; "+
			"give every subject both (a censoring is a leaving), or no entries at all", entered, n)
	}
	atRisk = make([]float64, len(rows))
	present := n
	if delayed {
		present = 0
	}
	for i, r := range rows {
		if r.Time == 0 && delayed {
			present += r.Entered
		}
		atRisk[i] = present
		if r.leaving() > present {
			return nil, 0, fmt.Errorf("stats: life table at %v days: %v subjects leave but only %v are at risk; "+
				"leave out subjects that enter when or after they leave", r.Time, r.leaving(), present)
		}
		present -= r.leaving()
		if r.Time > 0 && delayed {
			present += r.Entered
		}
	}
	return atRisk, n, nil
}
