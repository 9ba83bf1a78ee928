package groundwork

import "time"

// Working hours are the same everywhere, 09:00 to 17:30 in China without a break, so that a due time can be computed again by
// anybody from the calendar alone. docs/decisions/0031-working-time.md says why.
const (
	workFrom = 9 * time.Hour
	workTo   = 17*time.Hour + 30*time.Minute
)

// WorkingFrom is when work begins, after midnight in China.
const WorkingFrom = workFrom

// WorkingDay is how long a working day lasts.
const WorkingDay = workTo - workFrom

// WorkingTime is how much of the span [from, to) lies in working hours. Spans that meet add up; a longer span has no less.
func (c Calendar) WorkingTime(from, to time.Time) time.Duration {
	var total time.Duration
	for day := midnight(from); day.Before(to); day = day.AddDate(0, 0, 1) {
		if c.Workday(day) {
			total += max(0, earlier(to, day.Add(workTo)).Sub(later(from, day.Add(workFrom))))
		}
	}
	return total
}

// AddWorking returns when d of working time has passed since t. It is the inverse of WorkingTime: between t and the moment
// returned lies d.
func (c Calendar) AddWorking(t time.Time, d time.Duration) time.Time {
	if d <= 0 {
		return t
	}
	idle := 0
	for day := midnight(t); ; day = day.AddDate(0, 0, 1) {
		if !c.Workday(day) && idle < maxIdleDays {
			idle++
			continue
		}
		idle = 0
		start := later(t, day.Add(workFrom))
		left := max(0, day.Add(workTo).Sub(start))
		if d <= left {
			return start.Add(d)
		}
		d -= left
	}
}
