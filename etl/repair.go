package etl

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/jackc/pgx/v5"

	"groundwork/warehouse"
)

// keysAtOnce bounds one statement of a repair.
const keysAtOnce = 1000

// repair writes the present state of the named rows to the mirror, in the version of a new snapshot: above all that was wrong and below
// all that is still to come. Rows that Postgres does not have end. It returns the keys of the rows that still cannot stand in the warehouse.
func (o *Operator) repair(ctx context.Context, cat *catalog, p *plan, keys []string) (stuck []string, err error) {
	snap, err := takeSnapshot(ctx, o.cfg.Postgres)
	if err != nil {
		return nil, err
	}
	defer snap.close()
	conn, err := snap.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := o.dropFuture(ctx, p, keys); err != nil {
		return nil, err
	}
	r := mending{Operator: o, plan: p, types: cat.types, version: version{commit: snap.position}}
	r.writer = newWriter(o.cfg.ClickHouse, r.refused)
	for chunk := range slices.Chunk(keys, keysAtOnce) {
		if err := r.chunk(ctx, conn, chunk); err != nil {
			return nil, fmt.Errorf("repair %s: %w", p.source.name, err)
		}
	}
	// The rows' versions may lie below a position up to which the measures believe that they know everything.
	if err := warehouse.VoidBase(ctx, o.cfg.ClickHouse); err != nil {
		return nil, err
	}
	return r.stuck, nil
}

// dropFuture removes states with versions that Postgres has not reached: they come from another history and would win for ever.
func (o *Operator) dropFuture(ctx context.Context, p *plan, keys []string) error {
	columns, err := targetColumns(ctx, o.cfg.ClickHouse, p.mirror.Table)
	if err != nil {
		return err
	}
	var end string
	if err := o.pg.QueryRow(ctx, "SELECT (pg_current_wal_insert_lsn() - '0/0')::text").Scan(&end); err != nil {
		return fmt.Errorf("read the position of Postgres: %w", err)
	}
	where := fmt.Sprintf("%s IN {keys:Array(String)} AND _ver > bitShiftLeft(toUInt128(%s) + 1, 64)", keyInMirror(keyColumns(p, columns)), end)
	var n uint64
	if err := o.cfg.ClickHouse.QueryRow(ctx, "SELECT count() FROM "+quote(p.mirror.Table)+" WHERE "+where, named("keys", keys)).Scan(&n); err != nil || n == 0 {
		return err
	}
	wait := clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"mutations_sync": 2}))
	if err := o.cfg.ClickHouse.Exec(wait, "ALTER TABLE "+quote(p.mirror.Table)+" DELETE WHERE "+where, named("keys", keys)); err != nil {
		return fmt.Errorf("remove rows of another history from %s: %w", p.mirror.Table, err)
	}
	return nil
}

// mending is a repair under way.
type mending struct {
	*Operator
	plan    *plan
	types   map[uint32]string
	version version
	writer  *writer
	stuck   []string
}

func (m *mending) chunk(ctx context.Context, conn *pgx.Conn, keys []string) error {
	seen := map[string]bool{}
	reader := &copyReader{row: func(row []field) error {
		key, err := m.plan.textKey(row)
		if err != nil {
			return err
		}
		seen[key] = true
		if err := m.writer.row(m.plan, row, nil, m.version); err != nil {
			if _, ok := parkable(err); !ok {
				return err
			}
			m.stuck = append(m.stuck, key)
			return m.writer.tombstone(m.plan, row, m.version)
		}
		return nil
	}}
	if _, err := conn.PgConn().CopyTo(ctx, reader, m.plan.copySQL(m.keyCondition(keys))); err != nil {
		return err
	}
	if err := m.writer.flush(ctx); err != nil {
		return err
	}
	gone := slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return seen[k] })
	if len(gone) == 0 {
		return nil
	}
	return m.end(ctx, gone)
}

// refused notes a row that the warehouse does not take.
func (m *mending) refused(_ context.Context, p *plan, row []field, _ version, _ *columnError) error {
	key, err := p.textKey(row)
	m.stuck = append(m.stuck, key)
	return err
}

// keyCondition names rows by their key, in a form that the primary key's index serves. COPY takes no parameters.
func (m *mending) keyCondition(keys []string) string {
	rows := make([]string, len(keys))
	for i, key := range keys {
		values := strings.Split(key, separator)
		for j, v := range values {
			values[j] = "'" + strings.ReplaceAll(v, "'", "''") + "'::" + quotePG(m.types[m.plan.source.columns[m.plan.keys[j]].typeOID])
		}
		rows[i] = "(" + strings.Join(values, ", ") + ")"
	}
	names := make([]string, len(m.plan.mirror.Key))
	for i, k := range m.plan.mirror.Key {
		names[i] = quotePG(k)
	}
	return fmt.Sprintf("(%s) IN (VALUES %s)", strings.Join(names, ", "), strings.Join(rows, ", "))
}

