package etl

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
)

// readPosition reads the clock of Postgres and how far its WAL is flushed.
func readPosition(ctx context.Context, pg *pgx.Conn) (at time.Time, position pglogrepl.LSN, err error) {
	var text string
	if err := pg.QueryRow(ctx, "SELECT clock_timestamp(), pg_current_wal_flush_lsn()::text").Scan(&at, &text); err != nil {
		return at, 0, fmt.Errorf("read the position of Postgres: %w", err)
	}
	position, err = pglogrepl.ParseLSN(text)
	return at, position, err
}

// mark is where Postgres stood at a time by its own clock.
type mark struct {
	at       time.Time
	position pglogrepl.LSN
}

// lagClock tells how far back the warehouse is complete. The age of its newest transaction says less: that is old in a quiet
// system where nothing is missing.
type lagClock struct {
	marks    []mark // that the warehouse has not reached, oldest first
	complete time.Time
}

// marksKept bounds the memory of a long outage; beyond it every second mark goes, which makes the answer a little larger.
const marksKept = 1024

// look adds where both stand now; watermark is when the newest transaction in the warehouse committed.
func (l *lagClock) look(now mark, applied pglogrepl.LSN, watermark time.Time) time.Duration {
	l.marks = append(l.marks, now)
	reached := 0
	for reached < len(l.marks) && l.marks[reached].position <= applied {
		l.complete = l.marks[reached].at
		reached++
	}
	l.marks = l.marks[reached:]
	if len(l.marks) == 0 {
		return 0
	}
	if len(l.marks) > marksKept {
		l.thin()
	}
	since := l.complete
	if watermark.After(since) {
		since = watermark
	}
	return max(0, now.at.Sub(since))
}

func (l *lagClock) thin() {
	kept := make([]mark, 0, marksKept)
	for i := 0; i < len(l.marks); i += 2 {
		kept = append(kept, l.marks[i])
	}
	l.marks = kept
}

// expectedRows is how many rows the publication has, as Postgres estimates: what ANALYZE saw last. 0 = it does not know.
func (s *session) expectedRows(ctx context.Context) (rows float64) {
	// Only a figure on a screen hangs on the answer; a lost connection is met by the next statement.
	_ = s.control.QueryRow(ctx, `SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::float8 FROM pg_publication_tables p
		JOIN pg_namespace n ON n.nspname = p.schemaname JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename WHERE p.pubname = $1`, s.cfg.Publication).Scan(&rows)
	return rows
}
