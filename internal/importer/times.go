package importer

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // zones must resolve on machines without zoneinfo too
)

// Sources that write no seconds still know the minute; only a bare date is Day precision.
var timeLayouts = []string{
	"2006/1/2 15:4:5", "2006/1/2 15:4",
	"2006-1-2 15:4:5", "2006-1-2 15:4",
	"2006-1-2T15:4:5", "2006-1-2T15:4",
}

var dayLayouts = []string{"2006/1/2", "2006-1-2"}

// No online message is older; an earlier year is a slip of the pen ("0209/4/25").
var earliest = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)

const timeForms = "expected like 2019/4/25 9:32:09, 2019-04-25 09:32, 2019-04-25 or 2019-04-25T09:32:09+08:00"

// parseTime reads a time as sources write it. Without an offset it is local to loc. A date alone comes back as the
// start of that local day with Day precision: the reading that anyone who counts over the file makes as well, and one
// that is wrong by less than a day in a known direction. The precision says so to whoever measures with it.
func parseTime(s string, loc *time.Location) (time.Time, Precision, error) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, Second, nil
	}
	for _, layout := range timeLayouts {
		if t, err := time.ParseInLocation(layout, s, loc); err == nil {
			return t, Second, nil
		}
	}
	for _, layout := range dayLayouts {
		if t, err := time.ParseInLocation(layout, s, loc); err == nil {
			return t, Day, nil
		}
	}
	return time.Time{}, "", fmt.Errorf("unreadable time; %s", timeForms)
}

// timeField reads a time that must have happened by now.
func timeField(field, value string, loc *time.Location, now time.Time) (time.Time, Precision, *fault) {
	t, precision, err := parseTime(value, loc)
	switch {
	case err != nil:
		return t, precision, &fault{field, value, err.Error()}
	case t.Before(earliest):
		return t, precision, &fault{field, value, "before 1970; correct the year"}
	case t.After(now.Add(24 * time.Hour)):
		return t, precision, &fault{field, value, "lies in the future; correct the time, or this machine's clock"}
	}
	return t, precision, nil
}

// answerTime places an answer after what it answers. Known to the second it must not precede it. Known only to the
// day, it may fall on the same local day: it then stands at the time of receipt, the earliest moment at which it can
// have been given, and keeps Day precision.
func answerTime(received, answered time.Time, p Precision, loc *time.Location) (time.Time, bool) {
	if !answered.Before(received) {
		return answered, true
	}
	if p == Day && sameDay(received, answered, loc) {
		return received, true
	}
	return answered, false
}

func sameDay(a, b time.Time, loc *time.Location) bool {
	ay, am, ad := a.In(loc).Date()
	by, bm, bd := b.In(loc).Date()
	return ay == by && am == bm && ad == bd
}

// mustLoad returns an embedded zone; its name is a constant, so failing is a fault of the build.
func mustLoad(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic(fmt.Sprintf("importer: embedded zone %s: %v", name, err))
	}
	return loc
}
