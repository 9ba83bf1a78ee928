package etl

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork/internal/embedded"
	"groundwork/internal/embedded/embeddedtest"
)

// pair is a primary with a physical standby that keeps a copy of the replicator's slot.
type pair struct {
	t                *testing.T
	primary, standby *embedded.Postgres
	follower         embedded.PostgresConfig
}

// physicalSlot is what the standby takes its WAL from.
const physicalSlot = "standby"

// newPair copies a stopped primary: of the tools of Postgres the embedded package has only initdb and pg_ctl, not pg_basebackup.
func newPair(t *testing.T) *pair {
	t.Helper()
	dir := openDir(t)
	lead := embedded.PostgresConfig{DataDir: filepath.Join(dir, "primary"), Fast: true}
	first, err := embedded.StartPostgres(t.Context(), lead)
	require.NoError(t, err)
	execOn(t, first.DSN("postgres"), "SELECT pg_create_physical_replication_slot('"+physicalSlot+"', true)")
	makeTemplate(t, first.DSN("postgres"))
	require.NoError(t, first.Stop(context.Background()))

	p := &pair{t: t, follower: embedded.PostgresConfig{DataDir: filepath.Join(dir, "standby"), Fast: true}}
	require.NoError(t, os.CopyFS(p.follower.DataDir, os.DirFS(lead.DataDir)))
	require.NoError(t, os.Chmod(p.follower.DataDir, 0o700))
	require.NoError(t, os.RemoveAll(filepath.Join(p.follower.DataDir, "pg_replslot", physicalSlot)))
	password, err := os.ReadFile(lead.DataDir + ".password")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(p.follower.DataDir+".password", password, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(p.follower.DataDir, "standby.signal"), nil, 0o600))

	p.primary, err = embedded.StartPostgres(t.Context(), lead)
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.primary.Stop(context.Background()) })
	host, port, _ := strings.Cut(p.primary.Addr(), ":")
	p.follower.Settings = map[string]string{
		"primary_conninfo":       fmt.Sprintf("host=%s port=%s user=postgres password=%s dbname=postgres", host, port, p.primary.Password()),
		"primary_slot_name":      physicalSlot,
		"hot_standby_feedback":   "on",
		"sync_replication_slots": "on",
	}
	p.startStandby()
	t.Cleanup(func() { _ = p.standby.Stop(context.Background()) })
	return p
}

func (p *pair) startStandby() {
	p.t.Helper()
	var err error
	p.standby, err = embedded.StartPostgres(p.t.Context(), p.follower)
	require.NoError(p.t, err)
	p.follower.Addr = p.standby.Addr()
}

// rig is a rig that finds whichever of the two takes writes.
func (p *pair) rig() *rig {
	admin := strings.Replace(p.primary.DSN("postgres"), p.primary.Addr(), p.primary.Addr()+","+p.standby.Addr(), 1) + "&target_session_attrs=read-write"
	return newRigFrom(p.t, admin, template, embeddedtest.ClickHouse(p.t))
}

// standbyHas waits until a query on the standby says true.
func (p *pair) standbyHas(query string, args ...any) {
	p.t.Helper()
	conn, err := pgx.Connect(p.t.Context(), p.standby.DSN("postgres"))
	require.NoError(p.t, err)
	defer conn.Close(context.Background())
	require.Eventually(p.t, func() bool {
		var yes bool
		require.NoError(p.t, conn.QueryRow(context.Background(), query, args...).Scan(&yes), query)
		return yes
	}, patience, 20*time.Millisecond, query)
}

func (p *pair) awaitSyncedSlot(r *rig) {
	p.t.Helper()
	p.standbyHas(`SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1 AND synced AND NOT temporary AND invalidation_reason IS NULL)`, r.slot)
}

// losePrimary is a power cut.
func (p *pair) losePrimary() {
	p.t.Helper()
	require.NoError(p.t, syscall.Kill(p.primary.PID(), syscall.SIGKILL))
	<-p.primary.Done()
}

// promote makes the standby the one that takes writes.
func (p *pair) promote(r *rig) {
	p.t.Helper()
	execOn(p.t, p.standby.DSN("postgres"), "SELECT pg_promote(true, 60)")
	r.pg.Reset()
	require.Eventually(p.t, func() bool { return r.pg.Ping(context.Background()) == nil }, patience, 20*time.Millisecond)
}

