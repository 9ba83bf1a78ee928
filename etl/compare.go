package etl

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/jackc/pgx/v5"

	"groundwork/warehouse"
)

// Diff is one row on which system of record and warehouse disagree.
type Diff struct {
	Table    string   // in Postgres
	Key      []string // canonical text of the key columns
	Column   string   // the first column that differs; empty if one side lacks the row
	Postgres string   // canonical value, or what is missing
	Mirror   string
}

// String says what differs, for people.
func (d Diff) String() string {
	return fmt.Sprintf("%s %s %s: Postgres %s, warehouse %s", d.Table, strings.Join(d.Key, "/"), d.Column, d.Postgres, d.Mirror)
}

// maxDiffs bounds what Compare reports.
const maxDiffs = 100

// Querier is what Compare needs of Postgres: a pgx connection, pool or transaction. A transaction with REPEATABLE READ shows all
// tables at one moment.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Compare reads every mirrored table on both sides, row by row in the order of the key, and reports up to 100 differences. It goes
// by text that both databases write by themselves, so it shares no code with the replication's encoding. It says
// something only while the warehouse has caught up and nothing is being written.
func Compare(ctx context.Context, pg Querier, ch driver.Conn) ([]Diff, error) {
	var diffs []Diff
	for _, m := range warehouse.Mirrors {
		d, err := compareTable(ctx, pg, ch, m, maxDiffs-len(diffs))
		if err != nil {
			return diffs, fmt.Errorf("compare %s with %s: %w", m.Source, m.Table, err)
		}
		if diffs = append(diffs, d...); len(diffs) >= maxDiffs {
			break
		}
	}
	return diffs, nil
}

func compareTable(ctx context.Context, pg Querier, ch driver.Conn, m warehouse.Mirror, limit int) ([]Diff, error) {
	columns, err := targetColumns(ctx, ch, m.Table)
	if err != nil {
		return nil, err
	}
	left, err := openPostgres(ctx, pg, m, columns)
	if err != nil {
		return nil, err
	}
	defer left.close()
	right, err := openMirror(ctx, ch, m, columns)
	if err != nil {
		return nil, err
	}
	defer right.close()
	c := comparison{mirror: m, columns: columns}
	for _, k := range m.Key {
		c.key = append(c.key, slices.IndexFunc(columns, func(c targetColumn) bool { return c.name == k }))
	}
	return c.merge(left, right, limit)
}

// side yields rows as canonical text, in the order of the key; a nil row is the end. A nil value is null.
type side struct {
	next  func() ([]*string, error)
	close func()
}

type comparison struct {
	mirror  warehouse.Mirror
	columns []targetColumn
	key     []int
}

// merge walks both sides at once.
func (c comparison) merge(left, right side, limit int) ([]Diff, error) {
	var diffs []Diff
	l, err := left.next()
	if err != nil {
		return nil, err
	}
	r, err := right.next()
	for err == nil && (l != nil || r != nil) && len(diffs) < limit {
		order := c.order(l, r)
		switch {
		case order < 0:
			diffs = append(diffs, Diff{Table: c.mirror.Source, Key: c.keyOf(l), Postgres: "has the row", Mirror: "has not"})
		case order > 0:
			diffs = append(diffs, Diff{Table: c.mirror.Source, Key: c.keyOf(r), Postgres: "has no such row", Mirror: "has it"})
		default:
			diffs = append(diffs, c.compareRow(l, r)...)
		}
		if order <= 0 {
			if l, err = left.next(); err != nil {
				break
			}
		}
		if order >= 0 {
			r, err = right.next()
		}
	}
	return diffs, err
}

func (c comparison) compareRow(l, r []*string) []Diff {
	for i, column := range c.columns {
		a, b := canonical(column.typ, l[i]), canonical(column.typ, r[i])
		if a != b {
			return []Diff{{Table: c.mirror.Source, Key: c.keyOf(l), Column: column.name, Postgres: a, Mirror: b}}
		}
	}
	return nil
}

func (c comparison) keyOf(row []*string) []string {
	key := make([]string, len(c.key))
	for i, k := range c.key {
		key[i] = *row[k]
	}
	return key
}

// order compares two keys as both databases sort them: numbers by value, all else by the bytes of its text. The end comes last.
func (c comparison) order(l, r []*string) int {
	switch {
	case l == nil:
		return 1
	case r == nil:
		return -1
	}
	for _, k := range c.key {
		a, b := *l[k], *r[k]
		n, errA := strconv.ParseInt(a, 10, 64)
		m, errB := strconv.ParseInt(b, 10, 64)
		if strings.HasPrefix(c.columns[k].typ, "Int") && errA == nil && errB == nil {
			if o := cmp.Compare(n, m); o != 0 {
				return o
			}
		} else if o := strings.Compare(a, b); o != 0 {
			return o
		}
	}
	return 0
}

