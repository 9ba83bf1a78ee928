package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/schollz/progressbar/v3"

	"groundwork"
	"groundwork/internal/importer"
)

// maxImportBytes bounds one source, since it is read whole so that repeats and times can be seen together.
const maxImportBytes = 1 << 30

// ImportJob is one `groundwork import …`.
type ImportJob struct {
	Config
	DryRun        bool
	Replace       bool           // holidays: days of the files' years that they do not name become ordinary again; neighbours: other listed pairs go
	ObservedUntil time.Time      // zero = the latest time in each file
	Location      *time.Location // of times that name none; nil = the importer's default
	Province      string
	Rejects       string // file for refused rows
	Quiet         bool
	Out, ErrOut   io.Writer
}

// Messages imports CSV files of a message board, one after the other.
func (j ImportJob) Messages(ctx context.Context, files []string) error {
	var sources []*importer.File
	for _, name := range files {
		data, err := importer.Load(ctx, name, maxImportBytes)
		if err != nil {
			return err
		}
		file, err := importer.ReadMessages(data, name, importer.Options{Location: j.Location, Province: j.Province})
		if err != nil {
			return err
		}
		sources = append(sources, file)
	}
	return j.run(ctx, importer.SourceMessageBoard, sources)
}

// Open311 imports the service requests of a GeoReport v2 source.
func (j ImportJob) Open311(ctx context.Context, source, name string) error {
	data, err := importer.Load(ctx, source, maxImportBytes)
	if err != nil {
		return err
	}
	name = "open311:" + open311Name(source, name)
	file, err := importer.ReadOpen311(data, source, importer.Options{Location: j.Location, Source: name})
	if err != nil {
		return err
	}
	return j.run(ctx, name, []*importer.File{file})
}

