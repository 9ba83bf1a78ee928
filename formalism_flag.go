package groundwork

import (
	"context"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
)

// FlagState is where a flag stands in its life.
type FlagState string

// The states of a flag.
const (
	FlagRaised      FlagState = "RAISED"
	FlagUnderReview FlagState = "UNDER_REVIEW"
	FlagConfirmed   FlagState = "CONFIRMED"
	FlagDismissed   FlagState = "DISMISSED"
	FlagAppealed    FlagState = "APPEALED"
)

// FormalismFlag says that a detector found signs of formalism in what a unit or an official in a post did in a period. It scores nobody: it asks
// a reviewer from outside to look, and only what was confirmed enters an assessment. What the detector found never changes.
type FormalismFlag struct {
	ID   uuid.UUID
	Kind string // code of the measure of formalism, such as F1
	Subject
	PeriodFrom      time.Time // day
	PeriodTo        time.Time // day after the last
	Detector        string
	DetectorVersion int
	Score           float64        // as the detector defines it; greater = more conspicuous
	Evidence        map[string]any // what the detector saw
	State           FlagState
	Version         int
	Reviewer        *string // account of who took it up or judged it last
	ReviewerUnitID  *uuid.UUID
	Finding         *string // of the last judgement, in words
	Appeals         int
	RaisedAt        time.Time
	ReviewedAt      *time.Time // of the last judgement
	AppealedAt      *time.Time
	CreatedAt       time.Time
}

var formalismCode = regexp.MustCompile(`^F[0-9]{1,2}$`)

// Validate examines a flag that is to be raised.
func (f FormalismFlag) Validate() error {
	return firstError(
		f.Subject.Validate(),
		check(formalismCode.MatchString(f.Kind), "kind", "%q is no measure of formalism; they are like F1", f.Kind),
		check(strings.TrimSpace(f.Detector) != "" && f.DetectorVersion >= 1, "detector", "name the detector and its version, from 1 on"),
		check(!math.IsNaN(f.Score) && !math.IsInf(f.Score, 0), "score", "the score is a number"),
		check(len(f.Evidence) > 0, "evidence", "say what was seen: a reviewer judges by it"),
		validPeriod(f.PeriodFrom, f.PeriodTo),
	)
}

// FlagStep asks to move a flag along its life.
type FlagStep struct {
	Deed
	FlagID uuid.UUID
	Kind   string
}

// FlagFacts are what the guards need to know beyond the flag.
type FlagFacts struct {
	Now     time.Time
	Last    time.Time // the flag's last event
	Outside bool      // the actor's unit is neither the subject's nor below it
}

// FlagAttempt is a step of a flag under examination.
type FlagAttempt struct {
	Flag  *FormalismFlag
	Step  FlagStep
	Facts FlagFacts
}

// The steps of a flag.
const (
	FlagStepRaised    = "RAISED"
	FlagTakenUp       = "TAKEN_UP"
	FlagStepConfirmed = "CONFIRMED"
	FlagStepDismissed = "DISMISSED"
	FlagStepAppealed  = "APPEALED"
)

var (
	flagReviewers = []Role{RoleSupervisor, RoleAssessor}
	// appellants are the roles in which a subject answers for itself.
	appellants = []Role{RoleLeader, RoleUnitHead, RoleHandler}
)

// FlagLife is the life of a flag.
var FlagLife = Life[FlagAttempt]{Noun: "formalism_flag", Moves: []Move[FlagAttempt]{
	{Kind: FlagStepRaised, To: "RAISED", Roles: []Role{RoleSystem}, Asks: "what was seen, by which version of which detector, in a period that is over",
		Effect: "once for each subject, kind, period and version of the detector", Guards: []func(FlagAttempt) error{flagPeriodOver}},
	{Kind: FlagTakenUp, From: []string{"RAISED"}, To: "UNDER_REVIEW", Roles: flagReviewers, Asks: "a unit outside the subject's", Guards: []func(FlagAttempt) error{flagFromOutside}},
	{Kind: FlagStepConfirmed, From: []string{"UNDER_REVIEW"}, To: "CONFIRMED", Roles: flagReviewers, Asks: "a unit outside the subject's; the finding",
		Effect: "may enter an assessment", Guards: []func(FlagAttempt) error{flagFromOutside, flagReasoned}},
	{Kind: FlagStepDismissed, From: []string{"UNDER_REVIEW"}, To: "DISMISSED", Roles: flagReviewers, Asks: "a unit outside the subject's; the finding",
		Guards: []func(FlagAttempt) error{flagFromOutside, flagReasoned}},
	{Kind: FlagStepAppealed, From: []string{"CONFIRMED"}, To: "APPEALED", Roles: appellants, Asks: "the subject itself; a reason; once",
		Guards: []func(FlagAttempt) error{flagOfItself, flagAppealedOnce, flagReasoned}},
	{Kind: FlagStepAppealed, From: []string{"DISMISSED"}, To: "APPEALED", Roles: []Role{RoleSupervisor}, Asks: "a unit outside the subject's, another than dismissed it; a reason; once",
		Guards: []func(FlagAttempt) error{flagFromOutside, flagByAnother, flagAppealedOnce, flagReasoned}},
	{Kind: FlagStepConfirmed, From: []string{"APPEALED"}, To: "CONFIRMED", Roles: flagReviewers, Asks: "a unit outside the subject's, another reviewer than before; the finding",
		Effect: "for good", Guards: []func(FlagAttempt) error{flagFromOutside, flagByAnother, flagReasoned}},
	{Kind: FlagStepDismissed, From: []string{"APPEALED"}, To: "DISMISSED", Roles: flagReviewers, Asks: "a unit outside the subject's, another reviewer than before; the finding",
		Effect: "for good", Guards: []func(FlagAttempt) error{flagFromOutside, flagByAnother, flagReasoned}},
}}

