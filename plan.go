package groundwork

import (
	"time"

	"github.com/google/uuid"
)

// Facts are what the guards need to know beyond the issue itself, as the store has it at the moment of the step.
type Facts struct {
	Now            time.Time
	Calendar       Calendar
	History        []Event           // the issue's events by Seq; those that only linked opinions may be left out, but for the last
	InCatalogue    bool              // DISPATCHED: the unit is in the catalogue for the issue's category and region level on that day
	Claim          *Claim            // the last claim
	Attempts       []CallbackAttempt // of that claim
	Reporters      []uuid.UUID       // who stands behind the issue's opinions
	Proven         bool              // the step brings the secret of an opinion on the issue
	ActorPID       *uuid.UUID        // the pseudonym of the actor, if it is a reporter
	Target         *Issue            // MERGED
	Promised       *TargetVersion    // DISPATCHED: the issue's target
	Uploaded       []string          // CLAIMED: which of the files that it names were uploaded, by hash
	Post           *PostHolding      // CARRIED: the post that is named
	Opinion        *Opinion          // LINKED
	OpinionIssueID *uuid.UUID        // LINKED: the issue that the opinion belongs to already
}

// FromSource reports whether an import takes the step, telling what a source knows, rather than somebody here.
func (s Step) FromSource() bool {
	return s.Actor.Role == RoleSystem && (s.Reason == SourceOpinion || s.Reason == SourceReply)
}

// attempt is a step under examination. Guards read it, and note in its payload what the history has to keep.
type attempt struct {
	issue   *Issue
	step    Step
	facts   Facts
	payload map[string]any
}

// Plan examines a step without taking it. It returns the event that the step makes, with the Progress after it, or an *Error:
// CodeInvalid names the field that is missing or wrong, CodeForbidden the roles that may, CodeTransition the states from which it
// is possible, CodeConflict that the issue has moved on since ExpectedSeq.
func (i *Issue) Plan(s Step, f Facts) (Event, error) {
	if s.ExpectedSeq != 0 && s.ExpectedSeq != i.Seq {
		return Event{}, Errorf(CodeConflict, "issue %s has moved on: it is at version %d, not %d; read it again", i.PublicRef, i.Seq, s.ExpectedSeq)
	}
	row, err := i.transition(s)
	if err != nil {
		return Event{}, err
	}
	a := attempt{issue: i, facts: f, payload: map[string]any{}}
	if a.step, err = i.timed(s, f); err != nil {
		return Event{}, err
	}
	for _, g := range row.guards {
		if err := g(&a); err != nil {
			return Event{}, err
		}
	}
	a.note(a.step)
	if row.Kind == EventClosed {
		a.payload[payloadClosure] = string(row.Closure)
	}
	if i.PausedSince != nil && row.To != "" {
		a.payload[payloadPausedUntil] = payloadMoment(a.pauseEnd(a.step.At))
	}
	return a.event(), nil
}

// timed settles when the step happened: now unless said otherwise, never in the future, and never before what is known to have
// happened, unless a source tells of the past.
func (i *Issue) timed(s Step, f Facts) (Step, error) {
	last := lastEvent(f.History)
	if s.At.IsZero() {
		s.At = Moment(f.Now)
		if last != nil {
			s.At = later(s.At, last.At) // the clock of whoever wrote last may be ahead of ours
		}
		return s, nil
	}
	s.At = Moment(s.At)
	if s.At.After(f.Now) {
		return s, Invalid("at", "%s lies in the future; give a time up to now", s.At.Format(time.RFC3339))
	}
	if !s.FromSource() && last != nil && s.At.Before(last.At) {
		return s, Invalid("at", "%s lies before the last event of issue %s (%s at %s); give a later time",
			s.At.Format(time.RFC3339), i.PublicRef, last.Kind, last.At.Format(time.RFC3339))
	}
	return s, nil
}

func (a *attempt) event() Event {
	s := a.step
	known := Moment(a.facts.Now)
	if s.FromSource() {
		known = s.At
	}
	if last := lastEvent(a.facts.History); last != nil {
		known = later(last.KnownAt, known)
	}
	e := Event{
		IssueID: a.issue.ID, Kind: s.Kind, FromState: new(a.issue.State), At: s.At, KnownAt: known,
		Actor: s.Actor, ReasonCode: nonEmpty(s.Reason), Payload: a.payload,
	}
	e.Progress = a.issue.After(e)
	return e
}

