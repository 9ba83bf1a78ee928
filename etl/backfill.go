package etl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

// tableCopy is one table on its way from a snapshot to the warehouse.
type tableCopy struct {
	plan   *plan
	target *plan  // what rows are written by: plan itself, or that of the shadow
	shadow string // table that is filled in the mirror's stead, empty = the mirror itself
	extent extent
	ranges []string

	mu     sync.Mutex
	begun  bool
	guard  *pgx.Conn // holds the table's lock from the first range to the last, so that nothing moves rows between ranges
	record loadRecord
	gaveUp *budgetError // why the table was stopped

	mergesStopped bool
	parts         int // inserted
}

// backfill brings tables from one snapshot to the warehouse: cut into ranges, several at a time, the large tables first. Whoever is
// done with a range takes the next, of whatever table.
type backfill struct {
	session   *session
	book      *loadBook
	snapshot  *snapshot
	dead      *deadLetters
	state     string // of the records while it goes on
	load      uint64
	streaming bool                                    // changes flow meanwhile
	settle    func(context.Context, *tableCopy) error // takePlace, at the right moment
	loaded    func(*tableCopy)                        // is told of each table that is done; nil = nobody
	copies    []*tableCopy

	next     atomic.Int64
	batch    batchSize
	progress progress
}

// prepare settles how each table is filled: into the mirror while that is empty, else into a shadow, for which rows of the stream are
// doubled from now on. It is done before the snapshot is taken, so that the shadow misses nothing that comes after it.
func (s *session) prepare(ctx context.Context, pg *pgx.Conn, plans []*plan, always bool) ([]*tableCopy, error) {
	sizes, err := extents(ctx, pg, plans)
	if err != nil {
		return nil, err
	}
	filled, err := filledMirrors(ctx, s.cfg.ClickHouse)
	if err != nil {
		return nil, err
	}
	copies := make([]*tableCopy, 0, len(plans))
	for _, p := range plans {
		e := sizes[p.source.name]
		t := &tableCopy{plan: p, target: p.into(p.mirror.Table), extent: e, ranges: e.ranges(s.cfg.rangeBytes)}
		if always || filled[p.mirror.Table] {
			if t.shadow, err = s.makeShadow(ctx, p); err != nil {
				return nil, err
			}
			t.target = p.into(t.shadow)
			p.state.shadow.Store(&t.shadow)
		}
		copies = append(copies, t)
	}
	slices.SortStableFunc(copies, func(a, b *tableCopy) int { return cmp.Compare(b.extent.bytes, a.extent.bytes) })
	return copies, nil
}

// rangeAt is the i-th range of all.
func (b *backfill) rangeAt(i int) (*tableCopy, string) {
	for _, t := range b.copies {
		if i < len(t.ranges) {
			return t, t.ranges[i]
		}
		i -= len(t.ranges)
	}
	return nil, ""
}

// run copies everything. When it returns nil every mirror is as the snapshot, or later.
func (b *backfill) run(ctx context.Context) error {
	b.batch.init(b.session.cfg)
	b.progress.begin(b)
	defer b.progress.end(b)
	g, gctx := errgroup.WithContext(ctx)
	for range b.session.cfg.LoadWorkers {
		g.Go(func() error { return b.work(gctx) })
	}
	err := g.Wait()
	if err := errors.Join(err, b.release()); err != nil {
		return err
	}
	return b.dropGivenUp(ctx)
}

// release gives back what tables hold that the load did not complete, even if it was stopped.
func (b *backfill) release() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	for _, t := range b.copies {
		t.release()
		err = errors.Join(err, t.startMerges(ctx, b.session))
	}
	return err
}

func (b *backfill) work(ctx context.Context) error {
	l := loader{backfill: b}
	defer l.close()
	for {
		t, condition := b.rangeAt(int(b.next.Add(1) - 1))
		if t == nil {
			return nil
		}
		if t.stopped() {
			continue
		}
		if err := b.begin(ctx, t); err != nil {
			return err
		}
		rows, err := l.insist(ctx, t, condition)
		if over := overBudget(err); over != nil && b.state == loadOpen {
			l.close()
			l.writer = nil
			if err := b.giveUp(ctx, t, over); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("copy %s: %w", t.plan.source.name, err)
		}
		failpoint(failBeforeRecord)
		if err := b.finishRange(ctx, t, rows); err != nil {
			return err
		}
	}
}