// open311Name names the source: as told, else the host of its URL, else the file's name without its ending.
func open311Name(source, name string) string {
	if name != "" {
		return name
	}
	if u, err := url.Parse(source); err == nil && u.Host != "" {
		return u.Hostname()
	}
	base := filepath.Base(source)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// importActor stands for the person at the command line.
var importActor = groundwork.Actor{ID: "import", Role: groundwork.RoleSystem}

// run writes the refused rows, then takes in the files.
func (j ImportJob) run(ctx context.Context, source string, files []*importer.File) error {
	if err := writeRejects(j.Rejects, files, func(f *importer.File) []importer.Reject { return f.Rejects }); err != nil {
		return err
	}
	store, err := j.openWithKey(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	for _, file := range files {
		result, err := j.take(ctx, store, source, file)
		if err != nil {
			return fmt.Errorf("import %s: %w", file.Name, err)
		}
		j.report(file, result)
	}
	return nil
}

// take imports one file: repeats are linked with what the store has already, then the batch goes in.
func (j ImportJob) take(ctx context.Context, store groundwork.Importer, source string, file *importer.File) (groundwork.ImportResult, error) {
	known, err := store.ImportedOpinions(ctx, source, reporters(file.Records))
	if err != nil {
		return groundwork.ImportResult{}, err
	}
	until := file.ObservedUntil
	if !j.ObservedUntil.IsZero() {
		if j.ObservedUntil.Before(until) {
			return groundwork.ImportResult{}, fmt.Errorf("--observed-until %s lies before %s, a time in the file: the file knows of later days than that",
				j.ObservedUntil.Format(time.RFC3339), until.Format(time.RFC3339))
		}
		until = j.ObservedUntil
	}
	bar := j.bar(file.Name, len(file.Records))
	return store.Import(ctx, groundwork.ImportBatch{
		Source: source, FileName: filepath.Base(file.Name), SHA256: file.SHA256, ObservedUntil: until,
		RowsRead: file.Rows, RowsRejected: len(file.Rejects), Rows: importRows(file.Records, known), DryRun: j.DryRun,
	}, func(done int) { _ = bar.Set(done) })
}

// bar shows how far the import of a file is.
func (j ImportJob) bar(file string, rows int) *progressbar.ProgressBar {
	return progressbar.NewOptions(rows, progressbar.OptionSetWriter(j.ErrOut), progressbar.OptionSetVisibility(!j.Quiet && rows > 0),
		progressbar.OptionSetDescription(filepath.Base(file)), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionOnCompletion(func() { fmt.Fprintln(j.ErrOut) }))
}

func reporters(records []importer.Record) []string {
	seen := map[string]bool{}
	var keys []string
	for _, r := range records {
		if r.ReporterKey != "" && !seen[r.ReporterKey] {
			seen[r.ReporterKey] = true
			keys = append(keys, r.ReporterKey)
		}
	}
	return keys
}

// importRows turns records into rows of a batch, each with the matter that it belongs to.
func importRows(records []importer.Record, known []groundwork.ImportedOpinion) []groundwork.ImportRow {
	existing := make([]importer.Linked, len(known))
	for i, o := range known {
		existing[i] = importer.Linked{Issue: o.IssueID.String(), Record: importer.Record{
			Source: records[0].Source, ExternalID: o.ExternalID, ReporterKey: o.Reporter, Subject: o.Subject, Text: o.Text,
			ReceivedAt: o.ReceivedAt, Place: o.Place,
		}}
	}
	rows := make([]groundwork.ImportRow, len(records))
	matters := map[int]uuid.UUID{} // by the index of the record that opens the issue
	for i, a := range importer.Link(existing, records) {
		rows[i] = importRow(&records[i])
		if a.Issue != "" {
			rows[i].Matter, rows[i].MatterExists = uuid.MustParse(a.Issue), true // it came from the store as a UUID
		} else {
			if _, ok := matters[a.Lead]; !ok {
				matters[a.Lead] = uuid.Must(uuid.NewV7())
			}
			rows[i].Matter = matters[a.Lead]
		}
		if a.Issue != "" || a.Lead != i {
			rows[i].LinkScore = &a.Score
		}
	}
	return rows
}

func importRow(r *importer.Record) groundwork.ImportRow {
	row := groundwork.ImportRow{
		Line: r.Line, ExternalID: r.ExternalID, ReporterKey: r.ReporterKey, Subject: r.Subject, Text: r.Text,
		Channel: groundwork.Channel(r.Channel), Kind: groundwork.OpinionKind(r.Kind),
		ReceivedAt: r.ReceivedAt, ReceivedPrecision: groundwork.Precision(r.ReceivedPrecision), OccurredAt: r.OccurredAt, DueAt: r.DueAt,
		CategoryCode: r.CategoryCode, CategoryPath: r.CategoryPath, Latitude: r.Lat, Longitude: r.Lon, Supported: r.Supported, Opposed: r.Opposed,
	}
	if r.Reply != nil {
		row.Reply = &groundwork.ImportReply{Text: r.Reply.Text, At: r.Reply.At, Precision: groundwork.Precision(r.Reply.Precision)}
	}
	for n := 1; n <= len(r.Place); n++ {
		p := r.Place[:n]
		row.Region = append(row.Region, groundwork.ImportRegion{Code: p.Code(), Level: groundwork.RegionLevel(p.Level()), Name: p[n-1]})
	}
	return row
}

// writeRejects writes the refused rows of all files to the file of the name. They hold what citizens wrote, so only the owner can
// read it.
func writeRejects[F any](name string, files []F, of func(F) []importer.Reject) error {
	var rejects []importer.Reject
	for _, file := range files {
		rejects = append(rejects, of(file)...)
	}
	if len(rejects) == 0 {
		return nil
	}
	out, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write refused rows: %w: name another file by --rejects", err)
	}
	return errors.Join(importer.WriteRejects(out, rejects), out.Close())
}

func (j ImportJob) report(file *importer.File, r groundwork.ImportResult) {
	fmt.Fprintf(j.Out, "%s (%s)%s\n", file.Name, file.Encoding, j.dryRunNote())
	for line := range strings.Lines(importer.Summarise(file).String()) {
		fmt.Fprintf(j.Out, "  %s", line)
	}
	fmt.Fprintf(j.Out, "  opinions: %d new, %d changed, %d known already\n", r.OpinionsAdded, r.OpinionsChanged, r.OpinionsKnown)
	fmt.Fprintf(j.Out, "  issues:   %d new, %d changed; claims: %d new\n", r.IssuesAdded, r.IssuesChanged, r.ClaimsAdded)
	fmt.Fprintf(j.Out, "  regions:  %d new; categories: %d new\n", r.RegionsAdded, r.CategoriesAdded)
	j.reportRejects(file.Rejects)
}

func (j ImportJob) reportRejects(rejects []importer.Reject) {
	if len(rejects) > 0 {
		first := rejects[0]
		fmt.Fprintf(j.Out, "  refused:  %d rows, written to %s; the first: line %d, %s %q: %s\n", len(rejects), j.Rejects, first.Line, first.Field, first.Value, first.Reason)
	}
}

func (j ImportJob) dryRunNote() string {
	if j.DryRun {
		return " (dry run: nothing was kept)"
	}
	return ""
}
