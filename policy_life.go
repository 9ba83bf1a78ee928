package groundwork

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// PolicyProposal puts a change of a policy forward.
type PolicyProposal struct {
	Actor    Actor
	PolicyID uuid.UUID
	Summary  string
	Evidence []EvidenceTarget
}

// PolicyStep asks to move a change along its life; the group of fields that belongs to the step carries what its guards ask for.
type PolicyStep struct {
	Deed
	PolicyChangeID uuid.UUID
	Kind           string

	Evidence      []EvidenceTarget // EVIDENCE_LINKED
	Persons       int              // CONSULTED: how many were heard
	Summary       string           // CONSULTED: what they said
	Outcome       OutcomeMeasure   // OUTCOME_REGISTERED
	Rollouts      []PolicyRollout  // PILOT_STARTED, ROLLED_OUT
	Text          string           // ADOPTED, AMENDED: the new text of the policy
	EffectiveFrom time.Time        // ADOPTED, AMENDED, REPEALED: day
	Evaluation    PolicyEvaluation // EVALUATED
}

// PolicyFacts are what the guards need to know beyond the change, as the store has it.
type PolicyFacts struct {
	Now          time.Time
	Last         time.Time   // the change's last event
	FirstRollout *time.Time  // day
	LatestFrom   *time.Time  // ADOPTED, AMENDED: day from which the latest version of the policy holds
	Overlapping  []uuid.UUID // PILOT_STARTED, ROLLED_OUT: regions that overlap each other or those where it takes effect already
	Outside      bool        // the actor's unit is neither the owner nor below it
}

// PolicyAttempt is a step of a change under examination.
type PolicyAttempt struct {
	Change *PolicyChange
	Step   PolicyStep
	Facts  PolicyFacts
}

// The steps of a change.
const (
	PolicyProposed   = "PROPOSED"
	PolicyEvidence   = "EVIDENCE_LINKED"
	PolicyConsulted  = "CONSULTED"
	PolicyRegistered = "OUTCOME_REGISTERED"
	PolicyPiloted    = "PILOT_STARTED"
	PolicyRolledOut  = "ROLLED_OUT"
	PolicyAdopted    = "ADOPTED"
	PolicyEvaluated  = "EVALUATED"
	PolicyRetained   = "RETAINED"
	PolicyAmended    = "AMENDED"
	PolicyRepealed   = "REPEALED"
	PolicyDropped    = "DROPPED"
)

// PolicyLife is the life of a change of a policy.
var PolicyLife = Life[PolicyAttempt]{Noun: "policy_change", Moves: []Move[PolicyAttempt]{
	{Kind: PolicyProposed, To: "PROPOSED", Roles: []Role{RolePolicyOwner, RoleLeader, RoleCampaignLead},
		Asks: "a summary; at least one piece of evidence; a policy owner acts for the unit that owns the policy", Guards: []func(PolicyAttempt) error{ownPolicy, bringsEvidence}},
	{Kind: PolicyEvidence, From: []string{"PROPOSED", "CONSULTED", "PILOT", "ADOPTED"}, Roles: []Role{RolePolicyOwner, RoleLeader, RoleCampaignLead, RoleSupervisor},
		Asks: "evidence", Guards: []func(PolicyAttempt) error{ownPolicy, bringsEvidence}},
	{Kind: PolicyConsulted, From: []string{"PROPOSED"}, To: "CONSULTED", Roles: []Role{RolePolicyOwner},
		Asks: "the owner's unit; how many were heard, and what they said", Guards: []func(PolicyAttempt) error{ownPolicy, heardPeople}},
	{Kind: PolicyRegistered, From: []string{"CONSULTED"}, Roles: []Role{RolePolicyOwner},
		Asks: "the owner's unit; measure, direction, smallest effect worth having, window, anticipation", Effect: "may be replaced until the pilot starts, then it is frozen",
		Guards: []func(PolicyAttempt) error{ownPolicy, validOutcome}},
	{Kind: PolicyPiloted, From: []string{"CONSULTED"}, To: "PILOT", Roles: []Role{RolePolicyOwner},
		Asks:   "the owner's unit; the outcome measure registered before the first rollout; rollouts with dates, none in the past, in regions that do not overlap",
		Guards: []func(PolicyAttempt) error{ownPolicy, outcomeRegistered, rollsOut}},
	{Kind: PolicyRolledOut, From: []string{"PILOT", "ADOPTED"}, Roles: []Role{RolePolicyOwner},
		Asks: "the owner's unit; rollouts with dates, none in the past, in regions that do not overlap", Guards: []func(PolicyAttempt) error{ownPolicy, outcomeRegistered, rollsOut}},
	{Kind: PolicyAdopted, From: []string{"PILOT"}, To: "ADOPTED", Roles: []Role{RoleLeader},
		Asks: "the pilot has begun; the new text and its first day, not in the past and after those of all earlier versions", Effect: "a new version of the policy", Guards: []func(PolicyAttempt) error{pilotBegan, givesText}},
	{Kind: PolicyEvaluated, From: []string{"ADOPTED"}, To: "EVALUATED", Roles: []Role{RoleSupervisor, RoleAssessor},
		Asks:   "a unit that neither owns the policy nor lies below the owner; the effect on the registered outcome with its interval, after the whole window",
		Guards: []func(PolicyAttempt) error{evaluatedFromOutside, soundEvaluation, afterTheWindow}},
	{Kind: PolicyRetained, From: []string{"EVALUATED"}, To: "RETAINED", Roles: []Role{RoleLeader}, Asks: "a reason", Guards: []func(PolicyAttempt) error{policyReasoned}},
	{Kind: PolicyAmended, From: []string{"EVALUATED"}, To: "AMENDED", Roles: []Role{RoleLeader}, Asks: "a reason; the new text and its first day, as when it is adopted",
		Effect: "a new version of the policy", Guards: []func(PolicyAttempt) error{policyReasoned, givesText}},
	{Kind: PolicyRepealed, From: []string{"EVALUATED"}, To: "REPEALED", Roles: []Role{RoleLeader}, Asks: "a reason; from which day, not in the past",
		Effect: "the version that the change brought holds no longer", Guards: []func(PolicyAttempt) error{policyReasoned, fromADay}},
	{Kind: PolicyDropped, From: []string{"PROPOSED", "CONSULTED", "PILOT"}, To: "DROPPED", Roles: []Role{RolePolicyOwner, RoleLeader},
		Asks: "a reason; a policy owner acts for the unit that owns the policy", Guards: []func(PolicyAttempt) error{ownPolicy, policyReasoned}},
}}

