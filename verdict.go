package groundwork

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// Who collected a verdict.
const (
	BySelf        = "SELF"
	ByIndependent = "INDEPENDENT"
	ByHandler     = "HANDLER"
)

func hasClaim(a *attempt) error {
	if a.facts.Claim == nil {
		return Errorf(CodeTransition, "issue %s has no claim to judge", a.issue.PublicRef)
	}
	a.payload["claim"] = a.facts.Claim.ID.String()
	return nil
}

// isReporter lets a citizen speak only for an own issue: by the account that gave an opinion on it, or by the secret of one.
func isReporter(a *attempt) error {
	if a.step.Actor.Role != RoleCitizen || a.facts.Proven {
		return nil
	}
	if a.step.Secret != "" {
		return Errorf(CodeForbidden, "the secret is not of an opinion on issue %s; give the one that came with yours", a.issue.PublicRef)
	}
	if a.facts.ActorPID == nil || !slices.Contains(a.facts.Reporters, *a.facts.ActorPID) {
		return Errorf(CodeForbidden, "%s of issue %s is for those who reported it: act with the account that did, or give the secret that came with the opinion", verbs[a.step.Kind], a.issue.PublicRef)
	}
	return nil
}

// isIndependent keeps callers away from what their own unit handled.
func isIndependent(a *attempt) error {
	if a.step.Actor.Role != RoleCaller {
		return nil
	}
	unit := a.step.Actor.UnitID
	if unit == nil {
		return Errorf(CodeForbidden, "a caller without a unit cannot be shown to be independent; act with a unit")
	}
	if slices.Contains(a.unitsOfLegs(), *unit) {
		return Errorf(CodeForbidden, "unit %s handled issue %s; the verdict is collected by another unit", unit, a.issue.PublicRef)
	}
	return nil
}

// ofAnother keeps whoever made a claim from judging it, in whatever role and for whatever unit.
func ofAnother(a *attempt) error {
	if claimed := a.last(EventClaimed); claimed != nil && claimed.Actor.ID == a.step.Actor.ID {
		return Errorf(CodeForbidden, "%q made the claim of issue %s; somebody else collects the verdict", a.step.Actor.ID, a.issue.PublicRef)
	}
	return nil
}

// unitsOfLegs lists the units that the issue was ever dispatched to or claimed by.
func (a *attempt) unitsOfLegs() []uuid.UUID {
	var units []uuid.UUID
	for _, e := range a.facts.History {
		units = append(units, unitsOf(e)...)
	}
	return units
}

func callIsComplete(a *attempt) error {
	if methods := []string{"PHONE", "MESSAGE", "VISIT", "LETTER"}; !slices.Contains(methods, a.step.Method) {
		return Invalid("method", "method %q is unknown; give one of %s", a.step.Method, join(methods))
	}
	if outcomes := []string{"ANSWERED", "NO_ANSWER", "REFUSED", "WRONG_NUMBER"}; !slices.Contains(outcomes, a.step.Outcome) {
		return Invalid("outcome", "outcome %q is unknown; give one of %s", a.step.Outcome, join(outcomes))
	}
	a.payload["method"], a.payload["outcome"] = a.step.Method, a.step.Outcome
	return nil
}

// collector says who collected the verdict: it follows from the role, and the step may only say the same.
func (a *attempt) collector() string {
	switch a.step.Actor.Role {
	case RoleCitizen:
		return BySelf
	case RoleCaller:
		return ByIndependent
	default:
		return ByHandler
	}
}

func verdictOfHandler(a *attempt) error { return a.collectedBy(ByHandler) }

func verdictNotOfHandler(a *attempt) error {
	if a.step.CollectedBy == ByHandler {
		return Invalid("collectedBy", "a verdict that the handler collected neither confirms nor disputes; record it as FEEDBACK")
	}
	return a.collectedBy(a.collector())
}

func (a *attempt) collectedBy(who string) error {
	if a.step.CollectedBy != "" && a.step.CollectedBy != who {
		return Invalid("collectedBy", "a verdict given by role %s is collected by %s, not %s", a.step.Actor.Role, who, a.step.CollectedBy)
	}
	a.payload["collected_by"] = who
	return nil
}

