package etl

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

func TestSecondReplicatorStandsByAndTakesOver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	first := r.start()
	first.catchUp()
	second := r.start()
	second.await(func(s Status) bool { return s.State == StateStandby })
	r.exec(`UPDATE region SET name = name || '1'`)
	first.agree()
	require.Equal(t, StateStandby, second.Status().State)
	first.stop()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, second.AwaitStreaming(ctx))
	r.exec(`UPDATE region SET name = name || '2'`)
	second.agree()
	require.Zero(t, second.Status().Loads)
}

func TestCleanStopAcknowledgesWhatIsStored(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	run := r.start(func(c *Config) { c.FlushInterval, c.StatusInterval = time.Hour, 10*time.Millisecond })
	run.catchUp() // the first checkpoint moves at once, the next not before an hour
	r.exec(`UPDATE region SET name = name || '1'`)
	target := r.position()
	run.awaitReceived(target)
	run.stop()
	r.requireEqual()
	c, err := readCheckpoint(t.Context(), r.ch, "main")
	require.NoError(t, err)
	require.GreaterOrEqual(t, c.applied, target)
	require.Eventually(t, func() bool { // the server reads our last status before it notices the goodbye, but in its own time
		return r.pgCount(fmt.Sprintf(`SELECT count(*) FROM pg_replication_slots WHERE slot_name = '%s' AND confirmed_flush_lsn = '%s'`, r.slot, c.applied)) == 1
	}, patience, 10*time.Millisecond)
}

func TestLostPostgresConnections(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	run := r.start()
	run.catchUp()
	for i, who := range []string{"backend_type = 'walsender'", "query LIKE '%advisory%'", "backend_type = 'client backend'"} {
		r.exec(fmt.Sprintf(`INSERT INTO org_unit (id, name, kind) VALUES (gen_random_uuid(), 'cut %d', 'PARTY')`, i))
		r.exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE starts_with(application_name, 'groundwork etl') AND datname = current_database() AND ` + who)
		r.exec(fmt.Sprintf(`UPDATE org_unit SET name = name || '!' WHERE name = 'cut %d'`, i))
		run.agree()
	}
	require.Equal(t, 1, run.Status().Loads)
}

func TestLostClickHouse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	proxy := newProxy(t, r.chURL)
	ch, err := warehouse.Open(t.Context(), proxy.url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = ch.Close() })
	run := r.start(func(c *Config) { c.ClickHouse = ch })
	run.catchUp()
	proxy.cut()
	r.exec(`UPDATE region SET name = name || '1'`)
	r.exec(`DELETE FROM feedback`)
	run.await(func(s Status) bool { return s.LastError != "" })
	require.Contains(t, run.Status().LastError, "write")
	proxy.mend()
	run.agree()
	require.Equal(t, 1, run.Status().Loads)
}

// A reply that is lost after the warehouse stored the rows makes the same rows come twice.
func TestLostReplies(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	proxy := newProxy(t, r.chURL)
	ch, err := warehouse.Open(t.Context(), proxy.url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = ch.Close() })
	run := r.start(func(c *Config) { c.ClickHouse = ch })
	run.catchUp()
	for i := range 20 {
		proxy.loseReplies(1)
		r.exec(fmt.Sprintf(`UPDATE region_population SET persons = %d, year = year + 1`, i))
		r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'u' || random(), 'PARTY' FROM generate_series(1, 5)`)
	}
	run.agree()
	require.Equal(t, 1, run.Status().Loads)
}

