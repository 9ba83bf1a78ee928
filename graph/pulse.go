package graph

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"groundwork"
	"groundwork/warehouse"
)

const (
	feedEvery      = 500 * time.Millisecond
	freshnessEvery = 2 * time.Second
)

// pulse looks at a source every so often while somebody follows it, once for all, and wakes the followers when it has moved.
type pulse[T comparable] struct {
	every time.Duration
	look  func(ctx context.Context, last T) (T, error) // returns last where nothing moved
	log   *slog.Logger

	mu        sync.Mutex
	followers int
	stop      context.CancelFunc
	waking    chan struct{} // closed when the source moves
	seen      T
}

// newFeed looks for changes in the system of record. After a fault it looks again: positions of followers are their own, so nothing is missed.
func newFeed(store groundwork.FeedStore, log *slog.Logger, every time.Duration) *pulse[groundwork.FeedPosition] {
	return &pulse[groundwork.FeedPosition]{every: every, log: log, look: func(ctx context.Context, last groundwork.FeedPosition) (groundwork.FeedPosition, error) {
		changes, err := store.Changes(ctx, last)
		if groundwork.CodeOf(err) == groundwork.CodeInvalid { // more than can be told, which is a change
			changes, err = store.Changes(ctx, "")
			return changes.Position, err
		}
		if err != nil || last != "" && changes.None() {
			return last, err
		}
		return changes.Position, nil
	}}
}

func newFreshness(r *Resolver, every time.Duration) *pulse[warehouse.Watermark] {
	return &pulse[warehouse.Watermark]{every: every, log: r.logger, look: func(ctx context.Context, _ warehouse.Watermark) (warehouse.Watermark, error) {
		return r.measures.Watermark(ctx)
	}}
}

// follow has the source looked at until leave is called.
func (p *pulse[T]) follow() (leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.followers++; p.followers == 1 {
		var ctx context.Context
		ctx, p.stop = context.WithCancel(context.Background())
		p.waking = make(chan struct{})
		go p.run(ctx)
	}
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.followers--; p.followers == 0 {
			p.stop()
		}
	})
}

// moved returns a channel that is closed when the source moves next, and what was seen of it last. Who takes it before reading misses nothing.
func (p *pulse[T]) moved() (<-chan struct{}, T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waking, p.seen
}

func (p *pulse[T]) run(ctx context.Context) {
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	failing := false
	for {
		_, last := p.moved()
		now, err := p.look(ctx, last)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			p.log.WarnContext(ctx, "subscriptions cannot see what changes; trying again", slog.Any("err", err))
		case err == nil && now != last:
			p.wake(now)
		}
		failing = err != nil
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (p *pulse[T]) wake(now T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = now
	close(p.waking)
	p.waking = make(chan struct{})
}
