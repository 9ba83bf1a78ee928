package etl

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// playReplicator makes the test binary a replicator process, which tests kill.
const playReplicator = "GROUNDWORK_TEST_REPLICATOR"

// hears is what a replicator process prints once signals reach it: sent before, SIGUSR1 would end it.
const hears = "hears signals"

func playReplicate() int {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	offset, _ := time.ParseDuration(os.Getenv("TEST_CLOCK_OFFSET"))
	var clock atomic.Int64 // its error
	clock.Store(int64(offset))
	jumps := make(chan os.Signal, 1)
	signal.Notify(jumps, syscall.SIGUSR1) // a thousand hours ahead, then as much behind
	go func() {
		for n := 1; ; n = -n {
			<-jumps
			clock.Store(int64(n) * int64(1000*time.Hour))
		}
	}()
	fmt.Println(hears)
	ch, err := openSometime(ctx, os.Getenv("TEST_CLICKHOUSE"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	retry, _ := time.ParseDuration(os.Getenv("TEST_RETRY"))
	flushRows, _ := strconv.Atoi(os.Getenv("TEST_FLUSH_ROWS"))
	flushBytes, _ := strconv.Atoi(os.Getenv("TEST_FLUSH_BYTES"))
	budget, _ := strconv.Atoi(os.Getenv("TEST_DEAD_BUDGET"))
	workers, _ := strconv.Atoi(os.Getenv("TEST_LOAD_WORKERS"))
	size, _ := strconv.ParseInt(os.Getenv("TEST_RANGE_BYTES"), 10, 64)
	replicator, err := New(Config{rangeBytes: size, DeadBudget: budget, LoadWorkers: workers, ControlInterval: 20 * time.Millisecond, Now: func() time.Time { return time.Now().Add(time.Duration(clock.Load())) },
		Postgres: os.Getenv("TEST_POSTGRES"), ClickHouse: ch, Slot: os.Getenv("TEST_SLOT"), FlushInterval: 20 * time.Millisecond, FlushRows: cmp.Or(flushRows, 50), FlushBytes: flushBytes, QueueBytes: flushBytes,
		RetryInterval: cmp.Or(retry, 20*time.Millisecond), Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err == nil {
		err = replicator.Run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// openSometime opens the warehouse as a supervisor would that starts the process again until it comes up.
func openSometime(ctx context.Context, url string) (*warehouse.DB, error) {
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		ch, err := warehouse.Open(ctx, url)
		if err == nil {
			return ch, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-retry.C:
		}
	}
}

// child starts a replicator process and waits until it hears signals.
func (r *rig) child(failpoint string, environment ...string) *exec.Cmd {
	r.t.Helper()
	self, err := os.Executable()
	require.NoError(r.t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), playReplicator+"=1", "TEST_CLICKHOUSE="+r.chURL, "TEST_POSTGRES="+r.dsn, "TEST_SLOT="+r.slot, "GROUNDWORK_ETL_FAILPOINT="+failpoint)
	cmd.Env = append(cmd.Env, environment...)
	cmd.Stderr = r.log
	output, err := cmd.StdoutPipe()
	require.NoError(r.t, err)
	require.NoError(r.t, cmd.Start())
	r.t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(r.t, err, "the replicator process ended at once")
	require.Equal(r.t, hears+"\n", line)
	return cmd
}

// requireKilled waits for the child to kill itself at its failpoint.
func (r *rig) requireKilled(cmd *exec.Cmd) {
	r.t.Helper()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		var exit *exec.ExitError
		require.ErrorAs(r.t, err, &exit)
		require.Equal(r.t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal())
	case <-time.After(patience):
		require.Fail(r.t, "the failpoint was not reached")
	}
}

// requireSlotBehindCheckpoint: Postgres must never be told more than the warehouse knows.
func (r *rig) requireSlotBehindCheckpoint() {
	r.t.Helper()
	slot, err := r.slotState() // first, since the checkpoint may move on between the two looks
	require.NoError(r.t, err)
	c, err := readCheckpoint(context.Background(), r.ch, "main")
	require.NoError(r.t, err)
	if c.exists() {
		require.LessOrEqual(r.t, slot.confirmed, c.applied)
	}
}

func (r *rig) slotState() (slotState, error) {
	conn, err := r.pg.Acquire(context.Background())
	if err != nil {
		return slotState{}, err
	}
	defer conn.Release()
	return readSlot(context.Background(), conn.Conn(), r.slot)
}

func TestKilledAnywhereNothingIsLost(t *testing.T) {
	t.Parallel()
	for _, point := range []string{failBeforeInsert, failBetweenTables, failBeforeCheckpoint, failBeforeAck} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.seed()
			first := r.start() // the load, so that the failpoint is met while streaming
			first.catchUp()
			first.stop()
			r.exec(`BEGIN;
				INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'u' || i, 'PARTY' FROM generate_series(1, 170) i;
				UPDATE region SET name = name || '!';
				UPDATE region_population SET year = year + 1;
				COMMIT`)
			r.requireKilled(r.child(point))
			r.requireSlotBehindCheckpoint()
			r.exec(`DELETE FROM org_unit WHERE name LIKE 'u%5'`)
			r.exec(`TRUNCATE callback_attempt`)
			r.requireKilled(r.child(point)) // and again, on the replay
			r.requireSlotBehindCheckpoint()
			run := r.start()
			run.agree()
			require.Zero(t, run.Status().Loads, "resumed, not loaded afresh: %s", run.Status().LastGap)
		})
	}
}

