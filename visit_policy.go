package groundwork

import (
	"time"

	"github.com/google/uuid"
)

// VisitPolicyItem says that a policy, as it was in effect, was talked of at a visit: how many questions were asked about it, and how many were
// answered there. A visit that propagates policy and raises no question is one without a trace.
type VisitPolicyItem struct {
	ID              uuid.UUID
	VisitID         uuid.UUID
	PolicyVersionID uuid.UUID
	QuestionsAsked  int
	Answered        int
	CreatedAt       time.Time
}

// Validate examines a new item.
func (i VisitPolicyItem) Validate() error {
	return firstError(
		check(i.QuestionsAsked >= 0, "questionsAsked", "the number of questions cannot be negative"),
		check(i.Answered >= 0 && i.Answered <= i.QuestionsAsked, "answered", "%d of %d questions were answered: give 0 to %d", i.Answered, i.QuestionsAsked, i.QuestionsAsked),
	)
}

// NotedBy examines an item against its visit, the day from which the version is in effect, and who notes it: a leader notes own visits only.
func (i VisitPolicyItem) NotedBy(by Actor, v Visit, mine bool, effectiveFrom time.Time) error {
	switch {
	case by.Role != RoleLeader && by.Role != RoleIntake:
		return Errorf(CodeForbidden, "what was talked of at a visit is noted by %s", join([]Role{RoleLeader, RoleIntake}))
	case by.Role == RoleLeader && !mine:
		return Errorf(CodeForbidden, "a leader notes visits that he or she leads or takes part in")
	case v.State != VisitHeld && v.State != VisitRecorded:
		return Errorf(CodeTransition, "the visit stands at %s; what was talked of is noted when it was held, before it is closed out", v.State)
	}
	return check(effectiveFrom.Format(time.DateOnly) <= DayOf(*v.EndedAt), "policyVersionId", "this version holds from %s on, after the visit; give the one that was in effect",
		effectiveFrom.Format(time.DateOnly))
}
