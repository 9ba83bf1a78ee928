package engine

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	err := Config{Listen: "nowhere", Database: "a`b", MaxStatements: -1}.Validate()
	for _, part := range []string{"Library is empty", "DataDir is empty", `Listen is "nowhere"`, "Database is \"a`b\"", "MaxStatements is -1"} {
		require.ErrorContains(t, err, part)
	}
}

func TestMissingLibraryNamesTheCommand(t *testing.T) {
	t.Parallel()
	_, err := launch(Config{Library: "/nowhere/libchdb.so", DataDir: t.TempDir(), Listen: "127.0.0.1:0"})
	require.ErrorContains(t, err, "`make engines` installs it")

	broken := filepath.Join(t.TempDir(), "libchdb.so")
	require.NoError(t, os.WriteFile(broken, []byte("not a library"), 0o600))
	_, err = launch(Config{Library: broken, DataDir: t.TempDir(), Listen: "127.0.0.1:0"})
	require.ErrorContains(t, err, "make engines")
}

func TestDirectoryInUse(t *testing.T) {
	t.Parallel()
	p := start(t, Config{})
	_, err := launch(Config{Library: library(t), DataDir: p.dir, Listen: "127.0.0.1:0"})
	require.ErrorContains(t, err, "is in use by another engine process (Code: 76)")
	require.ErrorContains(t, err, "GROUNDWORK_DATA")
	require.Equal(t, "1", p.query(t, "SELECT 1"))
}

func TestDirectoryThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	if os.Geteuid() == 0 {
		dir = "/proc/groundwork" // permissions do not hold root back
	} else {
		require.NoError(t, os.Mkdir(dir, 0o500))
	}
	_, err := launch(Config{Library: library(t), DataDir: dir, Listen: "127.0.0.1:0"})
	require.ErrorContains(t, err, "data directory "+dir+" cannot be written")
	require.ErrorContains(t, err, "--data-dir")
}

func TestBusyPort(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, err = launch(Config{Library: library(t), DataDir: t.TempDir(), Listen: taken.Addr().String()})
	require.ErrorContains(t, err, "GROUNDWORK_CLICKHOUSE")
	require.ErrorContains(t, err, taken.Addr().String())
}

// SIGTERM ends the process soon and cleanly, also under a statement that would run for ever.
func TestCleanStop(t *testing.T) {
	t.Parallel()
	p := start(t, Config{})
	p.query(t, "CREATE TABLE kept (n UInt8) ENGINE = MergeTree ORDER BY n")
	p.query(t, "INSERT INTO kept VALUES (1)")
	running := make(chan answer, 1)
	go func() { running <- p.send(t, "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)") }()
	require.Eventually(t, func() bool {
		return p.query(t, "SELECT count() FROM system.processes WHERE query LIKE '%sipHash64%' AND query NOT LIKE '%system.processes%'") == "1"
	}, time.Minute, 10*time.Millisecond)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, <-p.exit)
	require.Equal(t, "394", (<-running).header.Get("X-ClickHouse-Exception-Code"))

	again := start(t, Config{DataDir: p.dir})
	require.Equal(t, "1", again.query(t, "SELECT n FROM kept"))
	log, err := os.ReadFile(filepath.Join(p.dir, "engine.log"))
	require.NoError(t, err)
	require.NotContains(t, string(log), "sipHash64", "statements do not belong in the log")
}

// Every batch that was acknowledged before the engine died is there after it, once; no other is there in part.
func TestKilledInTheMiddleOfInserts(t *testing.T) {
	t.Parallel()
	const rowsPerBatch, workers, rounds = 20_000, 3, 3
	p := start(t, Config{})
	p.query(t, "CREATE TABLE k (batch UInt32, n UInt32) ENGINE = MergeTree ORDER BY (batch, n)")
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	for round := range rounds {
		enough := make(chan struct{})
		var once sync.Once
		var all sync.WaitGroup
		for worker := range workers {
			all.Go(func() {
				for i := 0; ; i++ {
					batch := strconv.Itoa(round*1_000_000 + worker*100_000 + i)
					if !insertBatch(p, batch, rowsPerBatch) {
						return
					}
					mu.Lock()
					acknowledged[batch] = true
					if len(acknowledged) >= (round+1)*15 {
						once.Do(func() { close(enough) })
					}
					mu.Unlock()
				}
			})
		}
		<-enough
		p.kill(t)
		all.Wait()
		p = start(t, Config{DataDir: p.dir})
		found := map[string]bool{}
		for line := range strings.Lines(p.query(t, "SELECT batch, count(), uniqExact(n) FROM k GROUP BY batch") + "\n") {
			fields := strings.Fields(line)
			require.Equal(t, []string{strconv.Itoa(rowsPerBatch), strconv.Itoa(rowsPerBatch)}, fields[1:], "batch %s", fields[0])
			found[fields[0]] = true
		}
		for batch := range acknowledged {
			require.True(t, found[batch], "batch %s was acknowledged and is gone", batch)
		}
	}
}

