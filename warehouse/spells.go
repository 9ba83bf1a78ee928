package warehouse

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// progress lists the columns that events change: on an issue they are as they stand, on an event as they stood after it.
var progress = []string{
	"origin_at", "first_response_at", "claimed_at", "resolved_at", "closed_at", "closure_type", "dispute_count", "opinion_count",
}

// spells selects the issues that the scope looks at, each with its frozen columns and its progress as known at asOf, its weight w, and,
// where asked for, region_place: where its region, rolled up to the level of the query, stands among the codes, 0 if nowhere. w is 1, or
// where the base is read also -1: what is summed with it is right.
func (s *scope) spells() statement {
	b := &builder{}
	b.value("as_of", s.asOf.UnixMicro())
	anchor := "origin_at"
	if s.base != nil {
		anchor = s.base.anchor
	}
	b.write("SELECT i.*, i.", anchor, " AS anchor_at, ", seenUntil, " AS seen_until")
	if s.base == nil {
		b.write(", ", ends)
	}
	if s.split(ByRegion) {
		b.write(", ", s.regionPlace(b, "i"), " AS region_place")
	}
	if s.split(ByUrbanRural) {
		of := func(setting string) string {
			return "i.region_id IN (SELECT " + s.text("id") + " FROM d_region FINAL WHERE _deleted = 0 AND urban_rural = '" + setting + "'), '" + setting + "', "
		}
		b.write(", multiIf(", of("URBAN"), of("RURAL"), "'') AS urban_rural")
	}
	if s.split(BySiteKind) {
		b.write(", transform(cityHash64(ifNull(i.site_id, "+noID+")), (SELECT groupArray(cityHash64(id)) FROM (", siteKinds, ")), (SELECT groupArray(kind) FROM (", siteKinds, ")), '') AS site_kind")
	}
	if s.base != nil {
		b.write(" FROM (", s.base.rows(), ") AS i")
		s.base.bind(b.value)
	} else {
		b.write(" FROM (", s.mirrorRows(), ") AS i")
	}
	s.filter(b)
	return b.statement()
}

// siteKinds lists the kinds of sites, each list of it in the same order.
const siteKinds = "SELECT id, toString(kind) AS kind FROM d_site FINAL WHERE _deleted = 0 ORDER BY id"

const (
	asOf      = "fromUnixTimestamp64Micro({as_of:Int64}, 'UTC')"
	seenUntil = "least(" + asOf + ", ifNull(observed_until, " + asOf + "))"
)

// entered is SQL by which rows of one moment lie in the order of their entry: ids grow with time, but ClickHouse compares the second halves of UUIDs first.
func entered(id string) string { return "toString(" + id + ")" }

// sequence is SQL of a number by which rows lie in the order of a moment and, of one moment, of their entry. An aggregate that chooses by a tuple of the two takes more than twice as long.
func sequence(at, id string) string {
	return "(bitShiftLeft(toInt256(toUnixTimestamp64Micro(" + at + ")), 128) + toInt256(reinterpretAsUInt128(reverse(UUIDToNum(" + id + ")))))"
}

// Moments at which a spell ended, NULL where it goes on: somebody confirmed, claimed or closed; a response came, or the reporter withdrew.
const (
	resolvedOrClosed = "coalesce(resolved_at, if(state = 'CLAIMED', claimed_at, NULL), if(state = 'CLOSED', closed_at, NULL))"
	answered         = "coalesce(first_response_at, if(state = 'CLOSED' AND closure_type = 'WITHDRAWN', closed_at, NULL))"
)

