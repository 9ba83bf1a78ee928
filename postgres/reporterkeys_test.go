package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// Contacts that stood in the vault in clear are hashed once, and found again by the same hash as new ones; none comes in in clear any more.
func TestReporterKeysAreHashed(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	ask := func(sql string) any {
		value, err := v.sql(sql)
		require.NoError(t, err, sql)
		return value
	}
	conn := connectAs(t, v.dsn, "postgres")
	run := func(sql string) {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
	run("ALTER TABLE vault.reporter DROP CONSTRAINT reporter_key_is_hashed")
	ask("INSERT INTO vault.reporter (pid, source, external_key) SELECT gen_random_uuid(), 'open311:app', 'phone:' || n FROM generate_series(1, 700) n RETURNING 1")
	ask("INSERT INTO vault.reporter (pid, source, external_key) VALUES (gen_random_uuid(), 'groundwork', 'li') RETURNING 1")
	run("ALTER TABLE vault.reporter ADD CONSTRAINT reporter_key_is_hashed CHECK (source NOT LIKE 'open311:%' OR external_key LIKE 'hmac:%') NOT VALID")
	_, err := pgtest.Open(t, v.dsn, postgres.Options{}).HashReporterKeys(t.Context())
	require.ErrorContains(t, err, "--security-key")
	owner := pgtest.Open(t, v.dsn, postgres.Options{SecretKey: []byte("key of the secrets")})
	done, err := owner.HashReporterKeys(t.Context())
	require.NoError(t, err)
	require.Equal(t, 700, done)
	require.EqualValues(t, 0, ask("SELECT count(*) FROM vault.reporter WHERE external_key LIKE 'phone:%'"))
	require.EqualValues(t, 700, ask("SELECT count(DISTINCT external_key) FROM vault.reporter WHERE external_key ~ '^hmac:[0-9a-f]{64}$'"))
	require.EqualValues(t, 1, ask("SELECT count(*) FROM vault.reporter WHERE external_key = 'li'"), "accounts of our own are not contacts")
	done, err = owner.HashReporterKeys(t.Context())
	require.NoError(t, err)
	require.Zero(t, done)
	_, err = v.sql("INSERT INTO vault.reporter (pid, source, external_key) VALUES (gen_random_uuid(), 'open311:app', 'phone:1') RETURNING 1")
	require.ErrorContains(t, err, "reporter_key_is_hashed")
}
