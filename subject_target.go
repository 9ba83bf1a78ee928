package groundwork

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"
)

// SubjectTargetState says whether a target still stands.
type SubjectTargetState string

// The states of a target.
const (
	SubjectTargetStanding  SubjectTargetState = "SET"
	SubjectTargetWithdrawn SubjectTargetState = "WITHDRAWN"
)

// SubjectTarget is a target that a unit or an official in a post is to reach in a period: a number of a measure, and the side of a value on which it
// should lie. The table is called target; TargetVersion is another thing, what is promised for issues. Its history keeps every value that it
// ever had.
type SubjectTarget struct {
	ID uuid.UUID
	Subject
	PeriodFrom time.Time // day
	PeriodTo   time.Time // day after the last
	Measure    string    // code
	Number     string    // which number of the measure; empty = the one that stands for it
	Direction  Direction
	Value      float64
	State      SubjectTargetState
	Version    int
	SetAt      time.Time
	CreatedAt  time.Time
}

// Met reports whether a value reaches the target.
func (a SubjectTarget) Met(value float64) bool {
	return ExitCriterion{Direction: a.Direction, Threshold: a.Value}.Met(value)
}

// SeenBy reports whether the actor may see the target: also the head of the unit in which the post is.
func (a SubjectTarget) SeenBy(by Actor) bool {
	head := by.Role == RoleUnitHead && by.UnitID != nil && a.SubjectUnitID != nil && *by.UnitID == *a.SubjectUnitID
	return head || a.Subject.SeenBy(by)
}

// maxPeriodYears bounds a period.
const maxPeriodYears = 5

// Validate examines a new target.
func (a SubjectTarget) Validate() error {
	return firstError(
		a.Subject.Validate(),
		check(measureCode.MatchString(a.Measure), "measure", "%q is no code of a measure; they are like H1", a.Measure),
		oneOf("direction", a.Direction, AtMost, AtLeast),
		check(!math.IsNaN(a.Value) && !math.IsInf(a.Value, 0), "value", "the value is a number"),
		validPeriod(a.PeriodFrom, a.PeriodTo),
	)
}

func validPeriod(from, to time.Time) error {
	return check(to.After(from) && !to.After(from.AddDate(maxPeriodYears, 0, 0)), "periodTo", "the period %s to %s ends after it begins, at most %d years later",
		from.Format(time.DateOnly), to.Format(time.DateOnly), maxPeriodYears)
}

// SubjectTargetStep asks to move a target along its life.
type SubjectTargetStep struct {
	Deed
	SubjectTargetID uuid.UUID
	Kind            string
	Direction       Direction // REVISED
	Value           float64   // REVISED
}

// SubjectTargetFacts are what the guards need to know beyond the target.
type SubjectTargetFacts struct {
	Now     time.Time
	Last    time.Time // the target's last event
	Outside bool      // the actor's unit is neither the subject's nor below it
}

// SubjectTargetAttempt is a step of a target under examination.
type SubjectTargetAttempt struct {
	Target *SubjectTarget
	Step   SubjectTargetStep
	Facts  SubjectTargetFacts
}

// The steps of a target.
const (
	SubjectTargetSet           = "SET"
	SubjectTargetRevised       = "REVISED"
	SubjectTargetStepWithdrawn = "WITHDRAWN"
)

var targetSetters = []Role{RoleSupervisor, RoleAssessor, RoleUnitHead}

// SubjectTargetLife is the life of a target.
var SubjectTargetLife = Life[SubjectTargetAttempt]{Noun: "target", Moves: []Move[SubjectTargetAttempt]{
	{Kind: SubjectTargetSet, To: "SET", Roles: targetSetters, Asks: "the period is not over; supervisors and assessors act from outside the unit, its head sets those of posts in it",
		Guards: []func(SubjectTargetAttempt) error{notOver, notByItself}},
	{Kind: SubjectTargetRevised, From: []string{"SET"}, Roles: targetSetters, Asks: "a reason; the period is not over; as when it was set", Effect: "what it was stays in the history",
		Guards: []func(SubjectTargetAttempt) error{targetReasoned, notOver, notByItself, revisedSoundly}},
	{Kind: SubjectTargetStepWithdrawn, From: []string{"SET"}, To: "WITHDRAWN", Roles: targetSetters, Asks: "a reason; the period is not over; as when it was set", Effect: "another may be set for the same",
		Guards: []func(SubjectTargetAttempt) error{targetReasoned, notOver, notByItself}},
}}

