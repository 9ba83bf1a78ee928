package main

import (
	"context"
	"os"
	"time"

	"groundwork/internal/app"
)

type flagsCommand struct {
	DryRun bool      `help:"Only list what would be raised. This is the default." xor:"what"`
	Apply  bool      `help:"Raise the flags." xor:"what"`
	From   time.Time `help:"First day of the period; default is the last quarter that has been over for 14 days." format:"2006-01-02" placeholder:"DAY"`
	To     time.Time `help:"First day after the period." format:"2006-01-02" placeholder:"DAY"`
}

func (flagsCommand) Help() string {
	return `Asks the measures of formalism (F1 to F5, F7) about units and posts and raises a flag, with what was seen, for each that is conspicuous among all. A
quarter has few visits of one post, so at least the year before the end of the period is looked at (F4, and F7 of units: two years). People judge it: a flag means nothing until a reviewer from outside has confirmed it. Nothing is raised twice for the same matter.

Examples:
  groundwork flags
  groundwork flags --apply
  groundwork flags --from 2026-01-01 --to 2026-04-01 --apply`
}

func (f flagsCommand) Run(ctx context.Context, c *Common) error {
	return app.FlagsJob{Config: c.config(), From: f.From, To: f.To, Apply: f.Apply, Out: os.Stdout}.Run(ctx)
}