// note keeps what was said with the step and has no row of its own.
func (a *attempt) note(s Step) {
	for key, value := range map[string]string{
		"override_reason": s.OverrideReason, "return_reason": s.ReturnReason, "duty_list": s.DutyList, "question": s.Question,
		"pressured": s.Pressured, "resolved": s.Resolved, "comment": s.Comment,
	} {
		if value != "" {
			a.payload[key] = value
		}
	}
	if s.Kind == EventResponded && s.Text != "" {
		a.payload["text"] = s.Text
	}
	if s.FromSource() && s.OpinionID != nil {
		a.payload[payloadOpinion] = s.OpinionID.String()
	}
	if s.Kind == EventClaimed && s.Actor.UnitID != nil {
		a.payload[payloadUnit] = s.Actor.UnitID.String()
	}
}

func lastEvent(history []Event) *Event {
	if len(history) == 0 {
		return nil
	}
	return &history[len(history)-1]
}

// last returns the last event of the kind.
func (a *attempt) last(kind EventKind) *Event {
	for n := len(a.facts.History) - 1; n >= 0; n-- {
		if a.facts.History[n].Kind == kind {
			return &a.facts.History[n]
		}
	}
	return nil
}

// Opening is what the opening of an issue rests on, as the store has it.
type Opening struct {
	Opinions []Opinion
	At, Now  time.Time      // when it happens, and when it is recorded
	Target   *TargetVersion // in force for the issue at its origin; nil = nothing is promised
	Calendar Calendar       // from the origin on
}

// Origin is when the earliest opinion was received.
func (o Opening) Origin() time.Time {
	first := o.Opinions[0].ReceivedAt
	for _, said := range o.Opinions {
		first = earlier(first, said.ReceivedAt)
	}
	return first
}

// PlanRegistration examines the opening of an issue on its opinions, the earliest of which gives it its origin, kind and channel.
// The issue that it returns still lacks the public reference.
func PlanRegistration(r Registration, id uuid.UUID, o Opening) (*Issue, Event, error) {
	if err := r.Validate(); err != nil {
		return nil, Event{}, err
	}
	opinions := o.Opinions
	if len(opinions) != len(r.OpinionIDs) {
		return nil, Event{}, Invalid("opinionIds", "%d of the %d opinions do not exist; give ids of submitted opinions", len(r.OpinionIDs)-len(opinions), len(r.OpinionIDs))
	}
	first := opinions[0]
	ids := make([]any, len(opinions))
	for n, o := range opinions {
		if o.ReceivedAt.Before(first.ReceivedAt) {
			first = o
		}
		ids[n] = o.ID.String()
	}
	e := Event{
		IssueID: id, Kind: EventRegistered, At: Moment(o.At), KnownAt: Moment(o.Now), Actor: r.Actor,
		Payload: map[string]any{payloadOpinions: ids, payloadReceivedAt: payloadMoment(first.ReceivedAt)},
	}
	switch {
	case r.DueAt != nil:
		e.Payload[payloadDue] = payloadMoment(*r.DueAt)
	case o.Target != nil:
		o.Target.promise(o.Calendar, first.ReceivedAt, e.Payload)
	}
	e.Progress = Progress{}.After(e)
	return r.issue(id, first, e), e, nil
}

// issue makes the issue of a registration from its first opinion.
func (r Registration) issue(id uuid.UUID, first Opinion, e Event) *Issue {
	subject := first.Subject
	if first.Confidentiality == Confidential {
		subject = "" // what was told in confidence stays in the opinion; the title is for everybody
	}
	i := &Issue{
		ID: id, CategoryID: r.CategoryID, Severity: orElse(r.Severity, SeverityNormal), Difficulty: orElse(r.Difficulty, Routine),
		Kind: first.Kind, Channel: first.Channel, Title: orElse(r.Title, subject), RegionID: r.RegionID, SiteID: r.SiteID,
		SourceVisitID: first.VisitID, Progress: e.Progress, Promise: promiseOf(e),
	}
	if i.RegionID == nil {
		i.RegionID = first.RegionID
	}
	if i.SiteID == nil {
		i.SiteID = first.SiteID
	}
	return i
}

// promiseOf reads what a registration promised.
func promiseOf(registered Event) Promise {
	return Promise{
		TargetVersionID: payloadID(registered, payloadTargetVersion), ResponseDueAt: payloadTimePtr(registered, payloadResponseDue),
		DueAt: payloadTimePtr(registered, payloadDue),
	}
}

func nonEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func orElse[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
