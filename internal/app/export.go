package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"groundwork"
	"groundwork/internal/export"
	"groundwork/warehouse"
)

// ExportJob is one `groundwork export …`.
type ExportJob struct {
	Config
	Out         string // the file; its ending says the format
	By          []string
	RegionLevel string // PROVINCE, PREFECTURE, COUNTY or TOWNSHIP
	Regions     []string
	Channels    []string
	Kinds       []string
	Severities  []string
	From, To    string // days of origin, the last one included; empty = open
	AsOf        string // a time, or a day, whose end it is; empty = now
	Command     string // as it was given, for the data sheet
	Say         io.Writer
}

// What a published table may be: rules of privacy that suppression alone does not keep.
const (
	maxExportDims  = 3       // beyond, cells are so small that hardly any would be shown
	minExportDays  = 7       // shorter windows tell single events apart
	maxExportCells = 100_000 // of a measure, before totals
)

// Cells exports the cells of a measure.
func (j ExportJob) Cells(ctx context.Context, code string) error {
	measure, ok := warehouse.MeasureByCode(code)
	if !ok {
		var codes []string
		for _, m := range warehouse.Registry() {
			codes = append(codes, m.Code)
		}
		return fmt.Errorf("--measure %q is unknown: give one of %s (docs/measures.md)", code, strings.Join(codes, ", "))
	}
	return j.run(ctx, measure.Definition, func(m *warehouse.Measures, q warehouse.Query) (*warehouse.Table, []export.Column, error) {
		question := warehouse.Question{Query: q, From: q.Where.OriginFrom, To: q.Where.OriginTo}
		question.Where.OriginFrom, question.Where.OriginTo, question.Protect = nil, nil, true // the window is of the measure's own anchor
		table, err := m.Ask(ctx, measure.Code, question)
		if err != nil {
			return nil, nil, err
		}
		if table.Truncated {
			return nil, nil, fmt.Errorf("the table has more than %d cells; split by less, or narrow the filter", maxExportCells)
		}
		return table, export.MeasureColumns(table), nil
	})
}

// countDefinition says what the counts of a table are.
var countDefinition = warehouse.Definition{
	Code: "COUNT", Version: "1", Name: "Issues", ChineseName: "问题数", Meaning: "How many issues there are, with totals over each dimension.",
	Numerator: "Issues with origin in the window, except merged ones.", Anchor: "RECEIVED", Method: "census",
}

// Counts exports a table of counts with its totals.
func (j ExportJob) Counts(ctx context.Context) error {
	return j.run(ctx, countDefinition, func(m *warehouse.Measures, q warehouse.Query) (*warehouse.Table, []export.Column, error) {
		table, err := m.Microtable(ctx, q)
		if err != nil {
			return nil, nil, err
		}
		return table, export.CountColumns(table), nil
	})
}

func (j ExportJob) run(ctx context.Context, d warehouse.Definition, answer func(*warehouse.Measures, warehouse.Query) (*warehouse.Table, []export.Column, error)) error {
	if err := export.CheckName(j.Out); err != nil {
		return fmt.Errorf("--out %w", err)
	}
	query, err := j.query()
	if err != nil {
		return err
	}
	house, err := j.openWarehouse(ctx)
	if err != nil {
		return err
	}
	defer house.Close()
	table, columns, err := answer(warehouse.NewMeasures(house), query)
	if err != nil {
		return byOption(err)
	}
	data, err := export.Encode(j.Out, columns)
	if err != nil {
		return err
	}
	if j.AsOf == "" { // so that the command makes the same figures again
		j.Command += " --as-of " + table.AsOf.UTC().Format(time.RFC3339Nano)
	}
	sheet := export.Sheet{File: filepath.Base(j.Out), Definition: d, Table: table, Columns: columns, Filters: j.filters(query.Where), Command: j.Command}
	if err := writeWhole(j.Out, data); err != nil {
		return err
	}
	if err := writeWhole(j.Out+".md", sheet.Markdown(data)); err != nil {
		return err
	}
	hidden := 0
	for _, on := range table.Flags["suppressed"] {
		if on {
			hidden++
		}
	}
	fmt.Fprintf(j.Say, "%s: %d rows, %d of them hidden; what it is stands in %s.md\n", j.Out, len(table.N), hidden, j.Out)
	if hidden > 0 && hidden == len(table.N) {
		fmt.Fprintln(j.Say, "every row is hidden, since too few people stand behind each: split by less, roll regions up to a higher level, or take a longer window")
	}
	return nil
}

