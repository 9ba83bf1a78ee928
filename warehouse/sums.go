package warehouse

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"
)

// keptSums are the issues of the base added up by place, category and whether they were merged. The engine keeps them with each part of the log (projection
// by_place, schema/00380_base_by_time.sql), so they are as exactly there as its rows are, and of the same positions.
var keptSums = sumsOf(issueBase, "by_place")

// sumsOf is where the engine keeps sums of that name with the parts of a base (schema/00380_base_by_time.sql, schema/00400_claim_base.sql).
func sumsOf(of *baseKind, name string) string {
	return "mergeTreeProjection(currentDatabase(), '" + of.table + "', '" + name + "')"
}

// Columns of keptSums are called as what they are made of.
const (
	sumMerged    = "`equals(state, 'MERGED')`"
	sumWeight    = "`sum(w)`"
	sumRepeats   = "`sum(multiply(w, minus(greatest(opinion_count, 1), 1)))`"
	sumFirst     = "`min(if(greater(w, 0), origin_at, NULL))`"
	sumLatest    = "`max(if(greater(w, 0), origin_at, NULL))`"
	sumFirstGone = "`min(if(less(w, 0), origin_at, NULL))`"
	sumSeen      = "`max(if(greater(w, 0), observed_until, NULL))`"
	sumSeenGone  = "`max(if(less(w, 0), observed_until, NULL))`"
	sumUnending  = "`sum(if(isNull(observed_until), w, 0))`"
)

// ofSums are those of a state of the base.
const ofSums = "gen = {base_gen:UInt64} AND batch <= {base_position:UInt64}"

// countedByPlace reports whether the sums by place answer for the issues of the scope: nothing but places and categories is asked for, and all issues began
// within the window.
func (s *scope) countedByPlace(data extent) bool {
	w := s.Where
	return s.base != nil && s.base.sums && w.ofPlacesAlone() &&
		!slices.ContainsFunc(s.By, func(d Dimension) bool { return d != ByRegion && d != ByCategory }) &&
		(w.OriginFrom == nil || !w.OriginFrom.After(data.from)) && (w.OriginTo == nil || w.OriginTo.After(data.latest))
}

// ofPlacesAlone reports whether issues are chosen by nothing but where they lie, what they are about and when they began.
func (w Filter) ofPlacesAlone() bool {
	return len(w.Channels)+len(w.Kinds)+len(w.Severities)+len(w.Segments) == 0
}

// issuesByPlace have rows of issues, with how many there are (w), the opinions beyond the first of each, and whether they were merged: by place and category where
// the base tells, and then what changed since by itself. (One statement cannot read a table and its sums.)
func (s *scope) issuesByPlace(data extent) []statement {
	single := func(rows statement) statement {
		rows.text = "SELECT *, state = 'MERGED' AS merged, w * (greatest(opinion_count, 1) - 1) AS repeats FROM (" + rows.text + ")"
		return rows
	}
	if !s.countedByPlace(data) {
		return []statement{single(s.spells())}
	}
	b := &builder{}
	b.write("SELECT i.*, ", s.regionPlace(b, "i"), " AS region_place FROM (SELECT region_id, area_id, category_id, ", sumMerged, " AS merged, finalizeAggregation(", sumWeight, ") AS w, finalizeAggregation(", sumRepeats,
		") AS repeats FROM ", keptSums, " WHERE ", ofSums, ") AS i")
	s.base.bind(b.value)
	whenever := *s
	whenever.Where.OriginFrom, whenever.Where.OriginTo = nil, nil
	whenever.filter(b)
	return whenever.andChanged(func(changed *scope) statement { return single(changed.spells()) }, b.statement()) // what went may have begun before all that is left
}

// wholly reports whether sums by area may answer: of the base nothing is asked for but all issues, or those of each area.
func (s *scope) wholly(further ...Dimension) bool {
	w := s.Where
	return s.base != nil && s.base.sums && w.ofPlacesAlone() && len(w.Regions)+len(s.categories) == 0 && !w.RegionUnknown && w.OriginFrom == nil && w.OriginTo == nil &&
		!slices.ContainsFunc(s.By, func(d Dimension) bool { return (d != ByRegion || !s.base.areas) && !slices.Contains(further, d) })
}

// keptTimes names the sums that answer for the spells of the base that do not go on, and the number of their time; "" = none do.
func (s *scope) keptTimes(c counting) (name, number string) {
	switch {
	case c.kept != "" && s.wholly():
		return c.kept, c.stored(c.point, c.longest())
	case c.daily != "" && c.seconds == secondsPerDay && c.longest() < mostKeptDays && s.packs(c.grid) && s.wholly(ByCategory):
		return c.daily, "least(resolution_day, " + strconv.FormatInt(c.longest()+1, 10) + ")"
	}
	return "", ""
}