// endColumns say how and after how many microseconds (-1 = it goes on) an issue ended and was answered, in which second (0 = it goes on), and how it stands to its due
// time; ends makes them of an issue. The base has them stored by the same rules (schema/00380_base_by_time.sql).
const (
	responseEnds = "multiIf(state = 'MERGED', 8, " + answered + " < origin_at, 9, first_response_at IS NOT NULL, 1, 0) AS response_end, " +
		"ifNull(if(" + answered + " < origin_at, 0, toUnixTimestamp64Micro(" + answered + ") - toUnixTimestamp64Micro(origin_at)), -1) AS response_micros"
	endColumns = "resolution_end, resolution_micros, resolution_second, response_end, response_micros, claimed, judged, due_marks"
	ends       = "multiIf(state = 'MERGED', 8, " + resolvedOrClosed + " < origin_at, 9, resolved_at IS NOT NULL, 1, state = 'CLAIMED' AND claimed_at IS NOT NULL, 5," +
		" state != 'CLOSED' OR closed_at IS NULL, 0, closure_type = 'CONFIRMED', 1, closure_type IN ('EXPLAINED', 'REFERRED_OUT'), 2, closure_type = 'UNCONFIRMED', 3," +
		" closure_type = 'WITHDRAWN', 4, 0) AS resolution_end, " +
		"ifNull(if(" + resolvedOrClosed + " < origin_at, 0, toUnixTimestamp64Micro(" + resolvedOrClosed + ") - toUnixTimestamp64Micro(origin_at)), -1) AS resolution_micros, " +
		"toUInt32(if(resolution_micros < 0, 0, intDiv(toUnixTimestamp64Micro(origin_at) + resolution_micros, 1000000))) AS resolution_second, " +
		responseEnds + ", " +
		"toUInt8(claimed_at IS NOT NULL) AS claimed, toUInt8(resolved_at IS NOT NULL OR dispute_count > 0) AS judged, " +
		"toUInt8((state = 'CLOSED') + 2 * (ifNull(resolved_at <= due_at, 0) OR state = 'CLOSED' AND ifNull(closure_type = 'EXPLAINED' AND claimed_at <= due_at, 0))" +
		" + 4 * (state = 'CLAIMED' AND ifNull(claimed_at <= due_at, 0) AND NOT ifNull(resolved_at <= due_at, 0))" +
		" + 8 * ifNull(closure_type = 'WITHDRAWN', 0) + 16 * (state = 'CLOSED' OR resolved_at IS NOT NULL OR dispute_count > 0)" +
		" + 128 * (state != 'CLOSED' AND observed_until IS NOT NULL)) AS due_marks"
)

// split reports whether the cells are split by d.
func (s *scope) split(d Dimension) bool {
	for _, by := range s.By {
		if by == d {
			return true
		}
	}
	return false
}

// frozen columns never change after registration, except that observed_until grows with each import.
const frozen = "id, region_id, category_id, channel, kind, severity, observed_until, site_id, source_visit_id, due_at"

// deepProgress are further columns that events change, which few measures need.
var deepProgress = []string{"return_count", "reopen_count", "paused_since", "paused_seconds", "merged_into_id"}

func (s *scope) progress() []string {
	columns := progress
	if s.deep {
		columns = slices.Concat(columns, deepProgress)
	}
	if s.ofUnits() {
		columns = slices.Concat(columns, []string{"lead_unit_id"})
	}
	return columns
}

// mirrorRows are the issues of the mirror as known at asOf.
func (s *scope) mirrorRows() string {
	if s.past {
		return s.pastRows()
	}
	return s.currentRows()
}

func (s *scope) currentRows() string {
	return "SELECT " + frozen + ", state, " + strings.Join(s.progress(), ", ") + ", toInt8(1) AS w FROM f_issue FINAL" + s.picked(" PREWHERE id") + " WHERE _deleted = 0"
}

// picked is a condition by which a column, or key, with the id of an issue is among those that matter.
func (s *scope) picked(column string) string {
	if s.among == "" {
		return ""
	}
	return column + s.among
}

