package chdb

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// One test: the engine works on one directory in a process.
func TestEngineInThisProcess(t *testing.T) {
	lib, err := Open(library(t))
	require.NoError(t, err)
	dir := t.TempDir()
	conn, err := lib.Connect("--path=" + dir)
	require.NoError(t, err)
	defer conn.Close()

	t.Run("query with parameters", func(t *testing.T) {
		output, stats, err := conn.Query("SELECT {s:String}, {n:UInt8} + 1", "CSV", Param{"s", "a\\'b\\n"}, Param{"n", "4"})
		require.NoError(t, err)
		require.Equal(t, "\"a'b\n\",5\n", string(output))
		require.EqualValues(t, 1, stats.ResultRows)
	})
	t.Run("error", func(t *testing.T) {
		_, _, err := conn.Query("SELECT nothing", "TSV")
		require.ErrorContains(t, err, "Code: 47. DB::Exception")
	})
	t.Run("connections share the engine", func(t *testing.T) {
		other, err := lib.Connect("--path=" + dir)
		require.NoError(t, err)
		defer other.Close()
		_, _, err = other.Query("CREATE TABLE default.shared (n UInt8) ENGINE = MergeTree ORDER BY n", "TSV")
		require.NoError(t, err)
		output, _, err := conn.Query("EXISTS TABLE default.shared", "TSV")
		require.NoError(t, err)
		require.Equal(t, "1\n", string(output))
	})
	// Under the engine's signal handlers this would hang for minutes.
	t.Run("a nil dereference panics", func(t *testing.T) {
		var nothing *struct{ n int }
		require.Panics(t, func() { nothing.n++ })
	})
	// An OS thread that ends after calls into the library took the process with it, in purego before 0.11.
	t.Run("threads may end", func(t *testing.T) {
		for range 20 {
			done := make(chan error)
			go func() {
				runtime.LockOSThread() // and never unlocks: the thread ends with the goroutine
				_, _, err := conn.Query("SELECT 1", "TSV")
				done <- err
			}()
			require.NoError(t, <-done)
		}
	})
}

func TestOpenErrors(t *testing.T) {
	_, err := Open("/nowhere/libchdb.so")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func library(t *testing.T) string {
	t.Helper()
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	dir, err := os.Getwd()
	require.NoError(t, err)
	for ; dir != "/"; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "node_modules", "@chdb", "lib-"+runtime.GOOS+"-"+arch+"-gnu", "libchdb.so")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	require.Fail(t, "the ClickHouse engine library is missing: `make engines` installs it")
	return ""
}
