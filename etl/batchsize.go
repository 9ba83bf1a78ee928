package etl

import (
	"sync/atomic"
	"time"
)

// Bounds of the encoded bytes that a load stores at a time, and the time that storing them should take.
const (
	smallestBatch = 1 << 20
	firstBatch    = 8 << 20
	quickInsert   = 500 * time.Millisecond
	slowInsert    = 4 * time.Second
)

// batchSize finds how much to store at a time: large batches make few parts, but a warehouse that struggles gets small ones.
type batchSize struct {
	bytes   atomic.Int64
	largest int64
	rows    int
}

func (b *batchSize) init(cfg Config) {
	b.largest = max(smallestBatch, int64(cfg.FlushBytes))
	b.rows = 10 * cfg.FlushRows // one insert is one block as long as it stays below about a million rows
	b.bytes.Store(min(firstBatch, b.largest))
}

func (b *batchSize) full(rows, bytes int) bool {
	return rows >= b.rows || int64(bytes) >= b.bytes.Load()
}

// took learns from a batch that was stored.
func (b *batchSize) took(bytes int, d time.Duration) {
	size := b.bytes.Load()
	switch {
	case d > slowInsert:
		b.bytes.CompareAndSwap(size, max(smallestBatch, size/2))
	case d < quickInsert && int64(bytes) >= size:
		b.bytes.CompareAndSwap(size, min(b.largest, size*2))
	}
}

// failed makes the next batches smaller: it may have been too much.
func (b *batchSize) failed() {
	size := b.bytes.Load()
	b.bytes.CompareAndSwap(size, max(smallestBatch, size/2))
}
