package etl

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
)

// longValues completes the rows of one mirror whose update left a long value alone, which Postgres then does not send. Where an earlier
// change of the same batch has the value, it is taken from there; the others wait until the batch is flushed and are then read from the
// mirror in one query. The mirror has everything up to the batch by then and nothing of it, so what it says is what the update found.
//
// When changes come a second time the mirror may be ahead: it has the row in this version or a later one already. Then any of its
// values will do: the same version is the same row, and under a later one the row does not show.
type longValues struct {
	plan    *plan
	latest  map[string]*held   // rows by their key as of the last change of this batch; a key that is not here is as the mirror has it
	lookups map[string]*lookup // rows to read from the mirror, by the key that they had at the start of the batch
	idle    int                // flushes in a row without a waiting row
}

// held is the state of a row inside a batch.
type held struct {
	row  []field // of its own memory; nil = the row is gone
	from *lookup // where the values are that row lacks
}

// lookup is a row of the mirror and those who wait for its long values.
type lookup struct {
	row     []field // has the key
	waiting []waitingRow
}

type waitingRow struct {
	row     []field
	version version
}

// waitingAtOnce bounds the rows that wait, and with them how much one query brings back.
const waitingAtOnce = 256

// idleFlushes is how many flushes without a waiting row end the bookkeeping for a mirror.
const idleFlushes = 8

func newLongValues(p *plan) *longValues {
	return &longValues{plan: p, latest: map[string]*held{}, lookups: map[string]*lookup{}}
}

// saw notes a whole row, or one whose missing values come from a lookup; ended notes that a row is gone. Both do nothing on nil.
func (l *longValues) saw(row []field, from *lookup) error {
	if l == nil {
		return nil
	}
	return l.note(row, &held{row: ownRow(row), from: from})
}

func (l *longValues) ended(row []field) error {
	if l == nil {
		return nil
	}
	return l.note(row, &held{})
}

func (l *longValues) note(row []field, state *held) error {
	key, err := l.plan.keyOf(row)
	if err == nil {
		l.latest[key] = state
	}
	return err
}

// complete fills in what this batch knows of the row that had the key of previous. It returns the lookup that has the rest, or nil.
func (l *longValues) complete(row, previous []field) (*lookup, error) {
	key, err := l.plan.keyOf(previous)
	if err != nil {
		return nil, err
	}
	before := l.latest[key]
	if before == nil {
		found := l.lookups[key]
		if found == nil {
			found = &lookup{row: ownRow(previous)}
			l.lookups[key] = found
		}
		return found, nil
	}
	if len(before.row) != len(row) {
		return nil, fmt.Errorf("update of a row of %s that is gone: %w", l.plan.source.name, errWire)
	}
	for i := range row {
		if row[i].kind == fieldToast {
			row[i] = before.row[i]
		}
	}
	if lacksValues(row) {
		return before.from, nil
	}
	return nil, nil
}

// ownRow copies a row out of the message that it came in.
func ownRow(row []field) []field {
	own := slices.Clone(row)
	for i := range own {
		own[i].data = bytes.Clone(own[i].data)
	}
	return own
}

func lacksValues(row []field) bool {
	return slices.ContainsFunc(row, func(f field) bool { return f.kind == fieldToast })
}

// reset forgets the batch, which is stored. It reports whether the bookkeeping may end.
func (l *longValues) reset() (done bool) {
	l.idle++
	if len(l.lookups) > 0 {
		l.idle = 0
	}
	clear(l.latest)
	clear(l.lookups)
	return l.idle >= idleFlushes
}

// stored is what the mirror has of a row: its newest version with the columns that were asked for, as RowBinary.
type storedRow struct {
	values  map[int][]byte
	version version
	gone    bool
}

