package embedded

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// standInVariable makes the test binary play a child of StartEngine which is no database: it only answers the readiness probe,
// so that these tests are about the supervision of the process alone. embeddedtest has the tests with the real engine.
const standInVariable = "GROUNDWORK_TEST_STAND_IN"

func standInEngine() int {
	flags := flag.NewFlagSet("engine", flag.ExitOnError)
	dataDir := flags.String("data-dir", "", "")
	listen := flags.String("listen", "", "")
	flags.String("chdb-lib", "", "")
	_ = flags.Parse(os.Args[2:])
	fail := func(err any) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if text, err := os.ReadFile(filepath.Join(*dataDir, "fail")); err == nil {
		return fail(string(text))
	}
	http.HandleFunc("/ping", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "Ok.") })
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		user, password := r.Header.Get("X-ClickHouse-User"), r.Header.Get("X-ClickHouse-Key")
		full := user == EngineUser && password == os.Getenv(EnginePasswordVariable)
		reads := user == EngineReadOnlyUser && password == os.Getenv(EngineReadOnlyPasswordVariable)
		if !full && !reads {
			http.Error(w, "wrong password", http.StatusForbidden)
		}
	})
	return fail(http.ListenAndServe(*listen, nil))
}

func standIn(dataDir string) EngineConfig {
	return EngineConfig{DataDir: dataDir, Library: "none", Environment: []string{standInVariable + "=1"}}
}

func startStandIn(t *testing.T, cfg EngineConfig) *Engine {
	t.Helper()
	engine, err := StartEngine(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = engine.Stop(context.Background()) })
	return engine
}

func answers(engine *Engine) bool {
	ok, _ := engine.answers(context.Background())
	return ok
}

func TestEngineStartStopStart(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(t.TempDir(), "data", "clickhouse")
	first := startStandIn(t, standIn(dataDir))
	require.NotEqual(t, first.Password(), first.ReadOnlyPassword())
	require.NoError(t, first.Stop(t.Context()))
	require.NoError(t, first.Stop(t.Context()), "stopping twice is safe")
	require.NoError(t, first.Err())
	require.False(t, answers(first))
	for _, file := range []string{dataDir + ".password", dataDir + ".bi.password"} {
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), file)
	}

	second := startStandIn(t, standIn(dataDir))
	require.Equal(t, first.Password(), second.Password())
	require.Equal(t, first.ReadOnlyPassword(), second.ReadOnlyPassword())
	_, err := StartEngine(t.Context(), standIn(dataDir))
	var locked *LockedError
	require.ErrorAs(t, err, &locked)
}

func TestEnginePasswordsAreNotInArguments(t *testing.T) {
	t.Parallel()
	cfg := standIn(filepath.Join(t.TempDir(), "clickhouse"))
	cfg.Password = "told-" + strconv.Itoa(os.Getpid())
	startStandIn(t, cfg)
	require.Empty(t, processesNaming(t, cfg.Password))
}

func TestEngineIsStartedAgain(t *testing.T) {
	t.Parallel()
	engine := startStandIn(t, standIn(filepath.Join(t.TempDir(), "clickhouse")))
	url := engine.URL()
	for range 2 {
		killed := engine.PID()
		require.NoError(t, syscall.Kill(killed, syscall.SIGKILL))
		eventually(t, func() bool { return engine.PID() != killed && answers(engine) }, "another child answers")
		require.Equal(t, url, engine.URL())
	}
	require.NoError(t, engine.Err())
}

func TestEngineStopsWhileItIsBroken(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(t.TempDir(), "clickhouse")
	engine := startStandIn(t, standIn(dataDir))
	breakStandIn(t, dataDir, "out of order")
	require.NoError(t, syscall.Kill(engine.PID(), syscall.SIGKILL))
	<-engine.current().done
	require.NoError(t, engine.Stop(t.Context()))
	require.NoError(t, engine.Err())
	require.Empty(t, processesNaming(t, dataDir))
}

