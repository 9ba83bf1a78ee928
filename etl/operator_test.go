package etl

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork/internal/embedded"
)

// openDir is a directory of the test that the user of Postgres, who is not root, may pass through.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "groundwork-etl-*")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// operator opens an operator beside the test's replicators.
func (r *rig) operator() *Operator {
	r.t.Helper()
	o, err := NewOperator(context.Background(), r.config())
	require.NoError(r.t, err)
	r.t.Cleanup(o.Close)
	return o
}

func (r *rig) verify(opt VerifyOptions) map[string]Verification {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	found, err := r.operator().Verify(ctx, opt)
	require.NoError(r.t, err)
	byTable := map[string]Verification{}
	for _, v := range found {
		byTable[v.Table] = v
	}
	return byTable
}

// The canonical texts of both sides agree on every value of the seed, which has the awkward ones of each type.
func TestVerifyFindsNothingWhereNothingDiffers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	run := r.start()
	run.catchUp()
	r.requireEqual()
	for table, v := range r.verify(VerifyOptions{}) {
		require.Empty(t, v.Differing, table)
		require.EqualValues(t, r.pgCount("SELECT count(*) FROM "+table), v.Rows, table)
	}
}

func TestVerifyNamesAndRepairsWhatDiffers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	r.exec(`INSERT INTO org_unit (id, name, kind) SELECT ('aaaaaaaa-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, 'u' || i, 'PARTY' FROM generate_series(1, 3000) i`)
	run := r.start()
	run.catchUp()
	unit := func(n int) string { return fmt.Sprintf("aaaaaaaa-0000-7000-8000-%012d", n) }
	r.chExec("ALTER TABLE d_org_unit UPDATE name = 'wrong' WHERE id = '" + unit(1) + "' SETTINGS mutations_sync = 2")
	r.chExec("ALTER TABLE d_org_unit DELETE WHERE id = '" + unit(2) + "' SETTINGS mutations_sync = 2")
	r.chExec("INSERT INTO d_org_unit (id, name, kind, _ver, _deleted) VALUES ('" + unit(9999) + "', 'extra', 'PARTY', 1, 0)")
	// A row from a future that never comes would win over all repairs.
	r.chExec("INSERT INTO d_org_unit (id, name, kind, _ver, _deleted) SELECT '" + unit(3) + "', 'future', 'PARTY', bitShiftLeft(toUInt128(1), 120), 0")
	want := []Difference{{unit(1), "row", "row"}, {unit(2), "row", "none"}, {unit(3), "row", "row"}, {unit(9999), "none", "row"}}
	found := r.verify(VerifyOptions{})
	require.ElementsMatch(t, want, found["org_unit"].Differing)
	require.Empty(t, found["region"].Differing)
	require.EqualValues(t, 4, len(r.verify(VerifyOptions{Tables: []string{"org_unit"}, Repair: true})["org_unit"].Differing))
	require.Empty(t, r.verify(VerifyOptions{Tables: []string{"org_unit"}})["org_unit"].Differing)
	run.agree()
}

