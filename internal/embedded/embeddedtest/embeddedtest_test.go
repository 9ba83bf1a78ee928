package embeddedtest_test

import (
	"net/url"
	"testing"

	"groundwork/internal/embedded/embeddedtest"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

func TestPostgresIsShared(t *testing.T) {
	t.Parallel()
	dsn := embeddedtest.Postgres(t)
	require.Equal(t, dsn, embeddedtest.Postgres(t))
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	var level string
	require.NoError(t, conn.QueryRow(t.Context(), "SHOW wal_level").Scan(&level))
	require.Equal(t, "logical", level)
	parsed, err := url.Parse(dsn)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", parsed.Hostname())
}
