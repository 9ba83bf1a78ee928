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

// workingDays is SQL with one row a day, from 1990 on: whether it is worked, and on how many worked ones before it. Days are those of China, as working hours are.
const workingDays = `SELECT day, worked, sum(toInt64(worked)) OVER (ORDER BY day) - worked AS before
	FROM (SELECT d.day AS day, if(c.known, toUInt8(c.is_workday), toUInt8(toDayOfWeek(d.day) < 6)) AS worked
		FROM (SELECT toDate('1990-01-01') + number AS day FROM numbers(40000)) AS d
		LEFT ANY JOIN (SELECT makeDate(intDiv(day, 10000), intDiv(day, 100) % 100, day % 100) AS day, is_workday, toUInt8(1) AS known FROM d_calendar_day FINAL WHERE _deleted = 0) AS c ON c.day = d.day)`

// dayInChina is SQL of the day of a moment, as workingDays has it.
func dayInChina(moment string) string {
	return "toDate(toUInt16(intDiv(" + inChina(moment) + ", 86400)))"
}

// inChina is SQL of the seconds since 1970 by the clocks of China, as [groundwork.China] has them: eight hours ahead, whatever the year.
func inChina(moment string) string {
	return "(intDiv(toUnixTimestamp64Micro(" + moment + "), 1000000) + 28800)"
}

// workedBefore is SQL of the seconds of working time before a moment, since 1990; day is its row of workingDays.
func workedBefore(moment, day string) string {
	return fmt.Sprintf("(%[2]s.before * %[3]d + %[2]s.worked * least(greatest(%[1]s %% 86400 - %[4]d, 0), %[3]d))",
		inChina(moment), day, int(groundwork.WorkingDay.Seconds()), int(groundwork.WorkingFrom.Seconds()))
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
