package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork/postgres"
)

func TestAnInsertIsAlwaysTheSameText(t *testing.T) {
	t.Parallel()
	row := pgx.NamedArgs{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8}
	for range 20 { // maps are read in another order each time
		require.Equal(t, "INSERT INTO road (a, b, c, d, e, f, g, h) VALUES (@a, @b, @c, @d, @e, @f, @g, @h)", postgres.InsertSQL("road", row))
	}
}
