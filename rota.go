package groundwork

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// Cadence is how often a plan asks for a visit.
type Cadence string

// The cadences.
const (
	Monthly   Cadence = "MONTHLY"
	Quarterly Cadence = "QUARTERLY"
)

// RotaPlan says who goes down how often: each holder of a post of a rank, in the units of a region and below, does an activity once a
// window. A new version of a plan replaces the windows that have not begun.
type RotaPlan struct {
	ID           uuid.UUID
	Name         string
	Version      int // of the plan of this name
	RegionID     uuid.UUID
	Rank         Rank
	ActivityKind ActivityKind
	Cadence      Cadence
	SiteKind     *SiteKind // where to, if that is set
	PeriodFrom   time.Time // first day
	PeriodTo     time.Time // first day after
	CreatedAt    time.Time
}

// maxRotaYears bounds a plan, since it makes a slot a post and window.
const maxRotaYears = 3

// Validate examines a new plan.
func (p RotaPlan) Validate() error {
	return firstError(
		check(strings.TrimSpace(p.Name) != "", "name", "name the plan, such as \"county leaders 2026\""),
		oneOf("rank", p.Rank, RankProvincial, RankPrefecture, RankCounty, RankTownship, RankSection),
		oneOf("activityKind", p.ActivityKind, Propagation, Research, Reception, OnsiteOffice),
		oneOf("cadence", p.Cadence, Monthly, Quarterly),
		check(p.PeriodFrom.Day() == 1, "periodFrom", "%s: a plan begins on the first day of a month", p.PeriodFrom.Format(time.DateOnly)),
		check(p.PeriodTo.After(p.PeriodFrom) && !p.PeriodTo.After(p.PeriodFrom.AddDate(maxRotaYears, 0, 0)), "periodTo", "%s: a plan ends after it begins, at most %d years later", p.PeriodTo.Format(time.DateOnly), maxRotaYears),
		check(len(p.Windows()) > 0, "periodTo", "%s: the period holds no whole window of the cadence; make it longer", p.PeriodTo.Format(time.DateOnly)),
	)
}

// Window is a length of days [From, To) in which a slot is due.
type Window struct{ From, To time.Time }

// Windows are those of the plan: whole months or quarters from its first day on.
func (p RotaPlan) Windows() []Window {
	months := 1
	if p.Cadence == Quarterly {
		months = 3
	}
	var all []Window
	for from := p.PeriodFrom; ; from = from.AddDate(0, months, 0) {
		to := from.AddDate(0, months, 0)
		if to.After(p.PeriodTo) {
			return all
		}
		all = append(all, Window{from, to})
	}
}

// SlotState is where a slot of a rota stands.
type SlotState string

// The states of a slot.
const (
	SlotOpen      SlotState = "OPEN"
	SlotFulfilled SlotState = "FULFILLED"
	SlotLate      SlotState = "LATE"
	SlotMissed    SlotState = "MISSED"
	SlotExcused   SlotState = "EXCUSED"
	SlotSwapped   SlotState = "SWAPPED"
)

// RotaSlot is one turn: the holder of a post does an activity within a window.
type RotaSlot struct {
	ID           uuid.UUID
	PlanID       uuid.UUID
	PostID       uuid.UUID
	ActivityKind ActivityKind
	SiteKind     *SiteKind
	RegionID     uuid.UUID // where: in it or below
	WindowFrom   time.Time // first day
	WindowTo     time.Time // first day after
	State        SlotState
	VisitID      *uuid.UUID // that fulfilled it
	SwappedForID *uuid.UUID // the slot that took its place
	Version      int
	CreatedAt    time.Time
}

// SlotGrace is how many days after its window a slot may still be done, late, before it is missed.
const SlotGrace = 14

// The steps of a slot.
const (
	SlotMade        = "MADE"
	SlotDone        = "FULFILLED"
	SlotDoneLate    = "LATE"
	SlotRanOut      = "MISSED"
	SlotStepExcused = "EXCUSED"
	SlotStepSwapped = "SWAPPED"
	SlotReleased    = "RELEASED"
)

// SlotStep asks to move a slot along its life.
type SlotStep struct {
	Deed
	SlotID  uuid.UUID
	Kind    string
	VisitID *uuid.UUID // FULFILLED, LATE
	PostID  *uuid.UUID // SWAPPED: who takes the turn
}

// SlotFacts are what the guards need to know beyond the slot.
type SlotFacts struct {
	Now       time.Time
	Last      time.Time
	VisitEnd  time.Time // of the visit that fulfils it
	PostHeld  bool      // the post that takes the turn is held, and of the plan's rank
	PostTaken bool      // it has a turn of the plan in this window already
}

// SlotAttempt is a step of a slot under examination.
type SlotAttempt struct {
	Slot  *RotaSlot
	Step  SlotStep
	Facts SlotFacts
}

