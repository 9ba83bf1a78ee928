package etl

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// boundaryColumn is a column of every pair of types in the type table.
type boundaryColumn struct {
	pair   typePair
	show   string            // what is compared, an expression of ClickHouse
	values map[string]string // literal of Postgres → what the warehouse must show
	parked map[string]string // literal of Postgres → reason of the dead letter
}

func bits64(v float64) string { return fmt.Sprint(math.Float64bits(v)) }
func bits32(v float32) string { return fmt.Sprint(math.Float32bits(v)) }

// texts are awkward in one of the formats on the way: the end of inline data in ClickHouse, the null of TSV, lengths around a longer varint.
func texts() map[string]string {
	values := map[string]string{}
	for _, s := range []string{"", " ", "\n\n", "a\n\nb", ";\n\nDROP TABLE t_boundary;\n\n", "\r\n\t\v\x01\x7f", `\`, `\N`, `\n`, "NULL", `'`, `''`, `"`, "`", "$$", "{}", "[]", "null",
		"\u00a0\u200b\ufeff", "e\u0301é", "中文", "🙂", "\U0010ffff", strings.Repeat("x", 127), strings.Repeat("x", 128), strings.Repeat("y", 16383), strings.Repeat("y", 16384), strings.Repeat("中\n\n", 40_000)} {
		values["'"+strings.ReplaceAll(s, "'", "''")+"'"] = s
	}
	return values
}

var outOfTime = map[string]string{"'infinity'": "infinity", "'-infinity'": "infinity", "'0044-03-15 BC'": "outside", "'0001-01-01'": "outside", "'1899-12-31'": "outside", "'2300-01-01'": "outside"}

func boundaries() map[string]boundaryColumn {
	return map[string]boundaryColumn{
		"u": {typePair{"uuid", "UUID"}, "toString(u)", map[string]string{"'00000000-0000-0000-0000-000000000000'": "00000000-0000-0000-0000-000000000000",
			"'ffffffff-ffff-ffff-ffff-ffffffffffff'": "ffffffff-ffff-ffff-ffff-ffffffffffff", "'00112233-4455-6677-8899-aabbccddeeff'": "00112233-4455-6677-8899-aabbccddeeff"}, nil},
		"t":  {typePair{"text", "String"}, "t", texts(), nil},
		"v":  {typePair{"varchar", "String"}, "v", texts(), nil},
		"l":  {typePair{"ltree", "String"}, "l", map[string]string{"''": "", "'a'": "a", "'a.b_1.C'": "a.b_1.C", "'" + strings.Repeat("x", 255) + ".y'": strings.Repeat("x", 255) + ".y"}, nil},
		"i2": {typePair{"int2", "Int16"}, "toString(i2)", map[string]string{"-32768": "-32768", "32767": "32767", "0": "0", "-1": "-1"}, nil},
		"i4": {typePair{"int4", "Int32"}, "toString(i4)", map[string]string{"-2147483648": "-2147483648", "2147483647": "2147483647", "0": "0", "-1": "-1"}, nil},
		"i8": {typePair{"int8", "Int64"}, "toString(i8)", map[string]string{"-9223372036854775808": "-9223372036854775808", "9223372036854775807": "9223372036854775807", "0": "0", "-1": "-1"}, nil},
		"f4": {typePair{"float4", "Float32"}, "toString(reinterpretAsUInt32(f4))", map[string]string{"'NaN'": fmt.Sprint(0x7FC00000), "'Infinity'": bits32(float32(math.Inf(1))), "'-Infinity'": bits32(float32(math.Inf(-1))),
			"'-0'": fmt.Sprint(0x80000000), "'0.1'": bits32(0.1), "'1e-45'": "1", "'3.4028235e38'": bits32(math.MaxFloat32)}, nil},
		"f8": {typePair{"float8", "Float64"}, "toString(reinterpretAsUInt64(f8))", map[string]string{"'NaN'": fmt.Sprint(0x7FF8000000000000), "'Infinity'": bits64(math.Inf(1)), "'-Infinity'": bits64(math.Inf(-1)),
			"'-0'": fmt.Sprint(uint64(1) << 63), "'0.1'": bits64(0.1), "'5e-324'": "1", "'1.7976931348623157e308'": bits64(math.MaxFloat64)}, nil},
		"b": {typePair{"bool", "Bool"}, "toString(b)", map[string]string{"true": "true", "false": "false"}, nil},
		"ts": {typePair{"timestamptz", "DateTime64(6,'UTC')"}, "toString(toUnixTimestamp64Micro(ts))", map[string]string{"'1900-01-01 00:00:00Z'": "-2208988800000000", "'1969-12-31 23:59:59.999999Z'": "-1",
			"'1970-01-01 00:00:00Z'": "0", "'2000-01-01 00:00:00Z'": "946684800000000", "'2024-02-29 24:00:00Z'": "1709251200000000", "'2299-12-31 23:59:59.999999Z'": "10413791999999999",
			"'2024-06-30 23:59:60Z'": "1719792000000000", "'2024-01-01 00:00:00+14'": "1704016800000000"}, outOfTime},
		"d": {typePair{"date", "Date32"}, "toString(d)", map[string]string{"'1900-01-01'": "1900-01-01", "'1969-12-31'": "1969-12-31", "'1970-01-01'": "1970-01-01", "'2024-02-29'": "2024-02-29", "'2299-12-31'": "2299-12-31"}, outOfTime},
		"a": {typePair{"_text", "Array(String)"}, "concat(toString(length(a)), ':', arrayStringConcat(a, '|'))", map[string]string{"'{}'": "0:", `'{""}'`: "1:", `'{"",""}'`: "2:|", `'{"NULL",b}'`: "2:NULL|b",
			"ARRAY[E'\\n\\n', E';\\n\\n', '''', '\"']": "4:\n\n|;\n\n|'|\"", "'[5:6]={a,b}'": "2:a|b", "array_fill('x'::text, ARRAY[200])": "200:" + strings.Repeat("x|", 199) + "x"},
			map[string]string{"'{a,NULL}'": "null inside an array", "'{{a,b},{c,d}}'": "array of 2 dimensions"}},
		"ai": {typePair{"_int8", "Array(Int64)"}, "concat(toString(length(ai)), ':', arrayStringConcat(arrayMap(x -> toString(x), ai), '|'))", map[string]string{"'{}'": "0:", "'{0}'": "1:0",
			"'{-9223372036854775808,-1,9223372036854775807}'": "3:-9223372036854775808|-1|9223372036854775807", "'[5:6]={1,2}'": "2:1|2"}, map[string]string{"'{1,NULL}'": "null inside an array", "'{{1,2},{3,4}}'": "array of 2 dimensions"}},
	}
}

