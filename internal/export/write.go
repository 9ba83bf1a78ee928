package export

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/parquet-go/parquet-go"
)

// Encode makes the file of the name's ending, .csv, .parquet or .arrow. The same columns give the same bytes.
func Encode(name string, columns []Column) ([]byte, error) {
	write, err := writerFor(name)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := write(&out, columns); err != nil {
		return nil, fmt.Errorf("write %s: %w", filepath.Base(name), err)
	}
	return out.Bytes(), nil
}

// CheckName examines that the name's ending is one that Encode knows.
func CheckName(name string) error {
	_, err := writerFor(name)
	return err
}

func writerFor(name string) (func(io.Writer, []Column) error, error) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		return writeCSV, nil
	case ".parquet":
		return writeParquet, nil
	case ".arrow":
		return writeArrow, nil
	}
	return nil, fmt.Errorf("%q: the file's ending says its format; name it .csv, .parquet or .arrow", name)
}

func rows(columns []Column) int {
	if len(columns) == 0 {
		return 0
	}
	return len(columns[0].Values)
}

func writeCSV(w io.Writer, columns []Column) error {
	out := csv.NewWriter(w)
	record := make([]string, len(columns))
	for i, c := range columns {
		record[i] = c.Name
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for row := range rows(columns) {
		for i, c := range columns {
			record[i] = text(c.Values[row])
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// fields are how Arrow calls the columns: each may be NULL.
func fields(columns []Column) []arrow.Field {
	types := map[Kind]arrow.DataType{
		Text: arrow.BinaryTypes.String, Integer: arrow.PrimitiveTypes.Int64, Decimal: arrow.PrimitiveTypes.Float64, Truth: arrow.FixedWidthTypes.Boolean,
	}
	out := make([]arrow.Field, len(columns))
	for i, c := range columns {
		out[i] = arrow.Field{Name: c.Name, Type: types[c.Kind], Nullable: true}
	}
	return out
}

// batch is the columns as one record batch of Arrow.
func batch(columns []Column) (*arrow.Schema, arrow.RecordBatch) {
	schema := arrow.NewSchema(fields(columns), nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i, c := range columns {
		for _, value := range c.Values {
			switch v := value.(type) {
			case nil:
				b.Field(i).AppendNull()
			case string:
				b.Field(i).(*array.StringBuilder).Append(v)
			case int64:
				b.Field(i).(*array.Int64Builder).Append(v)
			case float64:
				b.Field(i).(*array.Float64Builder).Append(v)
			case bool:
				b.Field(i).(*array.BooleanBuilder).Append(v)
			}
		}
	}
	return schema, b.NewRecordBatch()
}

// writeArrow writes the file format of Arrow (https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format), without compression, so that it can be
// mapped into memory.
func writeArrow(w io.Writer, columns []Column) error {
	schema, record := batch(columns)
	out, err := ipc.NewFileWriter(w, ipc.WithSchema(schema))
	if err != nil {
		return err
	}
	if err := out.Write(record); err != nil {
		return err
	}
	return out.Close()
}

// goTypes are the types of a row's fields: pointers, since every column may be NULL.
var goTypes = map[Kind]reflect.Type{
	Text: reflect.TypeFor[*string](), Integer: reflect.TypeFor[*int64](), Decimal: reflect.TypeFor[*float64](), Truth: reflect.TypeFor[*bool](),
}

// writeParquet writes rows of a struct made to fit: it alone keeps the order of columns.
func writeParquet(w io.Writer, columns []Column) error {
	fields := make([]reflect.StructField, len(columns))
	for i, c := range columns {
		fields[i] = reflect.StructField{Name: "F" + strconv.Itoa(i), Type: goTypes[c.Kind], Tag: reflect.StructTag(fmt.Sprintf("parquet:%q", c.Name+",optional,zstd"))}
	}
	rowType := reflect.StructOf(fields)
	out := parquet.NewWriter(w, parquet.SchemaOf(reflect.New(rowType).Interface()))
	for row := range rows(columns) {
		record := reflect.New(rowType)
		for i, c := range columns {
			if v := c.Values[row]; v != nil {
				cell := reflect.New(goTypes[c.Kind].Elem())
				cell.Elem().Set(reflect.ValueOf(v))
				record.Elem().Field(i).Set(cell)
			}
		}
		if err := out.Write(record.Interface()); err != nil {
			return err
		}
	}
	return out.Close()
}
