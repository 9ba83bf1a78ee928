package warehouse_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

func TestAnswersAreRememberedUntilTheirTablesChange(t *testing.T) {
	t.Parallel()
	w := newWorld(6, 40)
	h := open(t)
	w.load(h, nil)
	cache := warehouse.NewCache(h.Measures)
	now := start
	cache.LookEachTime(func() time.Time { return now })
	q := warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByKind}}}
	ask := func(q warehouse.Question) *warehouse.Table {
		table, err := cache.Ask(t.Context(), "T4", q)
		require.NoError(t, err)
		return table
	}
	first := ask(q)
	require.NotEmpty(t, first.N)

	// A heartbeat, and rows of tables that the measure does not read, change nothing.
	h.watermark(1000, w.end().Add(time.Minute))
	insert(h, "d_population", population{Region: w.regions[0].ID, Year: 2030, Persons: 1})
	again := ask(q)
	require.Equal(t, first.AsOf, again.AsOf, "as of its making")
	require.EqualValues(t, 1000, again.Watermark.LSN, "and nothing has changed up to here")
	require.Equal(t, first.N, again.N)
	require.Equal(t, w.end().Add(time.Minute).UTC(), ask(warehouse.Question{}).AsOf, "another question is another answer")

	// A row does, and so does a mutation, and time.
	moved := someIssue()
	moved.Kind = "THANKS"
	insert(h, "f_issue", moved)
	require.NotEqual(t, first.AsOf, ask(q).AsOf)
	require.Contains(t, keysOf(ask(q)), "THANKS")
	h.watermark(2000, w.end().Add(time.Hour))
	require.NoError(t, h.Exec(t.Context(), "ALTER TABLE f_issue DELETE WHERE kind = 'THANKS' SETTINGS mutations_sync = 2"))
	require.NotContains(t, keysOf(ask(q)), "THANKS")
	h.watermark(3000, w.end().Add(2*time.Hour))
	require.Equal(t, w.end().Add(time.Hour).UTC(), ask(q).AsOf)
	now = now.Add(6 * time.Minute)
	require.Equal(t, w.end().Add(2*time.Hour).UTC(), ask(q).AsOf)
	require.NoError(t, h.Exec(t.Context(), "TRUNCATE TABLE f_issue"))
	require.Empty(t, ask(q).N)

	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			table, err := cache.Ask(t.Context(), "T4", warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByChannel}}})
			if err != nil || len(table.N) != 0 {
				t.Errorf("%v %v", table, err)
			}
		})
	}
	all.Wait()

	stale, err := cache.Ask(t.Context(), "T4", warehouse.Question{Query: warehouse.Query{MinLSN: 1 << 50, Wait: time.Millisecond}})
	require.NoError(t, err)
	require.False(t, stale.Fresh)
	require.True(t, ask(warehouse.Question{}).Fresh, "how fresh an answer was is not remembered")

	// A table that the replication stopped makes stale whatever is made of it, however far the others are.
	stop := func(source, state string, seq int) {
		require.NoError(t, h.Exec(t.Context(), "INSERT INTO etl_load (pipeline, source, seq, state) VALUES ('main', ?, ?, ?)", source, seq, state))
	}
	stop("visit", "stopped", 1)
	require.True(t, ask(q).Fresh, "T4 is not made of visits")
	stop("issue", "stopped", 1)
	require.False(t, ask(q).Fresh)
	require.Contains(t, strings.Join(ask(q).Notes, "\n"), "issue: no changes arrive")
	require.NotContains(t, strings.Join(ask(q).Notes, "\n"), "visit")
	stop("issue", "done", 2)
	require.True(t, ask(q).Fresh)
	require.NotContains(t, strings.Join(ask(q).Notes, "\n"), "no changes arrive")

	_, err = cache.Ask(t.Context(), "X1", q)
	require.ErrorContains(t, err, "no measure")
}
