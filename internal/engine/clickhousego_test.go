package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

func (f *fixture) connect(t *testing.T, method clickhouse.CompressionMethod) driver.Conn {
	t.Helper()
	options := &clickhouse.Options{
		Protocol: clickhouse.HTTP,
		Addr:     []string{strings.TrimPrefix(f.URL, "http://")},
		Auth:     clickhouse.Auth{Database: f.database, Username: "groundwork"},
	}
	if method != clickhouse.CompressionNone {
		options.Compression = &clickhouse.Compression{Method: method, Level: 3}
	}
	conn, err := clickhouse.Open(options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	require.NoError(t, conn.Ping(t.Context()))
	return conn
}

// types are columns with two values each, the second one awkward.
var types = []struct {
	column string
	values [2]any
}{
	{"Int8", [2]any{int8(1), int8(-128)}},
	{"Int64", [2]any{int64(1), int64(-1 << 63)}},
	{"UInt8", [2]any{uint8(1), uint8(255)}},
	{"UInt64", [2]any{uint64(1), ^uint64(0)}},
	{"UInt128", [2]any{*big.NewInt(1), *new(big.Int).Lsh(big.NewInt(1), 127)}},
	{"Float32", [2]any{float32(1.5), float32(-0.1)}},
	{"Float64", [2]any{1.5, -1e-300}},
	{"Bool", [2]any{true, false}},
	{"String", [2]any{"plain", "a\n\nDROP TABLE types\n\n;'\\\x00\xff"}},
	{"FixedString(4)", [2]any{"abcd", "\n\n;\x00"}},
	{"LowCardinality(String)", [2]any{"x", "\n\n"}},
	{"LowCardinality(Nullable(String))", [2]any{ptr("x"), (*string)(nil)}},
	{"Nullable(Int32)", [2]any{ptr(int32(7)), (*int32)(nil)}},
	{"DateTime64(6, 'UTC')", [2]any{time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC), time.Date(1970, 1, 1, 0, 0, 0, 1000, time.UTC)}},
	{"DateTime64(3, 'UTC')", [2]any{time.Date(2026, 1, 2, 3, 4, 5, 678000000, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 999000000, time.UTC)}},
	{"Nullable(DateTime64(6, 'UTC'))", [2]any{ptr(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), (*time.Time)(nil)}},
	{"DateTime('UTC')", [2]any{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), time.Unix(0, 0).UTC()}},
	{"Date", [2]any{time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), time.Unix(0, 0).UTC()}},
	{"Date32", [2]any{time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(1901, 2, 3, 0, 0, 0, 0, time.UTC)}},
	{"UUID", [2]any{uuid.MustParse("0190b0c0-0000-7000-8000-00000000000a"), uuid.Nil}},
	{"Array(String)", [2]any{[]string{"a", "\n\n"}, []string{}}},
	{"Array(Array(UInt32))", [2]any{[][]uint32{{1, 2}, {}}, [][]uint32{}}},
	{"Enum8('new' = 1, 'done' = -2)", [2]any{"new", "done"}},
	{"Decimal(18, 4)", [2]any{decimal.RequireFromString("12.3456"), decimal.RequireFromString("-0.0001")}},
	{"Decimal(38, 10)", [2]any{decimal.RequireFromString("1"), decimal.RequireFromString("-1234567890123456789.0123456789")}},
	{"Map(String, UInt64)", [2]any{map[string]uint64{"a": 1}, map[string]uint64{}}},
	{"Tuple(String, UInt8)", [2]any{[]any{"a", uint8(1)}, []any{"\n\n", uint8(0)}}},
	{"IPv4", [2]any{net.IPv4(127, 0, 0, 1).To4(), net.IPv4(255, 255, 255, 255).To4()}},
	{"IPv6", [2]any{net.ParseIP("2001:db8::1"), net.ParseIP("::1")}},
}

func ptr[T any](v T) *T { return &v }

