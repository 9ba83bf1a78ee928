package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"groundwork/etl"
)

// ETLRebuild says what to build anew.
type ETLRebuild struct {
	Tables   []string // of Postgres; none = all
	DryRun   bool
	Yes      bool      // the operator has confirmed
	Progress io.Writer // nil = none
}

// ErrUnconfirmed says that a command that copies much data was not confirmed.
var ErrUnconfirmed = errors.New("nothing was done: add --yes to do it, or --dry-run to see what it takes")

// Rebuild builds tables of the warehouse anew beside the old ones, and puts them in their place.
func (j ETLJob) Rebuild(ctx context.Context, what ETLRebuild) error {
	return j.do(ctx, func(o *etl.Operator) error {
		if what.DryRun || !what.Yes {
			planned, err := o.PlanRebuild(ctx, what.Tables)
			if err == nil {
				err = j.tellRebuild(planned)
			}
			if err == nil && !what.DryRun {
				err = ErrUnconfirmed
			}
			return err
		}
		done, err := o.Rebuild(ctx, what.Tables, rebuildProgress(what.Progress))
		if len(done) == 0 {
			return err
		}
		return errors.Join(err, j.tellRebuild(done))
	})
}

// rebuildProgress writes a line whenever something has moved, at most every second.
func rebuildProgress(out io.Writer) func([]etl.RebuildTable) {
	if out == nil {
		return nil
	}
	began, told, last := time.Now(), time.Time{}, ""
	return func(tables []etl.RebuildTable) {
		done, rows, bytes, bytesDone := 0, int64(0), int64(0), int64(0)
		for _, t := range tables {
			if t.State == "done" || t.State == "failed" {
				done++
			}
			if t.State != "waiting" {
				rows += t.Rows
			}
			bytes, bytesDone = bytes+t.Bytes, bytesDone+t.BytesDone
		}
		took := time.Since(began)
		line := fmt.Sprintf("%d of %d tables, %d rows, %s of %s", done, len(tables), rows, bytesText(bytesDone), bytesText(bytes))
		if line == last || time.Since(told) < time.Second && done < len(tables) {
			return
		}
		told, last = time.Now(), line
		if bytesDone > 0 && bytesDone < bytes {
			left := time.Duration(float64(took) * float64(bytes-bytesDone) / float64(bytesDone))
			line += fmt.Sprintf(", %.0f rows/s, about %s left", float64(rows)/took.Seconds(), left.Round(time.Second))
		}
		fmt.Fprintln(out, line)
	}
}

func (j ETLJob) tellRebuild(tables []etl.RebuildTable) error {
	if j.JSON {
		return j.writeJSON(tables)
	}
	w := tabwriter.NewWriter(j.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "table\twarehouse\tstate\trows\tin Postgres\tin the warehouse")
	var bytes, mirror int64
	for _, t := range tables {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", t.Table, t.Mirror, t.State, t.Rows, bytesText(t.Bytes), bytesText(t.MirrorBytes))
		bytes, mirror = bytes+t.Bytes, mirror+t.MirrorBytes
	}
	fmt.Fprintf(w, "together\t\t\t\t%s\t%s\n", bytesText(bytes), bytesText(mirror))
	return w.Flush()
}

// loadText tells how far a load or a rebuild has come.
func loadText(l etl.LoadReport) string {
	text := fmt.Sprintf("%s: %d rows, %s of %s, range %d of %d, %.0f rows/s", l.Table, l.Rows, bytesText(l.BytesDone), bytesText(l.Bytes), l.RangesDone, l.Ranges, l.RowRate)
	if l.SecondsLeft > 0 {
		text += fmt.Sprintf(", about %s left", (time.Duration(l.SecondsLeft) * time.Second).Round(time.Second))
	}
	return text
}
