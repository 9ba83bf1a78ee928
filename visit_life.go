package groundwork

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// NoteDays is how many days after its end the note of a visit may be written.
const NoteDays = 7

// The steps of a visit.
const (
	VisitArranged  = "PLANNED"
	VisitEntered   = "ENTERED" // afterwards: it was held and nobody had planned it here
	VisitBegun     = "CHECKED_IN"
	VisitEnded     = "HELD"
	VisitNoted     = "RECORDED"
	VisitDone      = "CLOSED_OUT"
	VisitCalledOff = "CANCELLED"
	VisitVoided    = "VOID"
)

// VisitStep asks to move a visit along its life.
type VisitStep struct {
	Deed
	VisitID     uuid.UUID
	Kind        string
	CitizensMet *int       // HELD
	NoteText    string     // RECORDED
	NoteUnitID  *uuid.UUID // RECORDED: the unit of the note's author
}

// VisitFacts are what the guards need to know beyond the visit.
type VisitFacts struct {
	Now           time.Time
	Last          time.Time   // the visit's last event
	Mine          bool        // the actor's official leads it or takes part
	Units         []uuid.UUID // those of the posts that lead and take part
	Opinions      int         // voiced at it
	Unlinked      int         // of them on no issue, thanks apart
	NothingRaised bool        // somebody who is no official attests that nothing was raised
}

// VisitAttempt is a step of a visit under examination.
type VisitAttempt struct {
	Visit *Visit
	Step  VisitStep
	Facts VisitFacts
}

type visitGuards = []func(VisitAttempt) error

// VisitLife is the life of a visit.
var VisitLife = Life[VisitAttempt]{Noun: "visit", Moves: []Move[VisitAttempt]{
	{Kind: VisitArranged, To: "PLANNED", Roles: []Role{RoleLeader, RoleIntake}, Asks: "a time to come; of a leader, to lead it or take part", Guards: visitGuards{leadersOwn, toCome}},
	{Kind: VisitEntered, To: "HELD", Roles: []Role{RoleLeader, RoleIntake, RoleSystem}, Asks: "a visit that is over; of a leader, to have led it or taken part", Effect: "fulfils a slot of the rota", Guards: visitGuards{leadersOwn}},
	{Kind: VisitBegun, From: []string{"PLANNED"}, To: "CHECKED_IN", Roles: []Role{RoleLeader}, Asks: "who leads it or takes part", Effect: "the visit begins now", Guards: visitGuards{takesPart}},
	{Kind: VisitEnded, From: []string{"CHECKED_IN"}, To: "HELD", Roles: []Role{RoleLeader}, Asks: "who leads it or takes part", Effect: "the visit ends now; it fulfils a slot of the rota", Guards: visitGuards{takesPart, countsPeople}},
	{Kind: VisitNoted, From: []string{"HELD"}, To: "RECORDED", Roles: []Role{RoleLeader, RoleIntake, RoleSystem},
		Asks: "a note within 7 days, by an author of a unit that took part", Guards: visitGuards{leadersOwn, notesSomething, notesInTime, noteFromWithin}},
	{Kind: VisitDone, From: []string{"RECORDED"}, To: "CLOSED_OUT", Roles: []Role{RoleLeader, RoleIntake},
		Asks: "each point raised is on an issue, or somebody who is no official attests that nothing was raised", Guards: visitGuards{leadersOwn, pointsTaken}},
	{Kind: VisitCalledOff, From: []string{"PLANNED"}, To: "CANCELLED", Roles: []Role{RoleLeader, RoleIntake}, Asks: "a reason", Guards: visitGuards{leadersOwn, visitReasoned}},
	{Kind: VisitVoided, From: []string{"HELD", "RECORDED", "CLOSED_OUT"}, To: "VOID", Roles: []Role{RoleSupervisor}, Asks: "a reason, such as attestations that it was not held",
		Effect: "the slot that it fulfilled is open again", Guards: visitGuards{visitReasoned}},
}}

// VisitMachine shows the life of a visit.
func VisitMachine() Machine { return VisitLife.Machine() }

// Plan examines a step of a visit. It returns the step with its time, and the row of the life by which it goes.
func (v *Visit) Plan(s VisitStep, f VisitFacts) (VisitStep, Move[VisitAttempt], error) {
	const name = "the visit"
	deed, err := s.Settle(name, v.Version, f.Last, f.Now)
	if err != nil {
		return s, Move[VisitAttempt]{}, err
	}
	s.Deed = deed
	move, err := VisitLife.Take(VisitAttempt{v, s, f}, s.Kind, string(v.State), s.Actor.Role, name)
	return s, move, err
}

