package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"groundwork/internal/app"
)

type importCommand struct {
	Messages      importMessages      `cmd:"" help:"CSV files of a message board, answered or open."`
	Open311       importOpen311       `cmd:"" name:"open311" help:"Service requests of an Open311 GeoReport v2 server, from a file or its URL."`
	Regions       importRegions       `cmd:"" help:"CSV files of regions."`
	Populations   importPopulations   `cmd:"" help:"CSV files of how many people live in which region."`
	Boundaries    importBoundaries    `cmd:"" help:"GeoJSON files of the outlines of regions; which regions touch follows from them."`
	Neighbours    importNeighbours    `cmd:"" help:"CSV files of pairs of regions that touch."`
	Sites         importSites         `cmd:"" help:"CSV files of the places that visits go to."`
	Units         importUnits         `cmd:"" help:"CSV files of units."`
	Officials     importOfficials     `cmd:"" help:"CSV files of the posts that officials hold, under pseudonyms."`
	Categories    importCategories    `cmd:"" help:"CSV files of the tree of categories."`
	DispatchRules importDispatchRules `cmd:"" help:"CSV files of the dispatch catalogue."`
	Targets       importTargets       `cmd:"" help:"CSV files of what is promised for issues."`
	Holidays      importHolidays      `cmd:"" help:"CSV files of the working calendar, or the bundled one."`
}

// importOptions are those of every import of opinions.
type importOptions struct {
	DryRun        bool   `help:"Read and check everything, keep nothing."`
	ObservedUntil string `help:"The day or moment up to which the files speak; default is the latest time in each file." placeholder:"TIME"`
	Rejects       string `help:"File that refused rows are written to." default:"rejects.csv" type:"path" placeholder:"FILE"`
	Timezone      string `help:"Time zone of times that do not name one." placeholder:"ZONE"`
	Quiet         bool   `short:"q" help:"No progress bar."`
}

func (o importOptions) job(c *Common) (app.ImportJob, error) {
	job := app.ImportJob{Config: c.config(), DryRun: o.DryRun, Rejects: o.Rejects, Quiet: o.Quiet, Out: os.Stdout, ErrOut: os.Stderr}
	location, err := time.LoadLocation(o.Timezone)
	if err != nil {
		return job, fmt.Errorf("--timezone %q is unknown: use a name such as Asia/Shanghai or America/Los_Angeles", o.Timezone)
	}
	if o.Timezone != "" {
		job.Location = location
	}
	if o.ObservedUntil == "" {
		return job, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, o.ObservedUntil, location); err == nil {
			job.ObservedUntil = t
			return job, nil
		}
	}
	return job, fmt.Errorf("--observed-until %q is no time: write 2020-01-31, \"2020-01-31 18:00:00\" or 2020-01-31T18:00:00+08:00", o.ObservedUntil)
}

type importMessages struct {
	importOptions
	Province string   `help:"Name of the province that the places lie in." default:"西地省"`
	Files    []string `arg:"" name:"file" help:"CSV files with the columns id, user, subject, posted_at, text and, where answered, reply and replied_at." type:"existingfile"`
}

func (importMessages) Help() string {
	return `Every row becomes an opinion with its real time; repeats of one reporter on one matter become one issue; a reply becomes a claim,
never a confirmation. The same file twice changes nothing; a file that grew adds what is new. Refused rows go to --rejects with
their line and the reason, the rest goes in.

Examples:
  groundwork import messages answered.csv open.csv
  groundwork import messages --dry-run answered.csv
  groundwork import messages --observed-until 2020-01-31 open.csv`
}

func (i importMessages) Run(ctx context.Context, c *Common) error {
	job, err := i.job(c)
	if err != nil {
		return err
	}
	job.Province = i.Province
	return job.Messages(ctx, i.Files)
}

type importOpen311 struct {
	importOptions
	Source string `arg:"" help:"A JSON file of service requests, or the URL of a GeoReport v2 requests resource."`
	Name   string `help:"Name of the source; default is the host of the URL or the file's name." placeholder:"NAME"`
}

func (importOpen311) Help() string {
	return `A closed request becomes a claim at its closing time: the source knows that it was closed, not that the citizen agrees.

Examples:
  groundwork import open311 --timezone America/Los_Angeles requests.json
  groundwork import open311 https://example.org/open311/v2/requests.json`
}

func (i importOpen311) Run(ctx context.Context, c *Common) error {
	job, err := i.job(c)
	if err != nil {
		return err
	}
	return job.Open311(ctx, i.Source, i.Name)
}