// mostKeptDays is up to which the sums by category tell days apart.
const mostKeptDays = 100

// timesByArea has rows of these sums: how many issues there are (w) of an area, an end and the number of a time.
func (s *scope) timesByArea(c counting, kept, number string) statement {
	b := &builder{}
	b.write("SELECT i.* EXCEPT ", sumWeight, ", finalizeAggregation(", sumWeight, ") AS w, toInt64(", number, ") AS number")
	if s.split(ByRegion) {
		b.write(", ", s.regionPlace(b, "i"), " AS region_place")
	}
	b.write(" FROM ", sumsOf(issueBase, kept), " AS i WHERE ", ofSums, " AND phase IN (", c.phases(isOver), ") AND w != 0")
	s.base.bind(b.value)
	return b.statement()
}

// originsByHour are the issues by hour of origin and whether they were merged, how many (w) of each: where the base tells, and then what changed since by itself.
func (s *scope) originsByHour() []statement {
	b := &builder{}
	b.write("SELECT i.*")
	if s.split(ByRegion) {
		b.write(", ", s.regionPlace(b, "i"), " AS region_place")
	}
	b.write(" FROM (SELECT area_id, fromUnixTimestamp64Second(3600 * toInt64(origin_hour), 'UTC') AS origin_at, ", sumMerged, " ? 'MERGED' : '' AS state, finalizeAggregation(", sumWeight, ") AS w FROM ",
		sumsOf(issueBase, "by_origin"), " WHERE ", ofSums, ") AS i")
	s.base.bind(b.value)
	return s.andChanged((*scope).spells, b.statement())
}

// dueByDay are the issues with a due time by its day and marks, how many (w) of each, but for those of the day of as-of and those whose observation ended: these, and what
// changed since, come by themselves.
func (s *scope) dueByDay() []statement {
	b := &builder{}
	b.value("as_of", s.asOf.UnixMicro())
	b.write("SELECT i.*, bitOr(i.due_marks, 32 * (assumeNotNull(i.due_day) < ", dayOfAsOf, ")) AS marks")
	if s.split(ByRegion) {
		b.write(", ", s.regionPlace(b, "i"), " AS region_place")
	}
	b.write(" FROM (SELECT area_id, due_day, due_marks, finalizeAggregation(", sumWeight, ") AS w FROM ", sumsOf(issueBase, "by_due"),
		" WHERE ", ofSums, " AND due_day IS NOT NULL AND due_day != ", dayOfAsOf, " AND due_marks < 128) AS i")
	s.base.bind(b.value)
	single := func(only string) statement {
		of, own := *s, *s.base
		own.tail, own.only, of.base = 0, " AND "+only, &own
		return of.dueMarks()
	}
	parts := s.andChanged((*scope).dueMarks, b.statement())
	// The day is asked for by its times, which the engine has an index of.
	parts = append(parts, single("due_at >= "+startOfDay+" AND due_at < addDays("+startOfDay+", 1) AND due_marks < 128"))
	if s.base.observed {
		parts = append(parts, single("due_marks >= 128"))
	}
	return parts
}

// The day of as-of, counted from 1970 on, and its start.
const (
	dayOfAsOf  = "toInt32(intDiv({as_of:Int64}, 86400000000))"
	startOfDay = "toStartOfDay(" + asOf + ")"
)

// andChanged has, beside what sums or parts tell, the rows of what changed since.
func (s *scope) andChanged(rows func(*scope) statement, kept ...statement) []statement {
	if s.base.tail == 0 {
		return kept
	}
	changed := *s
	changed.base = s.base.changed()
	return append(kept, rows(&changed))
}

// extent is from when to when there are data.
type extent struct {
	span             // from the first origin to the end of observation; empty without any issues
	latest time.Time // origin
}

// dataExtent is that of all issues, whatever the filter.
func (m *Measures) dataExtent(ctx context.Context, s *scope) (data extent, err error) {
	if err := m.useBase(ctx, s, issueBase); err != nil {
		return extent{}, err
	}
	whole := *s
	whole.Where, whole.categories, whole.units, whole.By = Filter{}, nil, nil, nil
	if whole.base != nil && whole.base.sums {
		if data, known, err := m.keptExtent(ctx, &whole); err != nil || known {
			return data, err
		}
	}
	rows := whole.spells()
	var n int64
	rows.text = "SELECT toInt64(sum(w)) AS n, " + extreme("min", "origin_at", rows.text) + ", " + extreme("max", "seen_until", rows.text) + ", " + extreme("max", "origin_at", rows.text) + " FROM (" + rows.text + ") HAVING n > 0"
	if whole.base == nil {
		rows = whole.spells()
		rows.text = "SELECT toInt64(count()) AS n, min(origin_at), max(seen_until), max(origin_at) FROM (" + rows.text + ") HAVING n > 0"
	}
	err = m.each(ctx, "find the span of the data", rows, func(scan func(...any) error) error { return scan(&n, &data.from, &data.to, &data.latest) })
	return data, err
}

