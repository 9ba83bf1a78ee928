package etl

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// system identifies the Postgres cluster and where its WAL stands.
type system struct {
	id       string
	timeline int32
	position pglogrepl.LSN
	database string
	history  history // of the timeline
}

// slotState is what Postgres says of our slot.
type slotState struct {
	exists    bool
	plugin    string
	database  string
	walStatus string // "lost" = Postgres threw away WAL that the slot still needed
	confirmed pglogrepl.LSN
}

// applicationName is how Postgres knows our connections; that of the lock adds what the replicator is doing.
const applicationName = "groundwork etl"

// connectConfig parses the connection string, drops what only a pool understands, and names us to the server.
func connectConfig(dsn string) (*pgx.ConnConfig, error) {
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fatalf("Postgres: %w", err)
	}
	for name := range c.RuntimeParams {
		if strings.HasPrefix(name, "pool_") {
			delete(c.RuntimeParams, name)
		}
	}
	c.RuntimeParams["application_name"] = applicationName
	// A replicator whose machine is gone sends no goodbye: Postgres is to notice within 10 s, so that a standby takes over. There is no
	// tcp_user_timeout, which also counts the time in which a reader that is alive and acknowledges every probe takes nothing: a slow warehouse.
	maps.Copy(c.RuntimeParams, map[string]string{"tcp_keepalives_idle": "4", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"})
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 10 * time.Second
	}
	return c, nil
}

func connect(ctx context.Context, dsn string) (*pgx.Conn, error) {
	c, err := connectConfig(dsn)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("connect to Postgres: %w", err)
	}
	return conn, nil
}

// connectReplication opens a connection that takes replication commands, and tells what it reads through.
func connectReplication(ctx context.Context, dsn string) (*pgconn.PgConn, *gulps, error) {
	c, err := connectConfig(dsn)
	if err != nil {
		return nil, nil, err
	}
	c.RuntimeParams["replication"] = "database"
	socket := new(gulps)
	socket.use(&c.Config)
	conn, err := pgconn.ConnectConfig(ctx, &c.Config)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to Postgres for replication (the user needs REPLICATION): %w", err)
	}
	return conn, socket, nil
}

func identify(ctx context.Context, repl *pgconn.PgConn) (system, error) {
	r, err := pglogrepl.IdentifySystem(ctx, repl)
	if err != nil {
		return system{}, fmt.Errorf("identify Postgres: %w", err)
	}
	h, err := readHistory(ctx, repl, r.Timeline)
	return system{id: r.SystemID, timeline: r.Timeline, position: r.XLogPos, database: r.DBName, history: h}, err
}

func readSlot(ctx context.Context, pg *pgx.Conn, name string) (slotState, error) {
	var s slotState
	var confirmed string
	err := pg.QueryRow(ctx, `SELECT true, coalesce(plugin, ''), coalesce(database, ''), coalesce(wal_status, ''), coalesce(confirmed_flush_lsn, '0/0')::text
		FROM pg_replication_slots WHERE slot_name = $1`, name).Scan(&s.exists, &s.plugin, &s.database, &s.walStatus, &confirmed)
	if errors.Is(err, pgx.ErrNoRows) {
		return slotState{}, nil
	}
	if err == nil {
		s.confirmed, err = pglogrepl.ParseLSN(confirmed)
	}
	if err != nil {
		return slotState{}, fmt.Errorf("read replication slot %s: %w", name, err)
	}
	return s, nil
}

// checkSource refuses a Postgres that cannot be replicated from.
func checkSource(ctx context.Context, pg *pgx.Conn) error {
	var level string
	var standby, deadLetters, pauses, rebuilds bool
	if err := pg.QueryRow(ctx, "SELECT current_setting('wal_level'), pg_is_in_recovery(), to_regclass('etl.dead_letter') IS NOT NULL, to_regclass('etl.pause') IS NOT NULL, to_regclass('etl.rebuild') IS NOT NULL").Scan(&level, &standby, &deadLetters, &pauses, &rebuilds); err != nil {
		return fmt.Errorf("read the settings of Postgres: %w", err)
	}
	if standby { // it may be promoted any moment: worth another attempt
		return errors.New("this Postgres is a standby: name all hosts and target_session_attrs=read-write in the connection string, or promote it")
	}
	if level != "logical" {
		return fatalf("Postgres has wal_level = %s: set wal_level = logical and restart it", level)
	}
	if !deadLetters {
		return fatalf("Postgres has no table etl.dead_letter: run `groundwork migrate`")
	}
	if !pauses {
		return fatalf("Postgres has no table etl.pause: run `groundwork migrate`")
	}
	if !rebuilds {
		return fatalf("Postgres has no table etl.rebuild: run `groundwork migrate`")
	}
	return nil
}

// verdict says how a session starts.
type verdict struct {
	load   bool   // a fresh load is needed; otherwise streaming resumes at the checkpoint
	gap    bool   // the load heals a gap: changes were lost on the way, which is worth an alarm
	reason string // of the load
	resume bool   // a load that was cut off goes on
}

// assess compares the checkpoint with slot and system. Only where all agree may streaming resume.
func assess(c checkpoint, s slotState, sys system, slot string) verdict {
	gap := func(format string, args ...any) verdict {
		return verdict{load: true, gap: true, reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case !c.exists() && c.epoch == 0:
		return verdict{load: true, reason: "first load"}
	case !c.exists():
		return verdict{load: true, reason: "the last load did not finish"}
	case c.systemID != sys.id:
		return gap("the warehouse was filled from another Postgres (system %s, now %s)", c.systemID, sys.id)
	case assessTimeline(c, sys) != "":
		return gap("%s", assessTimeline(c, sys))
	case c.slot != slot:
		return gap("the warehouse was filled through slot %s, not %s", c.slot, slot)
	case !s.exists:
		return gap("replication slot %s is missing", slot)
	case s.walStatus == "lost":
		return gap("replication slot %s has lost its WAL (max_slot_wal_keep_size)", slot)
	case s.confirmed > c.applied:
		return gap("the slot stands at %s, the warehouse only at %s: it was restored from an older state", s.confirmed, c.applied)
	case c.applied > sys.position:
		return gap("the warehouse stands at %s, Postgres only at %s: Postgres was restored from an older state", c.applied, sys.position)
	}
	return verdict{}
}
