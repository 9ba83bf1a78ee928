package groundwork

import (
	"time"

	"github.com/google/uuid"
)

// LegRole is a unit's part in handling an issue.
type LegRole string

// The parts.
const (
	LeadUnit LegRole = "LEAD" // answers for the issue
	CoUnit   LegRole = "CO"   // works on it beside the lead
)

// Leg is the time of an issue with one unit. The units of one dispatch accept and return together: the lead speaks for them.
type Leg struct {
	IssueID      uuid.UUID
	N            int // 1 for the issue's first leg
	UnitID       uuid.UUID
	Role         LegRole
	SentAt       time.Time
	AckDueAt     *time.Time // silence until then is acceptance
	AcceptedAt   *time.Time
	ReturnedAt   *time.Time
	ReturnReason *string
}

// Legs derives the legs from an issue's events.
func Legs(history []Event) []Leg {
	var legs []Leg
	sent := 0 // where the legs of the last dispatch begin
	for _, e := range history {
		switch e.Kind {
		case EventDispatched:
			sent = len(legs)
			for n, unit := range unitsOf(e) {
				leg := Leg{IssueID: e.IssueID, N: len(legs) + 1, UnitID: unit, Role: CoUnit, SentAt: e.At, AckDueAt: payloadTimePtr(e, payloadAckDue)}
				if n == 0 {
					leg.Role = LeadUnit
				}
				legs = append(legs, leg)
			}
		case EventAccepted:
			for n := range legs[sent:] {
				legs[sent+n].AcceptedAt = &e.At
			}
		case EventReturned:
			reason, _ := e.Payload["return_reason"].(string)
			for n := range legs[sent:] {
				legs[sent+n].ReturnedAt, legs[sent+n].ReturnReason = &e.At, nonEmpty(reason)
			}
		}
	}
	return legs
}

// unitsOf lists the units that a dispatch or a claim names, the lead first.
func unitsOf(e Event) []uuid.UUID {
	lead := payloadID(e, payloadUnit)
	if lead == nil {
		return nil
	}
	units := []uuid.UUID{*lead}
	others, _ := e.Payload[payloadCoUnits].([]any)
	for _, o := range others {
		text, _ := o.(string)
		if id, err := uuid.Parse(text); err == nil {
			units = append(units, id)
		}
	}
	return units
}

// Equal reports whether two legs say the same; times are compared as moments.
func (l Leg) Equal(m Leg) bool {
	return l.IssueID == m.IssueID && l.N == m.N && l.UnitID == m.UnitID && l.Role == m.Role && l.SentAt.Equal(m.SentAt) &&
		sameTime(l.AckDueAt, m.AckDueAt) && sameTime(l.AcceptedAt, m.AcceptedAt) && sameTime(l.ReturnedAt, m.ReturnedAt) &&
		same(l.ReturnReason, m.ReturnReason)
}
