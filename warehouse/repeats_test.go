package warehouse_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

type repeatVoice struct {
	ID       uuid.UUID  `ch:"id"`
	Channel  string     `ch:"channel"`
	Kind     string     `ch:"kind"`
	Received time.Time  `ch:"received_at"`
	Reporter *uuid.UUID `ch:"reporter_pid"`
}

type repeatLink struct {
	Issue   uuid.UUID `ch:"issue_id"`
	Opinion uuid.UUID `ch:"opinion_id"`
	At      time.Time `ch:"linked_at"`
}

type mergedIssue struct {
	issue
	Into *uuid.UUID `ch:"merged_into_id"`
}

type mergedEvent struct {
	event
	Into *uuid.UUID `ch:"merged_into_id"`
}

// tell puts an opinion of a reporter (0 = unknown) to an issue so many days after the start.
func (h *house) tell(of uuid.UUID, reporter int, after float64, channel string) repeatVoice {
	h.t.Helper()
	o := repeatVoice{ID: uuid.New(), Channel: channel, Kind: "HELP", Received: start.Add(days(after))}
	if reporter > 0 {
		o.Reporter = new(uuid.NewSHA1(uuid.Nil, fmt.Append(nil, reporter)))
	}
	insert(h, "f_opinion", o)
	insert(h, "f_issue_opinion", repeatLink{of, o.ID, o.Received.Add(time.Hour)})
	return o
}

// The worked example: a road that five opinions tell of, two of them by who told of it first, and two more as issues of their own, one merged by way of the other; a lamp that one
// tells of, and a well that two unknown people tell of in the same moment. 10 opinions on 3 matters: 7 tell again.
func TestToldAgain(t *testing.T) {
	t.Parallel()
	h := open(t)
	places := h.counties(2)
	road, copied, between, lamp, well := someIssue(), someIssue(), someIssue(), someIssue(), someIssue()
	road.Region, copied.Region, between.Region, lamp.Region, well.Region = &places[0], &places[1], &places[1], &places[0], &places[1]
	insert(h, "f_issue", road, lamp, well)
	for _, i := range []issue{road, lamp, well, copied, between} {
		insert(h, "f_issue_event", event{i.ID, 1, "REGISTERED", "IN_PROGRESS", start, start, i.progress})
	}
	merge := func(i, into issue, on float64) {
		i.State = "MERGED"
		at := start.Add(days(on))
		insert(h, "f_issue", mergedIssue{i, &into.ID})
		insert(h, "f_issue_event", mergedEvent{event{i.ID, 2, "MERGED", "MERGED", at, at, i.progress}, &into.ID})
	}
	h.tell(road.ID, 1, 0, "HOTLINE")
	h.tell(road.ID, 2, 1, "ONLINE")
	h.tell(road.ID, 1, 2, "ONLINE")
	h.tell(road.ID, 1, 40, "ONLINE")
	h.tell(road.ID, 3, 41, "ONLINE")
	h.tell(copied.ID, 4, 3, "HOTLINE")
	h.tell(between.ID, 5, 4, "HOTLINE")
	h.tell(lamp.ID, 1, 5, "HOTLINE")
	h.tell(well.ID, 0, 6, "LETTER")
	h.tell(well.ID, 0, 6, "LETTER")
	merge(copied, between, 10)
	merge(between, road, 20)
	thanks := repeatVoice{ID: uuid.New(), Channel: "LETTER", Kind: "THANKS", Received: start}
	insert(h, "f_opinion", thanks)
	h.watermark(1, start.AddDate(1, 0, 0))

	whole := h.one("D1", warehouse.Question{})
	require.EqualValues(t, 10, whole.N[0], "thanks are on no issue")
	requireShare(t, whole, "repeated", 0.7, 0.39677814746114537, 0.8922087325936989) // Wilson of 7 in 10
	requireShare(t, whole, "sameReporter", 0.2)
	requireShare(t, whole, "foundLater", 0.2)
	require.Equal(t, []bool{true}, whole.Flags["unstable"])

	asked := func(q warehouse.Question) string {
		table, err := h.Ask(t.Context(), "D1", q)
		require.NoError(t, err)
		var rows []string
		for row, n := range table.N {
			rows = append(rows, fmt.Sprintf("%s: %d, %.3f, %.3f, %.3f", rowKey(table, row), n, value(t, table, "repeated", row), value(t, table, "sameReporter", row), value(t, table, "foundLater", row)))
		}
		return strings.Join(rows, "; ")
	}
	by := func(d ...warehouse.Dimension) warehouse.Question {
		return warehouse.Question{Query: warehouse.Query{By: d}}
	}
	code := func(i int) string {
		var code string
		require.NoError(t, h.QueryRow(t.Context(), "SELECT code FROM d_region FINAL WHERE id = {id:UUID}", named("id", places[i].String())).Scan(&code))
		return code
	}
	require.Equal(t, code(0)+": 8, 0.750, 0.250, 0.250; "+code(1)+": 2, 0.500, 0.000, 0.000", asked(by(warehouse.ByRegion)), "what was merged lies where the matter lies")
	require.Equal(t, "HOTLINE: 4, 0.500, 0.000, 0.500; LETTER: 2, 0.500, 0.000, 0.000; ONLINE: 4, 1.000, 0.500, 0.000", asked(by(warehouse.ByChannel)), "by the channel of each opinion")
	require.Equal(t, "2025-03: 8, 0.625, 0.125, 0.250; 2025-04: 2, 1.000, 0.500, 0.000", asked(by(warehouse.ByMonth)))
	online := by()
	online.Where.Channels = []string{"ONLINE"}
	require.Equal(t, ": 4, 1.000, 0.500, 0.000", asked(online))
	online.Where.Kinds = []string{"COMPLAINT"}
	require.Empty(t, asked(online), "the kind of the opinion, too")
	later := by()
	later.From = new(start.Add(days(30)))
	require.Equal(t, ": 2, 1.000, 0.500, 0.000", asked(later), "that the matter is known is older than the window")

	// As of the past: after three days and a half there are 4 opinions, on what seem two matters; after 15 days what was copied is one with what lies between.
	past := by()
	past.AsOf = new(start.Add(days(3.5)))
	require.Equal(t, ": 4, 0.500, 0.250, 0.000", asked(past))
	past.AsOf = new(start.Add(days(15)))
	require.Equal(t, ": 8, 0.500, 0.125, 0.125", asked(past))

	// What is taken apart again is two matters, and a link that is gone is none.
	insert(h, "f_issue", mergedIssue{between, nil})
	require.Equal(t, ": 10, 0.600, 0.200, 0.100", asked(by()))

	// Protected: behind the 10 opinions are 7 reporters.
	small := by()
	small.Protect = true
	table, err := h.Ask(t.Context(), "D1", small)
	require.NoError(t, err)
	require.Equal(t, []bool{true}, table.Flags["suppressed"])
	for range 30 {
		h.tell(road.ID, 1, 50, "ONLINE")
	}
	table, err = h.Ask(t.Context(), "D1", small)
	require.NoError(t, err)
	require.Equal(t, []bool{true}, table.Flags["suppressed"], "40 opinions of few people")
	for reporter := range 30 {
		h.tell(road.ID, 100+reporter, 60, "ONLINE")
	}
	table, err = h.Ask(t.Context(), "D1", small)
	require.NoError(t, err)
	require.Equal(t, []bool{false}, table.Flags["suppressed"])
}