// keptSpan is what the sums tell of when the issues began and until when they were observed: of those that came, and of those that went.
type keptSpan struct {
	n, unending                              int64
	first, latest, firstGone, seen, seenGone *time.Time
}

// keptExtent finds it by the sums of the base, if these tell: an extreme of the issues that came is that of those which are left, if none that went had it or lay
// beyond.
func (m *Measures) keptExtent(ctx context.Context, s *scope) (data extent, known bool, err error) {
	k, err := recall(ctx, m, "the span of the data", []string{"f_issue", issueBase.table}, func() (keptSpan, error) { return m.readSpan(ctx, s) })
	switch {
	case err != nil:
		return extent{}, false, err
	case k.n == 0:
		return extent{}, true, nil
	case k.firstGone != nil && !k.firstGone.After(*k.first):
		return extent{}, false, nil
	case k.unending > 0:
		data.to = s.asOf
	case k.seen == nil || k.seenGone != nil && !k.seenGone.Before(*k.seen):
		return extent{}, false, nil
	default:
		data.to = *k.seen
		if data.to.After(s.asOf) {
			data.to = s.asOf
		}
	}
	data.from, data.latest = *k.first, *k.latest
	return data, true, nil
}

func (m *Measures) readSpan(ctx context.Context, s *scope) (k keptSpan, err error) {
	b := &builder{}
	b.write("SELECT toInt64(sumMerge(", sumWeight, ")), minMerge(", sumFirst, "), maxMerge(", sumLatest, "), minMerge(", sumFirstGone, "), maxMerge(", sumSeen, "), maxMerge(", sumSeenGone,
		"), toInt64(sumMerge(", sumUnending, ")) FROM ", keptSums, " WHERE ", ofSums)
	s.base.bind(b.value)
	parts := []statement{b.statement()}
	if s.base.tail > 0 {
		changed := statement{values: parts[0].values, text: "SELECT toInt64(sum(w)), min(if(w > 0, origin_at, NULL)), max(if(w > 0, origin_at, NULL)), min(if(w < 0, origin_at, NULL)), max(if(w > 0, observed_until, NULL))," +
			" max(if(w < 0, observed_until, NULL)), toInt64(sum(if(isNull(observed_until), w, 0))) FROM (" + s.base.changed().rows() + ")"}
		parts = append(parts, changed)
	}
	for _, part := range parts {
		if err = m.each(ctx, "find the span of the data", part, func(scan func(...any) error) error {
			var more, open int64
			var moments [5]*time.Time
			err := scan(&more, &moments[0], &moments[1], &moments[2], &moments[3], &moments[4], &open)
			k.n, k.unending = k.n+more, k.unending+open
			k.first, k.latest, k.firstGone = earlier(k.first, moments[0]), later(k.latest, moments[1]), earlier(k.firstGone, moments[2])
			k.seen, k.seenGone = later(k.seen, moments[3]), later(k.seenGone, moments[4])
			return err
		}); err != nil {
			return keptSpan{}, err
		}
	}
	return k, nil
}

// nameMatters finds which categories the issues of the base, and what changed since, have, if the cells are of categories.
func (m *Measures) nameMatters(ctx context.Context, s *scope) error {
	if !s.split(ByCategory) || s.base == nil || !s.base.sums {
		return nil
	}
	found, err := recall(ctx, m, "the categories of issues", []string{"f_issue", issueBase.table}, func() ([]string, error) {
		b := &builder{}
		b.write("SELECT DISTINCT category_id FROM ", keptSums, " WHERE ", ofSums, " AND category_id IS NOT NULL")
		s.base.bind(b.value)
		parts := []statement{b.statement()}
		if s.base.tail > 0 {
			parts = append(parts, statement{values: parts[0].values, text: "SELECT DISTINCT category_id FROM (" + s.base.changed().rows() + ") WHERE category_id IS NOT NULL"})
		}
		all := map[string]bool{}
		for _, part := range parts {
			var id string
			if err := m.each(ctx, "find the categories of issues", part, func(scan func(...any) error) error {
				err := scan(&id)
				all[id] = true
				return err
			}); err != nil {
				return nil, err
			}
		}
		return slices.Sorted(maps.Keys(all)), nil
	})
	s.matters = found
	return err
}

// earlier and later choose between moments of which either may be unknown.
func earlier(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

func later(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.After(*a) {
		return b
	}
	return a
}
