package postgres_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// connectAs connects in a role of the database.
func connectAs(t *testing.T, dsn, role string) *pgx.Conn {
	t.Helper()
	dsn, err := postgres.ActAs(dsn, role)
	require.NoError(t, err)
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// refused reports whether the role lacks the privilege; a statement that fails otherwise was let in.
func refused(t *testing.T, conn *pgx.Conn, statement string) bool {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), statement)
	require.NoError(t, tx.Rollback(t.Context()))
	pg := new(pgconn.PgError)
	if err == nil {
		return false
	}
	require.ErrorAs(t, err, &pg, statement)
	return pg.Code == "42501"
}

// What each role of the database may do, asked of it by SQL. The order is app, jobs, etl, auditor.
func TestRolesOfTheDatabase(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	roles := []string{postgres.RoleApp, postgres.RoleJobs, postgres.RoleETL, postgres.RoleAuditor}
	for statement, may := range map[string][4]bool{
		"SELECT id, title FROM issue":                   {true, true, false, false},
		"SELECT id, state FROM issue":                   {true, true, true, false},
		"UPDATE issue SET state = state":                {true, true, false, false},
		"DELETE FROM issue":                             {},
		"TRUNCATE issue":                                {},
		"SELECT text FROM opinion":                      {true, true, false, false},
		"SELECT reporter_pid FROM opinion":              {true, true, true, false},
		"UPDATE opinion SET text = ''":                  {},
		"DELETE FROM opinion":                           {},
		"SELECT payload FROM issue_event":               {true, true, false, false},
		"UPDATE issue_event SET actor = 'x'":            {},
		"DELETE FROM issue_event":                       {},
		"UPDATE entity_event SET actor = 'x'":           {},
		"UPDATE feedback SET resolved = 'YES'":          {},
		"UPDATE attestation SET says = 'UNSURE'":        {},
		"UPDATE policy_evaluation SET estimate = 0":     {},
		"INSERT INTO role_binding DEFAULT VALUES":       {},
		"UPDATE role_binding SET role = 'SUPERVISOR'":   {},
		"UPDATE api_key SET scopes = scopes":            {},
		"UPDATE api_key SET last_used_at = now()":       {true, false, false, false},
		"SELECT key FROM displacement_key":              {true, true, false, false},
		"UPDATE calendar_day SET is_workday = true":     {},
		"SELECT * FROM vault.reporter":                  {},
		"INSERT INTO vault.reporter DEFAULT VALUES":     {},
		"SELECT * FROM vault.known('s', '{a}')":         {true, true, false, false},
		"SELECT vault.pseudonyms('groundwork', '{a}')":  {true, true, false, false},
		"SELECT terms FROM opinion_terms":               {false, true, true, false},
		"SELECT * FROM opinion_unread":                  {false, true, false, false},
		"UPDATE opinion_terms SET reporter_pid = NULL":  {},
		"SELECT key FROM vault.term_key":                {},
		"SELECT terms_of('{water}')":                    {false, true, false, false},
		"SELECT * FROM topic_words('{water}', '{}')":    {true, true, false, false},
		"SELECT unread_opinions(1)":                     {true, true, false, false},
		"SELECT * FROM audit.entry":                     {false, true, false, true},
		"INSERT INTO audit.entry (actor) VALUES ('x')":  {},
		"UPDATE audit.entry SET actor = 'x'":            {},
		"DELETE FROM audit.entry":                       {},
		"SELECT * FROM audit.seal":                      {false, true, false, true},
		"INSERT INTO audit.seal DEFAULT VALUES":         {false, true, false, false},
		"DELETE FROM audit.seal":                        {},
		"SELECT audit.watch('issue', 'id')":             {},
		"SELECT * FROM jobs.river_job":                  {false, true, false, false},
		"DELETE FROM jobs.river_job":                    {false, true, false, false},
		"INSERT INTO etl.pause (pipeline) VALUES ('x')": {false, false, true, false},
		"CREATE TABLE public.mine (id int)":             {},
		"ALTER TABLE issue_event DISABLE TRIGGER ALL":   {},
		"SET LOCAL session_replication_role = replica":  {},
		"SELECT pg_read_file('/etc/passwd')":            {},
		"COPY issue TO PROGRAM 'true'":                  {},
	} {
		for i, role := range roles {
			t.Run(role+" "+statement, func(t *testing.T) {
				conn := connectAs(t, dsn, role)
				refusal := refused(t, conn, statement)
				// A table that is owned by another cannot be altered, whatever the privileges: the same refusal under the same code.
				require.Equal(t, may[i], !refusal)
			})
		}
	}
}