// The primary dies with changes committed that the standby has and the warehouse has not: the stream goes on from the promoted standby.
func TestStreamGoesOnAfterAFailover(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	r := p.rig()
	execOn(t, p.primary.DSN("postgres"), "ALTER SYSTEM SET synchronized_standby_slots = '"+physicalSlot+"'")
	execOn(t, p.primary.DSN("postgres"), "SELECT pg_reload_conf()")
	r.seed()
	proxy := newProxy(t, r.chURL)
	run := r.startThrough(proxy)
	run.agree()
	p.awaitSyncedSlot(r)

	release := proxy.stall()
	defer release()
	r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'u' || i, 'PARTY' FROM generate_series(1, 500) i`)
	r.exec(`UPDATE region SET name = name || '!'`)
	r.exec(`DELETE FROM org_unit WHERE name LIKE 'u%5'`)
	p.standbyHas("SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", r.position().String())
	p.losePrimary()
	p.promote(r)
	release()
	r.exec(`INSERT INTO org_unit (id, name, kind) VALUES (gen_random_uuid(), 'after the failover', 'PARTY')`)
	r.exec(`DELETE FROM org_unit WHERE name LIKE 'u%7'`)
	run.agree()
	require.EqualValues(t, 1, r.chCount("SELECT count() FROM d_org_unit FINAL WHERE name = 'after the failover'"))
	require.Equal(t, 1, run.Status().Loads, "resumed, not loaded afresh: %s", run.Status().LastGap)
	require.Empty(t, run.Status().LastGap)
	require.True(t, r.log.contains("Postgres was promoted"))
	c, err := readCheckpoint(t.Context(), r.ch, "main")
	require.NoError(t, err)
	require.EqualValues(t, 2, c.timeline)
	for table, v := range r.verify(VerifyOptions{}) {
		require.Empty(t, v.Differing, table)
	}
	run.stop()
	again := r.start() // the new timeline is the one that counts from now on
	again.agree()
	require.Zero(t, again.Status().Loads)
}

// The standby lacks what the warehouse already has: those rows never were, and only a fresh load takes them back.
func TestFailoverThatLosesChangesIsAGapThatHeals(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	r := p.rig()
	r.seed()
	run := r.start()
	run.agree()
	p.awaitSyncedSlot(r)
	require.NoError(t, p.standby.Stop(context.Background()))
	r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'lost ' || i, 'PARTY' FROM generate_series(1, 50) i`)
	r.exec(`DELETE FROM feedback`)
	run.agree()
	require.EqualValues(t, 50, r.chCount("SELECT count() FROM d_org_unit FINAL WHERE name LIKE 'lost %'"))
	p.losePrimary()
	p.startStandby()
	p.promote(r)
	r.exec(`INSERT INTO org_unit (id, name, kind) VALUES (gen_random_uuid(), 'after the failover', 'PARTY')`)
	run.await(func(s Status) bool { return s.Loads == 2 })
	run.agree()
	require.Contains(t, run.Status().LastGap, "had already gone on")
	require.Zero(t, r.chCount("SELECT count() FROM d_org_unit FINAL WHERE name LIKE 'lost %'"))
	require.EqualValues(t, 1, r.chCount("SELECT count() FROM d_org_unit FINAL WHERE name = 'after the failover'"))
}

// A flush whose checkpoint was never written may have brought rows of a transaction that the promotion took back.
func TestRowsOfALostFutureAreNoticed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	run := r.start()
	run.agree()
	run.stop()
	c, err := readCheckpoint(t.Context(), r.ch, "main")
	require.NoError(t, err)
	conn, err := pgx.Connect(t.Context(), r.dsn)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	s := &session{cfg: run.cfg, log: run.log, check: c, slot: slotState{exists: true},
		system: system{id: c.systemID, timeline: c.timeline + 1, position: c.applied + 100, history: history{c.timeline: c.applied + 50}}}
	s.catalog, err = loadCatalog(t.Context(), conn, run.cfg)
	require.NoError(t, err)
	v, err := s.assess(t.Context())
	require.NoError(t, err)
	require.Equal(t, verdict{}, v)
	r.chExec("INSERT INTO d_org_unit (id, name, kind, _ver, _deleted) SELECT id, 'never was', kind, " + version{c.applied + 60, 2}.sql() + ", 0 FROM d_org_unit LIMIT 1")
	v, err = s.assess(t.Context())
	require.NoError(t, err)
	require.True(t, v.load && v.gap)
	require.Contains(t, v.reason, "d_org_unit has rows of transactions that were lost")
}