func TestEngineIsGivenUp(t *testing.T) {
	t.Parallel()
	engine := &Engine{stopping: make(chan struct{})}
	engine.cfg.Logger = slog.New(slog.DiscardHandler)
	failures := maxRestarts
	err := engine.restart(&failures, fmt.Errorf("out of order"))
	require.ErrorContains(t, err, "failed 9 times in a row")
	require.ErrorContains(t, err, "out of order")
}

func breakStandIn(t *testing.T, dataDir, message string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dataDir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dataDir, "fail"), []byte(message), 0o600))
}

func TestEngineFailureShowsItsOutput(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(t.TempDir(), "clickhouse")
	breakStandIn(t, dataDir, "libchdb.so: file too short")
	_, err := StartEngine(t.Context(), standIn(dataDir))
	require.ErrorContains(t, err, "exit status 1")
	require.ErrorContains(t, err, "libchdb.so: file too short")
}

func TestEngineBusyPort(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	cfg := standIn(filepath.Join(t.TempDir(), "clickhouse"))
	cfg.Addr = listener.Addr().String()
	_, err = StartEngine(t.Context(), cfg)
	var busy *BusyAddressError
	require.ErrorAs(t, err, &busy)
	require.ErrorContains(t, err, "--clickhouse or GROUNDWORK_CLICKHOUSE")
}

// Somebody takes the port after we looked: the child's own failure counts.
func TestEnginePortIsTakenAtTheLastMoment(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	dataDir := filepath.Join(t.TempDir(), "clickhouse")
	require.NoError(t, os.Mkdir(dataDir, 0o700))
	engine := &Engine{cfg: standIn(dataDir)}
	engine.addr, err = parseAddress(listener.Addr().String(), "", "")
	require.NoError(t, err)
	_, err = engine.cfg.validate()
	require.NoError(t, err)
	require.ErrorIs(t, engine.launch(t.Context()), errPortTaken)
}

func TestEngineLogIsGraded(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]slog.Level{
		"2026/01/02 03:04:05 ERROR engine: broken": slog.LevelError,
		`time=x level=WARN msg="slow"`:             slog.LevelWarn,
		`{"level":"ERROR","msg":"broken"}`:         slog.LevelError,
		"panic: oh":                                slog.LevelError,
		"2026/01/02 03:04:05 INFO engine: ready":   slog.LevelDebug,
	} {
		require.Equal(t, want, engineLevel(line), line)
	}
}

func TestErrorShowsTheHeadOfAPanic(t *testing.T) {
	t.Parallel()
	output := &outputLog{logger: slog.New(slog.DiscardHandler), level: engineLevel}
	for i := range 30 {
		fmt.Fprintf(output, "line %d\n", i)
	}
	require.NotContains(t, output.lastLines(), "line 17")
	require.Contains(t, output.lastLines(), "line 18")
	require.Contains(t, output.lastLines(), "line 29")
	fmt.Fprintln(output, "panic: oh")
	for i := range 30 {
		fmt.Fprintf(output, "frame %d\n", i)
	}
	require.Contains(t, output.lastLines(), "panic: oh\n  frame 0")
}

func TestEngineAfterKillOfParent(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(t.TempDir(), "clickhouse")
	parent := startHelper(t, dataDir, false)
	require.Empty(t, parent.Error)
	require.NoError(t, parent.cmd.Process.Kill())
	_, err := parent.cmd.Process.Wait()
	require.NoError(t, err)
	eventually(t, func() bool { return findProcess(parent.PID) == nil }, "the child goes with its parent")

	startStandIn(t, standIn(dataDir)) // at a port of its own: any other test may have got the old one meanwhile
}

func TestEngineEndsLiveOrphan(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(t.TempDir(), "clickhouse")
	first := startStandIn(t, standIn(dataDir))
	orphan := first.current()
	require.NoError(t, os.Rename(dataDir+".lock", dataDir+".lock.gone")) // as if we had died
	close(first.stopping)                                                // its supervision too
	first.stopOnce.Do(func() {})

	second := startStandIn(t, standIn(dataDir))
	<-orphan.done
	require.True(t, answers(second))
}