func TestVerifyIsQuietWhileRowsChange(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'u' || i, 'PARTY' FROM generate_series(1, 500) i`)
	run := r.start()
	run.catchUp()
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			for _, statement := range []string{
				`UPDATE org_unit SET name = name || '.' WHERE name LIKE 'u%7%'`,
				`WITH gone AS (DELETE FROM org_unit WHERE id IN (SELECT id FROM org_unit WHERE name LIKE 'u%' LIMIT 3)) SELECT`,
				`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'u' || random(), 'PARTY' FROM generate_series(1, 3)`,
			} {
				if _, err := r.pg.Exec(context.Background(), statement); err != nil {
					stopped <- err
					return
				}
			}
		}
	}()
	for range 3 {
		require.Empty(t, r.verify(VerifyOptions{Tables: []string{"org_unit"}})["org_unit"].Differing)
	}
	close(stop)
	require.NoError(t, <-stopped)
	run.agree()
}

func TestPauseHoldsOverRestartsAndResumes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	fast := func(c *Config) { c.ControlInterval = 20 * time.Millisecond }
	run := r.start(fast)
	run.catchUp()
	o := r.operator()
	require.NoError(t, o.Pause(t.Context()))
	run.await(func(s Status) bool { return s.State == StatePaused })
	report, err := o.Report(t.Context(), time.Millisecond)
	require.NoError(t, err)
	require.Equal(t, "paused", report.State)
	before := r.chCount("SELECT count() FROM d_org_unit FINAL")
	r.exec(`INSERT INTO org_unit (id, name, kind) VALUES (gen_random_uuid(), 'later', 'PARTY')`)
	run.stop()
	again := r.start(fast)
	again.await(func(s Status) bool { return s.State == StatePaused })
	require.Equal(t, before, r.chCount("SELECT count() FROM d_org_unit FINAL"))
	_, err = o.Verify(t.Context(), VerifyOptions{})
	require.ErrorContains(t, err, "groundwork etl resume")
	was, err := o.Resume(t.Context())
	require.NoError(t, err)
	require.True(t, was)
	again.agree()
	require.Zero(t, again.Status().Loads)
}

func TestReportTellsWhoIsAtWork(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	o := r.operator()
	report, err := o.Report(t.Context(), time.Millisecond)
	require.NoError(t, err)
	require.Equal(t, "stopped", report.State)
	require.Contains(t, report.Problems[0], "groundwork etl")
	run := r.start()
	run.catchUp()
	standby := r.start()
	standby.await(func(s Status) bool { return s.State == StateStandby })
	r.exec(`UPDATE opinion SET occurred_at = 'infinity' WHERE id = '00000000-0000-7000-8000-000000000071'`)
	run.catchUp()
	require.Eventually(t, func() bool {
		report, err = o.Report(t.Context(), 10*time.Millisecond)
		require.NoError(t, err)
		return report.Standbys == 1 && report.LagBytes == 0
	}, patience, 10*time.Millisecond)
	require.Equal(t, "streaming", report.State)
	require.NotNil(t, report.Active)
	require.Zero(t, report.LagSeconds)
	require.True(t, report.Slot.Exists)
	require.Equal(t, "reserved", report.Slot.WALStatus)
	require.Equal(t, map[string]int64{"opinion": 1}, report.DeadLetters)
	require.Len(t, report.Problems, 1)
}

func TestReplaySettlesWhatWasCorrected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	run := r.start()
	run.catchUp()
	r.exec(`UPDATE opinion SET occurred_at = 'infinity'`)
	run.catchUp()
	found := r.verify(VerifyOptions{Tables: []string{"opinion"}})["opinion"]
	require.Empty(t, found.Differing)
	require.Equal(t, r.pgCount("SELECT count(*) FROM opinion"), found.Parked)
	o := r.operator()
	done, err := o.Replay(t.Context(), nil, true)
	require.NoError(t, err)
	require.Equal(t, []Replay{{Table: "opinion", Stuck: found.Parked}}, done)

	const one = "00000000-0000-7000-8000-000000000071"
	r.exec(`UPDATE opinion SET occurred_at = NULL WHERE id = $1`, one)
	run.catchUp()
	r.chExec("ALTER TABLE f_opinion DELETE WHERE id = '" + one + "' SETTINGS mutations_sync = 2") // the replay alone must bring it
	done, err = o.Replay(t.Context(), []string{"opinion"}, false)
	require.NoError(t, err)
	require.Equal(t, []Replay{{Table: "opinion", Settled: 1, Stuck: found.Parked - 1}}, done)
	require.EqualValues(t, 1, r.chCount("SELECT count() FROM f_opinion FINAL WHERE _deleted = 0"))
	require.Equal(t, found.Parked-1, r.pgCount("SELECT count(*) FROM etl.dead_letter WHERE settled_at IS NULL"))
	r.exec(`UPDATE opinion SET occurred_at = NULL`)
	_, err = o.Replay(t.Context(), nil, false)
	require.NoError(t, err)
	require.Zero(t, r.pgCount("SELECT count(*) FROM etl.dead_letter WHERE settled_at IS NULL"))
	run.agree()
}

// A replicator process that is killed leaves its lock at once; the standby goes on within 10 s.
func TestStandbyTakesOverAfterAKill(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	active := r.child("")
	require.Eventually(t, func() bool {
		c, err := readCheckpoint(context.Background(), r.ch, "main")
		return err == nil && c.exists()
	}, patience, 20*time.Millisecond)
	standby := r.start(func(c *Config) { c.RetryInterval = 0 }) // as it is set by default
	standby.await(func(s Status) bool { return s.State == StateStandby })
	require.NoError(t, active.Process.Signal(syscall.SIGKILL))
	killed := time.Now()
	_ = active.Wait()
	r.exec(`INSERT INTO org_unit (id, name, kind) VALUES (gen_random_uuid(), 'after the kill', 'PARTY')`)
	standby.catchUp()
	took := time.Since(killed)
	t.Logf("from the kill to the first new row: %v", took)
	require.Less(t, took, 10*time.Second)
	require.EqualValues(t, 1, r.chCount("SELECT count() FROM d_org_unit FINAL WHERE name = 'after the kill'"))
	require.Zero(t, standby.Status().Loads)
	standby.agree()
}

func TestSlotsAreNamedAfterTheDatabase(t *testing.T) {
	t.Parallel()
	for database, want := range map[string]string{
		"groundwork": "groundwork_etl",
		"second":     "groundwork_etl_second",
		"Second":     "groundwork_etl__econd_",
		"a-b":        "groundwork_etl_a_b_",
	} {
		slot := DefaultSlot("postgres://u@127.0.0.1:1/" + database)
		require.Contains(t, slot, want)
		require.Regexp(t, slotName, slot)
	}
	require.NotEqual(t, DefaultSlot("postgres://u@h/a-b"), DefaultSlot("postgres://u@h/a.b"))
}

// Postgres throws the slot out when it keeps too much WAL. The alarm comes before, and the next start loads afresh.
func TestSlotThatKeptTooMuchIsNoticedAndHealed(t *testing.T) {
	t.Parallel()
	server, err := embedded.StartPostgres(t.Context(), embedded.PostgresConfig{DataDir: filepath.Join(openDir(t), "postgres"), Fast: true,
		Settings: map[string]string{"max_slot_wal_keep_size": "48MB", "min_wal_size": "32MB", "max_wal_size": "32MB"}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	r := newRigOn(t, server.DSN("postgres"))
	r.seed()
	fast := func(c *Config) { c.ControlInterval = 20 * time.Millisecond }
	first := r.start(fast)
	first.catchUp()
	require.NoError(t, r.operator().Pause(t.Context()))
	first.await(func(s Status) bool { return s.State == StatePaused })
	grow := func(ok func() bool) {
		require.Eventually(t, func() bool {
			r.exec(`CREATE TABLE bulk AS SELECT repeat('x', 1000) FROM generate_series(1, 8000)`)
			r.exec(`DROP TABLE bulk`)
			r.exec(`CHECKPOINT`)
			return ok()
		}, patience, time.Millisecond)
	}
	grow(func() bool { return r.log.contains("ALARM") })
	grow(func() bool {
		report, err := r.operator().Report(t.Context(), time.Millisecond)
		require.NoError(t, err)
		return report.Slot.WALStatus == "lost"
	})
	r.exec(`DELETE FROM feedback`)
	_, err = r.operator().Resume(t.Context())
	require.NoError(t, err)
	first.agree()
	require.Equal(t, 2, first.Status().Loads)
	require.Contains(t, first.Status().LastGap, "lost its WAL")
}