func verdictIsComplete(a *attempt) error {
	s := a.step
	if s.Satisfaction != nil && (*s.Satisfaction < 1 || *s.Satisfaction > 5) {
		return Invalid("satisfaction", "satisfaction %d is off the scale; give 1 to 5", *s.Satisfaction)
	}
	if s.Pressured != "" && !slices.Contains(pressures, s.Pressured) {
		return Invalid("pressured", "%q is no answer to whether the reporter was pressured; give YES, NO or UNSAID", s.Pressured)
	}
	if verdicts := []string{"YES", "PARTLY", "NO"}; !slices.Contains(verdicts, s.Resolved) {
		return Invalid("resolved", "verdict %q is unknown; give YES, PARTLY or NO", s.Resolved)
	}
	return nil
}

var pressures = []string{"YES", "NO", "UNSAID"}

func saysResolved(a *attempt) error {
	if a.step.Resolved != "YES" {
		return Invalid("resolved", "only the verdict YES confirms; with %s the claim is DISPUTED", a.step.Resolved)
	}
	return nil
}

func saysUnresolved(a *attempt) error {
	if a.step.Resolved == "YES" {
		return Invalid("resolved", "a dispute needs the verdict NO or PARTLY; with YES the claim is CONFIRMED")
	}
	return nil
}

func saysWhetherPressured(a *attempt) error {
	if !slices.Contains(pressures, a.step.Pressured) {
		return Invalid("pressured", "a withdrawal answers whether the reporter was urged to withdraw: YES, NO or UNSAID")
	}
	return nil
}

// What must have been tried before an issue may be closed without a verdict.
const (
	minAttempts = 3 // calls, on as many days
	minDayParts = 2 // of morning, afternoon, evening
	minWait     = 10
)

func calledOftenEnough(a *attempt) error {
	calls := make([]time.Time, len(a.facts.Attempts))
	for n, c := range a.facts.Attempts {
		calls[n] = c.At
	}
	if days, parts := spread(calls); !enoughCalls(calls) {
		return Errorf(CodeTransition, "issue %s was called back %d times on %d days in %d parts of the day; closing it unconfirmed needs %d attempts on %d days in %d parts of the day",
			a.issue.PublicRef, len(calls), days, parts, minAttempts, minAttempts, minDayParts)
	}
	return nil
}

func enoughCalls(calls []time.Time) bool {
	days, parts := spread(calls)
	return days >= minAttempts && parts >= minDayParts // so many days have as many calls at least
}

// spread counts the days, and the parts of the day, on which calls were made.
func spread(calls []time.Time) (days, parts int) {
	onDays, inParts := map[string]bool{}, map[int]bool{}
	for _, at := range calls {
		onDays[DayOf(at)], inParts[dayPart(at)] = true, true
	}
	return len(onDays), len(inParts)
}

// dayPart is 0 in the morning, 1 in the afternoon, 2 in the evening.
func dayPart(t time.Time) int {
	switch hour := t.In(China).Hour(); {
	case hour < 12:
		return 0
	case hour < 18:
		return 1
	default:
		return 2
	}
}

func waitedLongEnough(a *attempt) error {
	if end := a.closingDue(a.facts.Claim.ClaimedAt); a.step.At.Before(end) {
		return Errorf(CodeTransition, "issue %s was claimed on %s; it can be closed unconfirmed from %s, %d working days later",
			a.issue.PublicRef, DayOf(a.facts.Claim.ClaimedAt), end.Format(time.RFC3339), minWait)
	}
	return nil
}

// closingDue is from when a claim may be closed without a verdict.
func (a *attempt) closingDue(claimed time.Time) time.Time {
	return a.facts.Calendar.Deadline(claimed, minWait)
}

func claimIs(kind ClaimKind) guard {
	return func(a *attempt) error {
		if c := a.facts.Claim; c == nil || c.Kind == nil || *c.Kind != kind {
			return Invalid("closure", "the claim of issue %s is not %s; close it as what was claimed", a.issue.PublicRef, kind)
		}
		return hasClaim(a)
	}
}

func reviewedByAnother(a *attempt) error {
	if claimed := a.last(EventClaimed); claimed.Actor.ID == a.step.Actor.ID {
		return Errorf(CodeForbidden, "%q made the claim of issue %s; somebody else reviews it", claimed.Actor.ID, a.issue.PublicRef)
	}
	return nil
}

// appealWindow is how long the reporter may ask for a review of an explanation.
const appealWindow = 30 * 24 * time.Hour

func opensAppeal(a *attempt) error {
	a.payload["citizen_disagrees"] = a.step.CitizenDisagrees
	a.payload["appeal_until"] = payloadMoment(a.step.At.Add(appealWindow))
	return nil
}
