package etl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
)

// encoder transcodes one non-null value from the binary form of Postgres (of COPY and of pgoutput alike) to RowBinary.
type encoder func(dst, src []byte) ([]byte, error)

// valueError says that a value cannot stand in the warehouse; the row is parked in etl.dead_letter.
type valueError struct{ reason string }

func (e *valueError) Error() string { return e.reason }

// typePair is a row of the type table: what a Postgres type may become. TYPES.md explains each.
type typePair struct{ postgres, clickhouse string }

var encoders = map[typePair]encoder{
	{"uuid", "UUID"}:                       encodeUUID,
	{"text", "String"}:                     encodeString,
	{"varchar", "String"}:                  encodeString,
	{"ltree", "String"}:                    encodeLtree,
	{"int2", "Int16"}:                      encodeInt16,
	{"int4", "Int32"}:                      encodeInt32,
	{"int8", "Int64"}:                      encodeInt64,
	{"float4", "Float32"}:                  encodeInt32,
	{"float8", "Float64"}:                  encodeInt64,
	{"bool", "Bool"}:                       encodeByte,
	{"timestamptz", "DateTime64(6,'UTC')"}: encodeTimestamp,
	{"date", "Date32"}:                     encodeDate,
	{"_text", "Array(String)"}:             encodeTextArray,
	{"_int8", "Array(Int64)"}:              encodeInt64Array,
}

// zeros is what a tombstone has in the columns that are not the key: the bytes of each type's default.
var zeros = map[string][]byte{
	"UUID": make([]byte, 16), "String": {0}, "Int16": make([]byte, 2), "Int32": make([]byte, 4), "Int64": make([]byte, 8),
	"Float32": make([]byte, 4), "Float64": make([]byte, 8), "Bool": {0}, "DateTime64(6,'UTC')": make([]byte, 8),
	"Date32": make([]byte, 4), "Array(String)": {0}, "Array(Int64)": {0},
}

// bareType strips LowCardinality and Nullable, which RowBinary does not see or shows as one leading byte.
func bareType(t string) (bare string, nullable bool) {
	t = strings.ReplaceAll(t, " ", "")
	for {
		switch {
		case strings.HasPrefix(t, "LowCardinality("):
			t = t[len("LowCardinality(") : len(t)-1]
		case strings.HasPrefix(t, "Nullable("):
			t, nullable = t[len("Nullable("):len(t)-1], true
		default:
			return t, nullable
		}
	}
}

// errWire says that Postgres sent other bytes than its type promises: not a bad value but a bad decoder, so it is fatal.
var errWire = errors.New("unexpected binary form")

func encodeByte(dst, src []byte) ([]byte, error) {
	if len(src) != 1 {
		return nil, errWire
	}
	return append(dst, src[0]), nil
}

func encodeInt16(dst, src []byte) ([]byte, error) {
	if len(src) != 2 {
		return nil, errWire
	}
	return binary.LittleEndian.AppendUint16(dst, binary.BigEndian.Uint16(src)), nil
}

func encodeInt32(dst, src []byte) ([]byte, error) {
	if len(src) != 4 {
		return nil, errWire
	}
	return binary.LittleEndian.AppendUint32(dst, binary.BigEndian.Uint32(src)), nil
}

func encodeInt64(dst, src []byte) ([]byte, error) {
	if len(src) != 8 {
		return nil, errWire
	}
	return binary.LittleEndian.AppendUint64(dst, binary.BigEndian.Uint64(src)), nil
}

// encodeUUID turns each half round: ClickHouse keeps a UUID as two little-endian words, the high one first.
func encodeUUID(dst, src []byte) ([]byte, error) {
	if len(src) != 16 {
		return nil, errWire
	}
	dst = binary.LittleEndian.AppendUint64(dst, binary.BigEndian.Uint64(src))
	return binary.LittleEndian.AppendUint64(dst, binary.BigEndian.Uint64(src[8:])), nil
}

func encodeString(dst, src []byte) ([]byte, error) {
	dst = binary.AppendUvarint(dst, uint64(len(src)))
	return append(dst, src...), nil
}

// encodeLtree drops the version byte in front of the text.
func encodeLtree(dst, src []byte) ([]byte, error) {
	if len(src) == 0 || src[0] != 1 {
		return nil, errWire
	}
	return encodeString(dst, src[1:])
}

const (
	pgEpochDays  = 10957                      // 2000-01-01 in days since 1970-01-01
	pgEpochMicro = pgEpochDays * 86400_000000 // the same in microseconds
	firstDay     = -25567                     // 1900-01-01, the first that Date32 and DateTime64 hold
	lastDay      = 120529                     // 2299-12-31, the last
)

// encodeTimestamp refuses what DateTime64 would silently move: infinity and years outside 1900-2299.
func encodeTimestamp(dst, src []byte) ([]byte, error) {
	if len(src) != 8 {
		return nil, errWire
	}
	v := int64(binary.BigEndian.Uint64(src))
	if v == math.MaxInt64 || v == math.MinInt64 {
		return nil, &valueError{"infinity is no time that the warehouse can hold"}
	}
	if v < firstDay*86400_000000-pgEpochMicro || v >= (lastDay+1)*86400_000000-pgEpochMicro {
		return nil, &valueError{"time outside 1900-01-01 to 2299-12-31"}
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(v+pgEpochMicro)), nil
}

// encodeDate refuses what Date32 would silently clamp.
func encodeDate(dst, src []byte) ([]byte, error) {
	if len(src) != 4 {
		return nil, errWire
	}
	v := int32(binary.BigEndian.Uint32(src))
	if v == math.MaxInt32 || v == math.MinInt32 {
		return nil, &valueError{"infinity is no date that the warehouse can hold"}
	}
	if v < firstDay-pgEpochDays || v > lastDay-pgEpochDays {
		return nil, &valueError{"date outside 1900-01-01 to 2299-12-31"}
	}
	return binary.LittleEndian.AppendUint32(dst, uint32(v+pgEpochDays)), nil
}

var (
	encodeTextArray  = arrayOf(encodeString)
	encodeInt64Array = arrayOf(encodeInt64)
)

// arrayOf takes arrays of one dimension, the only ones that have a ClickHouse form of the declared type.
func arrayOf(element encoder) encoder {
	return func(dst, src []byte) ([]byte, error) {
		if len(src) < 12 {
			return nil, errWire
		}
		dimensions := binary.BigEndian.Uint32(src)
		switch {
		case dimensions == 0:
			return append(dst, 0), nil
		case dimensions > 1:
			return nil, &valueError{fmt.Sprintf("array of %d dimensions; the warehouse takes one", dimensions)}
		case len(src) < 20:
			return nil, errWire
		}
		n := binary.BigEndian.Uint32(src[12:])
		src = src[20:]
		dst = binary.AppendUvarint(dst, uint64(n))
		for range n {
			if len(src) < 4 {
				return nil, errWire
			}
			size := int32(binary.BigEndian.Uint32(src))
			src = src[4:]
			if size < 0 {
				return nil, &valueError{"null inside an array"}
			}
			if int(size) > len(src) {
				return nil, errWire
			}
			var err error
			if dst, err = element(dst, src[:size]); err != nil {
				return nil, err
			}
			src = src[size:]
		}
		return dst, nil
	}
}
