package groundwork_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
)

var otherUnit = uuid.MustParse("01900000-0000-7000-8000-000000000004")

// noon is 20:00 of 2 March in China.
var (
	march2 = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	march3 = march2.AddDate(0, 0, 1)
)

// changeAttempt has all that any step of a change of a policy asks for.
func changeAttempt(kind, from string, role groundwork.Role) (groundwork.PolicyChange, groundwork.PolicyStep, groundwork.PolicyFacts) {
	outcome := groundwork.OutcomeMeasure{Measure: "H1", Direction: groundwork.AtMost, MinimalEffect: 0.5, WindowDays: 30, AnticipationDays: 7}
	c := groundwork.PolicyChange{Summary: "Shorter queues", OwnerUnitID: someUnit, State: groundwork.PolicyChangeState(from), Version: 3,
		Outcome: &outcome, PreRegisteredAt: new(noon.Add(-time.Hour))}
	s := groundwork.PolicyStep{Deed: groundwork.Deed{Actor: groundwork.Actor{ID: "a", Role: role, UnitID: &someUnit}, Reason: "because"}, Kind: kind,
		Evidence: []groundwork.EvidenceTarget{{IssueID: &ownCell}}, Persons: 1, Summary: "They agree", Outcome: outcome,
		Rollouts: []groundwork.PolicyRollout{{RegionID: ownCell, EffectiveFrom: march3}}, Text: "Queues are short.", EffectiveFrom: march2,
		Evaluation: groundwork.PolicyEvaluation{Estimate: -1, CILow: -2, CIHigh: 0, TreatedRegions: 8, ControlRegions: 8, AsOf: noon, Text: "It worked"}}
	f := groundwork.PolicyFacts{Now: noon, Last: noon.Add(-time.Hour), FirstRollout: new(march2), LatestFrom: new(march2.AddDate(0, 0, -1)), Outside: true}
	if kind == groundwork.PolicyEvaluated {
		f.FirstRollout = new(march2.AddDate(0, 0, -30))
	}
	return c, s, f
}

func TestEveryMoveOfAPolicyChange(t *testing.T) {
	t.Parallel()
	states := []string{"PROPOSED", "CONSULTED", "PILOT", "ADOPTED", "EVALUATED", "RETAINED", "AMENDED", "REPEALED", "DROPPED"}
	everyMove(t, groundwork.PolicyMachine(), states, func(kind, from string, role groundwork.Role) error {
		c, s, f := changeAttempt(kind, from, role)
		_, _, err := c.Plan(s, f)
		return err
	})
}