// A warehouse that takes longer than wal_sender_timeout must not cost the connection to Postgres, which waits meanwhile with a full socket.
func TestSlowWarehouseKeepsTheConnection(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	proxy := newProxy(t, r.chURL)
	ch, err := warehouse.Open(t.Context(), proxy.url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = ch.Close() })
	run := r.start(func(c *Config) {
		c.ClickHouse = ch
		c.Postgres += "&options=-c%20wal_sender_timeout%3D2000"
		c.QueueBytes = 16 << 10
	})
	run.catchUp()
	release := proxy.stall()
	defer release()
	r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'u' || i, 'PARTY' FROM generate_series(1, 5000) i`)
	var began time.Time
	require.NoError(t, r.pg.QueryRow(t.Context(), "SELECT clock_timestamp()").Scan(&began))
	sender := fmt.Sprintf(`SELECT count(*) FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid
		WHERE slot_name = '%s' AND backend_start < '%[2]s' AND clock_timestamp() > timestamptz '%[2]s' + interval '20 s' AND reply_time > clock_timestamp() - interval '2 s'`,
		r.slot, began.Format(time.RFC3339Nano))
	require.Eventually(t, func() bool { return r.pgCount(sender) == 1 }, patience, 50*time.Millisecond, "the sender lives, ten times its timeout later")
	release()
	run.agree()
	require.False(t, r.log.contains("interrupted"))
}

func TestGapsAreNoticedAndHealed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		breakIt func(r *rig)
		reason  string
	}{
		"slot dropped": {func(r *rig) { dropSlot(r.t, r.dsn, r.slot) }, "is missing"},
		"warehouse restored from an older state": {func(r *rig) {
			r.chExec("TRUNCATE TABLE etl_checkpoint")
			old := r.oldCheckpoint
			_, err := old.write(context.Background(), r.ch, "main", time.Now())
			require.NoError(r.t, err)
			r.chExec("TRUNCATE TABLE d_org_unit") // what came after the backup is not there
		}, "restored from an older state"},
		"another Postgres": {func(r *rig) { r.editCheckpoint(func(c *checkpoint) { c.systemID = "7" }) }, "another Postgres"},
		"Postgres behind, with rows from a lost future": {func(r *rig) {
			r.editCheckpoint(func(c *checkpoint) { c.applied += 1 << 40 })
			r.chExec("INSERT INTO d_org_unit (id, name, kind, _ver, _deleted) SELECT id, 'from the future', kind, bitShiftLeft(toUInt128(1), 120), 0 FROM d_org_unit FINAL")
		}, "Postgres was restored"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.seed()
			first := r.start()
			first.catchUp()
			var err error
			r.oldCheckpoint, err = readCheckpoint(t.Context(), r.ch, "main")
			require.NoError(t, err)
			r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'u' || i, 'PARTY' FROM generate_series(1, 20) i`)
			first.agree()
			first.stop()
			c.breakIt(r)
			r.exec(`DELETE FROM org_unit WHERE name LIKE 'u%5'`)
			r.exec(`UPDATE region SET name = name || '1'`)
			second := r.start()
			second.agree()
			require.Equal(t, 1, second.Status().Loads)
			require.Contains(t, second.Status().LastGap, c.reason)
			require.True(t, r.log.contains("GAP"))
			second.stop()
			third := r.start() // healed: the next start resumes
			third.agree()
			require.Zero(t, third.Status().Loads)
		})
	}
}

func TestMirrorsStayReadableDuringAFreshLoad(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	first := r.start()
	first.catchUp()
	first.stop()
	dropSlot(t, r.dsn, r.slot)
	stop := make(chan struct{})
	lowest := make(chan uint64, 1)
	go func() {
		low := ^uint64(0)
		for {
			var n uint64
			if err := r.ch.QueryRow(context.Background(), "SELECT count() FROM f_issue_event FINAL WHERE _deleted = 0").Scan(&n); err == nil {
				low = min(low, n)
			}
			select {
			case <-stop:
				lowest <- low
				return
			default:
			}
		}
	}()
	second := r.start()
	second.catchUp()
	close(stop)
	require.EqualValues(t, 2, <-lowest)
	require.Equal(t, 1, second.Status().Loads)
}

func TestMismatchedSchemasAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		breakIt func(r *rig)
		message string
	}{
		"column missing in the warehouse": {func(r *rig) { r.chExec("ALTER TABLE f_issue DROP COLUMN severity") }, "column issue.severity is published, but f_issue has no such column: run `groundwork migrate`"},
		"column not published":            {func(r *rig) { r.chExec("ALTER TABLE f_issue ADD COLUMN extra String") }, "column extra of f_issue is not published by table issue: run `groundwork migrate`"},
		"another type":                    {func(r *rig) { r.chExec("ALTER TABLE f_opinion MODIFY COLUMN supported Int64") }, "column opinion.supported: type int4"},
		"not nullable": {func(r *rig) {
			r.chExec("ALTER TABLE f_claim MODIFY COLUMN unit_id UUID DEFAULT toUUID('00000000-0000-0000-0000-000000000000')")
		}, "column claim.unit_id: it may be null"},
		"publication missing": {func(r *rig) { r.exec("DROP PUBLICATION groundwork") }, "publication \"groundwork\" does not exist"},
		"table not published": {func(r *rig) { r.exec("ALTER PUBLICATION groundwork DROP TABLE feedback") }, "table feedback is not in publication groundwork"},
		"replica identity NOTHING": {func(r *rig) { r.exec("ALTER TABLE org_unit REPLICA IDENTITY NOTHING") },
			"table org_unit: column id is the key of d_org_unit, but not part of the replica identity, which is NOTHING: give the table a primary key with it and run ALTER TABLE \"public\".\"org_unit\" REPLICA IDENTITY DEFAULT"},
		"replica identity without the key": {func(r *rig) {
			r.exec("CREATE UNIQUE INDEX by_name ON org_unit (name, kind) INCLUDE (id); ALTER TABLE org_unit REPLICA IDENTITY USING INDEX by_name")
		}, "not part of the replica identity, which is USING INDEX (name, kind)"},
		"no primary key":      {func(r *rig) { r.exec("ALTER TABLE org_unit DROP CONSTRAINT org_unit_pkey CASCADE") }, "not part of the replica identity, which is DEFAULT: give"},
		"no dead letters":     {func(r *rig) { r.exec("DROP TABLE etl.dead_letter") }, "etl.dead_letter: run `groundwork migrate`"},
		"no checkpoint table": {func(r *rig) { r.chExec("DROP TABLE etl_checkpoint") }, "etl_checkpoint: run `groundwork migrate`"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			c.breakIt(r)
			replicator, err := New(r.config())
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			require.ErrorContains(t, replicator.Run(ctx), c.message)
			require.NoError(t, ctx.Err())
		})
	}
}

func TestColumnAddedWhileStreamingIsRefusedByName(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	replicator, err := New(r.config())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- replicator.Run(ctx) }()
	require.NoError(t, replicator.Wait(ctx, r.position()))
	r.exec(`ALTER TABLE org_unit ADD COLUMN extra text; ALTER PUBLICATION groundwork SET TABLE org_unit (id, parent_id, region_id, name, kind, created_at, extra)`)
	r.exec(`UPDATE org_unit SET name = name || '1'`)
	require.ErrorContains(t, <-done, "column org_unit.extra is published, but d_org_unit has no such column")
}

func TestHeartbeatMovesTheWatermarkOfAnIdleSource(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	run := r.start(func(c *Config) { c.HeartbeatInterval = 50 * time.Millisecond })
	run.catchUp()
	before := run.Status().CommitTime
	run.await(func(s Status) bool { return s.CommitTime.After(before.Add(100 * time.Millisecond)) })
}

// A position that is not the end of a published transaction is reached too: read-your-writes tokens are such positions.
func TestPositionsBetweenTransactionsAreReached(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	run := r.start(func(c *Config) { c.HeartbeatInterval = time.Hour })
	run.catchUp()
	r.exec(`CREATE TABLE unpublished AS SELECT generate_series(1, 1000) i`)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, run.Wait(ctx, r.insertPosition()))
}

func TestLatencyFromCommitToVisible(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	run := r.start(func(c *Config) { c.FlushInterval = 0 }) // the default
	run.catchUp()
	var took []time.Duration
	for i := range 20 {
		r.exec(`INSERT INTO org_unit (id, name, kind) VALUES (gen_random_uuid(), $1, 'PARTY')`, fmt.Sprint("u", i))
		started := time.Now()
		run.catchUp()
		took = append(took, time.Since(started))
	}
	require.EqualValues(t, 20, r.chCount("SELECT count() FROM d_org_unit FINAL WHERE _deleted = 0"))
	slices.Sort(took)
	t.Logf("commit to checkpoint: p50 %v, p90 %v, max %v", took[10], took[18], took[19])
	require.Less(t, took[10], 2*time.Second)
}

// awaitReceived waits until the replicator has reported that it received the stream up to p.
func (run *running) awaitReceived(p interface{ String() string }) {
	run.rig.t.Helper()
	require.Eventually(run.rig.t, func() bool {
		return run.rig.pgCount(fmt.Sprintf(`SELECT count(*) FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid WHERE slot_name = '%s' AND write_lsn >= '%s'`, run.rig.slot, p)) == 1
	}, patience, 5*time.Millisecond)
}
