package main

import (
	"context"
	"os"

	"groundwork/internal/app"
)

type rebuildCommand struct {
	Check   bool `help:"Only compare; fail if anything differs." xor:"what"`
	DryRun  bool `help:"Only say what would be rewritten." xor:"what"`
	Workers int  `help:"How many ranges are read at once; default is the number of processors." placeholder:"N"`
	Quiet   bool `short:"q" help:"No progress bar."`
}

func (rebuildCommand) Help() string {
	return `Where an issue stands follows from its events. This folds them all again, reading one snapshot in ranges, and compares the
result with what is stored; without --check and --dry-run it rewrites the issues that differ. Events themselves are append-only: one that
does not follow from those before it is reported, never rewritten.

Examples:
  groundwork rebuild --check
  groundwork rebuild --dry-run
  groundwork rebuild`
}

func (r rebuildCommand) Run(ctx context.Context, c *Common) error {
	job := app.RebuildJob{Config: c.config(), Check: r.Check, DryRun: r.DryRun, Workers: r.Workers, Quiet: r.Quiet, Out: os.Stdout, ErrOut: os.Stderr}
	return job.Run(ctx)
}
