package warehouse

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
)

// A base is a copy of what mirrors hold at a position of the replication, read without FINAL, as a log of what came (w = 1)
// and went (w = -1). Whoever sums w over it, less the base's rows of the issues that changed since plus those rows as they are now, gets
// what FINAL over the mirrors would give, at any moment. So a base may lag, but an answer never does. There are four: of the issues (f_issue_base), of claims and ratings beside their issues
// (f_claim_base, claims.go), of the issues with their histories (f_history_base, histories.go), and of those whose matter may come back (f_recurrence_base, recurrence.go).

// baseKind is what a base holds. Its table has an id of an issue in each row.
type baseKind struct {
	table   string
	name    string   // it is called
	mirrors []string // that it is made of
	columns string   // that its rows come with
	told    string   // further ones that the table makes of these, and toldBy of other rows; "" = none
	toldBy  string
	moved   string   // SQL of the ids of the issues whose rows changed after base_position
	lost    []string // mirrors in which a deleted row does not tell whose it was: after one, the base is void
	late    string   // SQL by which rows tell what is later than as-of; "" = none do
	anchor  string   // column
	seen    string   // SQL by which rows go on that were observed up to some moment alone
	// now is SQL of the rows as they are now, but for the area: of issues whose ids, in a column of that name, meet the condition, and of what was told until a moment ("" = ever).
	now         func(what records, of func(column string) string, until string) string
	slices      func(column string, n uint64) []string // conditions for now by which about n parts are built one after the other; nil = idSlices
	mark        string                                 // the columns of a row that is none
	projections []string                               // that the engine keeps: sums, or rows in another order
}

// issueBase is a copy of f_issue.
var issueBase = &baseKind{
	table: "f_issue_base", name: "the base of issues", mirrors: []string{"f_issue"}, columns: baseColumns, told: endColumns, toldBy: ends, anchor: "origin_at", moved: changedIDs,
	seen: "phase >= " + strconv.Itoa(phaseObserved),
	now: func(_ records, of func(column string) string, _ string) string {
		return fromMirror + " AND " + of("id")
	},
	mark:        noID + ", NULL, NULL, '', '', '', '', NULL, NULL, NULL, '', " + never + ", NULL, NULL, NULL, NULL, NULL, 0, 0",
	projections: []string{"by_place", "by_resolution", "by_response", "by_origin", "by_category", "by_due"},
}

// never stands for a moment where there is none.
const never = "toDateTime64(0, 6, 'UTC')"

// base is a state of a base: what batches up to position of one generation hold.
type base struct {
	*baseKind
	gen      uint64
	position uint64      // LSN up to which all changes are in
	total    int64       // issues in it when it was built
	source   string      // the tables that it was made of: a load builds a mirror anew and puts another in its place
	tree     uint64      // digest of the regions that its areas were made of
	void     bool        // what it was made of was changed behind its back, or is no longer the mirror
	tail     uint64      // rows that changed since
	observed bool        // some that go on were observed up to some moment alone
	sums     bool        // the server reads sums by place: ClickHouse 25.6 and later (keptSums)
	tailOnly bool        // and nothing else is asked of
	what     records     // that are asked for
	only     string      // a further condition on its rows, which whoever asks makes of all that come
	areas    bool        // are asked for
	sample   int64       // how many rows are enough where some are
	ids      []uuid.UUID // of the issues that changed since, where they are few; nil = they are looked up
	sent     *sentRows   // of what changed since, where it is little; nil = statements read it
	part     string      // a condition on the rows that are read, without what changed since; "" = all are
	atOnce   int64       // how many rows one statement reads one by one
	counts   *counting
}

// Bounds of what is corrected while answering, and of what is folded in rather than built anew.
const (
	maxTail     = 50_000
	maxFold     = 500_000
	growth      = 2 // rows of the log to an issue that it was built with, beyond which it is built anew
	graceOfGens = time.Minute
	keeperShare = 20 // of the time, one part in so many
	longestRest = time.Minute
)

const noID = "toUUID('00000000-0000-0000-0000-000000000000')"