// pastRows takes of every issue the last event that was known at asOf. Issues of which none was known are absent.
func (s *scope) pastRows() string {
	var names strings.Builder
	for i, column := range s.progress() {
		names.WriteString(", tupleElement(last, " + strconv.Itoa(i+2) + ") AS " + column)
	}
	latest := "SELECT issue_id, argMax(tuple(to_state, " + strings.Join(s.progress(), ", ") + "), seq) AS last" +
		" FROM f_issue_event FINAL WHERE _deleted = 0 AND known_at <= " + asOf + s.picked(" AND issue_id") + " GROUP BY issue_id SETTINGS max_rows_to_group_by = 0"
	return "SELECT f.*, toInt8(1) AS w, tupleElement(last, 1) AS state" + names.String() + " FROM (" + latest + ") AS e" +
		" INNER JOIN (SELECT " + frozen + " FROM f_issue FINAL WHERE _deleted = 0) AS f ON f.id = e.issue_id"
}

// segments are conditions over spells. "As known at as-of" holds for them too: what changes is taken from the progress.
var segments = map[Segment]string{
	Grave:      "i.severity IN ('HIGH', 'URGENT')",
	FromVisits: "i.source_visit_id IS NOT NULL",
	Repeated:   "i.opinion_count > 1",
	Disputed:   "i.dispute_count > 0",
	Overdue:    "i.state NOT IN ('CLOSED', 'MERGED') AND i.due_at < " + asOf,
}

// filter writes the conditions. Those on columns that change stand outside of FINAL, so that no old version of a row matches.
func (s *scope) filter(b *builder) {
	w, and := s.Where, " WHERE "
	condition := func(sql, name string, value any) {
		b.write(and, sql)
		if name != "" {
			b.value(name, value)
		}
		and = " AND "
	}
	if len(w.Regions) > 0 {
		condition("i.region_id IN (SELECT "+s.text("id")+" FROM d_region FINAL WHERE _deleted = 0 AND hasAny(splitByChar('.', path), {regions:Array(String)}))", "regions", w.Regions)
	}
	if w.RegionUnknown {
		condition("i.region_id IS NULL", "", nil)
	}
	if len(s.categories) > 0 {
		condition("toString(i.category_id) IN {categories:Array(String)}", "categories", s.categories)
	}
	if len(w.Channels) > 0 {
		condition("i.channel IN {channels:Array(String)}", "channels", w.Channels)
	}
	if len(w.Kinds) > 0 {
		condition("i.kind IN {kinds:Array(String)}", "kinds", w.Kinds)
	}
	if len(w.Severities) > 0 {
		condition("i.severity IN {severities:Array(String)}", "severities", w.Severities)
	}
	for _, segment := range w.Segments {
		condition(segments[segment], "", nil)
	}
	if w.OriginFrom != nil {
		condition("i.origin_at >= fromUnixTimestamp64Micro({origin_from:Int64}, 'UTC')", "origin_from", ceilMicro(*w.OriginFrom))
	}
	if w.OriginTo != nil {
		condition("i.origin_at < fromUnixTimestamp64Micro({origin_to:Int64}, 'UTC')", "origin_to", ceilMicro(*w.OriginTo))
	}
	if len(s.units) > 0 {
		condition("i.lead_unit_id IN {units:Array(UUID)}", "units", s.units)
	}
}

// text is the id of a region as the rows have it: the base keeps texts.
func (s *scope) text(id string) string {
	if s.base != nil {
		return "toString(" + id + ")"
	}
	return id
}

// ceilMicro is the first stored moment that is not before t: times are stored to the microsecond.
func ceilMicro(t time.Time) int64 {
	micro := t.UnixMicro()
	if time.UnixMicro(micro).Before(t) {
		micro++
	}
	return micro
}

// builder gathers the text and the values of a statement.
type builder struct {
	text   strings.Builder
	values map[string]any
}

func (b *builder) write(parts ...string) {
	for _, part := range parts {
		b.text.WriteString(part)
	}
}

func (b *builder) value(name string, value any) {
	if b.values == nil {
		b.values = map[string]any{}
	}
	bind(b.values, name, value)
}

func (b *builder) statement() statement { return statement{text: b.text.String(), values: b.values} }
