// Package etl replicates the system of record to the warehouse, with the effect of exactly once.
//
// A Replicator takes the publication through one logical slot: first the snapshot that the slot exports, then every committed
// change. Each row goes to its mirror with a version made of the commit position and its place in the transaction, so a row
// that is sent again, after whatever crash, changes nothing. A position is acknowledged to Postgres only after the warehouse
// holds everything up to it and holds the checkpoint that says so; the checkpoint lives in the warehouse, so a warehouse
// restored from a backup is noticed. Where slot, checkpoint and system of record disagree there is a gap: it is never stepped over, but
// healed by a fresh load while the mirrors stay readable.
//
// The road of a change: receive (always reading, always answering keepalives) → apply (decode, transcode to RowBinary) →
// buffers, one a mirror → flush → checkpoint → acknowledgement. TYPES.md has the table of types.
package etl
