package etl

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Two processes, writes all the while: the standby goes on within 10 s of a kill -9 of the active one, with the waits that are set by
// default; nothing is lost, nothing is there twice, and no fresh load was needed.
func TestStandbyProcessTakesOverUnderWrites(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	active := r.child("", "TEST_RETRY=250ms")
	o := r.operator()
	reported := func(what string, ok func(Report) bool) {
		require.Eventually(t, func() bool {
			report, err := o.Report(context.Background(), time.Millisecond)
			require.NoError(t, err)
			return ok(report)
		}, patience, 20*time.Millisecond, what)
	}
	reported("the first stream", func(r Report) bool { return r.State == "streaming" })
	r.child("", "TEST_RETRY=250ms")
	reported("the standby", func(r Report) bool { return r.Standbys == 1 })
	epoch, err := readCheckpoint(t.Context(), r.ch, "main")
	require.NoError(t, err)

	stop, stopped, written := make(chan struct{}), make(chan error, 1), make(chan struct{}, 1)
	go func() {
		for {
			_, err := r.pg.Exec(context.Background(), `WITH made AS (INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'w' || gen_random_uuid(), 'PARTY' FROM generate_series(1, 5))
				UPDATE org_unit SET name = name || '.' WHERE id IN (SELECT id FROM org_unit WHERE name LIKE 'w%' LIMIT 2)`)
			if err != nil {
				stopped <- err
				return
			}
			select {
			case written <- struct{}{}:
			default:
			}
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
		}
	}()
	<-written
	require.Eventually(t, func() bool { return r.chCount("SELECT count() FROM d_org_unit WHERE startsWith(name, 'w')") > 50 }, patience, 5*time.Millisecond)
	require.NoError(t, active.Process.Signal(syscall.SIGKILL))
	killed := time.Now()
	_ = active.Wait()
	r.exec(`INSERT INTO org_unit (id, name, kind) VALUES (gen_random_uuid(), 'after the kill', 'PARTY')`)
	require.Eventually(t, func() bool {
		return r.chCount("SELECT count() FROM d_org_unit FINAL WHERE name = 'after the kill'") == 1
	}, patience, 10*time.Millisecond)
	took := time.Since(killed)
	t.Logf("from the kill to the first row committed after it: %v", took)
	require.Less(t, took, 10*time.Second)
	close(stop)
	require.NoError(t, <-stopped)

	end := r.position()
	require.Eventually(t, func() bool {
		c, err := readCheckpoint(context.Background(), r.ch, "main")
		return err == nil && c.applied >= end
	}, patience, 20*time.Millisecond)
	r.requireEqual()
	require.Zero(t, r.chCount("SELECT count() FROM (SELECT id FROM d_org_unit FINAL WHERE _deleted = 0 GROUP BY id HAVING count() > 1)"))
	after, err := readCheckpoint(t.Context(), r.ch, "main")
	require.NoError(t, err)
	require.Equal(t, epoch.epoch+1, after.epoch, "one session took over")
	require.False(t, r.log.contains("GAP"))
}

// Where Postgres knows failover slots, ours is one.
func TestSlotFollowsAFailover(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	r.start().catchUp()
	report, err := r.operator().Report(t.Context(), time.Millisecond)
	require.NoError(t, err)
	require.Equal(t, r.pgCount("SELECT current_setting('server_version_num')::int") >= failoverSince, report.Slot.Failover)
}
