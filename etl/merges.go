package etl

import (
	"context"
	"fmt"
	"log/slog"

	"groundwork/warehouse"
)

// While the first load fills a table, ClickHouse need not merge what it has of it: parts of half a table are merged again with those of the
// other half, and each time costs as much as the insert did. So merges rest until the load is done, or the table has as many parts as pacing
// allows. It is ClickHouse's own state: a load that was killed leaves merges at rest until the next load, or a restart of the server.

func mergesSQL(l warehouse.Layout, verb, table string) string {
	return fmt.Sprintf("SYSTEM %s MERGES%s %s", verb, l.OnCluster(), quote(table))
}

// rest stops the merges of the table. Where we may not (no SYSTEM MERGES), the load is slower.
func (t *tableCopy) rest(ctx context.Context, s *session) {
	if err := s.cfg.ClickHouse.Exec(ctx, mergesSQL(s.cfg.Layout, "STOP", t.target.mirror.Table)); err != nil {
		s.log.InfoContext(ctx, "merges go on during the load, which makes it slower (grant SYSTEM MERGES to rest them)",
			slog.String("table", t.target.mirror.Table), slog.Any("error", err))
		return
	}
	t.resting = true
}

// wake starts the merges of the table again.
func (t *tableCopy) wake(ctx context.Context, s *session) error {
	if !t.resting {
		return nil
	}
	if err := s.wakeMerges(ctx, t.target.mirror.Table); err != nil {
		return err
	}
	t.resting = false
	return nil
}

// inserted counts a part that the table has got.
func (t *tableCopy) inserted(ctx context.Context, s *session) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.inserts++; t.inserts < manyParts {
		return nil
	}
	return t.wake(ctx, s)
}

func (s *session) wakeMerges(ctx context.Context, table string) error {
	if err := s.cfg.ClickHouse.Exec(ctx, mergesSQL(s.cfg.Layout, "START", table)); err != nil {
		return fmt.Errorf("start the merges of %s again after the load: %w", table, err)
	}
	return nil
}

// wakeAll starts the merges that a load left at rest when it was cut off.
func (s *session) wakeAll(ctx context.Context) {
	for _, p := range s.catalog.plans {
		if err := s.wakeMerges(ctx, p.mirror.Table); err != nil {
			s.log.InfoContext(ctx, "merges that rest are started by a restart of the server", slog.Any("error", err))
			return
		}
	}
}
