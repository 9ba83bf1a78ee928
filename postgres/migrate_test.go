package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// Numbers belong to nouns: a release brings lower ones to databases that have higher ones.
func TestALowerNumberComesLater(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Unmigrated(t)
	earlier := map[int]bool{1: true, 2: true, 3: true, 4: true, 5: true, 6: true, 7: true, 18: true, 19: true, 20: true, 40: true, 45: true, 50: true, 70: true}
	require.NoError(t, postgres.MigrateAs(t.Context(), dsn, func(n int) bool { return earlier[n] }))
	pending, err := postgres.Pending(t.Context(), dsn)
	require.NoError(t, err)
	require.Contains(t, pending, "00015_rota.sql")
	applied, err := postgres.Migrate(t.Context(), dsn)
	require.NoError(t, err)
	require.Equal(t, len(pending), applied)
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	for _, table := range []string{"rota_slot", "role_binding", "audit.entry"} {
		var n int
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n), table)
	}
	again, err := postgres.Migrate(t.Context(), dsn)
	require.NoError(t, err)
	require.Zero(t, again)
}
