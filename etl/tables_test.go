package etl

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// Every published table sees inserts, updates, deletes, changes of its key and a truncation; every request to the warehouse is delivered
// twice, and all of it comes again after kills at each point. Then both sides are equal row by row.
func TestEveryTableUnderEveryChangeDeliveredTwiceAndReplayed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	first := r.start()
	first.catchUp()
	loaded := first.Status().Applied
	first.stop()
	var unchanged []string
	for _, m := range warehouse.Mirrors {
		if !r.workOver(m) {
			unchanged = append(unchanged, m.Source)
		}
	}
	require.Less(t, len(unchanged), len(warehouse.Mirrors)/4, "no column of these takes another value: %v", unchanged)
	twice := newProxy(t, r.chURL)
	twice.set(func() { twice.again = 1 << 30 })
	for _, point := range []string{failBetweenTables, failBeforeCheckpoint, failBeforeAck} {
		r.requireKilled(r.child(point, "TEST_CLICKHOUSE="+twice.url, "TEST_FLUSH_ROWS=30"))
		r.requireSlotBehindCheckpoint()
	}
	run := r.startThrough(twice)
	run.agree()
	require.Zero(t, run.Status().Loads, run.Status().LastGap)
	for _, m := range warehouse.Mirrors {
		require.Positive(t, r.chCount(fmt.Sprintf("SELECT count() FROM %s WHERE _ver > %s AND _deleted = 0", m.Table, version{commit: loaded}.sql())), "nothing of %s came through the stream", m.Source)
	}
}

// workOver makes every kind of change in a table, as far as its constraints allow. It reports whether a value changed, keys apart.
func (r *rig) workOver(m warehouse.Mirror) (changed bool) {
	r.t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, r.dsn)
	require.NoError(r.t, err)
	defer conn.Close(ctx)
	w := worker{rig: r, conn: conn, table: m.Source, key: m.Key}
	w.must("SET session_replication_role = replica")
	require.NoError(r.t, conn.QueryRow(ctx, `SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
		WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`, m.Source).Scan(&w.columns))
	w.must("CREATE TEMP TABLE kept AS SELECT * FROM " + m.Source)

	w.must("BEGIN")
	changed = w.change()
	w.must("UPDATE %s SET %s = %s", w.table, m.Key[0], m.Key[0]) // touches every row
	w.move()
	w.must("COMMIT")
	w.must("BEGIN")
	w.move() // keys change twice, and between two transactions
	w.must("DELETE FROM %s", w.table)
	w.restore()
	w.change()
	w.must("COMMIT")
	w.must("BEGIN")
	if !w.try("TRUNCATE %s", w.table) { // refused where other tables refer to it
		w.must("DELETE FROM %s", w.table)
	}
	w.restore() // rows after a truncation live on when it comes again
	w.must("COMMIT")
	w.must("BEGIN")
	w.must("SAVEPOINT s; DELETE FROM %s; ROLLBACK TO s", w.table)
	w.must("DELETE FROM %[1]s WHERE ctid = (SELECT min(ctid) FROM %[1]s) AND (SELECT count(*) FROM %[1]s) > 1", w.table)
	w.must("COMMIT")
	return changed
}

type worker struct {
	*rig
	conn           *pgx.Conn
	table, columns string
	key            []string
}

func (w worker) must(statement string, args ...any) {
	w.t.Helper()
	if len(args) > 0 {
		statement = fmt.Sprintf(statement, args...)
	}
	_, err := w.conn.Exec(context.Background(), statement)
	require.NoError(w.t, err, statement)
}

// try runs a statement that constraints may refuse.
func (w worker) try(statement string, args ...any) bool {
	w.t.Helper()
	w.must("SAVEPOINT try")
	if _, err := w.conn.Exec(context.Background(), fmt.Sprintf(statement, args...)); err != nil {
		w.must("ROLLBACK TO try")
		return false
	}
	w.must("RELEASE try")
	return true
}

func (w worker) restore() {
	w.t.Helper()
	w.must("INSERT INTO %[1]s (%[2]s) OVERRIDING SYSTEM VALUE SELECT %[2]s FROM kept", w.table, w.columns)
}

// other has, by type, another value than the present one.
var other = map[string]string{
	"timestamptz": "%s + interval '1 second'", "date": "%s + 1", "int2": "%s + 1", "int4": "%s + 1", "int8": "%s + 1", "float8": "%s + 0.5", "bool": "NOT %s",
	"text": "%s || '.'", "uuid": "md5(%s::text)::uuid", "ltree": "%s || 'x'", "_text": "array_append(%s, 'x')", "_int8": "array_append(%s, 1)",
}

// change gives one column that is not of the key other values, the first that takes them.
func (w worker) change() bool {
	w.t.Helper()
	for _, c := range w.published() {
		if expression, ok := other[c.typ]; ok && !slices.Contains(w.key, c.name) && w.try("UPDATE %s SET %s = "+expression+" WHERE %s IS NOT NULL", w.table, c.name, c.name, c.name) {
			if w.rowsDiffer(c.name) {
				return true
			}
		}
	}
	return false
}

func (w worker) rowsDiffer(column string) (yes bool) {
	w.t.Helper()
	require.NoError(w.t, w.conn.QueryRow(context.Background(), fmt.Sprintf("SELECT EXISTS (SELECT %[1]s FROM %[2]s EXCEPT SELECT %[1]s FROM kept)", column, w.table)).Scan(&yes))
	return yes
}

// move gives every row another key: the first key column that allows it changes.
func (w worker) move() {
	w.t.Helper()
	for _, c := range w.published() {
		if slices.Contains(w.key, c.name) && w.try("UPDATE %s SET %s = "+other[c.typ], w.table, c.name, c.name) {
			return
		}
	}
	require.Fail(w.t, "no key column takes another value", "%s (%s)", w.table, strings.Join(w.key, ", "))
}

type typedColumn struct{ name, typ string }

func (w worker) published() []typedColumn {
	w.t.Helper()
	rows, err := w.conn.Query(context.Background(), `SELECT a.attname, t.typname FROM pg_publication_tables p
		JOIN pg_attribute a ON a.attrelid = p.tablename::regclass AND a.attname = ANY (p.attnames) JOIN pg_type t ON t.oid = a.atttypid
		WHERE p.pubname = 'groundwork' AND p.tablename = $1 ORDER BY a.attnum`, w.table)
	require.NoError(w.t, err)
	var columns []typedColumn
	var c typedColumn
	_, err = pgx.ForEachRow(rows, []any{&c.name, &c.typ}, func() error { columns = append(columns, c); return nil })
	require.NoError(w.t, err)
	return columns
}