// PolicyMachine shows the life of a change of a policy.
func PolicyMachine() Machine { return PolicyLife.Machine() }

// Plan examines a step of a change. It returns the step with its time, and the row of the life by which it goes.
func (c *PolicyChange) Plan(s PolicyStep, f PolicyFacts) (PolicyStep, Move[PolicyAttempt], error) {
	name := "policy change " + c.Summary
	deed, err := s.Settle(name, c.Version, f.Last, f.Now)
	if err != nil {
		return s, Move[PolicyAttempt]{}, err
	}
	s.Deed = deed
	move, err := PolicyLife.Take(PolicyAttempt{c, s, f}, s.Kind, string(c.State), s.Actor.Role, name)
	return s, move, err
}

// After returns the change as it stands after a planned step.
func (c PolicyChange) After(s PolicyStep, m Move[PolicyAttempt]) PolicyChange {
	c.Version++
	if m.To != "" {
		c.State = PolicyChangeState(m.To)
	}
	switch s.Kind {
	case PolicyConsulted:
		c.ConsultedAt = &s.At
	case PolicyRegistered:
		c.Outcome, c.PreRegisteredAt = &s.Outcome, &s.At
	case PolicyPiloted:
		c.PilotAt = &s.At
	case PolicyAdopted:
		c.AdoptedAt = &s.At
	case PolicyEvaluated:
		c.EvaluatedAt = &s.At
	case PolicyRetained, PolicyAmended, PolicyRepealed, PolicyDropped:
		c.EndedAt = &s.At
	}
	return c
}

const (
	maxEvidence = 100 // pieces in one step
	maxRollouts = 500 // regions in one step
)

func ownPolicy(a PolicyAttempt) error { return speaksForOwner(a.Step.Actor, a.Change.OwnerUnitID) }

func bringsEvidence(a PolicyAttempt) error {
	if n := len(a.Step.Evidence); n == 0 || n > maxEvidence {
		return Invalid("evidence", "give 1 to %d pieces of evidence: issues, visits, campaigns or measure snapshots that speak for the change", maxEvidence)
	}
	for _, e := range a.Step.Evidence {
		if err := e.validate(); err != nil {
			return err
		}
	}
	return nil
}

func heardPeople(a PolicyAttempt) error {
	return firstError(
		check(a.Step.Persons > 0, "persons", "a consultation hears at least one person"),
		check(strings.TrimSpace(a.Step.Summary) != "", "summary", "say what people said"),
	)
}

