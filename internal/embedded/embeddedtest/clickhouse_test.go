package embeddedtest_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"groundwork/internal/embedded"
	"groundwork/internal/embedded/embeddedtest"

	"github.com/stretchr/testify/require"
)

// ask sends a statement over the ClickHouse HTTP interface.
func ask(t *testing.T, dsn, statement string) (answer string, err error) {
	t.Helper()
	target, err := url.Parse(dsn)
	require.NoError(t, err)
	target.Path = "/"
	response, err := http.Post(target.String(), "text/plain", strings.NewReader(statement))
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return strings.TrimSpace(string(text)), err
}

func startEngine(t *testing.T, dataDir string) *embedded.Engine {
	t.Helper()
	engine, err := embedded.StartEngine(t.Context(), embeddedtest.EngineConfig(dataDir))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Stop(context.Background())) })
	return engine
}

func TestClickHouseDatabasesAreTheTestsOwn(t *testing.T) {
	t.Parallel()
	first, second := embeddedtest.ClickHouse(t), embeddedtest.ClickHouse(t)
	require.NotEqual(t, first, second)
	answer, err := ask(t, first, "SELECT 1 + 1")
	require.NoError(t, err)
	require.Equal(t, "2", answer)
}

// What was acknowledged survives kill -9 of the engine, and the supervisor brings it back by itself.
func TestEngineComesBackWithItsData(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(t.TempDir(), "clickhouse")
	engine := startEngine(t, dataDir)
	dsn := engine.DSN("groundwork")
	for _, statement := range []string{
		"CREATE TABLE groundwork.kept (word String) ENGINE = MergeTree ORDER BY word",
		"INSERT INTO groundwork.kept VALUES ('still here')",
	} {
		answer, err := ask(t, dsn, statement)
		require.NoError(t, err)
		require.Empty(t, answer)
	}
	killed := engine.PID()
	require.NoError(t, syscall.Kill(killed, syscall.SIGKILL))
	require.Eventually(t, func() bool {
		answer, err := ask(t, dsn, "SELECT word FROM groundwork.kept")
		return err == nil && answer == "still here" && engine.PID() != killed
	}, 30*time.Second, 20*time.Millisecond)
	require.NoError(t, engine.Stop(t.Context()))

	again := startEngine(t, dataDir)
	answer, err := ask(t, again.DSN("groundwork"), "SELECT word FROM groundwork.kept")
	require.NoError(t, err)
	require.Equal(t, "still here", answer)
}

func TestReadOnlyUserMayNotWrite(t *testing.T) {
	t.Parallel()
	engine := embeddedtest.Engine(t)
	answer, err := ask(t, engine.ReadOnlyDSN("groundwork"), "CREATE TABLE groundwork.forbidden (x Int8) ENGINE = MergeTree ORDER BY x")
	require.NoError(t, err)
	require.Contains(t, answer, "Code: ")
	answer, err = ask(t, engine.DSN("groundwork"), "EXISTS TABLE groundwork.forbidden")
	require.NoError(t, err)
	require.Equal(t, "0", answer)
}

func TestEngineWithBrokenLibrarySaysSo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := embeddedtest.EngineConfig(filepath.Join(dir, "clickhouse"))
	cfg.Library = filepath.Join(dir, "libchdb.so")
	require.NoError(t, os.WriteFile(cfg.Library, []byte("not a library"), 0o600))
	_, err := embedded.StartEngine(t.Context(), cfg)
	require.ErrorContains(t, err, "make engines")
}

func TestClickHouseDatabaseGoesWithTheTest(t *testing.T) {
	t.Parallel()
	var dsn string
	t.Run("its test", func(t *testing.T) {
		dsn = embeddedtest.ClickHouse(t)
		name := strings.TrimPrefix(pathOf(t, dsn), "/")
		for _, statement := range []string{"CREATE DATABASE " + name + " ENGINE = Atomic", "CREATE TABLE " + name + ".kept (word String) ENGINE = MergeTree ORDER BY word"} {
			answer, err := ask(t, dsn, statement)
			require.NoError(t, err)
			require.Empty(t, answer)
		}
	})
	answer, err := ask(t, dsn, "SELECT count() FROM system.databases WHERE name = '"+strings.TrimPrefix(pathOf(t, dsn), "/")+"'")
	require.NoError(t, err)
	require.Equal(t, "0", answer)
}

func pathOf(t *testing.T, dsn string) string {
	t.Helper()
	address, err := url.Parse(dsn)
	require.NoError(t, err)
	return address.Path
}
