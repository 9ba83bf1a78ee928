package etl

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pglogrepl"
)

// State is what a Replicator is doing.
type State string

// The states of a Replicator.
const (
	StateStopped   State = "stopped"   // not running, or between two attempts
	StatePaused    State = "paused"    // an operator said so
	StateStandby   State = "standby"   // another replicator has the slot; this one waits to take over
	StateLoading   State = "loading"   // the initial or a fresh load is under way
	StateStreaming State = "streaming" // changes flow
)

// Status is a snapshot of what a Replicator has done since it started.
type Status struct {
	State       State
	Applied     pglogrepl.LSN // everything committed up to here is in the warehouse, durably
	CommitTime  time.Time     // when the last transaction up to Applied committed: the watermark
	Lag         time.Duration // of the last flush: from the commit of its last transaction to its checkpoint
	BehindBytes int64         // WAL that Postgres had and the warehouse had not at the last look
	Behind      time.Duration // how far back the warehouse was complete then
	Rows        int64         // rows and tombstones written, loads included
	DeadLetters int64         // rows parked in etl.dead_letter
	DeadRows    int64         // rows that stand there unsettled, whoever parked them
	Loads       int           // full loads done
	Load        *LoadProgress // of the load or the rebuild under way, nil = none
	Rebuilt     int           // mirrors that were built anew because an operator asked
	Slot        SlotHealth    // as of the last look at it
	KeptLimit   int64         // WAL kept for the slot that must not be reached
	Stopped     []string      // tables that are left out, since too many of their rows were set aside
	LastGap     string        // why the last fresh load was needed, empty = never
	LastError   string        // of the last failed attempt, empty since the last success
}

// tracker keeps the Status and wakes those who wait for it to change.
type tracker struct {
	mu      sync.Mutex
	status  Status
	changed chan struct{} // closed and replaced at each change
}

func newTracker() *tracker {
	return &tracker{status: Status{State: StateStopped}, changed: make(chan struct{})}
}

func (t *tracker) update(f func(*Status)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.status)
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *tracker) get() (Status, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.status, t.changed
}

// await blocks until the status satisfies ok.
func (t *tracker) await(ctx context.Context, ok func(Status) bool) error {
	for {
		s, changed := t.get()
		if ok(s) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}