func insertBatch(p *process, batch string, rows int) bool {
	var data strings.Builder
	for n := range rows {
		fmt.Fprintf(&data, "%s\t%d\n", batch, n)
	}
	response, err := http.Post(p.URL+"/?query=INSERT+INTO+k+FORMAT+TSV", "text/plain", strings.NewReader(data.String()))
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// A mixed load, with failing and abandoned statements between, gives right answers only and loses nothing.
func TestSoak(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.query(t, "CREATE TABLE soak (worker UInt8, n UInt32) ENGINE = MergeTree ORDER BY (worker, n)")
	const workers, rounds = 8, 40
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			for i := range rounds {
				mark := fmt.Sprintf("w%d-%d", worker, i)
				switch i % 4 {
				case 0:
					f.insert(t, "INSERT INTO soak FORMAT TSV", fmt.Sprintf("%d\t%d\n", worker, i))
				case 1:
					f.send(t, "SELECT '"+mark+"', throwIf(number = 5) FROM numbers(10) SETTINGS max_block_size = 1")
				case 2:
					abandon(f, "SELECT '"+mark+"', number FROM numbers(1000000000)")
				default:
					if got := f.query(t, "SELECT '"+mark+"'"); got != mark {
						t.Errorf("asked for %s, got %q", mark, got)
					}
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, strconv.Itoa(workers*rounds/4), f.query(t, "SELECT count() FROM soak"))
}

// abandon starts a statement and hangs up at its first bytes.
func abandon(f *fixture, sql string) {
	response, err := http.Post(f.URL+"/", "text/plain", strings.NewReader(sql))
	if err == nil {
		_, _ = response.Body.Read(make([]byte, 1))
		_ = response.Body.Close()
	}
}

// LIFETIME does nothing in the embedded engine, so its server reloads dictionaries, whatever they are called.
func TestDictionariesAreReloaded(t *testing.T) {
	t.Parallel()
	p := start(t, Config{ReloadInterval: 50 * time.Millisecond})
	p.query(t, "CREATE TABLE names (id UInt64, name String) ENGINE = MergeTree ORDER BY id")
	p.query(t, "INSERT INTO names VALUES (1, 'before')")
	p.query(t, "CREATE DICTIONARY `it\\`s` (id UInt64, name String) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'names')) LAYOUT(FLAT()) LIFETIME(1)")
	const asked = "SELECT dictGet('it`s', 'name', 1)"
	require.Equal(t, "before", p.query(t, asked))
	p.query(t, "TRUNCATE TABLE names")
	p.query(t, "INSERT INTO names VALUES (1, 'after')")
	require.Eventually(t, func() bool { return p.query(t, asked) == "after" }, time.Minute, 10*time.Millisecond)
}

// A large result passes through: neither gateway nor engine holds it, also in formats that are one document.
func TestLargeResultIsStreamed(t *testing.T) {
	t.Parallel()
	p := start(t, Config{})
	before := peakMemory(t, p)
	const bytes = 1 << 30
	sql := fmt.Sprintf("SELECT repeat('x', 1024) AS s FROM numbers(%d) FORMAT JSON SETTINGS max_threads = 1, max_block_size = 8192, output_format_parallel_formatting = 0", bytes/1024)
	response, err := http.Post(p.URL+"/", "text/plain", strings.NewReader(sql))
	require.NoError(t, err)
	defer response.Body.Close()
	size, err := io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.Greater(t, size, int64(bytes))
	require.Less(t, peakMemory(t, p)-before, bytes/4)
}

// peakMemory is the most that the process ever had resident, in bytes.
func peakMemory(t *testing.T, p *process) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	require.NoError(t, err)
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, err := strconv.Atoi(strings.Fields(text)[0])
			require.NoError(t, err)
			return kilobytes << 10
		}
	}
	require.Fail(t, "the kernel tells no peak memory")
	return 0
}