func TestClickHouseGoTypes(t *testing.T) {
	t.Parallel()
	for _, method := range []clickhouse.CompressionMethod{
		clickhouse.CompressionNone, clickhouse.CompressionLZ4, clickhouse.CompressionZSTD, clickhouse.CompressionGZIP,
		clickhouse.CompressionDeflate, clickhouse.CompressionBrotli,
	} {
		t.Run(method.String(), func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			conn := f.connect(t, method)
			var columns, names []string
			for i, c := range types {
				names = append(names, fmt.Sprintf("c%d", i))
				columns = append(columns, fmt.Sprintf("c%d %s", i, c.column))
			}
			require.NoError(t, conn.Exec(t.Context(), "CREATE TABLE types (n UInt32, "+strings.Join(columns, ", ")+") ENGINE = MergeTree ORDER BY n"))
			const rows = 3000
			batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO types")
			require.NoError(t, err)
			for n := range rows {
				row := []any{uint32(n)}
				for _, c := range types {
					row = append(row, c.values[n%2])
				}
				require.NoError(t, batch.Append(row...))
			}
			require.NoError(t, batch.Send())

			got, err := conn.Query(t.Context(), "SELECT "+strings.Join(names, ", ")+" FROM types ORDER BY n")
			require.NoError(t, err)
			n := 0
			for ; got.Next(); n++ {
				requireRow(t, got, n)
			}
			require.NoError(t, got.Err())
			require.Equal(t, rows, n)
		})
	}
}

// requireRow scans a row of types into values of the types that were sent, and compares.
func requireRow(t *testing.T, got driver.Rows, n int) {
	t.Helper()
	scanned := make([]any, len(types))
	for i, c := range types {
		scanned[i] = reflect.New(reflect.TypeOf(c.values[0])).Interface()
	}
	require.NoError(t, got.Scan(scanned...))
	for i, c := range types {
		require.Equal(t, canonical(c.values[n%2]), canonical(reflect.ValueOf(scanned[i]).Elem().Interface()), "row %d of %s", n, c.column)
	}
}

// canonical gives values that are equal where they mean the same.
func canonical(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.UnixNano()
	case *time.Time:
		if v == nil {
			return nil
		}
		return v.UnixNano()
	case decimal.Decimal:
		return v.String()
	case big.Int:
		return v.String()
	case net.IP:
		return v.String()
	default:
		return v
	}
}

func TestClickHouseGoServerVersion(t *testing.T) {
	t.Parallel()
	f := setup(t)
	conn := f.connect(t, clickhouse.CompressionLZ4)
	version, err := conn.ServerVersion()
	require.NoError(t, err)
	require.Equal(t, displayName, version.DisplayName)
	require.EqualValues(t, 26, version.Version.Major)

}

func TestClickHouseGoParametersAndSettings(t *testing.T) {
	t.Parallel()
	f := setup(t)
	conn := f.connect(t, clickhouse.CompressionNone)
	var text string
	var number uint64
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT ?, toUInt64(?)", "it's\n\n;", 7).Scan(&text, &number))
	require.Equal(t, "it's\n\n;", text)
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT @text, toUInt64(@n)", clickhouse.Named("text", "é"), clickhouse.Named("n", 8)).Scan(&text, &number))
	require.Equal(t, "é", text)

	ctx := clickhouse.Context(t.Context(), clickhouse.WithParameters(clickhouse.Parameters{"s": "a'b", "n": "9"}),
		clickhouse.WithSettings(clickhouse.Settings{"max_block_size": 77}))
	var block uint64
	require.NoError(t, conn.QueryRow(ctx, "SELECT {s:String}, {n:UInt64}, toUInt64(getSetting('max_block_size'))").Scan(&text, &number, &block))
	require.Equal(t, []any{"a'b", uint64(9), uint64(77)}, []any{text, number, block})
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT toUInt64(getSetting('max_block_size'))").Scan(&block))
	require.NotEqual(t, uint64(77), block)
}

