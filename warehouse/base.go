package warehouse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// The base is f_issue_base: a copy of the issues at a position of the replication that is read without FINAL, as a log of what came (w = 1)
// and went (w = -1). Whoever sums w over it, less the base's rows of the issues that changed since plus those rows as they are now, gets
// what FINAL over the mirror would give, at any moment. So the base may lag, but an answer never does.

// base is a state of the base: what batches up to position of one generation hold.
type base struct {
	gen      uint64
	position uint64 // LSN up to which all changes are in
	total    int64  // issues in it when it was built
	source   string // the table that it was made of: a load builds the mirror anew and puts another in its place
	tree     uint64 // digest of the regions that its areas were made of
	void     bool   // what it was made of was changed behind its back, or is no longer the mirror
	tail     uint64 // rows that changed since
	observed bool   // some that go on were observed up to some moment alone
	sums     bool   // the server reads sums by place: ClickHouse 25.6 and later (keptSums)
	tailOnly bool   // and nothing else is asked of
	only     string // a further condition on its rows
	areas    bool   // are asked for
	sample   int64  // how many issues are enough where some are
	buckets  int64  // of ids that are read; 0 = all
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

// baseTable is a copy of f_issue.
const baseTable = "f_issue_base"

const noID = "toUUID('00000000-0000-0000-0000-000000000000')"

// baseColumns are the columns of an issue in the base; those in the middle come from the mirror as they are.
const (
	basePlain   = "severity, kind, channel, source_visit_id, due_at, observed_until, state, origin_at, first_response_at, claimed_at, resolved_at, closed_at, closure_type, dispute_count, opinion_count"
	baseColumns = "id, category_id, region_id, area_id, " + basePlain
	// fromMirror makes them of the mirror, but for the area.
	fromMirror = "SELECT id, toString(f.category_id) AS category_id, toString(f.region_id) AS region_id, " + basePlain + " FROM f_issue AS f FINAL WHERE _deleted = 0"
	changedIDs = "SELECT id FROM f_issue WHERE _ver >= bitShiftLeft(toUInt128({base_position:UInt64} + 1), 64)"
	ofBase     = ofSums + " AND w != 0" // marks are no issues
)

// areaOfRegions leads from a region (member) to its area: the county that it lies in, or itself where it lies in none, as a prefecture does, or a township right below one.
const areaOfRegions = "SELECT toString(r.id) AS member, toString(if(k.county = " + noID + ", r.id, k.county)) AS area FROM (SELECT id FROM d_region FINAL WHERE _deleted = 0) AS r LEFT ANY JOIN" +
	" (SELECT m.id AS id, c.id AS county FROM (SELECT id, arrayJoin(splitByChar('.', path)) AS ancestor FROM d_region FINAL WHERE _deleted = 0) AS m" +
	" INNER JOIN (SELECT id, code FROM d_region FINAL WHERE _deleted = 0 AND level = 'COUNTY') AS c ON c.code = m.ancestor) AS k ON k.id = r.id"

// noArea stands for the area where nobody asks for it.
const noArea = "'' AS area_id"

// withArea adds the area to rows that have a region as text; ” = none.
func withArea(rows string) string {
	return "SELECT f.*, a.area AS area_id FROM (" + rows + ") AS f LEFT ANY JOIN (" + areaOfRegions + ") AS a ON a.member = f.region_id"
}

// regionTree is a digest of what areas are made of.
const regionTree = "SELECT sum(cityHash64(id, code, path, toString(level))) FROM d_region FINAL WHERE _deleted = 0"

func readTree(ctx context.Context, db *DB) (digest uint64, err error) {
	if err := db.QueryRow(ctx, regionTree).Scan(&digest); err != nil {
		return 0, fmt.Errorf("read the tree of regions: %w", err)
	}
	return digest, nil
}

// mirrorID is the identity of the table that is the mirror now.
const mirrorID = "SELECT uuid FROM system.tables WHERE database = currentDatabase() AND name = 'f_issue'"

// readBase finds the newest state of the base, and how many rows changed since; nil = there is none.
func readBase(ctx context.Context, db *DB) (*base, error) {
	const newest = "SELECT tuple(gen, max(batch) AS position, argMax(total, batch) AS issues, argMax(source, batch) AS made_of, argMax(tree, batch) AS regions) FROM f_issue_base WHERE id = " + noID + " GROUP BY gen ORDER BY gen DESC LIMIT 1"
	rows, err := db.Query(ctx, "WITH ("+newest+") AS newest SELECT assumeNotNull(newest.1), assumeNotNull(newest.2), assumeNotNull(newest.3), toString(assumeNotNull(newest.4)), assumeNotNull(newest.5),"+
		" newest.3 < 0 OR newest.4 != ("+mirrorID+"), (SELECT count() FROM f_issue WHERE _ver >= bitShiftLeft(toUInt128(assumeNotNull(newest.2) + 1), 64)), (SELECT count() > 0 FROM system.table_functions WHERE name = 'mergeTreeProjection'), (SELECT count() > 0 FROM f_issue_base WHERE gen = assumeNotNull(newest.1) AND phase >= "+strconv.Itoa(phaseObserved)+") WHERE newest.1 IS NOT NULL")
	if err != nil {
		return nil, fmt.Errorf("read the state of the base: %w", err)
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, rows.Err()
	}
	var b base
	if err := rows.Scan(&b.gen, &b.position, &b.total, &b.source, &b.tree, &b.void, &b.tail, &b.sums, &b.observed); err != nil {
		return nil, fmt.Errorf("read the state of the base: %w", err)
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
	part := *b
	if part.buckets = max(1, idBuckets*b.sample/max(b.total, 1)); part.buckets > idBuckets/2 {
		return b
	}
	return &part
}

// rows is SQL of the issues with their weights. Its values are those of bind.
func (b *base) rows() string {
	of := func(w, condition string) string {
		return "SELECT " + baseColumns + ", " + endColumns + ", " + w + " FROM f_issue_base WHERE " + ofBase + b.only + condition
	}
	all := of("w", "")
	now := "SELECT *, " + ends + " FROM (" + fromMirror + ") WHERE id IN (" + changedIDs + ")"
	if b.areas {
		now = withArea(now)
	} else {
		now = "SELECT *, " + noArea + " FROM (" + now + ")"
	}
	changed := of("toInt8(-w) AS w", " AND id IN ("+changedIDs+")") + " UNION ALL SELECT " + baseColumns + ", " + endColumns + ", toInt8(1) AS w FROM (" + now + ")"
	if b.counts != nil {
		return b.numbered(of, changed)
	}
	switch {
	case b.tailOnly:
		return changed
	case b.buckets > 0:
		return fmt.Sprintf("%s AND id_bucket < %d", all, b.buckets)
	case b.tail == 0:
		return all
	}
	return all + " UNION ALL " + changed
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
}

// useBase lets the scope read the base, if there is one that it can read: as of the past, or with much changed since, the mirror is
// read. The measure must sum w where it would count rows.
func (m *Measures) useBase(ctx context.Context, s *scope) error {
	if s.past || s.deep || m.mirrorOnly || s.ofUnits() || s.split(BySiteKind) { // the base knows neither units nor sites
		return nil
	}
	b, err := recall(ctx, m, "the base", []string{"f_issue", baseTable}, func() (*base, error) { return readBase(ctx, m.db) })
	if err != nil {
		return failed(ctx, "measure", err)
	}
	tree, err := recall(ctx, m, "the tree of regions", []string{"d_region"}, func() (uint64, error) { return readTree(ctx, m.db) })
	if err != nil {
		return failed(ctx, "measure", err)
	}
	if b != nil && !b.void && b.tree == tree && b.position <= s.watermark.LSN && b.tail <= maxTail {
		own := *b
		own.sums, own.sample = own.sums && !m.withoutSums, m.sample
		own.areas = s.split(ByRegion) && slices.Contains(levelsOfAreas, s.RegionLevel)
		s.base = &own
		return m.nameRegions(ctx, s)
	}
	return nil
}

// VoidBase makes the base void, after rows came into the mirror with versions below those that it has, or left it without a trace. It is
// built anew from the mirror by whoever keeps it.
func VoidBase(ctx context.Context, conn clickhouse.Conn) error {
	if err := conn.Exec(ctx, "INSERT INTO f_issue_base (gen, batch, w, total, id) SELECT "+nextGen+", 0, 0, -1, "+noID); err != nil {
		return fmt.Errorf("make the base of the measures void: %w", err)
	}
	return nil
}

// nextGen is by the clock of the server, and above all before.
const nextGen = "greatest(toUInt64(toUnixTimestamp64Micro(now64(6))), (SELECT max(gen) FROM f_issue_base) + 1)"

// Keeper keeps the base near the mirror, in a twentieth of the time: a fold reads the log, so under a steady load of changes it would
// else cost more than storing them. Answers are right however old the base is. One process of all that share a warehouse should run it, that which replicates; if two do,
// the inserts of one are ignored.
type Keeper struct {
	DB     *DB
	Logger *slog.Logger
	Every  time.Duration // between two looks, where they cost little; 0 = 2 s
	slice  uint64        // rows of the mirror that one statement of a build reads; 0 = rowsAtOnce
}

// Kept is what one look of a Keeper did.
type Kept struct {
	Built  bool   // anew
	Folded uint64 // changed rows folded in
}

// Run looks until ctx ends. What goes wrong is logged and tried again: the measures are right without the base.
func (k *Keeper) Run(ctx context.Context) error {
	every := k.Every
	if every <= 0 {
		every = 2 * time.Second
	}
	for {
		began := time.Now()
		if _, err := k.Once(ctx); err != nil && ctx.Err() == nil {
			k.Logger.WarnContext(ctx, "the base of the measures was not brought up to date; answers stay right and get slower", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(every, min((keeperShare-1)*time.Since(began), longestRest))):
		}
	}
}

// Once brings the base to the watermark: by folding in what changed, or anew where there is none, or it became void, or long.
func (k *Keeper) Once(ctx context.Context) (Kept, error) {
	watermark, err := NewMeasures(k.DB).Watermark(ctx)
	if err != nil {
		if errors.Is(err, errNotLoaded) {
			err = nil // there is nothing to keep
		}
		return Kept{}, err
	}
	b, err := readBase(ctx, k.DB)
	if err != nil {
		return Kept{}, err
	}
	tree, err := readTree(ctx, k.DB)
	if err != nil {
		return Kept{}, err
	}
	if b == nil || b.void || b.tree != tree || b.position > watermark.LSN {
		return Kept{Built: true}, k.build(ctx, watermark)
	}
	if err := k.dropOld(ctx, b); err != nil {
		return Kept{}, err
	}
	if b.position == watermark.LSN {
		return Kept{}, nil
	}
	switch long, err := k.long(ctx, b); {
	case err != nil:
		return Kept{}, err
	case long || b.tail > maxFold:
		return Kept{Built: true}, k.build(ctx, watermark)
	case b.tail == 0:
		return Kept{}, nil
	}
	return Kept{Folded: b.tail}, k.fold(ctx, b, watermark)
}

// yielding makes the keeper's work let the processors go to what somebody waits for, changes on their way from the source above all. An engine without
// the right to change it (CAP_SYS_NICE) goes on as before.
const yielding = "os_thread_priority"

// wholeBlock are the settings by which an INSERT … SELECT is one block, hence one part: all of it is there, or nothing.
var wholeBlock = clickhouse.Settings{
	"async_insert": 0, yielding: 10, "max_threads": 1, "max_insert_threads": 1, "max_block_size": 8 * maxFold,
	"min_insert_block_size_rows": 8 * maxFold, "min_insert_block_size_bytes": 0,
}

// fold adds one batch: the changed issues' rows out, their present ones in, and the mark. Its token is the state that it changes, so that
// of two folds of one state the second is ignored.
func (k *Keeper) fold(ctx context.Context, b *base, to Watermark) error {
	settings := clickhouse.Settings{"insert_deduplicate": 1, "insert_deduplication_token": fmt.Sprintf("%d/%d", b.gen, b.position)}
	for name, value := range wholeBlock {
		settings[name] = value
	}
	changes := "SELECT " + baseColumns + ", toInt8(-sum(w)) AS weight FROM f_issue_base WHERE " + ofBase + " AND id IN (" + changedIDs + ") GROUP BY " + baseColumns + " HAVING weight != 0" +
		" UNION ALL SELECT " + baseColumns + ", toInt8(1) AS weight FROM (" + withArea("SELECT * FROM ("+fromMirror+") WHERE id IN ("+changedIDs+")") + ")"
	statement := "INSERT INTO f_issue_base (gen, batch, w, total, source, tree, " + baseColumns + ")" +
		" SELECT {base_gen:UInt64}, {to:UInt64}, weight, 0, toUUID({source:String}), {tree:UInt64}, " + baseColumns + " FROM (" + changes + ")" +
		" UNION ALL SELECT {base_gen:UInt64}, {to:UInt64}, 0, {total:Int64}, toUUID({source:String}), {tree:UInt64}, " + emptyRow
	var values []any
	b.bind(func(name string, value any) { values = append(values, clickhouse.Named(name, value)) })
	values = append(values, clickhouse.Named("to", to.LSN), clickhouse.Named("total", b.total), clickhouse.Named("source", b.source), clickhouse.Named("tree", b.tree))
	if err := k.DB.Exec(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), statement, values...); err != nil {
		return fmt.Errorf("fold %d changed rows into the base: %w", b.tail, err)
	}
	return nil
}

// emptyRow is the issue's part of a mark.
const emptyRow = noID + ", NULL, NULL, '', '', '', '', NULL, NULL, NULL, '', toDateTime64(0, 6, 'UTC'), NULL, NULL, NULL, NULL, NULL, 0, 0"

// rowsAtOnce is about how many rows of the mirror one statement brings into a new base: it is answered within a minute or so, which no connection minds.
const rowsAtOnce = 4_000_000

// fourfold are the slices, since the ids of the system of record lie in a fourth of them: the second half of a UUIDv7 begins with the bits 10.
const fourfold = 4

// idSlices are conditions each of which about one of n equal parts of all ids meets, and every id one: by the first byte of their second half, by which UUIDs are
// sorted.
func idSlices(n uint64) []string {
	n = min(n, 256)
	all := make([]string, n)
	for i := range n {
		from, to := i*256/n, (i+1)*256/n
		all[i] = fmt.Sprintf("id >= toUUID('00000000-0000-0000-%02x00-000000000000')", from)
		if to < 256 {
			all[i] += fmt.Sprintf(" AND id < toUUID('00000000-0000-0000-%02x00-000000000000')", to)
		}
	}
	return all
}

// build makes a new generation, slice by slice. Nobody sees it before its mark.
func (k *Keeper) build(ctx context.Context, at Watermark) error {
	started := time.Now()
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"async_insert": 0, "max_execution_time": 0, yielding: 10}))
	var gen, tree, total, rows uint64
	var source string
	if err := k.DB.QueryRow(ctx, "SELECT "+nextGen+", toString(("+mirrorID+")), ("+regionTree+"), (SELECT count() FROM f_issue)").Scan(&gen, &source, &tree, &rows); err != nil {
		return fmt.Errorf("build the base: %w", err)
	}
	values := []any{clickhouse.Named("gen", gen), clickhouse.Named("at", at.LSN), clickhouse.Named("source", source), clickhouse.Named("tree", tree)}
	slices := idSlices(1 + fourfold*rows/cmp.Or(k.slice, rowsAtOnce))
	for i, slice := range slices {
		issues := withArea("SELECT * FROM (" + fromMirror + " AND " + slice + ")")
		if err := k.DB.Exec(ctx, "INSERT INTO f_issue_base (gen, batch, w, "+baseColumns+") SELECT {gen:UInt64}, {at:UInt64}, 1, "+baseColumns+" FROM ("+issues+")", values...); err != nil {
			return fmt.Errorf("build the base: %w", err)
		}
		k.Logger.DebugContext(ctx, "building the base of the measures", slog.Int("done", i+1), slog.Int("of", len(slices)), slog.Duration("took", time.Since(started)))
	}
	if err := k.DB.QueryRow(ctx, "SELECT count() FROM f_issue_base WHERE gen = {gen:UInt64}", values[0]).Scan(&total); err != nil {
		return fmt.Errorf("build the base: %w", err)
	}
	mark := "INSERT INTO f_issue_base (gen, batch, w, total, source, tree, id) SELECT {gen:UInt64}, {at:UInt64}, 0, {total:Int64}, toUUID({source:String}), {tree:UInt64}, " + noID
	if err := k.DB.Exec(ctx, mark, append(values, clickhouse.Named("total", int64(total)))...); err != nil {
		return fmt.Errorf("build the base: %w", err)
	}
	k.Logger.DebugContext(ctx, "the base of the measures was built", slog.Uint64("issues", total), slog.Duration("took", time.Since(started)))
	return nil
}