// begin writes down that a table is under way and takes its lock.
func (b *backfill) begin(ctx context.Context, t *tableCopy) (err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.begun {
		return nil
	}
	if len(t.ranges) > 1 {
		if t.guard, err = b.snapshot.connect(ctx); err != nil {
			return err
		}
		if _, err := t.guard.Exec(ctx, "SELECT ctid FROM "+t.plan.sourceName()+" WHERE false"); err != nil {
			return fmt.Errorf("take the lock of %s: %w", t.plan.source.name, err)
		}
	}
	t.begun = true
	t.record = loadRecord{source: t.plan.source.name, load: b.load, state: b.state, snapshot: b.snapshot.position, bytes: t.extent.bytes, ranges: len(t.ranges), startedAt: b.session.cfg.Now()}
	if several := len(t.ranges) > 1 || t.extent.bytes > firstBatch; several && !b.streaming {
		t.stopMerges(ctx, b.session)
	}
	if len(t.ranges) == 1 {
		return nil // it is done before anybody asks
	}
	return b.book.write(ctx, t.record)
}

func (t *tableCopy) release() {
	if t.guard == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	_ = t.guard.Close(ctx)
	t.guard = nil
}

// finishRange counts a range that the warehouse has; the last one completes the table.
func (b *backfill) finishRange(ctx context.Context, t *tableCopy, rows int64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gaveUp != nil {
		return nil
	}
	t.record.done++
	t.record.rows += rows
	before := t.record.bytesDone
	t.record.bytesDone = t.record.bytes * int64(t.record.done) / int64(t.record.ranges)
	b.progress.chunk(b, t.record.bytesDone-before)
	if t.record.done < t.record.ranges {
		return b.book.write(ctx, t.record)
	}
	t.release()
	if t.shadow != "" { // its name is soon another table's
		if err := t.startMerges(ctx, b.session); err != nil {
			return err
		}
	}
	return b.complete(ctx, t)
}

// complete makes what was copied the mirror.
func (b *backfill) complete(ctx context.Context, t *tableCopy) error {
	if err := b.settle(ctx, t); err != nil {
		return err
	}
	t.record.state = loadDone
	if err := b.book.write(ctx, t.record); err != nil {
		return err
	}
	b.session.log.InfoContext(ctx, "table loaded", slog.String("table", t.plan.source.name), slog.Int64("rows", t.record.rows),
		slog.Int("ranges", t.record.ranges), slog.Duration("took", b.session.cfg.Now().Sub(t.record.startedAt)))
	b.progress.table(b)
	if b.loaded != nil {
		b.loaded(t)
	}
	if t.shadow == "" {
		return nil
	}
	failpoint(failBeforeDrop)
	return b.session.dropTable(ctx, t.shadow) // the old mirror by now; queries that read it finish
}

// takePlace makes what was copied the mirror, when no row is on its way. From then on changes that the snapshot has are left out.
func (b *backfill) takePlace(ctx context.Context, t *tableCopy) error {
	if b.streaming {
		if err := b.endOlder(ctx, t); err != nil {
			return err
		}
	}
	if t.shadow != "" {
		if err := b.session.exchange(ctx, t.plan, t.shadow); err != nil {
			return err
		}
	}
	t.plan.state.shadow.Store(nil)
	t.plan.state.since.Store(uint64(b.snapshot.position))
	return nil
}

// endOlder ends the rows that the stream brought before it came to the snapshot, and of which the snapshot has seen the end: that will
// be left out.
func (b *backfill) endOlder(ctx context.Context, t *tableCopy) error {
	v := version{commit: b.snapshot.position}
	older, err := hasRows(ctx, b.session.cfg.ClickHouse, t.target.mirror.Table, "_ver < "+v.sql())
	if err != nil || !older {
		return err
	}
	return tombstoneBelow(ctx, b.session.cfg.ClickHouse, t.target, v)
}

