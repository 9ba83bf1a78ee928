package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// measured is an answer of three cells: one shown, one whose parts are hidden, one hidden.
func measured() *warehouse.Table {
	return &warehouse.Table{
		Measure: "T1", AsOf: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Watermark: warehouse.Watermark{LSN: 42},
		Dims: []warehouse.Dim{
			{Dimension: warehouse.ByRegion, Keys: []warehouse.Key{{ID: "x", Code: "990101000000", Label: "A1区, 新"}, {ID: "y", Code: "990102000000", Label: "A2区"}, {}}},
			{Dimension: warehouse.ByMonth, Keys: []warehouse.Key{{ID: "2026-01", Code: "2026-01"}, {ID: "2026-01", Code: "2026-01"}, {ID: "2026-02", Code: "2026-02"}}},
		},
		N: []int64{120, 40, 0},
		Nums: []warehouse.Num{
			{Name: "responded24h", Unit: "share", Value: []*float64{new(0.25), nil, nil}, Lo: []*float64{new(0.2), nil, nil}, Hi: []*float64{new(0.3), nil, nil}},
			{Name: "medianDays", Unit: "d", Value: []*float64{new(3.0), new(5.0), nil}},
		},
		Flags:    map[string][]bool{"unstable": {false, true, false}, "provisional": {false, false, false}, "suppressed": {false, false, true}, "partsSuppressed": {false, true, false}},
		Notes:    []string{"3 issues open when last observed", "13 issues more"},
		Excluded: map[string]int64{"merged": 4, "eventBeforeOrigin": 14},
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	data, err := Encode("x.csv", MeasureColumns(measured()))
	require.NoError(t, err)
	require.Equal(t, strings.Join([]string{
		"region_code,region_name,month,n,responded_24h,responded_24h_lo,responded_24h_hi,median_days,unstable,provisional,suppressed",
		`990101000000,"A1区, 新",2026-01,120,0.25,0.2,0.3,3,false,false,`,
		"990102000000,A2区,2026-01,40,,,,5,true,false,PARTS",
		",,2026-02,,,,,,,,CELL", "",
	}, "\n"), string(data))
}

// What stands in the Parquet file is what stands in the CSV file, in the same order, with types and NULLs.
func TestParquet(t *testing.T) {
	t.Parallel()
	columns := MeasureColumns(measured())
	data, err := Encode("x.parquet", columns)
	require.NoError(t, err)
	again, err := Encode("x.parquet", columns)
	require.NoError(t, err)
	require.Equal(t, data, again, "the same columns give the same bytes")

	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	for i, f := range file.Schema().Fields() {
		require.Equal(t, columns[i].Name, f.Name())
		require.True(t, f.Optional())
	}
	rows := make([]parquet.Row, 3)
	n, _ := file.RowGroups()[0].Rows().ReadRows(rows)
	require.Equal(t, 3, n)
	for r, row := range rows {
		for i, c := range columns {
			switch v := c.Values[r].(type) {
			case nil:
				require.True(t, row[i].IsNull(), "%s of row %d", c.Name, r)
			case string:
				require.Equal(t, v, string(row[i].ByteArray()))
			case int64:
				require.Equal(t, v, row[i].Int64())
			case float64:
				require.Equal(t, v, row[i].Double())
			case bool:
				require.Equal(t, v, row[i].Boolean())
			}
		}
	}
}

// The Arrow file has the same columns, values and NULLs.
func TestArrow(t *testing.T) {
	t.Parallel()
	columns := MeasureColumns(measured())
	data, err := Encode("x.arrow", columns)
	require.NoError(t, err)
	again, err := Encode("x.arrow", columns)
	require.NoError(t, err)
	require.Equal(t, data, again, "the same columns give the same bytes")

	file, err := ipc.NewFileReader(bytes.NewReader(data))
	require.NoError(t, err)
	require.Equal(t, 1, file.NumRecords())
	rows, err := file.RecordBatch(0)
	require.NoError(t, err)
	require.EqualValues(t, 3, rows.NumRows())
	for i, c := range columns {
		require.Equal(t, c.Name, rows.ColumnName(i))
		column := rows.Column(i)
		for r, want := range c.Values {
			if want == nil {
				require.True(t, column.IsNull(r), "%s of row %d", c.Name, r)
				continue
			}
			var got any
			switch values := column.(type) {
			case *array.String:
				got = values.Value(r)
			case *array.Int64:
				got = values.Value(r)
			case *array.Float64:
				got = values.Value(r)
			case *array.Boolean:
				got = values.Value(r)
			}
			require.Equal(t, want, got, "%s of row %d", c.Name, r)
		}
	}
}

// A file of no rows is a file all the same, with its columns.
func TestNoRows(t *testing.T) {
	t.Parallel()
	columns := []Column{{Name: "region_code", Kind: Text}, {Name: "n", Kind: Integer}}
	for _, name := range []string{"x.csv", "x.parquet", "x.arrow"} {
		data, err := Encode(name, columns)
		require.NoError(t, err, name)
		require.Contains(t, string(data), "region_code", name)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	require.NoError(t, CheckName("a.CSV"))
	require.NoError(t, CheckName("a.parquet"))
	require.NoError(t, CheckName("a.arrow"))
	require.ErrorContains(t, CheckName("a.xlsx"), ".csv, .parquet or .arrow")
	require.Equal(t, "share_over_60_days", snake("shareOver60Days"))
}

func TestSheet(t *testing.T) {
	t.Parallel()
	table := measured()
	columns := MeasureColumns(table)
	data, err := Encode("x.csv", columns)
	require.NoError(t, err)
	sheet := string(Sheet{File: "x.csv", Definition: warehouse.Definitions()[0], Table: table, Columns: columns, Filters: [][2]string{{"channels", "HOTLINE"}}, Command: "groundwork export cells"}.Markdown(data))
	digest := sha256.Sum256(data)
	for _, want := range []string{
		"# x.csv", "T1 Time to first substantive response (首次实质回应时间（响应率）), definition version 1", "**As of**: 2026-03-01T00:00:00Z",
		"**SHA-256**: " + hex.EncodeToString(digest[:]), "- channels: HOTLINE", "| responded_24h_lo | number | share | Lower end of its 95 % interval |",
		"rows hidden: 1 of 3", "rows whose shares and counts are hidden: 1 of 3", "left out (eventBeforeOrigin): 14 issues", "13 issues more",
		"left out (merged): fewer than 11 issues", "fewer than 11 issues open when last observed", "Those not yet answered count for as long as they were observed",
	} {
		require.Contains(t, sheet, want)
	}
	require.NotContains(t, sheet, "4 issues open")
}
