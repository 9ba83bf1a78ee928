// Package jobs runs the chores of the system of record when they are due: a durable queue in Postgres (River) of which several
// processes may work at once. One process, elected, puts each chore into the queue at its intervals; a chore is in the queue once
// at most, so it never runs twice at a time; and a chore itself does nothing twice. A process that is killed loses nothing: what
// was due is due still.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"groundwork"
	"groundwork/postgres"
)

// Config says what a Runner runs. Postgres and Chores are needed.
type Config struct {
	Postgres string             // DSN of the system of record
	Chores   []groundwork.Chore // what is to be run
	Now      func() time.Time   // the time that chores are told; default: time.Now
	Logger   *slog.Logger       // default: nothing is logged
	Ran      func(Run)          // told of every run of a chore, from several goroutines; default: nobody is told
}

// Run is what a run of a chore came to.
type Run struct {
	Chore string
	Done  int
	Err   error
}

// Runner runs chores until it is stopped.
type Runner struct {
	cfg    Config
	pool   *pgxpool.Pool
	client *river.Client[pgx.Tx]
}

// patience bounds a run of a chore, and a stop. What is left over is done by the next run.
const patience = time.Minute

// batches bounds how long a run begins new batches, so that it ends before its patience does.
const batches = patience / 2

// connections is how many connections to Postgres the queue itself may use; chores use those of the store.
const connections = 4

// New makes a Runner. It does nothing before Run.
func New(ctx context.Context, cfg Config) (*Runner, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Ran == nil {
		cfg.Ran = func(Run) {}
	}
	byName := map[string]groundwork.Chore{}
	for _, c := range cfg.Chores {
		if _, twice := byName[c.Name]; twice || c.Name == "" || c.Every <= 0 {
			return nil, fmt.Errorf("chore %q: give each chore a name of its own and an interval", c.Name)
		}
		byName[c.Name] = c
	}
	options, err := pgxpool.ParseConfig(cfg.Postgres)
	if err != nil {
		return nil, errors.New("the Postgres address is malformed; give it as postgres://user:password@host:port/database")
	}
	options.MaxConns = connections
	pool, err := pgxpool.NewWithConfig(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("connect the queue of chores: %w", err)
	}
	r := &Runner{cfg: cfg, pool: pool}
	if r.client, err = river.NewClient(riverpgxv5.New(pool), r.options(byName)); err != nil {
		pool.Close()
		return nil, fmt.Errorf("queue of chores: %w", err)
	}
	return r, nil
}

func (r *Runner) options(byName map[string]groundwork.Chore) *river.Config {
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{runner: r, chores: byName})
	periodic := make([]*river.PeriodicJob, len(r.cfg.Chores))
	for i, c := range r.cfg.Chores {
		periodic[i] = river.NewPeriodicJob(river.PeriodicInterval(c.Every), func() (river.JobArgs, *river.InsertOpts) { return args{c.Name}, nil },
			&river.PeriodicJobOpts{ID: c.Name, RunOnStart: true})
	}
	return &river.Config{
		Schema:               postgres.JobsSchema,
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: connections}},
		Workers:              workers,
		PeriodicJobs:         periodic,
		JobTimeout:           patience,
		RescueStuckJobsAfter: 2 * patience, // of a process that was killed
		Logger:               slog.New(quiet{r.cfg.Logger.Handler()}),
	}
}

// Run works until ctx is done, then lets the chores at hand finish. It may be called once.
func (r *Runner) Run(ctx context.Context) error {
	defer r.pool.Close()
	if err := r.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the chores: %w", err)
	}
	<-ctx.Done()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := r.client.Stop(stop); err != nil {
		return fmt.Errorf("stop the chores: %w", errors.Join(err, r.client.StopAndCancel(context.WithoutCancel(ctx))))
	}
	return nil
}

// Trigger puts a chore into the queue now, unless it is there already.
func (r *Runner) Trigger(ctx context.Context, chore string) error {
	if _, err := r.client.Insert(ctx, args{chore}, nil); err != nil {
		return fmt.Errorf("trigger %s: %w", chore, err)
	}
	return nil
}

// args is a chore in the queue.
type args struct {
	Chore string `json:"chore"`
}

// Kind implements river.JobArgs.
func (args) Kind() string { return "chore" }

// InsertOpts implements river.JobArgsWithInsertOpts: a chore waits or runs once at a time. One that fails is not tried again by the
// queue: its next turn is its next try.
func (args) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateScheduled, rivertype.JobStateRetryable,
	}}}
}

// worker runs chores out of the queue.
type worker struct {
	river.WorkerDefaults[args]
	runner *Runner
	chores map[string]groundwork.Chore
}

// Work implements river.Worker: it runs batches until nothing is due.
func (w *worker) Work(ctx context.Context, job *river.Job[args]) error {
	chore, known := w.chores[job.Args.Chore]
	if !known {
		return river.JobCancel(fmt.Errorf("chore %q is not known to this version", job.Args.Chore))
	}
	began := time.Now()
	total, done, err := 0, 1, error(nil)
	for done > 0 && err == nil && ctx.Err() == nil && time.Since(began) < batches {
		done, err = chore.Run(ctx, w.runner.cfg.Now())
		total += done
	}
	log := w.runner.cfg.Logger.With("chore", chore.Name, "done", total, "took", time.Since(began))
	switch {
	case err != nil:
		log.ErrorContext(ctx, "chore failed", "err", err)
	case total > 0:
		log.InfoContext(ctx, "chore done")
	}
	w.runner.cfg.Ran(Run{chore.Name, total, err})
	return err
}

// quiet passes on what the queue's library has to say from warnings up.
type quiet struct{ slog.Handler }

// Enabled implements slog.Handler.
func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}

// WithAttrs implements slog.Handler.
func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }

// WithGroup implements slog.Handler.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
