package embedded

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestPostgresStartStopStart(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(openTempDir(t), "deeper", "postgres")

	first := start(t, PostgresConfig{DataDir: dataDir})
	require.Equal(t, "logical", query(t, first.DSN("postgres"), "SHOW wal_level"))
	require.Equal(t, "16", query(t, first.SocketDSN("postgres"), "SHOW max_replication_slots"))
	execute(t, first.DSN("postgres"), "CREATE TABLE kept AS SELECT 'still here' AS word")
	require.NoError(t, first.Err())
	require.NoError(t, first.Stop(t.Context()))
	require.NoError(t, first.Stop(t.Context()), "stopping twice is safe")
	require.NoError(t, first.Err(), "a stop that was asked for is no failure")
	require.NoFileExists(t, filepath.Join(dataDir, "postmaster.pid"), "an orderly stop")

	second := start(t, PostgresConfig{DataDir: dataDir, Settings: map[string]string{"work_mem": "7MB"}})
	require.Equal(t, "still here", query(t, second.DSN("postgres"), "SELECT word FROM kept"))
	require.Equal(t, "7MB", query(t, second.DSN("postgres"), "SHOW work_mem"))
	require.Equal(t, first.Password(), second.Password())
}

func TestPostgresIsPrivate(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(openTempDir(t), "postgres")
	postgres := start(t, PostgresConfig{DataDir: dataDir})

	info, err := os.Stat(dataDir + ".password")
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	info, err = os.Stat(dataDir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), "local connections are trusted: only the owner may reach the socket")
	if os.Geteuid() == 0 {
		require.NotZero(t, info.Sys().(*syscall.Stat_t).Uid, "Postgres does not run as root")
	}

	wrong := strings.Replace(postgres.DSN("postgres"), postgres.Password(), "wrong", 1)
	_, err = pgx.Connect(t.Context(), wrong)
	require.ErrorContains(t, err, "password authentication failed")
}

func TestPostgresPasswordIsLostOrChanged(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(openTempDir(t), "postgres")
	first := start(t, PostgresConfig{DataDir: dataDir})
	require.NoError(t, first.Stop(t.Context()))

	require.NoError(t, os.Remove(dataDir+".password"))
	second := start(t, PostgresConfig{DataDir: dataDir})
	require.NotEqual(t, first.Password(), second.Password())
	require.NoError(t, second.Stop(t.Context()))

	third := start(t, PostgresConfig{DataDir: dataDir, Password: `it's "mine" /@`})
	require.Equal(t, "1", query(t, third.DSN("postgres"), "SELECT '1'"))
}

func TestPostgresAfterKillOfPostmaster(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(openTempDir(t), "postgres")
	first := start(t, PostgresConfig{DataDir: dataDir})
	execute(t, first.DSN("postgres"), "CREATE TABLE kept AS SELECT 'still here' AS word")

	require.NoError(t, syscall.Kill(first.PID(), syscall.SIGKILL))
	<-first.Done()
	require.ErrorContains(t, first.Err(), "killed")

	second := start(t, PostgresConfig{DataDir: dataDir})
	require.Equal(t, "still here", query(t, second.DSN("postgres"), "SELECT word FROM kept"))
}

// A postmaster.pid that names a zombie, or a living stranger that got the same id, must not stop a start.
func TestPostgresAfterKillWithUnreapedZombieOrStranger(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(openTempDir(t), "postgres")
	first := start(t, PostgresConfig{DataDir: dataDir})
	pidFile := filepath.Join(dataDir, "postmaster.pid")
	text, err := os.ReadFile(pidFile)
	require.NoError(t, err)
	require.NoError(t, first.Stop(t.Context()))

	zombie := startZombie(t)
	for name, pid := range map[string]string{"zombie": zombie, "stranger": "1"} {
		_, rest, _ := strings.Cut(string(text), "\n")
		require.NoError(t, os.WriteFile(pidFile, []byte(pid+"\n"+rest), 0o600), name)
		if os.Geteuid() == 0 {
			require.NoError(t, chooseIdentity(filepath.Dir(dataDir)).chownFile(pidFile))
		}
		again := start(t, PostgresConfig{DataDir: dataDir})
		require.NoError(t, again.Stop(t.Context()), name)
	}
}

// The kernel ties the parent-death signal to the thread that started the child. Go ends the thread of a goroutine that returns
// with the thread locked.
func TestPostgresOutlivesTheStartingThread(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(openTempDir(t), "postgres")
	var postgres *Postgres
	var err error
	thread := onEndingThread(func() {
		postgres, err = StartPostgres(context.Background(), PostgresConfig{DataDir: dataDir, Fast: true})
	})
	require.NoError(t, err)
	eventually(t, func() bool {
		_, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", thread))
		return os.IsNotExist(err)
	}, "the thread has ended")
	// Its signal, had it sent one, came before: the postmaster would handle that before a new connection.
	require.Equal(t, "1", query(t, postgres.DSN("postgres"), "SELECT '1'"))
	require.NoError(t, postgres.Err())
	require.NoError(t, postgres.Stop(t.Context()))
}

// onEndingThread runs f on a thread that ends after it, and returns the thread's id.
func onEndingThread(f func()) (thread int) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if thread = unix.Gettid(); thread == os.Getpid() { // the main thread never ends; while we hold it, another is used
			thread = onEndingThread(f)
			runtime.UnlockOSThread()
			return
		}
		f()
	}()
	<-done
	return thread
}

