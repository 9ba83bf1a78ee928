package groundwork

import (
	"context"
	"time"
)

// Charge is what a request costs.
type Charge struct {
	Points      int // the cost of a document, or what a handler says
	Submissions int // opinions that are submitted without an account
}

// Allowance is what somebody may still ask for.
type Allowance struct {
	Limit, Remaining int
	ResetAt          time.Time // when all is back if nothing more is asked
}

// Meter admits requests, or says how long to wait. Who asks stands in the context: an account, or the address that it came from.
type Meter interface {
	// Admit takes the charge off what whoever asks has left; CodeRateLimited, with Error.RetryAfter, if it is not there.
	Admit(ctx context.Context, c Charge) error
	// Left tells what is left; ok is false where nobody counts.
	Left(ctx context.Context) (a Allowance, ok bool)
}

// Unlimited is a Meter that counts nothing.
type Unlimited struct{}

// Admit implements Meter.
func (Unlimited) Admit(context.Context, Charge) error { return nil }

// Left implements Meter.
func (Unlimited) Left(context.Context) (Allowance, bool) { return Allowance{}, false }
