package etl

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"groundwork/internal/embedded/embeddedtest"
	"groundwork/warehouse"
)

// Words are written wherever the system of record takes any, before the load and while changes flow. In the warehouse they may be
// where docs/security.md says, and are searched for everywhere, also in rows that do not show any more.
func TestWordsOfPeopleStayBehind(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	planted := r.plant("words before the load")
	for _, column := range []string{"issue_event.reason", "opinion.text", "visit.note_text", "claim.text", "feedback.comment", "issue_event.payload"} {
		require.Contains(t, planted, column)
	}
	run := r.start()
	run.catchUp()
	require.Equal(t, planted, r.plant("words in the stream"))
	run.agree()
	require.ElementsMatch(t, documentedTexts(t), r.columnsWith("words before the load", "words in the stream"))
}

// plant writes words into every column of text that takes them, and returns those columns.
func (r *rig) plant(words string) (planted []string) {
	r.t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, r.dsn)
	require.NoError(r.t, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "SET session_replication_role = replica")
	require.NoError(r.t, err)
	rows, err := conn.Query(ctx, `SELECT c.table_name, c.column_name, CASE c.udt_name WHEN 'jsonb' THEN 'jsonb_build_object($1::text, $1)' WHEN '_text' THEN 'ARRAY[$1::text]' ELSE '$1::text || ctid' END
		FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.udt_name IN ('text', 'varchar', 'jsonb', '_text') AND c.is_generated = 'NEVER' AND c.table_name <> 'goose_db_version'
		ORDER BY c.table_name, c.column_name`)
	require.NoError(r.t, err)
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Table, Column, Value string }])
	require.NoError(r.t, err)
	for _, c := range columns { // each by itself: where the database takes codes only, it refuses
		done, err := conn.Exec(ctx, fmt.Sprintf("UPDATE %s SET %s = %s", quotePG(c.Table), quotePG(c.Column), c.Value), words)
		if err == nil && done.RowsAffected() > 0 {
			planted = append(planted, c.Table+"."+c.Column)
		}
	}
	return planted
}

// columnsWith lists the columns of the warehouse with one of the words.
func (r *rig) columnsWith(words ...string) (found []string) {
	r.t.Helper()
	rows, err := r.ch.Query(context.Background(), "SELECT c.table, c.name FROM system.columns AS c JOIN system.tables AS t ON t.database = c.database AND t.name = c.table WHERE c.database = currentDatabase() AND t.engine NOT LIKE '%View'")
	require.NoError(r.t, err)
	defer rows.Close()
	for rows.Next() {
		var table, column string
		require.NoError(r.t, rows.Scan(&table, &column))
		if r.chCount(fmt.Sprintf("SELECT count() FROM %s WHERE multiSearchAny(toString(%s), ['%s'])", quote(table), quote(column), strings.Join(words, "', '"))) > 0 {
			found = append(found, table+"."+column)
		}
	}
	require.NoError(r.t, rows.Err())
	return found
}

// documentedTexts are the columns of the table in docs/security.md.
func documentedTexts(t *testing.T) (columns []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/security.md")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(text), "\n## Texts in the warehouse\n")
	require.True(t, found)
	section, _, _ := strings.Cut(after, "\n## ")
	for _, row := range regexp.MustCompile("(?m)^\\| (`[a-z_]+\\.[a-z_]+`.*?) \\|").FindAllStringSubmatch(section, -1) {
		for _, name := range regexp.MustCompile("`([a-z_.]+)`").FindAllStringSubmatch(row[1], -1) {
			columns = append(columns, name[1])
		}
	}
	return columns
}

// An installation whose warehouse has words of people in it, and more of them on the way, has none when it was brought up to date.
func TestWordsThatLeftBeforeAreTakenBack(t *testing.T) {
	t.Parallel()
	const before, words = 299, "Li Mei said so"
	admin, old := embeddedtest.Postgres(t), "etl_template_with_words"
	execOn(t, admin, "CREATE DATABASE "+old)
	config, err := pgx.ParseConfig(withDatabase(t, admin, old))
	require.NoError(t, err)
	db := stdlib.OpenDB(*config)
	_, err = migrations(t, db).UpTo(t.Context(), before)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	r := newRigFrom(t, admin, old, embeddedtest.ClickHouse(t))
	event := func(seq int, kind, role, reason string) {
		r.replica(fmt.Sprintf(`INSERT INTO issue_event (issue_id, seq, kind, from_state, to_state, at, known_at, actor, actor_role, reason_code, origin_at)
			VALUES ('00000000-0000-7000-8000-000000000001', %d, '%s', 'REGISTERED', 'REGISTERED', '2024-05-02Z', '2024-05-02Z', 'a', '%s', '%s', '2024-05-02Z')`, seq, kind, role, reason))
	}
	r.exec("INSERT INTO category (id, code, name, path) VALUES (gen_random_uuid(), 'roads', 'Roads', ARRAY['Roads'])")
	event(2, "ESCALATED", "SYSTEM", "TARGET_100")
	event(3, "ESCALATED", "SUPERVISOR", words)
	r.chExec("ALTER TABLE f_visit DROP COLUMN drawn") // it was not published then, nor was the next
	r.chExec("ALTER TABLE d_category DROP COLUMN audited_minimum_minutes")
	then := slices.DeleteFunc(slices.Clone(warehouse.Mirrors), func(m warehouse.Mirror) bool { return m.Source == "opinion_terms" })
	run := r.start(func(c *Config) { c.mirrors = then })
	run.catchUp()
	for _, m := range then {
		diffs, err := compareTable(t.Context(), r.pg, r.ch, m, maxDiffs)
		require.NoError(t, err)
		require.Empty(t, diffs)
	}
	run.stop()
	require.Equal(t, []string{"f_issue_event.reason_code"}, r.columnsWith(words))
	event(4, "ESCALATED", "SUPERVISOR", words)

	db = stdlib.OpenDB(*r.pg.Config().ConnConfig)
	_, err = migrations(t, db).Up(t.Context())
	require.NoError(t, err)
	require.NoError(t, db.Close())
	r.chExec("DELETE FROM schema_version WHERE version_id IN (310, 330, 390)")
	applied, err := warehouse.Migrate(t.Context(), r.ch, warehouse.Layout{})
	require.NoError(t, err)
	require.Equal(t, 3, applied)
	require.Empty(t, r.columnsWith(words))

	again := r.start()
	again.agree()
	require.Empty(t, again.Status().LastGap)
	require.Zero(t, r.chCount("SELECT count() FROM f_issue_event FINAL WHERE reason_code = '"+words+"'"))
	require.EqualValues(t, 1, r.chCount("SELECT count() FROM f_issue_event FINAL WHERE reason_code = 'TARGET_100'"))
	require.Equal(t, 2, r.pgCount("SELECT count(*) FROM issue_event WHERE reason = '"+words+"' AND reason_code IS NULL"))
	r.chExec("OPTIMIZE TABLE f_issue_event FINAL")
	require.Empty(t, r.columnsWith(words), "what was on its way goes with the next merge")
}
