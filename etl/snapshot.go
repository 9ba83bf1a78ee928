package etl

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// snapshot is a frozen view of Postgres whose place in the order of commits is known: everything that committed before position is
// in it, nothing else is. Only the making of a replication slot gives both at once; a position read beside an ordinary transaction
// may already count a commit that the transaction does not see.
type snapshot struct {
	name     string
	position pglogrepl.LSN
	repl     *pgconn.PgConn // holds the temporary slot, and with it the snapshot
	dsn      string
}

// takeSnapshot waits for the transactions that are open now, as the making of every logical slot does.
func takeSnapshot(ctx context.Context, dsn string) (*snapshot, error) {
	repl, _, err := connectReplication(ctx, dsn)
	if err != nil {
		return nil, err
	}
	r, err := pglogrepl.CreateReplicationSlot(ctx, repl, "groundwork_look_"+rand.Text()[:12], "pgoutput", pglogrepl.CreateReplicationSlotOptions{
		Temporary: true, Mode: pglogrepl.LogicalReplication, SnapshotAction: "EXPORT_SNAPSHOT"})
	s := &snapshot{name: r.SnapshotName, repl: repl, dsn: dsn}
	if err == nil {
		s.position, err = pglogrepl.ParseLSN(r.ConsistentPoint)
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("make a temporary replication slot for a snapshot (max_replication_slots may be reached): %w", err)
	}
	return s, nil
}

// close gives the snapshot and its slot up.
func (s *snapshot) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	_ = s.repl.Close(ctx)
}

// connect opens a connection inside the snapshot; it lives on without s.
func (s *snapshot) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := connect(ctx, s.dsn)
	if err != nil {
		return nil, err
	}
	if err := enterSnapshot(ctx, conn.PgConn(), s.name); err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return conn, nil
}

// enterSnapshot makes everything that conn reads from now on come from the named snapshot.
func enterSnapshot(ctx context.Context, conn *pgconn.PgConn, name string) error {
	if _, err := conn.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '"+name+"'").ReadAll(); err != nil {
		return fmt.Errorf("take the slot's snapshot: %w", err)
	}
	return nil
}
