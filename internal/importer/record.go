package importer

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"
)

// Source of the records of ReadMessages. The board numbers its messages in one sequence, so an answered and an open
// export share this name space: a message that was open and is now answered is the same opinion.
const SourceMessageBoard = "message_board"

// Precision says how finely a source knew a time.
type Precision string

// The precisions of a time, as the system of record stores them.
const (
	// Second: the instant is what the source wrote.
	Second Precision = "SECOND"
	// Day: only the local date is to be trusted; the time of day is a convention (times.go) or ambiguous (open311.go).
	Day Precision = "DAY"
)

// Record is one row of a source, understood.
type Record struct {
	Source     string // SourceMessageBoard or "open311:<host or file>"
	ExternalID string // the source's own id, unique within Source
	Line       int    // first line in a CSV file (header = 1); ordinal of the request in an Open311 answer, from 1

	// ReporterKey is the source's user name, empty if it gives none. It is never stored in clear: the store
	// pseudonymises it.
	ReporterKey string

	Subject, Text string
	Channel       string // MESSAGE_BOARD or OPEN311
	Kind          Kind

	ReceivedAt        time.Time
	ReceivedPrecision Precision
	OccurredAt        *time.Time // when the matter itself happened; nil: the source does not say
	Closed            bool       // the source calls it closed. A reply alone closes nothing
	Reply             *Reply     // the office's answer, or for a closed Open311 request its closing; nil if none is known
	DueAt             *time.Time // what the source promised (Open311 expected_datetime); nil if nothing

	Place        Place    // from the top, finest last; empty: unknown
	Address      string   // as the source wrote it; empty if none
	CategoryPath []string // from the top; empty: unknown
	CategoryCode string   // the source's code of the last element of CategoryPath
	Lat, Lon     *float64 // WGS 84 degrees; both or neither

	Supported, Opposed int // votes of other users
}

// Reply is what the office answered, and when. Its Text is empty when an Open311 request was closed without a note.
type Reply struct {
	Text      string
	At        time.Time // never before the record's ReceivedAt
	Precision Precision
}

// ContentHash identifies what the citizen said: reporter, subject, text and time. It does not change when the office
// answers or others vote, so a store can tell "the same message, now answered" from "the same id, another message".
func (r *Record) ContentHash() string {
	h := sha256.New()
	for _, s := range []string{r.ReporterKey, r.Subject, r.Text, r.ReceivedAt.UTC().Format(time.RFC3339)} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Reject is a row that could not be taken, with what an operator needs to repair it.
type Reject struct {
	File   string
	Line   int
	Field  string // column at fault; empty when the row as a whole is
	Value  string // what stood there
	Reason string // what is wrong and what is expected
	Raw    []string
}

// File is one source, read.
type File struct {
	Name       string
	SHA256     string // of the bytes as they came, hex
	Encoding   string // "UTF-8", "UTF-8 with BOM", "GB18030"
	Records    []Record
	Rejects    []Reject
	Rows       int // data rows seen: Records + Rejects + Duplicates
	Duplicates int // rows skipped because the same row stood earlier in the file

	// ObservedUntil is the latest time that an accepted row tells of (received, replied, closed; never a due time).
	// What happened later is unknown to this file. Zero if it holds no record.
	ObservedUntil time.Time

	idField string              // the column that identifies a row
	known   map[string][]string // the rows taken so far, by id
}

// Options of a reader. The zero value is usable.
type Options struct {
	// Location of times written without a zone. Default: Asia/Shanghai for messages, UTC for Open311.
	Location *time.Location
	// Now bounds what can have happened: later than Now + 24 h is an error in the row. Default: time.Now().
	Now time.Time
	// Province is the name at the top of the tree of places. Default DefaultProvince.
	Province string
	// Source overrides the records' Source; for Open311, where a file's name may change between exports.
	Source string
}

func (o Options) now() time.Time {
	if o.Now.IsZero() {
		return time.Now()
	}
	return o.Now
}

func (o Options) province() string { return cmp.Or(o.Province, DefaultProvince) }

func newFile(name, idField string, data []byte) *File {
	sum := sha256.Sum256(data)
	return &File{Name: name, SHA256: hex.EncodeToString(sum[:]), idField: idField, known: map[string][]string{}}
}

// take enters one row: the record it became or its fault. A row given twice is counted and skipped; an id used twice
// for different rows is a fault of the later one.
func (f *File) take(r Record, bad *fault, raw []string) {
	f.Rows++
	if bad == nil {
		before, twice := f.known[r.ExternalID]
		switch {
		case !twice:
			f.known[r.ExternalID] = raw
			f.accept(r)
			return
		case slices.Equal(before, raw):
			f.Duplicates++
			return
		}
		bad = &fault{f.idField, r.ExternalID, "this id stands earlier in the file with other content; the first one was kept"}
	}
	f.Rejects = append(f.Rejects, Reject{
		File: f.Name, Line: r.Line, Field: bad.field, Value: bad.value, Reason: bad.reason, Raw: raw,
	})
}

// accept adds a record and moves the file's horizon.
func (f *File) accept(r Record) {
	f.Records = append(f.Records, r)
	f.observe(r.ReceivedAt)
	if r.Reply != nil {
		f.observe(r.Reply.At)
	}
}

func (f *File) observe(t time.Time) {
	if t.After(f.ObservedUntil) {
		f.ObservedUntil = t
	}
}

// fault is what is wrong with one row; it becomes a Reject.
type fault struct{ field, value, reason string }