// long reports whether the log has grown far beyond the issues in it, or a part of it lacks the sums that are kept with it.
func (k *Keeper) long(ctx context.Context, b *base) (bool, error) {
	var rows, without uint64
	err := k.DB.QueryRow(ctx, "SELECT sum(rows), countIf(NOT hasAll(projections, ['by_place', 'by_resolution', 'by_response', 'by_origin', 'by_category', 'by_due'])) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'f_issue_base' AND partition = {gen:String}",
		clickhouse.Named("gen", fmt.Sprint(b.gen))).Scan(&rows, &without)
	if err != nil {
		return false, fmt.Errorf("measure the length of the base: %w", err)
	}
	return int64(rows) > growth*max(b.total, maxTail) || without > 0, nil
}

// dropOld drops generations that nobody reads any more.
func (k *Keeper) dropOld(ctx context.Context, b *base) error {
	var old []string
	rows, err := k.DB.Query(ctx, `SELECT DISTINCT partition FROM system.parts WHERE active AND database = currentDatabase() AND table = 'f_issue_base'
		AND toUInt64(partition) < {gen:UInt64} AND {gen:UInt64} < toUnixTimestamp64Micro(now64(6)) - {grace:Int64}`,
		clickhouse.Named("gen", b.gen), clickhouse.Named("grace", graceOfGens.Microseconds()))
	if err != nil {
		return fmt.Errorf("look for old generations of the base: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var gen string
		if err := rows.Scan(&gen); err != nil {
			return fmt.Errorf("look for old generations of the base: %w", err)
		}
		old = append(old, gen)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("look for old generations of the base: %w", err)
	}
	for _, gen := range old {
		if err := k.DB.Exec(ctx, "ALTER TABLE f_issue_base DROP PARTITION "+gen); err != nil {
			return fmt.Errorf("drop generation %s of the base: %w", gen, err)
		}
	}
	return nil
}
