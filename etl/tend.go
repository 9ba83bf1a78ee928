package etl

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
)

// tend fills mirrors beside the stream: those of tables that came after the last load, and those that an operator wants anew.
func (s *session) tend(ctx context.Context) error {
	pg, err := connect(ctx, s.cfg.Postgres)
	if err != nil {
		return err
	}
	defer func() { _ = pg.Close(context.WithoutCancel(ctx)) }()
	if err := s.addTables(ctx, pg); err != nil {
		return err
	}
	tick := time.NewTicker(s.cfg.ControlInterval)
	defer tick.Stop()
	for {
		if err := s.rebuild(ctx, pg); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// addTables loads the tables that the warehouse lacks, and no others.
func (s *session) addTables(ctx context.Context, pg *pgx.Conn) error {
	if len(s.missing) == 0 {
		return nil
	}
	b, err := s.beside(ctx, pg, s.missing, false)
	if err != nil {
		return err
	}
	defer b.snapshot.close()
	for _, t := range b.copies {
		s.log.InfoContext(ctx, "loading a table that the warehouse lacks, or that was stopped", slog.String("table", t.plan.source.name), slog.String("snapshot_at", b.snapshot.position.String()))
		if t.shadow == "" {
			t.plan.state.since.Store(uint64(b.snapshot.position))
		}
	}
	b.loaded = func(t *tableCopy) { close(t.plan.state.loaded) }
	if err := b.run(ctx); err != nil {
		return fmt.Errorf("load added tables: %w", err)
	}
	for _, t := range b.copies {
		fault := ""
		if t.gaveUp != nil {
			fault = t.gaveUp.Error()
		}
		if err := s.answer(ctx, pg, t.plan.source.name, t.record.rows, fault); err != nil {
			return err
		}
	}
	s.missing = nil
	return nil
}

// beside is a backfill of some tables while the stream goes on.
func (s *session) beside(ctx context.Context, pg *pgx.Conn, plans []*plan, always bool) (*backfill, error) {
	b := &backfill{session: s, book: s.book, state: loadOpen, load: s.epoch, streaming: true,
		dead: &deadLetters{pg: pg, pipeline: s.cfg.Pipeline, parked: s.dead.parked, budget: s.cfg.DeadBudget, count: map[string]int{}}}
	if always {
		b.state = loadRebuilding
	}
	b.settle = func(ctx context.Context, t *tableCopy) error {
		return s.betweenWrites(ctx, func(ctx context.Context) error { return b.takePlace(ctx, t) })
	}
	var err error
	if b.copies, err = s.prepare(ctx, pg, plans, always); err != nil {
		return nil, err
	}
	b.snapshot, err = takeSnapshot(ctx, s.cfg.Postgres)
	return b, err
}

// rebuild does what operators asked for. What fails does not stop the stream: the old mirror stands, and the operator is told.
func (s *session) rebuild(ctx context.Context, pg *pgx.Conn) error {
	plans, err := s.wanted(ctx, pg)
	if err != nil || len(plans) == 0 {
		return err
	}
	if err := s.reopen(ctx, plans); err != nil {
		return err
	}
	b, err := s.beside(ctx, pg, plans, true)
	if b != nil && b.snapshot != nil {
		defer b.snapshot.close()
	}
	if err == nil {
		b.loaded = func(t *tableCopy) { s.tracker.update(func(st *Status) { st.Rebuilt++ }) }
		err = b.run(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.settleRebuild(ctx, pg, plans, b, err)
}

// wanted are the tables that operators want rebuilt.
func (s *session) wanted(ctx context.Context, pg *pgx.Conn) ([]*plan, error) {
	rows, err := pg.Query(ctx, "SELECT source FROM etl.rebuild WHERE pipeline = $1 AND finished_at IS NULL ORDER BY source", s.cfg.Pipeline)
	if err != nil {
		return nil, fmt.Errorf("look for rebuilds: %w", err)
	}
	sources, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for rebuilds: %w", err)
	}
	var plans []*plan
	for _, source := range sources {
		p := s.catalog.planned(source)
		if p == nil {
			if err := s.answer(ctx, pg, source, 0, "the publication has no such table"); err != nil {
				return nil, err
			}
			continue
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// settleRebuild tells the operator, and clears away what did not come to an end.
func (s *session) settleRebuild(ctx context.Context, pg *pgx.Conn, plans []*plan, b *backfill, failure error) error {
	done := map[string]loadRecord{}
	if b != nil {
		for _, t := range b.copies {
			done[t.plan.source.name] = t.record
		}
	}
	for _, p := range plans {
		r := done[p.source.name]
		if r.state == loadDone {
			if err := s.answer(ctx, pg, p.source.name, r.rows, ""); err != nil {
				return err
			}
			continue
		}
		s.log.ErrorContext(ctx, "rebuild failed, the old mirror stands", slog.String("table", p.source.name), slog.Any("error", failure))
		if err := s.abandon(ctx, p); err != nil {
			return err
		}
		if err := s.answer(ctx, pg, p.source.name, 0, failure.Error()); err != nil {
			return err
		}
	}
	return nil
}

// abandon gives a shadow up.
func (s *session) abandon(ctx context.Context, p *plan) error {
	if err := s.betweenWrites(ctx, func(context.Context) error { p.state.shadow.Store(nil); return nil }); err != nil {
		return err
	}
	record := loadRecord{source: p.source.name, load: s.loads[p.source.name].load, state: loadDone, snapshot: pglogrepl.LSN(p.state.since.Load()), startedAt: s.cfg.Now()}
	if err := s.book.write(ctx, record); err != nil {
		return err
	}
	if err := s.dropTable(ctx, s.shadowOf(p)); err != nil { // the next session does it
		s.log.WarnContext(ctx, "what is left of a rebuild could not be dropped", slog.Any("error", err))
	}
	return nil
}

// answer closes the request for a rebuild of source, if there is one.
func (s *session) answer(ctx context.Context, pg *pgx.Conn, source string, rows int64, fault string) error {
	if _, err := pg.Exec(ctx, "UPDATE etl.rebuild SET finished_at = now(), rows = $3, fault = nullif($4, '') WHERE pipeline = $1 AND source = $2 AND finished_at IS NULL",
		s.cfg.Pipeline, source, rows, fault); err != nil {
		return fmt.Errorf("answer the rebuild of %s: %w", source, err)
	}
	return nil
}
