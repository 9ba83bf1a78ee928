package etl

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
)

// failoverSince is the first version of Postgres whose logical slots can follow to a promoted standby.
const failoverSince = 170000

// createSlot makes the slot and exports its snapshot. From Postgres 17 on it is a failover slot: a standby with
// sync_replication_slots keeps a copy of it. pglogrepl has no such option, so the command is sent as text; the name is safe in it.
func (s *session) createSlot(ctx context.Context) (none pglogrepl.CreateReplicationSlotResult, err error) {
	var version int
	if err := s.control.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return none, fmt.Errorf("read the version of Postgres: %w", err)
	}
	if version < failoverSince {
		return pglogrepl.CreateReplicationSlot(ctx, s.repl, s.cfg.Slot, "pgoutput", pglogrepl.CreateReplicationSlotOptions{
			Mode: pglogrepl.LogicalReplication, SnapshotAction: "EXPORT_SNAPSHOT"})
	}
	return pglogrepl.ParseCreateReplicationSlot(s.repl.Exec(ctx,
		fmt.Sprintf("CREATE_REPLICATION_SLOT %s LOGICAL pgoutput (SNAPSHOT 'export', FAILOVER true)", s.cfg.Slot)))
}

// history tells where Postgres left each timeline that it has come from: by the number of the timeline, the position at which the
// next one branches off. Every promotion and every recovery to a point in time begins a timeline.
type history map[int32]pglogrepl.LSN

// readHistory asks for the history of the present timeline. The first timeline has none.
func readHistory(ctx context.Context, repl *pgconn.PgConn, timeline int32) (history, error) {
	if timeline <= 1 {
		return history{}, nil
	}
	r, err := pglogrepl.TimelineHistory(ctx, repl, timeline)
	if err != nil {
		return nil, fmt.Errorf("read the history of timeline %d: %w", timeline, err)
	}
	h, err := parseHistory(r.Content)
	if err != nil {
		return nil, fmt.Errorf("read the history of timeline %d (%s): %w", timeline, r.FileName, err)
	}
	return h, nil
}

// parseHistory reads a history file: lines of the timeline, the position where it was left, and the reason.
func parseHistory(content []byte) (history, error) {
	h := history{}
	lines := bufio.NewScanner(bytes.NewReader(content))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		if len(words) < 2 {
			return nil, fmt.Errorf("line %q has no position", line)
		}
		timeline, err := strconv.ParseInt(words[0], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("line %q: %w", line, err)
		}
		if h[int32(timeline)], err = pglogrepl.ParseLSN(words[1]); err != nil {
			return nil, fmt.Errorf("line %q: %w", line, err)
		}
	}
	return h, lines.Err()
}

// assessTimeline decides whether what the warehouse has is part of the history of Postgres as it is now.
func assessTimeline(c checkpoint, sys system) (reason string) {
	if c.timeline == sys.timeline {
		return ""
	}
	left, known := sys.history[c.timeline]
	switch {
	case !known:
		return fmt.Sprintf("the warehouse was filled on timeline %d, which the present one, %d, does not come from", c.timeline, sys.timeline)
	case c.applied > left:
		return fmt.Sprintf("Postgres was promoted or restored: it left timeline %d at %s, and the warehouse had already gone on to %s", c.timeline, left, c.applied)
	}
	return ""
}

// foreignRows names a mirror with rows of transactions that committed after the position at which Postgres left the timeline of the
// checkpoint, and that therefore do not exist any more: they came in a flush whose checkpoint was never written. Empty = none.
func (s *session) foreignRows(ctx context.Context) (mirror string, err error) {
	left, changed := s.system.history[s.check.timeline]
	if !changed {
		return "", nil
	}
	for _, p := range s.catalog.plans {
		newer, err := hasNewer(ctx, s.cfg.ClickHouse, p, version{commit: left})
		if err != nil {
			return "", err
		}
		if newer {
			return p.mirror.Table, nil
		}
	}
	return "", nil
}

// hasNewer reports whether the mirror has rows above v.
func hasNewer(ctx context.Context, ch driver.Conn, p *plan, v version) (bool, error) {
	var n uint64
	if err := ch.QueryRow(ctx, fmt.Sprintf("SELECT count() FROM %s WHERE _ver > %s", quote(p.mirror.Table), v.sql())).Scan(&n); err != nil {
		return false, fmt.Errorf("look for newer rows in %s: %w", p.mirror.Table, err)
	}
	return n > 0, nil
}
