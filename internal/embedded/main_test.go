package embedded

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// helperVariable makes the test binary play another process: one that starts Postgres (or, in a directory named "clickhouse", the
// stand-in engine), tells how it went, and stays until its input ends. Tests kill it, or run it as another user.
const helperVariable = "GROUNDWORK_TEST_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(standInVariable) != "" { // first: a helper's engine inherits its environment
		os.Exit(standInEngine())
	}
	if os.Getenv(leaderlessVariable) != "" {
		endFirstThread()
	}
	if dataDir := os.Getenv(helperVariable); dataDir != "" {
		os.Exit(helperProcess(dataDir))
	}
	os.Exit(m.Run())
}

// helperReport is what the helper process says, as one line of JSON.
type helperReport struct {
	PID   int    // of the server
	DSN   string // of the server
	Error string // why there is no server
}

func helperProcess(dataDir string) int {
	report, stop, err := helperStart(context.Background(), dataDir)
	if err != nil {
		report.Error = err.Error()
	}
	_ = json.NewEncoder(os.Stdout).Encode(report)
	if err != nil {
		return 1
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := stop(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func helperStart(ctx context.Context, dataDir string) (report helperReport, stop func(context.Context) error, err error) {
	if filepath.Base(dataDir) == "clickhouse" {
		engine, err := StartEngine(ctx, standIn(dataDir))
		if err != nil {
			return report, nil, err
		}
		return helperReport{PID: engine.PID(), DSN: engine.DSN("groundwork")}, engine.Stop, nil
	}
	postgres, err := StartPostgres(ctx, PostgresConfig{DataDir: dataDir, Fast: true})
	if err != nil {
		return report, nil, err
	}
	return helperReport{PID: postgres.PID(), DSN: postgres.DSN("postgres")}, postgres.Stop, nil
}

// helper is a helper process that has reported.
type helper struct {
	helperReport
	cmd   *exec.Cmd
	input io.Closer
}

// startHelper runs the helper process on dataDir, as nobody if asked (root only).
func startHelper(t *testing.T, dataDir string, asNobody bool) *helper {
	t.Helper()
	executable, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(executable)
	binDir, err := SearchFromEnvironment().Postgres()
	require.NoError(t, err)
	cmd.Env = append(os.Environ(), helperVariable+"="+dataDir, "GROUNDWORK_POSTGRES_BIN="+binDir)
	cmd.Stderr = os.Stderr
	if asNobody {
		cmd.Path = filepath.Join(openTempDir(t), "helper")
		require.NoError(t, copyFile(executable, cmd.Path))
		require.NoError(t, os.Chmod(cmd.Path, 0o755))
		cmd.SysProcAttr = nobodyIdentity().attributes(syscall.SIGKILL)
		cmd.Dir = "/"
		// A home of its own, so that a cache it needs does not collide with that of other users.
		home := ownedTempDir(t)
		cmd.Env = append(cmd.Env, "HOME="+home, "XDG_CACHE_HOME="+home)
	}
	input, err := cmd.StdinPipe()
	require.NoError(t, err)
	output, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, startOnLastingThread(cmd))
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_, _ = cmd.Process.Wait()
	})
	line, err := bufio.NewReader(output).ReadBytes('\n')
	require.NoError(t, err)
	h := &helper{cmd: cmd, input: input}
	require.NoError(t, json.Unmarshal(line, &h.helperReport))
	return h
}

// openTempDir returns a temporary directory that every user can pass through; t.TempDir is closed to others.
func openTempDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	return dir
}

// ownedTempDir returns a temporary directory that belongs to nobody.
func ownedTempDir(t *testing.T) string {
	t.Helper()
	dir := openTempDir(t)
	nobody := nobodyIdentity()
	require.NoError(t, os.Chown(dir, nobody.uid, nobody.gid))
	return dir
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// start starts a Postgres that ends with the test.
func start(t *testing.T, cfg PostgresConfig) *Postgres {
	t.Helper()
	cfg.Fast = true
	postgres, err := StartPostgres(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, postgres.Stop(context.Background())) })
	return postgres
}

// query returns the single value of a query.
func query(t *testing.T, dsn, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	var value string
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&value))
	return value
}

func execute(t *testing.T, dsn, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), sql)
	require.NoError(t, err)
}

func eventually(t *testing.T, condition func() bool, what string) {
	t.Helper()
	require.Eventually(t, condition, time.Minute, 5*time.Millisecond, what)
}

// processesNaming returns the ids of living processes with the text in their arguments, other than ourselves.
func processesNaming(t *testing.T, text string) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	require.NoError(t, err)
	var found []int
	for _, entry := range entries {
		var pid int
		if _, err := fmt.Sscanf(entry.Name(), "%d", &pid); err != nil || pid == os.Getpid() {
			continue
		}
		if p := findProcess(pid); p != nil && strings.Contains(strings.Join(p.args, " "), text) {
			found = append(found, pid)
		}
	}
	return found
}
