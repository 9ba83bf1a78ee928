package main

import (
	"context"
	"os"
	"strings"

	"groundwork/internal/app"
)

type exportCommand struct {
	Cells exportCells `cmd:"" help:"The cells of a measure: figures with their intervals."`
	Table exportTable `cmd:"" help:"Counts of issues with totals over each dimension."`

	Extract exportExtract `cmd:"" help:"Single opinions for one research project, under pseudonyms of its own."`
}

// exportOptions are those of every export.
type exportOptions struct {
	By          []string `help:"Dimension to split by: region, category, month, channel or kind; up to three." placeholder:"DIMENSION"`
	RegionLevel string   `help:"Level that regions are rolled up to: province, prefecture, county or township." default:"county" placeholder:"LEVEL"`
	Region      []string `help:"Only issues in this region, with everything below." placeholder:"CODE"`
	Channel     []string `help:"Only issues of this channel." placeholder:"CHANNEL"`
	Kind        []string `help:"Only issues of this kind." placeholder:"KIND"`
	Severity    []string `help:"Only issues of this severity." placeholder:"SEVERITY"`
	From        string   `help:"First day of the measure's anchor, such as the origin." placeholder:"DAY"`
	To          string   `help:"Last day of it." placeholder:"DAY"`
	AsOf        string   `help:"As known at this moment, or at the end of this day; default is now." placeholder:"TIME"`
	Out         string   `help:"File to write, .csv, .parquet or .arrow; its data sheet goes to FILE.md." required:"" type:"path" placeholder:"FILE"`
}

func (o exportOptions) job(c *Common) app.ExportJob {
	return app.ExportJob{
		Config: c.config(), Out: o.Out, By: o.By, RegionLevel: o.RegionLevel, Regions: o.Region, Channels: o.Channel, Kinds: o.Kind,
		Severities: o.Severity, From: o.From, To: o.To, AsOf: o.AsOf, Say: os.Stdout,
	}
}

// command is what makes the same file again: without addresses and file names, which are of one machine.
func (o exportOptions) command(what string) string {
	parts := []string{"groundwork export", what}
	for _, f := range []struct {
		name   string
		values []string
	}{
		{"by", o.By}, {"region-level", []string{o.RegionLevel}}, {"region", o.Region}, {"channel", o.Channel}, {"kind", o.Kind}, {"severity", o.Severity},
		{"from", []string{o.From}}, {"to", []string{o.To}}, {"as-of", []string{o.AsOf}},
	} {
		if value := strings.Join(f.values, ","); value != "" {
			parts = append(parts, "--"+f.name, value)
		}
	}
	return strings.Join(parts, " ")
}

type exportCells struct {
	exportOptions
	Measure string `help:"Code of the measure, as in docs/measures.md." required:"" placeholder:"CODE"`
}

func (exportCells) Help() string {
	return `Writes aggregates only: no texts, no persons, no places finer than a township. Small cells are hidden, and as many others as totals
would give away; nothing switches that off. Beside the file stands its data sheet.

Examples:
  groundwork export cells --measure T1 --by region,month --out response.parquet
  groundwork export cells --measure T2 --by category --from 2026-01-01 --to 2026-06-30 --out resolution.csv`
}

func (e exportCells) Run(ctx context.Context, c *Common) error {
	job := e.job(c)
	job.Command = e.command("cells --measure " + e.Measure)
	return job.Cells(ctx, e.Measure)
}

type exportTable struct{ exportOptions }

func (exportTable) Help() string {
	return `Counts are rounded to multiples of 5. TOTAL stands where a dimension is not split. Combinations that are not listed have no issues.

Example:
  groundwork export table --by region,category --out issues.csv`
}

func (e exportTable) Run(ctx context.Context, c *Common) error {
	job := e.job(c)
	job.Command = e.command("table")
	return job.Counts(ctx)
}

// exportExtract takes fewer options than the others: what an extract can be split and filtered by is fixed.
type exportExtract struct {
	ProjectKey      string   `help:"File with the key of the project, for its pseudonyms." required:"" type:"path" placeholder:"FILE"`
	RegionLevel     string   `help:"Level that regions are rolled up to: province, prefecture, county or township." default:"township" placeholder:"LEVEL"`
	Region          []string `help:"Only opinions from this region, with everything below." placeholder:"CODE"`
	WithoutCategory []string `help:"Code of a sensitive category, left out with everything below." placeholder:"CODE"`
	From            string   `help:"First day of receipt." placeholder:"DAY"`
	To              string   `help:"Last day of receipt." placeholder:"DAY"`
	Out             string   `help:"File to write, .csv, .parquet or .arrow; its data sheet goes to FILE.md." required:"" type:"path" placeholder:"FILE"`
}

func (exportExtract) Help() string {
	return `For a project that has been approved, never for publication. Rows are so coarse (region, month, category, channel) that each is shared by five
reporters at least who do not all want the same; what reports wrongs or is confidential is left out. Reporters get pseudonyms made with the project's
key: the same in every extract of the project, different in every other. Destroy the key when the project ends.

Example:
  (umask 077; openssl rand -hex 32 > roads.key)
  groundwork export extract --project-key roads.key --without-category 0900 --out roads.parquet`
}

func (e exportExtract) Run(ctx context.Context, c *Common) error {
	job := app.ExportJob{Config: c.config(), Out: e.Out, RegionLevel: e.RegionLevel, Regions: e.Region, From: e.From, To: e.To, Say: os.Stdout,
		Command: exportOptions{RegionLevel: e.RegionLevel, Region: e.Region, From: e.From, To: e.To}.command("extract --project-key FILE")}
	if len(e.WithoutCategory) > 0 {
		job.Command += " --without-category " + strings.Join(e.WithoutCategory, ",")
	}
	return job.Extract(ctx, e.ProjectKey, e.WithoutCategory)
}
