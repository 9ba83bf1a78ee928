package app

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/schollz/progressbar/v3"

	"groundwork/postgres"
)

// RebuildJob is one `groundwork rebuild`.
type RebuildJob struct {
	Config
	Check   bool // compare, change nothing, fail on a difference
	DryRun  bool // compare, change nothing
	Workers int  // 0 = as many as there are processors
	Quiet   bool
	Out     io.Writer
	ErrOut  io.Writer
}

// Run folds all events again and compares the result with what is stored, or sets the stored state to it.
func (j RebuildJob) Run(ctx context.Context) error {
	dsn, err := j.postgresDSN()
	if err != nil {
		return err
	}
	store, err := postgres.Open(ctx, dsn, postgres.Options{Logger: j.Logger, MaxConns: int32(j.Workers) + 8})
	if err != nil {
		return err
	}
	defer store.Close()
	bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(j.ErrOut), progressbar.OptionSetVisibility(!j.Quiet), progressbar.OptionSetDescription("issues"),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(200*time.Millisecond))
	began := time.Now()
	report, err := store.Rebuild(ctx, postgres.RebuildOptions{Write: !j.Check && !j.DryRun, Workers: j.Workers, Progress: func(done, total int64) {
		if bar.GetMax64() != total {
			bar.ChangeMax64(total)
		}
		_ = bar.Set64(done)
	}})
	if !j.Quiet {
		fmt.Fprintln(j.ErrOut)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(j.Out, "%d issues with %d events, and %d other things that have a life with %d, folded in %s.\n", report.Issues, report.Events, report.Histories,
		report.HistoryEvents, time.Since(began).Round(time.Millisecond))
	j.tell(report)
	if report.BrokenHistories > 0 {
		return fmt.Errorf("%d things do not stand as their events say", report.BrokenHistories)
	}
	if report.BrokenLives > 0 || j.Check && !report.Sound() {
		return fmt.Errorf("%d issues differ from their events, %d have events that do not follow from each other", report.Differing, report.BrokenLives)
	}
	return nil
}

func (j RebuildJob) tell(r postgres.RebuildReport) {
	if r.Sound() {
		fmt.Fprintln(j.Out, "No difference: every issue, visit and turn stands as its events say.")
		return
	}
	switch {
	case r.Differing == 0:
	case j.Check || j.DryRun:
		fmt.Fprintf(j.Out, "%d issues differ from their events; `groundwork rebuild` would rewrite them:\n", r.Differing)
	default:
		fmt.Fprintf(j.Out, "%d issues differed from their events, %d were rewritten:\n", r.Differing, r.Rewritten)
	}
	j.list(r.DifferingIDs, r.Differing)
	if r.BrokenLives > 0 {
		fmt.Fprintf(j.Out, "%d issues have an event that does not follow from those before it. Events are append-only, so nothing was changed:\n", r.BrokenLives)
		j.list(r.BrokenIDs, r.BrokenLives)
	}
	if r.BrokenHistories > 0 {
		fmt.Fprintf(j.Out, "%d other things (visits, turns, campaigns, changes of policy …) do not stand as their events say, or have one that does not follow. Nothing was changed:\n", r.BrokenHistories)
		j.list(r.BrokenHistoryIDs, r.BrokenHistories)
	}
}

// shownIDs is how many issues are named on the screen.
const shownIDs = 20

func (j RebuildJob) list(ids []uuid.UUID, count int64) {
	for _, id := range ids[:min(len(ids), shownIDs)] {
		fmt.Fprintln(j.Out, " ", id)
	}
	if count > shownIDs {
		fmt.Fprintf(j.Out, "  and %d more\n", count-shownIDs)
	}
}
