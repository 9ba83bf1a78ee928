package etl

import (
	"encoding/binary"
	"fmt"

	"github.com/jackc/pglogrepl"
)

// version orders the states of a row: the commit's position in the WAL, then the place in the transaction. Commit order is the
// only safe order: a change's own position may lie before that of a change it follows. The snapshot's rows have the slot's
// consistent point and ordinal 0, above all that was committed before and below all that comes after.
type version struct {
	commit  pglogrepl.LSN
	ordinal uint64
}

// ordinalsPerChange leaves room for the two rows of a key change: the tombstone of the old key and the row of the new one.
const ordinalsPerChange = 2

func (v version) next() version { return version{v.commit, v.ordinal + 1} }

// less reports whether v is older than w.
func (v version) less(w version) bool {
	return v.commit < w.commit || v.commit == w.commit && v.ordinal < w.ordinal
}

// appendTo writes v as a RowBinary UInt128.
func (v version) appendTo(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, v.ordinal)
	return binary.LittleEndian.AppendUint64(dst, uint64(v.commit))
}

func readVersion(src []byte) version {
	return version{ordinal: binary.LittleEndian.Uint64(src), commit: pglogrepl.LSN(binary.LittleEndian.Uint64(src[8:]))}
}

// sql is v as a ClickHouse expression.
func (v version) sql() string {
	return fmt.Sprintf("(bitShiftLeft(toUInt128(%d), 64) + %d)", uint64(v.commit), v.ordinal)
}
