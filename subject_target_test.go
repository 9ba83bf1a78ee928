package groundwork_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork"
)

func targetAttempt(kind, from string, role groundwork.Role) (groundwork.SubjectTarget, groundwork.SubjectTargetStep, groundwork.SubjectTargetFacts) {
	a := groundwork.SubjectTarget{Subject: assessed, Measure: "T2", PeriodFrom: aPeriodAgo, PeriodTo: today.AddDate(0, 0, 1), Direction: groundwork.AtMost, Value: 5, State: groundwork.SubjectTargetState(from), Version: 2}
	by := groundwork.Actor{ID: "a", Role: role, UnitID: &someUnit}
	if role == groundwork.RoleUnitHead {
		by.UnitID = &theirUnit
	}
	s := groundwork.SubjectTargetStep{Deed: groundwork.Deed{Actor: by, Reason: "because"}, Kind: kind, Direction: groundwork.AtMost, Value: 4}
	return a, s, groundwork.SubjectTargetFacts{Now: noon, Last: noon.Add(-time.Hour), Outside: role != groundwork.RoleUnitHead}
}

func TestEveryMoveOfATarget(t *testing.T) {
	t.Parallel()
	everyMove(t, groundwork.SubjectTargetMachine(), []string{"SET", "WITHDRAWN"}, func(kind, from string, role groundwork.Role) error {
		a, s, f := targetAttempt(kind, from, role)
		_, _, err := a.Plan(s, f)
		return err
	})
}

func TestRefusalsOfATarget(t *testing.T) {
	t.Parallel()
	type attempt struct {
		a *groundwork.SubjectTarget
		s *groundwork.SubjectTargetStep
		f *groundwork.SubjectTargetFacts
	}
	supervisor, head := groundwork.RoleSupervisor, groundwork.RoleUnitHead
	over := func(a attempt) { a.a.PeriodTo = today }
	inside := func(a attempt) { a.f.Outside = false }
	for name, c := range map[string]struct {
		kind, from string
		role       groundwork.Role
		spoil      func(attempt)
		says       string
	}{
		"stale":                     {"REVISED", "SET", supervisor, func(a attempt) { a.s.ExpectedVersion = 9 }, "is at version 2, not 9"},
		"set for what is over":      {"SET", "", supervisor, over, "looks ahead"},
		"set from inside":           {"SET", "", supervisor, inside, "comes from another"},
		"set for the unit itself":   {"SET", "", head, func(a attempt) { a.a.SubjectPostID = nil }, "posts of others"},
		"set for oneself":           {"SET", "", head, func(a attempt) { a.s.Actor.OfficialID = &someOfficial }, "posts of others"},
		"set by another head":       {"SET", "", head, func(a attempt) { a.s.Actor.UnitID = &someUnit }, "posts of others"},
		"set by a head of nothing":  {"SET", "", head, func(a attempt) { a.s.Actor.UnitID = nil }, "posts of others"},
		"set for a post of nowhere": {"SET", "", head, func(a attempt) { a.a.SubjectUnitID = nil }, "posts of others"},
		"revised silently":          {"REVISED", "SET", supervisor, func(a attempt) { a.s.Reason = "" }, "needs a reason"},
		"revised when over":         {"REVISED", "SET", supervisor, over, "looks ahead"},
		"revised from inside":       {"REVISED", "SET", supervisor, inside, "comes from another"},
		"revised to the same":       {"REVISED", "SET", supervisor, func(a attempt) { a.s.Value = 5 }, "is this already"},
		"revised to no number":      {"REVISED", "SET", supervisor, func(a attempt) { a.s.Value = math.NaN() }, "is a number"},
		"revised without end":       {"REVISED", "SET", supervisor, func(a attempt) { a.s.Value = math.Inf(1) }, "is a number"},
		"revised nowhere":           {"REVISED", "SET", supervisor, func(a attempt) { a.s.Direction = "UP" }, "direction"},
		"withdrawn silently":        {"WITHDRAWN", "SET", supervisor, func(a attempt) { a.s.Reason = "" }, "needs a reason"},
		"withdrawn when over":       {"WITHDRAWN", "SET", supervisor, over, "looks ahead"},
		"withdrawn from inside":     {"WITHDRAWN", "SET", supervisor, inside, "comes from another"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, s, f := targetAttempt(c.kind, c.from, c.role)
			_, _, err := a.Plan(s, f)
			require.NoError(t, err, "before it is spoilt")
			c.spoil(attempt{&a, &s, &f})
			_, _, err = a.Plan(s, f)
			require.ErrorContains(t, err, c.says)
		})
	}
	a, s, f := targetAttempt("REVISED", "SET", supervisor)
	s.Direction, s.Value = groundwork.AtLeast, 5
	_, move, err := a.Plan(s, f)
	require.NoError(t, err, "the other side of the same value")
	revised := a.After(s, move)
	require.Equal(t, []any{groundwork.AtLeast, 5.0, groundwork.SubjectTargetState("SET"), 3}, []any{revised.Direction, revised.Value, revised.State, revised.Version})
	a, s, f = targetAttempt("WITHDRAWN", "SET", supervisor)
	_, move, err = a.Plan(s, f)
	require.NoError(t, err)
	withdrawn := a.After(s, move)
	require.Equal(t, []any{groundwork.AtMost, 5.0, groundwork.SubjectTargetState("WITHDRAWN")}, []any{withdrawn.Direction, withdrawn.Value, withdrawn.State})
}

func TestWhatATargetIs(t *testing.T) {
	t.Parallel()
	target := func(spoil func(*groundwork.SubjectTarget)) error {
		a := groundwork.SubjectTarget{Subject: groundwork.Subject{SubjectPostID: &somePost}, Measure: "T2", Direction: groundwork.AtLeast, PeriodFrom: aPeriodAgo, PeriodTo: noon}
		spoil(&a)
		return a.Validate()
	}
	require.NoError(t, target(func(*groundwork.SubjectTarget) {}))
	require.ErrorContains(t, target(func(a *groundwork.SubjectTarget) { a.Measure = "speed" }), "no code of a measure")
	require.ErrorContains(t, target(func(a *groundwork.SubjectTarget) { a.Direction = "UP" }), "direction")
	for _, value := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		require.ErrorContains(t, target(func(a *groundwork.SubjectTarget) { a.Value = value }), "is a number")
	}
}

func TestWhoSeesATarget(t *testing.T) {
	t.Parallel()
	a := groundwork.SubjectTarget{Subject: assessed}
	head := groundwork.Actor{Role: groundwork.RoleUnitHead, UnitID: &theirUnit}
	require.True(t, a.SeenBy(head), "the head of the unit in which the post is")
	require.True(t, a.SeenBy(groundwork.Actor{Role: groundwork.RoleLeader, OfficialID: &someOfficial}))
	require.True(t, a.SeenBy(groundwork.Actor{Role: groundwork.RoleSupervisor}))
	for _, by := range []groundwork.Actor{{Role: groundwork.RoleUnitHead, UnitID: &someUnit}, {Role: groundwork.RoleUnitHead}, {Role: groundwork.RoleHandler, UnitID: &theirUnit}, {Role: groundwork.RoleLeader}} {
		require.False(t, a.SeenBy(by), "%v", by)
	}
	require.False(t, groundwork.SubjectTarget{}.SeenBy(head))
}