// canonical evens out what both databases write differently: floats and JSON.
func canonical(typ string, v *string) string {
	if v == nil {
		return "null"
	}
	bare, _ := bareType(typ)
	switch bare {
	case "Float32", "Float64":
		bits := 64
		if bare == "Float32" {
			bits = 32
		}
		if f, err := strconv.ParseFloat(*v, bits); err == nil {
			return strconv.FormatFloat(f, 'g', -1, bits)
		}
	case "Array(Int64)":
		var list []json.Number // which may stand in quotes
		if json.Unmarshal([]byte(*v), &list) == nil {
			return fmt.Sprint(list)
		}
	case "Array(String)":
		var list []string
		if json.Unmarshal([]byte(*v), &list) == nil {
			return fmt.Sprintf("%q", list)
		}
	}
	return strconv.Quote(*v)
}

// openPostgres selects the mirrored columns as text.
func openPostgres(ctx context.Context, pg Querier, m warehouse.Mirror, columns []targetColumn) (side, error) {
	var exprs, order []string
	for _, c := range columns {
		name := quotePG(c.name)
		bare, _ := bareType(c.typ)
		switch {
		case strings.HasPrefix(bare, "DateTime64"):
			exprs = append(exprs, fmt.Sprintf("CASE WHEN isfinite(%[1]s) THEN (extract(epoch FROM %[1]s) * 1000000)::bigint::text ELSE %[1]s::text END", name))
		case strings.HasPrefix(bare, "Array"):
			exprs = append(exprs, "array_to_json("+name+")::text")
		case bare == "Date32":
			exprs = append(exprs, "to_char("+name+", 'YYYY-MM-DD')") // infinity gives null, which no mirror can hold either
		default:
			exprs = append(exprs, name+"::text")
		}
	}
	for _, k := range m.Key {
		i := slices.IndexFunc(columns, func(c targetColumn) bool { return c.name == k })
		if strings.HasPrefix(columns[i].typ, "Int") {
			order = append(order, quotePG(k))
		} else {
			order = append(order, quotePG(k)+`::text COLLATE "C"`)
		}
	}
	rows, err := pg.Query(ctx, fmt.Sprintf("SELECT %s FROM %s ORDER BY %s", strings.Join(exprs, ", "), quotePG(m.Source), strings.Join(order, ", "))) //nolint:sqlclosecheck // side.close closes them
	if err != nil {
		return side{}, err
	}
	return side{close: rows.Close, next: nextRow(rows.Next, rows.Err, rows.Scan, len(columns))}, nil
}

// openMirror selects the same from the warehouse.
func openMirror(ctx context.Context, ch driver.Conn, m warehouse.Mirror, columns []targetColumn) (side, error) {
	var exprs, order []string
	for _, c := range columns {
		name := quote(c.name)
		bare, _ := bareType(c.typ)
		switch {
		case strings.HasPrefix(bare, "DateTime64"):
			name = "toString(toUnixTimestamp64Micro(" + name + "))"
		case strings.HasPrefix(bare, "Array"):
			name = "toJSONString(" + name + ")"
		default:
			name = "toString(" + name + ")"
		}
		exprs = append(exprs, "CAST("+name+", 'Nullable(String)')")
	}
	for _, k := range m.Key {
		i := slices.IndexFunc(columns, func(c targetColumn) bool { return c.name == k })
		if strings.HasPrefix(columns[i].typ, "Int") {
			order = append(order, quote(k))
		} else {
			order = append(order, "toString("+quote(k)+")")
		}
	}
	rows, err := ch.Query(ctx, fmt.Sprintf("SELECT %s FROM %s FINAL WHERE _deleted = 0 ORDER BY %s", strings.Join(exprs, ", "), quote(m.Table), strings.Join(order, ", ")))
	if err != nil {
		return side{}, err
	}
	return side{close: func() { _ = rows.Close() }, next: nextRow(rows.Next, rows.Err, rows.Scan, len(columns))}, nil
}

func nextRow(next func() bool, fault func() error, scan func(...any) error, n int) func() ([]*string, error) {
	return func() ([]*string, error) {
		if !next() {
			return nil, fault()
		}
		row := make([]*string, n)
		into := make([]any, n)
		for i := range row {
			into[i] = &row[i]
		}
		return row, scan(into...)
	}
}
