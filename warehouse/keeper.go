package warehouse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// VoidBase makes the bases void, after rows came into a mirror with versions below those that it has, or left it without a trace. They are
// built anew from the mirrors by whoever keeps them.
func VoidBase(ctx context.Context, conn clickhouse.Conn) error {
	for _, k := range baseKinds {
		if err := conn.Exec(ctx, "INSERT INTO "+k.table+" (gen, batch, w, total, id) SELECT "+k.nextGen()+", 0, 0, -1, "+noID); err != nil {
			return fmt.Errorf("make %s void: %w", k.name, err)
		}
	}
	return nil
}

// baseKinds are the bases that are kept.
var baseKinds = []*baseKind{issueBase, claimBase, historyBase, recurrenceBase}

// nextGen is by the clock of the server, and above all before.
func (k *baseKind) nextGen() string {
	return "greatest(toUInt64(toUnixTimestamp64Micro(now64(6))), (SELECT max(gen) FROM " + k.table + ") + 1)"
}

// Keeper keeps the bases near the mirrors, in a twentieth of the time: a fold reads the log, so under a steady load of changes it would
// else cost more than storing them. Answers are right however old a base is. One process of all that share a warehouse should run it, that which replicates; if two do,
// the inserts of one are ignored.
type Keeper struct {
	DB     *DB
	Logger *slog.Logger
	Every  time.Duration // between two looks, where they cost little; 0 = 2 s
	slice  uint64        // rows of the mirror that one statement of a build reads; 0 = rowsAtOnce
	most   uint64        // issues whose rows one fold moves; 0 = maxFold
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
			k.Logger.WarnContext(ctx, "the bases of the measures were not brought up to date; answers stay right and get slower", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(every, min((keeperShare-1)*time.Since(began), longestRest))):
		}
	}
}

// Once brings each base to the watermark: by folding in what changed, or anew where there is none, or it became void, or long.
func (k *Keeper) Once(ctx context.Context) (all Kept, err error) {
	watermark, err := NewMeasures(k.DB).Watermark(ctx)
	if err != nil {
		if errors.Is(err, errNotLoaded) {
			err = nil // there is nothing to keep
		}
		return Kept{}, err
	}
	tree, err := readTree(ctx, k.DB)
	if err != nil {
		return Kept{}, err
	}
	for _, of := range baseKinds {
		kept, err := k.once(ctx, of, watermark, tree)
		if err != nil {
			return all, err
		}
		all.Built, all.Folded = all.Built || kept.Built, all.Folded+kept.Folded
	}
	return all, nil
}

// farAway is after all that anybody tells.
var farAway = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

func (k *Keeper) once(ctx context.Context, of *baseKind, watermark Watermark, tree uint64) (Kept, error) {
	b, err := readBase(ctx, k.DB, of, farAway)
	if err != nil {
		return Kept{}, err
	}
	if b == nil || b.void || b.tree != tree || b.position > watermark.LSN {
		return Kept{Built: true}, k.build(ctx, of, watermark)
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
		return Kept{Built: true}, k.build(ctx, of, watermark)
	case b.tail == 0:
		return Kept{}, nil
	}
	moved, err := k.moved(ctx, b)
	if err != nil {
		return Kept{}, err
	}
	if moved > cmp.Or(k.most, maxFold) {
		return Kept{Built: true}, k.build(ctx, of, watermark)
	}
	return Kept{Folded: b.tail}, k.fold(ctx, b, watermark)
}

// moved is of how many issues a fold would move the rows.
func (k *Keeper) moved(ctx context.Context, b *base) (n uint64, err error) {
	var values []any
	b.bind(func(name string, value any) { values = append(values, clickhouse.Named(name, value)) })
	if err := k.DB.QueryRow(ctx, "SELECT uniqExact(id) FROM ("+b.moved+")", values...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count what changed since %s: %w", b.name, err)
	}
	return n, nil
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
	changes := "SELECT " + b.columns + ", toInt8(-sum(w)) AS weight FROM " + b.table + " WHERE " + ofBase + " AND " + inBase(b.moved) + " GROUP BY " + b.columns + " HAVING weight != 0" +
		" UNION ALL SELECT " + b.columns + ", toInt8(1) AS weight FROM (" + withArea(b.now(allRecords, among(b.moved), "")) + ")"
	statement := "INSERT INTO " + b.table + " (gen, batch, w, total, source, tree, " + b.columns + ")" +
		" SELECT {base_gen:UInt64}, {to:UInt64}, weight, 0, toUUID({source:String}), {tree:UInt64}, " + b.columns + " FROM (" + changes + ")" +
		" UNION ALL SELECT {base_gen:UInt64}, {to:UInt64}, 0, {total:Int64}, toUUID({source:String}), {tree:UInt64}, " + b.mark
	var values []any
	b.bind(func(name string, value any) { values = append(values, clickhouse.Named(name, value)) })
	values = append(values, clickhouse.Named("to", to.LSN), clickhouse.Named("total", b.total), clickhouse.Named("source", b.source), clickhouse.Named("tree", b.tree))
	if err := k.DB.Exec(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), statement, values...); err != nil {
		return fmt.Errorf("fold %d changed rows into %s: %w", b.tail, b.name, err)
	}
	return nil
}

// rowsAtOnce is about how many rows of the mirror one statement brings into a new base: it is answered within a minute or so, which no connection minds.
const rowsAtOnce = 4_000_000