// A transaction larger than a flush is stored in pieces. Killed in the middle of it, the checkpoint still stands before it, and it is cut
// in the same places when it comes again.
func TestKilledInsideALargeTransaction(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	first := r.start()
	first.catchUp()
	first.stop()
	r.chExec("SYSTEM STOP MERGES d_org_unit")
	before := r.position()
	r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'u' || i, 'PARTY' FROM generate_series(1, 1030) i`)
	pieces := func() uint64 {
		return r.chCount("SELECT uniqExact(_part) FROM d_org_unit WHERE startsWith(name, 'u')")
	}
	r.requireKilled(r.child(failMidTransaction))
	r.requireSlotBehindCheckpoint()
	require.EqualValues(t, 50, r.chCount("SELECT count() FROM d_org_unit WHERE startsWith(name, 'u')"), "a piece is visible")
	c, err := readCheckpoint(t.Context(), r.ch, "main")
	require.NoError(t, err)
	require.LessOrEqual(t, c.applied, before, "but the watermark has not moved")
	r.requireKilled(r.child(failBeforeCheckpoint))
	require.EqualValues(t, 1+21, pieces())
	run := r.start(func(c *Config) { c.FlushRows = 50 })
	run.agree()
	require.Zero(t, run.Status().Loads)
	require.EqualValues(t, 1+21+21, pieces())
	require.EqualValues(t, 21, r.chCount(`SELECT count() FROM (SELECT DISTINCT min(_ver), max(_ver), count() FROM d_org_unit WHERE startsWith(name, 'u') GROUP BY _part)`),
		"each time the same pieces")
}

func TestKilledInTheLoadStartsItOver(t *testing.T) {
	t.Parallel()
	for _, point := range []string{failMidSnapshot, failBetweenTables} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.seed()
			r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'u' || i, 'PARTY' FROM generate_series(1, 500) i`)
			r.requireKilled(r.child(point))
			r.exec(`DELETE FROM feedback`) // rows of the first attempt that the second snapshot lacks
			r.exec(`DELETE FROM org_unit WHERE name LIKE 'u%5'`)
			run := r.start()
			run.agree()
			require.Equal(t, 1, run.Status().Loads)
			require.Empty(t, run.Status().LastGap)
		})
	}
}

func TestKilledAtAnyMomentUnderLoad(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	for i := range 6 {
		cmd := r.child("")
		for range 5 * (i + 1) { // the work is the clock: each round kills at another moment
			r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'r' || random(), 'PARTY' FROM generate_series(1, 60)`)
			r.exec(`UPDATE org_unit SET kind = 'UTILITY' WHERE id IN (SELECT id FROM org_unit WHERE name LIKE 'r%' ORDER BY random() LIMIT 20)`)
			r.exec(`DELETE FROM org_unit WHERE id IN (SELECT id FROM org_unit WHERE name LIKE 'r%' ORDER BY random() LIMIT 10)`)
		}
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()
		r.requireSlotBehindCheckpoint()
	}
	run := r.start()
	run.agree()
	require.Empty(t, run.Status().LastGap)
}

// A replicator that is frozen, loses its connections and wakes up later still has an insert and a checkpoint in its hands. Its rows
// have the versions they always had, and its checkpoint speaks for an epoch that is over.
func TestFrozenReplicatorWakesUpHarmless(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	old := r.child("")
	require.Eventually(t, func() bool {
		c, err := readCheckpoint(context.Background(), r.ch, "main")
		return err == nil && c.exists()
	}, patience, 20*time.Millisecond)
	r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'u' || i, 'PARTY' FROM generate_series(1, 3000) i`)
	require.NoError(t, old.Process.Signal(syscall.SIGSTOP))
	r.exec(`DELETE FROM org_unit WHERE name LIKE 'u%5'`)
	r.exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE starts_with(application_name, 'groundwork etl') AND datname = current_database()`)
	run := r.start()
	run.agree()
	mine, err := readCheckpoint(t.Context(), r.ch, "main")
	require.NoError(t, err)
	require.NoError(t, old.Process.Signal(syscall.SIGCONT))
	require.Eventually(t, func() bool { return r.log.contains("standing by") }, patience, 20*time.Millisecond)
	r.exec(`UPDATE region SET name = name || '!'`)
	run.agree()
	now, err := readCheckpoint(t.Context(), r.ch, "main")
	require.NoError(t, err)
	require.Equal(t, mine.epoch, now.epoch)
	require.Empty(t, run.Status().LastGap)
	require.NoError(t, old.Process.Signal(syscall.SIGTERM))
	require.NoError(t, old.Wait())
}