func toCome(a VisitAttempt) error {
	return check(a.Visit.StartedAt.After(a.Facts.Now), "startsAt", "%s is over; give a time to come, or record the visit as held", a.Visit.StartedAt.Format(time.RFC3339))
}

func takesPart(a VisitAttempt) error {
	if !a.Facts.Mine {
		return Errorf(CodeForbidden, "a visit is held by those who lead it or take part")
	}
	return nil
}

// leadersOwn keeps leaders to the visits that they lead or take part in; the office that enters visits for them enters all.
func leadersOwn(a VisitAttempt) error {
	if a.Step.Actor.Role != RoleLeader {
		return nil
	}
	return takesPart(a)
}

func countsPeople(a VisitAttempt) error {
	return check(a.Step.CitizensMet == nil || *a.Step.CitizensMet >= 0, "citizensMet", "the number of citizens met cannot be negative")
}

func notesSomething(a VisitAttempt) error {
	return firstError(
		check(strings.TrimSpace(a.Step.NoteText) != "", "noteText", "a note says something: give its text"),
		check(a.Step.NoteUnitID != nil, "noteUnitId", "a note and the unit of its author go together"),
	)
}

func notesInTime(a VisitAttempt) error {
	latest := a.Visit.EndedAt.AddDate(0, 0, NoteDays)
	if err := check(!a.Step.At.Before(a.Facts.Now), "at", "a note has the time at which it is recorded; leave it out"); err != nil {
		return err
	}
	return check(!a.Step.At.After(latest), "at", "the visit ended on %s; its note was to be written within %d days", DayOf(*a.Visit.EndedAt), NoteDays)
}

func noteFromWithin(a VisitAttempt) error {
	return check(slices.Contains(a.Facts.Units, *a.Step.NoteUnitID), "noteUnitId", "the note is written by a unit that took part, not by the host or another; give one of theirs")
}

func pointsTaken(a VisitAttempt) error {
	switch {
	case a.Facts.Unlinked > 0:
		return Errorf(CodeTransition, "%d of %d points raised are on no issue; register or link them first", a.Facts.Unlinked, a.Facts.Opinions)
	case a.Facts.Opinions == 0 && !a.Facts.NothingRaised:
		return Errorf(CodeTransition, "no point was entered: enter what was raised, or have a citizen or the host attest that nothing was")
	}
	return nil
}

func visitReasoned(a VisitAttempt) error { return a.Step.reasoned(a.Step.Kind + " of a visit") }

// After returns the visit as it stands after a planned step.
func (v Visit) After(s VisitStep, m Move[VisitAttempt]) Visit {
	v.Version++
	v.State = VisitState(m.To)
	switch s.Kind {
	case VisitBegun:
		v.StartedAt = s.At
	case VisitEnded:
		v.EndedAt, v.CitizensMet = &s.At, s.CitizensMet
	case VisitNoted:
		v.NoteText, v.NoteUnitID, v.NoteCreatedAt = &s.NoteText, s.NoteUnitID, &s.At
	}
	return v
}

// The voices and words of attestations.
const (
	ByCitizen   = "CITIZEN"
	ByHost      = "HOST"
	ByInspector = "INSPECTOR"

	HeldAsRecorded = "HELD_AS_RECORDED"
	HeldShorter    = "SHORTER"
	NotHeld        = "NOT_HELD"
	HeldUnsure     = "UNSURE"
)

// Attestation is what somebody who did not take part says of a visit that was held.
type Attestation struct {
	ID            uuid.UUID
	VisitID       uuid.UUID
	Voice         string // CITIZEN, HOST or INSPECTOR
	Says          string // HELD_AS_RECORDED, SHORTER, NOT_HELD or UNSURE
	NothingRaised bool   // that no point was raised; an inspector, who is an official, cannot attest it
	At            time.Time
}

// Validate examines an attestation.
func (a Attestation) Validate(now time.Time) error {
	return firstError(
		oneOf("voice", a.Voice, ByCitizen, ByHost, ByInspector),
		oneOf("says", a.Says, HeldAsRecorded, HeldShorter, NotHeld, HeldUnsure),
		check(!a.NothingRaised || a.Voice != ByInspector, "nothingRaised", "that nothing was raised is attested by a citizen or the host, not by an official"),
		check(!a.At.After(now), "at", "%s lies in the future; give a time up to now", a.At.Format(time.RFC3339)),
	)
}
