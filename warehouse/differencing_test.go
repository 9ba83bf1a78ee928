package warehouse_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

func TestWhatResearchersMayNotAsk(t *testing.T) {
	t.Parallel()
	at := func(day int) *time.Time { m := time.Date(2025, 6, day, 0, 0, 0, 0, time.UTC); return &m }
	latest := time.Date(2025, 6, 12, 9, 0, 0, 0, time.UTC) // a Thursday
	for name, q := range map[string]warehouse.Question{
		"Where.OriginTo": {Query: warehouse.Query{Where: warehouse.Filter{OriginFrom: at(1), OriginTo: at(7)}}},
		"To":             {From: at(1), To: at(7)},
		"By":             {Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByDay}}},
		"Where.Segments": {Query: warehouse.Query{Where: warehouse.Filter{Segments: []warehouse.Segment{warehouse.Overdue}}}},
	} {
		_, err := q.Researchable(latest)
		var input *warehouse.InputError
		require.ErrorAs(t, err, &input, name)
		require.Equal(t, name, input.Field)
	}
	monday := time.Date(2025, 6, 8, 16, 0, 0, 0, time.UTC) // 00:00 in Asia/Shanghai
	q, err := warehouse.Question{From: at(1), To: at(8), Query: warehouse.Query{Where: warehouse.Filter{Segments: []warehouse.Segment{warehouse.Grave}}}}.Researchable(latest)
	require.NoError(t, err)
	require.Equal(t, monday, *q.AsOf)
	q, err = warehouse.Question{Query: warehouse.Query{AsOf: at(3)}}.Researchable(latest)
	require.NoError(t, err)
	require.Equal(t, monday.AddDate(0, 0, -7), *q.AsOf)
	q, err = warehouse.Question{Query: warehouse.Query{AsOf: &monday}}.Researchable(latest)
	require.NoError(t, err)
	require.Equal(t, monday, *q.AsOf, "a start of a week stays")
}

// The smallest difference is what a person would count, in the whole and by cell.
func TestNearestCountsWhatIsBetweenTwoAnswers(t *testing.T) {
	t.Parallel()
	h := open(t)
	w := newWorld(5, 300)
	w.load(h, nil)
	end := w.end()
	ask := func(change func(*warehouse.Question)) warehouse.Asked {
		q := warehouse.Question{Query: warehouse.Query{AsOf: &end}}
		change(&q)
		return warehouse.Asked{Code: "T1", Question: q}
	}
	nearest := func(now warehouse.Asked, before ...warehouse.Asked) (uint64, bool) {
		d, ok, err := h.Nearest(t.Context(), now, before)
		require.NoError(t, err)
		return d, ok
	}
	all := ask(func(*warehouse.Question) {})
	channels := map[string]uint64{}
	cells := map[[2]string]uint64{}
	for _, i := range w.issues {
		if i.State != "MERGED" {
			channels[i.Channel]++
			cells[[2]string{i.Channel, i.Severity}]++
		}
	}
	require.Greater(t, len(channels), 2)

	_, differ := nearest(all, all)
	require.False(t, differ, "the same question again tells nothing new")
	_, differ = nearest(all)
	require.False(t, differ)
	for channel, n := range channels {
		var others []string
		for k := range channels {
			if k != channel {
				others = append(others, k)
			}
		}
		without := ask(func(q *warehouse.Question) { q.Where.Channels = others })
		got, differ := nearest(without, all)
		require.True(t, differ)
		require.Equal(t, n, got, "all but %s against all", channel)
		got, _ = nearest(all, without)
		require.Equal(t, n, got, "in either order")

		smallest := n
		for cell, n := range cells {
			if cell[0] == channel {
				smallest = min(smallest, n)
			}
		}
		bySeverity := ask(func(q *warehouse.Question) {
			q.Where.Channels, q.By = others, []warehouse.Dimension{warehouse.BySeverity}
		})
		got, _ = nearest(bySeverity, all, bySeverity)
		require.Equal(t, smallest, got, "a cell of the split against the same cell of all")
	}

	// What only the moment sets apart: the issues that became known between.
	half := w.issues[len(w.issues)/2].Origin
	earlier := ask(func(q *warehouse.Question) { q.AsOf = &half })
	var later uint64
	for _, i := range w.issues {
		if i.State != "MERGED" && w.histories[i.ID][0].KnownAt.After(half) {
			later++
		}
	}
	got, differ := nearest(all, earlier)
	require.Equal(t, later > 0, differ)
	require.Equal(t, later, got)
}
