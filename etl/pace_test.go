package etl

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Storing is seldom where it is quick, and takes a third of the time at most where it is slow.
func TestPace(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for took, want := range map[time.Duration]time.Duration{
		0: 250 * ms, 10 * ms: 250 * ms, 35 * ms: 280 * ms, 100 * ms: 300 * ms, 150 * ms: 300 * ms, 200 * ms: 400 * ms, time.Second: 2 * time.Second, time.Minute: 5 * time.Second,
	} {
		p := pace{shortest: 250 * ms, parts: new(atomic.Int64)}
		for range 5 {
			p.took(took)
		}
		p.took(time.Hour) // one that was slow changes nothing
		require.Equal(t, want, p.interval(0), took)
		require.Equal(t, want, p.interval(backlog), took)
		require.Equal(t, max(want, 2*time.Second), p.interval(backlog+1), took)
		p.parts.Store(manyParts + 1)
		require.Equal(t, 2*want, p.interval(0), took)
	}
	p := pace{shortest: time.Minute, parts: new(atomic.Int64)}
	p.took(time.Second)
	require.Equal(t, time.Minute, p.interval(0), "as configured")
}
