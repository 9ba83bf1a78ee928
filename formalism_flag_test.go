package groundwork_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
)

var (
	somePost, someOfficial = uuid.MustParse("01900000-0000-7000-8000-000000000011"), uuid.MustParse("01900000-0000-7000-8000-000000000012")
	theirUnit              = uuid.MustParse("01900000-0000-7000-8000-000000000013")
	aPeriodAgo             = noon.AddDate(0, -3, 0)
	today                  = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) // of noon
)

// assessed is an official in a post of theirUnit.
var assessed = groundwork.Subject{SubjectUnitID: &theirUnit, SubjectPostID: &somePost, SubjectOfficialID: &someOfficial}

// answering is an actor who comes from another unit, or who is the official in the post where the role answers for itself.
func answering(role groundwork.Role, answers bool) groundwork.Actor {
	a := groundwork.Actor{ID: string(role), Role: role, UnitID: &someUnit}
	if answers {
		a.UnitID, a.OfficialID = &theirUnit, &someOfficial
	}
	return a
}

func flagAttempt(kind, from string, role groundwork.Role) (groundwork.FormalismFlag, groundwork.FlagStep, groundwork.FlagFacts) {
	f := groundwork.FormalismFlag{Kind: "F1", Subject: assessed, PeriodFrom: aPeriodAgo, PeriodTo: today, State: groundwork.FlagState(from), Version: 4}
	if from != "" && from != "RAISED" {
		f.Reviewer = new("somebody else")
	}
	answers := kind == groundwork.FlagStepAppealed && role != groundwork.RoleSupervisor
	s := groundwork.FlagStep{Deed: groundwork.Deed{Actor: answering(role, answers), Reason: "nothing was heard"}, Kind: kind}
	return f, s, groundwork.FlagFacts{Now: noon, Last: noon.Add(-time.Hour), Outside: !answers}
}

func TestEveryMoveOfAFlag(t *testing.T) {
	t.Parallel()
	everyMove(t, groundwork.FlagMachine(), []string{"RAISED", "UNDER_REVIEW", "CONFIRMED", "DISMISSED", "APPEALED"}, func(kind, from string, role groundwork.Role) error {
		f, s, facts := flagAttempt(kind, from, role)
		_, _, err := f.Plan(s, facts)
		return err
	})
}

