package app

import (
	"context"
	"fmt"

	"groundwork"
	"groundwork/internal/importer"
	"groundwork/internal/importer/holidays"
	"groundwork/postgres"
)

// referenceFile is one kind of file of reference data: how it is read and where it goes.
type referenceFile[T any] struct {
	things string // what its rows are, in the plural
	read   func(data []byte, name string) (*importer.Table[T], error)
	take   func(db *postgres.DB, ctx context.Context, rows []T, o groundwork.ReferenceOptions) (groundwork.ReferenceResult, error)
}

// asImporter makes a referenceFile's last part of a method of the store.
func asImporter[T any](method func(*postgres.DB, context.Context, groundwork.Actor, []T, groundwork.ReferenceOptions) (groundwork.ReferenceResult, error)) func(*postgres.DB, context.Context, []T, groundwork.ReferenceOptions) (groundwork.ReferenceResult, error) {
	return func(db *postgres.DB, ctx context.Context, rows []T, o groundwork.ReferenceOptions) (groundwork.ReferenceResult, error) {
		return method(db, ctx, importActor, rows, o)
	}
}

// Regions imports regions.
func (j ImportJob) Regions(ctx context.Context, files []string) error {
	return importFiles(ctx, j, files, referenceFile[groundwork.RegionRow]{"regions", importer.ReadRegions, asImporter((*postgres.DB).ImportRegions)})
}

// Sites imports the places that visits go to.
func (j ImportJob) Sites(ctx context.Context, files []string) error {
	return importFiles(ctx, j, files, referenceFile[groundwork.SiteRow]{"sites", importer.ReadSites, asImporter((*postgres.DB).ImportSites)})
}

// Units imports units.
func (j ImportJob) Units(ctx context.Context, files []string) error {
	return importFiles(ctx, j, files, referenceFile[groundwork.UnitRow]{"units", importer.ReadUnits, asImporter((*postgres.DB).ImportUnits)})
}

// Officials imports the posts that officials hold.
func (j ImportJob) Officials(ctx context.Context, files []string) error {
	return importFiles(ctx, j, files, referenceFile[groundwork.OfficialRow]{"posts", importer.ReadOfficials, asImporter((*postgres.DB).ImportOfficials)})
}

// Categories imports a tree of categories.
func (j ImportJob) Categories(ctx context.Context, files []string) error {
	return importFiles(ctx, j, files, referenceFile[groundwork.CategoryRow]{"categories", importer.ReadCategories, asImporter((*postgres.DB).ImportCategories)})
}

// DispatchRules imports the dispatch catalogue.
func (j ImportJob) DispatchRules(ctx context.Context, files []string) error {
	return importFiles(ctx, j, files, referenceFile[groundwork.DispatchRuleRow]{"dispatch rules", importer.ReadDispatchRules, asImporter((*postgres.DB).ImportDispatchRules)})
}

// Targets imports what is promised for issues.
func (j ImportJob) Targets(ctx context.Context, files []string) error {
	return importFiles(ctx, j, files, referenceFile[groundwork.TargetRow]{"targets", importer.ReadTargets, asImporter((*postgres.DB).ImportTargets)})
}

var holidayFile = referenceFile[groundwork.HolidayRow]{"days", importer.ReadHolidays, asImporter((*postgres.DB).ImportHolidays)}

// Holidays imports the working calendar; without files, the bundled one.
func (j ImportJob) Holidays(ctx context.Context, files []string) error {
	if len(files) > 0 {
		return importFiles(ctx, j, files, holidayFile)
	}
	table, err := holidayFile.read(holidays.China, holidays.Name)
	if err != nil {
		return err
	}
	return importTables(ctx, j, []*importer.Table[groundwork.HolidayRow]{table}, holidayFile)
}

// Populations imports how many people live where.
func (j ImportJob) Populations(ctx context.Context, files []string) error {
	return importFiles(ctx, j, files, referenceFile[importer.Persons]{"populations", importer.ReadPopulation,
		func(db *postgres.DB, ctx context.Context, rows []importer.Persons, o groundwork.ReferenceOptions) (r groundwork.ReferenceResult, err error) {
			r.Changed, err = db.ImportPopulations(ctx, importActor, populationRows(rows), o.DryRun)
			r.Known = len(rows) - r.Changed
			return r, err
		}})
}

func populationRows(persons []importer.Persons) []groundwork.PopulationRow {
	rows := make([]groundwork.PopulationRow, len(persons))
	for i, p := range persons {
		rows[i] = groundwork.PopulationRow{Line: p.Line, Code: p.Code, Name: p.Name, Level: groundwork.LevelOfCode(p.Code), Year: p.Year, Persons: int64(p.Persons), Source: p.Source}
	}
	return rows
}

// importFiles reads all files, then takes them in, one transaction each.
func importFiles[T any](ctx context.Context, j ImportJob, files []string, f referenceFile[T]) error {
	var tables []*importer.Table[T]
	for _, name := range files {
		data, err := importer.Load(ctx, name, maxImportBytes)
		if err != nil {
			return err
		}
		table, err := f.read(data, name)
		if err != nil {
			return err
		}
		tables = append(tables, table)
	}
	return importTables(ctx, j, tables, f)
}

func importTables[T any](ctx context.Context, j ImportJob, tables []*importer.Table[T], f referenceFile[T]) error {
	store, err := j.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	for _, table := range tables {
		bar := j.bar(table.Name, len(table.Rows))
		result, err := f.take(store, ctx, table.Rows, groundwork.ReferenceOptions{DryRun: j.DryRun, Replace: j.Replace, Progress: func(done int) { _ = bar.Set(done) }})
		if err != nil {
			return fmt.Errorf("import %s: %w", table.Name, err)
		}
		for _, r := range result.Refused {
			table.Refuse(r.Line, r.Field, r.Value, r.Reason)
		}
		removed := ""
		if result.Removed > 0 {
			removed = fmt.Sprintf(", %d removed", result.Removed)
		}
		fmt.Fprintf(j.Out, "%s (%s)%s\n", table.Name, table.Encoding, j.dryRunNote())
		fmt.Fprintf(j.Out, "  %s: %d new, %d changed, %d known already%s; %d rows, %d given twice\n", f.things, result.Added, result.Changed, result.Known, removed, table.Read, table.Duplicates)
		j.reportRejects(table.Rejects)
	}
	return writeRejects(j.Rejects, tables, func(t *importer.Table[T]) []importer.Reject { return t.Rejects })
}

// loadHolidays takes the bundled calendar into a system of record that has none.
func loadHolidays(ctx context.Context, cfg Config, store *postgres.DB) error {
	has, err := store.HasCalendar(ctx)
	if err != nil || has {
		return err
	}
	table, err := holidayFile.read(holidays.China, holidays.Name)
	if err != nil {
		return fmt.Errorf("bundled holidays: %w", err)
	}
	result, err := holidayFile.take(store, ctx, table.Rows, groundwork.ReferenceOptions{})
	if err != nil {
		return fmt.Errorf("bundled holidays: %w", err)
	}
	cfg.Logger.Info("the working calendar was empty: the bundled one is in it now", "days", result.Added)
	return nil
}
