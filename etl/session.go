package etl

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// session holds the connections and the knowledge of one attempt.
type session struct {
	cfg     Config
	log     *slog.Logger
	tracker *tracker
	metrics *metrics

	lease   *pgx.Conn      // holds the lock that makes us the one active replicator; sends heartbeats
	control *pgx.Conn      // catalogue and dead letters
	repl    *pgconn.PgConn // the replication stream
	socket  *gulps         // what it reads through

	system  system
	slot    slotState
	catalog *catalog
	dead    *deadLetters
	check   checkpoint    // the last one that the warehouse holds; while the stream goes on, the stream alone touches it
	epoch   uint64        // of this session, from begin on
	alarmed time.Time     // when the last alarm about the slot was logged
	behind  lagClock      // of watchSlot
	parts   atomic.Int64  // parts in the fullest partition of the warehouse, at the last look
	stood   atomic.Uint64 // where Postgres stood, at the last look
	looked  time.Time     // of watchParts

	loads   map[string]loadRecord // how the mirrors were filled, as of the beginning
	book    *loadBook
	missing []*plan      // tables that came after the last load
	swaps   chan swapJob // to the stream, which lets them happen between its writes
}

// closeWithin bounds the goodbye to a server that may be gone.
const closeWithin = 2 * time.Second

func (s *session) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	if s.repl != nil {
		_ = s.repl.Close(ctx)
	}
	for _, c := range []*pgx.Conn{s.control, s.lease} { // the lease last: a standby may start the moment it is gone
		if c != nil {
			_ = c.Close(ctx)
		}
	}
}

// open connects, and waits until this replicator is the active one.
func (s *session) open(ctx context.Context) (err error) {
	if s.lease, err = connect(ctx, s.cfg.Postgres); err != nil {
		return err
	}
	if err := s.takeLease(ctx); err != nil {
		return err
	}
	if s.control, err = connect(ctx, s.cfg.Postgres); err != nil {
		return err
	}
	s.dead = &deadLetters{budget: s.cfg.DeadBudget, count: map[string]int{}, pg: s.control, pipeline: s.cfg.Pipeline, parked: func() { s.tracker.update(func(st *Status) { st.DeadLetters++ }) }}
	s.repl, s.socket, err = connectReplication(ctx, s.cfg.Postgres)
	return err
}

// takeLease tries for the lock rather than waiting in it: a statement that waits for days would hold back vacuum.
func (s *session) takeLease(ctx context.Context) error {
	announced := false
	for {
		var taken bool
		if err := s.lease.QueryRow(ctx, "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", leaseName(s.cfg.Slot)).Scan(&taken); err != nil {
			return fmt.Errorf("take the replicator's lock: %w", err)
		}
		if taken {
			return s.sayRole(ctx, "active")
		}
		if !announced {
			s.log.InfoContext(ctx, "another replicator is active; standing by")
			s.tracker.update(func(st *Status) { st.State = StateStandby })
			if err := s.sayRole(ctx, "standby"); err != nil {
				return err
			}
			announced = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * s.cfg.RetryInterval):
		}
	}
}

// sayRole puts what this replicator is doing into the name of its connection, where `groundwork etl status` finds it.
func (s *session) sayRole(ctx context.Context, role string) error {
	if _, err := s.lease.Exec(ctx, "SELECT set_config('application_name', $1, false)", applicationName+" "+role); err != nil {
		return fmt.Errorf("name the connection: %w", err)
	}
	return nil
}

