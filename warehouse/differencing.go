package warehouse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MinWindow is the shortest window that a researcher may ask for.
const MinWindow = 7 * 24 * time.Hour

// MinDifference is by how many issues two populations must differ, if they differ.
const MinDifference = 11

// fixedSegments are those that time does not move issues in and out of.
var fixedSegments = []Segment{Grave, FromVisits}

// Two answers about populations that are nearly the same tell of the few between them. So a researcher has few ways to make such
// populations (windows of at least a week, no days, filters that time does not move, moments at the starts of weeks), and what is left is
// compared with what was answered before.

// Researchable returns the question with its moment set back to the start of the week (Monday, in Asia/Shanghai) at or before latest or
// its own AsOf, or an *InputError that names what a researcher may not ask.
func (q Question) Researchable(latest time.Time) (Question, error) {
	for _, w := range []struct {
		field    string
		from, to *time.Time
	}{{"Where.OriginTo", q.Where.OriginFrom, q.Where.OriginTo}, {"To", q.From, q.To}} {
		if w.from != nil && w.to != nil && w.to.Sub(*w.from) < MinWindow {
			return q, invalid(w.field, "researchers ask for windows of 7 days or more; this one has %s", w.to.Sub(*w.from))
		}
	}
	if slices.Contains(q.By, ByDay) {
		return q, invalid("By", "researchers ask by WEEK or longer, not by DAY")
	}
	for _, s := range q.Where.Segments {
		if !slices.Contains(fixedSegments, s) {
			return q, invalid("Where.Segments", "issues move in and out of %s, so two answers would tell of single ones; researchers may use GRAVE and RAISED_AT_VISIT", s)
		}
	}
	if q.AsOf != nil && q.AsOf.Before(latest) {
		latest = *q.AsOf
	}
	monday, err := weekStart(latest)
	q.AsOf, q.MinLSN = &monday, 0
	return q, err
}

func weekStart(t time.Time) (time.Time, error) {
	zone, err := time.LoadLocation(DefaultTimezone)
	if err != nil {
		return t, fmt.Errorf("time zone of the weeks: %w", err)
	}
	local := t.In(zone)
	sinceMonday := (int(local.Weekday()) + 6) % 7
	return time.Date(local.Year(), local.Month(), local.Day()-sinceMonday, 0, 0, 0, 0, zone).UTC(), nil
}

// anchorColumns are the times of an issue that windows of measures lie on. Windows on other events are held only to be of whole weeks.
var anchorColumns = map[string]string{"RECEIVED": "origin_at", "CLAIMED": "claimed_at", "CLOSED": "closed_at"}

// Asked is a question that was answered before.
type Asked struct {
	Code string
	Question
}

// Nearest compares the issues that a question is about with those of answers given before, in the whole and in every cell of both, and
// returns the smallest difference that is not none; ok is false if no two populations differ.
func (m *Measures) Nearest(ctx context.Context, now Asked, before []Asked) (difference uint64, ok bool, err error) {
	if len(before) == 0 {
		return 0, false, nil
	}
	populations := append([]Asked{now}, before...)
	for _, split := range distinctSplits(populations) {
		d, found, err := m.nearestBy(ctx, populations, split)
		if err != nil {
			return 0, false, err
		}
		if found && (!ok || d < difference) {
			difference, ok = d, true
		}
	}
	return difference, ok, nil
}

// split is a way of dividing issues into cells.
type split struct {
	by       []Dimension
	level    string
	timezone string
}

func distinctSplits(all []Asked) []split {
	splits := []split{{}}
	seen := map[string]bool{fmt.Sprint(splits[0]): true}
	for _, a := range all {
		s := split{by: a.By, level: a.RegionLevel, timezone: a.Timezone}
		if key := fmt.Sprint(s); !seen[key] {
			seen[key], splits = true, append(splits, s)
		}
	}
	return splits
}