func TestClickHouseGoAsyncInsert(t *testing.T) {
	t.Parallel()
	f := setup(t)
	conn := f.connect(t, clickhouse.CompressionNone)
	require.NoError(t, conn.Exec(t.Context(), "CREATE TABLE a (s String) ENGINE = MergeTree ORDER BY s"))
	require.NoError(t, conn.Exec(clickhouse.Context(t.Context(), clickhouse.WithAsync(true)), "INSERT INTO a VALUES (?)", "x\n\nDROP TABLE a"))
	require.Equal(t, "1", f.query(t, "SELECT count() FROM a"))
}

func TestClickHouseGoErrors(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, method := range []clickhouse.CompressionMethod{clickhouse.CompressionNone, clickhouse.CompressionLZ4, clickhouse.CompressionGZIP} {
		t.Run(method.String(), func(t *testing.T) {
			t.Parallel()
			conn := f.connect(t, method)
			err := conn.Exec(t.Context(), "SELECT * FROM no_such_table")
			var exception *clickhouse.Exception
			require.ErrorAs(t, err, &exception)
			require.EqualValues(t, 60, exception.Code)
			var status *clickhouse.HTTPError
			require.ErrorAs(t, err, &status)
			require.Equal(t, 404, status.StatusCode)

			rows, err := conn.Query(t.Context(), "SELECT number, throwIf(number = 3000000, 'late') FROM numbers(4000000)")
			require.NoError(t, err)
			for rows.Next() {
			}
			require.ErrorAs(t, rows.Err(), &exception)
			require.EqualValues(t, 395, exception.Code)
		})
	}
}

// A statement ends with its client, and leaves its connection free.
func TestCancelStopsTheStatement(t *testing.T) {
	t.Parallel()
	p := start(t, Config{MaxStatements: 1})
	f := &fixture{process: p, database: "groundwork"}
	conn := f.connect(t, clickhouse.CompressionNone)
	for _, sql := range []string{
		"SELECT sum(sipHash64(number)) FROM numbers(100000000000)", // no output
		"SELECT number FROM numbers(100000000000)",                 // too much of it
		"INSERT INTO sink SELECT number FROM numbers(100000000000)",
	} {
		p.query(t, "CREATE OR REPLACE TABLE sink (n UInt64) ENGINE = Null")
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		rows, err := conn.Query(ctx, sql)
		if err == nil {
			for rows.Next() {
			}
			err = rows.Err()
		}
		cancel()
		require.Error(t, err)
		began := time.Now()
		require.Equal(t, "1", p.query(t, "SELECT 1")) // on the only connection
		require.Less(t, time.Since(began), time.Minute, sql)
		require.Equal(t, "0", p.query(t, "SELECT count() FROM system.processes WHERE query LIKE '%100000000000%' AND query NOT LIKE '%system.processes%'"))
	}
}

func TestLargeInsertGoesByDisk(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.query(t, "CREATE TABLE big (s String) ENGINE = MergeTree ORDER BY tuple()")
	line := make([]byte, 1<<20)
	_, err := rand.Read(line)
	require.NoError(t, err)
	conn := f.connect(t, clickhouse.CompressionNone)
	batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO big")
	require.NoError(t, err)
	const megabytes = 2 * spoolInMemory >> 20
	for range megabytes {
		require.NoError(t, batch.Append(string(line)))
	}
	require.NoError(t, batch.Send())
	require.Equal(t, fmt.Sprintf("%d\t%d", megabytes, 1), f.query(t, "SELECT count(), uniq(s) FROM big"))
}

func TestWrongPasswordWithClickHouseGo(t *testing.T) {
	t.Parallel()
	p := start(t, Config{Password: ownerPassword})
	conn, err := clickhouse.Open(&clickhouse.Options{
		Protocol: clickhouse.HTTP, Addr: []string{strings.TrimPrefix(p.URL, "http://")},
		Auth: clickhouse.Auth{Username: "groundwork", Password: "guess"},
	})
	require.NoError(t, err)
	err = conn.Ping(t.Context())
	var exception *clickhouse.Exception
	require.True(t, errors.As(err, &exception), "%v", err)
	require.EqualValues(t, codeAuthentication, exception.Code)
}
