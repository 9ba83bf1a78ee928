package etl

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// block collects rows of one mirror as a block of ClickHouse's Native format: column by column, as the server keeps them, so that it
// has little left to do.
type block struct {
	plan     *plan
	columns  []columnData
	versions []byte
	deleted  []byte
	rows     int
}

// columnData is what a block has of one column.
type columnData struct {
	nulls   []byte // one byte a row, of nullable columns
	offsets []byte // ends of the elements in data, of arrays
	data    []byte
	words   dictionary // in place of the above, of columns that are sent as one

	elements uint64 // of arrays: how many data holds
	before   int    // length of data before the row under way
}

// nativeHeader is what stands before a column's data.
func nativeHeader(name, typ string) []byte {
	b, _ := encodeString(nil, []byte(name))
	b, _ = encodeString(b, []byte(typ))
	return b
}

var (
	versionHeader = nativeHeader("_ver", "UInt128")
	deletedHeader = nativeHeader("_deleted", "UInt8")
)

func newBlock(p *plan) *block { return &block{plan: p, columns: make([]columnData, len(p.columns))} }

// row adds a row at version v and returns its size in bytes. stored holds RowBinary values for the fields that Postgres did not send,
// by position. On error the block is as it was.
func (b *block) row(row []field, stored map[int][]byte, v version) (size int, err error) {
	if len(row) != len(b.columns) {
		return 0, fmt.Errorf("%s: row of %d fields, planned %d: %w", b.plan.source.name, len(row), len(b.columns), errWire)
	}
	for i, f := range row {
		n, err := b.field(i, f, stored[i])
		if err != nil {
			b.undo(i)
			return 0, &columnError{b.plan.columns[i].name, err}
		}
		size += n
	}
	return size + b.end(v, 0), nil
}

// tombstone adds the end of the row with the key in row as of v: the other columns have their default.
func (b *block) tombstone(row []field, v version) (size int, err error) {
	if len(row) != len(b.columns) {
		return 0, fmt.Errorf("%s: key of %d fields, planned %d: %w", b.plan.source.name, len(row), len(b.columns), errWire)
	}
	for i := range b.columns {
		c := &b.plan.columns[i]
		n, err := 0, error(nil)
		if c.key {
			n, err = b.field(i, row[i], nil)
		} else {
			n = b.columns[i].empty(c)
		}
		if err != nil {
			b.undo(i)
			return 0, &columnError{c.name, err}
		}
		size += n
	}
	return size + b.end(v, 1), nil
}

func (b *block) end(v version, deleted byte) int {
	b.versions, b.deleted = v.appendTo(b.versions), append(b.deleted, deleted)
	b.rows++
	return 17
}

// field adds a field to column i. On error the column is as it was.
func (b *block) field(i int, f field, stored []byte) (int, error) {
	c, d := &b.plan.columns[i], &b.columns[i]
	switch f.kind {
	case fieldNull:
		if !c.nullable {
			return 0, &valueError{"null, where the warehouse takes none"}
		}
		return d.empty(c), nil
	case fieldToast:
		if stored == nil {
			return 0, fmt.Errorf("unchanged long value is not known: %w", errWire)
		}
		return d.stored(c, stored), nil
	case fieldText:
		return 0, fmt.Errorf("sent as text although binary was asked for: %w", errWire)
	}
	if c.dictionary {
		return d.words.encode(c, f.data)
	}
	d.before = len(d.data)
	out, err := c.encode(d.data, f.data)
	if err != nil {
		return 0, err
	}
	d.data = out
	d.closeValue(c)
	return len(d.data) - d.before + 1, nil
}

// empty adds a null, or the type's default where there is none.
func (d *columnData) empty(c *planColumn) int {
	switch {
	case c.dictionary && c.nullable:
		return d.words.null()
	case c.dictionary:
		return d.words.add(c, c.zero)
	}
	d.before = len(d.data)
	if c.nullable {
		d.nulls = append(d.nulls, 1)
	}
	d.data = append(d.data, c.zero...)
	d.closeArray(c)
	return len(c.zero) + 1
}

