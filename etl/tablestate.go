package etl

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/jackc/pglogrepl"
)

// tableState is what the load, the stream and a rebuild of one table share.
type tableState struct {
	since   atomic.Uint64          // position of the snapshot that the mirror was filled from, 0 = not known
	shadow  atomic.Pointer[string] // table that gets every row beside the mirror, while it is being filled
	stopped atomic.Bool            // too much of it was set aside; see stopped.go
	loaded  chan struct{}          // closed when the mirror has its first rows; nil = it has had them all along
}

// beside is the table that gets the plan's rows too, or "".
func (p *plan) beside() string {
	if p.state == nil {
		return ""
	}
	if name := p.state.shadow.Load(); name != nil {
		return *name
	}
	return ""
}

// into is the plan for another table of the same columns, which is not shared.
func (p *plan) into(table string) *plan {
	other := *p
	other.mirror.Table, other.state = table, nil
	other.insert = other.insertInto(table)
	return &other
}

func (t *tableState) isLoading() bool {
	select {
	case <-t.loaded:
		return false
	default:
		return t.loaded != nil
	}
}

// superseded reports whether a change of the stream is to be left out: the mirror was filled from a snapshot that has it. Where an update
// leaves a long value alone that only the load under way can bring, it waits for that.
func (a *applier) superseded(ctx context.Context, p *plan, c *change, commit pglogrepl.LSN) (bool, error) {
	t := p.state
	if t.isLoading() && slices.ContainsFunc(c.new, func(f field) bool { return f.kind == fieldToast }) && commit >= pglogrepl.LSN(t.since.Load()) {
		for waiting := true; waiting; {
			select {
			case <-t.loaded:
				waiting = false
			case job := <-a.session.swaps:
				if err := a.swap(ctx, job); err != nil {
					return false, err
				}
			case <-ctx.Done():
				return false, ctx.Err()
			}
		}
	}
	return commit < pglogrepl.LSN(t.since.Load()), nil
}

// swap does what must not meet a write of ours.
func (a *applier) swap(ctx context.Context, job swapJob) error {
	if err := a.flush(ctx); err != nil {
		return err
	}
	job.done <- job.do(ctx)
	return nil
}

// swapJob asks the stream to stand still for do.
type swapJob struct {
	do   func(context.Context) error
	done chan error
}

// betweenWrites has do run when no row is on its way to the warehouse.
func (s *session) betweenWrites(ctx context.Context, do func(context.Context) error) error {
	job := swapJob{do: do, done: make(chan error, 1)}
	select {
	case s.swaps <- job:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-job.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