func TestRefusalsOfAFlag(t *testing.T) {
	t.Parallel()
	type attempt struct {
		f     *groundwork.FormalismFlag
		s     *groundwork.FlagStep
		facts *groundwork.FlagFacts
	}
	supervisor, leader, system := groundwork.RoleSupervisor, groundwork.RoleLeader, groundwork.RoleSystem
	inside := func(a attempt) { a.facts.Outside = false }
	silent := func(a attempt) { a.s.Reason = " " }
	same := func(a attempt) { a.f.Reviewer = &a.s.Actor.ID }
	again := func(a attempt) { a.f.Appeals = 1 }
	for name, c := range map[string]struct {
		kind, from string
		role       groundwork.Role
		spoil      func(attempt)
		says       string
	}{
		"stale":                       {"TAKEN_UP", "RAISED", supervisor, func(a attempt) { a.s.ExpectedVersion = 9 }, "is at version 4, not 9"},
		"raised too early":            {"RAISED", "", system, func(a attempt) { a.f.PeriodTo = today.AddDate(0, 0, 1) }, "lasts until 2026-03-03"},
		"taken up from inside":        {"TAKEN_UP", "RAISED", supervisor, inside, "comes from another"},
		"taken up for nobody":         {"TAKEN_UP", "RAISED", supervisor, func(a attempt) { a.s.Actor.UnitID = nil }, "name the unit"},
		"confirmed from inside":       {"CONFIRMED", "UNDER_REVIEW", supervisor, inside, "comes from another"},
		"confirmed silently":          {"CONFIRMED", "UNDER_REVIEW", supervisor, silent, "what was found"},
		"dismissed from inside":       {"DISMISSED", "UNDER_REVIEW", supervisor, inside, "comes from another"},
		"dismissed silently":          {"DISMISSED", "UNDER_REVIEW", supervisor, silent, "what was found"},
		"appealed by a stranger":      {"APPEALED", "CONFIRMED", leader, func(a attempt) { a.s.Actor.OfficialID = &somePost }, "whom the flag speaks of"},
		"appealed twice":              {"APPEALED", "CONFIRMED", leader, again, "appealed already"},
		"appealed silently":           {"APPEALED", "CONFIRMED", leader, silent, "what was found"},
		"dismissal appealed inside":   {"APPEALED", "DISMISSED", supervisor, inside, "comes from another"},
		"own dismissal appealed":      {"APPEALED", "DISMISSED", supervisor, same, "another reviewer"},
		"dismissal appealed twice":    {"APPEALED", "DISMISSED", supervisor, again, "appealed already"},
		"dismissal appealed silently": {"APPEALED", "DISMISSED", supervisor, silent, "what was found"},
		"confirmed again from inside": {"CONFIRMED", "APPEALED", supervisor, inside, "comes from another"},
		"confirmed again by the same": {"CONFIRMED", "APPEALED", supervisor, same, "another reviewer"},
		"confirmed again silently":    {"CONFIRMED", "APPEALED", supervisor, silent, "what was found"},
		"dismissed then from inside":  {"DISMISSED", "APPEALED", supervisor, inside, "comes from another"},
		"dismissed then by the same":  {"DISMISSED", "APPEALED", supervisor, same, "another reviewer"},
		"dismissed then silently":     {"DISMISSED", "APPEALED", supervisor, silent, "what was found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, s, facts := flagAttempt(c.kind, c.from, c.role)
			_, _, err := f.Plan(s, facts)
			require.NoError(t, err, "before it is spoilt")
			c.spoil(attempt{&f, &s, &facts})
			_, _, err = f.Plan(s, facts)
			require.ErrorContains(t, err, c.says)
		})
	}
	f, s, facts := flagAttempt("CONFIRMED", "APPEALED", supervisor)
	f.Reviewer = nil
	_, _, err := f.Plan(s, facts)
	require.NoError(t, err, "nobody judged it")
}

func TestWhatAFlagSays(t *testing.T) {
	t.Parallel()
	flag := func(spoil func(*groundwork.FormalismFlag)) error {
		f := groundwork.FormalismFlag{Kind: "F10", Subject: groundwork.Subject{SubjectUnitID: &theirUnit}, PeriodFrom: aPeriodAgo, PeriodTo: noon, Detector: "outlier", DetectorVersion: 1, Evidence: map[string]any{"n": 1}}
		spoil(&f)
		return f.Validate()
	}
	require.NoError(t, flag(func(*groundwork.FormalismFlag) {}))
	for says, spoil := range map[string]func(*groundwork.FormalismFlag){
		"no measure of formalism": func(f *groundwork.FormalismFlag) { f.Kind = "H1" },
		"one of both":             func(f *groundwork.FormalismFlag) { f.SubjectPostID = &somePost },
		"say what was seen":       func(f *groundwork.FormalismFlag) { f.Evidence = nil },
		"ends after it begins":    func(f *groundwork.FormalismFlag) { f.PeriodTo = f.PeriodFrom },
		"at most 5 years later":   func(f *groundwork.FormalismFlag) { f.PeriodTo = f.PeriodFrom.AddDate(5, 0, 1) },
	} {
		require.ErrorContains(t, flag(spoil), says)
	}
	require.NoError(t, flag(func(f *groundwork.FormalismFlag) { f.PeriodTo = f.PeriodFrom.AddDate(5, 0, 0) }))
	require.ErrorContains(t, flag(func(f *groundwork.FormalismFlag) { f.Detector = " " }), "name the detector")
	require.ErrorContains(t, flag(func(f *groundwork.FormalismFlag) { f.DetectorVersion = 0 }), "name the detector")
	for _, score := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		require.ErrorContains(t, flag(func(f *groundwork.FormalismFlag) { f.Score = score }), "the score is a number")
	}
}
