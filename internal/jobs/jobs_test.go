package jobs_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/internal/embedded/embeddedtest"
	"groundwork/internal/jobs"
	"groundwork/postgres/pgtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

// start runs a Runner until the test ends, or stop is called; stop waits for its end.
func start(t *testing.T, cfg jobs.Config) (r *jobs.Runner, stop func()) {
	t.Helper()
	r, err := jobs.New(t.Context(), cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	var stopped atomic.Bool
	stop = func() {
		if stopped.Swap(true) {
			return
		}
		cancel()
		require.NoError(t, await(t, ended))
	}
	t.Cleanup(stop)
	return r, stop
}

func await[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(time.Minute):
		require.FailNow(t, "waited a minute in vain")
		panic("unreachable")
	}
}

// Two processes work at one queue: a chore never runs in both at once, hears the injected time, and goes on until nothing is due.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, groundwork.China)
	var running, most, left atomic.Int32
	left.Store(5)
	ran := make(chan jobs.Run, 100)
	cfg := jobs.Config{Postgres: pgtest.New(t), Now: func() time.Time { return noon }, Ran: func(r jobs.Run) { ran <- r }, Chores: []groundwork.Chore{
		{Name: "sweep", Every: time.Hour, Run: func(_ context.Context, now time.Time) (int, error) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			if !now.Equal(noon) {
				return 0, errors.New("not the time that was injected")
			}
			return int(max(0, min(1, left.Add(-1)+1))), nil
		}}}}
	one, _ := start(t, cfg)
	two, _ := start(t, cfg)
	for range 10 {
		require.NoError(t, one.Trigger(t.Context(), "sweep"))
		require.NoError(t, two.Trigger(t.Context(), "sweep"))
	}
	total := 0
	for total < 5 {
		r := await(t, ran)
		require.NoError(t, r.Err)
		total += r.Done
	}
	require.Equal(t, 5, total)
	require.EqualValues(t, 1, most.Load())
}

// The elected process puts chores into the queue by itself; when it stops, another goes on.
func TestAnotherGoesOn(t *testing.T) {
	t.Parallel()
	first, second := make(chan jobs.Run, 100), make(chan jobs.Run, 100)
	cfg := func(ran chan jobs.Run) jobs.Config {
		return jobs.Config{Postgres: pgtest.New(t), Ran: func(r jobs.Run) { ran <- r },
			Chores: []groundwork.Chore{{Name: "sweep", Every: time.Second, Run: func(context.Context, time.Time) (int, error) { return 0, nil }}}}
	}
	a := cfg(first)
	b := cfg(second)
	b.Postgres = a.Postgres
	_, stop := start(t, a)
	await(t, first)
	stop()
	start(t, b)
	require.Equal(t, "sweep", await(t, second).Chore)
}

// A chore that fails is told and has its next turn; the others are not kept back. A stop lets the chore at hand finish.
func TestFailureAndStop(t *testing.T) {
	t.Parallel()
	ran := make(chan jobs.Run, 100)
	entered, leave := make(chan struct{}), make(chan struct{})
	broken := errors.New("broken")
	r, stop := start(t, jobs.Config{Postgres: pgtest.New(t), Ran: func(r jobs.Run) { ran <- r }, Chores: []groundwork.Chore{
		{Name: "fails", Every: time.Second, Run: func(context.Context, time.Time) (int, error) { return 0, broken }},
		{Name: "lasts", Every: time.Hour, Run: func(ctx context.Context, _ time.Time) (int, error) {
			close(entered)
			<-leave
			return 0, ctx.Err()
		}},
	}})
	for range 2 {
		require.NoError(t, r.Trigger(t.Context(), "fails"))
		told := await(t, ran)
		require.ErrorIs(t, told.Err, broken)
	}
	require.NoError(t, r.Trigger(t.Context(), "lasts"))
	await(t, entered)
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	close(leave)
	await(t, stopped)
	for told := await(t, ran); told.Chore != "lasts"; told = await(t, ran) {
		require.ErrorIs(t, told.Err, broken)
	}
}

func TestRefusesWhatCannotRun(t *testing.T) {
	t.Parallel()
	good := groundwork.Chore{Name: "sweep", Every: time.Second, Run: func(context.Context, time.Time) (int, error) { return 0, nil }}
	for name, cfg := range map[string]jobs.Config{
		"name of its own": {Postgres: "postgres://127.0.0.1:1/x", Chores: []groundwork.Chore{good, good}},
		"interval":        {Postgres: "postgres://127.0.0.1:1/x", Chores: []groundwork.Chore{{Name: "never"}}},
		"malformed":       {Postgres: "postgres://[", Chores: []groundwork.Chore{good}},
	} {
		_, err := jobs.New(t.Context(), cfg)
		require.ErrorContains(t, err, name)
	}
}
