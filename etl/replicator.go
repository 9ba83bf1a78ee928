package etl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pglogrepl"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// Replicator replicates one publication to one warehouse. Several may run; one works, the others stand by.
type Replicator struct {
	cfg     Config
	log     *slog.Logger
	tracker *tracker
	metrics *metrics
}

// New checks the configuration and returns a replicator that Run starts.
func New(cfg Config) (*Replicator, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	t := newTracker()
	return &Replicator{cfg: cfg, log: cfg.Logger.With(slog.String("slot", cfg.Slot)), tracker: t, metrics: newMetrics(cfg.Metrics, cfg.Slot, t)}, nil
}

// Status returns what the replicator has done so far.
func (r *Replicator) Status() Status {
	s, _ := r.tracker.get()
	return s
}

// Wait blocks until everything committed up to position is in the warehouse, or ctx is done.
func (r *Replicator) Wait(ctx context.Context, position pglogrepl.LSN) error {
	if err := r.tracker.await(ctx, func(s Status) bool { return s.Applied >= position && s.State == StateStreaming }); err != nil {
		return fmt.Errorf("etl: wait for %s, warehouse stands at %s: %w", position, r.Status().Applied, err)
	}
	return nil
}

// AwaitStreaming blocks until the load, if one was needed, is done and changes flow, or ctx is done.
func (r *Replicator) AwaitStreaming(ctx context.Context) error {
	if err := r.tracker.await(ctx, func(s Status) bool { return s.State == StateStreaming }); err != nil {
		return fmt.Errorf("etl: wait for the stream, replication is %s: %w", r.Status().State, err)
	}
	return nil
}

// steadyAfter is how long a session must have run for the next failure to be treated as a first one.
const steadyAfter = 30 * time.Second

// Run replicates until ctx is done, then stops cleanly (what was received is stored, checkpointed and acknowledged) and
// returns nil. Lost connections of either side are taken up again by themselves. It returns an error only for what needs a
// person: a refused user, a missing migration, a setting of Postgres; the error names the remedy.
func (r *Replicator) Run(ctx context.Context) error {
	defer r.tracker.update(func(s *Status) { s.State = StateStopped })
	pause := r.cfg.RetryInterval
	for {
		started := time.Now()
		err := r.session(ctx)
		switch {
		case ctx.Err() != nil && (err == nil || errors.Is(err, ctx.Err())):
			r.log.InfoContext(ctx, "replication stopped", slog.String("applied", r.Status().Applied.String()))
			return nil
		case ctx.Err() != nil:
			// What could not be stored at the end is sent again by Postgres at the next start.
			r.log.WarnContext(ctx, "replication stopped before its last changes were stored; the next start fetches them again", slog.Any("error", err))
			return nil
		case isFatal(err):
			return err
		case errors.Is(err, errPaused), errors.Is(err, errAnew):
			continue // the next session takes the lock; after a pause it waits in it
		}
		if time.Since(started) > steadyAfter {
			pause = r.cfg.RetryInterval
		}
		r.tracker.update(func(s *Status) { s.State, s.LastError = StateStopped, err.Error() })
		r.log.WarnContext(ctx, "replication interrupted, will try again", slog.Any("error", err), slog.Duration("in", pause))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, 20*r.cfg.RetryInterval)
	}
}

// session is one attempt, from connecting to the first failure.
func (r *Replicator) session(ctx context.Context) (err error) {
	s := &session{cfg: r.cfg, log: r.log, tracker: r.tracker, metrics: r.metrics, swaps: make(chan swapJob)}
	s.metrics.sessions.Inc()
	defer func() { s.close() }()
	ctx, span := r.cfg.tracer().Start(ctx, "etl.session", trace.WithAttributes(attribute.String("slot", r.cfg.Slot)))
	defer func() {
		if errors.Is(err, context.Canceled) {
			span.End() // asked to stop
			return
		}
		endSpan(span, err)
	}()
	if err := s.open(ctx); err != nil {
		return err
	}
	v, err := s.begin(ctx)
	if err != nil {
		return err
	}
	working, stop := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() { defer close(watched); s.watch(working, stop) }()
	defer func() {
		stop(nil)
		<-watched
		if cause := context.Cause(working); ctx.Err() == nil && cause != nil && (err == nil || errors.Is(err, context.Canceled)) && !errors.Is(cause, context.Canceled) {
			err = cause // the watch ended the session: by a pause, or because Postgres is gone
		}
	}()
	if v.load {
		loading, span := startSpan(working, "etl.load", attribute.String("reason", v.reason))
		err := s.load(loading, v)
		endSpan(span, err)
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
	}
	err = s.stream(working)
	if gap, ok := errors.AsType[*gapError](err); ok {
		return s.declareGap(ctx, gap)
	}
	if over, ok := errors.AsType[*budgetError](err); ok {
		return s.stopTable(ctx, over)
	}
	return err
}
