package groundwork

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"
)

// AssessmentCycle is a period in which units and officials are assessed, by measures whose meaning is fixed when it is opened.
type AssessmentCycle struct {
	ID            uuid.UUID
	Name          string
	PeriodFrom    time.Time   // day
	PeriodTo      time.Time   // day after the last
	DefinitionIDs []uuid.UUID // versions of definitions of measures
	OpenedAt      time.Time
	CreatedAt     time.Time
}

// Validate examines a new cycle with the measures that it is to rest on.
func (c AssessmentCycle) Validate(measures []string) error {
	seen := map[string]bool{}
	for _, code := range measures {
		if err := firstError(check(measureCode.MatchString(code), "measures", "%q is no code of a measure; they are like H1", code),
			check(!seen[code], "measures", "%s is given twice", code)); err != nil {
			return err
		}
		seen[code] = true
	}
	return firstError(named(c.Name), validPeriod(c.PeriodFrom, c.PeriodTo),
		check(len(measures) > 0, "measures", "name the measures that assessments of the cycle rest on"))
}

// AssessmentState is where an assessment stands in its life.
type AssessmentState string

// The states of an assessment.
const (
	AssessmentOpen     AssessmentState = "OPEN"
	AssessmentFrozen   AssessmentState = "FROZEN"
	AssessmentReviewed AssessmentState = "REVIEWED"
	AssessmentReplied  AssessmentState = "REPLIED"
	AssessmentFinal    AssessmentState = "FINAL"
	AssessmentAppealed AssessmentState = "APPEALED"
)

// Assessment is what an assessor from outside says of a unit or an official in a post for a cycle, on frozen grounds, with the subject's reply.
type Assessment struct {
	ID      uuid.UUID
	CycleID uuid.UUID
	Subject
	State          AssessmentState
	Version        int
	Reviewer       string // account of who assesses
	ReviewerUnitID uuid.UUID
	Frozen         *string // canonical JSON of what it rests on (Grounds)
	FrozenSHA256   *string
	AsOf           *time.Time // of which the frozen figures speak
	Comment        *string
	Reply          *string
	Conclusion     *string
	Appeal         *string
	Decision       *string
	Decider        *string
	DeciderUnitID  *uuid.UUID
	OpenedAt       time.Time
	FrozenAt       *time.Time
	ReviewedAt     *time.Time
	RepliedAt      *time.Time
	FinalAt        *time.Time
	AppealedAt     *time.Time
	DecidedAt      *time.Time
	CreatedAt      time.Time
}

// Grounds are what an assessment rests on: snapshots of the measures of its cycle, the flags that were confirmed, and the targets that stood,
// all of the subject and the period.
type Grounds struct {
	Assessment uuid.UUID      `json:"assessment"`
	AsOf       time.Time      `json:"asOf"`
	Snapshots  []GroundFigure `json:"snapshots"`
	Flags      []GroundFlag   `json:"flags"`
	Targets    []GroundTarget `json:"targets"`
}

// GroundFigure is a snapshot among the grounds.
type GroundFigure struct {
	ID      uuid.UUID `json:"id"`
	Measure string    `json:"measure"`
	SHA256  string    `json:"sha256"`
}

// GroundFlag is a confirmed flag among the grounds, as it was then.
type GroundFlag struct {
	ID      uuid.UUID `json:"id"`
	Kind    string    `json:"kind"`
	Version int       `json:"version"`
	Finding string    `json:"finding"`
}

// GroundTarget is a target among the grounds, as it stood then.
type GroundTarget struct {
	ID        uuid.UUID `json:"id"`
	Version   int       `json:"version"`
	Measure   string    `json:"measure"`
	Number    string    `json:"number"`
	Direction Direction `json:"direction"`
	Value     float64   `json:"value"`
}

// Seal returns the grounds as they are stored, and the hash that proves them unchanged.
func (g Grounds) Seal() (text, hash string, err error) {
	raw, err := json.Marshal(g)
	return string(raw), hexSHA256(string(raw)), err
}

// AssessmentStep asks to move an assessment along its life. Reason carries what is said: comment, reply, conclusion, appeal, decision.
type AssessmentStep struct {
	Deed
	AssessmentID uuid.UUID
	Kind         string
	Snapshots    []SnapshotRequest // FROZEN
	Asked        string            `json:",omitempty"` // FROZEN: what the caller asked for; a request that comes again is known by it
}

// AssessmentFacts are what the guards need to know beyond the assessment.
type AssessmentFacts struct {
	Now       time.Time
	Last      time.Time // its last event
	PeriodTo  time.Time // day after the last of the cycle's period
	Outside   bool      // the actor's unit is neither the subject's nor below it
	Strangers []string  // FROZEN: measures of snapshots that are not of the cycle
}

