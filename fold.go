package groundwork

import (
	"time"

	"github.com/google/uuid"
)

// Keys of an event's payload that the fold reads. All values are of JSON's own types, so that an event is the same before and
// after it was stored.
const (
	payloadOpinions    = "opinions"     // REGISTERED: list of opinion ids
	payloadOpinion     = "opinion"      // LINKED: opinion id
	payloadReceivedAt  = "received_at"  // REGISTERED, LINKED: earliest received_at of these opinions
	payloadUnit        = "unit"         // DISPATCHED, CLAIMED: unit id
	payloadCoUnits     = "co_units"     // DISPATCHED: list of unit ids
	payloadAckDue      = "ack_due_at"   // DISPATCHED: until when silence is no acceptance yet
	payloadReview      = "review_at"    // PLAN_PROPOSED, PLANNED: when the plan ends unless it is renewed
	payloadPost        = "post"         // CARRIED: post_holding id
	payloadPausedUntil = "paused_until" // any step out of AWAITING_CITIZEN: when the pause ended
	payloadClosure     = "closure"      // CLOSED
	payloadTarget      = "target"       // MERGED: issue id
	payloadState       = "state"        // UNMERGED: the state before the merger
	payloadResolvedAt  = "resolved_at"  // REOPENED: the resolution that still holds; absent = none

	// REGISTERED, where a target was in force: its id, what is due when, and the moments of escalation by reason.
	payloadTargetVersion = "target_version"
	payloadResponseDue   = "response_due_at"
	payloadDue           = "due_at"
	payloadEscalations   = "escalations"
)

// Fold rebuilds an issue's Progress from its events in order of Seq. It reads what happened (kind, time, payload) and never the
// Progress stored with the events.
func Fold(events []Event) Progress {
	var p Progress
	for _, e := range events {
		p = p.After(e)
	}
	return p
}

// After returns the progress after one more event.
func (p Progress) After(e Event) Progress {
	p.Seq++
	p.endPause(e)
	switch e.Kind {
	case EventRegistered:
		p.State = Registered
		p.OriginAt = payloadTime(e, payloadReceivedAt, e.At)
		ids, _ := e.Payload[payloadOpinions].([]any)
		p.OpinionCount = len(ids)
	case EventLinked:
		p.OriginAt = earlier(p.OriginAt, payloadTime(e, payloadReceivedAt, p.OriginAt))
		p.OpinionCount++
	case EventDispatched:
		p.State, p.LeadUnitID = Dispatched, payloadID(e, payloadUnit)
	case EventAccepted, EventUnplanned, EventResumed:
		p.State = InProgress
	case EventReturned:
		p.State, p.LeadUnitID = Registered, nil
		p.ReturnCount++
	case EventAsked:
		p.State, p.PausedSince = AwaitingCitizen, new(e.At)
		p.respond(e.At)
	case EventPlanned:
		p.State = Planned
	case EventResponded:
		p.respond(e.At)
	case EventClaimed:
		p.State = Claimed
		p.respond(e.At)
		p.claim(e.At)
	case EventDisputed:
		p.State = InProgress
		p.DisputeCount++
	case EventConfirmed:
		p.close(Confirmed, e.At)
		p.ResolvedAt = p.ClaimedAt
	case EventClosed:
		closure, _ := e.Payload[payloadClosure].(string)
		p.close(Closure(closure), e.At)
	case EventWithdrawn:
		p.close(Withdrawn, e.At)
	case EventMerged:
		p.State, p.MergedIntoID = Merged, payloadID(e, payloadTarget)
	case EventUnmerged:
		p.unmerge(e)
	case EventReopened:
		p.State, p.ClosureType, p.ClosedAt = InProgress, nil, nil
		p.ResolvedAt = payloadTimePtr(e, payloadResolvedAt)
		p.ReopenCount++
	case EventEscalated:
		p.EscalationLevel++
	case EventCalledBack, EventFeedback, EventCorrected, EventProposed, EventCarried: // kept in the history, change nothing
	}
	return p
}

// endPause ends the pause that the event ends, whatever its kind; the gross clock never paused.
func (p *Progress) endPause(e Event) {
	until := payloadTimePtr(e, payloadPausedUntil)
	if p.PausedSince == nil || until == nil {
		return
	}
	p.PausedSeconds += int64(max(0, until.Sub(*p.PausedSince)) / time.Second)
	p.PausedSince = nil
}

// respond keeps the earliest response: an imported reply may become known after a later one.
func (p *Progress) respond(at time.Time) {
	if p.FirstResponseAt == nil || at.Before(*p.FirstResponseAt) {
		p.FirstResponseAt = &at
	}
}

// claim keeps the latest claim, for the same reason.
func (p *Progress) claim(at time.Time) {
	if p.ClaimedAt == nil || at.After(*p.ClaimedAt) {
		p.ClaimedAt = &at
	}
}

func (p *Progress) close(c Closure, at time.Time) {
	p.State, p.ClosureType, p.ClosedAt = Closed, &c, &at
}

func (p *Progress) unmerge(e Event) {
	state, _ := e.Payload[payloadState].(string)
	p.State, p.MergedIntoID = State(state), nil
	if p.State == AwaitingCitizen {
		p.PausedSince = new(e.At)
	}
}

func payloadTimePtr(e Event, key string) *time.Time { return timeIn(e.Payload, key) }

func timeIn(payload map[string]any, key string) *time.Time {
	text, _ := payload[key].(string)
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil
	}
	return &t
}

func payloadTime(e Event, key string, otherwise time.Time) time.Time {
	if t := payloadTimePtr(e, key); t != nil {
		return *t
	}
	return otherwise
}

func payloadID(e Event, key string) *uuid.UUID {
	text, _ := e.Payload[key].(string)
	id, err := uuid.Parse(text)
	if err != nil {
		return nil
	}
	return &id
}

// payloadMoment is the form of a time in a payload: UTC, to the microsecond, as the database keeps times.
func payloadMoment(t time.Time) string { return Moment(t).Format(time.RFC3339Nano) }

// Moment is t as it is stored: UTC, to the microsecond.
func Moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Equal reports whether two progresses say the same; times are compared as moments.
func (p Progress) Equal(q Progress) bool {
	return p.Seq == q.Seq && p.State == q.State && same(p.ClosureType, q.ClosureType) && p.OriginAt.Equal(q.OriginAt) &&
		sameTime(p.FirstResponseAt, q.FirstResponseAt) && sameTime(p.ClaimedAt, q.ClaimedAt) && sameTime(p.ResolvedAt, q.ResolvedAt) &&
		sameTime(p.ClosedAt, q.ClosedAt) && same(p.MergedIntoID, q.MergedIntoID) && same(p.LeadUnitID, q.LeadUnitID) &&
		sameTime(p.PausedSince, q.PausedSince) && p.PausedSeconds == q.PausedSeconds && p.ReturnCount == q.ReturnCount &&
		p.DisputeCount == q.DisputeCount && p.ReopenCount == q.ReopenCount && p.EscalationLevel == q.EscalationLevel &&
		p.OpinionCount == q.OpinionCount
}

func same[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

func sameTime(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }
