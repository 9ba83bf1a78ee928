package main

import (
	"context"
	"os"

	"groundwork/internal/app"
)

// referenceOptions are those of every import of reference data.
type referenceOptions struct {
	DryRun  bool   `help:"Read and check everything, keep nothing."`
	Rejects string `help:"File that refused rows are written to." default:"rejects.csv" type:"path" placeholder:"FILE"`
	Quiet   bool   `short:"q" help:"No progress bar."`
}

func (o referenceOptions) job(c *Common) app.ImportJob {
	return app.ImportJob{Config: c.config(), DryRun: o.DryRun, Rejects: o.Rejects, Quiet: o.Quiet, Out: os.Stdout, ErrOut: os.Stderr}
}

type importRegions struct {
	referenceOptions
	Files []string `arg:"" name:"file" help:"CSV files with the columns code, name and, optional, level, parent, latitude, longitude, urban_rural, valid_from, valid_to." type:"existingfile"`
}

func (importRegions) Help() string {
	return `Level and parent follow from the 12 digits of the code where the file leaves them out. A region that is there changes where the file
says something else; it keeps its level.

Example:
  groundwork import regions regions.csv`
}

func (i importRegions) Run(ctx context.Context, c *Common) error {
	return i.job(c).Regions(ctx, i.Files)
}

type importSites struct {
	referenceOptions
	Files []string `arg:"" name:"file" help:"CSV files with the columns region, kind, name and, optional, latitude, longitude, eligible_from, eligible_to." type:"existingfile"`
}

func (importSites) Help() string {
	return `Sites are what visits go to: FACTORY, RURAL, COMMUNITY, SCHOOL, HOSPITAL, GOVT_WINDOW or OTHER, in a region given by its code.

Example:
  groundwork import sites sites.csv`
}

func (i importSites) Run(ctx context.Context, c *Common) error { return i.job(c).Sites(ctx, i.Files) }

type importUnits struct {
	referenceOptions
	Files []string `arg:"" name:"file" help:"CSV files with the columns name, kind and, optional, region, parent, parent_region." type:"existingfile"`
}

func (importUnits) Help() string {
	return `Units are PARTY, GOVT, UTILITY or ENTERPRISE. Where several regions have a unit of the parent's name, parent_region tells which.

Example:
  groundwork import units units.csv`
}

func (i importUnits) Run(ctx context.Context, c *Common) error { return i.job(c).Units(ctx, i.Files) }

type importOfficials struct {
	referenceOptions
	Files []string `arg:"" name:"file" help:"CSV files with the columns pseudonym, unit, rank, title, held_from and, optional, unit_region, held_to." type:"existingfile"`
}

func (importOfficials) Help() string {
	return `One row for each post that an official holds or held. Officials stand here under pseudonyms: a file with names is not read.

Example:
  groundwork import officials officials.csv`
}

func (i importOfficials) Run(ctx context.Context, c *Common) error {
	return i.job(c).Officials(ctx, i.Files)
}

type importHolidays struct {
	referenceOptions
	Replace bool     `help:"Days of the files' years that they do not name become ordinary again."`
	Files   []string `arg:"" optional:"" name:"file" help:"CSV files with the columns date, day (WORK or REST) and, optional, note; the bundled one if none is named." type:"existingfile"`
}

func (importHolidays) Help() string {
	return `Every day is worked from Monday to Friday unless the calendar says otherwise. "groundwork up" fills an empty calendar with the bundled
file, which has mainland China's public holidays and make-up working days of 2023 to 2026. Deadlines in working days follow the calendar.

Examples:
  groundwork import holidays
  groundwork import holidays --replace 2027.csv`
}

func (i importHolidays) Run(ctx context.Context, c *Common) error {
	job := i.job(c)
	job.Replace = i.Replace
	return job.Holidays(ctx, i.Files)
}

type importCategories struct {
	referenceOptions
	Files []string `arg:"" name:"file" help:"CSV files with the columns level1 and, optional, level2, level3, level4, code, audited_minimum_minutes." type:"existingfile"`
}

func (importCategories) Help() string {
	return `The tree that issues are sorted by. Categories above a row's come with it. Without a code, a category gets that of the one above and
the next free number of two digits. Categories that have none below them are the services of Open311.
The audited minimum is the shortest time in which such a matter can be done (measure F5); without one that of the category above holds, else ten minutes.

Example:
  groundwork import categories categories.csv`
}

func (i importCategories) Run(ctx context.Context, c *Common) error {
	return i.job(c).Categories(ctx, i.Files)
}

type importDispatchRules struct {
	referenceOptions
	Files []string `arg:"" name:"file" help:"CSV files with the columns category, region_level, unit, basis, valid_from and, optional, unit_region, valid_to." type:"existingfile"`
}

func (importDispatchRules) Help() string {
	return `The catalogue that dispatch is guarded by: which unit handles a category at a level of region, on what basis, from when to when.

Example:
  groundwork import dispatch-rules rules.csv`
}

func (i importDispatchRules) Run(ctx context.Context, c *Common) error {
	return i.job(c).DispatchRules(ctx, i.Files)
}

type importTargets struct {
	referenceOptions
	Files []string `arg:"" name:"file" help:"CSV files with the columns severity, ack_minutes, response_minutes, resolution_minutes, time_base, published_at, valid_from and, optional, category." type:"existingfile"`
}

func (importTargets) Help() string {
	return `What is promised for issues: how soon they are accepted, answered and done, in minutes of wall (WALL) or working time (WORKING). Without a category, a
row is for all that have none of their own. What was promised never changes: a better promise is a row with a later valid_from.

Example:
  groundwork import targets targets.csv`
}

func (i importTargets) Run(ctx context.Context, c *Common) error {
	return i.job(c).Targets(ctx, i.Files)
}

type importPopulations struct {
	referenceOptions
	Files []string `arg:"" name:"file" help:"CSV files with the columns code, name, year, persons, source." type:"existingfile"`
}

func (importPopulations) Help() string {
	return `Populations make rates possible: hotspots are issues per person-year. A region that has none is listed, never guessed.

Example:
  groundwork import populations populations.csv`
}

func (i importPopulations) Run(ctx context.Context, c *Common) error {
	return i.job(c).Populations(ctx, i.Files)
}