// A new table is for nobody until roles.sql says for whom; these are for operators and chores alone.
func TestEveryTableIsForSomebody(t *testing.T) {
	t.Parallel()
	conn := connectAs(t, pgtest.New(t), "postgres")
	rows, err := conn.Query(t.Context(), `SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p') AND n.nspname = 'public' AND NOT has_table_privilege('groundwork_app', c.oid, 'SELECT')`)
	require.NoError(t, err)
	unread, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"bulk_load", "bulk_load_part", "goose_db_version", "import_batch", "opinion_terms", "opinion_unread", "survey_response", "survey_token"}, unread, "grant it in roles.sql")
}

// The replication reads what is published and never what is not: no free text, nothing of the vault.
func TestTheReplicationReadsWhatIsPublished(t *testing.T) {
	t.Parallel()
	conn := connectAs(t, pgtest.New(t), "postgres")
	rows, err := conn.Query(t.Context(), `
		WITH published AS (SELECT schemaname, tablename, unnest(attnames) AS attname FROM pg_publication_tables WHERE pubname = 'groundwork'),
		may AS (SELECT table_schema AS schemaname, table_name AS tablename, column_name AS attname FROM information_schema.column_privileges
			WHERE grantee = 'groundwork_etl' AND privilege_type = 'SELECT' AND table_schema <> 'etl')
		(TABLE published EXCEPT TABLE may) UNION ALL (TABLE may EXCEPT TABLE published)`)
	require.NoError(t, err)
	differ, err := pgx.CollectRows(rows, pgx.RowToMap)
	require.NoError(t, err)
	require.Empty(t, differ)
}

// A login acts in the roles that it is a member of, and is told what is missing.
func TestALoginActsAsWhatItIsAMemberOf(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	admin := connectAs(t, dsn, "postgres")
	login := "login_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	run := func(statement string) {
		_, err := admin.Exec(context.WithoutCancel(t.Context()), statement)
		require.NoError(t, err)
	}
	run("CREATE ROLE " + login + " LOGIN PASSWORD 'x'")
	t.Cleanup(func() { run("DROP ROLE " + login) })
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	u.User = url.UserPassword(login, "x")
	open := func(role string) (*postgres.DB, error) {
		return postgres.Open(t.Context(), u.String(), postgres.Options{Role: role, MaxConns: 1})
	}
	_, err = open(postgres.RoleApp)
	require.ErrorContains(t, err, "GRANT groundwork_app")
	_, err = open("groundwork_nobody")
	require.ErrorContains(t, err, "groundwork migrate")
	run("GRANT groundwork_app TO " + login)
	db, err := open(postgres.RoleApp)
	require.NoError(t, err)
	defer db.Close()
	_, _, err = db.CreateOfficial(t.Context(), groundwork.System, groundwork.Official{Pseudonym: "o-1"})
	require.NoError(t, err)

	conn, err := pgx.Connect(t.Context(), u.String())
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	err = postgres.MakeRole(t.Context(), conn, "groundwork_unmade", "NOLOGIN")
	require.ErrorContains(t, err, "as a superuser run: CREATE ROLE groundwork_app NOLOGIN;")
	require.NoError(t, postgres.MakeRole(t.Context(), conn, postgres.RoleApp, "NOLOGIN"), "it is there")
}

func TestActAs(t *testing.T) {
	t.Parallel()
	for dsn, acts := range map[string]string{
		"postgres://u:p@db/groundwork":                      "postgres://u:p@db/groundwork?role=groundwork_app",
		"postgres://u:p@db/groundwork?sslmode=disable":      "postgres://u:p@db/groundwork?role=groundwork_app&sslmode=disable",
		"postgres://u:p@a:1,b:2/groundwork":                 "postgres://u:p@a:1,b:2/groundwork?role=groundwork_app",
		"postgres://u:p@a:1,b:2/groundwork?sslmode=disable": "postgres://u:p@a:1,b:2/groundwork?role=groundwork_app&sslmode=disable",
		"host=db dbname=groundwork":                         "host=db dbname=groundwork role=groundwork_app",
	} {
		got, err := postgres.ActAs(dsn, postgres.RoleApp)
		require.NoError(t, err)
		require.Equal(t, acts, got)
		cfg, err := pgx.ParseConfig(got)
		require.NoError(t, err)
		require.Equal(t, "groundwork_app", cfg.RuntimeParams["role"], dsn)
	}
	_, err := postgres.ActAs("postgres://[", postgres.RoleApp)
	require.ErrorContains(t, err, "GROUNDWORK_POSTGRES")
}
