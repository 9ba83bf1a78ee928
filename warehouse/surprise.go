package warehouse

import (
	"context"
	"slices"
	"time"

	"groundwork/warehouse/stats"
)

// What an alarm asks for beside the surprise itself, and what judging asks for.
const (
	alarmWeeks  = 4
	alarmCount  = 5
	fewestWeeks = 8
)

// Surprise is H4, of the last whole week. Numbers: observed, lastFourWeeks (issues), expected, upper, bits, p, q. n = issues of the weeks looked at.
func (m *Measures) Surprise(ctx context.Context, q Question) (*Table, error) {
	s, err := m.scope(ctx, q.Query)
	if err != nil {
		return nil, err
	}
	t := s.table(definition("H4"))
	t.Flags["alarm"] = []bool{}
	c := newColumns(t, []Num{plain("observed", "issues"), plain("lastFourWeeks", "issues"), plain("expected", "expected issues"), plain("upper", "expected issues"),
		plain("bits", "bits"), plain("p", "probability"), plain("q", "probability")})
	end, err := m.lastSeen(ctx, s, t, q.To)
	if err != nil {
		return nil, err
	}
	found, first, last, err := m.weeklyCounts(ctx, s, q, end)
	if err != nil {
		return nil, err
	}
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	if len(cells) > 0 {
		t.Notes = append(t.Notes, "weeks from "+first.Format(time.DateOnly)+" on; judged is that of "+last.Format(time.DateOnly))
	}
	tested, p := make([]bool, len(cells)), []float64{}
	outlooks := make([]stats.Outlook, len(cells))
	for row, weeks := range cells {
		y := weeks.counts[len(weeks.counts)-1]
		c.number("observed", y)
		c.number("lastFourWeeks", sum(weeks.counts[max(0, len(weeks.counts)-alarmWeeks):]))
		if tested[row] = len(weeks.counts) > fewestWeeks; !tested[row] {
			c.missing("expected", "upper", "bits", "p")
			continue
		}
		var o stats.Outlook
		if len(weeks.counts) > stats.FarringtonWeeks {
			o, err = stats.Farrington(weeks.counts)
		} else {
			o, err = stats.Predict(weeks.counts[:len(weeks.counts)-1], y)
		}
		if err != nil {
			return nil, err
		}
		outlooks[row] = o
		c.number("expected", o.Expected)
		c.number("upper", o.Upper)
		c.number("bits", max(0, o.Bits))
		c.number("p", o.Tail)
		p = append(p, o.Tail)
	}
	err = c.adjusted(tested, p, func(row int, low bool) {
		counts := cells[row].counts
		enough := sum(counts[max(0, len(counts)-alarmWeeks):]) >= alarmCount
		c.end(int64(sum(counts)), map[string]bool{"alarm": low && enough && counts[len(counts)-1] > outlooks[row].Upper})
	})
	if err != nil {
		return nil, err
	}
	if len(cells) == 0 {
		t.Notes = append(t.Notes, "not computable: no issue came in during a whole week here")
	}
	if len(cells) > 0 && len(p) == 0 {
		t.Notes = append(t.Notes, "not computable: fewer than 8 whole weeks came before")
	}
	return t, nil
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

// weekly are the counts of a cell, one a week, zeros among them.
type weekly struct{ counts []float64 }

// weeklyCounts counts issues by week of origin, from the first week of the data (or of the window) to the last that is over at the end. All cells have
// the same weeks: that nothing came in is known too.
func (m *Measures) weeklyCounts(ctx context.Context, s *scope, q Question, end time.Time) (cells map[cellKey]*weekly, first, last time.Time, err error) {
	last = monday(end, s.location).AddDate(0, 0, -7)
	if err := m.useBase(ctx, s, issueBase); err != nil {
		return nil, first, last, err
	}
	counted, err := m.issuesByWeek(ctx, s)
	if err != nil {
		return nil, first, last, err
	}
	type point struct {
		key  cellKey
		week time.Time
		n    float64
	}
	var points []point
	for k, n := range counted {
		begins, err := time.ParseInLocation(time.DateOnly, k.week, time.UTC)
		if err != nil {
			return nil, first, last, err
		}
		if n != 0 && (q.From == nil || !begins.Before(monday(*q.From, s.location))) && !begins.After(last) {
			points = append(points, point{k.cellKey, begins, n})
		}
	}
	if len(points) == 0 {
		return nil, first, last, nil
	}
	first = slices.MinFunc(points, func(a, b point) int { return a.week.Compare(b.week) }).week
	weeks := int(last.Sub(first).Hours()/24/7) + 1
	cells = map[cellKey]*weekly{}
	for _, p := range points {
		if cells[p.key] == nil {
			cells[p.key] = &weekly{make([]float64, weeks)}
		}
		cells[p.key].counts[int(p.week.Sub(first).Hours()/24/7)] += p.n
	}
	return cells, first, last, nil
}

// cellWeek is a cell in the week that begins at a date.
type cellWeek struct {
	cellKey
	week string
}

// issuesByWeek counts the issues that are not merged by cell and week of origin: by the sums by hour where nothing but areas is asked for, and weeks begin at full hours.
func (m *Measures) issuesByWeek(ctx context.Context, s *scope) (map[cellWeek]float64, error) {
	parts := []statement{}
	if s.wholly() {
		data, err := m.dataExtent(ctx, s)
		if err != nil {
			return nil, err
		}
		if fullHours(s.location, data.from, data.latest) {
			parts = s.originsByHour()
		}
	}
	if len(parts) == 0 {
		parts = append(parts, s.spells())
	}
	counted := map[cellWeek]float64{}
	targets, key := s.scanKeys()
	var week string
	var n float64
	targets = append(targets, &week, &n)
	for _, rows := range parts {
		rows.text = "SELECT *, toMonday(origin_at, {zone:String}) AS week FROM (" + rows.text + ") WHERE state != 'MERGED'"
		grouped := s.group(rows.with("zone", s.Timezone), "toString(week), toFloat64(sum(w))", "week")
		if err := m.each(ctx, "count issues by week", grouped, func(scan func(...any) error) error {
			err := scan(targets...)
			counted[cellWeek{key(), week}] += n
			return err
		}); err != nil {
			return nil, err
		}
	}
	return counted, nil
}

// fullHours reports whether the clocks of a place differ from UTC by full hours from one moment to another.
func fullHours(in *time.Location, from, to time.Time) bool {
	for {
		_, offset := from.In(in).Zone()
		if offset%3600 != 0 {
			return false
		}
		if _, from = from.In(in).ZoneBounds(); from.IsZero() || from.After(to) {
			return true
		}
	}
}

// monday is that of the week of t, as a date.
func monday(t time.Time, in *time.Location) time.Time {
	day := t.In(in)
	return time.Date(day.Year(), day.Month(), day.Day()-(int(day.Weekday())+6)%7, 0, 0, 0, 0, time.UTC)
}
