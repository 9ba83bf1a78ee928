package groundwork_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
)

func visitAttempt(kind, from string, role groundwork.Role) (groundwork.Visit, groundwork.VisitStep, groundwork.VisitFacts) {
	v := groundwork.Visit{StartedAt: noon.Add(-2 * time.Hour), EndedAt: new(noon.Add(-time.Hour)), State: groundwork.VisitState(from), Version: 2}
	if kind == groundwork.VisitArranged {
		v.StartedAt = noon.Add(time.Hour)
	}
	s := groundwork.VisitStep{Deed: groundwork.Deed{Actor: groundwork.Actor{ID: "a", Role: role}, Reason: "because"}, Kind: kind, CitizensMet: new(0), NoteText: "Heard", NoteUnitID: &someUnit}
	return v, s, groundwork.VisitFacts{Now: noon, Last: noon.Add(-time.Hour), Mine: true, Units: []uuid.UUID{someUnit}, Opinions: 1}
}

func TestEveryMoveOfAVisit(t *testing.T) {
	t.Parallel()
	everyMove(t, groundwork.VisitMachine(), []string{"PLANNED", "CHECKED_IN", "HELD", "RECORDED", "CLOSED_OUT", "CANCELLED", "VOID"}, func(kind, from string, role groundwork.Role) error {
		v, s, f := visitAttempt(kind, from, role)
		_, _, err := v.Plan(s, f)
		return err
	})
}

