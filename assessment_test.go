package groundwork_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork"
)

func assessmentAttempt(kind, from string, role groundwork.Role) (groundwork.Assessment, groundwork.AssessmentStep, groundwork.AssessmentFacts) {
	a := groundwork.Assessment{Subject: assessed, State: groundwork.AssessmentState(from), Version: 5, Reviewer: "somebody else", ReviewedAt: new(noon.Add(-groundwork.ReplyWithin)), FinalAt: new(noon.Add(-groundwork.AppealWithin))}
	answers := kind == groundwork.AssessmentStepReplied || kind == groundwork.AssessmentStepAppealed
	s := groundwork.AssessmentStep{Deed: groundwork.Deed{Actor: answering(role, answers), Reason: "because"}, Kind: kind, Snapshots: make([]groundwork.SnapshotRequest, 1)}
	return a, s, groundwork.AssessmentFacts{Now: noon, Last: noon.Add(-time.Hour), PeriodTo: today, Outside: !answers}
}

func TestEveryMoveOfAnAssessment(t *testing.T) {
	t.Parallel()
	everyMove(t, groundwork.AssessmentMachine(), []string{"OPEN", "FROZEN", "REVIEWED", "REPLIED", "FINAL", "APPEALED"}, func(kind, from string, role groundwork.Role) error {
		a, s, f := assessmentAttempt(kind, from, role)
		_, _, err := a.Plan(s, f)
		return err
	})
}

func TestRefusalsOfAnAssessment(t *testing.T) {
	t.Parallel()
	type attempt struct {
		a *groundwork.Assessment
		s *groundwork.AssessmentStep
		f *groundwork.AssessmentFacts
	}
	assessor, supervisor, leader := groundwork.RoleAssessor, groundwork.RoleSupervisor, groundwork.RoleLeader
	inside := func(a attempt) { a.f.Outside = false }
	silent := func(a attempt) { a.s.Reason = " " }
	stranger := func(a attempt) { a.s.Actor.OfficialID = &somePost }
	for name, c := range map[string]struct {
		kind, from string
		role       groundwork.Role
		spoil      func(attempt)
		says       string
	}{
		"stale":                       {"REVIEWED", "FROZEN", assessor, func(a attempt) { a.s.ExpectedVersion = 9 }, "is at version 5, not 9"},
		"opened from inside":          {"OPENED", "", assessor, inside, "comes from another"},
		"frozen from inside":          {"FROZEN", "OPEN", assessor, inside, "comes from another"},
		"frozen too early":            {"FROZEN", "OPEN", assessor, func(a attempt) { a.f.PeriodTo = today.AddDate(0, 0, 1) }, "lasts until 2026-03-03"},
		"frozen on other definitions": {"FROZEN", "OPEN", assessor, func(a attempt) { a.f.Strangers = []string{"H1"} }, "mean something else now"},
		"frozen on nothing":           {"FROZEN", "OPEN", assessor, func(a attempt) { a.s.Snapshots = nil }, "no measure of the cycle"},
		"reviewed from inside":        {"REVIEWED", "FROZEN", assessor, inside, "comes from another"},
		"reviewed silently":           {"REVIEWED", "FROZEN", assessor, silent, "in words"},
		"replied by a stranger":       {"REPLIED", "REVIEWED", leader, stranger, "who is assessed answers"},
		"replied silently":            {"REPLIED", "REVIEWED", leader, silent, "in words"},
		"ended from inside":           {"FINALIZED", "REPLIED", assessor, inside, "comes from another"},
		"ended silently":              {"FINALIZED", "REPLIED", assessor, silent, "in words"},
		"ended from inside, no reply": {"FINALIZED", "REVIEWED", assessor, inside, "comes from another"},
		"ended silently, no reply":    {"FINALIZED", "REVIEWED", assessor, silent, "in words"},
		"ended before the reply":      {"FINALIZED", "REVIEWED", assessor, func(a attempt) { a.a.ReviewedAt = new(a.a.ReviewedAt.Add(time.Second)) }, "may reply until"},
		"appealed by a stranger":      {"APPEALED", "FINAL", leader, stranger, "who is assessed answers"},
		"appealed silently":           {"APPEALED", "FINAL", leader, silent, "in words"},
		"appealed too late":           {"APPEALED", "FINAL", leader, func(a attempt) { a.a.FinalAt = new(a.a.FinalAt.Add(-time.Second)) }, "could be appealed until"},
		"appealed twice":              {"APPEALED", "FINAL", leader, func(a attempt) { a.a.Appeal = new("x") }, "appealed already"},
		"decided from inside":         {"DECIDED", "APPEALED", supervisor, inside, "comes from another"},
		"decided by who assessed":     {"DECIDED", "APPEALED", supervisor, func(a attempt) { a.a.Reviewer = a.s.Actor.ID }, "another decides"},
		"decided silently":            {"DECIDED", "APPEALED", supervisor, silent, "in words"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, s, f := assessmentAttempt(c.kind, c.from, c.role)
			_, _, err := a.Plan(s, f)
			require.NoError(t, err, "before it is spoilt")
			c.spoil(attempt{&a, &s, &f})
			_, _, err = a.Plan(s, f)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestWhatACycleRestsOn(t *testing.T) {
	t.Parallel()
	c := groundwork.AssessmentCycle{Name: "Spring", PeriodFrom: aPeriodAgo, PeriodTo: noon}
	require.NoError(t, c.Validate([]string{"H1", "T2"}))
	require.ErrorContains(t, c.Validate(nil), "name the measures")
	require.ErrorContains(t, c.Validate([]string{"H1", "H1"}), "H1 is given twice")
	require.ErrorContains(t, c.Validate([]string{"h1"}), "no code of a measure")
}
