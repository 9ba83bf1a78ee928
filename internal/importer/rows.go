package importer

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// rowReader reads strict CSV (encoding/csv, no lazy quotes) row by row and survives damaged rows. A lost or stray quote
// would let a strict reader swallow everything up to the next quote, rows later. So a row is first cut out by lines: it
// ends at the first line end with an even number of quotes behind it, or just before a line that plainly begins the next
// row (starts). Only the piece is then parsed; if it is bad, that piece is rejected and reading goes on behind it.
type rowReader struct {
	lines []string
	next  int // index in lines
	width int // fields in a row; 0 = any (header)
	// starts reports whether a line, read alone, begins a row. Without it a lost quote costs all lines up to the next.
	starts func(line string) bool
}

// maxRowLines bounds the damage, and the time, that one never-closed quote can cost.
const maxRowLines = 5000

type row struct {
	line   int // of its first line, from 1
	fields []string
	fault  *fault // the row is damaged; fields then holds its raw lines
}

func newRowReader(text string) *rowReader {
	return &rowReader{lines: strings.SplitAfter(text, "\n")}
}

// read returns the next row, false at the end. Blank lines between rows are skipped.
func (r *rowReader) read() (row, bool) {
	for r.next < len(r.lines) && strings.TrimSpace(r.lines[r.next]) == "" {
		r.next++
	}
	if r.next == len(r.lines) {
		return row{}, false
	}
	first := r.next
	closed := r.cut()
	piece := r.lines[first:r.next]
	fields, err := parsePiece(strings.Join(piece, ""))
	out := row{line: first + 1, fields: fields}
	switch {
	case !closed || err != nil:
		out.fault = quoteFault(len(piece), err)
	case r.width > 0 && len(fields) != r.width:
		out.fault = &fault{"", fmt.Sprintf("%d fields", len(fields)),
			fmt.Sprintf("the header has %d columns; quote fields that hold commas", r.width)}
	}
	if out.fault != nil {
		out.fields = rawLines(piece)
	}
	return out, true
}

// skipRemarks moves behind the lines at the beginning that begin with #.
func (r *rowReader) skipRemarks() {
	for r.next < len(r.lines) && (strings.HasPrefix(r.lines[r.next], "#") || strings.TrimSpace(r.lines[r.next]) == "") {
		r.next++
	}
}

// cut moves next behind the row that begins there and reports whether its quotes are balanced.
func (r *rowReader) cut() bool {
	first, quotes := r.next, 0
	for r.next < len(r.lines) && r.next-first < maxRowLines {
		if r.next > first && r.starts != nil && r.starts(r.lines[r.next]) {
			return false
		}
		quotes += strings.Count(r.lines[r.next], `"`)
		r.next++
		if quotes%2 == 0 {
			return true
		}
	}
	return false
}

// parsePiece parses exactly one row.
func parsePiece(piece string) ([]string, error) {
	reader := csv.NewReader(strings.NewReader(piece))
	reader.FieldsPerRecord = -1
	fields, err := reader.Read()
	if err != nil {
		return nil, err
	}
	if _, err := reader.Read(); !errors.Is(err, io.EOF) {
		return nil, csv.ErrQuote
	}
	return fields, nil
}

func quoteFault(lines int, err error) *fault {
	reason := "a quoted field is not closed; double the quotes inside a field and close it"
	var parse *csv.ParseError
	if errors.As(err, &parse) && errors.Is(parse.Err, csv.ErrBareQuote) {
		reason = "a quote stands in a field that is not quoted; quote the field and double the quotes inside"
	}
	return &fault{"", fmt.Sprintf("%d lines", lines), reason}
}

func rawLines(piece []string) []string {
	out := make([]string, len(piece))
	for i, line := range piece {
		out[i] = strings.TrimRight(strings.ToValidUTF8(line, "\uFFFD"), "\r\n")
	}
	return out
}

// leadingFields returns up to n fields that are complete on this line, however the line goes on.
func leadingFields(line string, n int) []string {
	var fields []string
	line = strings.TrimRight(line, "\r\n")
	for len(fields) < n {
		value, rest, more, ok := cutField(line)
		if !ok {
			return fields
		}
		fields = append(fields, value)
		if !more {
			return fields
		}
		line = rest
	}
	return fields
}

// cutField takes the first field off a line; ok is false if it is quoted and not closed, or badly quoted.
func cutField(line string) (value, rest string, more, ok bool) {
	if !strings.HasPrefix(line, `"`) {
		value, rest, more = strings.Cut(line, ",")
		return value, rest, more, !strings.Contains(value, `"`)
	}
	for i := 1; i < len(line); i++ {
		if line[i] != '"' {
			continue
		}
		if i+1 < len(line) && line[i+1] == '"' {
			i++
			continue
		}
		value = strings.ReplaceAll(line[1:i], `""`, `"`)
		switch tail := line[i+1:]; {
		case tail == "":
			return value, "", false, true
		case tail[0] == ',':
			return value, tail[1:], true, true
		}
		return "", "", false, false
	}
	return "", "", false, false
}
