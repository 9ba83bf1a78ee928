package warehouse

import (
	"context"
	"time"
)

// feedbackDays is how many working days after a claim its verdict is due.
const feedbackDays = 10

// maxIdle bounds the search for working days, so that a calendar of days off only cannot hang a measure.
const maxIdle = 60

// calendar says which days, as YYYYMMDD, are worked otherwise than Monday to Friday.
type calendar map[int32]bool

// calendar reads the exceptions of the working calendar; they are few.
func (m *Measures) calendar(ctx context.Context) (calendar, error) {
	days := calendar{}
	text := statement{text: "SELECT day, toUInt8(is_workday) FROM d_calendar_day FINAL WHERE _deleted = 0"}
	err := m.each(ctx, "read the calendar", text, func(scan func(...any) error) error {
		var day int32
		var worked uint8
		err := scan(&day, &worked)
		days[day] = worked == 1
		return err
	})
	return days, err
}

func (c calendar) worked(day time.Time) bool {
	if worked, listed := c[int32(day.Year()*10000+int(day.Month())*100+day.Day())]; listed { //nolint:gosec // a year has four digits
		return worked
	}
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
}

// deadline is the end of the n-th working day after that of t, as the system of record reckons.
func (c calendar) deadline(t time.Time, n int) time.Time {
	day := midnight(t)
	for range n {
		day = day.AddDate(0, 0, 1)
		for idle := 0; !c.worked(day) && idle < maxIdle; idle++ {
			day = day.AddDate(0, 0, 1)
		}
	}
	return day.AddDate(0, 0, 1)
}

// dueBefore is the moment before which whatever happened has had n working days by asOf. A deadline never comes earlier for what happened later,
// so that one moment parts the two.
func (c calendar) dueBefore(asOf time.Time, n int) time.Time {
	day := midnight(asOf)
	for c.deadline(day, n).After(asOf) {
		day = day.AddDate(0, 0, -1)
	}
	return day.AddDate(0, 0, 1)
}

// workZone is the zone of the calendar.
var workZone = func() *time.Location {
	zone, err := time.LoadLocation(DefaultTimezone)
	if err != nil {
		panic(err)
	}
	return zone
}()

func midnight(t time.Time) time.Time {
	y, month, d := t.In(workZone).Date()
	return time.Date(y, month, d, 0, 0, 0, 0, workZone)
}
