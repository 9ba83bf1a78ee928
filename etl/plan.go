package etl

import (
	"fmt"
	"slices"
	"strings"

	"groundwork/warehouse"
)

// planColumn is the road of one column.
type planColumn struct {
	name     string
	typ      string // of the target, without LowCardinality and Nullable
	nullable bool   // of the target
	key      bool
	array    bool
	encode   encoder
	zero     []byte // the target's default, for tombstones and nulls
	header   []byte // of the column in the Native format

	dictionary bool // the target keeps each text once
}

// plan is the road of one table's rows: its columns in the order in which Postgres sends them.
type plan struct {
	source  sourceTable
	mirror  warehouse.Mirror
	columns []planColumn
	keys    []int // positions of the key in columns, in the mirror's order
	insert  string
	state   *tableState // shared with the load and the stream; nil where rows go to one table only
}

// keyTypes are what the key of a mirror may be made of: they have one text and one form on the wire (wireForm, textInPostgres).
var keyTypes = []string{"UUID", "String", "Int16", "Int32", "Int64"}

// newPlan joins the columns of both sides by name and their types by the type table.
func newPlan(t sourceTable, m warehouse.Mirror, targets []targetColumn, types map[uint32]string) (*plan, error) {
	p := &plan{source: t, mirror: m}
	byName := map[string]targetColumn{}
	for _, c := range targets {
		byName[c.name] = c
	}
	for _, c := range t.columns {
		target, ok := byName[c.name]
		if !ok {
			return nil, fatalf("column %s.%s is published, but %s has no such column: run `groundwork migrate`", t.name, c.name, m.Table)
		}
		delete(byName, c.name)
		col, err := planOf(c, target, types, slices.Contains(m.Key, c.name))
		if err != nil {
			return nil, fatalf("column %s.%s: %w", t.name, c.name, err)
		}
		if col.key && !slices.Contains(keyTypes, col.typ) {
			return nil, fatalf("column %s.%s is of the key of %s, which cannot be %s: give the mirror a key of %s", t.name, c.name, m.Table, col.typ, strings.Join(keyTypes, ", "))
		}
		p.columns = append(p.columns, col)
	}
	for _, c := range targets {
		if _, left := byName[c.name]; left && !c.computed {
			return nil, fatalf("column %s of %s is not published by table %s: run `groundwork migrate`", c.name, m.Table, t.name)
		}
	}
	for _, k := range m.Key {
		i := slices.IndexFunc(p.columns, func(c planColumn) bool { return c.name == k })
		if i < 0 {
			return nil, fatalf("key column %s.%s is not published: run `groundwork migrate`", t.name, k)
		}
		p.keys = append(p.keys, i)
	}
	p.insert = p.insertInto(m.Table)
	return p, nil
}

// insertInto is the statement that writes rows of the plan to a table.
func (p *plan) insertInto(table string) string {
	names := make([]string, len(p.columns))
	for i, c := range p.columns {
		names[i] = quote(c.name)
	}
	return fmt.Sprintf("INSERT INTO %s (%s, _ver, _deleted)", quote(table), strings.Join(names, ", "))
}

func planOf(c sourceColumn, target targetColumn, types map[uint32]string, key bool) (planColumn, error) {
	bare, nullable := bareType(target.typ)
	name := types[c.typeOID]
	encode, ok := encoders[typePair{name, bare}]
	switch {
	case !ok:
		return planColumn{}, fmt.Errorf("type %s (number %d) of Postgres cannot become %s: see etl/TYPES.md for the pairs, or run `groundwork migrate`", name, c.typeOID, target.typ)
	case c.nullable && !nullable:
		return planColumn{}, fmt.Errorf("it may be null, but the warehouse's %s may not: run `groundwork migrate`", target.typ)
	}
	col := planColumn{name: c.name, typ: bare, nullable: nullable, key: key, array: isArray(bare), encode: encode, zero: zeros[bare], dictionary: !key && isDictionary(target.typ)}
	col.header = nativeHeader(col.name, col.nativeType())
	return col, nil
}

// sameColumns reports whether a relation that Postgres announces is the one that was planned.
func (p *plan) sameColumns(t sourceTable) bool {
	return slices.EqualFunc(p.source.columns, t.columns, func(a, b sourceColumn) bool { return a.name == b.name && a.typeOID == b.typeOID })
}

// sourceName is the table's name for a statement to Postgres.
func (p *plan) sourceName() string { return quotePG(p.source.schema) + "." + quotePG(p.source.name) }

// filtered adds the row filter of the publication to a condition.
func (p *plan) filtered(condition string) string {
	if p.source.filter == "" {
		return condition
	}
	return condition + " AND " + p.source.filter
}

// copySQL reads the table's published rows that the condition names, in the plan's order of columns.
func (p *plan) copySQL(condition string) string {
	names := make([]string, len(p.columns))
	for i, c := range p.columns {
		names[i] = quotePG(c.name)
	}
	return fmt.Sprintf("COPY (SELECT %s FROM %s WHERE %s) TO STDOUT (FORMAT binary)", strings.Join(names, ", "), p.sourceName(), p.filtered(condition))
}

// columnError names the column of a value that has no place in the warehouse.
type columnError struct {
	column string
	err    error
}

func (e *columnError) Error() string { return e.column + ": " + e.err.Error() }
func (e *columnError) Unwrap() error { return e.err }

// appendKey encodes the field of a key column.
func (p *plan) appendKey(dst []byte, i int, f field) ([]byte, error) {
	if f.kind != fieldBinary {
		return dst, fmt.Errorf("key sent as %q: %w", f.kind, errWire)
	}
	out, err := p.columns[i].encode(dst, f.data)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// keyOf is the encoded key of a row.
func (p *plan) keyOf(row []field) (string, error) {
	var key []byte
	var err error
	for _, i := range p.keys {
		if key, err = p.appendKey(key, i, row[i]); err != nil {
			return "", &columnError{p.columns[i].name, err}
		}
	}
	return string(key), nil
}

// quote makes a name safe in ClickHouse, quotePG in Postgres.
func quote(name string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(name) + "`"
}

func quotePG(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