// AssessmentAttempt is a step of an assessment under examination.
type AssessmentAttempt struct {
	Assessment *Assessment
	Step       AssessmentStep
	Facts      AssessmentFacts
}

// The steps of an assessment.
const (
	AssessmentOpened       = "OPENED"
	AssessmentStepFrozen   = "FROZEN"
	AssessmentStepReviewed = "REVIEWED"
	AssessmentStepReplied  = "REPLIED"
	AssessmentFinalized    = "FINALIZED"
	AssessmentStepAppealed = "APPEALED"
	AssessmentDecided      = "DECIDED"
)

const (
	// ReplyWithin is how long a subject has for its reply; silence is no assent, but the assessment goes on.
	ReplyWithin = 14 * 24 * time.Hour
	// AppealWithin is how long after the end a subject may appeal.
	AppealWithin = 30 * 24 * time.Hour
)

// AssessmentLife is the life of an assessment.
var AssessmentLife = Life[AssessmentAttempt]{Noun: "assessment", Moves: []Move[AssessmentAttempt]{
	{Kind: AssessmentOpened, To: "OPEN", Roles: []Role{RoleAssessor}, Asks: "a unit outside the subject's", Guards: []func(AssessmentAttempt) error{assessedFromOutside}},
	{Kind: AssessmentStepFrozen, From: []string{"OPEN"}, To: "FROZEN", Roles: []Role{RoleAssessor}, Asks: "a unit outside the subject's; the period is over; figures of the subject by the measures of the cycle",
		Effect: "figures, confirmed flags and targets are frozen under a hash", Guards: []func(AssessmentAttempt) error{assessedFromOutside, cyclePeriodOver, restsOnFigures}},
	{Kind: AssessmentStepReviewed, From: []string{"FROZEN"}, To: "REVIEWED", Roles: []Role{RoleAssessor}, Asks: "a unit outside the subject's; a comment",
		Guards: []func(AssessmentAttempt) error{assessedFromOutside, saidInWords}},
	{Kind: AssessmentStepReplied, From: []string{"REVIEWED"}, To: "REPLIED", Roles: appellants, Asks: "the subject itself; a reply",
		Guards: []func(AssessmentAttempt) error{assessedItself, saidInWords}},
	{Kind: AssessmentFinalized, From: []string{"REPLIED"}, To: "FINAL", Roles: []Role{RoleAssessor}, Asks: "a unit outside the subject's; a conclusion",
		Guards: []func(AssessmentAttempt) error{assessedFromOutside, saidInWords}},
	{Kind: AssessmentFinalized, From: []string{"REVIEWED"}, To: "FINAL", Roles: []Role{RoleAssessor}, Asks: "a unit outside the subject's; a conclusion; 14 days without a reply",
		Guards: []func(AssessmentAttempt) error{assessedFromOutside, saidInWords, subjectWasSilent}},
	{Kind: AssessmentStepAppealed, From: []string{"FINAL"}, To: "APPEALED", Roles: appellants, Asks: "the subject itself; a reason; within 30 days; once",
		Guards: []func(AssessmentAttempt) error{assessedItself, saidInWords, appealsInTime}},
	{Kind: AssessmentDecided, From: []string{"APPEALED"}, To: "FINAL", Roles: []Role{RoleSupervisor}, Asks: "a unit outside the subject's, another than assessed; a decision",
		Effect: "for good", Guards: []func(AssessmentAttempt) error{assessedFromOutside, decidedByAnother, saidInWords}},
}}

// AssessmentMachine shows the life of an assessment.
func AssessmentMachine() Machine { return AssessmentLife.Machine() }

// Plan examines a step of an assessment. It returns the step with its time, and the row of the life by which it goes.
func (a *Assessment) Plan(s AssessmentStep, f AssessmentFacts) (AssessmentStep, Move[AssessmentAttempt], error) {
	name := "assessment of " + a.name()
	deed, err := s.Settle(name, a.Version, f.Last, f.Now)
	if err != nil {
		return s, Move[AssessmentAttempt]{}, err
	}
	s.Deed = deed
	move, err := AssessmentLife.Take(AssessmentAttempt{a, s, f}, s.Kind, string(a.State), s.Actor.Role, name)
	return s, move, err
}