// read asks the mirror for all rows that are looked up, and for those that wait under another key, whose version may be there already.
func (l *longValues) read(ctx context.Context, a *applier) (map[string]storedRow, error) {
	columns, keys, err := l.question()
	if err != nil {
		return nil, err
	}
	p := l.plan
	key, typ := p.keyTuple()
	names := []string{key}
	for _, i := range columns {
		names = append(names, quote(p.columns[i].name))
	}
	query := fmt.Sprintf("SELECT %s, _ver, _deleted FROM %s WHERE (%s) IN {keys:Array(%s)} ORDER BY %s, _ver DESC LIMIT 1 BY %s",
		strings.Join(names, ", "), quote(p.mirror.Table), key, typ, key, key)
	stream, err := a.session.cfg.ClickHouse.QueryFormat(ctx, "RowBinary", query, named("keys", "["+strings.Join(keys, ",")+"]"))
	if err != nil {
		return nil, fmt.Errorf("read long values of %s: %w", p.mirror.Table, err)
	}
	defer stream.Close()
	answer, err := io.ReadAll(stream)
	if err != nil {
		return nil, fmt.Errorf("read long values of %s: %w", p.mirror.Table, err)
	}
	found := map[string]storedRow{}
	for len(answer) > 0 {
		if answer, err = p.readStored(answer, columns, found); err != nil {
			return nil, fmt.Errorf("read long values of %s: %w", p.mirror.Table, err)
		}
	}
	return found, nil
}

// question gathers the columns that some row lacks and the keys of all rows to read, as ClickHouse writes tuples.
func (l *longValues) question() (columns []int, keys []string, err error) {
	lacking, texts := map[int]bool{}, map[string]bool{}
	for _, look := range l.lookups {
		rows := [][]field{look.row}
		for _, w := range look.waiting {
			rows = append(rows, w.row)
			for i, f := range w.row {
				if f.kind == fieldToast {
					lacking[i] = true
				}
			}
		}
		for _, row := range rows {
			text, err := l.plan.tupleOf(row)
			if err != nil {
				return nil, nil, err
			}
			texts[text] = true
		}
	}
	for i := range lacking {
		columns = append(columns, i)
	}
	for text := range texts {
		keys = append(keys, text)
	}
	slices.Sort(columns)
	slices.Sort(keys)
	return columns, keys, nil
}

// keyTuple is the key as a list of columns, and the type of that list as one value.
func (p *plan) keyTuple() (names, typ string) {
	columns, types := make([]string, len(p.keys)), make([]string, len(p.keys))
	for n, i := range p.keys {
		columns[n], types[n] = quote(p.columns[i].name), p.columns[i].typ
	}
	typ = strings.Join(types, ", ")
	if len(types) > 1 {
		typ = "Tuple(" + typ + ")"
	}
	return strings.Join(columns, ", "), typ
}

// tupleOf is the key of a row as a literal of ClickHouse.
func (p *plan) tupleOf(row []field) (string, error) {
	values := make([]string, len(p.keys))
	for n, i := range p.keys {
		value, err := p.keyValue(row, i)
		if err != nil {
			return "", err
		}
		values[n] = "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
		if strings.HasPrefix(p.columns[i].typ, "Int") {
			values[n] = value
		}
	}
	if len(values) == 1 {
		return values[0], nil
	}
	return "(" + strings.Join(values, ",") + ")", nil
}

// readStored takes one row of the answer.
func (p *plan) readStored(src []byte, columns []int, into map[string]storedRow) (rest []byte, err error) {
	row := storedRow{values: map[int][]byte{}}
	start := src
	for _, i := range p.keys {
		if _, src, err = p.columns[i].cut(src); err != nil {
			return nil, err
		}
	}
	key := string(start[:len(start)-len(src)])
	for _, i := range columns {
		if row.values[i], src, err = p.columns[i].cut(src); err != nil {
			return nil, err
		}
	}
	const tail = 17 // _ver and _deleted
	if len(src) < tail {
		return nil, errTruncated
	}
	row.version, row.gone = readVersion(src), src[tail-1] == 1
	into[key] = row
	return src[tail:], nil
}

// cut takes one value of the column from RowBinary.
func (c *planColumn) cut(src []byte) (value, rest []byte, err error) {
	size := 0
	if c.nullable {
		if len(src) == 0 {
			return nil, nil, errTruncated
		}
		if size = 1; src[0] == 1 {
			return src[:1], src[1:], nil
		}
	}
	elements := uint64(1)
	if strings.HasPrefix(c.typ, "Array(") {
		n, used := binary.Uvarint(src[size:])
		if used <= 0 {
			return nil, nil, errTruncated
		}
		elements, size = n, size+used
	}
	for range elements {
		if !c.hasStrings() {
			size += len(c.zero)
			continue
		}
		if size > len(src) {
			return nil, nil, errTruncated
		}
		n, used := binary.Uvarint(src[size:])
		if used <= 0 || n > uint64(len(src)) {
			return nil, nil, errTruncated
		}
		size += used + int(n)
	}
	if size > len(src) {
		return nil, nil, errTruncated
	}
	return src[:size], src[size:], nil
}
