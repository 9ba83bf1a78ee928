// Package throttle bounds how much one caller asks for: token buckets (golang.org/x/time/rate), one a caller, kept in the memory of the
// process for those who asked lately. Several processes of the API each count for themselves.
package throttle

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"groundwork"
)

// Bucket is how fast points come back, a second, and how many there are at most.
type Bucket struct {
	Rate  float64
	Burst int
}

// ParseBucket reads RATE/BURST, such as 500/20000; "off" is no bound.
func ParseBucket(text string) (*Bucket, error) {
	if text == "off" {
		return nil, nil
	}
	first, second, _ := strings.Cut(text, "/")
	perSecond, err := strconv.ParseFloat(first, 64)
	burst, errBurst := strconv.Atoi(second)
	if err != nil || errBurst != nil || !(perSecond > 0) || math.IsInf(perSecond, 0) || burst < 1 {
		return nil, fmt.Errorf("%q is no rate: write RATE/BURST, points a second and points at most, such as 500/20000, or off", text)
	}
	return &Bucket{perSecond, burst}, nil
}

// Config says what is bounded; nil is not.
type Config struct {
	Account     *Bucket          // points of an account
	Address     *Bucket          // points of an address, of those without an account
	Submissions *Bucket          // opinions that are submitted without an account, from an address
	Callers     int              // how many callers are remembered: 100,000
	Now         func() time.Time // time.Now
}

// Off reports whether nothing is bounded.
func (c Config) Off() bool { return c.Account == nil && c.Address == nil && c.Submissions == nil }

// Meter is the groundwork.Meter of this package.
type Meter struct {
	account, address, submissions *buckets
	now                           func() time.Time
}

var _ groundwork.Meter = (*Meter)(nil)

// New makes a meter.
func New(c Config) *Meter {
	if c.Callers == 0 {
		c.Callers = 100_000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Meter{newBuckets(c.Account, c.Callers), newBuckets(c.Address, c.Callers), newBuckets(c.Submissions, c.Callers), c.Now}
}

// Admit implements groundwork.Meter.
func (m *Meter) Admit(ctx context.Context, c groundwork.Charge) error {
	by := groundwork.ActorFrom(ctx)
	of, key := m.of(by)
	now := m.now()
	wait := of.take(key, c.Points, now)
	if by.ID == groundwork.Anonymous.ID && wait == 0 {
		wait = m.submissions.take(key, c.Submissions, now)
	}
	if wait == 0 {
		return nil
	}
	return &groundwork.Error{Code: groundwork.CodeRateLimited, RetryAfter: wait,
		Message: fmt.Sprintf("too much was asked lately; ask again in %d seconds, or ask for less at once", int(math.Ceil(wait.Seconds())))}
}

// Left implements groundwork.Meter.
func (m *Meter) Left(ctx context.Context) (groundwork.Allowance, bool) {
	of, key := m.of(groundwork.ActorFrom(ctx))
	if of == nil {
		return groundwork.Allowance{}, false
	}
	return of.left(key, m.now()), true
}

func (m *Meter) of(by groundwork.Actor) (*buckets, string) {
	if by.ID != groundwork.Anonymous.ID {
		return m.account, by.Caller()
	}
	return m.address, by.Caller()
}

// buckets are those of all callers; nil bounds nothing. Whoever was forgotten begins anew, with a full bucket.
type buckets struct {
	Bucket
	mu    sync.Mutex // of finding or making one
	known *lru.Cache[string, *rate.Limiter]
}

func newBuckets(b *Bucket, callers int) *buckets {
	if b == nil {
		return nil
	}
	known, err := lru.New[string, *rate.Limiter](callers)
	if err != nil { // a size below 1, which is the program's mistake
		panic(err)
	}
	return &buckets{Bucket: *b, known: known}
}

func (b *buckets) bucket(key string) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	if known, ok := b.known.Get(key); ok {
		return known
	}
	made := rate.NewLimiter(rate.Limit(b.Rate), b.Burst)
	b.known.Add(key, made)
	return made
}

// take takes n points, or says how long to wait and takes none. What costs more than there ever is costs all.
func (b *buckets) take(key string, n int, now time.Time) time.Duration {
	if b == nil || n <= 0 {
		return 0
	}
	r := b.bucket(key).ReserveN(now, min(n, b.Burst))
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

func (b *buckets) left(key string, now time.Time) groundwork.Allowance {
	tokens := max(b.bucket(key).TokensAt(now), 0)
	return groundwork.Allowance{Limit: b.Burst, Remaining: int(tokens),
		ResetAt: now.Add(time.Duration((float64(b.Burst) - tokens) / b.Rate * float64(time.Second)))}
}
