package groundwork

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCalendar(t *testing.T) {
	t.Parallel()
	// National Day 2026: Thursday 1 October to Wednesday 7; Saturday 10 October is worked instead.
	c := Calendar{"2026-10-01": false, "2026-10-02": false, "2026-10-05": false, "2026-10-06": false, "2026-10-07": false, "2026-10-10": true}
	on := func(d, h int) time.Time { return time.Date(2026, 10, d, h, 0, 0, 0, China) }
	require.True(t, c.Workday(on(10, 12)))
	require.False(t, c.Workday(on(11, 12)))
	require.False(t, c.Workday(on(1, 12)))
	require.True(t, c.Workday(time.Date(2026, 10, 7, 16, 0, 0, 0, time.UTC)), "16:00 UTC is the next day in China")

	before := time.Date(2026, 9, 30, 15, 0, 0, 0, China)
	require.True(t, on(9, 0).Equal(c.Deadline(before, 1)), "the next working day is the 8th and ends at its midnight")
	require.True(t, on(11, 0).Equal(c.Deadline(before, 3)), "the worked Saturday counts")
	require.True(t, on(1, 0).Equal(c.Deadline(before, 0)))
	for n := range 30 {
		require.Equal(t, n, c.WorkingDays(before, c.Deadline(before, n)), "%d working days", n)
	}
	require.Zero(t, c.WorkingDays(before, before.Add(time.Hour)))
	require.True(t, Calendar(nil).Workday(on(1, 12)), "without entries, Monday to Friday")

	holidays := Calendar{}
	for d := range 400 {
		holidays[DayOf(before.AddDate(0, 0, d))] = false
	}
	require.False(t, holidays.Deadline(before, 2).IsZero(), "a calendar of holidays only does not hang")
}
