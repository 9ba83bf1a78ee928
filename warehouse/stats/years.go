package stats

import "time"

// Years is the time from one moment to another in calendar years, so that every whole year counts as 1: exposure is persons times years.
func Years(from, to time.Time) float64 { return YearFraction(to) - YearFraction(from) }

// YearFraction is the year of a moment, in its own location, with the part of it that is over.
func YearFraction(t time.Time) float64 {
	start := time.Date(t.Year(), 1, 1, 0, 0, 0, 0, t.Location())
	end := start.AddDate(1, 0, 0)
	return float64(t.Year()) + float64(t.Sub(start))/float64(end.Sub(start))
}
