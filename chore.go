package groundwork

import (
	"context"
	"time"
)

// Chore is work that time brings about: what is due is found in the system of record and done, a batch at a time. Run does at most
// one batch of what is due at now, each thing in its own transaction that looks again whether it is still due: running it twice,
// or in two processes at once, does nothing twice. It says how much it did; more than nothing means that it should run again.
type Chore struct {
	Name  string // snake_case, in logs and metrics
	Every time.Duration
	Run   func(ctx context.Context, now time.Time) (done int, err error)
}