// baseColumns are the columns of an issue in the base; those in the middle come from the mirror as they are.
const (
	basePlain   = "severity, kind, channel, source_visit_id, due_at, observed_until, state, origin_at, first_response_at, claimed_at, resolved_at, closed_at, closure_type, dispute_count, opinion_count"
	baseColumns = "id, category_id, region_id, area_id, " + basePlain
	// fromMirror makes them of the mirror, but for the area.
	fromMirror = "SELECT id, toString(f.category_id) AS category_id, toString(f.region_id) AS region_id, " + basePlain + " FROM f_issue AS f FINAL WHERE _deleted = 0"
	changedIDs = "SELECT id FROM f_issue WHERE " + sincePosition
	// sincePosition is a condition on rows of a mirror.
	sincePosition = "_ver >= bitShiftLeft(toUInt128({base_position:UInt64} + 1), 64)"
	ofBase        = ofSums + " AND w != 0" // marks are no issues
)

// areaOf leads from each region that is picked by a PREWHERE ("" = all) to its area: the county that it lies in, or itself where it lies in none, as a prefecture does, or a township right below one.
func areaOf(picked string) string {
	return "SELECT toString(r.id) AS member, toString(if(k.county = " + noID + ", r.id, k.county)) AS area FROM (SELECT id FROM d_region FINAL" + picked + " WHERE _deleted = 0) AS r LEFT ANY JOIN" +
		" (SELECT m.id AS id, c.id AS county FROM (SELECT id, arrayJoin(splitByChar('.', path)) AS ancestor FROM d_region FINAL" + picked + " WHERE _deleted = 0) AS m" +
		" INNER JOIN (SELECT id, code FROM d_region FINAL WHERE _deleted = 0 AND level = 'COUNTY') AS c ON c.code = m.ancestor) AS k ON k.id = r.id"
}

// noArea stands for the area where nobody asks for it.
const noArea = "'' AS area_id"

// withArea adds the area to rows that have a region as text; ” = none.
func withArea(rows string) string {
	return "SELECT f.*, a.area AS area_id FROM (" + rows + ") AS f LEFT ANY JOIN (" + areaOf("") + ") AS a ON a.member = f.region_id"
}

// regionTree is a digest of what areas are made of.
const regionTree = "SELECT sum(cityHash64(id, code, path, toString(level))) FROM d_region FINAL WHERE _deleted = 0"

func readTree(ctx context.Context, db *DB) (digest uint64, err error) {
	if err := db.QueryRow(ctx, regionTree).Scan(&digest); err != nil {
		return 0, fmt.Errorf("read the tree of regions: %w", err)
	}
	return digest, nil
}

// made is SQL of the identity of the tables that are the mirrors now.
func (k *baseKind) made() string {
	tables := "FROM system.tables WHERE database = currentDatabase() AND name IN ('" + strings.Join(k.mirrors, "', '") + "')"
	if len(k.mirrors) == 1 {
		return "SELECT uuid " + tables
	}
	return "SELECT reinterpretAsUUID(sipHash128(arrayStringConcat(arraySort(groupArray(concat(name, toString(uuid))))))) " + tables
}

// readBase finds the newest state of a base, and how many rows changed since, or tell what is later than a moment; nil = there is none.
func readBase(ctx context.Context, db *DB, k *baseKind, asOf time.Time) (*base, error) {
	newest := "SELECT tuple(gen, max(batch) AS position, argMax(total, batch) AS rows, argMax(source, batch) AS made_of, argMax(tree, batch) AS regions) FROM " + k.table + " WHERE id = " + noID + " GROUP BY gen ORDER BY gen DESC LIMIT 1"
	const since, gen = "bitShiftLeft(toUInt128(assumeNotNull(newest.2) + 1), 64)", "gen = assumeNotNull(newest.1)"
	var tail, gone []string
	for _, mirror := range k.mirrors {
		tail = append(tail, "(SELECT count() FROM "+mirror+" WHERE _ver >= "+since+")")
	}
	if k.late != "" {
		tail = append(tail, "(SELECT count() FROM "+k.table+" WHERE "+gen+" AND "+k.late+")")
	}
	for _, mirror := range k.lost {
		gone = append(gone, " OR (SELECT count() FROM "+mirror+" WHERE _ver >= "+since+" AND _deleted = 1) > 0")
	}
	seen := "false"
	if k.seen != "" {
		seen = "(SELECT count() > 0 FROM " + k.table + " WHERE " + gen + " AND " + k.seen + ")"
	}
	rows, err := db.Query(ctx, "WITH ("+newest+") AS newest SELECT assumeNotNull(newest.1), assumeNotNull(newest.2), assumeNotNull(newest.3), toString(assumeNotNull(newest.4)), assumeNotNull(newest.5),"+
		" newest.3 < 0 OR newest.4 != ("+k.made()+")"+strings.Join(gone, "")+", toUInt64("+strings.Join(tail, " + ")+"), (SELECT count() > 0 FROM system.table_functions WHERE name = 'mergeTreeProjection'), "+seen+
		" WHERE newest.1 IS NOT NULL", clickhouse.Named("as_of", asOf.UnixMicro()))
	if err != nil {
		return nil, fmt.Errorf("read the state of %s: %w", k.name, err)
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, rows.Err()
	}
	b := base{baseKind: k}
	if err := rows.Scan(&b.gen, &b.position, &b.total, &b.source, &b.tree, &b.void, &b.tail, &b.sums, &b.observed); err != nil {
		return nil, fmt.Errorf("read the state of %s: %w", k.name, err)
	}
	return &b, rows.Err()
}