// fourfold are the slices, since the ids of the system of record lie in a fourth of them: the second half of a UUIDv7 begins with the bits 10.
const fourfold = 4

// idSlices are conditions on a column each of which about one of n equal parts of all ids meets, and every id one: by the first byte of their second half, by which UUIDs are
// sorted.
func idSlices(column string, n uint64) []string {
	n = min(n, 256)
	all := make([]string, n)
	for i := range n {
		from, to := i*256/n, (i+1)*256/n
		all[i] = fmt.Sprintf("%s >= toUUID('00000000-0000-0000-%02x00-000000000000')", column, from)
		if to < 256 {
			all[i] += fmt.Sprintf(" AND %s < toUUID('00000000-0000-0000-%02x00-000000000000')", column, to)
		}
	}
	return all
}

// build makes a new generation, slice by slice. Nobody sees it before its mark.
func (k *Keeper) build(ctx context.Context, of *baseKind, at Watermark) error {
	started := time.Now()
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"async_insert": 0, "max_execution_time": 0, yielding: 10}))
	var gen, tree, total, issues uint64
	var source string
	if err := k.DB.QueryRow(ctx, "SELECT "+of.nextGen()+", toString(("+of.made()+")), ("+regionTree+"), (SELECT count() FROM f_issue)").Scan(&gen, &source, &tree, &issues); err != nil {
		return fmt.Errorf("build %s: %w", of.name, err)
	}
	values := []any{clickhouse.Named("gen", gen), clickhouse.Named("at", at.LSN), clickhouse.Named("source", source), clickhouse.Named("tree", tree)}
	n, slices := 1+fourfold*issues/cmp.Or(k.slice, rowsAtOnce), of.slices
	if slices == nil {
		slices = idSlices
	}
	all := len(slices("id", n))
	for i := range all {
		rows := withArea(of.now(allRecords, func(column string) string { return slices(column, n)[i] }, ""))
		if err := k.DB.Exec(ctx, "INSERT INTO "+of.table+" (gen, batch, w, "+of.columns+") SELECT {gen:UInt64}, {at:UInt64}, 1, "+of.columns+" FROM ("+rows+")", values...); err != nil {
			return fmt.Errorf("build %s: %w", of.name, err)
		}
		k.Logger.DebugContext(ctx, "building "+of.name, slog.Int("done", i+1), slog.Int("of", all), slog.Duration("took", time.Since(started)))
	}
	if err := k.DB.QueryRow(ctx, "SELECT count() FROM "+of.table+" WHERE gen = {gen:UInt64}", values[0]).Scan(&total); err != nil {
		return fmt.Errorf("build %s: %w", of.name, err)
	}
	mark := "INSERT INTO " + of.table + " (gen, batch, w, total, source, tree, id) SELECT {gen:UInt64}, {at:UInt64}, 0, {total:Int64}, toUUID({source:String}), {tree:UInt64}, " + noID
	if err := k.DB.Exec(ctx, mark, append(values, clickhouse.Named("total", int64(total)))...); err != nil {
		return fmt.Errorf("build %s: %w", of.name, err)
	}
	k.Logger.DebugContext(ctx, of.name+" was built", slog.Uint64("rows", total), slog.Duration("took", time.Since(started)))
	return nil
}

// long reports whether the log has grown far beyond the rows in it, or a part of it lacks the sums that are kept with it.
func (k *Keeper) long(ctx context.Context, b *base) (bool, error) {
	var rows, without uint64
	err := k.DB.QueryRow(ctx, "SELECT sum(rows), countIf(NOT hasAll(projections, {sums:Array(String)})) FROM system.parts WHERE active AND database = currentDatabase() AND table = {table:String} AND partition = {gen:String}",
		clickhouse.Named("gen", fmt.Sprint(b.gen)), clickhouse.Named("table", b.table), clickhouse.Named("sums", b.projections)).Scan(&rows, &without)
	if err != nil {
		return false, fmt.Errorf("measure the length of the base: %w", err)
	}
	return int64(rows) > growth*max(b.total, maxTail) || without > 0, nil
}

// dropOld drops generations that nobody reads any more.
func (k *Keeper) dropOld(ctx context.Context, b *base) error {
	var old []string
	rows, err := k.DB.Query(ctx, `SELECT DISTINCT partition FROM system.parts WHERE active AND database = currentDatabase() AND table = {table:String}
		AND toUInt64(partition) < {gen:UInt64} AND {gen:UInt64} < toUnixTimestamp64Micro(now64(6)) - {grace:Int64}`,
		clickhouse.Named("gen", b.gen), clickhouse.Named("grace", graceOfGens.Microseconds()), clickhouse.Named("table", b.table))
	if err != nil {
		return fmt.Errorf("look for old generations of %s: %w", b.name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var gen string
		if err := rows.Scan(&gen); err != nil {
			return fmt.Errorf("look for old generations of %s: %w", b.name, err)
		}
		old = append(old, gen)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("look for old generations of %s: %w", b.name, err)
	}
	for _, gen := range old {
		if err := k.DB.Exec(ctx, "ALTER TABLE "+b.table+" DROP PARTITION "+gen); err != nil {
			return fmt.Errorf("drop generation %s of %s: %w", gen, b.name, err)
		}
	}
	return nil
}
