package warehouse_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

func TestAnswersAreRememberedUntilTheDataMoveOn(t *testing.T) {
	t.Parallel()
	w := newWorld(6, 40)
	h := open(t)
	w.load(h, nil)
	cache := warehouse.NewCache(h.Measures)
	q := warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByKind}}}
	ask := func(q warehouse.Question) *warehouse.Table {
		table, err := cache.Ask(t.Context(), "T4", q)
		require.NoError(t, err)
		return table
	}
	first := ask(q)
	// The rows change behind the back of the watermark: who sees that has not asked the cache.
	require.NoError(t, h.Exec(t.Context(), "TRUNCATE TABLE f_issue"))
	require.Equal(t, first.N, ask(q).N)
	require.Empty(t, ask(warehouse.Question{}).N, "another question is another answer")
	protected := q
	protected.Protect = true
	require.Empty(t, ask(protected).N)

	h.watermark(1<<40, w.end())
	require.Empty(t, ask(q).N, "the data have moved on")

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
	_, err = cache.Ask(t.Context(), "X1", q)
	require.ErrorContains(t, err, "no measure")
}
