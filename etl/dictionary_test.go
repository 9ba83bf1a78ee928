package etl

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// What goes as a dictionary is read as it was written, by a real engine: few texts and more than a byte can number, null and the empty text,
// values that the warehouse gave back, ends of rows, rows that were refused, and parts of a block.
func TestDictionariesAreReadAsWritten(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, distinct := range map[string]int{"few": 5, "many": 600} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := "t_words_" + name
			require.NoError(t, r.ch.Exec(t.Context(), "CREATE TABLE "+table+` (id Int32, word LowCardinality(String), maybe LowCardinality(Nullable(String)), day Date32, _ver UInt128, _deleted UInt8)
				ENGINE = ReplacingMergeTree(_ver, _deleted) ORDER BY id`))
			p, err := newPlan(sourceTable{name: "words", columns: []sourceColumn{{"id", 1, false}, {"word", 2, false}, {"maybe", 2, true}, {"day", 3, false}}},
				warehouse.Mirror{Source: "words", Table: table, Key: []string{"id"}},
				[]targetColumn{{"id", "Int32", false}, {"word", "LowCardinality(String)", false}, {"maybe", "LowCardinality(Nullable(String))", false}, {"day", "Date32", false}},
				map[uint32]string{1: "int4", 2: "text", 3: "date"})
			require.NoError(t, err)
			require.True(t, p.columns[1].dictionary && p.columns[2].dictionary && !p.columns[3].dictionary)

			b := newBlock(p)
			const rows = 1000
			want := make([]string, rows)
			binaryOf := func(s string) field { return field{kind: fieldBinary, data: []byte(s)} }
			for id := range rows {
				word, maybe := fmt.Sprintf("词%d", id%distinct), fmt.Sprintf("m%d", id*7%distinct)
				row := []field{{kind: fieldBinary, data: binary.BigEndian.AppendUint32(nil, uint32(id))}, binaryOf(word), binaryOf(maybe), {kind: fieldBinary, data: make([]byte, 4)}}
				want[id] = word + "|" + maybe
				stored := map[int][]byte{}
				switch id % 10 {
				case 1:
					row[1], row[2], want[id] = binaryOf(""), binaryOf(""), "|"
				case 2:
					row[2], want[id] = field{kind: fieldNull}, word+"|null"
				case 3:
					row[1], row[2] = field{kind: fieldToast}, field{kind: fieldToast}
					stored[1], stored[2] = []byte("\x03old"), []byte("\x00\x05older")
					want[id] = "old|older"
				case 4:
					row[2], stored[2], want[id] = field{kind: fieldToast}, []byte{1}, word+"|null"
				case 5: // a day that the warehouse cannot hold, with texts of its own: only its end is stored
					row[1], row[2], row[3].data = binaryOf(fmt.Sprint("lost", id)), binaryOf(fmt.Sprint("lost", id)), binary.BigEndian.AppendUint32(nil, 1<<30)
				}
				_, err := b.row(row, stored, version{5, uint64(id)})
				if id%10 == 5 {
					require.Error(t, err)
					_, err = b.tombstone(row, version{5, uint64(id)})
					want[id] = ""
				}
				require.NoError(t, err)
			}
			require.Equal(t, distinct > 256, b.columns[1].words.wide)
			require.NotContains(t, string(b.columns[1].words.texts), "lost")

			check := func(way string) {
				found, err := r.ch.Query(t.Context(), "SELECT id, concat(word, '|', ifNull(maybe, 'null')) FROM "+table+" FINAL ORDER BY id")
				require.NoError(t, err)
				defer found.Close()
				got := make([]string, rows)
				for found.Next() {
					var id int32
					var text string
					require.NoError(t, found.Scan(&id, &text))
					got[id] = text
				}
				require.NoError(t, found.Err())
				require.Equal(t, want, got, way)
			}
			w := newWriter(r.ch, nil)
			require.NoError(t, w.store(t.Context(), b, p))
			check("whole")
			require.NoError(t, r.ch.Exec(t.Context(), "TRUNCATE TABLE "+table))
			for from := 0; from < rows; from += 333 {
				require.NoError(t, w.store(t.Context(), b.slice(from, min(from+333, rows)), p))
			}
			check("in parts")
			b.clear(p, keptBytes)
			_, err = b.row([]field{{kind: fieldBinary, data: make([]byte, 4)}, binaryOf("again"), {kind: fieldNull}, {kind: fieldBinary, data: make([]byte, 4)}}, nil, version{6, 0})
			require.NoError(t, err)
			want[0] = "again|null"
			require.NoError(t, w.store(t.Context(), b, p))
			check("after it was emptied")
		})
	}
}
