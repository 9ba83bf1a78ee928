package main

import (
	"context"
	"io"
	"os"
	"time"

	"groundwork/internal/app"
)

type etlCommand struct {
	Run     etlRunCommand     `cmd:"" default:"1" help:"Replicate until stopped; so does \"etl\" alone."`
	Status  etlStatusCommand  `cmd:"" help:"Tell how the replication fares."`
	Verify  etlVerifyCommand  `cmd:"" help:"Compare the warehouse with Postgres while changes flow."`
	Replay  etlReplayCommand  `cmd:"" help:"Bring rows that were set aside to the warehouse."`
	Rebuild etlRebuildCommand `cmd:"" help:"Build tables of the warehouse anew beside the old ones, and put them in their place."`
	Pause   etlPauseCommand   `cmd:"" help:"Make the replication stand still."`
	Resume  etlResumeCommand  `cmd:"" help:"End a pause."`
}

type etlRunCommand struct{}

func (etlRunCommand) Help() string {
	return `Replicates the published tables from Postgres to ClickHouse until it is stopped: the first time from a snapshot, then change
by change. One replicator is active at a time; a second one waits until the first is gone.

Example:
  groundwork etl --postgres postgres://groundwork:secret@db/groundwork --clickhouse http://groundwork:secret@ch:8123/groundwork`
}

func (etlRunCommand) Run(ctx context.Context, c *Common) error { return app.ETL(ctx, c.config()) }

// job is what the operators' commands have in common.
func (c *Common) job(inJSON bool) app.ETLJob {
	return app.ETLJob{Config: c.config(), JSON: inJSON, Out: os.Stdout}
}

type etlStatusCommand struct {
	JSON     bool          `name:"json" help:"Answer in JSON."`
	Interval time.Duration `help:"How long to watch for the rates." default:"1s"`
}

func (etlStatusCommand) Help() string {
	return `Lag in bytes and seconds, rates, who is active and who stands by, how the slot is and how much WAL it keeps, rows set aside, tables
that are stopped, and under PROBLEM whatever a person should look at, with its remedy.

Examples:
  groundwork etl status
  groundwork etl status --json`
}

func (s etlStatusCommand) Run(ctx context.Context, c *Common) error {
	return c.job(s.JSON).Status(ctx, s.Interval)
}

type etlVerifyCommand struct {
	Tables []string `arg:"" optional:"" help:"Tables of Postgres; default is all." placeholder:"TABLE"`
	Repair bool     `help:"Write the rows that differ anew."`
	JSON   bool     `name:"json" help:"Answer in JSON."`
	Quiet  bool     `short:"q" help:"No progress."`
}

func (etlVerifyCommand) Help() string {
	return `Both sides add up hashes of their own rows at one moment; only rows whose sums differ are compared one by one, and those that change
meanwhile are looked at again. Ends with exit code 0 if nothing differs (or all was repaired), else 1.

Examples:
  groundwork etl verify
  groundwork etl verify issue issue_event --repair`
}

func (v etlVerifyCommand) Run(ctx context.Context, c *Common) error {
	var progress io.Writer
	if !v.Quiet {
		progress = os.Stderr
	}
	return c.job(v.JSON).Verify(ctx, v.Tables, v.Repair, progress)
}

type etlReplayCommand struct {
	Tables []string `arg:"" optional:"" help:"Tables of Postgres; default is all." placeholder:"TABLE"`
	DryRun bool     `help:"Only say how many rows are set aside."`
	JSON   bool     `name:"json" help:"Answer in JSON."`
}

func (etlReplayCommand) Help() string {
	return `A row with a value that the warehouse cannot hold, or that it refuses, is set aside in etl.dead_letter. This reads the present state of such rows from Postgres
and writes it; rows that still cannot stand in the warehouse stay set aside.

Examples:
  groundwork etl replay --dry-run
  groundwork etl replay opinion`
}

func (r etlReplayCommand) Run(ctx context.Context, c *Common) error {
	return c.job(r.JSON).Replay(ctx, r.Tables, r.DryRun)
}

type etlRebuildCommand struct {
	Tables []string `name:"table" help:"Table of Postgres, several times for several; default is all." placeholder:"TABLE"`
	DryRun bool     `help:"Only say what would be built and how much it takes."`
	Yes    bool     `help:"Do it."`
	JSON   bool     `name:"json" help:"Answer in JSON."`
	Quiet  bool     `short:"q" help:"No progress."`
}

func (etlRebuildCommand) Help() string {
	return `The active replicator copies each table from a snapshot into a second table while changes go to both, and lets the two change places at once.
Readers see the old one, then the new one, and no error between; views stay as they are. It takes about the disk of the old table a second
time until that is dropped. It is what heals a warehouse table of which nobody knows what is wrong, and the way back for a table that was stopped; "etl verify" tells whether one is.
Interrupting this command does not interrupt the rebuild.

Examples:
  groundwork etl rebuild --dry-run
  groundwork etl rebuild --table issue --table issue_event --yes`
}

func (r etlRebuildCommand) Run(ctx context.Context, c *Common) error {
	var progress io.Writer
	if !r.Quiet {
		progress = os.Stderr
	}
	return c.job(r.JSON).Rebuild(ctx, app.ETLRebuild{Tables: r.Tables, DryRun: r.DryRun, Yes: r.Yes, Progress: progress})
}

type etlPauseCommand struct{}

func (etlPauseCommand) Help() string {
	return `The active replicator stores what it has and stands still, over restarts too, until "etl resume". Postgres keeps all WAL meanwhile.

Example:
  groundwork etl pause`
}

func (etlPauseCommand) Run(ctx context.Context, c *Common) error { return c.job(false).Pause(ctx) }

type etlResumeCommand struct{}

func (etlResumeCommand) Help() string {
	return `Example:
  groundwork etl resume`
}

func (etlResumeCommand) Run(ctx context.Context, c *Common) error { return c.job(false).Resume(ctx) }
