package throttle_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/throttle"
)

// from is the context of a caller.
func from(t *testing.T, account, address string) context.Context {
	ctx := groundwork.WithRequest(t.Context(), groundwork.Request{Address: address})
	if account == "" {
		return ctx
	}
	return groundwork.WithActor(ctx, groundwork.Actor{ID: account, Role: groundwork.RoleHandler})
}

// wait is how long a refusal says to wait, 0 if the charge was admitted.
func wait(t *testing.T, err error) time.Duration {
	if err == nil {
		return 0
	}
	refused, ok := errors.AsType[*groundwork.Error](err)
	require.True(t, ok, err)
	require.Equal(t, groundwork.CodeRateLimited, refused.Code)
	return refused.RetryAfter
}

func TestPointsComeBack(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	m := throttle.New(throttle.Config{Account: &throttle.Bucket{Rate: 10, Burst: 100}, Now: func() time.Time { return now }})
	li, wang := from(t, "li", "203.0.113.7"), from(t, "wang", "203.0.113.7")
	points := func(ctx context.Context, n int) time.Duration {
		return wait(t, m.Admit(ctx, groundwork.Charge{Points: n}))
	}
	require.Zero(t, points(li, 60))
	require.Equal(t, 2*time.Second, points(li, 60), "40 are left, 20 more come in two seconds")
	require.Zero(t, points(li, 40), "a refusal takes nothing")
	require.Zero(t, points(wang, 100), "each account has its own")
	left, ok := m.Left(li)
	require.True(t, ok)
	require.Equal(t, groundwork.Allowance{Limit: 100, Remaining: 0, ResetAt: now.Add(10 * time.Second)}, left)
	now = now.Add(5 * time.Second)
	require.Zero(t, points(li, 50))
	require.Equal(t, 10*time.Second, points(li, 5000), "what costs more than there ever is waits for all")
	now = now.Add(10 * time.Second)
	require.Zero(t, points(li, 5000))

	_, ok = m.Left(from(t, "", "203.0.113.7"))
	require.False(t, ok, "addresses are not counted here")
	require.Zero(t, points(from(t, "", "203.0.113.7"), 1_000_000))
}

func TestWithoutAnAccountTheAddressCounts(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	m := throttle.New(throttle.Config{Address: &throttle.Bucket{Rate: 1, Burst: 1000}, Submissions: &throttle.Bucket{Rate: 0.5, Burst: 2}, Callers: 100, Now: func() time.Time { return now }})
	submit := func(address string) time.Duration {
		return wait(t, m.Admit(from(t, "", address), groundwork.Charge{Points: 10, Submissions: 1}))
	}
	require.Zero(t, submit("203.0.113.7"))
	require.Zero(t, submit("203.0.113.7"))
	require.Equal(t, 2*time.Second, submit("203.0.113.7"))
	require.Zero(t, submit("203.0.113.8"))
	require.Zero(t, submit("2001:db8:0:1::1"))
	require.Zero(t, submit("2001:db8:0:1::2"))
	require.NotZero(t, submit("2001:db8:0:1:ffff::3"), "one subscriber has 64 bits of addresses")
	require.Zero(t, submit("2001:db8:0:2::1"))
	require.Zero(t, wait(t, m.Admit(from(t, "li", "203.0.113.7"), groundwork.Charge{Submissions: 50})), "accounts answer for what they submit")

	for i := range 200 { // more callers than are remembered: memory is bounded, and nobody is refused for it
		require.Zero(t, submit(fmt.Sprintf("198.51.100.%d", i)))
	}
}

func TestRatesAreRead(t *testing.T) {
	t.Parallel()
	b, err := throttle.ParseBucket("0.5/60")
	require.NoError(t, err)
	require.Equal(t, &throttle.Bucket{Rate: 0.5, Burst: 60}, b)
	b, err = throttle.ParseBucket("off")
	require.NoError(t, err)
	require.Nil(t, b)
	for _, wrong := range []string{"", "5", "5/", "/5", "0/5", "-1/5", "5/0", "NaN/5", "Inf/5", "5/1.5"} {
		_, err = throttle.ParseBucket(wrong)
		require.ErrorContains(t, err, "RATE/BURST", wrong)
	}
	require.True(t, throttle.Config{}.Off())
}
