package warehouse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

type saidTerms struct {
	Opinion  uuid.UUID  `ch:"opinion_id"`
	Day      int32      `ch:"day"`
	Received time.Time  `ch:"received_at"`
	Region   *uuid.UUID `ch:"region_id"`
	Reporter *uuid.UUID `ch:"reporter_pid"`
	Terms    []int64    `ch:"terms"`
}

// toldTerms is an opinion of a reporter (0 = unknown) so many days after the start.
func toldTerms(place uuid.UUID, reporter int, after float64, terms ...int64) saidTerms {
	at := start.Add(days(after))
	y, m, d := at.UTC().Date()
	o := saidTerms{uuid.New(), int32(y*10000 + int(m)*100 + d), at, &place, nil, terms} //nolint:gosec // a date
	if reporter > 0 {
		o.Reporter = new(uuid.NewSHA1(uuid.Nil, fmt.Append(nil, reporter)))
	}
	return o
}

// The worked example, of two counties: in the first week 100 opinions, in the four before it 400. Term 1 is in 30 and in 10; term 2 in 40 of all and in as many as before;
// term 3 is new and has ten reporters, term 4 is new and has eleven, of whom one speaks twice; term 5 is told by unknown reporters alone.
func TestTopicPulse(t *testing.T) {
	t.Parallel()
	h := open(t)
	places := h.counties(2)
	var rows []saidTerms
	ids := map[uuid.UUID][]int64{}
	for i := range 500 {
		now, n, after := i < 100, i%100, 40+float64(i%100)*0.07 // of the week
		if !now {
			n, after = i-100, 12+float64(i-100)*0.07 // of the four weeks before
		}
		terms := []int64{}
		add := func(term int64, has bool) {
			if has {
				terms = append(terms, term)
			}
		}
		reporter := n + 1
		add(-1, now && n < 30 || !now && n < 10)
		add(2, n%5 < 2)
		add(3, now && n >= 30 && n < 40)
		add(4, now && n >= 40 && n < 52)
		add(5, now && n >= 60 && n < 90)
		if now && n == 51 {
			reporter = 51
		}
		if now && n >= 60 && n < 90 {
			reporter = 0
		}
		row := toldTerms(places[i%2], reporter, after, terms...)
		ids[row.Opinion] = terms
		rows = append(rows, row)
	}
	rows = append(rows, toldTerms(places[0], 900, 47, -1), toldTerms(places[0], 901, 11.9, -1)) // on no side
	insert(h, "f_opinion_terms", rows...)
	h.watermark(1, start.Add(days(60)))

	from, to := start.Add(days(40)), start.Add(days(47))
	got, err := h.TopicPulse(t.Context(), warehouse.TopicQuestion{From: &from, To: &to})
	require.NoError(t, err)
	require.Equal(t, []int64{100, 400}, []int64{got.Opinions, got.Baseline})
	require.Equal(t, start.Add(days(12)), got.BaselineFrom)
	require.Equal(t, 3, got.Tested, "terms 1, 2 and 4")
	require.Len(t, got.Topics, 2, "term 2 is not told more than before")
	first, second := got.Topics[0], got.Topics[1]
	require.Equal(t, []int64{-1, 30, 10}, []int64{first.Term, first.Opinions, first.Baseline})
	require.InDelta(t, 2.5, first.Expected, 1e-12)
	require.InDelta(t, 6.281207, first.Contrast.Ratio.Value, 1e-6)
	require.InDelta(t, 6.121166, first.Contrast.Z, 1e-6)
	require.InEpsilon(t, 3*1.0619949e-13, first.Q, 1e-6, "the least of three")
	require.True(t, first.Rising)
	require.Equal(t, []int64{4, 12, 0}, []int64{second.Term, second.Opinions, second.Baseline})
	require.InEpsilon(t, 3.0/2*4.096e-9, second.Q, 1e-6, "0.2¹², the second of three")
	for _, topic := range got.Topics {
		require.LessOrEqual(t, len(topic.Said), 22)
		require.GreaterOrEqual(t, len(topic.Said), 11)
		for _, id := range topic.Said {
			require.Contains(t, ids[id], topic.Term)
		}
	}
	require.Len(t, second.Said, 11, "one a reporter")

	// One county has half of it: six reporters of term 4.
	got, err = h.TopicPulse(t.Context(), warehouse.TopicQuestion{Query: warehouse.Query{Where: warehouse.Filter{Regions: []string{"990101000000"}}, Limit: 1}, From: &from, To: &to})
	require.NoError(t, err)
	require.Equal(t, []int64{50, 200}, []int64{got.Opinions, got.Baseline})
	require.Equal(t, 2, got.Tested)
	require.Equal(t, []int64{15, 5}, []int64{got.Topics[0].Opinions, got.Topics[0].Baseline})

	// With too little to compare, nothing is said.
	before := start
	got, err = h.TopicPulse(t.Context(), warehouse.TopicQuestion{From: &from, To: &to, BaselineFrom: &before, BaselineTo: new(start.Add(days(12)))})
	require.NoError(t, err)
	require.Empty(t, got.Topics)
	require.Contains(t, got.Notes[0], "not computable: 100 opinions were read in the window and 1 in the baseline")
	for _, q := range []warehouse.TopicQuestion{{From: &from}, {From: &to, To: &from}, {From: &from, To: &to, BaselineFrom: &from}, {From: &from, To: &to, BaselineFrom: &before, BaselineTo: &to}} {
		_, err := h.TopicPulse(t.Context(), q)
		require.ErrorAs(t, err, new(*warehouse.InputError))
	}
}