// begin reads where both sides stand and decides how to start.
func (s *session) begin(ctx context.Context) (v verdict, err error) {
	if err := checkSource(ctx, s.control); err != nil {
		return v, err
	}
	if err := s.awaitResume(ctx); err != nil {
		return v, err
	}
	if err := s.warnUnannounced(ctx, s.control); err != nil {
		return v, err
	}
	if err := s.sayRole(ctx, "active"); err != nil {
		return v, err
	}
	if s.catalog, err = loadCatalog(ctx, s.control, s.cfg); err != nil {
		return v, err
	}
	if err := s.catalog.checkIdentities(ctx, s.control, s.cfg.Publication); err != nil {
		return v, err
	}
	if s.system, err = identify(ctx, s.repl); err != nil {
		return v, err
	}
	if s.check, err = readCheckpoint(ctx, s.cfg.ClickHouse, s.cfg.Pipeline); err != nil {
		return v, err
	}
	if s.slot, err = readSlot(ctx, s.control, s.cfg.Slot); err != nil {
		return v, err
	}
	if s.slot.exists && (s.slot.database != s.system.database || s.slot.plugin != "pgoutput") {
		return v, fatalf("replication slot %s belongs to database %q (plugin %q), not to %q: choose another slot name", s.cfg.Slot, s.slot.database, s.slot.plugin, s.system.database)
	}
	if v, err = s.assess(ctx); err != nil {
		return v, err
	}
	if s.loads, err = readLoads(ctx, s.cfg.ClickHouse, s.cfg.Pipeline); err != nil {
		return v, err
	}
	if v.load && !v.gap && s.loads[""].resumable(s.check, s.slot, s.system, s.cfg.Slot) {
		v.resume, v.reason = true, "the last load was cut off; tables that it had finished stay, the others begin anew, since single ranges of two snapshots do not make one table"
	}
	if v.gap {
		s.log.ErrorContext(ctx, "GAP: changes between Postgres and the warehouse were lost; loading afresh", slog.String("reason", v.reason))
		s.metrics.gaps.Inc()
		s.tracker.update(func(st *Status) { st.LastGap = v.reason })
	}
	// Our own epoch, written down before anything else, so that a stalled predecessor can no longer move the checkpoint.
	s.epoch = s.check.epoch + 1
	s.check.epoch, s.check.seq = s.epoch, 0
	s.check.systemID, s.check.timeline, s.check.slot = s.system.id, s.system.timeline, s.cfg.Slot
	if v.load {
		s.check.applied = 0 // until the load is done no position is true; a start that finds this loads again
	}
	if s.check, err = s.check.write(ctx, s.cfg.ClickHouse, s.cfg.Pipeline, s.cfg.Now()); err != nil {
		return v, err
	}
	return v, s.recall(ctx, v)
}

// assess decides how to start. A promotion that took nothing away is no gap, as far as the mirrors show nothing that it did take.
func (s *session) assess(ctx context.Context) (verdict, error) {
	v := assess(s.check, s.slot, s.system, s.cfg.Slot)
	if v.load || s.check.timeline == s.system.timeline {
		return v, nil
	}
	mirror, err := s.foreignRows(ctx)
	if err != nil {
		return v, err
	}
	if mirror != "" {
		return verdict{load: true, gap: true, reason: fmt.Sprintf("Postgres was promoted or restored, and %s has rows of transactions that were lost with it", mirror)}, nil
	}
	s.log.WarnContext(ctx, "Postgres was promoted; nothing that the warehouse has was lost with it, so the stream goes on",
		slog.Int("timeline", int(s.system.timeline)), slog.Int("before", int(s.check.timeline)),
		slog.String("left_at", s.system.history[s.check.timeline].String()), slog.String("applied", s.check.applied.String()))
	return v, nil
}

// declareGap makes the next session load afresh, for a gap found while streaming.
func (s *session) declareGap(ctx context.Context, gap *gapError) error {
	s.log.ErrorContext(ctx, "GAP: loading afresh", slog.String("reason", gap.reason))
	s.metrics.gaps.Inc()
	s.tracker.update(func(st *Status) { st.LastGap = gap.reason })
	s.check.applied = 0
	if _, err := s.check.write(ctx, s.cfg.ClickHouse, s.cfg.Pipeline, s.cfg.Now()); err != nil {
		return err
	}
	return fmt.Errorf("gap: %w", gap)
}
