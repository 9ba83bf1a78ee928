package groundwork

import "time"

// China is the zone in which days are counted: one zone, no summer time.
var China = time.FixedZone("Asia/Shanghai", 8*60*60)

// Calendar says which days are worked: Monday to Friday, unless an entry (keyed by DayOf) says otherwise. A nil Calendar has no
// exceptions.
type Calendar map[string]bool

// DayOf returns the day of t in China as YYYY-MM-DD, the key of a Calendar.
func DayOf(t time.Time) string { return t.In(China).Format(time.DateOnly) }

// Workday reports whether the day of t is worked.
func (c Calendar) Workday(t time.Time) bool {
	if worked, ok := c[DayOf(t)]; ok {
		return worked
	}
	day := t.In(China).Weekday()
	return day != time.Saturday && day != time.Sunday
}

// maxIdleDays bounds the search for the next working day, so that a calendar of holidays only cannot hang the system.
const maxIdleDays = 60

// Deadline returns the end of the n-th working day after the day of t. The day of t itself does not count, as in law.
func (c Calendar) Deadline(t time.Time, n int) time.Time {
	day := midnight(t)
	for range n {
		day = day.AddDate(0, 0, 1)
		for idle := 0; !c.Workday(day) && idle < maxIdleDays; idle++ {
			day = day.AddDate(0, 0, 1)
		}
	}
	return day.AddDate(0, 0, 1)
}

// WorkingDays counts the working days that the span [from, to) reaches into after the day of from.
func (c Calendar) WorkingDays(from, to time.Time) int {
	n := 0
	for day := midnight(from).AddDate(0, 0, 1); day.Before(to); day = day.AddDate(0, 0, 1) {
		if c.Workday(day) {
			n++
		}
	}
	return n
}

func midnight(t time.Time) time.Time {
	y, m, d := t.In(China).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, China)
}
