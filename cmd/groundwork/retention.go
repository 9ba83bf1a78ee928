package main

import (
	"context"
	"os"

	"groundwork/internal/app"
)

type retentionCommand struct {
	Run     retentionRun     `cmd:"" default:"withargs" help:"Count what is due by now, or take it away."`
	Keep    retentionKeep    `cmd:"" help:"Set for how many months a kind is kept."`
	Hold    retentionHold    `cmd:"" help:"Keep an issue as it is: a suit, an inquiry, an appeal."`
	Release retentionRelease `cmd:"" help:"Lift the hold of an issue."`
	Holds   retentionHolds   `cmd:"" help:"List the holds that stand."`

	Restored retentionRestored `cmd:"" help:"After the store of evidence files was restored from a backup: have what was deleted deleted again by the next run."`
}

type retentionRun struct {
	DryRun bool `help:"Only count. This is the default." xor:"what"`
	Apply  bool `help:"Take away what is due, for good." xor:"what"`
}

func (retentionRun) Help() string {
	return `Who reporters are, their words, the free words of the course of issues, notes of visits, posts, reasons and files of evidence are taken away when
they have rested for as many months as their rule says; everything that is counted stays. With --retention, "groundwork up" and "groundwork jobs" do it by themselves, every hour.

Examples:
  groundwork retention
  groundwork retention --apply
  groundwork retention keep OPINION_WORDS 36
  groundwork retention hold GW-7Q2M9XA --reason "suit 2026-118 before the county court"`
}

func (r retentionRun) Run(ctx context.Context, c *Common) error {
	return app.RetentionJob{Config: c.config(), Out: os.Stdout}.Run(ctx, r.Apply)
}

type retentionKeep struct {
	Kind   string `arg:"" help:"REPORTER_IDENTITY, OPINION_WORDS, ISSUE_WORDS, VISIT_WORDS, POST_WORDS, HISTORY_REASONS, EVIDENCE_FILE or OFFICIAL_NAME."`
	Months int    `arg:"" help:"Months after it came to rest."`
}

func (k retentionKeep) Run(ctx context.Context, c *Common) error {
	return app.RetentionJob{Config: c.config(), Out: os.Stdout}.Keep(ctx, k.Kind, k.Months)
}

type retentionHold struct {
	Issue  string `arg:"" help:"Public reference."`
	Reason string `help:"Why; it stays on record." required:""`
}

func (h retentionHold) Run(ctx context.Context, c *Common) error {
	return app.RetentionJob{Config: c.config(), Out: os.Stdout}.Hold(ctx, h.Issue, h.Reason)
}

type retentionRelease struct {
	Issue string `arg:"" help:"Public reference."`
}

func (r retentionRelease) Run(ctx context.Context, c *Common) error {
	return app.RetentionJob{Config: c.config(), Out: os.Stdout}.Release(ctx, r.Issue)
}

type retentionRestored struct{}

func (retentionRestored) Run(ctx context.Context, c *Common) error {
	return app.RetentionJob{Config: c.config(), Out: os.Stdout}.Restored(ctx)
}

type retentionHolds struct{}

func (retentionHolds) Run(ctx context.Context, c *Common) error {
	return app.RetentionJob{Config: c.config(), Out: os.Stdout}.Holds(ctx)
}