// nearestBy counts, in one pass, how many issues of each cell are of exactly one of the first population and another.
func (m *Measures) nearestBy(ctx context.Context, populations []Asked, by split) (difference uint64, ok bool, err error) {
	frame, err := m.scope(ctx, Query{By: by.by, RegionLevel: by.level, Timezone: by.timezone})
	if err != nil {
		return 0, false, err
	}
	all := frame.spells()
	rows := &builder{values: all.values}
	rows.write("SELECT s.*, e.first_known AS first_known")
	var counts []string
	for i, p := range populations {
		rows.write(", ")
		if err := m.membership(ctx, rows, i, p); err != nil {
			return 0, false, err
		}
		rows.write(fmt.Sprintf(" AS in%d", i))
		if i > 0 {
			counts = append(counts, fmt.Sprintf("countIf(in0 != in%d)", i))
		}
	}
	rows.write(" FROM (", all.text, ") AS s INNER JOIN (",
		"SELECT issue_id, min(known_at) AS first_known FROM f_issue_event FINAL WHERE _deleted = 0 AND seq = 1 GROUP BY issue_id) AS e ON s.id = e.issue_id")
	cells := frame.byCell(&builder{}, rows.statement(), nil, "arrayMin(arrayFilter(d -> d > 0, ["+strings.Join(counts, ", ")+"])) AS d")
	smallest := statement{text: "SELECT min(d), count() FROM (" + cells.text + ") WHERE d > 0", values: cells.values}
	var differing uint64
	err = m.each(ctx, "compare with what was asked before", smallest, func(scan func(...any) error) error { return scan(&difference, &differing) })
	return difference, differing > 0, err
}

// membership writes whether an issue is of the i-th population. Its conditions are those of a question that Researchable has passed:
// none of them changes with time but when the issue became known.
func (m *Measures) membership(ctx context.Context, b *builder, i int, p Asked) error {
	value := func(name, typ string, v any) string {
		name = fmt.Sprintf("p%d_%s", i, name)
		b.value(name, v)
		return "{" + name + ":" + typ + "}"
	}
	at := func(name string, t time.Time) string {
		return "fromUnixTimestamp64Micro(" + value(name, "Int64", ceilMicro(t)) + ", 'UTC')"
	}
	conditions := []string{"first_known <= " + at("as_of", *p.AsOf), "state != 'MERGED'"}
	w := p.Where
	if len(w.Regions) > 0 {
		conditions = append(conditions, "region_id IN (SELECT toNullable(id) FROM d_region FINAL WHERE _deleted = 0 AND hasAny(splitByChar('.', path), "+value("regions", "Array(String)", w.Regions)+"))")
	}
	if w.RegionUnknown {
		conditions = append(conditions, "region_id IS NULL")
	}
	if len(w.Categories) > 0 {
		categories, err := m.categoriesBelow(ctx, w.Categories)
		if err != nil {
			return err
		}
		conditions = append(conditions, "has("+value("categories", "Array(String)", categories)+", ifNull(toString(category_id), ''))")
	}
	for column, values := range map[string][]string{"channel": w.Channels, "kind": w.Kinds, "severity": w.Severities} {
		if len(values) > 0 {
			conditions = append(conditions, "has("+value(column, "Array(String)", values)+", toString("+column+"))")
		}
	}
	for _, s := range w.Segments {
		conditions = append(conditions, strings.ReplaceAll(segments[s], "i.", ""))
	}
	window := func(column, name string, from, to *time.Time) {
		if from != nil {
			conditions = append(conditions, column+" >= "+at(name+"_from", *from))
		}
		if to != nil {
			conditions = append(conditions, column+" < "+at(name+"_to", *to))
		}
	}
	window("origin_at", "origin", w.OriginFrom, w.OriginTo)
	if measure, ok := MeasureByCode(p.Code); ok {
		if column := anchorColumns[measure.Anchor]; column != "" {
			window(column, "anchor", p.From, p.To)
		}
	}
	for k, c := range conditions {
		conditions[k] = "ifNull(" + c + ", 0)"
	}
	b.write("(", strings.Join(conditions, " AND "), ")")
	return nil
}