// Each type's first and last values, and what is awkward in between, come through COPY and through the stream, as Native blocks, and read as
// they were written. What the warehouse cannot hold is parked and shows nothing. A null is a null.
func TestBoundariesOfEveryTypeRoundTrip(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	columns := boundaries()
	var source, mirror []string
	covered := map[typePair]bool{}
	for name, c := range columns {
		covered[c.pair] = true
		pg, ch := c.pair.postgres+" NULL", "Nullable("+c.pair.clickhouse+")"
		if isArray(c.pair.clickhouse) {
			pg, ch = c.pair.postgres+" NOT NULL DEFAULT '{}'", c.pair.clickhouse
		}
		source, mirror = append(source, name+" "+pg), append(mirror, name+" "+ch)
	}
	for pair := range encoders {
		require.True(t, covered[pair], "%v has no boundaries here", pair)
	}
	known := r.own("id int PRIMARY KEY, "+strings.Join(source, ", "), "id Int32, "+strings.Join(mirror, ", "), warehouse.Mirror{Source: "boundary", Table: "t_boundary", Key: []string{"id"}})
	type row struct{ id, column, literal string }
	var rows []row
	var inserts []string
	for name, c := range columns {
		for _, values := range []map[string]string{c.values, c.parked} {
			for literal := range values {
				id := fmt.Sprint(len(rows))
				rows = append(rows, row{id, name, literal})
				inserts = append(inserts, fmt.Sprintf("INSERT INTO boundary (id, %s) VALUES (%s, %s)", name, id, literal))
			}
		}
	}
	var given []string // whether a row has a value, by column
	for name, c := range columns {
		if !isArray(c.pair.clickhouse) {
			given = append(given, "isNotNull("+name+")")
		}
	}
	check := func(way string) {
		for _, w := range rows {
			c := columns[w.column]
			if reason, parked := c.parked[w.literal]; parked {
				require.Zero(t, r.chCount("SELECT count() FROM t_boundary FINAL WHERE _deleted = 0 AND id = "+w.id), "%s: %s %s", way, w.column, w.literal)
				require.Positive(t, r.pgCount(fmt.Sprintf("SELECT count(*) FROM etl.dead_letter WHERE source = 'boundary' AND key ->> 'id' = '%s' AND column_name = '%s' AND reason LIKE '%%%s%%' AND settled_at IS NULL",
					w.id, w.column, reason)), "%s: %s %s", way, w.column, w.literal)
				continue
			}
			var got string
			require.NoError(t, r.ch.QueryRow(context.Background(), "SELECT assumeNotNull("+c.show+") FROM t_boundary FINAL WHERE _deleted = 0 AND id = "+w.id).Scan(&got), "%s: %s %.100s", way, w.column, w.literal)
			require.Equal(t, c.values[w.literal], got, "%s: %s %.100s", way, w.column, w.literal)
		}
		require.Zero(t, r.chCount("SELECT count() FROM t_boundary FINAL WHERE _deleted = 0 AND "+strings.Join(given, " + ")+" > 1"), "%s: a null is a null, not a default", way)
	}
	for _, statement := range inserts {
		r.exec(statement)
	}
	run := r.start(known)
	run.catchUp()
	check("load")
	r.exec("DELETE FROM boundary")
	r.exec("DELETE FROM etl.dead_letter")
	run.catchUp()
	require.Zero(t, r.chCount("SELECT count() FROM t_boundary FINAL WHERE _deleted = 0"))
	for _, statement := range inserts {
		r.exec(statement)
	}
	run.catchUp()
	check("stream")
	require.False(t, r.log.contains("interrupted"))
}

// A type without a row in the type table is refused at the start, by the name of its column.
func TestTypesOutsideTheTableAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	types := []string{"jsonb", "numeric", "time", "bytea", "interval", "timestamp"}
	var mirrors []warehouse.Mirror
	for _, typ := range types {
		m := warehouse.Mirror{Source: "of_" + typ, Table: "t_of_" + typ, Key: []string{"id"}}
		r.own("id int PRIMARY KEY, x "+typ+" NOT NULL", "id Int32, x String", m)
		mirrors = append(mirrors, m)
	}
	cfg := r.config()
	cfg.mirrors = append(mirrors, warehouse.Mirrors...)
	replicator, err := New(cfg)
	require.NoError(t, err)
	err = replicator.Run(t.Context())
	for _, typ := range types {
		require.ErrorContains(t, err, fmt.Sprintf("column of_%[1]s.x: type %[1]s", typ))
	}
}
