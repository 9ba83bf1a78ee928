package etl

import (
	"fmt"
	"strings"
)

// Both databases write a key as one text by themselves, so that people can read it and either side can look it up.

// separator stands between columns and absent for a null; neither occurs in text that people write.
const (
	separator = "\x1f"
	absent    = "\x02"
)

// textInPostgres is the canonical text of a key, or of a value without a binary form, for Postgres; textInMirror the same for ClickHouse. Keys are
// UUIDs, texts and whole numbers (keyTypes), which both write alike.
func textInPostgres(c targetColumn) string {
	name := quotePG(c.name)
	if bare, _ := bareType(c.typ); isArray(bare) {
		return fmt.Sprintf("cardinality(%[1]s) || E'\\x1e' || array_to_string(%[1]s, E'\\x1e')", name)
	}
	return name + "::text"
}

func textInMirror(c targetColumn) string {
	name := quote(c.name)
	if bare, _ := bareType(c.typ); isArray(bare) {
		return fmt.Sprintf("concat(toString(length(%[1]s)), '\\x1e', arrayStringConcat(%[1]s, '\\x1e'))", name)
	}
	return "toString(" + name + ")"
}

// keyInPostgres joins the columns to one text, keyInMirror does the same in ClickHouse.
func keyInPostgres(columns []targetColumn) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = "coalesce(" + textInPostgres(c) + `, E'\x02')`
	}
	return strings.Join(parts, ` || E'\x1f' || `)
}

func keyInMirror(columns []targetColumn) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		text := textInMirror(c)
		if _, nullable := bareType(c.typ); nullable {
			text = "ifNull(" + text + `, '\x02')`
		}
		parts[i] = text
	}
	return concat(parts, `, '\x1f', `)
}

func concat(parts []string, between string) string {
	if len(parts) == 1 {
		return "concat(" + parts[0] + ", '')"
	}
	return "concat(" + strings.Join(parts, between) + ")"
}

// A whole row is hashed in the form that Postgres has for it at hand (record_send: the number of columns, then the type, the length and the
// big-endian bytes of each; length -1 for a null). Postgres writes that several times as fast as a text of thirty columns, and it is
// Postgres that a comparison waits for; ClickHouse builds the same bytes.

// binaryForm is how record_send writes a type.
type binaryForm struct {
	oid, size int    // of the type in Postgres, in bytes; size 0 = as long as the value
	mirror    string // the bytes in ClickHouse, of the value %s
}

const bigEndian = "reverse(reinterpretAsFixedString(%s))"

var (
	binaryText  = binaryForm{25, 0, "%s"}
	binaryForms = map[string]binaryForm{
		"UUID":    {2950, 16, "UUIDStringToNum(toString(%s))"},
		"Int16":   {21, 2, bigEndian},
		"Int32":   {23, 4, bigEndian},
		"Int64":   {20, 8, bigEndian},
		"Float32": {700, 4, bigEndian},
		"Float64": {701, 8, bigEndian},
		"Bool":    {16, 1, "reinterpretAsFixedString(toUInt8(%s))"},
		"Date32":  {1082, 4, fmt.Sprintf("reverse(reinterpretAsFixedString(toInt32(toInt32(%%s) - %d)))", pgEpochDays)},
		"DateTime64(6,'UTC')": {1184, 8, fmt.Sprintf("reverse(reinterpretAsFixedString(toUnixTimestamp64Micro(%%s) - toInt64(%d)))",
			int64(pgEpochMicro))},
	}
)

// recordInPostgres is the bytes of a row for Postgres, recordInMirror the same for ClickHouse.
func recordInPostgres(columns []targetColumn) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		bare, _ := bareType(c.typ)
		if _, binary := binaryForms[bare]; binary {
			parts[i] = quotePG(c.name)
		} else {
			parts[i] = "(" + textInPostgres(c) + ")::text"
		}
	}
	return "record_send(ROW(" + strings.Join(parts, ", ") + "))"
}

func recordInMirror(columns []targetColumn) string {
	parts := []string{fmt.Sprintf("unhex('%08x')", len(columns))}
	for _, c := range columns {
		bare, nullable := bareType(c.typ)
		name := quote(c.name)
		if nullable {
			name = "assumeNotNull(" + name + ")"
		}
		form, binary := binaryForms[bare]
		if !binary {
			form = binaryText
			name = textInMirror(targetColumn{name: c.name, typ: c.typ})
			if nullable {
				name = "assumeNotNull(" + name + ")"
			}
		}
		value := fmt.Sprintf(form.mirror, name)
		head := fmt.Sprintf("unhex('%08x%08x')", form.oid, form.size)
		if form.size == 0 {
			head = fmt.Sprintf("unhex('%08x'), reverse(reinterpretAsFixedString(toUInt32(length(%s))))", form.oid, value)
		}
		part := head + ", " + value
		if nullable {
			part = fmt.Sprintf("if(isNull(%s), unhex('%08xffffffff'), concat(%s))", quote(c.name), form.oid, part)
		}
		parts = append(parts, part)
	}
	return concat(parts, ", ")
}
