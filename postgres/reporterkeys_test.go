package postgres_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// asks is v.sql for what has to work.
func asks(t *testing.T, v *vault) func(sql string) any {
	return func(sql string) any {
		t.Helper()
		value, err := v.sql(sql)
		require.NoError(t, err, sql)
		return value
	}
}

// Contacts that stood in the vault in clear are hashed once, and found again by the same hash as new ones; none comes in in clear any more.
func TestReporterKeysAreHashed(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	ask := asks(t, v)
	conn := connectAs(t, v.dsn, "postgres")
	run := func(sql string) {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
	run("ALTER TABLE vault.reporter DROP CONSTRAINT reporter_key_is_hashed")
	ask("INSERT INTO vault.reporter (pid, source, external_key) SELECT gen_random_uuid(), 'open311:app', 'phone:' || n FROM generate_series(1, 700) n RETURNING 1")
	ask("INSERT INTO vault.reporter (pid, source, external_key) VALUES (gen_random_uuid(), 'groundwork', 'li') RETURNING 1")
	ask("INSERT INTO vault.reporter (pid, source, external_key) VALUES (md5('looks')::uuid, 'message_board', 'hmac:looks like a hash') RETURNING 1")
	run("ALTER TABLE vault.reporter ADD CONSTRAINT reporter_key_is_hashed CHECK (source = 'groundwork' OR external_key ~ '^hmac:[0-9a-f]{64}$') NOT VALID")
	_, err := pgtest.Open(t, v.dsn, postgres.Options{}).HashReporterKeys(t.Context())
	require.ErrorContains(t, err, "--security-key")
	owner := pgtest.Open(t, v.dsn, postgres.Options{SecretKey: []byte("key of the secrets")})
	done, err := owner.HashReporterKeys(t.Context())
	require.NoError(t, err)
	require.Equal(t, 701, done)
	require.Regexp(t, "^hmac:[0-9a-f]{64}$", ask("SELECT external_key FROM vault.reporter WHERE pid = md5('looks')::uuid"))
	require.EqualValues(t, 0, ask("SELECT count(*) FROM vault.reporter WHERE external_key LIKE 'phone:%'"))
	require.EqualValues(t, 701, ask("SELECT count(DISTINCT external_key) FROM vault.reporter WHERE external_key ~ '^hmac:[0-9a-f]{64}$'"))
	require.EqualValues(t, 1, ask("SELECT count(*) FROM vault.reporter WHERE external_key = 'li'"), "accounts of our own are not contacts")
	done, err = owner.HashReporterKeys(t.Context())
	require.NoError(t, err)
	require.Zero(t, done)
	_, err = v.sql("INSERT INTO vault.reporter (pid, source, external_key) VALUES (gen_random_uuid(), 'open311:app', 'phone:1') RETURNING 1")
	require.ErrorContains(t, err, "reporter_key_is_hashed")
}

// A user name of a source can be read nowhere in the database, not even by its owner; yet whoever bears it is found again, by a name from before it was
// hashed too. Without a key the vault keeps nobody, and whoever writes twice in one file is still one person.
func TestImportsKeepNoNamesInClear(t *testing.T) {
	t.Parallel()
	const name = "网名马晓燕"
	from := func(n int) groundwork.ImportRow {
		r := row(n)
		r.ReporterKey = name
		return r
	}
	v := newVault(t)
	ask := asks(t, v)
	conn := connectAs(t, v.dsn, "postgres")
	for _, sql := range []string{
		"ALTER TABLE vault.reporter DROP CONSTRAINT reporter_key_is_hashed",
		"INSERT INTO vault.reporter (pid, source, external_key) VALUES (md5('before')::uuid, 'message_board', '" + name + "')",
		"ALTER TABLE vault.reporter ADD CONSTRAINT reporter_key_is_hashed CHECK (source = 'groundwork' OR external_key ~ '^hmac:[0-9a-f]{64}$') NOT VALID",
	} {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
	inClear := func() (found []string) {
		rows, err := conn.Query(t.Context(), `SELECT format('SELECT %L WHERE EXISTS (SELECT FROM %s t WHERE t::text LIKE %L)', c.oid::regclass, c.oid::regclass, '%' || $1::text || '%') FROM pg_class c
			JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')`, name)
		require.NoError(t, err)
		looks, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		rows, err = conn.Query(t.Context(), strings.Join(looks, " UNION ALL "))
		require.NoError(t, err)
		found, err = pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		return found
	}
	require.Equal(t, []string{"vault.reporter"}, inClear(), "the look finds what is in clear")
	keyed := pgtest.Open(t, v.dsn, postgres.Options{SecretKey: []byte("key of the secrets")})
	_, err := keyed.HashReporterKeys(t.Context())
	require.NoError(t, err)
	_, err = keyed.Import(t.Context(), batch(from(0)), nil)
	require.NoError(t, err)
	_, err = keyed.Import(t.Context(), batch(from(1)), nil)
	require.NoError(t, err)
	require.Empty(t, inClear())
	require.EqualValues(t, 2, ask("SELECT count(*) FROM opinion WHERE reporter_pid = md5('before')::uuid"), "found again")

	_, err = pgtest.Open(t, v.dsn, postgres.Options{}).Import(t.Context(), batch(from(2), from(3)), nil)
	require.NoError(t, err)
	require.Empty(t, inClear())
	require.EqualValues(t, 1, ask("SELECT count(DISTINCT reporter_pid) FROM opinion WHERE external_id IN ('m2', 'm3')"), "one person in one file")
	require.EqualValues(t, 0, ask("SELECT count(*) FROM vault.reporter r JOIN opinion o ON o.reporter_pid = r.pid WHERE o.external_id IN ('m2', 'm3')"))
}