// snapshotGone reports whether whoever held the snapshot is gone, and it with him.
func snapshotGone(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "22023" || pg.Code == "42704") // before Postgres 17 an invalid identifier, since then an undefined object
}

// rangePauses are the waits before a range is copied anew, as long as the snapshot lives.
var rangePauses = []time.Duration{250 * time.Millisecond, time.Second, 4 * time.Second, 15 * time.Second, 30 * time.Second}

// loader copies ranges, one after the other, over a connection of its own.
type loader struct {
	*backfill
	table  *tableCopy // which the writer is for
	writer *writer
	conn   *pgx.Conn
	rows   int64 // of the range under way that the warehouse has
}

func (l *loader) close() {
	if l.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
		defer cancel()
		_ = l.conn.Close(ctx)
		l.conn = nil
	}
}

// insist copies a range, again if need be: rows that went before have the same version and collapse.
func (l *loader) insist(ctx context.Context, t *tableCopy, condition string) (int64, error) {
	for attempt := 0; ; attempt++ {
		err := l.copy(ctx, t, condition)
		if err == nil {
			return l.rows, nil
		}
		if attempt == len(rangePauses) || ctx.Err() != nil || isFatal(err) || snapshotGone(err) || overBudget(err) != nil {
			return 0, err
		}
		l.close()
		l.progress.rows(l.backfill, -l.rows)
		l.writer = nil
		l.session.log.WarnContext(ctx, "range of a load failed, will be copied again", slog.String("table", t.plan.source.name), slog.Any("error", err), slog.Duration("in", rangePauses[attempt]))
		select {
		case <-ctx.Done():
			return 0, err
		case <-time.After(rangePauses[attempt]):
		}
	}
}

// copy brings the rows of a range. Its transaction is the range's own, so that the table's lock is not kept longer than the table takes.
func (l *loader) copy(ctx context.Context, t *tableCopy, condition string) (err error) {
	l.rows = 0
	if l.writer == nil || l.table != t {
		l.table, l.writer = t, newWriter(l.session.cfg.ClickHouse, l.dead.park)
		l.writer.keep = math.MaxInt // one batch is as large as the next
	}
	if l.conn == nil {
		if l.conn, err = connect(ctx, l.snapshot.dsn); err != nil {
			return err
		}
	}
	if err := enterSnapshot(ctx, l.conn.PgConn(), l.snapshot.name); err != nil {
		return err
	}
	v := version{commit: l.snapshot.position}
	reader := &copyReader{row: func(row []field) error { return l.row(ctx, t, row, v) }}
	if _, err := l.conn.PgConn().CopyTo(ctx, reader, t.plan.copySQL(condition)); err != nil {
		return err
	}
	if err := l.flush(ctx); err != nil {
		return err
	}
	_, err = l.conn.Exec(ctx, "COMMIT")
	return err
}

func (l *loader) row(ctx context.Context, t *tableCopy, row []field, v version) error {
	err := l.writer.row(t.target, row, nil, v)
	if fault, ok := parkable(err); ok {
		return l.dead.park(ctx, t.plan, row, v, fault)
	}
	if err != nil {
		return err
	}
	if l.batch.full(l.writer.rows, l.writer.bytes) {
		return l.flush(ctx)
	}
	return nil
}

func (l *loader) flush(ctx context.Context) error {
	n, bytes, started := l.writer.rows, l.writer.bytes, time.Now()
	if n == 0 {
		return nil
	}
	if err := l.writer.flush(ctx); err != nil {
		l.batch.failed()
		return err
	}
	l.batch.took(bytes, time.Since(started))
	if err := l.table.inserted(ctx, l.session); err != nil {
		return err
	}
	failpoint(failMidSnapshot)
	l.session.metrics.wrote(fromLoad, n, bytes)
	l.rows += int64(n)
	l.progress.rows(l.backfill, int64(n))
	return nil
}
