package etl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
)

// A table of which too many rows were set aside is stopped: its mirror stays as it is, changes of it are left out, and all other tables go
// on. That stands in etl_load, beside the checkpoint that goes on without the table. The way back is a rebuild: the table counts as not
// loaded again, and is loaded beside the stream as one that joined later.

// errAnew ends a session so that the next one begins with what was written down.
var errAnew = errors.New("begins anew")

// stopTable stops a table because of what the stream brings. The next session fetches the changes since the checkpoint again and leaves those
// of the table out.
func (s *session) stopTable(ctx context.Context, over *budgetError) error {
	p := s.catalog.planned(over.table)
	r := loadRecord{source: over.table, load: s.loads[over.table].load, state: loadStopped, startedAt: s.cfg.Now()}
	if err := s.recordStop(ctx, p, r, over); err != nil {
		return err
	}
	if err := s.answer(ctx, s.control, over.table, 0, over.Error()); err != nil {
		return err
	}
	return errAnew
}

// recordStop writes down that a table is stopped, and says so.
func (s *session) recordStop(ctx context.Context, p *plan, r loadRecord, over *budgetError) error {
	if err := s.book.write(ctx, r); err != nil {
		return err
	}
	p.state.stopped.Store(true)
	s.log.ErrorContext(ctx, "STOPPED", slog.String("table", over.table), slog.Any("reason", over))
	s.tracker.update(func(st *Status) { st.LastError = over.Error() })
	s.tellStopped()
	return nil
}

// tellStopped shows which tables are stopped.
func (s *session) tellStopped() {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.catalog.states)) {
		if s.catalog.states[name].stopped.Load() {
			names = append(names, name)
		}
	}
	s.tracker.update(func(st *Status) { st.Stopped = names })
}

// reopen makes stopped tables that an operator wants rebuilt count as not loaded.
func (s *session) reopen(ctx context.Context, plans []*plan) error {
	var again error
	for _, p := range plans {
		if !p.state.stopped.Load() {
			continue
		}
		if err := s.book.write(ctx, loadRecord{source: p.source.name, load: s.loads[p.source.name].load, state: loadOpen, startedAt: s.cfg.Now()}); err != nil {
			return err
		}
		s.log.InfoContext(ctx, "a stopped table is wanted again", slog.String("table", p.source.name))
		again = errAnew
	}
	return again
}

// giveUp stops a table that is being loaded, so that the load goes on with the others.
func (b *backfill) giveUp(ctx context.Context, t *tableCopy, over *budgetError) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gaveUp != nil {
		return nil
	}
	t.gaveUp = over
	t.release()
	forget := func(context.Context) error { t.plan.state.shadow.Store(nil); return nil }
	if b.streaming {
		if err := b.session.betweenWrites(ctx, forget); err != nil {
			return err
		}
	} else if err := forget(ctx); err != nil {
		return err
	}
	r := t.record
	r.state = loadStopped
	if err := b.session.recordStop(ctx, t.plan, r, over); err != nil {
		return err
	}
	if b.loaded != nil {
		b.loaded(t) // nobody need wait for it
	}
	return nil
}

// stopped reports whether the load has given the table up.
func (t *tableCopy) stopped() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.gaveUp != nil
}

// dropGivenUp drops what was copied of tables that the load gave up.
func (b *backfill) dropGivenUp(ctx context.Context) error {
	for _, t := range b.copies {
		if t.shadow == "" || !t.stopped() {
			continue
		}
		if err := b.session.dropTable(ctx, t.shadow); err != nil {
			return fmt.Errorf("clear away a load that was given up: %w", err)
		}
	}
	return nil
}
