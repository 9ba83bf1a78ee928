package etl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/ClickHouse/clickhouse-go/v2"

	"groundwork/warehouse"
)

// While the first load fills a table, ClickHouse need not merge what it has of it: parts of half a table are merged again with those of the
// other half, and each time costs as much as the insert did. So the merges of a table that takes several inserts are stopped until the load is
// done, or the table has as many parts as pacing allows. It is ClickHouse's own state: a load that was killed leaves merges stopped until the next load, or a restart of the server.

func mergesSQL(l warehouse.Layout, verb, table string) string {
	return fmt.Sprintf("SYSTEM %s MERGES%s %s", verb, l.OnCluster(), quote(table))
}

// stopMerges holds the merges of the table back. Where we may not (no SYSTEM MERGES), the load is slower.
func (t *tableCopy) stopMerges(ctx context.Context, s *session) {
	err := s.cfg.ClickHouse.Exec(ctx, mergesSQL(s.cfg.Layout, "STOP", t.target.mirror.Table))
	_, refused := errors.AsType[*clickhouse.Exception](err)
	t.mergesStopped = !refused // when only the answer was lost they may be
	if err != nil {
		s.log.InfoContext(ctx, "merges go on during the load, which makes it slower (grant SYSTEM MERGES to stop them)",
			slog.String("table", t.target.mirror.Table), slog.Any("error", err))
	}
}

// startMerges lets the merges of the table go on.
func (t *tableCopy) startMerges(ctx context.Context, s *session) error {
	if !t.mergesStopped {
		return nil
	}
	if err := s.startMerges(ctx, t.target.mirror.Table); err != nil {
		return err
	}
	t.mergesStopped = false
	return nil
}

// inserted counts a part that the table has got.
func (t *tableCopy) inserted(ctx context.Context, s *session) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.parts++; t.parts < manyParts {
		return nil
	}
	return t.startMerges(ctx, s)
}

func (s *session) startMerges(ctx context.Context, table string) error {
	if err := s.cfg.ClickHouse.Exec(ctx, mergesSQL(s.cfg.Layout, "START", table)); err != nil {
		return fmt.Errorf("start the merges of %s again after the load: %w", table, err)
	}
	return nil
}

// startAllMerges starts those that a load left stopped when it was cut off.
func (s *session) startAllMerges(ctx context.Context) {
	for _, p := range s.catalog.plans {
		if err := s.startMerges(ctx, p.mirror.Table); err != nil {
			s.log.InfoContext(ctx, "merges that a load has stopped are started by a restart of the server", slog.Any("error", err))
			return
		}
	}
}
