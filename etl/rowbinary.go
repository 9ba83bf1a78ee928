package etl

import (
	"encoding/binary"
	"time"
)

// rowBinary builds a row of ClickHouse's RowBinary format from Go values.
type rowBinary []byte

func (b *rowBinary) uint32(v uint32) { *b = binary.LittleEndian.AppendUint32(*b, v) }
func (b *rowBinary) uint64(v uint64) { *b = binary.LittleEndian.AppendUint64(*b, v) }

func (b *rowBinary) string(v string) {
	*b = append(binary.AppendUvarint(*b, uint64(len(v))), v...)
}

// micros writes a DateTime64(6); the zero time becomes the epoch.
func (b *rowBinary) micros(t time.Time) {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	b.uint64(uint64(t.UnixMicro()))
}
