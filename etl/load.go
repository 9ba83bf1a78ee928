package etl

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pglogrepl"
)

// load brings the whole publication to the warehouse from the snapshot of a new slot. Mirrors that have rows are built anew beside
// themselves, so readers see old states until they see new ones. A load that was cut off goes on where its slot still has every change:
// tables that were done stay, the others come from a later snapshot, and the stream of the slot brings both to the same place.
func (s *session) load(ctx context.Context, v verdict) error {
	s.tracker.update(func(st *Status) { st.State = StateLoading })
	started := time.Now()
	whole := s.loads[""]
	if whole.state == loadOpen {
		s.startAllMerges(ctx)
	}
	if !v.resume {
		var err error
		if whole, err = s.openLoad(ctx); err != nil {
			return err
		}
	}
	pending := s.pending(whole)
	s.tellStopped()
	copies, err := s.prepare(ctx, s.control, pending, false)
	if err != nil {
		return err
	}
	snap, err := s.loadSnapshot(ctx, v, &whole)
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "load started", slog.String("reason", v.reason), slog.String("snapshot_at", snap.position.String()),
		slog.Int("tables", len(pending)), slog.Int("tables_done", len(s.catalog.plans)-len(pending)))
	s.metrics.loadStarts(s.expectedRows(ctx))
	b := &backfill{session: s, book: s.book, snapshot: snap, dead: s.dead, state: loadOpen, load: whole.load, copies: copies}
	b.settle = b.takePlace
	if err := b.run(ctx); err != nil {
		return err
	}
	if v.resume {
		snap.close()
	}
	s.check.applied, s.check.commitTime = whole.snapshot, whole.startedAt
	if s.check, err = s.check.write(ctx, s.cfg.ClickHouse, s.cfg.Pipeline, s.cfg.Now()); err != nil {
		return err
	}
	whole.state = loadDone
	if err := s.book.write(ctx, whole); err != nil {
		return err
	}
	took, rows := time.Since(started), b.progress.now.Rows
	s.log.InfoContext(ctx, "load done", slog.Int64("rows", rows), slog.Duration("took", took), slog.Float64("rows_per_second", float64(rows)/took.Seconds()))
	s.tracker.update(func(st *Status) { st.Loads++ })
	return nil
}

// pending are the tables that the load has still to bring.
func (s *session) pending(whole loadRecord) []*plan {
	var plans []*plan
	for name, p := range s.catalog.plans {
		r := s.loads[name]
		if r.state == loadDone && r.load == whole.load {
			p.state.since.Store(uint64(r.snapshot))
			continue
		}
		if r.state == loadStopped && r.load == whole.load {
			p.state.stopped.Store(true)
			continue
		}
		plans = append(plans, p)
	}
	return plans
}

// openLoad writes down that a load begins, before anything is given up for it. Its time is Postgres' own before the snapshot: all that
// committed by then is in it.
func (s *session) openLoad(ctx context.Context) (loadRecord, error) {
	r := loadRecord{load: s.check.epoch, state: loadOpen}
	if err := s.control.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&r.startedAt); err != nil {
		return r, fmt.Errorf("read the clock of Postgres: %w", err)
	}
	return r, s.book.write(ctx, r)
}

// loadSnapshot is that of a new slot, or for a load that goes on a later one beside the slot there is.
func (s *session) loadSnapshot(ctx context.Context, v verdict, whole *loadRecord) (*snapshot, error) {
	if v.resume {
		return takeSnapshot(ctx, s.cfg.Postgres)
	}
	slot, err := s.newSlot(ctx)
	if err != nil {
		return nil, err
	}
	if whole.snapshot, err = pglogrepl.ParseLSN(slot.ConsistentPoint); err != nil {
		return nil, fmt.Errorf("read the position of the snapshot: %w", err)
	}
	return &snapshot{name: slot.SnapshotName, position: whole.snapshot, repl: s.repl, dsn: s.cfg.Postgres}, s.book.write(ctx, *whole)
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

// recall reads how the mirrors were filled, and settles what is missing in them. It is called when a session begins.
func (s *session) recall(ctx context.Context, v verdict) (err error) {
	s.book = &loadBook{ch: s.cfg.ClickHouse, pipeline: s.cfg.Pipeline, epoch: s.check.epoch, now: s.cfg.Now}
	if err := s.dropShadows(ctx); err != nil {
		return err
	}
	if v.load {
		return nil
	}
	if whole := s.loads[""]; whole.state == loadOpen { // killed between the checkpoint and this
		whole.state = loadDone
		if err := s.book.write(ctx, whole); err != nil {
			return err
		}
	}
	filled := map[string]bool{}
	if len(s.loads) == 0 { // filled by a release that kept no records
		if filled, err = filledMirrors(ctx, s.cfg.ClickHouse); err != nil {
			return err
		}
	}
	for name, p := range s.catalog.plans {
		r, known := s.loads[name]
		if !known && len(s.loads) == 0 {
			if known, err = s.adopt(ctx, p, filled[p.mirror.Table]); err != nil {
				return err
			}
		}
		switch {
		case r.state == loadDone:
			p.state.since.Store(uint64(r.snapshot))
		case r.state == loadStopped:
			p.state.stopped.Store(true)
		case r.state == loadOpen || !known:
			p.state.loaded = make(chan struct{})
			s.missing = append(s.missing, p)
		}
	}
	s.tellStopped()
	return nil
}

// adopt takes a table for loaded whose mirror has rows, or that has none itself.
func (s *session) adopt(ctx context.Context, p *plan, filled bool) (bool, error) {
	if !filled {
		if err := s.control.QueryRow(ctx, "SELECT NOT EXISTS (SELECT ctid FROM "+p.sourceName()+")").Scan(&filled); err != nil {
			return false, fmt.Errorf("look for rows in %s: %w", p.source.name, err)
		}
	}
	if !filled {
		return false, nil
	}
	return true, s.book.write(ctx, loadRecord{source: p.source.name, state: loadDone, startedAt: s.cfg.Now()})
}