// end writes tombstones for rows that only the mirror has.
func (m *mending) end(ctx context.Context, keys []string) error {
	columns, err := targetColumns(ctx, m.cfg.ClickHouse, m.plan.mirror.Table)
	if err != nil {
		return err
	}
	names := make([]string, len(m.plan.mirror.Key))
	for i, k := range m.plan.mirror.Key {
		names[i] = quote(k)
	}
	list, table := strings.Join(names, ", "), quote(m.plan.mirror.Table)
	statement := fmt.Sprintf("INSERT INTO %[1]s (%[2]s, _ver, _deleted) SELECT %[2]s, %[3]s, 1 FROM %[1]s FINAL WHERE _ver < %[3]s AND _deleted = 0 AND %[4]s IN {keys:Array(String)}",
		table, list, m.version.sql(), keyInMirror(keyColumns(m.plan, columns)))
	wait := clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"async_insert": 0}))
	if err := m.cfg.ClickHouse.Exec(wait, statement, named("keys", keys)); err != nil {
		return fmt.Errorf("end rows of %s: %w", m.plan.mirror.Table, err)
	}
	return nil
}

// Replay is what became of the dead letters of one table.
type Replay struct {
	Table   string `json:"table"`
	Settled int    `json:"settled"` // rows whose present state is now in the warehouse
	Stuck   int    `json:"stuck"`   // rows whose present state still cannot stand there
}

// Replay brings the present state of all rows that were set aside to the warehouse, and settles their letters. With dryRun it only counts.
func (o *Operator) Replay(ctx context.Context, tables []string, dryRun bool) ([]Replay, error) {
	cat, err := loadCatalog(ctx, o.pg, o.cfg)
	if err != nil {
		return nil, err
	}
	plans, err := cat.choose(tables)
	if err != nil {
		return nil, err
	}
	var done []Replay
	for _, p := range plans {
		letters, err := o.openLetters(ctx, p)
		if err != nil {
			return done, err
		}
		if len(letters) == 0 {
			continue
		}
		r := Replay{Table: p.source.name, Stuck: len(letters)}
		if !dryRun {
			if r, err = o.replayTable(ctx, cat, p, letters); err != nil {
				return done, err
			}
		}
		done = append(done, r)
	}
	return done, nil
}

func (o *Operator) replayTable(ctx context.Context, cat *catalog, p *plan, letters map[string]bool) (Replay, error) {
	keys := make([]string, 0, len(letters))
	for k := range letters {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	// Letters that arrive from now on speak of later states and stay open.
	var before string
	if err := o.pg.QueryRow(ctx, "SELECT pg_current_wal_insert_lsn()::text").Scan(&before); err != nil {
		return Replay{}, fmt.Errorf("read the position of Postgres: %w", err)
	}
	stuck, err := o.repair(ctx, cat, p, keys)
	if err != nil {
		return Replay{}, err
	}
	settled := slices.DeleteFunc(keys, func(k string) bool { return slices.Contains(stuck, k) })
	for _, k := range settled {
		key, err := p.jsonOf(strings.Split(k, separator))
		if err != nil {
			return Replay{}, err
		}
		if _, err := o.pg.Exec(ctx, `UPDATE etl.dead_letter SET settled_at = now()
			WHERE pipeline = $1 AND source = $2 AND key = $3 AND settled_at IS NULL AND commit_lsn <= $4::text::pg_lsn`, o.cfg.Pipeline, p.source.name, key, before); err != nil {
			return Replay{}, fmt.Errorf("settle a dead letter of %s: %w", p.source.name, err)
		}
	}
	return Replay{Table: p.source.name, Settled: len(settled), Stuck: len(stuck)}, nil
}

// openLetters returns the keys of a table's rows that are set aside.
func (o *Operator) openLetters(ctx context.Context, p *plan) (map[string]bool, error) {
	rows, err := o.pg.Query(ctx, "SELECT DISTINCT key FROM etl.dead_letter WHERE pipeline = $1 AND source = $2 AND settled_at IS NULL", o.cfg.Pipeline, p.source.name)
	if err != nil {
		return nil, fmt.Errorf("read the dead letters of %s: %w", p.source.name, err)
	}
	letters := map[string]bool{}
	var raw json.RawMessage
	_, err = pgx.ForEachRow(rows, []any{&raw}, func() error {
		var key map[string]string
		if err := json.Unmarshal(raw, &key); err != nil {
			return err
		}
		values := make([]string, len(p.mirror.Key))
		for i, k := range p.mirror.Key {
			values[i] = key[k]
		}
		letters[strings.Join(values, separator)] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the dead letters of %s: %w", p.source.name, err)
	}
	return letters, nil
}