func validOutcome(a PolicyAttempt) error { return a.Step.Outcome.Validate() }

func outcomeRegistered(a PolicyAttempt) error {
	registered := a.Change.PreRegisteredAt
	if registered == nil {
		return Errorf(CodeTransition, "register the outcome measure before the change takes effect anywhere")
	}
	for _, r := range a.Step.Rollouts {
		if !registered.Before(begins(r.EffectiveFrom)) {
			return Invalid("rollouts", "the outcome measure was registered on %s: the change takes effect on a later day, not on %s", DayOf(*registered), r.EffectiveFrom.Format(time.DateOnly))
		}
	}
	return nil
}

func rollsOut(a PolicyAttempt) error {
	if n := len(a.Step.Rollouts); n == 0 || n > maxRollouts {
		return Invalid("rollouts", "give 1 to %d regions with the day from which the change takes effect there", maxRollouts)
	}
	today := DayOf(a.Step.At)
	for _, r := range a.Step.Rollouts {
		if r.EffectiveFrom.Format(time.DateOnly) < today {
			return Invalid("rollouts", "%s is over; a rollout is dated before it begins", r.EffectiveFrom.Format(time.DateOnly))
		}
	}
	if len(a.Facts.Overlapping) > 0 {
		return Invalid("rollouts", "region %s overlaps another in which the change takes effect; a region has one date", a.Facts.Overlapping[0])
	}
	return nil
}

func pilotBegan(a PolicyAttempt) error {
	first := a.Facts.FirstRollout
	if first == nil || a.Step.At.Before(begins(*first)) {
		return Errorf(CodeTransition, "the pilot has not begun anywhere; a change is adopted after it was tried")
	}
	return nil
}

func givesText(a PolicyAttempt) error {
	day, latest := a.Step.EffectiveFrom, a.Facts.LatestFrom
	if err := (PolicyVersion{Text: a.Step.Text, EffectiveFrom: day}).Validate(); err != nil {
		return err
	}
	if day.Format(time.DateOnly) < DayOf(a.Step.At) {
		return Invalid("effectiveFrom", "%s is over; a new text holds from today or a day to come", day.Format(time.DateOnly))
	}
	if latest != nil && !day.After(*latest) {
		return Invalid("effectiveFrom", "the latest version of the policy begins on %s, so a new one cannot on %s; give a later day", latest.Format(time.DateOnly), day.Format(time.DateOnly))
	}
	return nil
}

func evaluatedFromOutside(a PolicyAttempt) error {
	if a.Step.Actor.UnitID == nil || !a.Facts.Outside {
		return Errorf(CodeForbidden, "a change is evaluated by a unit that neither owns the policy nor lies below its owner")
	}
	return nil
}

func soundEvaluation(a PolicyAttempt) error {
	e := a.Step.Evaluation
	return firstError(
		check(e.CILow <= e.Estimate && e.Estimate <= e.CIHigh, "evaluation.estimate", "the estimate lies outside its interval"),
		check(e.TreatedRegions >= 1, "evaluation.treatedRegions", "an effect shows in at least one region"),
		check(e.ControlRegions >= 0, "evaluation.controlRegions", "the number of regions to compare with cannot be negative"),
		check(strings.TrimSpace(e.Text) != "", "evaluation.text", "say what was found"),
		check(!e.AsOf.After(a.Step.At), "evaluation.asOf", "%s lies in the future", e.AsOf.Format(time.RFC3339)),
	)
}

func afterTheWindow(a PolicyAttempt) error {
	first, outcome := a.Facts.FirstRollout, a.Change.Outcome
	if first == nil || outcome == nil {
		return Errorf(CodeTransition, "the change has no rollout or no registered outcome: there is nothing to evaluate")
	}
	end := begins(*first).AddDate(0, 0, outcome.WindowDays)
	return check(!a.Step.Evaluation.AsOf.Before(end), "evaluation.asOf", "the registered window of %d days ends on %s; evaluate what is known from then on", outcome.WindowDays, DayOf(end))
}

func policyReasoned(a PolicyAttempt) error {
	return a.Step.reasoned(a.Step.Kind + " of a policy change")
}

func fromADay(a PolicyAttempt) error {
	day := a.Step.EffectiveFrom
	return check(day.Format(time.DateOnly) >= DayOf(a.Step.At), "repealedFrom", "say from which day it holds no longer; today or later")
}

// Validate examines a proposal.
func (p PolicyProposal) Validate() error {
	return check(strings.TrimSpace(p.Summary) != "", "summary", "say what is to change")
}
