package engine

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// terminate asks the engine to stop; it must end in order, long before its parent would lose patience on a quiet machine.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-p.exit:
		require.NoError(t, err)
	case <-time.After(time.Minute):
		require.Fail(t, "the engine does not stop")
	}
}

// KILL QUERY does not reach the merge that an OPTIMIZE waits for, nor a mutation. At rows of a block each, these would take minutes.
func TestStopEndsMergesAndMutations(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"merge":    "OPTIMIZE TABLE slow FINAL",
		"mutation": "ALTER TABLE slow UPDATE v = v + 1 WHERE 1 SETTINGS mutations_sync = 1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, Config{})
			p.query(t, "CREATE TABLE slow (n UInt64, v UInt64) ENGINE = MergeTree ORDER BY n SETTINGS merge_max_block_size = 1, max_bytes_to_merge_at_max_space_in_pool = 1")
			for range 2 {
				p.query(t, "INSERT INTO slow SELECT number, 0 FROM numbers(20000000)")
			}
			answered := make(chan answer, 1)
			go func() { answered <- p.send(t, statement) }()
			require.Eventually(t, func() bool { return p.query(t, "SELECT count() > 0 FROM system.merges") == "1" }, time.Minute, 10*time.Millisecond)
			p.terminate(t)
			require.NotEqual(t, http.StatusOK, (<-answered).status)

			again := start(t, Config{DataDir: p.dir})
			require.Equal(t, "40000000", again.query(t, "SELECT count() FROM slow"))
		})
	}
}

// A client that stopped reading, and one that stopped sending, hold nothing up.
func TestStopHangsUpOnClientsThatDoNotMove(t *testing.T) {
	t.Parallel()
	p := start(t, Config{})
	p.query(t, "CREATE TABLE kept (n UInt64) ENGINE = MergeTree ORDER BY n")
	p.query(t, "INSERT INTO kept VALUES (1)")
	dial := func(request string) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = conn.Write([]byte(request))
		require.NoError(t, err)
	}
	dial("GET /?query=SELECT+number+FROM+numbers(1000000000000) HTTP/1.1\r\nHost: engine\r\n\r\n")
	dial("POST /?query=INSERT+INTO+kept+FORMAT+TSV HTTP/1.1\r\nHost: engine\r\nContent-Length: 1000\r\n\r\n2\n")
	require.Eventually(t, func() bool {
		return p.query(t, "SELECT count() FROM system.processes WHERE query LIKE '%numbers(1000000000000)%' AND query NOT LIKE '%system.processes%'") == "1"
	}, time.Minute, 10*time.Millisecond)
	p.terminate(t)

	again := start(t, Config{DataDir: p.dir})
	require.Equal(t, "1", again.query(t, "SELECT n FROM kept"))
}

// Many tables make no noise in the log by waiting for their turn in the background.
func TestManyTablesLeaveTheLogAlone(t *testing.T) {
	t.Parallel()
	p := start(t, Config{})
	for i := range 60 {
		p.query(t, fmt.Sprintf("CREATE TABLE t%d (n UInt64) ENGINE = MergeTree ORDER BY n", i))
		p.query(t, fmt.Sprintf("INSERT INTO t%d VALUES (1)", i))
	}
	p.terminate(t)
	log, err := os.ReadFile(filepath.Join(p.dir, "engine.log"))
	require.NoError(t, err)
	require.Zero(t, strings.Count(string(log), "BgSchPool"))
}