func TestRefusalsOfAVisit(t *testing.T) {
	t.Parallel()
	type attempt struct {
		v *groundwork.Visit
		s *groundwork.VisitStep
		f *groundwork.VisitFacts
	}
	leader := groundwork.RoleLeader
	for name, c := range map[string]struct {
		kind, from string
		role       groundwork.Role
		spoil      func(a attempt)
		says       string
	}{
		"stale":                     {"CHECKED_IN", "PLANNED", leader, func(a attempt) { a.s.ExpectedVersion = 9 }, "is at version 2, not 9"},
		"planned for the past":      {"PLANNED", "", leader, func(a attempt) { a.v.StartedAt = noon }, "is over"},
		"planned for another":       {"PLANNED", "", leader, func(a attempt) { a.f.Mine = false }, "held by those who lead it"},
		"entered for another":       {"ENTERED", "", leader, func(a attempt) { a.f.Mine = false }, "held by those who lead it"},
		"begun by another":          {"CHECKED_IN", "PLANNED", leader, func(a attempt) { a.f.Mine = false }, "held by those who lead it"},
		"ended by another":          {"HELD", "CHECKED_IN", leader, func(a attempt) { a.f.Mine = false }, "held by those who lead it"},
		"fewer than nobody":         {"HELD", "CHECKED_IN", leader, func(a attempt) { a.s.CitizensMet = new(-1) }, "cannot be negative"},
		"a note by another":         {"RECORDED", "HELD", leader, func(a attempt) { a.f.Mine = false }, "held by those who lead it"},
		"a note dated back":         {"RECORDED", "HELD", leader, func(a attempt) { a.s.At = noon.Add(-time.Minute) }, "leave it out"},
		"closed out by another":     {"CLOSED_OUT", "RECORDED", leader, func(a attempt) { a.f.Mine = false }, "held by those who lead it"},
		"called off by another":     {"CANCELLED", "PLANNED", leader, func(a attempt) { a.f.Mine = false }, "held by those who lead it"},
		"an empty note":             {"RECORDED", "HELD", leader, func(a attempt) { a.s.NoteText = " " }, "give its text"},
		"a note of nobody":          {"RECORDED", "HELD", leader, func(a attempt) { a.s.NoteUnitID = nil }, "go together"},
		"a note of the host":        {"RECORDED", "HELD", leader, func(a attempt) { a.f.Units = []uuid.UUID{uuid.New()} }, "not by the host"},
		"a note that is late":       {"RECORDED", "HELD", leader, func(a attempt) { a.v.EndedAt = new(noon.AddDate(0, 0, -7).Add(-time.Second)) }, "within 7 days"},
		"a point without an issue":  {"CLOSED_OUT", "RECORDED", leader, func(a attempt) { a.f.Unlinked = 1 }, "1 of 1 points raised are on no issue"},
		"no point, and no word":     {"CLOSED_OUT", "RECORDED", leader, func(a attempt) { a.f.Opinions = 0 }, "no point was entered"},
		"called off without reason": {"CANCELLED", "PLANNED", leader, func(a attempt) { a.s.Reason = "" }, "needs a reason"},
		"void without reason":       {"VOID", "HELD", groundwork.RoleSupervisor, func(a attempt) { a.s.Reason = "" }, "needs a reason"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, s, f := visitAttempt(c.kind, c.from, c.role)
			_, _, err := v.Plan(s, f)
			require.NoError(t, err, "before it is spoilt")
			c.spoil(attempt{&v, &s, &f})
			_, _, err = v.Plan(s, f)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestVisitsAtTheirLimits(t *testing.T) {
	t.Parallel()
	v, s, f := visitAttempt("RECORDED", "HELD", groundwork.RoleLeader)
	v.EndedAt = new(noon.AddDate(0, 0, -7))
	_, _, err := v.Plan(s, f)
	require.NoError(t, err, "on the seventh day")
	v, s, f = visitAttempt("CLOSED_OUT", "RECORDED", groundwork.RoleLeader)
	f.Opinions, f.NothingRaised = 0, true
	_, _, err = v.Plan(s, f)
	require.NoError(t, err, "somebody attests that nothing was raised")
	v, s, f = visitAttempt("HELD", "CHECKED_IN", groundwork.RoleLeader)
	s.CitizensMet = nil
	_, _, err = v.Plan(s, f)
	require.NoError(t, err, "nobody counted")
}

func TestWhatStepsLeaveOfAVisit(t *testing.T) {
	t.Parallel()
	after := func(kind, from string) groundwork.Visit {
		v, s, f := visitAttempt(kind, from, groundwork.RoleLeader)
		step, move, err := v.Plan(s, f)
		require.NoError(t, err)
		changed := v.After(step, move)
		require.Equal(t, v.Version+1, changed.Version)
		require.Equal(t, move.To, string(changed.State))
		return changed
	}
	require.Equal(t, noon, after("CHECKED_IN", "PLANNED").StartedAt)
	held := after("HELD", "CHECKED_IN")
	require.Equal(t, noon, *held.EndedAt)
	require.Equal(t, 0, *held.CitizensMet)
	noted := after("RECORDED", "HELD")
	require.Equal(t, "Heard", *noted.NoteText)
	require.Equal(t, someUnit, *noted.NoteUnitID)
	require.Equal(t, noon, *noted.NoteCreatedAt)
}

func TestAttestationsAreExamined(t *testing.T) {
	t.Parallel()
	good := groundwork.Attestation{Voice: groundwork.ByHost, Says: groundwork.HeldUnsure, NothingRaised: true, At: noon}
	require.NoError(t, good.Validate(noon))
	inspector := good
	inspector.Voice, inspector.NothingRaised = groundwork.ByInspector, false
	require.NoError(t, inspector.Validate(noon))
	for field, spoil := range map[string]func(*groundwork.Attestation){
		"voice":         func(a *groundwork.Attestation) { a.Voice = "FRIEND" },
		"says":          func(a *groundwork.Attestation) { a.Says = "MAYBE" },
		"nothingRaised": func(a *groundwork.Attestation) { a.Voice = groundwork.ByInspector },
		"at":            func(a *groundwork.Attestation) { a.At = noon.Add(time.Second) },
	} {
		a := good
		spoil(&a)
		var e *groundwork.Error
		require.ErrorAs(t, a.Validate(noon), &e, field)
		require.Equal(t, field, e.Field)
	}
}

func slotAttempt(kind, from string, role groundwork.Role) (groundwork.RotaSlot, groundwork.SlotStep, groundwork.SlotFacts) {
	first := time.Date(noon.Year(), noon.Month(), 1, 0, 0, 0, 0, time.UTC)
	slot := groundwork.RotaSlot{PostID: uuid.New(), WindowFrom: first, WindowTo: first.AddDate(0, 1, 0), State: groundwork.SlotState(from), Version: 2}
	f := groundwork.SlotFacts{Now: noon, Last: noon.Add(-time.Hour), VisitEnd: noon, PostHeld: true}
	switch kind {
	case groundwork.SlotDoneLate:
		f.VisitEnd = slot.WindowTo.Add(time.Hour)
	case groundwork.SlotRanOut:
		slot.WindowFrom, slot.WindowTo = noon.AddDate(0, -2, 0), noon.AddDate(0, 0, -groundwork.SlotGrace)
	}
	return slot, groundwork.SlotStep{Deed: groundwork.Deed{Actor: groundwork.Actor{ID: "a", Role: role}, Reason: "because"}, Kind: kind, PostID: new(uuid.New()), VisitID: new(uuid.New())}, f
}

func TestEveryMoveOfASlot(t *testing.T) {
	t.Parallel()
	everyMove(t, groundwork.SlotMachine(), []string{"OPEN", "FULFILLED", "LATE", "MISSED", "EXCUSED", "SWAPPED"}, func(kind, from string, role groundwork.Role) error {
		slot, s, f := slotAttempt(kind, from, role)
		_, _, err := slot.Plan(s, f)
		return err
	})
}

func TestRefusalsOfASlot(t *testing.T) {
	t.Parallel()
	type attempt struct {
		slot *groundwork.RotaSlot
		s    *groundwork.SlotStep
		f    *groundwork.SlotFacts
	}
	supervisor, system := groundwork.RoleSupervisor, groundwork.RoleSystem
	for name, c := range map[string]struct {
		kind, from string
		role       groundwork.Role
		spoil      func(a attempt)
		says       string
	}{
		"stale":                {"EXCUSED", "OPEN", supervisor, func(a attempt) { a.s.ExpectedVersion = 9 }, "is at version 2, not 9"},
		"before its window":    {"FULFILLED", "OPEN", system, func(a attempt) { a.f.VisitEnd = a.slot.WindowFrom.AddDate(0, 0, -1) }, "outside of the window"},
		"after its window":     {"FULFILLED", "OPEN", system, func(a attempt) { a.f.VisitEnd = a.slot.WindowTo }, "outside of the window"},
		"late within it":       {"LATE", "OPEN", system, func(a attempt) { a.f.VisitEnd = a.slot.WindowTo.AddDate(0, 0, -1) }, "was not late"},
		"missed too early":     {"MISSED", "OPEN", system, func(a attempt) { a.slot.WindowTo = a.slot.WindowTo.AddDate(0, 0, 1) }, "can still be done"},
		"excused for nothing":  {"EXCUSED", "OPEN", supervisor, func(a attempt) { a.s.Reason = "" }, "needs a reason"},
		"swapped for nothing":  {"SWAPPED", "OPEN", supervisor, func(a attempt) { a.s.Reason = "" }, "needs a reason"},
		"swapped for nobody":   {"SWAPPED", "OPEN", supervisor, func(a attempt) { a.s.PostID = nil }, "name another post"},
		"swapped for the same": {"SWAPPED", "OPEN", supervisor, func(a attempt) { a.s.PostID = &a.slot.PostID }, "name another post"},
		"for a post not held":  {"SWAPPED", "OPEN", supervisor, func(a attempt) { a.f.PostHeld = false }, "not held now"},
		"for one that has one": {"SWAPPED", "OPEN", supervisor, func(a attempt) { a.f.PostTaken = true }, "has a turn"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slot, s, f := slotAttempt(c.kind, c.from, c.role)
			_, _, err := slot.Plan(s, f)
			require.NoError(t, err, "before it is spoilt")
			c.spoil(attempt{&slot, &s, &f})
			_, _, err = slot.Plan(s, f)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestSlotsAtTheirLimits(t *testing.T) {
	t.Parallel()
	slot, s, f := slotAttempt("FULFILLED", "OPEN", groundwork.RoleSystem)
	for _, day := range []time.Time{slot.WindowFrom, slot.WindowTo.AddDate(0, 0, -1)} {
		f.VisitEnd = day
		_, _, err := slot.Plan(s, f)
		require.NoError(t, err, "the first and the last day are in the window")
		require.Equal(t, groundwork.SlotDone, slot.StepFor(day))
	}
	require.Equal(t, groundwork.SlotDoneLate, slot.StepFor(slot.WindowTo))
	step, move, err := slot.Plan(s, f)
	require.NoError(t, err)
	done := slot.After(step, move)
	require.Equal(t, s.VisitID, done.VisitID)
	require.Equal(t, 3, done.Version)
	done.Version = 2
	_, release, f := slotAttempt("RELEASED", "FULFILLED", groundwork.RoleSystem)
	step, move, err = done.Plan(release, f)
	require.NoError(t, err)
	require.Nil(t, done.After(step, move).VisitID)
	late, s, f := slotAttempt("LATE", "OPEN", groundwork.RoleSystem)
	step, move, err = late.Plan(s, f)
	require.NoError(t, err)
	require.Equal(t, s.VisitID, late.After(step, move).VisitID)
}

func TestRotaPlans(t *testing.T) {
	t.Parallel()
	month := func(m time.Month) time.Time { return time.Date(2026, m, 1, 0, 0, 0, 0, time.UTC) }
	good := groundwork.RotaPlan{Name: "leaders", Rank: groundwork.RankCounty, ActivityKind: groundwork.Research, Cadence: groundwork.Quarterly, PeriodFrom: month(1), PeriodTo: month(8)}
	require.NoError(t, good.Validate())
	require.Equal(t, []groundwork.Window{{From: month(1), To: month(4)}, {From: month(4), To: month(7)}}, good.Windows(), "whole quarters")
	monthly := good
	monthly.Cadence = groundwork.Monthly
	require.Len(t, monthly.Windows(), 7)
	for field, spoil := range map[string][]func(*groundwork.RotaPlan){
		"name":         {func(p *groundwork.RotaPlan) { p.Name = " " }},
		"rank":         {func(p *groundwork.RotaPlan) { p.Rank = "KING" }},
		"activityKind": {func(p *groundwork.RotaPlan) { p.ActivityKind = "TEA" }},
		"cadence":      {func(p *groundwork.RotaPlan) { p.Cadence = "DAILY" }},
		"periodFrom":   {func(p *groundwork.RotaPlan) { p.PeriodFrom = month(1).AddDate(0, 0, 1) }},
		"periodTo": {func(p *groundwork.RotaPlan) { p.PeriodTo = p.PeriodFrom }, func(p *groundwork.RotaPlan) { p.PeriodTo = p.PeriodFrom.AddDate(3, 0, 1) },
			func(p *groundwork.RotaPlan) { p.PeriodTo = month(3) }},
	} {
		for _, spoil := range spoil {
			p := good
			spoil(&p)
			var e *groundwork.Error
			require.ErrorAs(t, p.Validate(), &e, field)
			require.Equal(t, field, e.Field)
		}
	}
	longest := good
	longest.PeriodTo = good.PeriodFrom.AddDate(3, 0, 0)
	require.NoError(t, longest.Validate())
}
