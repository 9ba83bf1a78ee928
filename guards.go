package groundwork

import (
	"slices"
	"time"
)

// guard examines one condition of a step and says, as an *Error, what is missing.
type guard func(*attempt) error

func givesReason(a *attempt) error {
	if a.step.Reason == "" {
		return Invalid("reason", "%s needs a reason", verbs[a.step.Kind])
	}
	return nil
}

func saysSomething(a *attempt) error {
	if a.step.Text == "" {
		return Invalid("text", "%s needs the text that reached the reporter", verbs[a.step.Kind])
	}
	return nil
}

func namesOpinion(a *attempt) error {
	o, s := a.facts.Opinion, a.step
	if s.OpinionID == nil || o == nil {
		return Invalid("opinionId", "linking needs an opinion that exists; submit it first")
	}
	if linked := a.facts.OpinionIssueID; linked != nil {
		return Errorf(CodeConflict, "opinion %s belongs to issue %s already", s.OpinionID, linked)
	}
	a.payload[payloadOpinion] = s.OpinionID.String()
	a.payload[payloadReceivedAt] = payloadMoment(o.ReceivedAt)
	return nil
}

func namesUnit(a *attempt) error {
	if a.step.UnitID == nil {
		return Invalid("unitId", "dispatch needs the unit that is to handle the issue")
	}
	a.payload[payloadUnit] = a.step.UnitID.String()
	return nil
}

func inCatalogueOrOverride(a *attempt) error {
	if a.facts.InCatalogue || a.step.OverrideReason != "" {
		return nil
	}
	return Invalid("overrideReason", "unit %s is not in the catalogue for the category and region of issue %s on %s; choose another unit or give an override reason",
		a.step.UnitID, a.issue.PublicRef, DayOf(a.step.At))
}

// returnReasons are the coded reasons for sending an issue back.
var returnReasons = []string{"NOT_OUR_DUTY", "WRONG_REGION", "NEEDS_JOINT", "MISSING_FACTS"}

func returnIsGrounded(a *attempt) error {
	if !slices.Contains(returnReasons, a.step.ReturnReason) {
		return Invalid("returnReason", "return reason %q is unknown; give one of %s", a.step.ReturnReason, join(returnReasons))
	}
	if a.step.DutyList == "" {
		return Invalid("dutyList", "a return cites the entry of the duty list that it rests on")
	}
	return nil
}

func withinADayOfDispatch(a *attempt) error {
	sent := a.last(EventDispatched)
	if sent == nil {
		return Errorf(CodeTransition, "issue %s was never dispatched", a.issue.PublicRef)
	}
	if end := a.facts.Calendar.Deadline(sent.At, 1); !a.step.At.Before(end) {
		return Errorf(CodeTransition, "issue %s could be returned until %s, one working day after its dispatch; accept it", a.issue.PublicRef, end.Format(time.RFC3339))
	}
	return nil
}

// A pause lasts at most maxPause working days, and all pauses of an issue together at most maxPauses.
const (
	maxPause  = 10
	maxPauses = 20
)

func asksSomething(a *attempt) error {
	if a.step.Question == "" {
		return Invalid("question", "the clock pauses only for a concrete question to the citizen")
	}
	return nil
}

func pauseBudgetLeft(a *attempt) error {
	if a.pauseUsed() >= maxPauses {
		return Errorf(CodeTransition, "issue %s has used up its %d working days of pause; go on without an answer", a.issue.PublicRef, maxPauses)
	}
	return nil
}

// pauseUsed counts the working days of the pauses that have ended.
func (a *attempt) pauseUsed() int {
	used := 0
	var since *time.Time
	for _, e := range a.facts.History {
		if until := payloadTimePtr(e, payloadPausedUntil); until != nil && since != nil {
			used += a.facts.Calendar.WorkingDays(*since, *until)
		}
		since = e.PausedSince
	}
	return used
}

// pauseDue is when the running pause ends by itself.
func (a *attempt) pauseDue() time.Time {
	return a.facts.Calendar.Deadline(*a.issue.PausedSince, min(maxPause, max(0, maxPauses-a.pauseUsed())))
}

// pauseEnd is when the running pause ended, seen from at: it never outlasts its due time, however late somebody resumes.
func (a *attempt) pauseEnd(at time.Time) time.Time { return earlier(at, a.pauseDue()) }

func pauseIsOver(a *attempt) error {
	if a.issue.PausedSince != nil && a.step.At.Before(a.pauseDue()) {
		return Errorf(CodeTransition, "the pause of issue %s runs until %s; before that the citizen or the handler resumes", a.issue.PublicRef, a.pauseDue().Format(time.RFC3339))
	}
	return nil
}

// maxReview is how far off the review of a plan may lie.
const maxReview = 90 * 24 * time.Hour

