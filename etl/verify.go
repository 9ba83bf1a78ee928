package etl

import (
	"context"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// Verification is what a comparison of one table has found.
type Verification struct {
	Table     string        `json:"table"`
	Rows      int64         `json:"rows"` // in Postgres
	Differing []Difference  `json:"differing"`
	Parked    int           `json:"parked"`    // rows that differ because they are set aside in etl.dead_letter
	Unsettled int           `json:"unsettled"` // rows that kept changing while they were compared
	Repaired  bool          `json:"repaired"`  // the differing rows were written anew; they are compared again by the next verify
	Position  pglogrepl.LSN `json:"-"`         // the moment that was compared
	Took      time.Duration `json:"-"`
}

// Difference is one row that the two sides have differently.
type Difference struct {
	Key      string `json:"key"`      // key columns, joined by a slash
	Postgres string `json:"postgres"` // "row" or "none"
	Mirror   string `json:"mirror"`
}

// VerifyOptions say what to compare and what to do about it.
type VerifyOptions struct {
	Tables   []string                                     // source tables; empty = all
	Repair   bool                                         // write the rows that differ anew
	Progress func(table string, done, ranges, rows int64) // called as a table's ranges are read; may be nil
}

const (
	// bucketBits of a row's hash say to which of 4,096 sums it is added; only rows of sums that differ are compared one by one.
	bucketBits = 12
	buckets    = 1 << bucketBits
	// settleRounds is how often rows that change under the comparison are looked at again.
	settleRounds = 5
)

// Verify compares mirrors with Postgres, at a moment that both have, while changes flow. Each side adds up hashes of its own rows, so
// that only the rows of differing sums travel. It returns what it found about each table; differences are no error.
func (o *Operator) Verify(ctx context.Context, opt VerifyOptions) ([]Verification, error) {
	cat, err := loadCatalog(ctx, o.pg, o.cfg)
	if err != nil {
		return nil, err
	}
	plans, err := cat.choose(opt.Tables)
	if err != nil {
		return nil, err
	}
	var found []Verification
	for _, p := range plans {
		v, err := o.verifyTable(ctx, cat, p, opt)
		if err != nil {
			return found, fmt.Errorf("verify %s: %w", p.source.name, err)
		}
		o.log.InfoContext(ctx, "table verified", slog.String("table", v.Table), slog.Int64("rows", v.Rows), slog.Int("differing", len(v.Differing)),
			slog.Int("parked", v.Parked), slog.Int("unsettled", v.Unsettled), slog.String("at", v.Position.String()), slog.Duration("took", v.Took))
		found = append(found, v)
	}
	return found, nil
}

// choose returns the plans of the named tables in the order of the mirrors; of all if none is named.
func (c *catalog) choose(names []string) ([]*plan, error) {
	for _, n := range names {
		if c.plans[n] == nil {
			return nil, fatalf("table %q is not replicated: name tables of Postgres such as issue or opinion", n)
		}
	}
	var plans []*plan
	for _, p := range c.plans {
		if len(names) == 0 || slices.Contains(names, p.source.name) {
			plans = append(plans, p)
		}
	}
	slices.SortFunc(plans, func(a, b *plan) int { return strings.Compare(a.source.name, b.source.name) })
	return plans, nil
}

// comparer compares one table.
type comparer struct {
	*Operator
	plan    *plan
	columns []targetColumn
	opt     VerifyOptions
}

func (o *Operator) verifyTable(ctx context.Context, cat *catalog, p *plan, opt VerifyOptions) (v Verification, err error) {
	started := time.Now()
	v = Verification{Table: p.source.name, Differing: []Difference{}}
	c := comparer{Operator: o, plan: p, opt: opt}
	if c.columns, err = targetColumns(ctx, o.cfg.ClickHouse, p.mirror.Table); err != nil {
		return v, err
	}
	c.columns = slices.DeleteFunc(c.columns, func(t targetColumn) bool { return t.computed })
	suspects, err := c.firstLook(ctx, &v)
	if err != nil {
		return v, err
	}
	var certain []string
	for round := 0; len(suspects) > 0; round++ {
		differ, moving, err := c.lookAgain(ctx, suspects, &v)
		if err != nil {
			return v, err
		}
		certain = append(certain, differ...)
		if suspects = moving; round == settleRounds {
			v.Unsettled = len(suspects)
			break
		}
	}
	if certain, err = c.withoutParked(ctx, certain, &v); err != nil || len(certain) == 0 {
		v.Took = time.Since(started)
		return v, err
	}
	if opt.Repair {
		if _, err := o.repair(ctx, cat, p, certain); err != nil {
			return v, err
		}
		v.Repaired = true
	}
	v.Took = time.Since(started)
	return v, nil
}

// firstLook compares the sums of the whole table, and returns the keys of rows that differ, perhaps only because they change.
func (c comparer) firstLook(ctx context.Context, v *Verification) ([]string, error) {
	snap, err := takeSnapshot(ctx, c.cfg.Postgres)
	if err != nil {
		return nil, err
	}
	defer snap.close()
	pg, err := snap.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = pg.Close(context.WithoutCancel(ctx)) }()
	v.Position = snap.position
	sizes, err := extents(ctx, pg, []*plan{c.plan})
	if err != nil {
		return nil, err
	}
	ranges := sizes[c.plan.source.name].ranges(c.cfg.rangeBytes)
	var left, right [buckets]sum
	g, both := errgroup.WithContext(ctx)
	g.Go(func() (err error) { left, err = c.sumPostgres(both, snap, ranges); return err })
	g.Go(func() (err error) {
		if err := c.awaitApplied(both, snap.position); err != nil {
			return err
		}
		right, err = c.sumMirror(both)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, s := range left {
		v.Rows += s.rows
	}
	var differing []int32
	for b := range left {
		if left[b] != right[b] {
			differing = append(differing, int32(b))
		}
	}
	if len(differing) == 0 {
		return nil, nil
	}
	a, err := c.hashesInPostgres(ctx, pg, fmt.Sprintf("(('x' || right(h, 16))::bit(64)::bigint & %d)::int = ANY ($1)", buckets-1), differing)
	if err != nil {
		return nil, err
	}
	b, err := c.hashesInMirror(ctx, fmt.Sprintf("bitAnd(reinterpretAsUInt64(reverse(substring(h, 9, 8))), %d) IN {buckets:Array(Int32)}", buckets-1), named("buckets", differing))
	if err != nil {
		return nil, err
	}
	return differingKeys(a, b), nil
}

func differingKeys(a, b map[string]string) []string {
	var keys []string
	for k, h := range a {
		if b[k] != h {
			keys = append(keys, k)
		}
	}
	for k := range b {
		if _, both := a[k]; !both {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// lookAgain compares the named rows at a new moment. A row that the mirror has newer than that moment is still moving.
func (c comparer) lookAgain(ctx context.Context, keys []string, v *Verification) (differ, moving []string, err error) {
	snap, err := takeSnapshot(ctx, c.cfg.Postgres)
	if err != nil {
		return nil, nil, err
	}
	defer snap.close()
	pg, err := snap.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = pg.Close(context.WithoutCancel(ctx)) }()
	a, err := c.hashesInPostgres(ctx, pg, "k = ANY ($1)", keys)
	if err != nil {
		return nil, nil, err
	}
	if err := c.awaitApplied(ctx, snap.position); err != nil {
		return nil, nil, err
	}
	b, err := c.hashesInMirror(ctx, "k IN {keys:Array(String)}", named("keys", keys))
	if err != nil {
		return nil, nil, err
	}
	versions, err := c.versions(ctx, keys)
	if err != nil {
		return nil, nil, err
	}
	var end string // no row can rightly be newer than this
	if err := c.pg.QueryRow(ctx, "SELECT pg_current_wal_insert_lsn()::text").Scan(&end); err != nil {
		return nil, nil, err
	}
	last, err := pglogrepl.ParseLSN(end)
	if err != nil {
		return nil, nil, err
	}
	for _, k := range differingKeys(a, b) {
		if at := versions[k]; at >= snap.position && at <= last {
			moving = append(moving, k)
			continue
		}
		differ = append(differ, k)
		v.Differing = append(v.Differing, Difference{Key: strings.ReplaceAll(k, separator, "/"), Postgres: presence(a, k), Mirror: presence(b, k)})
	}
	return differ, moving, nil
}

func presence(rows map[string]string, key string) string {
	if _, there := rows[key]; there {
		return "row"
	}
	return "none"
}

// sum is a bucket of a table.
type sum struct {
	rows int64
	hash uint64
}

// sumPostgres reads the table in ranges, several at a time, so that progress can be told and no statement lasts long.
func (c comparer) sumPostgres(ctx context.Context, snap *snapshot, ranges []string) (sums [buckets]sum, err error) {
	var next atomic.Int64
	var mu sync.Mutex
	var done, rows int64
	g, gctx := errgroup.WithContext(ctx)
	for range min(len(ranges), c.cfg.LoadWorkers) {
		g.Go(func() error {
			pg, err := snap.connect(gctx)
			if err != nil {
				return err
			}
			defer func() { _ = pg.Close(context.WithoutCancel(gctx)) }()
			for {
				i := int(next.Add(1) - 1)
				if i >= len(ranges) {
					return nil
				}
				part, err := c.sumRange(gctx, pg, ranges[i])
				if err != nil {
					return fmt.Errorf("add up Postgres: %w", err)
				}
				mu.Lock()
				for b, s := range part {
					sums[b].rows += s.rows
					sums[b].hash += s.hash
					rows += s.rows
				}
				done++
				if c.opt.Progress != nil {
					c.opt.Progress(c.plan.source.name, done, int64(len(ranges)), rows)
				}
				mu.Unlock()
			}
		})
	}
	err = g.Wait()
	return sums, err
}

// sumRange adds up the rows that the condition names.
func (c comparer) sumRange(ctx context.Context, pg *pgx.Conn, condition string) (map[int64]sum, error) {
	rows, err := pg.Query(ctx, fmt.Sprintf(`SELECT (h & %d)::int, count(*), sum(h)::text
		FROM (SELECT ('x' || right(md5(%s), 16))::bit(64)::bigint AS h FROM %s WHERE %s OFFSET 0) AS r GROUP BY 1`, // without OFFSET Postgres would hash twice
		buckets-1, recordInPostgres(c.columns), c.plan.sourceName(), c.plan.filtered(condition)))
	if err != nil {
		return nil, err
	}
	sums := map[int64]sum{}
	var bucket, n int64
	var total string
	_, err = pgx.ForEachRow(rows, []any{&bucket, &n, &total}, func() error { sums[bucket] = sum{n, low64(total)}; return nil })
	return sums, err
}

// low64 is a decimal number of any size, modulo 2^64: ClickHouse's sums wrap around, those of Postgres do not.
func low64(decimal string) uint64 {
	n, ok := new(big.Int).SetString(decimal, 10)
	if !ok {
		return 0
	}
	return n.And(n, new(big.Int).SetUint64(^uint64(0))).Uint64()
}

func (c comparer) sumMirror(ctx context.Context) ([buckets]sum, error) {
	var sums [buckets]sum
	rows, err := c.cfg.ClickHouse.Query(ctx, fmt.Sprintf(`SELECT toUInt16(bitAnd(h, %d)) AS b, count(), sum(h)
		FROM (SELECT reinterpretAsUInt64(reverse(substring(MD5(%s), 9, 8))) AS h FROM %s FINAL WHERE _deleted = 0) GROUP BY b`,
		buckets-1, recordInMirror(c.columns), quote(c.plan.mirror.Table)))
	if err != nil {
		return sums, fmt.Errorf("add up the mirror: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var b uint16
		var n uint64
		var hash uint64
		if err := rows.Scan(&b, &n, &hash); err != nil {
			return sums, fmt.Errorf("add up the mirror: %w", err)
		}
		sums[b] = sum{int64(n), hash}
	}
	return sums, rows.Err()
}

// hashesInPostgres returns the hash of each row that the condition names, by key.
func (c comparer) hashesInPostgres(ctx context.Context, pg *pgx.Conn, condition string, arg any) (map[string]string, error) {
	rows, err := pg.Query(ctx, fmt.Sprintf("SELECT k, h FROM (SELECT %s AS k, md5(%s) AS h FROM %s WHERE %s) AS r WHERE %s",
		keyInPostgres(c.keyColumns()), recordInPostgres(c.columns), c.plan.sourceName(), c.plan.filtered("true"), condition), arg)
	if err != nil {
		return nil, err
	}
	hashes := map[string]string{}
	var k, h string
	_, err = pgx.ForEachRow(rows, []any{&k, &h}, func() error { hashes[k] = h; return nil })
	return hashes, err
}

func (c comparer) hashesInMirror(ctx context.Context, condition string, arg any) (map[string]string, error) {
	rows, err := c.cfg.ClickHouse.Query(ctx, fmt.Sprintf("SELECT k, lower(hex(h)) FROM (SELECT %s AS k, MD5(%s) AS h FROM %s FINAL WHERE _deleted = 0) WHERE %s",
		keyInMirror(c.keyColumns()), recordInMirror(c.columns), quote(c.plan.mirror.Table), condition), arg)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	hashes := map[string]string{}
	for rows.Next() {
		var k, h string
		if err := rows.Scan(&k, &h); err != nil {
			return nil, err
		}
		hashes[k] = h
	}
	return hashes, rows.Err()
}

// versions returns the commit of the newest state of each row, tombstones included.
func (c comparer) versions(ctx context.Context, keys []string) (map[string]pglogrepl.LSN, error) {
	rows, err := c.cfg.ClickHouse.Query(ctx, fmt.Sprintf("SELECT %s AS k, toUInt64(bitShiftRight(max(_ver), 64)) FROM %s WHERE k IN {keys:Array(String)} GROUP BY k",
		keyInMirror(c.keyColumns()), quote(c.plan.mirror.Table)), named("keys", keys))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	versions := map[string]pglogrepl.LSN{}
	for rows.Next() {
		var k string
		var at uint64
		if err := rows.Scan(&k, &at); err != nil {
			return nil, err
		}
		versions[k] = pglogrepl.LSN(at)
	}
	return versions, rows.Err()
}

func (c comparer) keyColumns() []targetColumn { return keyColumns(c.plan, c.columns) }

func keyColumns(p *plan, columns []targetColumn) []targetColumn {
	keys := make([]targetColumn, len(p.mirror.Key))
	for i, k := range p.mirror.Key {
		keys[i] = columns[slices.IndexFunc(columns, func(t targetColumn) bool { return t.name == k })]
	}
	return keys
}

// withoutParked takes out the rows that are known to be set aside.
func (c comparer) withoutParked(ctx context.Context, keys []string, v *Verification) ([]string, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	letters, err := c.openLetters(ctx, c.plan)
	if err != nil {
		return nil, err
	}
	parked := func(k string) bool { return letters[k] }
	v.Differing = slices.DeleteFunc(v.Differing, func(d Difference) bool { return parked(strings.ReplaceAll(d.Key, "/", separator)) })
	left := slices.DeleteFunc(slices.Clone(keys), parked)
	v.Parked = len(keys) - len(left)
	return left, nil
}
