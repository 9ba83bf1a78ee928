package warehouse_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

type opinion struct {
	ID       uuid.UUID  `ch:"id"`
	Reporter *uuid.UUID `ch:"reporter_pid"`
	Channel  string     `ch:"channel"`
	Received time.Time  `ch:"received_at"`
}

type issueOpinion struct {
	Issue   uuid.UUID `ch:"issue_id"`
	Opinion uuid.UUID `ch:"opinion_id"`
}

// Issues are counted once however many opinions they have, and reporters once however many opinions they gave; whoever is unknown counts
// for himself. Merged issues and deleted rows do not count.
func TestCounts(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, start.AddDate(0, 1, 0))
	somebody := uuid.New()
	add := func(channel, state string, reporters ...*uuid.UUID) issue {
		i := someIssue()
		i.Channel, i.State = channel, state
		insert(h, "f_issue", i)
		for _, r := range reporters {
			o := opinion{ID: uuid.New(), Reporter: r, Channel: channel, Received: start}
			insert(h, "f_opinion", o)
			insert(h, "f_issue_opinion", issueOpinion{i.ID, o.ID})
		}
		return i
	}
	add("HOTLINE", "IN_PROGRESS", &somebody, &somebody)
	add("HOTLINE", "CLOSED", &somebody, nil, nil)
	add("HOTLINE", "MERGED", nil)
	remove(h, "f_issue", add("HOTLINE", "IN_PROGRESS", nil))
	add("LETTER", "IN_PROGRESS", &somebody)

	table, err := h.Counts(t.Context(), warehouse.Query{By: []warehouse.Dimension{warehouse.ByChannel}})
	require.NoError(t, err)
	require.Equal(t, []warehouse.Key{{ID: "HOTLINE", Code: "HOTLINE", Label: "HOTLINE"}, {ID: "LETTER", Code: "LETTER", Label: "LETTER"}}, table.Dims[0].Keys)
	require.Equal(t, []int64{2, 1}, table.N)
	require.Equal(t, 3.0, value(t, table, "reporters", 0))
	require.Equal(t, 1.0, value(t, table, "reporters", 1))

	whole, err := h.Counts(t.Context(), warehouse.Query{})
	require.NoError(t, err)
	require.Equal(t, []int64{3}, whole.N)
	require.Equal(t, 3.0, value(t, whole, "reporters", 0))

	for range 30 {
		add("HOTLINE", "CLOSED", nil)
	}
	for range 16 {
		add("LETTER", "CLOSED", &somebody)
	}
	micro, err := h.Microtable(t.Context(), warehouse.Query{By: []warehouse.Dimension{warehouse.ByChannel}})
	require.NoError(t, err)
	require.Equal(t, []warehouse.Key{warehouse.TotalKey, {ID: "HOTLINE", Code: "HOTLINE", Label: "HOTLINE"}, {ID: "LETTER", Code: "LETTER", Label: "LETTER"}}, micro.Dims[0].Keys)
	require.Equal(t, []int64{50, 0, 0}, micro.N, "49 rounded")
	require.Equal(t, []bool{false, true, true}, micro.Flags["suppressed"], "one person wrote all 17 letters, and the other channel would give them away")

	past, err := h.Counts(t.Context(), warehouse.Query{AsOf: &start})
	require.NoError(t, err)
	require.Equal(t, []int64{0}, past.N, "no event was known then")
}
