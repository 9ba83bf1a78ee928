package etl

import (
	"encoding/binary"
	"strings"
)

// dictionary collects the values of a LowCardinality column as ClickHouse keeps them: each text once, and its number for every row. It
// spares the server to read and hash each text of each row.
// The form is that of SerializationLowCardinality with additional keys alone.
type dictionary struct {
	texts   []byte // each with its length in front, in the order of their numbers
	numbers map[string]uint32
	rows    []byte // one number a row, of one byte, or of four if wide
	wide    bool

	added int // length of texts before the row under way; -1 = it has added none
}

// Kinds of the numbers, and what comes with them.
const (
	oneByteNumbers  = 0
	fourByteNumbers = 2
	ownTexts        = 1<<9 | 1<<10 // the texts come with the column, and with no other
	dictionaryForm  = 1            // version of the serialization
)

// isDictionary tells types that are sent as dictionaries.
func isDictionary(typ string) bool {
	typ = strings.ReplaceAll(typ, " ", "")
	return typ == "LowCardinality(String)" || typ == "LowCardinality(Nullable(String))"
}

// first is the number of the first text: that before it stands for null, where there is null.
func (c *planColumn) first() uint32 {
	if c.nullable {
		return 1
	}
	return 0
}

// encode adds a row with a value of Postgres. On error the dictionary is as it was.
func (d *dictionary) encode(c *planColumn, value []byte) (size int, err error) {
	start := len(d.texts)
	texts, err := c.encode(d.texts, value)
	if err != nil {
		return 0, err
	}
	d.texts = texts
	return d.settle(c, start), nil
}

// add adds a row with a text that has its length in front.
func (d *dictionary) add(c *planColumn, text []byte) (size int) {
	start := len(d.texts)
	d.texts = append(d.texts, text...)
	return d.settle(c, start)
}

// settle adds a row with the text at the end of texts, which goes again if it was known.
func (d *dictionary) settle(c *planColumn, start int) (size int) {
	before := len(d.rows)
	d.added = -1
	n, known := d.numbers[string(d.texts[start:])]
	if known {
		d.texts = d.texts[:start]
	} else {
		if d.numbers == nil {
			d.numbers = map[string]uint32{}
		}
		n = uint32(len(d.numbers)) + c.first()
		d.numbers[string(d.texts[start:])] = n
		d.added = start
	}
	d.number(n)
	return len(d.rows) - before + len(d.texts) - start
}

func (d *dictionary) number(n uint32) {
	if n > 255 && !d.wide {
		narrow := d.rows
		d.rows, d.wide = make([]byte, 0, 8*len(narrow)), true
		for _, n := range narrow {
			d.rows = binary.LittleEndian.AppendUint32(d.rows, uint32(n))
		}
	}
	if d.wide {
		d.rows = binary.LittleEndian.AppendUint32(d.rows, n)
	} else {
		d.rows = append(d.rows, byte(n))
	}
}

// null adds a row with null.
func (d *dictionary) null() (size int) {
	d.added = -1
	d.number(0)
	return d.width()
}

func (d *dictionary) width() int {
	if d.wide {
		return 4
	}
	return 1
}

// undo takes the row under way out again, of so many before.
func (d *dictionary) undo(rows int) {
	d.rows = d.rows[:rows*d.width()]
	if d.added >= 0 {
		delete(d.numbers, string(d.texts[d.added:]))
		d.texts = d.texts[:d.added]
	}
}

// clear empties the dictionary.
func (d *dictionary) clear(keep func([]byte) []byte) {
	clear(d.numbers)
	*d = dictionary{texts: keep(d.texts), numbers: d.numbers, rows: keep(d.rows)}
}

// slice is a dictionary of the rows from up to to.
func (d *dictionary) slice(c *planColumn, from, to int) (s dictionary) {
	ends := []int{0}
	for at := 0; at < len(d.texts); {
		length, used := binary.Uvarint(d.texts[at:])
		at += used + int(length)
		ends = append(ends, at)
	}
	for row := from; row < to; row++ {
		var n uint32
		if d.wide {
			n = binary.LittleEndian.Uint32(d.rows[4*row:])
		} else {
			n = uint32(d.rows[row])
		}
		if n < c.first() {
			s.null()
			continue
		}
		n -= c.first()
		s.add(c, d.texts[ends[n]:ends[n+1]])
	}
	return s
}

// parts gives what follows the column's header in a block of so many rows.
func (d *dictionary) parts(c *planColumn, rows int, add func([]byte)) {
	kind := uint64(oneByteNumbers)
	if d.wide {
		kind = fourByteNumbers
	}
	head := binary.LittleEndian.AppendUint64(nil, dictionaryForm)
	head = binary.LittleEndian.AppendUint64(head, kind|ownTexts)
	head = binary.LittleEndian.AppendUint64(head, uint64(len(d.numbers))+uint64(c.first()))
	if c.nullable {
		head = append(head, 0) // the text that stands for null
	}
	add(head)
	add(d.texts)
	add(binary.LittleEndian.AppendUint64(nil, uint64(rows)))
	add(d.rows)
}
