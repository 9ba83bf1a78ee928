package etl

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The memory of a replicator depends on what it gathers for one flush, not on the size of a transaction. GROUNDWORK_ETL_LARGE_ROWS says
// how many rows the large one has: 1000000 was tried, see docs/operations.md.
func TestMemoryDoesNotGrowWithTheTransaction(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("decodes a large transaction")
	}
	large, _ := strconv.Atoi(os.Getenv("GROUNDWORK_ETL_LARGE_ROWS"))
	large = cmp.Or(large, 200_000)
	r := newRig(t)
	run := r.start()
	run.catchUp()
	run.stop()
	peak := func(rows int) int {
		r.exec(fmt.Sprintf(`BEGIN; SET LOCAL session_replication_role = replica; SET LOCAL synchronous_commit = off;
			INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'tx %d ' || i, 'PARTY' FROM generate_series(1, %d) i; COMMIT`, rows, rows))
		target, started := r.position(), time.Now()
		worker := r.child("", "TEST_FLUSH_ROWS=20000", "TEST_FLUSH_BYTES=4194304")
		require.Eventually(t, func() bool {
			c, err := readCheckpoint(context.Background(), r.ch, "main")
			return err == nil && c.applied >= target
		}, 9*time.Minute, 50*time.Millisecond)
		took, kilobytes := time.Since(started), peakMemory(t, worker.Process.Pid)
		t.Logf("transaction of %d rows: peak of %d MiB, %.0f rows/s", rows, kilobytes>>10, float64(rows)/took.Seconds())
		require.NoError(t, worker.Process.Kill())
		_ = worker.Wait()
		require.EqualValues(t, rows, r.chCount(fmt.Sprintf("SELECT count() FROM d_org_unit FINAL WHERE startsWith(name, 'tx %d ')", rows)))
		return kilobytes
	}
	small := peak(50_000)
	require.Less(t, float64(peak(large))/float64(small), 1.5)
}

// peakMemory is the most that the process ever had in memory, in KiB.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, found)
	n, err := strconv.Atoi(string(found[1]))
	require.NoError(t, err)
	return n
}
