package etl

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// dataRefusals are the answers of ClickHouse that speak of the rows that it was sent: sent again they are refused again, and without
// those at fault the others are taken. Any other refusal (a missing table, a full disk, no right) speaks of the warehouse, and ends the
// session.
var dataRefusals = []int32{
	6, 26, 27, 38, 41, 72, 376, // cannot parse text, quoted string, input, date, time, number, UUID
	53, 70, 131, 190, 349, // type mismatch, cannot convert, too large string, sizes of arrays, null where none may be
	69, 321, 407, // out of bounds, of the type's range, decimal overflow
	117,      // incorrect data
	395, 469, // throwIf of a view, violated constraint
	691, // no such element of an enum
}

// refusesData reports whether ClickHouse refused the rows themselves, and in what words.
func refusesData(err error) (reason string, yes bool) {
	ex, ok := errors.AsType[*clickhouse.Exception](err)
	if !ok || !slices.Contains(dataRefusals, ex.Code) {
		return "", false
	}
	return fmt.Sprintf("the warehouse refused the row (code %d): %s", ex.Code, ex.Message), true
}

// store inserts the block into a table of the plan's columns. If the rows are refused it is split in the middle until those at fault are
// alone; they are set aside, and the others land. Which insert a row goes in makes no difference to what the mirror shows, since its
// version does not depend on it: so a block that comes again after a crash may be split in other places.
func (w *writer) store(ctx context.Context, b *block, p *plan) error {
	var refused []*block
	if err := w.bisect(ctx, b, p, &refused); err != nil {
		return err
	}
	// By now all older states that came with the block are in the table.
	for _, row := range refused {
		if err := w.endRefused(ctx, row, p); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) bisect(ctx context.Context, b *block, p *plan, refused *[]*block) error {
	err := send(ctx, w.ch, "Native", p.insert, b.reader)
	if _, data := refusesData(err); !data || w.setAside == nil {
		return err
	}
	if b.rows > 1 {
		for _, half := range []*block{b.slice(0, b.rows/2), b.slice(b.rows/2, b.rows)} {
			if err := w.bisect(ctx, half, p, refused); err != nil {
				return err
			}
			failpoint(failMidBisect)
		}
		return nil
	}
	// A request that the network cut short reads as bad data too: alone, a row is sent once more.
	err = send(ctx, w.ch, "Native", p.insert, b.reader)
	reason, data := refusesData(err)
	if !data {
		return err
	}
	*refused = append(*refused, b)
	if b.deleted[0] == 1 {
		return nil // an end has another form, see endStored
	}
	return w.setAside(ctx, b.plan, b.keyRow(), b.version(), &columnError{err: &valueError{reason}})
}

// endRefused ends the row of which b is the refused state: a mirror rather lacks a row than shows an old state of it.
func (w *writer) endRefused(ctx context.Context, b *block, p *plan) error {
	if b.deleted[0] == 1 {
		return w.endStored(ctx, b, p)
	}
	end := newBlock(b.plan)
	if _, err := end.tombstone(b.keyRow(), b.version()); err != nil {
		return err
	}
	err := send(ctx, w.ch, "Native", p.insert, end.reader)
	if _, refused := refusesData(err); refused {
		return w.endStored(ctx, b, p)
	}
	return err
}

// endStored ends a row where the table does not take a row of defaults: with the values of the state before, which it did take. A row
// that it has no state of does not show anyway.
func (w *writer) endStored(ctx context.Context, b *block, p *plan) error {
	key, err := p.tupleOf(b.keyRow())
	if err != nil {
		return err
	}
	names, typ := p.keyTuple()
	v := b.version()
	statement := fmt.Sprintf("INSERT INTO %[1]s SELECT * REPLACE (%[2]s AS _ver, 1 AS _deleted) FROM %[1]s AS t WHERE (%[3]s) IN {keys:Array(%[4]s)} AND t._ver < %[2]s ORDER BY t._ver DESC LIMIT 1",
		quote(p.mirror.Table), v.sql(), names, typ)
	wait := clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"async_insert": 0}))
	if err := w.ch.Exec(wait, statement, named("keys", "["+key+"]")); err != nil {
		return fmt.Errorf("end a row of %s that the warehouse refused: %w", p.mirror.Table, err)
	}
	return nil
}

// slice is a block of the rows from up to to. It shares the memory of b.
func (b *block) slice(from, to int) *block {
	s := &block{plan: b.plan, columns: make([]columnData, len(b.columns)), versions: b.versions[from*16 : to*16], deleted: b.deleted[from:to], rows: to - from}
	for i := range b.columns {
		c, d := &b.plan.columns[i], &b.columns[i]
		if c.dictionary {
			s.columns[i].words = d.words.slice(c, from, to)
			continue
		}
		first, last := uint64(from), uint64(to) // elements
		if c.array {
			first, last = d.elementsBefore(from), d.elementsBefore(to)
			for row := from; row < to; row++ {
				s.columns[i].offsets = binary.LittleEndian.AppendUint64(s.columns[i].offsets, d.elementsBefore(row+1)-first)
			}
			s.columns[i].elements = last - first
		}
		if c.nullable {
			s.columns[i].nulls = d.nulls[from:to]
		}
		start := c.skip(d.data, first)
		end := start + c.skip(d.data[start:], last-first)
		s.columns[i].data = d.data[start:end]
	}
	return s
}

func (d *columnData) elementsBefore(row int) uint64 {
	if row == 0 {
		return 0
	}
	return binary.LittleEndian.Uint64(d.offsets[8*(row-1):])
}

// skip is how many bytes of the column's data its first n elements take.
func (c *planColumn) skip(data []byte, n uint64) (size int) {
	if !c.hasStrings() {
		return int(n) * len(c.zero)
	}
	for range n {
		length, used := binary.Uvarint(data[size:])
		size += used + int(length)
	}
	return size
}

// version is that of a block of one row.
func (b *block) version() version { return readVersion(b.versions) }

// keyRow is the row of a block of one as Postgres would send its key, the other fields null.
func (b *block) keyRow() []field {
	row := make([]field, len(b.columns))
	for i := range row {
		row[i].kind = fieldNull
	}
	for _, i := range b.plan.keys {
		row[i] = field{kind: fieldBinary, data: wireForm(b.plan.columns[i].typ, b.columns[i].data)}
	}
	return row
}

// wireForm turns a key from RowBinary to the binary form of Postgres.
func wireForm(typ string, data []byte) []byte {
	data = slices.Clone(data)
	switch typ {
	case "String":
		_, used := binary.Uvarint(data)
		return data[used:]
	case "UUID":
		slices.Reverse(data[:8])
		slices.Reverse(data[8:])
	default: // whole numbers
		slices.Reverse(data)
	}
	return data
}
