package warehouse_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// clocked is an issue with what its clock says.
type clocked struct {
	issue
	PausedSince   *time.Time `ch:"paused_since"`
	PausedSeconds int64      `ch:"paused_seconds"`
	Returns       int32      `ch:"return_count"`
	Into          *uuid.UUID `ch:"merged_into_id"`
}

// Whatever is told of issues, and however far the base is behind, answers that are made of histories are those of the mirrors.
func TestBaseOfHistoriesAnswersAsTheMirrors(t *testing.T) {
	t.Parallel()
	w := newWorld(41, 150)
	h := open(t)
	all, end := h.hears(w), w.end()
	clock := func(times int) {
		for range times {
			i := clocked{issue: w.issues[w.rnd.IntN(len(w.issues))], PausedSeconds: w.rnd.Int64N(400_000), Returns: int32(w.rnd.IntN(4))}
			if w.rnd.IntN(2) == 0 {
				i.PausedSince = new(i.Origin.Add(w.wait(10)))
			}
			insert(h, "f_issue", i)
		}
	}
	merge := func(issues ...int) { // each into the one after it
		for k, of := range issues[1:] {
			i := &w.issues[issues[k]]
			i.State = "MERGED"
			insert(h, "f_issue", clocked{issue: *i, Into: &w.issues[of].ID})
		}
	}
	clock(30)
	merge(30, 31, 32)
	merge(33, 34)
	h.position(end)
	require.True(t, h.keep().Built)
	h.toldAsExact(w, 4, ofHistories)
	require.Equal(t, warehouse.Kept{}, h.keep(), "nothing changed")
	for mark, name := range []string{"closed", "withdrawn", "unconfirmed", "against", "handled", "ended", "reopened", "returned twice", "counts"} {
		require.NotZero(t, h.count("SELECT countIf(bitTest(marks, "+string(rune('0'+mark))+")) FROM f_history_base WHERE w = 1"), name)
	}

	changes := map[string]func(){
		"more is told of claims": func() {
			var more told
			for range 8 {
				more.add(w.tell(all.claims[w.rnd.IntN(len(all.claims))]))
			}
			more.attempts = nil
			h.hear(more)
		},
		"a verdict is told anew": func() {
			again := all.verdicts[w.rnd.IntN(len(all.verdicts))]
			again.Resolved, again.Level = "NO", new(int32(1))
			insert(h, "f_feedback", again)
		},
		"later than now": func() {
			c := all.claims[w.rnd.IntN(len(all.claims))]
			insert(h, "f_feedback", verdict{w.uuid(), c.ID, c.Issue, "NO", new(int32(1)), "SELF", end.Add(days(2))})
			for _, l := range all.legs[:3] {
				l.Returned = new(end.Add(days(3)))
				insert(h, "f_dispatch_leg", l)
			}
			for _, i := range w.issues[10:14] {
				insert(h, "f_issue_event", event{i.ID, 900, "REOPENED", "IN_PROGRESS", end.Add(-days(1)), end.Add(days(1)), i.progress})
			}
		},
		"legs": func() {
			for range 8 {
				insert(h, "f_dispatch_leg", w.leg(w.issues[w.rnd.IntN(len(w.issues))], w.rnd.IntN(4)))
			}
			remove(h, "f_dispatch_leg", all.legs[7], all.legs[8])
		},
		"clocks":  func() { clock(8) },
		"mergers": func() { merge(35, 36, 32); merge(32, 37) },
		"opinions": func() {
			for k := range 8 {
				h.hear(w.say(w.issues[30+k]))
			}
			earlier := all.opinions[3]
			earlier.Received = earlier.Received.Add(-days(3))
			insert(h, "f_opinion", earlier)
			remove(h, "f_issue_opinion", all.links[5])
			remove(h, "f_opinion", all.opinions[6])
		},
		"claims": func() {
			for k := range 5 {
				more := w.claim(w.issues[w.rnd.IntN(len(w.issues))])
				if len(more.claims) > 0 {
					more.claims[0].At = end.Add(-days(float64(3 * k))) // not due for a verdict yet
				}
				h.hear(more)
			}
		},
		"only events": func() {
			for _, i := range w.issues[20:26] {
				insert(h, "f_issue_event", event{i.ID, 901, []string{"CLOSED", "REOPENED"}[w.rnd.IntN(2)], "IN_PROGRESS", end.Add(-days(2)), end.Add(-days(2)), i.progress})
			}
		},
		"issues go on": func() {
			for k := range 12 {
				i := &w.issues[w.rnd.IntN(len(w.issues))]
				switch k % 4 {
				case 0:
					i.State = "MERGED"
				case 1:
					i.State, i.Closure, i.Closed = "CLOSED", new([]string{"WITHDRAWN", "EXPLAINED"}[w.rnd.IntN(2)]), &end
				case 2:
					i.Region, i.Category = &w.regions[w.rnd.IntN(len(w.regions))].ID, nil
				case 3:
					i.FirstResponse = new(i.Origin.Add(w.wait(1)))
				}
				insert(h, "f_issue", *i)
			}
		},
		"issues come": func() {
			before := len(w.issues)
			for range 6 {
				w.live()
			}
			insert(h, "f_issue", w.issues[before:]...)
			for _, i := range w.issues[before:] {
				insert(h, "f_issue_event", w.histories[i.ID]...)
				h.hear(w.claim(i))
			}
		},
		"a replay": func() {
			h.version--
			insert(h, "f_dispatch_leg", all.legs[:5]...)
		},
	}
	h.changesAsExact(w, 1, ofHistories, changes)

	// Each issue is there once, as it would be if the base was built now.
	const columns = "id, told_until, marks, claims, ratings, begun, heard, legs, returned, closed_first, reopened_first, paused_seconds, paused_since, response_end, response_micros, claimed_at, closed_at, merged_into_id, category_id, region_id, area_id," +
		" state, origin_at, month, pattern, over, gross, paused"
	h.foldedAsBuilt("f_history_base", columns)
	require.Equal(t, h.count("SELECT count() FROM f_issue FINAL WHERE _deleted = 0"), h.count("SELECT toUInt64(sum(w)) FROM f_history_base WHERE gen = (SELECT max(gen) FROM f_history_base)"))
}

// Histories are built in slices as issues are, and a verdict that goes without a trace leaves their base void.
func TestBaseOfHistoriesIsBuiltInSlicesAndVoid(t *testing.T) {
	t.Parallel()
	w := newWorld(42, 60)
	h := open(t)
	all := h.hears(w)
	keeper := h.keeper()
	keeper.Slice(10)
	_, err := keeper.Once(t.Context())
	require.NoError(t, err)
	require.Equal(t, h.count("SELECT count() FROM f_issue FINAL WHERE _deleted = 0"), h.count("SELECT count() FROM f_history_base WHERE w = 1"))
	h.toldAsExact(w, 2, ofHistories)
	remove(h, "f_feedback", verdict{ID: all.verdicts[0].ID})
	h.position(w.end())
	h.toldAsExact(w, 1, ofHistories)
	require.True(t, h.keep().Built)
	h.toldAsExact(w, 1, ofHistories)
}