type slotGuards = []func(SlotAttempt) error

// SlotLife is the life of a slot.
var SlotLife = Life[SlotAttempt]{Noun: "rota_slot", Moves: []Move[SlotAttempt]{
	{Kind: SlotMade, To: "OPEN", Roles: []Role{RoleSupervisor}, Asks: "a plan"},
	{Kind: SlotDone, From: []string{"OPEN"}, To: "FULFILLED", Roles: []Role{RoleSystem}, Asks: "a visit of its kind that was held within its window", Guards: slotGuards{inWindow}},
	{Kind: SlotDoneLate, From: []string{"OPEN"}, To: "LATE", Roles: []Role{RoleSystem}, Asks: "a visit of its kind that was held after its window", Guards: slotGuards{afterWindow}},
	{Kind: SlotRanOut, From: []string{"OPEN"}, To: "MISSED", Roles: []Role{RoleSystem}, Asks: "14 days have passed since its window", Guards: slotGuards{ranOut}},
	{Kind: SlotStepExcused, From: []string{"OPEN", "MISSED"}, To: "EXCUSED", Roles: []Role{RoleSupervisor}, Asks: "a reason", Effect: "stays in the denominator of I1", Guards: slotGuards{slotReasoned}},
	{Kind: SlotStepSwapped, From: []string{"OPEN"}, To: "SWAPPED", Roles: []Role{RoleSupervisor}, Asks: "a reason; another post of the rank that is held and has no turn in this window",
		Effect: "the other post gets a slot of the same window", Guards: slotGuards{slotReasoned, takerFree}},
	{Kind: SlotReleased, From: []string{"FULFILLED", "LATE"}, To: "OPEN", Roles: []Role{RoleSystem}, Asks: "its visit was declared void"},
}}

// SlotMachine shows the life of a slot.
func SlotMachine() Machine { return SlotLife.Machine() }

// Plan examines a step of a slot. It returns the step with its time, and the row of the life by which it goes.
func (s *RotaSlot) Plan(step SlotStep, f SlotFacts) (SlotStep, Move[SlotAttempt], error) {
	const name = "the slot"
	deed, err := step.Settle(name, s.Version, f.Last, f.Now)
	if err != nil {
		return step, Move[SlotAttempt]{}, err
	}
	step.Deed = deed
	move, err := SlotLife.Take(SlotAttempt{s, step, f}, step.Kind, string(s.State), step.Actor.Role, name)
	return step, move, err
}

// lastDay is the last day of the window.
func (s RotaSlot) lastDay() string { return s.WindowTo.AddDate(0, 0, -1).Format(time.DateOnly) }

// StepFor is the step by which a visit that ended then fulfils the slot.
func (s RotaSlot) StepFor(visitEnd time.Time) string {
	if DayOf(visitEnd) <= s.lastDay() {
		return SlotDone
	}
	return SlotDoneLate
}

func inWindow(a SlotAttempt) error {
	day := DayOf(a.Facts.VisitEnd)
	if day < a.Slot.WindowFrom.Format(time.DateOnly) || day > a.Slot.lastDay() {
		return Errorf(CodeTransition, "the visit of %s lies outside of the window from %s to %s", day, a.Slot.WindowFrom.Format(time.DateOnly), a.Slot.lastDay())
	}
	return nil
}

func afterWindow(a SlotAttempt) error {
	if DayOf(a.Facts.VisitEnd) <= a.Slot.lastDay() {
		return Errorf(CodeTransition, "the visit was not late")
	}
	return nil
}

func ranOut(a SlotAttempt) error {
	if DayOf(a.Step.At) < a.Slot.WindowTo.AddDate(0, 0, SlotGrace).Format(time.DateOnly) {
		return Errorf(CodeTransition, "the slot can still be done, until %d days after its window", SlotGrace)
	}
	return nil
}

func slotReasoned(a SlotAttempt) error { return a.Step.reasoned(a.Step.Kind + " of a slot") }

func takerFree(a SlotAttempt) error {
	return firstError(
		check(a.Step.PostID != nil && *a.Step.PostID != a.Slot.PostID, "postId", "name another post, which takes the turn"),
		check(a.Facts.PostHeld, "postId", "the post is not held now, or is not of the plan's rank; give another"),
		check(!a.Facts.PostTaken, "postId", "the post has a turn of this plan in the window already; give another"),
	)
}

// After returns the slot as it stands after a planned step.
func (s RotaSlot) After(step SlotStep, m Move[SlotAttempt]) RotaSlot {
	s.Version++
	s.State = SlotState(m.To)
	switch step.Kind {
	case SlotDone, SlotDoneLate:
		s.VisitID = step.VisitID
	case SlotReleased:
		s.VisitID = nil
	}
	return s
}