// changed is the base of what changed since alone.
func (b *base) changed() *base {
	only := *b
	only.tailOnly = true
	return &only
}

// idBuckets is how many buckets of ids the base lies in (schema/00380_base_by_time.sql).
const idBuckets = 64

// someIssues is how many issues of the base are looked at where some are enough.
const someIssues = 131_072

// some is the base of some of its issues, of all times, where it has many; what changed since is not among them.
func (b *base) some() *base {
	some := *b
	buckets := max(1, idBuckets*b.sample/max(b.total, 1))
	if buckets > idBuckets/2 {
		return b
	}
	some.part = fmt.Sprintf(" AND id_bucket < %d", buckets)
	return &some
}

// rowsRead is how many rows of a base one statement reads one by one, at most: it answers well within its time.
const rowsRead = 20_000_000

// inParts has rows one by one, of a base that has many in parts: by buckets of ids, in the order of which they lie, and what changed since.
func (s *scope) inParts(rows func(*scope) statement) []statement {
	if s.base == nil || s.base.total <= s.base.atOnce {
		return []statement{rows(s)}
	}
	var parts []statement
	n := min((s.base.total+s.base.atOnce-1)/s.base.atOnce, idBuckets)
	for i := range n {
		of, own := *s, *s.base
		own.part, of.base = fmt.Sprintf(" AND id_bucket >= %d AND id_bucket < %d", i*idBuckets/n, (i+1)*idBuckets/n), &own
		part := rows(&of)
		part.long = true
		parts = append(parts, part)
	}
	return s.andChanged(rows, parts...)
}

// reading are the columns of rows, and SQL of those in the base that meet a condition.
func (b *base) reading() (columns string, of func(w, condition string) string) {
	columns = b.columns
	if b.told != "" {
		columns += ", " + b.told
	}
	return columns, func(w, condition string) string {
		return "SELECT " + columns + ", " + w + " FROM " + b.table + " WHERE " + ofBase + b.only + condition
	}
}

// rows is SQL of the rows with their weights. Its values are those of bind.
func (b *base) rows() string {
	columns, of := b.reading()
	changed := "SELECT " + columns + ", w FROM " + sentTable
	if b.sent == nil {
		until := ""
		if b.late != "" {
			until = asOf
		}
		changed = b.moving(columns, of, until)
	}
	if b.counts != nil {
		return b.numbered(of, changed)
	}
	switch all := of("w", ""); {
	case b.tailOnly:
		return changed
	case b.part != "":
		return all + b.part
	case b.tail == 0:
		return all
	default:
		return all + " UNION ALL " + changed
	}
}

// moving is SQL of what changed since: the rows of the base of the issues that changed, as they go, and those as they are now, of what was told until a moment ("" = ever).
func (b *base) moving(columns string, of func(w, condition string) string, until string) string {
	moved := b.movedIDs()
	if b.ids != nil {
		moved = movedFew
	}
	now := b.coming(moved, until)
	if b.areas {
		now = withArea(now)
	} else {
		now = "SELECT *, " + noArea + " FROM (" + now + ")"
	}
	return of("toInt8(-w) AS w", " AND "+inBase(moved)) + " UNION ALL SELECT " + columns + ", toInt8(1) AS w FROM (" + now + ")"
}

// coming is SQL of the rows of issues as they are now, but for their areas.
func (b *base) coming(moved, until string) string {
	now := b.now(b.what, among(moved), until)
	if b.baseKind != issueBase {
		now = nowBegins + now + nowEnds
	}
	if b.toldBy != "" {
		now = "SELECT *, " + b.toldBy + " FROM (" + now + ")"
	}
	return now
}

// movedFew are the ids of the issues that moved, where they go with the statement.
const movedFew = "SELECT arrayJoin({moved:Array(UUID)}) AS id"

