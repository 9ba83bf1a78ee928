package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"groundwork"
)

// Random steps of visits, of turns and of time: what is refused says why, a visit has at most one turn, and all stands as its history says.
func TestRandomVisits(t *testing.T) {
	t.Parallel()
	r := newRounds(t)
	r.rota(groundwork.Monthly)
	kinds := []string{groundwork.VisitBegun, groundwork.VisitEnded, groundwork.VisitNoted, groundwork.VisitDone, groundwork.VisitCalledOff, groundwork.VisitVoided}
	onward := map[groundwork.VisitState]string{groundwork.VisitPlanned: groundwork.VisitBegun, groundwork.VisitCheckedIn: groundwork.VisitEnded, groundwork.VisitHeld: groundwork.VisitNoted}
	reached := map[groundwork.VisitState]int{}
	rapid.Check(t, func(rt *rapid.T) {
		v := r.plan()
		for range rapid.IntRange(2, 8).Draw(rt, "steps") {
			r.clock.advance(time.Duration(rapid.SampledFrom([]int{5, 60, 60 * 24}).Draw(rt, "minutes")) * time.Minute)
			kind, known := onward[v.State]
			if !known || rapid.IntRange(0, 2).Draw(rt, "onward") == 0 {
				kind = rapid.SampledFrom(kinds).Draw(rt, "kind")
			}
			by := r.leader
			if kind == groundwork.VisitVoided {
				by = r.inspector
			}
			after, err := r.take(v, by, kind, func(s *groundwork.VisitStep) {
				s.Reason = "as it came"
				if kind == groundwork.VisitNoted {
					r.note(s)
				}
			})
			if err != nil {
				require.NotEmpty(rt, groundwork.CodeOf(err), "%s from %s: %v", kind, v.State, err)
				continue
			}
			v = after
		}
		reached[v.State]++
		if rapid.IntRange(0, 4).Draw(rt, "time") == 0 {
			r.run("rota_slot_missed")
		}
		turns, err := r.RotaSlots(context.Background(), groundwork.RotaSlotFilter{PostIDs: []uuid.UUID{r.post.ID}}, groundwork.PageRequest{First: 100})
		require.NoError(rt, err)
		taken := map[uuid.UUID]bool{}
		for _, slot := range turns.Items {
			if slot.VisitID != nil {
				require.False(rt, taken[*slot.VisitID], "a visit fulfils one turn at most")
				taken[*slot.VisitID] = true
			}
		}
	})
	require.Greater(t, len(reached), 2, "%v", reached)
	r.sound()
}