// stored adds a value that the warehouse gave back in RowBinary.
func (d *columnData) stored(c *planColumn, value []byte) int {
	if c.nullable {
		if value[0] == 1 {
			return d.empty(c)
		}
		value = value[1:]
	}
	if c.dictionary {
		return d.words.add(c, value)
	}
	d.before = len(d.data)
	d.data = append(d.data, value...)
	d.closeValue(c)
	return len(value) + 1
}

func (d *columnData) closeValue(c *planColumn) {
	if c.nullable {
		d.nulls = append(d.nulls, 0)
	}
	d.closeArray(c)
}

// closeArray moves the number of elements, which RowBinary has in front of an array, to where Native has it.
func (d *columnData) closeArray(c *planColumn) {
	if !c.array {
		return
	}
	n, size := binary.Uvarint(d.data[d.before:])
	d.data = append(d.data[:d.before], d.data[d.before+size:]...)
	d.elements += n
	d.offsets = binary.LittleEndian.AppendUint64(d.offsets, d.elements)
}

// undo takes the row under way out of the columns before i.
func (b *block) undo(i int) {
	for j := range i {
		d := &b.columns[j]
		if b.plan.columns[j].dictionary {
			d.words.undo(b.rows)
			continue
		}
		d.data = d.data[:d.before]
		if b.plan.columns[j].nullable {
			d.nulls = d.nulls[:b.rows]
		}
		if b.plan.columns[j].array {
			d.offsets, d.elements = d.offsets[:8*b.rows], 0
			if b.rows > 0 {
				d.elements = binary.LittleEndian.Uint64(d.offsets[8*(b.rows-1):])
			}
		}
	}
}

// keptBytes is how much memory an emptied column of the stream may hold on to whatever it held: one large flush should not keep its
// memory for ever.
const keptBytes = 1 << 20

// clear empties the block for rows of plan p. Columns hold on to memory up to so many bytes, and to more if a quarter of it was used:
// growing to the same size with each flush would leave twice as much to the garbage collector.
func (b *block) clear(p *plan, kept int) {
	if len(b.columns) != len(p.columns) {
		b.columns = make([]columnData, len(p.columns))
	}
	keep := func(s []byte) []byte {
		if cap(s) > max(kept, 4*len(s)) {
			return nil
		}
		return s[:0]
	}
	for i := range b.columns {
		d := &b.columns[i]
		d.words.clear(keep)
		*d = columnData{nulls: keep(d.nulls), offsets: keep(d.offsets), data: keep(d.data), words: d.words}
	}
	b.plan, b.versions, b.deleted, b.rows = p, keep(b.versions), keep(b.deleted), 0
}

// reader gives the block in the Native format. The block must not change until it is read.
func (b *block) reader() io.Reader {
	parts := []io.Reader{}
	add := func(s []byte) {
		if len(s) > 0 {
			parts = append(parts, bytes.NewReader(s))
		}
	}
	add(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(len(b.columns)+2)), uint64(b.rows)))
	for i := range b.columns {
		d := &b.columns[i]
		c := &b.plan.columns[i]
		add(c.header)
		if c.dictionary {
			d.words.parts(c, b.rows, add)
			continue
		}
		add(d.nulls)
		add(d.offsets)
		add(d.data)
	}
	add(versionHeader)
	add(b.versions)
	add(deletedHeader)
	add(b.deleted)
	return io.MultiReader(parts...)
}

// nativeType is how Native names the type of c.
func (c *planColumn) nativeType() string {
	typ := c.typ
	if c.nullable {
		typ = "Nullable(" + typ + ")"
	}
	if c.dictionary {
		typ = "LowCardinality(" + typ + ")"
	}
	return typ
}

// hasStrings tells columns whose elements have a length in front; all others have the size of the type's default.
func (c *planColumn) hasStrings() bool {
	return strings.HasSuffix(c.typ, "String") || strings.HasSuffix(c.typ, "String)")
}

// isArray tells types whose values have a number of elements in front.
func isArray(bare string) bool { return strings.HasPrefix(bare, "Array(") }
