package etl

import (
	"fmt"
	"strings"
)

// Both databases write each row as one text by themselves, so that its hash can be compared without carrying the row. Numbers that
// they would print differently go by their bits.

// separator stands between columns and absent for a null; neither occurs in text that people write.
const (
	separator = "\x1f"
	absent    = "\x02"
)

// textInPostgres is the canonical text of a column for Postgres, textInMirror the same for ClickHouse.
func textInPostgres(c targetColumn) string {
	name := quotePG(c.name)
	bare, _ := bareType(c.typ)
	switch {
	case strings.HasPrefix(bare, "DateTime64"):
		return "encode(timestamptz_send(" + name + "), 'hex')"
	case bare == "Date32":
		return "encode(date_send(" + name + "), 'hex')"
	case bare == "Float64":
		return "encode(float8send(" + name + "), 'hex')"
	case bare == "Float32":
		return "encode(float4send(" + name + "), 'hex')"
	case bare == "Bool":
		return name + "::int::text"
	case strings.HasPrefix(bare, "Array"):
		return fmt.Sprintf("cardinality(%[1]s) || E'\\x1e' || array_to_string(%[1]s, E'\\x1e')", name)
	}
	return name + "::text"
}

func textInMirror(c targetColumn) string {
	name := quote(c.name)
	bare, _ := bareType(c.typ)
	bits := func(value, unsigned string, digits int) string {
		return fmt.Sprintf("leftPad(lower(hex(reinterpretAs%s(%s))), %d, '0')", unsigned, value, digits)
	}
	switch {
	case strings.HasPrefix(bare, "DateTime64"):
		return bits(fmt.Sprintf("toUnixTimestamp64Micro(%s) - toInt64(%d)", name, int64(pgEpochMicro)), "UInt64", 16)
	case bare == "Date32":
		return bits(fmt.Sprintf("toInt32(toInt32(%s) - %d)", name, pgEpochDays), "UInt32", 8)
	case bare == "Float64":
		return bits(name, "UInt64", 16)
	case bare == "Float32":
		return bits(name, "UInt32", 8)
	case bare == "Bool":
		return "toString(toUInt8(" + name + "))"
	case strings.HasPrefix(bare, "Array"):
		return fmt.Sprintf("concat(toString(length(%[1]s)), '\\x1e', arrayStringConcat(%[1]s, '\\x1e'))", name)
	}
	return "toString(" + name + ")"
}

// rowInPostgres joins the columns to one text, rowInMirror does the same in ClickHouse.
func rowInPostgres(columns []targetColumn) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = "coalesce(" + textInPostgres(c) + `, E'\x02')`
	}
	return strings.Join(parts, ` || E'\x1f' || `)
}

func rowInMirror(columns []targetColumn) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		text := textInMirror(c)
		if _, nullable := bareType(c.typ); nullable {
			text = "ifNull(" + text + `, '\x02')`
		}
		parts[i] = text
	}
	if len(parts) == 1 {
		return "concat(" + parts[0] + ", '')"
	}
	return "concat(" + strings.Join(parts, `, '\x1f', `) + ")"
}