// SubjectTargetMachine shows the life of a target.
func SubjectTargetMachine() Machine { return SubjectTargetLife.Machine() }

// Plan examines a step of a target. It returns the step with its time, and the row of the life by which it goes.
func (a *SubjectTarget) Plan(s SubjectTargetStep, f SubjectTargetFacts) (SubjectTargetStep, Move[SubjectTargetAttempt], error) {
	name := "target " + a.Measure + " of " + a.Subject.name()
	deed, err := s.Settle(name, a.Version, f.Last, f.Now)
	if err != nil {
		return s, Move[SubjectTargetAttempt]{}, err
	}
	s.Deed = deed
	move, err := SubjectTargetLife.Take(SubjectTargetAttempt{a, s, f}, s.Kind, string(a.State), s.Actor.Role, name)
	return s, move, err
}

// After returns the target as it stands after a planned step.
func (a SubjectTarget) After(s SubjectTargetStep, m Move[SubjectTargetAttempt]) SubjectTarget {
	a.Version++
	if m.To != "" {
		a.State = SubjectTargetState(m.To)
	}
	if s.Kind == SubjectTargetRevised {
		a.Direction, a.Value = s.Direction, s.Value
	}
	return a
}

func targetReasoned(a SubjectTargetAttempt) error {
	return a.Step.reasoned(strings.ToLower(a.Step.Kind))
}

// notOver: a target for what is over is no target.
func notOver(a SubjectTargetAttempt) error {
	return check(DayOf(a.Facts.Now) < a.Target.PeriodTo.Format(time.DateOnly), "periodTo", "the period ended on %s: a target looks ahead", a.Target.PeriodTo.Format(time.DateOnly))
}

// notByItself: a head sets what the posts in the unit are to reach, others come from outside.
func notByItself(a SubjectTargetAttempt) error {
	by, s := a.Step.Actor, a.Target.Subject
	if by.Role != RoleUnitHead {
		return s.fromOutside(by, a.Facts.Outside, "sets a target")
	}
	if s.SubjectPostID == nil || s.Is(by) || by.UnitID == nil || s.SubjectUnitID == nil || *by.UnitID != *s.SubjectUnitID {
		return Errorf(CodeForbidden, "the head of a unit sets targets for the posts of others in it; %s is none of them", s.name())
	}
	return nil
}

func revisedSoundly(a SubjectTargetAttempt) error {
	next := *a.Target
	next.Direction, next.Value = a.Step.Direction, a.Step.Value
	if err := firstError(oneOf("direction", next.Direction, AtMost, AtLeast), check(!math.IsNaN(next.Value) && !math.IsInf(next.Value, 0), "value", "the value is a number")); err != nil {
		return err
	}
	return check(next.Direction != a.Target.Direction || next.Value != a.Target.Value, "value", "the target is this already; give another value")
}

// SubjectTargetFilter narrows a list of targets; zero fields do not narrow.
type SubjectTargetFilter struct {
	SubjectFilter
	Measures []string
	States   []SubjectTargetState
	On       *time.Time // its period holds this day
}

// SubjectTargetStore keeps targets of units and posts.
type SubjectTargetStore interface {
	SubjectTargets(ctx context.Context, f SubjectTargetFilter, p PageRequest) (Page[*SubjectTarget], error) // by the end of the period, the latest first
	SubjectTargetsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*SubjectTarget, error)
	SetSubjectTarget(ctx context.Context, d Deed, a SubjectTarget) (*SubjectTarget, Receipt, error)
	StepSubjectTarget(ctx context.Context, s SubjectTargetStep) (*SubjectTarget, Receipt, error)
}