// Of what came in one moment that counts as the later which was entered later, though ClickHouse would sort the ids the other way round.
func TestOfOneMomentTheOrderOfEntryCounts(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, later)
	before, after := uuid.MustParse("0199a000-0000-7000-bfff-ffffffffffff"), uuid.MustParse("0199a000-0001-7000-8000-000000000000")
	road := someIssue()
	road.State, road.Claimed = "CLAIMED", new(start.AddDate(0, 0, 1))
	insert(h, "f_issue", road)
	for id, channel := range map[uuid.UUID]string{before: "HOTLINE", after: "ONLINE"} {
		insert(h, "f_opinion", repeatVoice{ID: id, Channel: channel, Kind: "HELP", Received: start})
		insert(h, "f_issue_opinion", repeatLink{road.ID, id, start})
	}
	told := h.answer("D1", warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByChannel}}})
	require.Zero(t, *num(t, told, "repeated", rowOf(told, "HOTLINE")))
	require.EqualValues(t, 1, *num(t, told, "repeated", rowOf(told, "ONLINE")))

	claim := uuid.New()
	insert(h, "f_claim", claimed{claim, road.ID, "groundwork", start.AddDate(0, 0, 1)})
	insert(h, "f_feedback", verdict{before, claim, road.ID, "YES", new(int32(5)), "SELF", start.AddDate(0, 0, 3)}, verdict{after, claim, road.ID, "NO", new(int32(1)), "SELF", start.AddDate(0, 0, 3)})
	require.Zero(t, *num(t, h.answer("Q1", warehouse.Question{}), "resolved", 0))
	require.Zero(t, *num(t, h.answer("Q2", warehouse.Question{}), "satisfiedWeighted", 0))
}
