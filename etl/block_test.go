package etl

import (
	"encoding/binary"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"groundwork/warehouse"
)

// samplePlan has a column of each form: key, nullable, array, and one whose values may be refused.
func samplePlan(t *testing.T) *plan {
	t.Helper()
	types := map[uint32]string{1: "uuid", 2: "text", 3: "_text", 4: "date"}
	p, err := newPlan(sourceTable{name: "t", columns: []sourceColumn{{"id", 1, false}, {"note", 2, true}, {"words", 3, false}, {"day", 4, true}}},
		warehouse.Mirror{Source: "t", Table: "m", Key: []string{"id"}},
		[]targetColumn{{"id", "UUID", false}, {"note", "LowCardinality(Nullable(String))", false}, {"words", "Array(String)", false}, {"day", "Nullable(Date32)", false}}, types)
	require.NoError(t, err)
	return p
}

// A row that is refused leaves no trace, wherever in the row the fault is.
func TestRefusedRowsLeaveNoTrace(t *testing.T) {
	t.Parallel()
	p := samplePlan(t)
	text := func(t *rapid.T, name string) field {
		if rapid.Bool().Draw(t, name+" is null") {
			return field{kind: fieldNull}
		}
		return field{kind: fieldBinary, data: []byte(rapid.String().Draw(t, name))}
	}
	array := func(t *rapid.T) field {
		words := rapid.SliceOfN(rapid.String(), 1, 3).Draw(t, "words")
		data := binary.BigEndian.AppendUint32(nil, uint32(rapid.SampledFrom([]int{1, 1, 2}).Draw(t, "dimensions")))
		data = append(data, make([]byte, 8)...)
		data = binary.BigEndian.AppendUint32(data, uint32(len(words)))
		data = append(data, make([]byte, 4)...)
		for _, w := range words {
			data = append(binary.BigEndian.AppendUint32(data, uint32(len(w))), w...)
		}
		return field{kind: fieldBinary, data: data}
	}
	rapid.Check(t, func(t *rapid.T) {
		all, good := newBlock(p), newBlock(p)
		for i := range rapid.IntRange(0, 20).Draw(t, "rows") {
			row := []field{{kind: fieldBinary, data: make([]byte, 16)}, text(t, "note"), array(t),
				{kind: fieldBinary, data: binary.BigEndian.AppendUint32(nil, uint32(rapid.SampledFrom([]int32{0, 109572, 109573}).Draw(t, "day")))}}
			v := version{commit: 1, ordinal: uint64(i)}
			size, err := all.row(row, nil, v)
			if err != nil {
				require.Zero(t, size)
				size, err = all.tombstone(row, v)
				require.NoError(t, err)
				require.Positive(t, size)
				_, err = good.tombstone(row, v)
			} else {
				_, err = good.row(row, nil, v)
			}
			require.NoError(t, err)
		}
		got, err := io.ReadAll(all.reader())
		require.NoError(t, err)
		want, err := io.ReadAll(good.reader())
		require.NoError(t, err)
		require.Equal(t, want, got)
		all.clear(p, keptBytes)
		empty, err := io.ReadAll(all.reader())
		require.NoError(t, err)
		fresh, err := io.ReadAll(newBlock(p).reader())
		require.NoError(t, err)
		require.Equal(t, fresh, empty)
	})
}
