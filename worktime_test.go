package groundwork

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestWorkingTime(t *testing.T) {
	t.Parallel()
	c := Calendar{"2026-03-04": false, "2026-03-07": true} // a Wednesday off, made up for on Saturday
	clock := func(day, hour, minute int) time.Time { return time.Date(2026, 3, day, hour, minute, 0, 0, China) }
	for name, row := range map[string]struct {
		from, to time.Time
		want     time.Duration
	}{
		"within a day":          {clock(2, 10, 0), clock(2, 11, 30), 90 * time.Minute},
		"before the opening":    {clock(2, 0, 0), clock(2, 9, 0), 0},
		"from before to after":  {clock(2, 0, 0), clock(3, 0, 0), WorkingDay},
		"over the evening":      {clock(2, 17, 0), clock(3, 9, 30), time.Hour},
		"over the day off":      {clock(3, 17, 0), clock(5, 9, 30), time.Hour},
		"the Saturday made up":  {clock(7, 0, 0), clock(8, 0, 0), WorkingDay},
		"Sunday":                {clock(8, 0, 0), clock(9, 0, 0), 0},
		"backwards":             {clock(5, 0, 0), clock(2, 0, 0), 0},
		"after the end of work": {clock(2, 18, 0), clock(2, 23, 0), 0},
	} {
		require.Equal(t, row.want, c.WorkingTime(row.from, row.to), name)
	}
	require.Equal(t, clock(5, 9, 30), c.AddWorking(clock(3, 17, 0), time.Hour))
	require.Equal(t, clock(2, 17, 30), c.AddWorking(clock(2, 9, 0), WorkingDay), "a whole day ends when work ends")
	require.Equal(t, clock(2, 3, 0), c.AddWorking(clock(2, 3, 0), 0), "nothing added is nothing moved")
	never := Calendar{}
	for n := range 3 * maxIdleDays {
		never[DayOf(monday.AddDate(0, 0, n))] = false
	}
	require.Equal(t, midnight(monday).AddDate(0, 0, maxIdleDays).Add(workFrom+time.Hour), never.AddWorking(monday, time.Hour), "holidays without end hang nothing")
}

// Working time is additive and monotone, and adding is its inverse, on any calendar.
func TestWorkingTimeLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := anyCalendar(t)
		moment := rapid.Custom(func(t *rapid.T) time.Time {
			return monday.Add(time.Duration(rapid.IntRange(-30*24*60, 90*24*60).Draw(t, "minutes")) * time.Minute)
		})
		from, middle, to := moment.Draw(t, "from"), moment.Draw(t, "middle"), moment.Draw(t, "to")
		if middle.Before(from) {
			from, middle = middle, from
		}
		to = later(to, middle)
		require.Equal(t, c.WorkingTime(from, to), c.WorkingTime(from, middle)+c.WorkingTime(middle, to), "additive")
		require.LessOrEqual(t, c.WorkingTime(from, middle), c.WorkingTime(from, to), "monotone")
		require.LessOrEqual(t, c.WorkingTime(from, to), to.Sub(from), "never more than the clock on the wall")

		a := time.Duration(rapid.IntRange(0, 40*60).Draw(t, "a")) * time.Minute
		b := time.Duration(rapid.IntRange(0, 40*60).Draw(t, "b")) * time.Minute
		require.Equal(t, c.AddWorking(from, a+b), c.AddWorking(c.AddWorking(from, a), b), "additive")
		require.Equal(t, a, c.WorkingTime(from, c.AddWorking(from, a)), "inverse")
		require.False(t, c.AddWorking(from, a).Before(from), "forward")
	})
}

// anyCalendar has exceptions on some days around monday, but no idle stretch that a search would give up on.
func anyCalendar(t *rapid.T) Calendar {
	c := Calendar{}
	for _, offset := range rapid.SliceOfN(rapid.IntRange(-40, 100), 0, 20).Draw(t, "exceptions") {
		c[DayOf(monday.AddDate(0, 0, offset))] = rapid.Bool().Draw(t, "worked")
	}
	return c
}
