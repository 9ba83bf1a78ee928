package etl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/jackc/pgx/v5"

	"groundwork/warehouse"
)

// sourceColumn is a published column as Postgres describes it.
type sourceColumn struct {
	name     string
	typeOID  uint32
	nullable bool
}

// sourceTable is a published table with the columns that the publication lets out, in the table's order.
type sourceTable struct {
	schema, name string
	filter       string // row filter of the publication, empty = all rows
	columns      []sourceColumn
}

// targetColumn is a column of a mirror as ClickHouse describes it.
type targetColumn struct {
	name, typ string
	computed  bool // has a default or is materialized: the replication need not write it
}

// publishedTables reads what the publication lets out.
func publishedTables(ctx context.Context, pg *pgx.Conn, publication string) ([]sourceTable, error) {
	rows, err := pg.Query(ctx, `
		SELECT p.schemaname, p.tablename, coalesce(p.rowfilter, ''), a.attname, a.atttypid, NOT a.attnotnull
		FROM pg_publication_tables p
		JOIN pg_namespace n ON n.nspname = p.schemaname
		JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = ANY (p.attnames) AND NOT a.attisdropped
		WHERE p.pubname = $1
		ORDER BY p.schemaname, p.tablename, a.attnum`, publication)
	if err != nil {
		return nil, fmt.Errorf("read publication %s: %w", publication, err)
	}
	var tables []sourceTable
	var t sourceTable
	var c sourceColumn
	_, err = pgx.ForEachRow(rows, []any{&t.schema, &t.name, &t.filter, &c.name, &c.typeOID, &c.nullable}, func() error {
		if last := len(tables) - 1; last < 0 || tables[last].schema != t.schema || tables[last].name != t.name {
			tables = append(tables, sourceTable{schema: t.schema, name: t.name, filter: t.filter})
		}
		last := &tables[len(tables)-1]
		last.columns = append(last.columns, c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read publication %s: %w", publication, err)
	}
	if len(tables) == 0 {
		return nil, fatalf("publication %q does not exist or publishes nothing in this database: run `groundwork migrate`", publication)
	}
	return tables, nil
}

// typeNames reads the names of all types of Postgres, since extensions' types (ltree) have other numbers in each database.
func typeNames(ctx context.Context, pg *pgx.Conn) (map[uint32]string, error) {
	rows, err := pg.Query(ctx, "SELECT oid, typname FROM pg_type WHERE typtype IN ('b', 'd', 'e')")
	if err != nil {
		return nil, fmt.Errorf("read types: %w", err)
	}
	names := map[uint32]string{}
	var oid uint32
	var name string
	_, err = pgx.ForEachRow(rows, []any{&oid, &name}, func() error { names[oid] = name; return nil })
	if err != nil {
		return nil, fmt.Errorf("read types: %w", err)
	}
	return names, nil
}

// targetColumns reads the columns of a mirror, without _ver and _deleted.
func targetColumns(ctx context.Context, ch driver.Conn, table string) ([]targetColumn, error) {
	all, err := columnsOf(ctx, ch, table)
	if err != nil {
		return nil, err
	}
	return all.of(table)
}

// mirrorColumns are the columns of tables of the warehouse by table.
type mirrorColumns map[string][]targetColumn

func (m mirrorColumns) of(table string) ([]targetColumn, error) {
	if len(m[table]) == 0 {
		return nil, fatalf("the warehouse has no table %s: run `groundwork migrate`", table)
	}
	return m[table], nil
}

// columnsOf reads the columns of tables at once: asking for all takes no longer than for one.
func columnsOf(ctx context.Context, ch driver.Conn, tables ...string) (mirrorColumns, error) {
	rows, err := ch.Query(ctx, `SELECT table, name, type, default_kind != '' FROM system.columns
		WHERE database = currentDatabase() AND table IN {tables:Array(String)} AND name NOT IN ('_ver', '_deleted') ORDER BY table, position`, named("tables", tables))
	if err != nil {
		return nil, fmt.Errorf("read columns of the warehouse: %w", err)
	}
	defer rows.Close()
	columns := mirrorColumns{}
	for rows.Next() {
		var table string
		var c targetColumn
		var computed uint8
		if err := rows.Scan(&table, &c.name, &c.typ, &computed); err != nil {
			return nil, fmt.Errorf("read columns of the warehouse: %w", err)
		}
		c.computed = computed != 0
		columns[table] = append(columns[table], c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read columns of the warehouse: %w", err)
	}
	return columns, nil
}

// catalog holds what both sides look like, and plans the road of each table.
type catalog struct {
	ch    driver.Conn
	types map[uint32]string

	mu    sync.Mutex
	plans map[string]*plan // by source table; shared by the load, the stream and rebuilds

	mirrors []warehouse.Mirror
	states  map[string]*tableState // by source table; filled once, then only read
}

// loadCatalog compares both sides. Any difference is a fatal error that names the column and the remedy.
func loadCatalog(ctx context.Context, pg *pgx.Conn, cfg Config) (*catalog, error) {
	types, err := typeNames(ctx, pg)
	if err != nil {
		return nil, err
	}
	tables, err := publishedTables(ctx, pg, cfg.Publication)
	if err != nil {
		return nil, err
	}
	c := &catalog{ch: cfg.ClickHouse, types: types, plans: map[string]*plan{}, mirrors: cfg.mirrors, states: map[string]*tableState{}}
	for _, m := range c.mirrors {
		c.states[m.Source] = &tableState{}
	}
	columns, err := c.columns(ctx)
	if err != nil {
		return nil, err
	}
	var faults []error
	for _, t := range tables {
		p, err := c.planFor(t, columns)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		c.plans[t.name] = p
	}
	for _, m := range c.mirrors {
		if !slices.ContainsFunc(tables, func(t sourceTable) bool { return t.name == m.Source }) {
			faults = append(faults, fatalf("table %s is not in publication %s, but the warehouse mirrors it: run `groundwork migrate`", m.Source, cfg.Publication))
		}
	}
	return c, errors.Join(faults...)
}

// planned is the plan of a table, nil = none.
func (c *catalog) planned(source string) *plan {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.plans[source]
}

// replan puts the plan of a table that was altered in place of the old one.
func (c *catalog) replan(p *plan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plans[p.source.name] = p
}

// plan works out how the rows of a published table go to its mirror as that is now.
func (c *catalog) plan(ctx context.Context, t sourceTable) (*plan, error) {
	columns, err := c.columns(ctx)
	if err != nil {
		return nil, err
	}
	return c.planFor(t, columns)
}

// columns reads the columns of all mirrors.
func (c *catalog) columns(ctx context.Context) (mirrorColumns, error) {
	var names []string
	for _, m := range c.mirrors {
		names = append(names, m.Table)
	}
	return columnsOf(ctx, c.ch, names...)
}

// mirrorOf is where the rows of a published table go.
func (c *catalog) mirrorOf(t sourceTable) (warehouse.Mirror, error) {
	if i := slices.IndexFunc(c.mirrors, func(m warehouse.Mirror) bool { return m.Source == t.name }); i >= 0 {
		return c.mirrors[i], nil
	}
	return warehouse.Mirror{}, fatalf("table %s is published, but the warehouse has no mirror for it: this program is older than the database; upgrade it", t.name)
}

func (c *catalog) planFor(t sourceTable, columns mirrorColumns) (*plan, error) {
	m, err := c.mirrorOf(t)
	if err != nil {
		return nil, err
	}
	targets, err := columns.of(m.Table)
	if err != nil {
		return nil, err
	}
	p, err := newPlan(t, m, targets, c.types)
	if err == nil {
		p.state = c.states[t.name]
	}
	return p, err
}
