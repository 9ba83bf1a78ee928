package app

import (
	"context"
	"fmt"

	"groundwork"
	"groundwork/internal/importer"
	"groundwork/postgres"
)

// BoundaryOptions say how files of outlines are read.
type BoundaryOptions struct {
	CodeProperty string // the property with the code; empty = the usual ones
	Source       string // who drew them
	KeepPairs    bool   // do not find anew which regions touch
}

// Boundaries imports the outlines of regions, then finds which regions touch.
func (j ImportJob) Boundaries(ctx context.Context, files []string, o BoundaryOptions) error {
	read := func(data []byte, name string) (*importer.Table[groundwork.BoundaryRow], error) {
		return importer.ReadBoundaries(data, name, o.CodeProperty, o.Source)
	}
	err := importFiles(ctx, j, files, referenceFile[groundwork.BoundaryRow]{"outlines", read, asImporter((*postgres.DB).ImportBoundaries)})
	if err != nil || o.KeepPairs {
		return err
	}
	if j.DryRun {
		fmt.Fprintln(j.Out, "  which regions touch would be found anew from the outlines of each level")
		return nil
	}
	return j.findNeighbours(ctx)
}

// findNeighbours finds level by level, over all outlines that are there: neighbours may come from different files.
func (j ImportJob) findNeighbours(ctx context.Context) error {
	store, err := j.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	for _, level := range groundwork.RegionLevels {
		outlines, err := store.Outlines(ctx, level)
		if err != nil {
			return err
		}
		if len(outlines) < 2 {
			continue
		}
		pairs, err := importer.BorderPairs(outlines)
		if err != nil {
			return err
		}
		result, err := store.ImportNeighbours(ctx, importActor, pairs, groundwork.ReferenceOptions{Replace: true})
		if err != nil {
			return fmt.Errorf("neighbours of level %s: %w", level, err)
		}
		fmt.Fprintf(j.Out, "  neighbours of level %s: %d outlines, %d pairs that touch; %d new, %d gone\n", level, len(outlines), len(pairs), result.Added, result.Removed)
	}
	return nil
}

// Neighbours imports pairs of regions that touch.
func (j ImportJob) Neighbours(ctx context.Context, files []string) error {
	return importFiles(ctx, j, files, referenceFile[groundwork.NeighbourRow]{"pairs of neighbours", importer.ReadNeighbours, asImporter((*postgres.DB).ImportNeighbours)})
}
