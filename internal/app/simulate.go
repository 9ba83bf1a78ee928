package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sync/errgroup"

	"groundwork"
	"groundwork/internal/importer/holidays"
	"groundwork/internal/simulate"
	"groundwork/postgres"
)

// SimulateJob is one `groundwork simulate`.
type SimulateJob struct {
	Config
	Simulation simulate.Config
	Truth      string // file that the truth is written to
	Append     bool
	DryRun     bool
	Workers    int // 0 = as many as there are processors
	Quiet      bool
	Out        io.Writer
	ErrOut     io.Writer
}

// Run writes the truth, then generates and loads the province. Interrupted, the same job goes on where it stopped.
func (j SimulateJob) Run(ctx context.Context) error {
	s, err := j.prepare()
	if err != nil {
		return err
	}
	j.describe(s)
	if j.DryRun {
		return j.rehearse(ctx, s)
	}
	dsn, err := j.postgresDSN()
	if err != nil {
		return err
	}
	store, err := postgres.Open(ctx, dsn, postgres.Options{Logger: j.Logger, MaxConns: int32(j.workers()) + 4})
	if err != nil {
		return err
	}
	defer store.Close()
	return j.load(ctx, store, s)
}

// prepare prepares the simulation, on the calendar that a system begins with unless another is given.
func (j SimulateJob) prepare() (*simulate.Simulation, error) {
	if j.Simulation.Calendar != nil {
		return simulate.New(j.Simulation)
	}
	calendar, err := bundledCalendar()
	if err != nil {
		return nil, err
	}
	j.Simulation.Calendar = calendar
	return simulate.New(j.Simulation)
}

// bulkGCPercent lets garbage gather for longer: the parts in work are small, and collecting at the usual pace takes half the time.
const bulkGCPercent = 800

// bundledCalendar is the calendar that a system begins with.
func bundledCalendar() (groundwork.Calendar, error) {
	table, err := holidayFile.read(holidays.China, holidays.Name)
	if err != nil {
		return nil, fmt.Errorf("bundled holidays: %w", err)
	}
	days := groundwork.Calendar{}
	for _, row := range table.Rows {
		days[row.Day.Format(time.DateOnly)] = row.Worked
	}
	return days, nil
}

// workers is how many parts are made at once. A part that is appended refers to earlier ones, with the database watching.
func (j SimulateJob) workers() int {
	switch {
	case j.Append:
		return 1
	case j.Workers > 0:
		return j.Workers
	default:
		return runtime.NumCPU()
	}
}

func (j SimulateJob) load(ctx context.Context, store *postgres.DB, s *simulate.Simulation) error {
	job := s.Job()
	job.Append = j.Append
	bulk, err := store.OpenBulk(ctx, job, s.Foundation())
	if err != nil {
		return err
	}
	defer bulk.Close(ctx)
	defer debug.SetGCPercent(debug.SetGCPercent(bulkGCPercent))
	if err := j.writeTruth(s); err != nil {
		return err
	}
	if n := bulk.DoneParts(); n > 0 {
		fmt.Fprintf(j.Out, "%d of %d parts are loaded already; going on with the rest.\n", n, job.Parts)
	}
	began := time.Now()
	if err := j.parts(ctx, s, bulk.Done, bulk.Load); err != nil {
		return j.interrupted(err)
	}
	loaded := time.Since(began)
	if err := bulk.Finish(ctx, j.reporter()); err != nil {
		return j.interrupted(err)
	}
	fmt.Fprintf(j.Out, "Loaded in %s, indexed and checked in %s.\n", loaded.Round(time.Millisecond), (time.Since(began) - loaded).Round(time.Millisecond))
	return nil
}

func (j SimulateJob) interrupted(err error) error {
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(j.ErrOut, "\nInterrupted. The same command again goes on where this one stopped; to be rid of it, start with an empty database.")
	}
	return err
}

// reporter tells what was done after all parts were loaded, with the time since then.
func (j SimulateJob) reporter() func(string) {
	if j.Quiet {
		return func(string) {}
	}
	began := time.Now()
	return func(what string) { fmt.Fprintf(j.ErrOut, "  %6.1f s  %s\n", time.Since(began).Seconds(), what) }
}

// rehearse makes every part and keeps none.
func (j SimulateJob) rehearse(ctx context.Context, s *simulate.Simulation) error {
	never := func(int) bool { return false }
	if err := j.parts(ctx, s, never, func(context.Context, int, *groundwork.Bulk) error { return nil }); err != nil {
		return err
	}
	fmt.Fprintln(j.Out, "Dry run: every step of every issue was planned by the rules, nothing was kept.")
	return nil
}

// parts makes the parts that are not done, several at a time, and hands each to keep.
func (j SimulateJob) parts(ctx context.Context, s *simulate.Simulation, done func(int) bool, keep func(context.Context, int, *groundwork.Bulk) error) error {
	bar := progressbar.NewOptions64(j.Simulation.Issues, progressbar.OptionSetWriter(j.ErrOut), progressbar.OptionSetVisibility(!j.Quiet),
		progressbar.OptionSetDescription("issues"), progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionOnCompletion(func() { fmt.Fprintln(j.ErrOut) }))
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(j.workers())
	for n := range s.Job().Parts {
		if working.Err() != nil {
			break
		}
		if done(n) {
			_ = bar.Add(s.IssuesIn(n))
			continue
		}
		group.Go(func() error {
			part, err := s.Part(n)
			if err != nil {
				return err
			}
			if err := keep(working, n, part); err != nil {
				return err
			}
			_ = bar.Add(s.IssuesIn(n))
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

func (j SimulateJob) writeTruth(s *simulate.Simulation) error {
	if j.Truth == "" {
		return nil
	}
	truth, err := s.Truth()
	if err != nil {
		return err
	}
	file, err := os.Create(j.Truth)
	if err != nil {
		return fmt.Errorf("write the truth: %w: name another file by --out", err)
	}
	if err := errors.Join(truth.Write(file), file.Close()); err != nil {
		return fmt.Errorf("write the truth: %w", err)
	}
	fmt.Fprintf(j.Out, "What is planted stands in %s.\n", j.Truth)
	return nil
}

func (j SimulateJob) describe(s *simulate.Simulation) {
	size := s.Size()
	fmt.Fprintf(j.Out, "A province of %d regions, %d sites, %d units and %d posts; %d turns of the rota, %d visits and %d issues from %s to %s, seed %d.\n",
		size.Regions, size.Sites, size.Units, size.Posts, size.Turns, size.Visits, size.Issues,
		groundwork.DayOf(j.Simulation.From), groundwork.DayOf(j.Simulation.To), j.Simulation.Seed)
}
