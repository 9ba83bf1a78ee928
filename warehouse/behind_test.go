package warehouse_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// Behind each count of a measure stand as many issues, in each cell, at present and in the past.
func TestAsManyIssuesBehindACellAsItCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(11, 250)
	h := open(t)
	w.load(h, nil)
	for code, numbers := range map[string][]string{"T1": {"responded"}, "T2": {"open", "awaitingFeedback", "confirmed", "explainedOrReferred", "unconfirmed", "withdrawn"},
		"T4": {"open", "awaitingFeedback"}, "H1": {"issues"}} {
		for _, by := range [][]warehouse.Dimension{{warehouse.ByRegion}, {warehouse.ByRegion, warehouse.ByCategory}} {
			q := warehouse.Question{Query: warehouse.Query{By: by, RegionLevel: "PREFECTURE", Where: warehouse.Filter{Kinds: []string{"HELP"}}}}
			if len(by) == 2 {
				q.AsOf = new(w.end().Add(-60 * 24 * time.Hour))
			}
			table, err := h.Ask(t.Context(), code, q)
			require.NoError(t, err)
			require.NotEmpty(t, table.N)
			for row := range min(len(table.N), 2) {
				cell := warehouse.Cell{}
				for _, d := range table.Dims {
					cell[d.Dimension] = nil
					if key := d.Keys[row]; key.ID != "" {
						value := key.Code
						if d.Dimension == warehouse.ByCategory {
							value = key.ID
						}
						cell[d.Dimension] = &value
					}
				}
				for _, number := range append(numbers, "") {
					want := float64(table.N[row])
					if number != "" {
						want = value(t, table, number, row)
					}
					found, err := h.Behind(t.Context(), code, number, q, cell, uuid.Nil, 1000)
					require.NoError(t, err, "%s %s", code, number)
					require.EqualValues(t, want, found.Total, "%s %s of %s", code, number, rowKey(table, row))
					require.Len(t, found.IDs, found.Total)
					if number == "" && found.Total > 1 {
						rest, err := h.Behind(t.Context(), code, number, q, cell, found.IDs[0], 1)
						require.NoError(t, err)
						require.Equal(t, found.IDs[1:2], rest.IDs)
						require.Equal(t, found.Total, rest.Total)
					}
				}
			}
		}
	}
	due := someIssue()
	due.Due = new(w.end().AddDate(0, 0, -3))
	overdue := func() *warehouse.Behind {
		late, err := h.Behind(t.Context(), "T3", "openOverdue", warehouse.Question{}, nil, uuid.Nil, len(w.issues))
		require.NoError(t, err)
		return late
	}
	before := overdue()
	insert(h, "f_issue", due)
	late := overdue()
	require.ElementsMatch(t, append(before.IDs, due.ID), late.IDs)
	for _, code := range []string{"Q1", "Q2", "Q3"} {
		none, err := h.Behind(t.Context(), code, "", warehouse.Question{}, warehouse.Cell{warehouse.ByMonth: new("2025-03")}, uuid.Nil, 10)
		require.NoError(t, err, code)
		require.Zero(t, none.Total)
	}
}
