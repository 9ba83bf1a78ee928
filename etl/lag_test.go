package etl

import (
	"testing"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/stretchr/testify/require"
)

func TestLagIsHowFarBackTheWarehouseIsComplete(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	at := func(second int, position pglogrepl.LSN) mark {
		return mark{start.Add(time.Duration(second) * time.Second), position}
	}
	old := start.Add(-time.Hour) // the newest transaction is old: it was a quiet hour
	var l lagClock
	require.Zero(t, l.look(at(0, 100), 100, old))
	require.Equal(t, time.Second, l.look(at(1, 200), 100, old), "complete at second 0, not an hour ago")
	require.Equal(t, 2*time.Second, l.look(at(2, 300), 100, old))
	require.Equal(t, 2*time.Second, l.look(at(3, 400), 200, old), "what Postgres had at second 1 is here")
	require.Equal(t, time.Second, l.look(at(4, 400), 300, start.Add(3*time.Second)), "a newer transaction says more")
	require.Zero(t, l.look(at(5, 400), 400, old))
}

func TestLagOfALongOutageIsBoundedInMemory(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	var l lagClock
	l.look(mark{start, 1}, 1, start)
	var lag time.Duration
	for i := 1; i <= 10*marksKept; i++ {
		lag = l.look(mark{start.Add(time.Duration(i) * time.Second), pglogrepl.LSN(1 + i)}, 1, start)
	}
	require.LessOrEqual(t, len(l.marks), marksKept+1)
	require.Equal(t, 10*marksKept*time.Second, lag)
}