// FlagMachine shows the life of a flag.
func FlagMachine() Machine { return FlagLife.Machine() }

// Plan examines a step of a flag. It returns the step with its time, and the row of the life by which it goes.
func (f *FormalismFlag) Plan(s FlagStep, facts FlagFacts) (FlagStep, Move[FlagAttempt], error) {
	name := "flag " + f.Kind + " of " + f.Subject.name()
	deed, err := s.Settle(name, f.Version, facts.Last, facts.Now)
	if err != nil {
		return s, Move[FlagAttempt]{}, err
	}
	s.Deed = deed
	move, err := FlagLife.Take(FlagAttempt{f, s, facts}, s.Kind, string(f.State), s.Actor.Role, name)
	return s, move, err
}

// After returns the flag as it stands after a planned step.
func (f FormalismFlag) After(s FlagStep, m Move[FlagAttempt]) FormalismFlag {
	f.Version++
	f.State = FlagState(m.To)
	switch s.Kind {
	case FlagTakenUp:
		f.Reviewer, f.ReviewerUnitID = &s.Actor.ID, s.Actor.UnitID
	case FlagStepConfirmed, FlagStepDismissed:
		f.Reviewer, f.ReviewerUnitID, f.Finding, f.ReviewedAt = &s.Actor.ID, s.Actor.UnitID, &s.Reason, &s.At
	case FlagStepAppealed:
		f.Appeals++
		f.AppealedAt = &s.At
	}
	return f
}

func flagPeriodOver(a FlagAttempt) error {
	return check(DayOf(a.Facts.Now) >= a.Flag.PeriodTo.Format(time.DateOnly), "periodTo", "the period lasts until %s: a flag is raised when it is over", a.Flag.PeriodTo.Format(time.DateOnly))
}

func flagFromOutside(a FlagAttempt) error {
	return a.Flag.Subject.fromOutside(a.Step.Actor, a.Facts.Outside, "reviews a flag")
}

func flagReasoned(a FlagAttempt) error {
	return check(strings.TrimSpace(a.Step.Reason) != "", "reason", "say what was found, or why")
}

func flagOfItself(a FlagAttempt) error {
	if !a.Flag.Subject.Is(a.Step.Actor) {
		return Errorf(CodeForbidden, "whom the flag speaks of appeals: the official in the post, or the head of the unit")
	}
	return nil
}

func flagAppealedOnce(a FlagAttempt) error {
	if a.Flag.Appeals > 0 {
		return Errorf(CodeTransition, "the flag was appealed already: what came of it stands")
	}
	return nil
}

func flagByAnother(a FlagAttempt) error {
	if a.Flag.Reviewer != nil && *a.Flag.Reviewer == a.Step.Actor.ID {
		return Errorf(CodeForbidden, "you judged this flag: another reviewer looks at it now")
	}
	return nil
}

// FlagFilter narrows a list of flags; zero fields do not narrow.
type FlagFilter struct {
	SubjectFilter
	Kinds  []string
	States []FlagState
	Period TimeRange // that overlap these days
}

// FlagStore keeps flags.
type FlagStore interface {
	Flags(ctx context.Context, f FlagFilter, p PageRequest) (Page[*FormalismFlag], error) // the latest raised first
	FlagsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*FormalismFlag, error)
	// RaiseFlag raises a flag, or returns the one that stands for the same subject, kind, period and version of the detector.
	RaiseFlag(ctx context.Context, by Actor, f FormalismFlag) (*FormalismFlag, Receipt, error)
	StepFlag(ctx context.Context, s FlagStep) (*FormalismFlag, Receipt, error)
}
