package app

import (
	"context"
	"fmt"
	"io"

	"groundwork"
	"groundwork/graph"
)

// keepDefinitions keeps what the measures of this program mean in the system of record: what is new or says something else becomes a version.
func keepDefinitions(ctx context.Context, cfg Config) ([]groundwork.MeasureDefinition, error) {
	all, err := graph.MeasureDefinitions()
	if err != nil {
		return nil, err
	}
	store, err := cfg.openStore(ctx)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	return store.KeepMeasureDefinitions(ctx, all)
}

// reportDefinitions says which versions keepDefinitions would make.
func reportDefinitions(ctx context.Context, cfg Config, out io.Writer) error {
	all, err := graph.MeasureDefinitions()
	if err != nil {
		return err
	}
	store, err := cfg.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	changed, err := store.NewMeasureDefinitions(ctx, all)
	for _, d := range changed {
		fmt.Fprintf(out, "Measures: would keep version %d of the definition of %s\n", d.Version, d.Code)
	}
	return err
}