func TestPostgresAfterKillOfParent(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(openTempDir(t), "postgres")
	parent := startHelper(t, dataDir, false)
	require.Empty(t, parent.Error)
	execute(t, parent.DSN, "CREATE TABLE kept AS SELECT 'still here' AS word")

	require.NoError(t, parent.cmd.Process.Kill())
	_, err := parent.cmd.Process.Wait()
	require.NoError(t, err)
	// At once, while the orphan may still be shutting down.
	again := start(t, PostgresConfig{DataDir: dataDir})
	require.Equal(t, "still here", query(t, again.DSN("postgres"), "SELECT word FROM kept"))
	require.NoError(t, again.Stop(t.Context()))
	eventually(t, func() bool { return len(processesNaming(t, dataDir)) == 0 }, "no process is left")
}

// An orphan that got no signal (its parent was stopped in another way) is ended by the next start.
func TestPostgresEndsLiveOrphan(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(openTempDir(t), "postgres")
	first := start(t, PostgresConfig{DataDir: dataDir})
	orphan := first.PID()
	require.NoError(t, os.Rename(dataDir+".lock", dataDir+".lock.gone")) // as if we had died

	second := start(t, PostgresConfig{DataDir: dataDir})
	require.NotEqual(t, orphan, second.PID())
	<-first.Done()
}

// A backend that is busy does not notice that its postmaster was killed, and holds the shared memory: the next start ends it.
func TestPostgresEndsBusyBackends(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(openTempDir(t), "postgres")
	first := start(t, PostgresConfig{DataDir: dataDir})
	conn, err := pgx.Connect(t.Context(), first.DSN("postgres"))
	require.NoError(t, err)
	backend := findProcess(int(conn.PgConn().PID()))
	require.NotNil(t, backend)
	sent := make(chan error, 1)
	go func() {
		_, err := conn.Exec(context.Background(), "DO $$ BEGIN LOOP END LOOP; END $$")
		sent <- err
	}()
	eventually(t, func() bool {
		return query(t, first.DSN("postgres"), fmt.Sprintf("SELECT state FROM pg_stat_activity WHERE pid = %d", backend.pid)) == "active"
	}, "the backend is busy")
	require.NoError(t, syscall.Kill(first.PID(), syscall.SIGKILL))
	<-first.Done()
	require.True(t, backend.alive())

	start(t, PostgresConfig{DataDir: dataDir})
	require.False(t, backend.alive())
	require.Error(t, <-sent)
}

func TestPostgresAfterKilledInitdb(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(openTempDir(t), "postgres")
	half := dataDir + ".tmp-123"
	require.NoError(t, os.MkdirAll(filepath.Join(half, "data", "base"), 0o700))
	start(t, PostgresConfig{DataDir: dataDir})
	require.NoDirExists(t, half)
}

func TestPostgresDoubleStart(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(openTempDir(t), "postgres")
	holder := startHelper(t, dataDir, false)
	require.Empty(t, holder.Error)

	_, err := StartPostgres(t.Context(), PostgresConfig{DataDir: dataDir, Fast: true})
	var locked *LockedError
	require.ErrorAs(t, err, &locked)
	require.ErrorContains(t, err, "in use by process ")
	require.ErrorContains(t, err, "--data-dir")

	require.NoError(t, holder.input.Close())
	require.NoError(t, holder.cmd.Wait(), "an orderly stop of the holder")
	start(t, PostgresConfig{DataDir: dataDir})
}

func TestPostgresBusyPort(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()

	dataDir := filepath.Join(openTempDir(t), "postgres")
	_, err = StartPostgres(t.Context(), PostgresConfig{DataDir: dataDir, Addr: listener.Addr().String(), Fast: true})
	var busy *BusyAddressError
	require.ErrorAs(t, err, &busy)
	require.ErrorContains(t, err, listener.Addr().String())
	require.ErrorContains(t, err, "--postgres or GROUNDWORK_POSTGRES")

	addr := listener.Addr().String()
	require.NoError(t, listener.Close())
	require.Equal(t, addr, start(t, PostgresConfig{DataDir: dataDir, Addr: addr}).Addr())
}

func TestPostgresLongPathHasNoSocket(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(openTempDir(t), strings.Repeat("long-", 20), "postgres")
	postgres := start(t, PostgresConfig{DataDir: dataDir})
	require.Empty(t, postgres.SocketDSN("postgres"))
	require.Equal(t, "1", query(t, postgres.DSN("postgres"), "SELECT '1'"))
}

func TestPostgresBadConfiguration(t *testing.T) {
	t.Parallel()
	_, err := StartPostgres(t.Context(), PostgresConfig{
		Addr:     "0.0.0.0:5433",
		Password: "a\nb",
		Settings: map[string]string{"port": "1", "work mem": "1"},
	})
	for _, want := range []string{"DataDir is empty", `"0.0.0.0:5433" is not a loopback address`, "Password", "setting port", `"work mem"`} {
		require.ErrorContains(t, err, want)
	}

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = StartPostgres(t.Context(), PostgresConfig{DataDir: filepath.Join(file, "postgres")})
	require.ErrorContains(t, err, "is a file")

	strange := filepath.Join(openTempDir(t), "postgres")
	require.NoError(t, os.MkdirAll(filepath.Join(strange, "photos"), 0o700))
	_, err = StartPostgres(t.Context(), PostgresConfig{DataDir: strange})
	require.ErrorContains(t, err, "no Postgres cluster")

	_, err = StartPostgres(t.Context(), PostgresConfig{
		DataDir:  filepath.Join(openTempDir(t), "postgres"),
		Settings: map[string]string{"work_mem": "much"},
	})
	require.ErrorContains(t, err, "work_mem", "the error shows what Postgres said")
}

func TestPostgresStartIsCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dataDir := filepath.Join(openTempDir(t), "postgres")
	_, err := StartPostgres(ctx, PostgresConfig{DataDir: dataDir})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, processesNaming(t, dataDir))
	start(t, PostgresConfig{DataDir: dataDir})
}