// optionOf names the option that fills a field of a question.
var optionOf = map[string]string{"By": "--by", "Where.Regions": "--region", "AsOf": "--as-of", "To": "--to", "Where.OriginTo": "--to", "WithoutCategories": "--without-category"}

// byOption names the option to blame, where the warehouse names the field.
func byOption(err error) error {
	if e, ok := errors.AsType[*warehouse.InputError](err); ok && optionOf[e.Field] != "" {
		return fmt.Errorf("%s: %s", optionOf[e.Field], e.Message)
	}
	return err
}

// query turns the options into a question, and refuses what may not be published.
func (j ExportJob) query() (q warehouse.Query, err error) {
	if len(j.By) > maxExportDims {
		return q, fmt.Errorf("--by is given %d times: split by at most %d", len(j.By), maxExportDims)
	}
	for _, by := range j.By {
		q.By = append(q.By, warehouse.Dimension(strings.ToUpper(by)))
	}
	q.RegionLevel = strings.ToUpper(j.RegionLevel)
	if !slices.Contains([]string{"PROVINCE", "PREFECTURE", "COUNTY", "TOWNSHIP"}, q.RegionLevel) {
		return q, fmt.Errorf("--region-level %q: give province, prefecture, county or township; nothing finer is published", j.RegionLevel)
	}
	q.Where.Regions = j.Regions
	if q.Where.Channels, err = words("--channel", j.Channels, groundwork.Channels); err != nil {
		return q, err
	}
	if q.Where.Kinds, err = words("--kind", j.Kinds, groundwork.OpinionKinds); err != nil {
		return q, err
	}
	if q.Where.Severities, err = words("--severity", j.Severities, groundwork.Severities); err != nil {
		return q, err
	}
	q.Limit = maxExportCells
	if q.AsOf, err = momentOption("--as-of", j.AsOf); err != nil {
		return q, err
	}
	if q.Where.OriginFrom, err = dayOption("--from", j.From, 0); err != nil {
		return q, err
	}
	if q.Where.OriginTo, err = dayOption("--to", j.To, 1); err != nil {
		return q, err
	}
	if from, to := q.Where.OriginFrom, q.Where.OriginTo; from != nil && to != nil && !from.Before(*to) {
		return q, fmt.Errorf("--to %s lies before --from %s", j.To, j.From)
	} else if from != nil && to != nil && to.Before(from.AddDate(0, 0, minExportDays)) {
		return q, fmt.Errorf("--from %s --to %s: a window of fewer than %d days tells single events apart; make it longer", j.From, j.To, minExportDays)
	}
	return q, nil
}

// words reads the values of an option, of which there are those.
func words[T ~string](option string, given []string, known []T) (all []string, err error) {
	for _, w := range given {
		if w = strings.ToUpper(w); !slices.Contains(known, T(w)) {
			return nil, fmt.Errorf("%s %q is unknown; give one of %s", option, w, strings.ToLower(strings.Join(groundwork.Texts(known), ", ")))
		}
		all = append(all, w)
	}
	return all, nil
}

// dayOption reads a day in China and returns its beginning, or that of a later day.
func dayOption(option, value string, later int) (*time.Time, error) {
	if value == "" {
		return nil, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, value, groundwork.China)
	if err != nil {
		return nil, fmt.Errorf("%s %q is no day: write it like 2026-01-31", option, value)
	}
	return new(t.AddDate(0, 0, later)), nil
}

// momentOption reads a time, or a day in China, whose end is meant.
func momentOption(option, value string) (*time.Time, error) {
	if t, err := time.Parse(time.RFC3339, value); err == nil {
		return &t, nil
	}
	end, err := dayOption(option, value, 1)
	if err != nil {
		return nil, fmt.Errorf("%s %q is no time: write it like 2026-01-31T18:00:00+08:00, or 2026-01-31 for the end of that day", option, value)
	}
	return end, nil
}

func (j ExportJob) filters(w warehouse.Filter) (all [][2]string) {
	for _, f := range []struct {
		name   string
		values []string
	}{
		{"regions, with everything below", w.Regions}, {"channels", w.Channels}, {"kinds", w.Kinds}, {"severities", w.Severities},
		{"origin from", []string{j.From}}, {"origin to, included", []string{j.To}},
	} {
		if text := strings.Join(f.values, ", "); text != "" {
			all = append(all, [2]string{f.name, text})
		}
	}
	return all
}

// writeWhole writes a file so that it is there whole or not at all.
func writeWhole(name string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(name), ".export-*")
	if err != nil {
		return fmt.Errorf("write %s: %w: name a file in a directory that is there and can be written", name, err)
	}
	_, err = file.Write(data)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
