package groundwork

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// Policy is a rule or measure of public life that somebody is responsible for. What it says stands in its versions.
type Policy struct {
	ID          uuid.UUID
	Title       string
	RegionID    *uuid.UUID // where it holds; nil = everywhere
	OwnerUnitID uuid.UUID
	CreatedAt   time.Time
}

// PolicyVersion is the text of a policy from a day on, until the next version. Once in effect it never changes.
type PolicyVersion struct {
	ID             uuid.UUID
	PolicyID       uuid.UUID
	N              int // 1 for the first
	Text           string
	EffectiveFrom  time.Time  // day
	RepealedFrom   *time.Time // day from which it no longer holds although no other came after it
	PolicyChangeID *uuid.UUID // the change that brought it
	CreatedAt      time.Time
}

// Validate examines a new policy with its first version.
func (p Policy) Validate(first PolicyVersion) error {
	return firstError(
		check(strings.TrimSpace(p.Title) != "", "title", "a policy needs a title"),
		first.Validate(),
	)
}

// Validate examines the text of a version.
func (v PolicyVersion) Validate() error {
	return firstError(
		check(strings.TrimSpace(v.Text) != "", "text", "a version of a policy needs its text"),
		check(!v.EffectiveFrom.IsZero(), "effectiveFrom", "a version of a policy needs the day from which it holds"),
	)
}

// OwnedBy examines that the actor may speak for a policy's owner: a policy owner acts for its own unit.
func (p Policy) OwnedBy(by Actor) error { return speaksForOwner(by, p.OwnerUnitID) }

func speaksForOwner(by Actor, owner uuid.UUID) error {
	if by.Role == RolePolicyOwner && (by.UnitID == nil || *by.UnitID != owner) {
		return Errorf(CodeForbidden, "unit %s owns the policy; act for that unit", owner)
	}
	return nil
}

// PolicyChangeState is where a change of a policy stands in its life.
type PolicyChangeState string

// The states of a change.
const (
	ChangeProposed  PolicyChangeState = "PROPOSED"
	ChangeConsulted PolicyChangeState = "CONSULTED"
	ChangePilot     PolicyChangeState = "PILOT"
	ChangeAdopted   PolicyChangeState = "ADOPTED"
	ChangeEvaluated PolicyChangeState = "EVALUATED"
	ChangeRetained  PolicyChangeState = "RETAINED"
	ChangeAmended   PolicyChangeState = "AMENDED"
	ChangeRepealed  PolicyChangeState = "REPEALED"
	ChangeDropped   PolicyChangeState = "DROPPED"
)

// PolicyChange is a change of a policy, from the evidence that speaks for it to the evaluation of its effect.
type PolicyChange struct {
	ID              uuid.UUID
	PolicyID        uuid.UUID
	OwnerUnitID     uuid.UUID // that of the policy when it was proposed
	Summary         string
	State           PolicyChangeState
	Version         int
	Outcome         *OutcomeMeasure
	PreRegisteredAt *time.Time // when the outcome measure was registered
	PolicyVersionID *uuid.UUID // what was adopted
	ProposedAt      time.Time
	ConsultedAt     *time.Time
	PilotAt         *time.Time
	AdoptedAt       *time.Time
	EvaluatedAt     *time.Time
	EndedAt         *time.Time
	CreatedAt       time.Time
}

// OutcomeMeasure is by what a change will be judged. It is registered before the change takes effect anywhere, so that nobody can
// choose afterwards what looks best.
type OutcomeMeasure struct {
	Measure          string    `json:"measure"`           // code, by region and month
	Direction        Direction `json:"direction"`         // AT_MOST: a fall is wanted
	MinimalEffect    float64   `json:"minimal_effect"`    // the smallest effect that is worth having, in the unit of the measure
	WindowDays       int       `json:"window_days"`       // after the first rollout, until it is evaluated
	AnticipationDays int       `json:"anticipation_days"` // before a rollout, in which people may already act on it
}

// Validate examines an outcome measure.
func (o OutcomeMeasure) Validate() error {
	return firstError(
		check(measureCode.MatchString(o.Measure), "outcome.measure", "measure %q is no code such as H1", o.Measure),
		oneOf("outcome.direction", o.Direction, AtMost, AtLeast),
		check(o.MinimalEffect >= 0, "outcome.minimalEffect", "the smallest effect worth having is not negative; the direction says where it goes"),
		check(o.WindowDays >= 1 && o.WindowDays <= 3660, "outcome.windowDays", "a window of %d days cannot be; give 1 to 3660", o.WindowDays),
		check(o.AnticipationDays >= 0 && o.AnticipationDays <= 366, "outcome.anticipationDays", "%d days of anticipation cannot be; give 0 to 366", o.AnticipationDays),
	)
}

// PolicyRollout says from which day a change takes effect in a region.
type PolicyRollout struct {
	PolicyChangeID uuid.UUID
	RegionID       uuid.UUID
	EffectiveFrom  time.Time // day
}

// begins is the first moment of a day in China.
func begins(day time.Time) time.Time {
	y, m, d := day.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, China)
}

// EvidenceTarget is what speaks for a change: exactly one of an issue, a visit, a campaign and a snapshot of a measure.
type EvidenceTarget struct {
	IssueID           *uuid.UUID
	VisitID           *uuid.UUID
	CampaignID        *uuid.UUID
	MeasureSnapshotID *uuid.UUID
}

func (t EvidenceTarget) validate() error {
	given := 0
	for _, id := range []*uuid.UUID{t.IssueID, t.VisitID, t.CampaignID, t.MeasureSnapshotID} {
		if id != nil {
			given++
		}
	}
	return check(given == 1, "evidence", "a piece of evidence is one thing: an issue, a visit, a campaign or a measure snapshot")
}

// EvidenceLink links a change to a piece of evidence. It is never taken back.
type EvidenceLink struct {
	ID             uuid.UUID
	PolicyChangeID uuid.UUID
	EvidenceTarget
	EvidenceAt time.Time // of when it speaks: the issue's origin, the start of the visit, the selection of the campaign, the snapshot's as-of
	LinkedAt   time.Time
}

// fewClusters is below which an estimate only describes: too few regions to tell an effect from chance.
const fewClusters = 8

// PolicyEvaluation is what a change did, as found from outside the unit that owns the policy.
type PolicyEvaluation struct {
	PolicyChangeID  uuid.UUID
	EvaluatorUnitID uuid.UUID
	Estimate        float64 // of the effect on the registered outcome measure, in its unit (measure P1)
	CILow           float64
	CIHigh          float64
	TreatedRegions  int
	ControlRegions  int
	AsOf            time.Time
	Text            string
	CreatedAt       time.Time
}

// Descriptive reports whether the evaluation rests on so few regions that it only describes.
func (e PolicyEvaluation) Descriptive() bool {
	return e.TreatedRegions < fewClusters || e.ControlRegions < fewClusters
}

// Revisable examines that a version may still be corrected at now: neither it nor its correction is in effect yet.
func (v PolicyVersion) Revisable(corrected PolicyVersion, now time.Time) error {
	if !now.Before(begins(v.EffectiveFrom)) {
		return Errorf(CodeTransition, "version %d is in effect since %s and never changes; propose a change of the policy", v.N, v.EffectiveFrom.Format(time.DateOnly))
	}
	return check(now.Before(begins(corrected.EffectiveFrom)), "effectiveFrom", "%s has begun; give a day to come", corrected.EffectiveFrom.Format(time.DateOnly))
}
