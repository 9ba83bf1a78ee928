package warehouse

import (
	"context"
	"fmt"
	"time"

	"groundwork"
)

// feedbackDays is how many working days after a claim its verdict is due.
const feedbackDays = 10

// calendar reads the exceptions of the working calendar; they are few.
func (m *Measures) calendar(ctx context.Context) (groundwork.Calendar, error) {
	days := groundwork.Calendar{}
	text := statement{text: "SELECT day, toUInt8(is_workday) FROM d_calendar_day FINAL WHERE _deleted = 0"}
	err := m.each(ctx, "read the calendar", text, func(scan func(...any) error) error {
		var day int32 // YYYYMMDD
		var worked uint8
		err := scan(&day, &worked)
		days[fmt.Sprintf("%04d-%02d-%02d", day/10000, day/100%100, day%100)] = worked == 1
		return err
	})
	return days, err
}

// dueBefore is the moment before which whatever happened has had n working days by asOf. A deadline never comes earlier for what happened later,
// so that one moment parts the two.
func dueBefore(c groundwork.Calendar, asOf time.Time, n int) time.Time {
	y, month, d := asOf.In(groundwork.China).Date()
	day := time.Date(y, month, d, 0, 0, 0, 0, groundwork.China)
	for c.Deadline(day, n).After(asOf) {
		day = day.AddDate(0, 0, -1)
	}
	return day.AddDate(0, 0, 1)
}
