package importer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Table is a file of reference data, read: one value a row, in the order of the file.
type Table[T any] struct {
	Name       string
	SHA256     string // of the bytes as they came, hex
	Encoding   string
	Rows       []T
	Raw        map[int][]string // the rows as they stood, by line
	Rejects    []Reject
	Read       int // data rows seen: Rows + Rejects + Duplicates
	Duplicates int // rows skipped because the same row stood earlier in the file
}

// Refuse enters a row that was read well but cannot be taken.
func (t *Table[T]) Refuse(line int, field, value, reason string) {
	t.Rejects = append(t.Rejects, Reject{File: t.Name, Line: line, Field: field, Value: value, Reason: reason, Raw: t.Raw[line]})
}

// column of a file of reference data, by its name in English and in Chinese.
type column struct {
	name, chinese string
	required      bool
	refusal       string // why a file with this column is not read at all; empty for columns that are read
}

// tableOf reads CSV with a header: columns in any order, in English or Chinese, unknown ones ignored; UTF-8 (with or without BOM) or
// GB18030; lines before the header that begin with # are remarks. It fails only when the file as a whole cannot be understood. key
// says what makes a row one and the same thing; a second row for it is a Reject unless it says the same.
func tableOf[T any](data []byte, name string, columns []column, parse func(c cells) T, key func(T) string) (*Table[T], error) {
	sum := sha256.Sum256(data)
	t := &Table[T]{Name: name, SHA256: hex.EncodeToString(sum[:]), Raw: map[int][]string{}}
	text, encoding, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	t.Encoding = encoding
	rows := newRowReader(text)
	rows.skipRemarks()
	positions, err := tableHeader(rows, columns)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	rows.starts = func(line string) bool { return len(leadingFields(line, rows.width)) == rows.width }
	first := map[string][]string{}
	for {
		row, ok := rows.read()
		if !ok {
			return t, nil
		}
		t.Read++
		c := cells{line: row.line, positions: positions, fields: row.fields, bad: new(*fault)}
		*c.bad = row.fault
		var value T
		if row.fault == nil {
			c.check(columns)
			value = parse(c)
		}
		t.Raw[row.line] = row.fields
		if bad := *c.bad; bad != nil {
			t.Refuse(row.line, bad.field, bad.value, bad.reason)
			continue
		}
		k := key(value)
		switch before, twice := first[k]; {
		case !twice:
			first[k] = row.fields
			t.Rows = append(t.Rows, value)
		case slices.Equal(before, row.fields):
			t.Duplicates++
		default:
			t.Refuse(row.line, columns[0].name, k, "this stands earlier in the file with other content; the first one was kept")
		}
	}
}

func tableHeader(rows *rowReader, columns []column) (map[string]int, error) {
	var names []string
	for _, c := range columns {
		switch {
		case c.required:
			names = append(names, c.name+" ("+c.chinese+")")
		case c.refusal == "":
			names = append(names, c.name+" ("+c.chinese+"), optional")
		}
	}
	want := "expected the columns " + strings.Join(names, "; ")
	head, ok := rows.read()
	if !ok {
		return nil, errors.New("the file is empty; " + want)
	}
	if head.fault != nil {
		return nil, fmt.Errorf("header line %d: %s", head.line, head.fault.reason)
	}
	positions := map[string]int{}
	for i, cell := range head.fields {
		cell = strings.ToLower(strings.TrimSpace(cell))
		at := slices.IndexFunc(columns, func(c column) bool { return c.name == cell || c.chinese == cell })
		if at < 0 {
			continue
		}
		if refusal := columns[at].refusal; refusal != "" {
			return nil, fmt.Errorf("column %q: %s", cell, refusal)
		}
		if _, twice := positions[columns[at].name]; twice {
			return nil, fmt.Errorf("column %s stands twice in the header; keep one", columns[at].name)
		}
		positions[columns[at].name] = i
	}
	for _, c := range columns {
		if _, there := positions[c.name]; c.required && !there {
			return nil, fmt.Errorf("missing column %s (%s); found %s; %s", c.name, c.chinese, strings.Join(head.fields, ", "), want)
		}
	}
	rows.width = len(head.fields)
	return positions, nil
}

// cells reads the fields of one row. The first fault is kept; what is read after it does not matter.
type cells struct {
	line      int
	positions map[string]int
	fields    []string
	bad       **fault
}

func (c cells) fail(field, value, reason string) {
	if *c.bad == nil {
		*c.bad = &fault{field, value, reason}
	}
}

// check refuses text that the database cannot hold, and rows that lack what they need.
func (c cells) check(columns []column) {
	for _, col := range columns {
		value := c.text(col.name)
		if bad := checkText(col.name, value); bad != nil {
			c.fail(bad.field, bad.value, bad.reason)
		}
		if col.required && value == "" {
			c.fail(col.name, "", "is empty; every row needs it")
		}
	}
}

func (c cells) text(name string) string {
	if i, there := c.positions[name]; there {
		return strings.TrimSpace(c.fields[i])
	}
	return ""
}

// day reads a date as the days of the system of record are kept: midnight UTC of that day. Nil if empty.
func (c cells) day(name string) *time.Time {
	value := c.text(name)
	if value == "" {
		return nil
	}
	for _, layout := range dayLayouts {
		if t, err := time.Parse(layout, value); err == nil {
			return &t
		}
	}
	c.fail(name, value, "expected a date like 2026-01-31")
	return nil
}

// number reads a number within bounds. Nil if empty.
func (c cells) number(name string, low, high float64) *float64 {
	value := c.text(name)
	if value == "" {
		return nil
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || !(n >= low && n <= high) {
		c.fail(name, value, fmt.Sprintf("expected a number from %g to %g", low, high))
		return nil
	}
	return &n
}

// whole reads a whole number within bounds.
func (c cells) whole(name string, low, high int, wanted string) int {
	value := c.text(name)
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		c.fail(name, value, wanted)
	}
	return n
}

// code reads the 12 digits of a region's code; empty if the cell is.
func (c cells) code(name string) string {
	value := c.text(name)
	if value != "" && !regionCode.MatchString(value) {
		c.fail(name, value, "expected the 12 digits of a region's code")
	}
	return value
}

// oneOf reads one of the words, in English or Chinese; empty if the cell is.
func oneOf[T ~string](c cells, name string, words map[string]T) T {
	value := c.text(name)
	if value == "" {
		return ""
	}
	var known []string
	for chinese, word := range words {
		if strings.EqualFold(value, string(word)) || value == chinese {
			return word
		}
		known = append(known, string(word)+" ("+chinese+")")
	}
	slices.Sort(known)
	c.fail(name, value, "expected one of "+strings.Join(known, ", "))
	return ""
}
