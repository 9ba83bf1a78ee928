package importer

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// WriteRejects writes rejects as CSV: file, line, field, value, reason, then the row as it stood. Rows with a bad
// number of columns or bad quotes stand as their raw lines. The file holds what citizens wrote: keep it as the source is kept.
func WriteRejects(w io.Writer, rejects []Reject) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"file", "line", "field", "value", "reason", "row"}}
	for _, r := range rejects {
		rows = append(rows, append([]string{r.File, strconv.Itoa(r.Line), r.Field, r.Value, r.Reason}, r.Raw...))
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write reject file: %w", err)
	}
	return nil
}

// Summary is what an import tells its operator about files read. It holds no text of a citizen.
type Summary struct {
	Files, Rows, Records, Rejected, Duplicates int
	Answered, Closed                           int
	Placed                                     int            // records that name a place
	Issues                                     int            // matters after linking repeats, within these files
	Regions                                    int            // distinct regions, parents included
	ByKind                                     map[Kind]int   // records
	RejectReasons                              map[string]int // "field: reason" → rows
	From, Until                                time.Time      // earliest received, latest known
}

// Summarise counts over files read together.
func Summarise(files ...*File) Summary {
	s := Summary{Files: len(files), ByKind: map[Kind]int{}, RejectReasons: map[string]int{}}
	var all []Record
	for _, f := range files {
		s.Rows += f.Rows
		s.Duplicates += f.Duplicates
		s.Rejected += len(f.Rejects)
		for _, r := range f.Rejects {
			s.RejectReasons[strings.TrimPrefix(r.Field+": "+r.Reason, ": ")]++
		}
		if f.ObservedUntil.After(s.Until) {
			s.Until = f.ObservedUntil
		}
		all = append(all, f.Records...)
	}
	for i := range all {
		s.count(&all[i])
	}
	s.Records, s.Regions, s.Issues = len(all), len(Regions(all)), len(GroupRepeats(all))
	return s
}

func (s *Summary) count(r *Record) {
	s.ByKind[r.Kind]++
	if r.Reply != nil {
		s.Answered++
	}
	if r.Closed {
		s.Closed++
	}
	if len(r.Place) > 0 {
		s.Placed++
	}
	if s.From.IsZero() || r.ReceivedAt.Before(s.From) {
		s.From = r.ReceivedAt
	}
}

// String is the summary in a few lines.
func (s Summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d rows in %d files: %d records, %d rejected, %d given twice\n", s.Rows, s.Files, s.Records, s.Rejected, s.Duplicates)
	fmt.Fprintf(&b, "%d answered, %d closed, %d with a place in %d regions, %d matters after linking repeats\n",
		s.Answered, s.Closed, s.Placed, s.Regions, s.Issues)
	if s.Records > 0 {
		fmt.Fprintf(&b, "received from %s, known until %s\n", s.From.Format(time.RFC3339), s.Until.Format(time.RFC3339))
	}
	return b.String()
}