// among is the condition by which a column is one of the ids that a query gives.
func among(ids string) func(column string) string {
	return func(column string) string { return column + " IN (" + ids + ")" }
}

// movedIDs is SQL of the ids of the issues whose rows do not stand in the base as an answer needs them.
func (b *base) movedIDs() string {
	if b.late == "" {
		return b.moved
	}
	return b.moved + " UNION ALL SELECT id FROM " + b.table + " WHERE " + ofBase + " AND " + b.late
}

// inBase is a condition by which rows of a base are of the issues that a query gives the ids of, in the order that they lie in.
func inBase(ids string) string {
	return "(id_bucket, toUInt128(id)) IN (SELECT toUInt8(bitAnd(bitShiftRight(toUInt128(id), 56), 63)), toUInt128(id) FROM (" + ids + "))"
}

// numbered are the issues of a part with the numbers of their times.
func (b *base) numbered(of func(w, condition string) string, changed string) string {
	switch own := b.counts; {
	case own.of == isOver:
		return own.told(of)
	case own.of == goesOn:
		return own.numbered(of("w", " AND phase IN ("+own.phases(goesOn)+")"))
	case b.tail == 0:
		return own.numbered(of("w", " AND phase IN ("+own.phases(singly)+")"))
	default:
		return own.numbered(of("w", " AND phase IN ("+own.phases(singly)+")") + " UNION ALL " + changed)
	}
}

func (b *base) bind(values func(name string, value any)) {
	values("base_gen", b.gen)
	values("base_position", b.position)
	switch {
	case b.sent != nil:
		values("moved_columns", b.sent.columns)
		values("moved_rows", b.sent.text)
	case b.ids != nil:
		values("moved", b.ids)
	}
}

// useBase lets the scope read a base, if there is one that it can read: as of the past, or with much changed since, the mirror is
// read. The measure must sum w where it would count rows.
func (m *Measures) useBase(ctx context.Context, s *scope, of *baseKind) error {
	if s.past || s.deep || m.mirrorOnly || s.ofUnits() || s.split(BySiteKind) { // a base knows neither units nor sites
		return nil
	}
	tables := slices.Concat(of.mirrors, []string{of.table})
	b, err := recall(ctx, m, of.name, tables, func() (*base, error) { return readBase(ctx, m.db, of, s.asOf) })
	if err != nil {
		return failed(ctx, "measure", err)
	}
	tree, err := recall(ctx, m, "the tree of regions", []string{"d_region"}, func() (uint64, error) { return readTree(ctx, m.db) })
	if err != nil {
		return failed(ctx, "measure", err)
	}
	if b == nil || b.void || b.tree != tree || b.position > s.watermark.LSN || b.tail > maxTail {
		return nil
	}
	own := *b
	own.sums, own.sample, own.atOnce = own.sums && !m.withoutSums, m.sample, m.rowsRead
	own.areas = s.split(ByRegion) && slices.Contains(levelsOfAreas, s.RegionLevel)
	if own.tail > 0 {
		if own.ids, err = recall(ctx, m, "what changed since "+of.name, tables, func() ([]uuid.UUID, error) { return m.movedSince(ctx, s, &own) }); err != nil {
			return err
		}
		if own.ids != nil && len(own.ids) == 0 {
			own.tail = 0
		}
		if 0 < len(own.ids) && len(own.ids) <= m.maxMoved {
			sent, err := recall(ctx, m, "what "+of.name+" lacks", tables, func() (*sentRows, error) { return m.rowsOf(ctx, &own) })
			if err != nil {
				return err
			}
			switch {
			case sent == nil || sent.latest.After(s.asOf):
			case sent.text == "": // of what changed nothing is in the base, nor comes into it
				own.tail = 0
			default:
				own.sent = sent
			}
		}
	}
	s.base = &own
	return m.nameRegions(ctx, s)
}

// movedSince lists the issues of which something changed since; nil = they are many.
func (m *Measures) movedSince(ctx context.Context, s *scope, b *base) ([]uuid.UUID, error) {
	ids := []uuid.UUID{}
	find := statement{text: "SELECT DISTINCT id FROM (" + b.movedIDs() + ") LIMIT {most:UInt32}"}.with("most", m.maxSent+1).with("as_of", s.asOf.UnixMicro())
	b.bind(func(name string, value any) { find = find.with(name, value) })
	err := m.each(ctx, "find what changed", find, func(scan func(...any) error) error {
		var id uuid.UUID
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	if len(ids) > m.maxSent {
		ids = nil
	}
	return ids, err
}
