package app

import (
	"context"
	"fmt"
	"io"

	"groundwork"
	"groundwork/internal/importer"
	"groundwork/internal/importer/sample"
	"groundwork/postgres"
)

// loadSample takes the bundled sample into an empty system of record, through the same import as any other data.
func loadSample(ctx context.Context, cfg Config, store *postgres.DB, out io.Writer) error {
	count, err := store.CountIssues(ctx, groundwork.IssueFilter{}, 1)
	if err != nil || count.Value > 0 {
		return err
	}
	job := ImportJob{Config: cfg, Quiet: true, ObservedUntil: sample.ObservedUntil(), Out: io.Discard, ErrOut: io.Discard}
	rows := 0
	for _, f := range sample.Messages() {
		file, err := importer.ReadMessages(f.Data, f.Name, importer.Options{})
		if err != nil {
			return fmt.Errorf("bundled sample: %w", err)
		}
		if _, err := job.take(ctx, store, importer.SourceMessageBoard, file); err != nil {
			return fmt.Errorf("bundled sample: %w", err)
		}
		rows += len(file.Records)
	}
	population, err := importer.ReadPopulation(sample.Population().Data, sample.Population().Name)
	if err != nil {
		return fmt.Errorf("bundled sample: %w", err)
	}
	if _, err := store.ImportPopulations(ctx, importActor, populationRows(population.Rows), false); err != nil {
		return fmt.Errorf("bundled sample: %w", err)
	}
	fmt.Fprintf(out, "The system of record was empty: %d invented messages of the bundled sample are in it now (--no-sample leaves them out).\n", rows)
	return nil
}