// After returns the assessment as it stands after a planned step; what it rests on is the store's to add.
func (a Assessment) After(s AssessmentStep, m Move[AssessmentAttempt]) Assessment {
	a.Version++
	a.State = AssessmentState(m.To)
	switch s.Kind {
	case AssessmentStepFrozen:
		a.FrozenAt = &s.At
	case AssessmentStepReviewed:
		a.Comment, a.ReviewedAt = &s.Reason, &s.At
		a.Reviewer, a.ReviewerUnitID = s.Actor.ID, *s.Actor.UnitID
	case AssessmentStepReplied:
		a.Reply, a.RepliedAt = &s.Reason, &s.At
	case AssessmentFinalized:
		a.Conclusion, a.FinalAt = &s.Reason, &s.At
	case AssessmentStepAppealed:
		a.Appeal, a.AppealedAt = &s.Reason, &s.At
	case AssessmentDecided:
		a.Decision, a.DecidedAt, a.Decider, a.DeciderUnitID = &s.Reason, &s.At, &s.Actor.ID, s.Actor.UnitID
	}
	return a
}

func assessedFromOutside(a AssessmentAttempt) error {
	return a.Assessment.fromOutside(a.Step.Actor, a.Facts.Outside, "assesses")
}

func assessedItself(a AssessmentAttempt) error {
	if !a.Assessment.Is(a.Step.Actor) {
		return Errorf(CodeForbidden, "who is assessed answers: the official in the post, or the head of the unit")
	}
	return nil
}

// saidBy names the inputs by which the steps say something.
var saidBy = map[string]string{AssessmentStepReviewed: "comment", AssessmentStepReplied: "reply", AssessmentFinalized: "conclusion",
	AssessmentStepAppealed: "reason", AssessmentDecided: "decision"}

func saidInWords(a AssessmentAttempt) error {
	return check(strings.TrimSpace(a.Step.Reason) != "", saidBy[a.Step.Kind], "say it in words: nobody is assessed by figures alone")
}

func cyclePeriodOver(a AssessmentAttempt) error {
	return check(DayOf(a.Facts.Now) >= a.Facts.PeriodTo.Format(time.DateOnly), "assessmentId", "the period of the cycle lasts until %s; freeze it when it is over", a.Facts.PeriodTo.Format(time.DateOnly))
}

func restsOnFigures(a AssessmentAttempt) error {
	return firstError(
		check(len(a.Facts.Strangers) == 0, "assessmentId", "%s mean something else now than when the cycle was opened", join(a.Facts.Strangers)),
		check(len(a.Step.Snapshots) > 0, "assessmentId", "no measure of the cycle can be asked of %s; open a cycle with others", a.Assessment.Subject.name()),
	)
}

func subjectWasSilent(a AssessmentAttempt) error {
	if until := a.Assessment.ReviewedAt.Add(ReplyWithin); a.Step.At.Before(until) {
		return Errorf(CodeTransition, "the subject may reply until %s", until.Format(time.RFC3339))
	}
	return nil
}

func appealsInTime(a AssessmentAttempt) error {
	if a.Assessment.Appeal != nil {
		return Errorf(CodeTransition, "it was appealed already: the decision stands")
	}
	if until := a.Assessment.FinalAt.Add(AppealWithin); a.Step.At.After(until) {
		return Errorf(CodeTransition, "it could be appealed until %s", until.Format(time.RFC3339))
	}
	return nil
}

func decidedByAnother(a AssessmentAttempt) error {
	if a.Assessment.Reviewer == a.Step.Actor.ID {
		return Errorf(CodeForbidden, "you assessed: another decides on the appeal")
	}
	return nil
}

// AssessmentFilter narrows a list of assessments; zero fields do not narrow.
type AssessmentFilter struct {
	SubjectFilter
	CycleIDs []uuid.UUID
	States   []AssessmentState
}

// AssessmentStore keeps cycles and assessments.
type AssessmentStore interface {
	AssessmentCycles(ctx context.Context, p PageRequest) (Page[*AssessmentCycle], error) // by the end of the period, the latest first
	AssessmentCyclesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*AssessmentCycle, error)
	// OpenAssessmentCycle fixes the latest versions of the definitions of the measures.
	OpenAssessmentCycle(ctx context.Context, by Actor, c AssessmentCycle, measures []string) (*AssessmentCycle, Receipt, error)

	Assessments(ctx context.Context, f AssessmentFilter, p PageRequest) (Page[*Assessment], error) // the latest opened first
	AssessmentsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Assessment, error)
	SnapshotsOfAssessments(ctx context.Context, assessmentIDs []uuid.UUID) (map[uuid.UUID][]*MeasureSnapshot, error) // by measure
	FlagsOfAssessments(ctx context.Context, assessmentIDs []uuid.UUID) (map[uuid.UUID][]*FormalismFlag, error)       // by kind
	OpenAssessment(ctx context.Context, d Deed, a Assessment) (*Assessment, Receipt, error)
	StepAssessment(ctx context.Context, s AssessmentStep) (*Assessment, Receipt, error)
}
