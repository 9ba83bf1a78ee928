package etl

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatASchemaChangeLoses(t *testing.T) {
	t.Parallel()
	name, kind := publishedField{1, "name", "text"}, publishedField{2, "kind", "text"}
	shape := func(fields ...publishedField) *publishedShape { return &publishedShape{Columns: fields} }
	for want, c := range map[string]schemaChange{
		"":                     {Before: shape(name), After: shape(name)},
		"computed anew":        {Rewritten: true},
		"not published any":    {Before: shape(name)},
		"other rows":           {Before: shape(name), After: &publishedShape{"(id > 0)", shape(name).Columns}},
		"column kind (text)":   {Before: shape(name, kind), After: shape(name)},
		"column name (text)":   {Before: shape(name), After: shape(publishedField{1, "name", "character varying(9)"})},
		"column name (text) w": {Before: shape(name, kind), After: shape(publishedField{1, "kind", "text"}, publishedField{2, "name", "text"})},
		"a new column":         {Before: shape(name), After: shape(name, kind), Filled: true},
	} {
		require.Contains(t, c.loss(), want)
		require.Equal(t, want == "", c.loss() == "")
	}
	require.Empty(t, schemaChange{After: shape(name), Filled: true}.loss(), "a table that joins")
	require.Empty(t, schemaChange{Before: shape(name), After: shape(name, kind)}.loss(), "a new column of a table without rows")
}

// What a person does to a published table by hand is noticed at its place in the stream: it does no harm, or the tables are loaded afresh.
func TestForeignSchemaChangesLeaveNothingWrong(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	run := r.start()
	run.agree()
	r.exec(`ALTER TABLE org_unit ADD COLUMN extra int DEFAULT 5; ALTER TABLE org_unit ALTER COLUMN name SET STATISTICS 100;
		CREATE INDEX ON org_unit (extra); UPDATE org_unit SET extra = 6; ALTER TABLE org_unit DROP COLUMN extra`)
	r.exec(`CREATE TABLE unpublished (n int); ALTER TABLE unpublished ALTER COLUMN n TYPE bigint USING n + 1; DROP TABLE unpublished`)
	run.agree()
	require.Empty(t, run.Status().LastGap, "columns and tables that are not published")

	// No row of the stream tells of these.
	r.replica(`ALTER PUBLICATION groundwork DROP TABLE feedback; DELETE FROM feedback; ALTER PUBLICATION groundwork ADD TABLE feedback (` + r.publishedColumns("feedback") + `)`)
	run.await(func(s Status) bool { return s.Loads == 2 })
	require.Contains(t, run.Status().LastGap, "ALTER PUBLICATION of table public.feedback: it is not published any more")
	run.agree()
	// Postgres refuses to change the type of a column that a publication names, but not where it lets the whole table out.
	_, err := r.pg.Exec(t.Context(), `ALTER TABLE org_unit ALTER COLUMN name TYPE text USING name || ' anew'`)
	require.ErrorContains(t, err, "used by a publication")
	r.exec(`ALTER TABLE region_population DROP COLUMN created_at, DROP COLUMN recorded_by; ALTER PUBLICATION groundwork DROP TABLE region_population; ALTER PUBLICATION groundwork ADD TABLE region_population`)
	run.await(func(s Status) bool { return s.Loads == 3 })
	r.exec(`ALTER TABLE region_population ALTER COLUMN source TYPE text USING source || ' anew'`)
	run.await(func(s Status) bool { return s.Loads == 4 })
	require.Contains(t, run.Status().LastGap, "ALTER TABLE of table public.region_population: the values of a column were computed anew")
	run.agree()
	run.stop()

	// Where the schemas no longer fit it stops and says what to do; once they fit again it goes on by itself.
	r.exec(`ALTER TABLE org_unit RENAME COLUMN name TO title; UPDATE org_unit SET title = title || '!'`)
	replicator, err := New(r.config())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.ErrorContains(t, replicator.Run(ctx), "column org_unit.title is published, but d_org_unit has no such column: run `groundwork migrate`")
	r.exec(`ALTER TABLE org_unit RENAME COLUMN title TO name`)
	again := r.start()
	again.await(func(s Status) bool { return s.Loads == 1 })
	again.agree()
	require.Contains(t, strings.ToLower(again.Status().LastGap), "column name (text) was renamed")
	require.Positive(t, r.chCount("SELECT count() FROM d_org_unit FINAL WHERE endsWith(name, '!')"))
}

func (r *rig) publishedColumns(table string) (list string) {
	r.t.Helper()
	require.NoError(r.t, r.pg.QueryRow(context.Background(), `SELECT array_to_string(attnames, ', ') FROM pg_publication_tables WHERE pubname = 'groundwork' AND tablename = $1`, table).Scan(&list))
	return list
}