func TestRefusalsOfAPolicyChange(t *testing.T) {
	t.Parallel()
	type attempt struct {
		c *groundwork.PolicyChange
		s *groundwork.PolicyStep
		f *groundwork.PolicyFacts
	}
	owner, leader, supervisor := groundwork.RolePolicyOwner, groundwork.RoleLeader, groundwork.RoleSupervisor
	elsewhere := func(a attempt) { a.s.Actor.UnitID = &otherUnit }
	nowhere := func(a attempt) { a.s.Actor.UnitID = nil }
	for name, c := range map[string]struct {
		kind, from string
		role       groundwork.Role
		spoil      func(a attempt)
		says       string
	}{
		"stale":                       {"CONSULTED", "PROPOSED", owner, func(a attempt) { a.s.ExpectedVersion = 4 }, "is at version 3, not 4"},
		"proposed for another unit":   {"PROPOSED", "", owner, elsewhere, "owns the policy"},
		"proposed for no unit":        {"PROPOSED", "", owner, nowhere, "owns the policy"},
		"without evidence":            {"PROPOSED", "", owner, func(a attempt) { a.s.Evidence = nil }, "1 to 100 pieces of evidence"},
		"with too much evidence":      {"PROPOSED", "", owner, func(a attempt) { a.s.Evidence = slices.Repeat(a.s.Evidence, 101) }, "1 to 100 pieces of evidence"},
		"evidence of nothing":         {"PROPOSED", "", owner, func(a attempt) { a.s.Evidence[0].IssueID = nil }, "is one thing"},
		"evidence of two things":      {"PROPOSED", "", owner, func(a attempt) { a.s.Evidence[0].VisitID = &ownCell }, "is one thing"},
		"linked for another unit":     {"EVIDENCE_LINKED", "PILOT", owner, elsewhere, "owns the policy"},
		"linked nothing":              {"EVIDENCE_LINKED", "PILOT", owner, func(a attempt) { a.s.Evidence = nil }, "1 to 100 pieces of evidence"},
		"consulted for another unit":  {"CONSULTED", "PROPOSED", owner, elsewhere, "owns the policy"},
		"nobody heard":                {"CONSULTED", "PROPOSED", owner, func(a attempt) { a.s.Persons = 0 }, "at least one person"},
		"nothing said":                {"CONSULTED", "PROPOSED", owner, func(a attempt) { a.s.Summary = " " }, "what people said"},
		"registered for another unit": {"OUTCOME_REGISTERED", "CONSULTED", owner, elsewhere, "owns the policy"},
		"no such measure":             {"OUTCOME_REGISTERED", "CONSULTED", owner, func(a attempt) { a.s.Outcome.Measure = "queues" }, "no code"},
		"no direction":                {"OUTCOME_REGISTERED", "CONSULTED", owner, func(a attempt) { a.s.Outcome.Direction = "DOWN" }, "give one of"},
		"negative effect":             {"OUTCOME_REGISTERED", "CONSULTED", owner, func(a attempt) { a.s.Outcome.MinimalEffect = -1 }, "not negative"},
		"no window":                   {"OUTCOME_REGISTERED", "CONSULTED", owner, func(a attempt) { a.s.Outcome.WindowDays = 0 }, "window of 0 days"},
		"endless window":              {"OUTCOME_REGISTERED", "CONSULTED", owner, func(a attempt) { a.s.Outcome.WindowDays = 3661 }, "window of 3661 days"},
		"negative anticipation":       {"OUTCOME_REGISTERED", "CONSULTED", owner, func(a attempt) { a.s.Outcome.AnticipationDays = -1 }, "-1 days"},
		"endless anticipation":        {"OUTCOME_REGISTERED", "CONSULTED", owner, func(a attempt) { a.s.Outcome.AnticipationDays = 367 }, "367 days"},
		"piloted for another unit":    {"PILOT_STARTED", "CONSULTED", owner, elsewhere, "owns the policy"},
		"no outcome":                  {"PILOT_STARTED", "CONSULTED", owner, func(a attempt) { a.c.PreRegisteredAt = nil }, "register the outcome measure"},
		"registered as it takes effect": {"PILOT_STARTED", "CONSULTED", owner, func(a attempt) {
			a.s.Rollouts[0].EffectiveFrom, a.c.PreRegisteredAt = march2, new(time.Date(2026, 3, 1, 16, 0, 0, 0, time.UTC)) // midnight in China
		}, "takes effect on a later day"},
		"no rollout":        {"PILOT_STARTED", "CONSULTED", owner, func(a attempt) { a.s.Rollouts = nil }, "1 to 500 regions"},
		"too many rollouts": {"PILOT_STARTED", "CONSULTED", owner, func(a attempt) { a.s.Rollouts = slices.Repeat(a.s.Rollouts, 501) }, "1 to 500 regions"},
		"a rollout of the past": {"PILOT_STARTED", "CONSULTED", owner, func(a attempt) {
			a.s.Rollouts[0].EffectiveFrom, a.c.PreRegisteredAt = march2.AddDate(0, 0, -1), new(noon.AddDate(-1, 0, 0))
		}, "is over"},
		"overlapping rollouts":               {"PILOT_STARTED", "CONSULTED", owner, func(a attempt) { a.f.Overlapping = []uuid.UUID{ownCell} }, "overlaps"},
		"rolled out by another unit":         {"ROLLED_OUT", "PILOT", owner, elsewhere, "owns the policy"},
		"rolled out before the registration": {"ROLLED_OUT", "ADOPTED", owner, func(a attempt) { a.c.PreRegisteredAt = new(noon.AddDate(0, 0, 2)) }, "takes effect on a later day"},
		"rolled out nowhere":                 {"ROLLED_OUT", "PILOT", owner, func(a attempt) { a.s.Rollouts = nil }, "1 to 500 regions"},
		"adopted before the pilot":           {"ADOPTED", "PILOT", leader, func(a attempt) { a.f.FirstRollout = new(march3) }, "has not begun"},
		"adopted without a pilot":            {"ADOPTED", "PILOT", leader, func(a attempt) { a.f.FirstRollout = nil }, "has not begun"},
		"adopted without a text":             {"ADOPTED", "PILOT", leader, func(a attempt) { a.s.Text = "" }, "needs its text"},
		"adopted from no day":                {"ADOPTED", "PILOT", leader, func(a attempt) { a.s.EffectiveFrom = time.Time{} }, "needs the day"},
		"adopted in the past":                {"ADOPTED", "PILOT", leader, func(a attempt) { a.s.EffectiveFrom = march2.AddDate(0, 0, -1) }, "is over"},
		"adopted before the latest version":  {"ADOPTED", "PILOT", leader, func(a attempt) { a.f.LatestFrom = new(march3) }, "give a later day"},
		"evaluated by nobody's unit":         {"EVALUATED", "ADOPTED", supervisor, nowhere, "neither owns the policy"},
		"evaluated from inside":              {"EVALUATED", "ADOPTED", supervisor, func(a attempt) { a.f.Outside = false }, "neither owns the policy"},
		"above its interval":                 {"EVALUATED", "ADOPTED", supervisor, func(a attempt) { a.s.Evaluation.CIHigh = -1.1 }, "outside its interval"},
		"below its interval":                 {"EVALUATED", "ADOPTED", supervisor, func(a attempt) { a.s.Evaluation.CILow = -0.9 }, "outside its interval"},
		"shown nowhere":                      {"EVALUATED", "ADOPTED", supervisor, func(a attempt) { a.s.Evaluation.TreatedRegions = 0 }, "at least one region"},
		"negative controls":                  {"EVALUATED", "ADOPTED", supervisor, func(a attempt) { a.s.Evaluation.ControlRegions = -1 }, "cannot be negative"},
		"nothing found":                      {"EVALUATED", "ADOPTED", supervisor, func(a attempt) { a.s.Evaluation.Text = "" }, "what was found"},
		"known in the future":                {"EVALUATED", "ADOPTED", supervisor, func(a attempt) { a.s.Evaluation.AsOf = noon.Add(time.Second) }, "in the future"},
		"before the window is over":          {"EVALUATED", "ADOPTED", supervisor, func(a attempt) { a.f.FirstRollout = new(march3.AddDate(0, 0, -30)) }, "window of 30 days"},
		"never rolled out":                   {"EVALUATED", "ADOPTED", supervisor, func(a attempt) { a.f.FirstRollout = nil }, "nothing to evaluate"},
		"retained without a reason":          {"RETAINED", "EVALUATED", leader, func(a attempt) { a.s.Reason = "" }, "needs a reason"},
		"amended without a reason":           {"AMENDED", "EVALUATED", leader, func(a attempt) { a.s.Reason = "" }, "needs a reason"},
		"amended without a text":             {"AMENDED", "EVALUATED", leader, func(a attempt) { a.s.Text = "" }, "needs its text"},
		"amended in the past":                {"AMENDED", "EVALUATED", leader, func(a attempt) { a.s.EffectiveFrom = march2.AddDate(0, 0, -1) }, "is over"},
		"amended from the day of the latest": {"AMENDED", "EVALUATED", leader, func(a attempt) { a.f.LatestFrom = &a.s.EffectiveFrom }, "give a later day"},
		"repealed without a reason":          {"REPEALED", "EVALUATED", leader, func(a attempt) { a.s.Reason = "" }, "needs a reason"},
		"repealed in the past":               {"REPEALED", "EVALUATED", leader, func(a attempt) { a.s.EffectiveFrom = march2.AddDate(0, 0, -1) }, "today or later"},
		"repealed from no day":               {"REPEALED", "EVALUATED", leader, func(a attempt) { a.s.EffectiveFrom = time.Time{} }, "today or later"},
		"dropped for another unit":           {"DROPPED", "PILOT", owner, elsewhere, "owns the policy"},
		"dropped without a reason":           {"DROPPED", "PILOT", leader, func(a attempt) { a.s.Reason = "" }, "needs a reason"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			change, s, f := changeAttempt(c.kind, c.from, c.role)
			_, _, err := change.Plan(s, f)
			require.NoError(t, err, "before it is spoilt")
			c.spoil(attempt{&change, &s, &f})
			_, _, err = change.Plan(s, f)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestNewPolicies(t *testing.T) {
	t.Parallel()
	sound := func() (groundwork.Policy, groundwork.PolicyVersion) {
		return groundwork.Policy{Title: "Queues", OwnerUnitID: someUnit}, groundwork.PolicyVersion{Text: "Queues are short.", EffectiveFrom: march2}
	}
	p, v := sound()
	require.NoError(t, p.Validate(v))
	p.Title = " "
	require.ErrorContains(t, p.Validate(v), "needs a title")
	p, v = sound()
	v.Text = " "
	require.ErrorContains(t, p.Validate(v), "needs its text")
	p, v = sound()
	v.EffectiveFrom = time.Time{}
	require.ErrorContains(t, p.Validate(v), "needs the day")

	require.NoError(t, p.OwnedBy(groundwork.Actor{Role: groundwork.RolePolicyOwner, UnitID: &someUnit}))
	require.NoError(t, p.OwnedBy(groundwork.System))
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(p.OwnedBy(groundwork.Actor{Role: groundwork.RolePolicyOwner, UnitID: &otherUnit})))
	require.ErrorContains(t, groundwork.PolicyProposal{Summary: " "}.Validate(), "what is to change")
}

func TestAVersionIsRevisedBeforeItsDay(t *testing.T) {
	t.Parallel()
	v := groundwork.PolicyVersion{N: 2, EffectiveFrom: march3}
	midnight := time.Date(2026, 3, 2, 16, 0, 0, 0, time.UTC) // of 3 March in China
	require.NoError(t, v.Revisable(v, midnight.Add(-time.Second)))
	require.ErrorContains(t, v.Revisable(v, midnight), "version 2 is in effect since 2026-03-03")
	require.ErrorContains(t, v.Revisable(groundwork.PolicyVersion{EffectiveFrom: march2}, midnight.Add(-time.Second)), "has begun")
}

func TestFewRegionsOnlyDescribe(t *testing.T) {
	t.Parallel()
	require.False(t, groundwork.PolicyEvaluation{TreatedRegions: 8, ControlRegions: 8}.Descriptive())
	require.True(t, groundwork.PolicyEvaluation{TreatedRegions: 7, ControlRegions: 8}.Descriptive())
	require.True(t, groundwork.PolicyEvaluation{TreatedRegions: 8, ControlRegions: 7}.Descriptive())
}

// What lies exactly at a limit is allowed.
func TestLimitsOfAPolicyChangeAreAllowed(t *testing.T) {
	t.Parallel()
	for _, o := range []groundwork.OutcomeMeasure{
		{Measure: "H1", Direction: groundwork.AtLeast, MinimalEffect: 0, WindowDays: 1, AnticipationDays: 0},
		{Measure: "Q12", Direction: groundwork.AtMost, MinimalEffect: 1, WindowDays: 3660, AnticipationDays: 366},
	} {
		require.NoError(t, o.Validate())
	}
	for name, c := range map[string]struct {
		kind, from string
		role       groundwork.Role
		change     func(s *groundwork.PolicyStep)
	}{
		"a hundred pieces":     {"EVIDENCE_LINKED", "PILOT", groundwork.RoleLeader, func(s *groundwork.PolicyStep) { s.Evidence = slices.Repeat(s.Evidence, 100) }},
		"five hundred regions": {"PILOT_STARTED", "CONSULTED", groundwork.RolePolicyOwner, func(s *groundwork.PolicyStep) { s.Rollouts = slices.Repeat(s.Rollouts, 500) }},
		"no width, one region": {"EVALUATED", "ADOPTED", groundwork.RoleAssessor, func(s *groundwork.PolicyStep) {
			s.Evaluation.CILow, s.Evaluation.CIHigh, s.Evaluation.TreatedRegions, s.Evaluation.ControlRegions = -1, -1, 1, 0
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			change, s, f := changeAttempt(c.kind, c.from, c.role)
			c.change(&s)
			_, _, err := change.Plan(s, f)
			require.NoError(t, err)
		})
	}
	change, s, f := changeAttempt("ROLLED_OUT", "PILOT", groundwork.RolePolicyOwner)
	change.PreRegisteredAt, s.Rollouts[0].EffectiveFrom = new(noon.AddDate(0, -1, 0)), march2
	_, _, err := change.Plan(s, f)
	require.NoError(t, err, "today")
	change, s, f = changeAttempt("ADOPTED", "PILOT", groundwork.RoleLeader)
	f.Now = time.Date(2026, 3, 1, 16, 0, 0, 0, time.UTC) // the first moment of the pilot's first day in China
	f.Last = f.Now
	_, _, err = change.Plan(s, f)
	require.NoError(t, err, "as the pilot begins")
}

func TestAPolicyChangeAfterItsSteps(t *testing.T) {
	t.Parallel()
	after := func(kind, from string, role groundwork.Role) (groundwork.PolicyChange, groundwork.PolicyStep) {
		c, s, f := changeAttempt(kind, from, role)
		s, move, err := c.Plan(s, f)
		require.NoError(t, err)
		c = c.After(s, move)
		require.Equal(t, 4, c.Version)
		return c, s
	}
	owner, leader := groundwork.RolePolicyOwner, groundwork.RoleLeader
	c, _ := after("EVIDENCE_LINKED", "ADOPTED", leader)
	require.Equal(t, groundwork.ChangeAdopted, c.State, "it stays")
	c, _ = after("CONSULTED", "PROPOSED", owner)
	require.Equal(t, []any{groundwork.ChangeConsulted, &noon}, []any{c.State, c.ConsultedAt})
	c, s := after("OUTCOME_REGISTERED", "CONSULTED", owner)
	require.Equal(t, []any{groundwork.ChangeConsulted, &s.Outcome, &noon}, []any{c.State, c.Outcome, c.PreRegisteredAt})
	c, _ = after("PILOT_STARTED", "CONSULTED", owner)
	require.Equal(t, &noon, c.PilotAt)
	c, _ = after("ADOPTED", "PILOT", leader)
	require.Equal(t, &noon, c.AdoptedAt)
	c, _ = after("EVALUATED", "ADOPTED", groundwork.RoleSupervisor)
	require.Equal(t, &noon, c.EvaluatedAt)
	require.Nil(t, c.EndedAt)
	for _, end := range []string{"RETAINED", "AMENDED", "REPEALED"} {
		c, _ = after(end, "EVALUATED", leader)
		require.Equal(t, []any{groundwork.PolicyChangeState(end), &noon}, []any{c.State, c.EndedAt})
	}
	c, _ = after("DROPPED", "PILOT", owner)
	require.Equal(t, &noon, c.EndedAt)
}