func planIsComplete(a *attempt) error {
	s := a.step
	switch {
	case s.Reason == "":
		return Invalid("reason", "planning needs a reason that the public may read")
	case !s.TargetDate.After(s.At):
		return Invalid("targetDate", "planning needs a target date after %s", s.At.Format(time.DateOnly))
	case !s.ReviewAt.After(s.At) || s.ReviewAt.After(s.At.Add(maxReview)):
		return Invalid("reviewAt", "the review of a plan lies within the next 90 days, up to %s", s.At.Add(maxReview).Format(time.DateOnly))
	case s.ApprovedBy == "" || s.ApprovedBy == s.Actor.ID:
		return Invalid("approvedBy", "planning needs the approval of a supervisor other than %q", s.Actor.ID)
	}
	a.payload["target_date"], a.payload["review_at"] = payloadMoment(s.TargetDate), payloadMoment(s.ReviewAt)
	return nil
}

func claimIsComplete(a *attempt) error {
	s := a.step
	switch {
	case s.Text == "":
		return Invalid("text", "a claim needs the answer's text")
	case !slices.Contains([]ClaimKind{ClaimFixed, ClaimExplained, ClaimReferredOut}, s.ClaimKind):
		return Invalid("claimKind", "claim kind %q is unknown; give FIXED, EXPLAINED or REFERRED_OUT", s.ClaimKind)
	case s.ClaimKind == ClaimFixed && !hasEvidence(s.Evidence):
		return Invalid("evidence", "a claim that the problem is FIXED needs at least one piece of evidence")
	case s.ClaimKind == ClaimExplained && s.LegalBasis == "":
		return Invalid("legalBasis", "a claim that the matter is EXPLAINED needs its legal basis")
	case s.ClaimKind == ClaimExplained && s.AppealNotice == "":
		return Invalid("appealNotice", "a claim that the matter is EXPLAINED tells the reporter how to appeal")
	case s.ClaimKind == ClaimReferredOut && s.Receipt == "":
		return Invalid("receipt", "a claim that the matter is REFERRED_OUT needs the receipt of whom it was referred to")
	case !s.AnswerDelivered:
		return Invalid("answerDelivered", "a claim counts once the answer is delivered to the reporter; deliver it first")
	}
	a.payload["claim_kind"] = string(s.ClaimKind)
	return nil
}

func hasEvidence(evidence []string) bool {
	return slices.ContainsFunc(evidence, func(e string) bool { return e != "" })
}

func claimIsSigned(a *attempt) error {
	grave := a.issue.Severity == SeverityHigh || a.issue.Severity == SeverityUrgent
	if grave && a.step.Actor.Role != RoleUnitHead && a.step.SignedBy == "" {
		return Invalid("signedBy", "issue %s is of severity %s; its claim is signed by the unit head", a.issue.PublicRef, a.issue.Severity)
	}
	return nil
}

// targetStands keeps mergers acyclic: nothing merges into what is merged itself, so no chain ever comes back.
func targetStands(a *attempt) error {
	t := a.facts.Target
	switch {
	case a.step.TargetIssueID == nil || t == nil:
		return Invalid("targetIssueId", "merging needs the issue to merge into; give the id of one that exists")
	case t.ID == a.issue.ID:
		return Invalid("targetIssueId", "issue %s cannot be merged into itself", t.PublicRef)
	case t.State == Merged:
		return Errorf(CodeTransition, "issue %s is merged itself; merge into the issue that it went to", t.PublicRef)
	case t.ClosureType != nil && *t.ClosureType == Withdrawn:
		return Errorf(CodeTransition, "issue %s was withdrawn; merge into one that stands", t.PublicRef)
	}
	a.payload[payloadTarget] = t.ID.String()
	return nil
}

func returnsWhereItStood(a *attempt) error {
	merged := a.last(EventMerged)
	if merged == nil || merged.FromState == nil {
		return Errorf(CodeTransition, "issue %s was never merged", a.issue.PublicRef)
	}
	a.payload[payloadState] = string(*merged.FromState)
	return nil
}

// reopenWindow is how long a citizen may reopen, and how long a resolution is on trial: one reopened in this time was none.
const reopenWindow = 90 * 24 * time.Hour

func closedRecently(a *attempt) error {
	if end := a.issue.ClosedAt.Add(reopenWindow); a.step.At.After(end) {
		return Errorf(CodeTransition, "issue %s could be reopened by its reporter until %s, 90 days after it was closed; ask a supervisor", a.issue.PublicRef, end.Format(time.RFC3339))
	}
	return nil
}

func resolutionAfterReopening(a *attempt) error {
	i := a.issue
	resolved := i.ResolvedAt
	if *i.ClosureType == Confirmed && !a.step.At.After(i.ClosedAt.Add(reopenWindow)) {
		resolved = a.resolvedBeforeLastConfirmation()
	}
	if resolved != nil {
		a.payload[payloadResolvedAt] = payloadMoment(*resolved)
	}
	return nil
}

func (a *attempt) resolvedBeforeLastConfirmation() *time.Time {
	var before, resolved *time.Time
	for _, e := range a.facts.History {
		if e.Kind == EventConfirmed {
			before = resolved
		}
		resolved = e.ResolvedAt
	}
	return before
}
