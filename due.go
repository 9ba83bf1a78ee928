package groundwork

import (
	"slices"
	"time"
)

// DueKind is what time brings about in the life of an issue.
type DueKind string

// What time brings about.
const (
	DueAcceptance DueKind = "ACCEPT"      // the unit kept silent: it has accepted
	DueResumption DueKind = "RESUME"      // the citizen did not answer in time: work goes on
	DueReview     DueKind = "REVIEW"      // a plan was not renewed: work goes on
	DueClosing    DueKind = "UNCONFIRMED" // the reporter could not be reached: closed without a verdict
	DueEscalation DueKind = "ESCALATE"    // raised to the next rank
)

// Due is what time brings to an issue next.
type Due struct {
	At     time.Time
	Kind   DueKind
	Reason string // code of an escalation
}

// Step is the step that the system takes when the time has come.
func (d Due) Step(i *Issue) Step {
	s := Step{IssueID: i.ID, Actor: System, Reason: d.Reason}
	switch d.Kind {
	case DueAcceptance:
		s.Kind = EventAccepted
	case DueResumption:
		s.Kind = EventResumed
	case DueReview:
		s.Kind = EventUnplanned
	case DueClosing:
		s.Kind, s.Closure = EventClosed, Unconfirmed
	case DueEscalation:
		s.Kind = EventEscalated
	}
	return s
}

// NextDue tells from where an issue stands and from its events (those that only linked opinions may be left out) what time brings
// next; nil is nothing. What is imported and not yet taken up here is observed elsewhere: time brings it nothing.
func (i *Issue) NextDue(c Calendar, history []Event) *Due {
	if i.ObservedUntil != nil || !i.State.Open() {
		return nil
	}
	a := attempt{issue: i, facts: Facts{Calendar: c, History: history}}
	dues := a.escalations()
	switch i.State {
	case Dispatched:
		dues = append(dues, Due{At: a.ackDue(), Kind: DueAcceptance})
	case AwaitingCitizen:
		dues = append(dues, Due{At: a.pauseDue(), Kind: DueResumption})
	case Planned:
		dues = append(dues, Due{At: a.reviewDue(), Kind: DueReview})
	case Claimed:
		if calls := a.callsOnClaim(); enoughCalls(calls) {
			closing := later(a.closingDue(a.last(EventClaimed).At), calls[len(calls)-1])
			dues = append(dues, Due{At: closing, Kind: DueClosing})
		}
	}
	if len(dues) == 0 {
		return nil
	}
	first := slices.MinFunc(dues, func(d, e Due) int { return d.At.Compare(e.At) })
	return &first
}

// escalations lists the escalations that are not yet taken, due or to come. While a claim awaits its verdict the target does not
// count: whoever claimed in time is in time.
func (a *attempt) escalations() []Due {
	var dues []Due
	add := func(reason string, at *time.Time) {
		if at != nil && !a.escalatedFor(reason) {
			dues = append(dues, Due{At: *at, Kind: DueEscalation, Reason: reason})
		}
	}
	if promised, _ := a.facts.History[0].Payload[payloadEscalations].(map[string]any); a.issue.State != Claimed {
		for _, t := range thresholds {
			add(t.reason, timeIn(promised, t.reason))
		}
	}
	if a.issue.DisputeCount >= 3 {
		add(AtThirdDispute, &a.last(EventDisputed).At)
	}
	if a.issue.ReopenCount >= 2 {
		add(AtSecondReopen, &a.last(EventReopened).At)
	}
	return dues
}

func (a *attempt) escalatedFor(reason string) bool {
	return slices.ContainsFunc(a.facts.History, func(e Event) bool {
		return e.Kind == EventEscalated && e.ReasonCode != nil && *e.ReasonCode == reason
	})
}

func escalationIsDue(a *attempt) error {
	reasons := []string{AtFourFifths, AtTarget, AtHalfAgain, AtThirdDispute, AtSecondReopen}
	if !slices.Contains(reasons, a.step.Reason) {
		return Invalid("reason", "escalation reason %q is unknown; give one of %s", a.step.Reason, join(reasons))
	}
	for _, d := range a.escalations() {
		if d.Reason == a.step.Reason && !d.At.After(a.step.At) {
			return nil
		}
	}
	return Errorf(CodeTransition, "escalation %s of issue %s is not due, or was taken already", a.step.Reason, a.issue.PublicRef)
}

// ackDue is until when the unit may keep silent.
func (a *attempt) ackDue() time.Time {
	sent := a.last(EventDispatched)
	return payloadTime(*sent, payloadAckDue, a.facts.Calendar.Deadline(sent.At, 1))
}

func silenceIsOver(a *attempt) error {
	if due := a.ackDue(); a.step.At.Before(due) {
		return Errorf(CodeTransition, "issue %s waits for its unit until %s; after that silence is acceptance", a.issue.PublicRef, due.Format(time.RFC3339))
	}
	return nil
}

// reviewDue is when the plan in force ends, unless it is renewed before.
func (a *attempt) reviewDue() time.Time {
	planned := a.last(EventPlanned)
	return payloadTime(*planned, payloadReview, planned.At.Add(maxReview))
}

func reviewIsDue(a *attempt) error {
	if due := a.reviewDue(); a.step.At.Before(due) {
		return Errorf(CodeTransition, "the plan of issue %s runs until its review at %s", a.issue.PublicRef, due.Format(time.RFC3339))
	}
	return nil
}

// callsOnClaim lists when the reporter was called back about the last claim.
func (a *attempt) callsOnClaim() []time.Time {
	var calls []time.Time
	for _, e := range a.facts.History {
		switch e.Kind {
		case EventClaimed:
			calls = nil
		case EventCalledBack:
			calls = append(calls, e.At)
		}
	}
	return calls
}
