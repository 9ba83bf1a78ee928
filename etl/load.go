package etl

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

// tablesAtOnce is how many tables are copied at the same time.
const tablesAtOnce = 2

// load brings the whole publication to the warehouse from the snapshot of a new slot, and ends the rows that the snapshot does
// not have. The mirrors stay readable: rows change to their newer state one by one. Interrupted, it starts over.
func (s *session) load(ctx context.Context, v verdict) error {
	s.tracker.update(func(st *Status) { st.State = StateLoading })
	started := time.Now()
	var watermark time.Time // Postgres' own clock before the snapshot: all that committed by then is in it
	if err := s.control.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&watermark); err != nil {
		return fmt.Errorf("read the clock of Postgres: %w", err)
	}
	slot, err := s.newSlot(ctx)
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "load started", slog.String("reason", v.reason), slog.String("snapshot_at", slot.ConsistentPoint))
	point, err := pglogrepl.ParseLSN(slot.ConsistentPoint)
	if err != nil {
		return fmt.Errorf("read the position of the snapshot: %w", err)
	}
	s.metrics.loadStarts(s.expectedRows(ctx))
	var total atomic.Int64
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(tablesAtOnce)
	for _, p := range s.catalog.plans {
		g.Go(func() error {
			n, err := s.loadTable(gctx, p, slot.SnapshotName, version{commit: point})
			total.Add(n)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	s.check.applied, s.check.commitTime = point, watermark
	if s.check, err = s.check.write(ctx, s.cfg.ClickHouse, s.cfg.Pipeline, s.cfg.Now()); err != nil {
		return err
	}
	took := time.Since(started)
	s.log.InfoContext(ctx, "load done", slog.Int64("rows", total.Load()), slog.Duration("took", took),
		slog.Float64("rows_per_second", float64(total.Load())/took.Seconds()))
	s.tracker.update(func(st *Status) { st.Loads++ })
	return nil
}

// newSlot drops the old slot, if any, and makes a new one. Its snapshot lasts as long as the replication connection does
// nothing else.
func (s *session) newSlot(ctx context.Context) (pglogrepl.CreateReplicationSlotResult, error) {
	var none pglogrepl.CreateReplicationSlotResult
	if s.slot.exists {
		if err := pglogrepl.DropReplicationSlot(ctx, s.repl, s.cfg.Slot, pglogrepl.DropReplicationSlotOptions{Wait: true}); err != nil {
			return none, fmt.Errorf("drop replication slot %s: %w", s.cfg.Slot, err)
		}
	}
	// Postgres waits here for all transactions that were open before; a forgotten one would make this wait look like a hang.
	slow := time.AfterFunc(5*time.Second, func() {
		s.log.WarnContext(ctx, "still making the replication slot: Postgres waits for older open transactions; look for them in pg_stat_activity")
	})
	defer slow.Stop()
	r, err := s.createSlot(ctx)
	if err != nil {
		return none, fmt.Errorf("create replication slot %s (max_replication_slots may be reached): %w", s.cfg.Slot, err)
	}
	s.slot = slotState{exists: true}
	return r, nil
}

// loadTable copies one table at version v and then ends what the snapshot does not have.
func (s *session) loadTable(ctx context.Context, p *plan, snapshot string, v version) (int64, error) {
	if err := s.clearForeignHistory(ctx, p, v); err != nil {
		return 0, err
	}
	started := time.Now()
	t := tableLoad{session: s, plan: p, version: v, writer: newWriter(s.cfg.ClickHouse)}
	if err := t.copy(ctx, snapshot); err != nil {
		return t.rows, fmt.Errorf("copy %s: %w", p.source.name, err)
	}
	if err := tombstoneBelow(ctx, s.cfg.ClickHouse, p, v); err != nil {
		return t.rows, err
	}
	s.log.DebugContext(ctx, "table loaded", slog.String("table", p.source.name), slog.Int64("rows", t.rows), slog.Duration("took", time.Since(started)))
	return t.rows, nil
}

// clearForeignHistory empties a mirror that holds rows newer than the snapshot. They come from a history that Postgres no longer
// has (it was restored, or is another one), and would win over its rows for ever.
func (s *session) clearForeignHistory(ctx context.Context, p *plan, v version) error {
	newer, err := hasNewer(ctx, s.cfg.ClickHouse, p, v)
	if err != nil || !newer {
		return err
	}
	s.log.WarnContext(ctx, "mirror holds rows from a history that Postgres does not have; emptying it first", slog.String("mirror", p.mirror.Table))
	if err := s.cfg.ClickHouse.Exec(ctx, "TRUNCATE TABLE "+quote(p.mirror.Table)); err != nil {
		return fmt.Errorf("empty %s: %w", p.mirror.Table, err)
	}
	return nil
}

func hasNewer(ctx context.Context, ch driver.Conn, p *plan, v version) (bool, error) {
	var n uint64
	if err := ch.QueryRow(ctx, fmt.Sprintf("SELECT count() FROM %s WHERE _ver > %s", quote(p.mirror.Table), v.sql())).Scan(&n); err != nil {
		return false, fmt.Errorf("look for newer rows in %s: %w", p.mirror.Table, err)
	}
	return n > 0, nil
}

// tableLoad is the copy of one table under way.
type tableLoad struct {
	session *session
	plan    *plan
	version version
	writer  *writer
	rows    int64
	logged  time.Time
}

func (t *tableLoad) copy(ctx context.Context, snapshot string) error {
	config, err := connectConfig(t.session.cfg.Postgres)
	if err != nil {
		return err
	}
	conn, err := pgconn.ConnectConfig(ctx, &config.Config)
	if err != nil {
		return fmt.Errorf("connect to Postgres: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := enterSnapshot(ctx, conn, snapshot); err != nil {
		return err
	}
	t.logged = time.Now()
	reader := &copyReader{row: func(row []field) error { return t.row(ctx, row) }}
	if _, err := conn.CopyTo(ctx, reader, t.plan.copySQL("true")); err != nil {
		return err
	}
	return t.flush(ctx)
}

func (t *tableLoad) row(ctx context.Context, row []field) error {
	err := t.writer.row(t.plan, row, nil, t.version)
	if fault, ok := parkable(err); ok {
		return t.session.dead.park(ctx, t.plan, row, t.version, fault)
	}
	if err != nil {
		return err
	}
	if t.writer.rows >= t.session.cfg.FlushRows || t.writer.bytes >= t.session.cfg.FlushBytes/tablesAtOnce {
		return t.flush(ctx)
	}
	return nil
}

func (t *tableLoad) flush(ctx context.Context) error {
	n, bytes := int64(t.writer.rows), t.writer.bytes
	if err := t.writer.flush(ctx); err != nil {
		return err
	}
	t.session.metrics.wrote(fromLoad, int(n), bytes)
	if n > 0 {
		failpoint(failMidSnapshot)
	}
	t.rows += n
	t.session.tracker.update(func(st *Status) { st.Rows += n })
	if time.Since(t.logged) > 2*time.Second {
		t.logged = time.Now()
		t.session.log.InfoContext(ctx, "loading", slog.String("table", t.plan.source.name), slog.Int64("rows", t.rows))
	}
	return nil
}
