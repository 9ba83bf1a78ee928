package embedded

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPostgresDSNOfAnotherProcess(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(openTempDir(t), "postgres")
	_, err := PostgresDSN(dataDir, "127.0.0.1:5433", "postgres")
	require.ErrorIs(t, err, ErrNotRunning)

	postgres := start(t, PostgresConfig{DataDir: dataDir})
	dsn, err := PostgresDSN(dataDir, "127.0.0.1:0", "postgres")
	require.NoError(t, err)
	require.Equal(t, postgres.DSN("postgres"), dsn)

	require.NoError(t, postgres.Stop(t.Context()))
	_, err = PostgresDSN(dataDir, "127.0.0.1:0", "postgres")
	require.ErrorIs(t, err, ErrNotRunning)
}

func TestEngineDSNOfAnotherProcess(t *testing.T) {
	t.Parallel()
	dataDir := filepath.Join(t.TempDir(), "clickhouse")
	_, err := EngineDSN(dataDir, "127.0.0.1:8123", "groundwork")
	require.ErrorIs(t, err, ErrNotRunning)

	engine := startStandIn(t, standIn(dataDir))
	dsn, err := EngineDSN(dataDir, "127.0.0.1:0", "groundwork")
	require.NoError(t, err)
	require.Equal(t, engine.DSN("groundwork"), dsn)

	require.NoError(t, engine.Stop(t.Context()))
	_, err = EngineDSN(dataDir, "127.0.0.1:0", "groundwork")
	require.ErrorIs(t, err, ErrNotRunning)
}
