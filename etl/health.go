package etl

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

// SlotHealth is what Postgres says of the replication slot. Fields that its version does not know are empty.
type SlotHealth struct {
	Name           string `json:"name"`
	Exists         bool   `json:"exists"`
	Active         bool   `json:"active"`
	WALStatus      string `json:"wal_status,omitempty"` // reserved, extended, unreserved, lost
	RestartLSN     string `json:"restart_lsn,omitempty"`
	ConfirmedFlush string `json:"confirmed_flush_lsn,omitempty"`
	KeptBytes      int64  `json:"kept_bytes"`                    // WAL that only this slot holds back
	KeptLimit      int64  `json:"kept_limit_bytes"`              // where Postgres throws the slot out (max_slot_wal_keep_size); -1 = never
	SafeBytes      *int64 `json:"safe_wal_bytes"`                // until then; null = unlimited
	Invalidation   string `json:"invalidation_reason,omitempty"` // since PG 17
	Failover       bool   `json:"failover"`                      // since PG 17: the slot follows to a promoted standby
	SpillBytes     int64  `json:"spill_bytes"`                   // large transactions that decoding put on the disk
}

func readHealth(ctx context.Context, pg *pgx.Conn, slot string) (SlotHealth, error) {
	h := SlotHealth{Name: slot}
	rows, err := pg.Query(ctx, `
		SELECT true, s.active, coalesce(s.wal_status, ''), coalesce(s.restart_lsn::text, ''), coalesce(s.confirmed_flush_lsn::text, ''),
			coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), 0)::bigint,
			(SELECT CASE WHEN setting = '-1' THEN -1 ELSE setting::bigint << 20 END FROM pg_settings WHERE name = 'max_slot_wal_keep_size'),
			s.safe_wal_size, coalesce(to_jsonb(s) ->> 'invalidation_reason', ''), coalesce((to_jsonb(s) ->> 'failover')::boolean, false),
			coalesce((SELECT spill_bytes FROM pg_stat_replication_slots r WHERE r.slot_name = s.slot_name), 0)
		FROM pg_replication_slots s WHERE s.slot_name = $1`, slot)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&h.Exists, &h.Active, &h.WALStatus, &h.RestartLSN, &h.ConfirmedFlush, &h.KeptBytes, &h.KeptLimit,
			&h.SafeBytes, &h.Invalidation, &h.Failover, &h.SpillBytes}, func() error { return nil })
	}
	if err != nil {
		return h, fmt.Errorf("read the health of slot %s: %w", slot, err)
	}
	return h, nil
}

// limit is the number of kept bytes that must not be reached: Postgres' own limit or ours, whichever is lower.
func (h SlotHealth) limit(ours int64) int64 {
	if h.KeptLimit > 0 && h.KeptLimit < ours {
		return h.KeptLimit
	}
	return ours
}

// alarm tells what a person must do about the kept WAL; empty = nothing.
func (h SlotHealth) alarm(ours int64) string {
	limit := h.limit(ours)
	switch {
	case h.WALStatus == "lost":
		return "Postgres has thrown away WAL that the slot needed; the next start of the replicator loads afresh by itself"
	case h.KeptBytes >= limit*8/10:
		return fmt.Sprintf("the slot keeps %d MiB of WAL, %d %% of what it may: get the replication going, or drop the slot before the disk is full (the next start then loads afresh)", h.KeptBytes>>20, h.KeptBytes*100/limit)
	case h.KeptBytes >= limit/2:
		return fmt.Sprintf("the slot keeps %d MiB of WAL, %d %% of what it may: see why the replication lags", h.KeptBytes>>20, h.KeptBytes*100/limit)
	}
	return ""
}

// slotAlarmEvery keeps a lasting alarm from filling the log.
const slotAlarmEvery = time.Minute

// watchSlot raises the alarm in the log while the slot keeps too much.
func (s *session) watchSlot(ctx context.Context, pg *pgx.Conn) {
	h, err := readHealth(ctx, pg, s.cfg.Slot)
	if err != nil {
		return // whoever uses the connection next meets the same error and handles it
	}
	at, position, err := readPosition(ctx, pg)
	if err != nil {
		return
	}
	s.stood.Store(uint64(position))
	var dead int64
	if err := pg.QueryRow(ctx, "SELECT count(*) FROM etl.dead_letter WHERE pipeline = $1 AND settled_at IS NULL", s.cfg.Pipeline).Scan(&dead); err != nil {
		return
	}
	s.tracker.update(func(st *Status) {
		st.Slot, st.DeadRows, st.KeptLimit = h, dead, h.limit(s.cfg.MaxKeptWAL)
		if st.Applied > 0 {
			st.Behind = s.behind.look(mark{at, position}, st.Applied, st.CommitTime)
			st.BehindBytes = int64(position - min(position, st.Applied))
		}
	})
	if text := h.alarm(s.cfg.MaxKeptWAL); text != "" && time.Since(s.alarmed) > slotAlarmEvery {
		s.alarmed = time.Now()
		s.log.ErrorContext(ctx, "ALARM: "+text, slog.Int64("kept_bytes", h.KeptBytes), slog.Int64("limit_bytes", h.limit(s.cfg.MaxKeptWAL)))
	}
}

// replicators are the processes that serve one slot.
type replicators struct {
	active   *Process
	standbys int
}

// Process is a replicator as Postgres sees it.
type Process struct {
	PID     int       `json:"backend_pid"` // of its connection in Postgres
	Address string    `json:"address,omitempty"`
	Since   time.Time `json:"since"`
	Paused  bool      `json:"paused"`
}

// readReplicators finds who holds the replicator's lock. Standbys say so in the name of their connection.
func readReplicators(ctx context.Context, pg *pgx.Conn, slot string) (r replicators, err error) {
	rows, err := pg.Query(ctx, `
		SELECT a.pid, coalesce(host(a.client_addr), ''), a.backend_start, a.application_name = $3,
			EXISTS (SELECT FROM pg_locks l, hashtextextended($1, 0) AS key
				WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
				AND (l.classid::bigint << 32 | l.objid::bigint) = key) AS holds
		FROM pg_stat_activity a WHERE a.datname = current_database() AND starts_with(a.application_name, $2)`,
		leaseName(slot), applicationName, applicationName+" paused")
	if err != nil {
		return r, fmt.Errorf("look for replicators: %w", err)
	}
	var p Process
	var holds bool
	_, err = pgx.ForEachRow(rows, []any{&p.PID, &p.Address, &p.Since, &p.Paused, &holds}, func() error {
		if holds {
			active := p
			r.active = &active
		}
		return nil
	})
	if err == nil {
		err = pg.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1", applicationName+" standby").Scan(&r.standbys)
	}
	if err != nil {
		return r, fmt.Errorf("look for replicators: %w", err)
	}
	return r, nil
}

// leaseName is what the lock of the one active replicator of a slot is made of.
func leaseName(slot string) string { return "groundwork etl " + slot }
