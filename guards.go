package groundwork

import (
	"slices"
	"time"
)

// guard examines one condition of a step and says, as an *Error, what is missing.
type guard func(*attempt) error

func givesReason(a *attempt) error {
	if blank(a.step.Reason) {
		return Invalid("reason", "%s needs a reason", verbs[a.step.Kind])
	}
	return nil
}

func saysSomething(a *attempt) error {
	if blank(a.step.Text) {
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
	if len(a.step.CoUnitIDs) > maxCoUnits {
		return Invalid("coUnitIds", "%d units beside the lead are too many; give at most %d", len(a.step.CoUnitIDs), maxCoUnits)
	}
	others := make([]any, len(a.step.CoUnitIDs))
	for n, unit := range a.step.CoUnitIDs {
		if unit == *a.step.UnitID || slices.Contains(a.step.CoUnitIDs[:n], unit) {
			return Invalid("coUnitIds", "unit %s is named twice; a unit has one part in an issue", unit)
		}
		others[n] = unit.String()
	}
	if len(others) > 0 {
		a.payload[payloadCoUnits] = others
	}
	return nil
}

// maxCoUnits is how many units may work on an issue beside the lead.
const maxCoUnits = 10

// setsAckDue notes until when the unit may keep silent: as its target says, else one working day.
func setsAckDue(a *attempt) error {
	due := a.facts.Calendar.Deadline(a.step.At, 1)
	if t := a.facts.Promised; t != nil {
		due = t.Due(a.facts.Calendar, a.step.At, t.AckMinutes)
	}
	a.payload[payloadAckDue] = payloadMoment(due)
	return nil
}

// unitLeads keeps what the responsible unit alone decides from all others.
func unitLeads(a *attempt) error {
	lead := a.issue.LeadUnitID
	if !ofAUnit(a.step.Actor.Role) || lead != nil && same(lead, a.step.Actor.UnitID) {
		return nil
	}
	return a.notTheirs("is for the unit that leads it")
}

// unitWorksOnIt keeps an issue from units that neither lead it nor work beside the lead.
func unitWorksOnIt(a *attempt) error {
	if unitLeads(a) == nil {
		return nil
	}
	sent := a.last(EventDispatched)
	if unit := a.step.Actor.UnitID; a.issue.LeadUnitID != nil && sent != nil && unit != nil && slices.Contains(unitsOf(*sent), *unit) {
		return nil
	}
	return a.notTheirs("is for the units that work on it")
}

// ofAUnit reports whether the role acts for the unit in charge.
func ofAUnit(r Role) bool { return r == RoleHandler || r == RoleUnitHead }

func (a *attempt) notTheirs(whose string) error {
	if a.step.Actor.UnitID == nil {
		return Errorf(CodeForbidden, "%s of issue %s %s; act with a unit", verbs[a.step.Kind], a.issue.PublicRef, whose)
	}
	return Errorf(CodeForbidden, "%s of issue %s %s, not for unit %s", verbs[a.step.Kind], a.issue.PublicRef, whose, a.step.Actor.UnitID)
}

// namesPost lets a supervisor name the post that carries the case, and a leading official a post of his or her own.
func namesPost(a *attempt) error {
	post, s := a.facts.Post, a.step
	if s.PostID == nil || post == nil {
		return Invalid("postId", "carrying a case needs the post whose holder carries it; give the id of one that exists")
	}
	if today := s.At; !post.heldOn(today) {
		return Invalid("postId", "post %s was not held on %s; name one that is", post.ID, DayOf(today))
	}
	if s.Actor.Role == RoleLeader && !same(s.Actor.OfficialID, &post.OfficialID) {
		return Errorf(CodeForbidden, "post %s is not yours; a LEADER takes cases upon him- or herself alone", post.ID)
	}
	a.payload[payloadPost] = post.ID.String()
	return nil
}

func inCatalogueOrOverride(a *attempt) error {
	if a.facts.InCatalogue || !blank(a.step.OverrideReason) {
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
	if blank(a.step.DutyList) {
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
	if blank(a.step.Question) {
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
	case blank(s.Reason):
		return Invalid("reason", "planning needs a reason that the public may read")
	case !s.TargetDate.After(s.At):
		return Invalid("targetDate", "planning needs a target date after %s", s.At.Format(time.DateOnly))
	case !s.ReviewAt.After(s.At) || s.ReviewAt.After(s.At.Add(maxReview)):
		return Invalid("reviewAt", "the review of a plan lies within the next 90 days, up to %s", s.At.Add(maxReview).Format(time.DateOnly))
	}
	a.payload[payloadTargetDate], a.payload[payloadReview] = payloadMoment(s.TargetDate), payloadMoment(s.ReviewAt)
	return nil
}

// planWasProposed lets a supervisor approve what the unit head proposed, word for word, as long as it stands: no step but notes and
// links came between, and its review still lies ahead.
func planWasProposed(a *attempt) error {
	p := a.last(EventProposed)
	switch {
	case p == nil || a.changedSince(*p):
		return Errorf(CodeTransition, "issue %s has no plan to approve; its UNIT_HEAD proposes one first", a.issue.PublicRef)
	case p.Actor.ID == a.step.Actor.ID:
		return Errorf(CodeForbidden, "%q proposed the plan of issue %s; somebody else approves it", p.Actor.ID, a.issue.PublicRef)
	case !payloadTime(*p, payloadReview, p.At).After(a.step.At):
		return Errorf(CodeTransition, "the plan of issue %s is past its own review; propose it anew", a.issue.PublicRef)
	}
	a.payload[payloadTargetDate], a.payload[payloadReview] = p.Payload[payloadTargetDate], p.Payload[payloadReview]
	if blank(a.step.Reason) && p.ReasonCode != nil {
		a.step.Reason = *p.ReasonCode
	}
	return nil
}

// changedSince reports whether the issue changed its state after the event.
func (a *attempt) changedSince(e Event) bool {
	return slices.ContainsFunc(a.facts.History, func(l Event) bool { return l.Seq > e.Seq && l.FromState != nil && *l.FromState != l.State })
}

const payloadTargetDate = "target_date" // PLAN_PROPOSED, PLANNED

func claimIsComplete(a *attempt) error {
	s := a.step
	switch {
	case blank(s.Text):
		return Invalid("text", "a claim needs the answer's text")
	case !slices.Contains([]ClaimKind{ClaimFixed, ClaimExplained, ClaimReferredOut}, s.ClaimKind):
		return Invalid("claimKind", "claim kind %q is unknown; give FIXED, EXPLAINED or REFERRED_OUT", s.ClaimKind)
	case s.ClaimKind == ClaimFixed && !hasEvidence(s.Evidence):
		return Invalid("evidence", "a claim that the problem is FIXED needs at least one piece of evidence")
	case s.ClaimKind == ClaimExplained && blank(s.LegalBasis):
		return Invalid("legalBasis", "a claim that the matter is EXPLAINED needs its legal basis")
	case s.ClaimKind == ClaimExplained && blank(s.AppealNotice):
		return Invalid("appealNotice", "a claim that the matter is EXPLAINED tells the reporter how to appeal")
	case s.ClaimKind == ClaimReferredOut && blank(s.Receipt):
		return Invalid("receipt", "a claim that the matter is REFERRED_OUT needs the receipt of whom it was referred to")
	case !s.AnswerDelivered:
		return Invalid("answerDelivered", "a claim counts once the answer is delivered to the reporter; deliver it first")
	}
	a.payload["claim_kind"] = string(s.ClaimKind)
	return nil
}

func hasEvidence(evidence []string) bool {
	return slices.ContainsFunc(evidence, func(e string) bool { return !blank(e) })
}

// claimIsSigned asks for the unit head's own account: a name in a field signs nothing.
func claimIsSigned(a *attempt) error {
	if grave := a.issue.Severity == SeverityHigh || a.issue.Severity == SeverityUrgent; grave && a.step.Actor.Role != RoleUnitHead {
		return Errorf(CodeForbidden, "issue %s is of severity %s; its UNIT_HEAD makes the claim and so signs it", a.issue.PublicRef, a.issue.Severity)
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
