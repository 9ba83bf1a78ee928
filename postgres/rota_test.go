package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
)

// rounds is an office with a leader who goes down, a colleague, and a site.
type rounds struct {
	*office
	site              *groundwork.Site
	post, other       *groundwork.PostHolding
	leader, colleague groundwork.Actor
	inspector         groundwork.Actor
}

func newRounds(t testing.TB) *rounds {
	t.Helper()
	r := &rounds{office: newOffice(t)}
	ctx, admin := t.Context(), groundwork.Actor{ID: "admin", Role: groundwork.RoleSystem}
	var err error
	r.site, _, err = r.CreateSite(ctx, admin, groundwork.Site{RegionID: r.city.ID, Kind: groundwork.School, Name: "No. 1 School"})
	require.NoError(t, err)
	unit, _, err := r.CreateOrgUnit(ctx, admin, groundwork.OrgUnit{Name: "City office", Kind: groundwork.GovtUnit, RegionID: &r.city.ID})
	require.NoError(t, err)
	hold := func(name string, from time.Time) (*groundwork.PostHolding, groundwork.Actor) {
		official, _, err := r.CreateOfficial(ctx, admin, groundwork.Official{Pseudonym: name})
		require.NoError(t, err)
		post, _, err := r.CreatePostHolding(ctx, admin, groundwork.PostHolding{OfficialID: official.ID, OrgUnitID: unit.ID, Rank: groundwork.RankCounty, Title: "Head", HeldFrom: from})
		require.NoError(t, err)
		return post, groundwork.Actor{ID: name, Role: groundwork.RoleLeader, OfficialID: &official.ID}
	}
	r.post, r.leader = hold("official-1", day(2025, 1, 1))
	r.other, r.colleague = hold("official-2", day(2025, 1, 1))
	r.inspector = groundwork.Actor{ID: "inspector", Role: groundwork.RoleSupervisor}
	return r
}

func (r *rounds) deed(by groundwork.Actor, reason string) groundwork.Deed {
	return groundwork.Deed{Actor: by, Reason: reason}
}

// plan is a visit that begins in an hour.
func (r *rounds) plan() *groundwork.Visit {
	r.t.Helper()
	v, receipt, err := r.PlanVisit(r.t.Context(), r.deed(r.leader, ""), groundwork.Visit{ActivityKind: groundwork.Reception, Notice: "ANNOUNCED", SiteID: r.site.ID, LeadID: r.post.ID,
		StartedAt: r.clock.Now().Add(time.Hour)})
	require.NoError(r.t, err)
	require.NotZero(r.t, receipt.LSN)
	require.Equal(r.t, groundwork.VisitPlanned, v.State)
	return v
}

func (r *rounds) take(v *groundwork.Visit, by groundwork.Actor, kind string, more func(*groundwork.VisitStep)) (*groundwork.Visit, error) {
	s := groundwork.VisitStep{Deed: r.deed(by, ""), VisitID: v.ID, Kind: kind}
	if more != nil {
		more(&s)
	}
	after, _, err := r.StepVisit(r.t.Context(), s)
	return after, err
}

func (r *rounds) goes(v *groundwork.Visit, by groundwork.Actor, kind string, more func(*groundwork.VisitStep)) *groundwork.Visit {
	r.t.Helper()
	r.clock.advance(time.Minute)
	after, err := r.take(v, by, kind, more)
	require.NoError(r.t, err, kind)
	require.Equal(r.t, v.Version+1, after.Version)
	return after
}

func (r *rounds) refused(v *groundwork.Visit, code groundwork.Code, by groundwork.Actor, kind string, more func(*groundwork.VisitStep)) {
	r.t.Helper()
	_, err := r.take(v, by, kind, more)
	require.Equal(r.t, code, groundwork.CodeOf(err), "%s: %v", kind, err)
}

func because(reason string) func(*groundwork.VisitStep) {
	return func(s *groundwork.VisitStep) { s.Reason = reason }
}

func (r *rounds) held() *groundwork.Visit {
	v := r.goes(r.plan(), r.leader, groundwork.VisitBegun, nil)
	r.clock.advance(time.Hour)
	return r.goes(v, r.leader, groundwork.VisitEnded, func(s *groundwork.VisitStep) { s.CitizensMet = new(12) })
}

func (r *rounds) note(s *groundwork.VisitStep) {
	s.NoteText, s.NoteUnitID = "Met the teachers.", &r.post.OrgUnitID
}

func TestLifeOfAVisit(t *testing.T) {
	t.Parallel()
	r := newRounds(t)
	ctx := t.Context()
	v := r.plan()
	r.refused(v, groundwork.CodeForbidden, r.colleague, groundwork.VisitBegun, nil)
	r.refused(v, groundwork.CodeInvalid, r.leader, groundwork.VisitCalledOff, nil)
	cancelled := r.goes(r.plan(), r.leader, groundwork.VisitCalledOff, because("flood"))
	require.Equal(t, groundwork.VisitCancelled, cancelled.State)
	r.refused(v, groundwork.CodeTransition, r.leader, groundwork.VisitEnded, nil)
	v = r.goes(v, r.leader, groundwork.VisitBegun, nil)
	r.refused(v, groundwork.CodeForbidden, r.colleague, groundwork.VisitEnded, nil)
	r.refused(v, groundwork.CodeInvalid, r.leader, groundwork.VisitEnded, func(s *groundwork.VisitStep) { s.CitizensMet = new(-1) })
	r.clock.advance(time.Hour)
	v = r.goes(v, r.leader, groundwork.VisitEnded, func(s *groundwork.VisitStep) { s.CitizensMet = new(12) })
	require.Equal(t, 12, *v.CitizensMet)
	require.True(t, v.EndedAt.After(v.StartedAt))

	r.refused(v, groundwork.CodeInvalid, r.leader, groundwork.VisitNoted, func(s *groundwork.VisitStep) { s.NoteUnitID = &r.post.OrgUnitID })
	r.refused(v, groundwork.CodeInvalid, r.leader, groundwork.VisitNoted, func(s *groundwork.VisitStep) { s.NoteText = "Met the teachers." })
	r.refused(v, groundwork.CodeInvalid, r.leader, groundwork.VisitNoted, func(s *groundwork.VisitStep) { r.note(s); s.NoteUnitID = &r.unit.ID }) // not of those who were there
	noted := r.goes(v, r.leader, groundwork.VisitNoted, r.note)
	require.Equal(t, "Met the teachers.", *noted.NoteText)

	r.refused(noted, groundwork.CodeTransition, r.leader, groundwork.VisitDone, nil) // no point, and nobody attests that there was none
	said, _, err := r.SubmitOpinion(ctx, r.intake, groundwork.Opinion{Channel: groundwork.ChannelVisit, Kind: groundwork.Help, Text: "Fix the roof.", VisitID: &v.ID})
	require.NoError(t, err)
	r.refused(noted, groundwork.CodeTransition, r.leader, groundwork.VisitDone, nil) // the point is on no issue
	_, _, err = r.RegisterIssue(ctx, groundwork.Registration{Actor: r.intake, OpinionIDs: []uuid.UUID{said.ID}})
	require.NoError(t, err)
	done := r.goes(noted, r.leader, groundwork.VisitDone, nil)
	require.Equal(t, groundwork.VisitClosedOut, done.State)
	r.refused(done, groundwork.CodeInvalid, r.inspector, groundwork.VisitVoided, nil)
	r.refused(done, groundwork.CodeForbidden, r.leader, groundwork.VisitVoided, because("x"))
	require.Equal(t, groundwork.VisitVoid, r.goes(done, r.inspector, groundwork.VisitVoided, because("not held")).State)

	late := r.held()
	r.clock.advance(time.Duration(groundwork.NoteDays)*24*time.Hour + time.Minute)
	r.refused(late, groundwork.CodeInvalid, r.leader, groundwork.VisitNoted, r.note)

	history, err := r.HistoryOf(ctx, "visit", []uuid.UUID{v.ID}, 100)
	require.NoError(t, err)
	require.Len(t, history[v.ID], 6)
}

func TestAttestations(t *testing.T) {
	t.Parallel()
	r := newRounds(t)
	ctx := t.Context()
	v := r.held()
	attest := func(by groundwork.Actor, a groundwork.Attestation) error {
		a.VisitID = v.ID
		_, _, err := r.AttestVisit(ctx, by, a)
		return err
	}
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(attest(r.leader, groundwork.Attestation{Voice: groundwork.ByHost, Says: groundwork.HeldAsRecorded})), "who took part")
	require.Equal(t, groundwork.CodeInvalid, groundwork.CodeOf(attest(r.inspector, groundwork.Attestation{Voice: groundwork.ByInspector, Says: groundwork.HeldAsRecorded, NothingRaised: true})))
	require.Equal(t, groundwork.CodeInvalid, groundwork.CodeOf(attest(r.inspector, groundwork.Attestation{Voice: "FRIEND", Says: groundwork.HeldAsRecorded})))
	require.NoError(t, attest(r.inspector, groundwork.Attestation{Voice: groundwork.ByHost, Says: groundwork.HeldAsRecorded, NothingRaised: true}))
	noted := r.goes(v, r.leader, groundwork.VisitNoted, r.note)
	require.Equal(t, groundwork.VisitClosedOut, r.goes(noted, r.leader, groundwork.VisitDone, nil).State, "nothing was raised, as the host attests")
	of, err := r.AttestationsOf(ctx, []uuid.UUID{v.ID})
	require.NoError(t, err)
	require.Len(t, of[v.ID], 1)

	v = r.plan()
	require.Equal(t, groundwork.CodeTransition, groundwork.CodeOf(attest(r.inspector, groundwork.Attestation{Voice: groundwork.ByHost, Says: groundwork.NotHeld})), "not held yet")
}

func (r *rounds) rota(cadence groundwork.Cadence) *groundwork.RotaPlan {
	r.t.Helper()
	p, _, err := r.PublishRotaPlan(r.t.Context(), r.inspector, groundwork.RotaPlan{Name: "leaders", RegionID: r.province.ID, Rank: groundwork.RankCounty, ActivityKind: groundwork.Reception,
		Cadence: cadence, PeriodFrom: day(2026, 3, 1), PeriodTo: day(2026, 9, 1)})
	require.NoError(r.t, err)
	return p
}

func (r *rounds) slots(f groundwork.RotaSlotFilter) []*groundwork.RotaSlot {
	r.t.Helper()
	page, err := r.RotaSlots(r.t.Context(), f, groundwork.PageRequest{First: 100})
	require.NoError(r.t, err)
	return page.Items
}

func (r *rounds) turn(post *groundwork.PostHolding) *groundwork.RotaSlot {
	r.t.Helper()
	return r.slots(groundwork.RotaSlotFilter{PostIDs: []uuid.UUID{post.ID}})[0]
}

// Whose post ends has turns until then, and none that nobody could take.
func TestTurnsEndWithThePost(t *testing.T) {
	t.Parallel()
	r := newRounds(t)
	ctx, admin := t.Context(), groundwork.Actor{ID: "admin", Role: groundwork.RoleSystem}
	official, _, err := r.CreateOfficial(ctx, admin, groundwork.Official{Pseudonym: "official-3"})
	require.NoError(t, err)
	leaving, _, err := r.CreatePostHolding(ctx, admin, groundwork.PostHolding{OfficialID: official.ID, OrgUnitID: r.post.OrgUnitID, Rank: groundwork.RankCounty, Title: "Head",
		HeldFrom: day(2025, 1, 1), HeldTo: new(day(2026, 5, 1))})
	require.NoError(t, err)
	plan := r.rota(groundwork.Monthly)
	require.Len(t, r.slots(groundwork.RotaSlotFilter{PlanIDs: []uuid.UUID{plan.ID}}), 14, "six months of two posts, and two of the third")
	for _, s := range r.slots(groundwork.RotaSlotFilter{PostIDs: []uuid.UUID{leaving.ID}}) {
		require.True(t, s.WindowFrom.Before(*leaving.HeldTo), "%s", s.WindowFrom)
	}
}

func TestTheRota(t *testing.T) {
	t.Parallel()
	r := newRounds(t)
	ctx := t.Context()
	plan := r.rota(groundwork.Monthly)
	require.Equal(t, 1, plan.Version)
	require.Len(t, r.slots(groundwork.RotaSlotFilter{PlanIDs: []uuid.UUID{plan.ID}}), 12, "two posts, six months")
	require.Len(t, r.slots(groundwork.RotaSlotFilter{OwnedBy: r.leader.OfficialID}), 6)

	v := r.held()
	first := r.turn(r.post)
	require.Equal(t, groundwork.SlotFulfilled, first.State)
	require.Equal(t, &v.ID, first.VisitID)
	r.held()
	require.Equal(t, groundwork.SlotOpen, r.slots(groundwork.RotaSlotFilter{PostIDs: []uuid.UUID{r.post.ID}})[1].State, "a second visit of the month is none of the next")
	r.goes(v, r.inspector, groundwork.VisitVoided, because("not held"))
	require.Equal(t, groundwork.SlotOpen, r.turn(r.post).State, "the visit is void, the turn is open")

	step := func(slot *groundwork.RotaSlot, by groundwork.Actor, kind, reason string, post *uuid.UUID) (*groundwork.RotaSlot, error) {
		after, _, err := r.StepRotaSlot(ctx, groundwork.SlotStep{Deed: r.deed(by, reason), SlotID: slot.ID, Kind: kind, PostID: post})
		return after, err
	}
	turn := r.turn(r.other)
	for name, c := range map[string]struct {
		by     groundwork.Actor
		kind   string
		reason string
		post   *uuid.UUID
		code   groundwork.Code
	}{
		"excused by a leader":             {r.leader, groundwork.SlotStepExcused, "ill", nil, groundwork.CodeForbidden},
		"excused without a reason":        {r.inspector, groundwork.SlotStepExcused, "", nil, groundwork.CodeInvalid},
		"swapped for nobody":              {r.inspector, groundwork.SlotStepSwapped, "ill", nil, groundwork.CodeInvalid},
		"swapped for the same":            {r.inspector, groundwork.SlotStepSwapped, "ill", &r.other.ID, groundwork.CodeInvalid},
		"swapped for who has a turn":      {r.inspector, groundwork.SlotStepSwapped, "ill", &r.post.ID, groundwork.CodeInvalid},
		"missed while it can be done":     {groundwork.System, groundwork.SlotRanOut, "", nil, groundwork.CodeTransition},
		"fulfilled by hand":               {r.inspector, groundwork.SlotDone, "", nil, groundwork.CodeForbidden},
		"released without a visit":        {groundwork.System, groundwork.SlotReleased, "", nil, groundwork.CodeTransition},
		"late though nothing was visited": {groundwork.System, groundwork.SlotDoneLate, "", nil, groundwork.CodeTransition},
	} {
		_, err := step(turn, c.by, c.kind, c.reason, c.post)
		require.Equal(t, c.code, groundwork.CodeOf(err), "%s: %v", name, err)
	}
	admin := groundwork.Actor{ID: "admin", Role: groundwork.RoleSystem}
	official, _, err := r.CreateOfficial(ctx, admin, groundwork.Official{Pseudonym: "official-3"})
	require.NoError(t, err)
	substitute, _, err := r.CreatePostHolding(ctx, admin, groundwork.PostHolding{OfficialID: official.ID, OrgUnitID: r.other.OrgUnitID, Rank: groundwork.RankCounty, Title: "Deputy", HeldFrom: day(2025, 1, 1)})
	require.NoError(t, err)
	swapped, err := step(turn, r.inspector, groundwork.SlotStepSwapped, "ill", &substitute.ID)
	require.NoError(t, err)
	require.Equal(t, r.turn(substitute).ID, *swapped.SwappedForID)
	excused, err := step(r.turn(substitute), r.inspector, groundwork.SlotStepExcused, "flood", nil)
	require.NoError(t, err)
	require.Equal(t, groundwork.SlotExcused, excused.State)

	// A month later: a visit counts for the month in which it is made before it makes good for the one before, within the grace; what nobody did is missed.
	r.clock.advance(time.Date(2026, 4, 5, 1, 0, 0, 0, time.UTC).Sub(r.clock.Now()))
	require.Zero(t, r.run("rota_slot_missed"))
	april := func() *groundwork.RotaSlot {
		return r.slots(groundwork.RotaSlotFilter{PostIDs: []uuid.UUID{r.post.ID}})[1]
	}
	v = r.held()
	require.Equal(t, groundwork.SlotOpen, r.turn(r.post).State)
	require.Equal(t, groundwork.SlotFulfilled, april().State)
	require.Equal(t, &v.ID, april().VisitID)
	r.held()
	require.Equal(t, groundwork.SlotLate, r.turn(r.post).State, "a second visit makes good for March")
	r.clock.advance(time.Date(2026, 5, 16, 1, 0, 0, 0, time.UTC).Sub(r.clock.Now()))
	require.Equal(t, 1, r.run("rota_slot_missed"), "April of the other post of the plan")
	require.Zero(t, r.run("rota_slot_missed"))
	missed := r.slots(groundwork.RotaSlotFilter{States: []groundwork.SlotState{groundwork.SlotMissed}})
	require.Len(t, missed, 1)
	_, err = step(missed[0], r.inspector, groundwork.SlotStepExcused, "flood", nil)
	require.NoError(t, err)

	again := r.rota(groundwork.Quarterly)
	require.Equal(t, 2, again.Version)
	require.Len(t, r.slots(groundwork.RotaSlotFilter{PlanIDs: []uuid.UUID{again.ID}}), 4, "two quarters are not over; the two posts that have a turn in May get none in the one that has begun")
	for _, s := range r.slots(groundwork.RotaSlotFilter{PlanIDs: []uuid.UUID{plan.ID}, States: []groundwork.SlotState{groundwork.SlotOpen}}) {
		require.False(t, s.WindowFrom.After(r.clock.Now()), "what had not begun was swapped")
	}
}

func (r *rounds) run(name string) int {
	r.t.Helper()
	done, err := r.chore(name).Run(r.t.Context(), r.clock.Now())
	require.NoError(r.t, err)
	return done
}

// What the database holds by itself, whoever writes.
func TestTheDatabaseHoldsTheRota(t *testing.T) {
	t.Parallel()
	r := newRounds(t)
	r.rota(groundwork.Monthly)
	v := r.held()
	slot, next := r.turn(r.post), r.slots(groundwork.RotaSlotFilter{PostIDs: []uuid.UUID{r.post.ID}})[1]
	for sql, want := range map[string]string{
		`UPDATE visit SET state = 'PLANNED' WHERE id = '` + v.ID.String() + `'`:                                                                                                                     "does not follow",
		`UPDATE visit SET ended_at = ended_at + interval '1 hour' WHERE id = '` + v.ID.String() + `'`:                                                                                               "stays as it was recorded",
		`UPDATE visit SET state = 'RECORDED' WHERE id = '` + v.ID.String() + `'`:                                                                                                                    "within 7 days",
		`UPDATE rota_slot SET state = 'MISSED', visit_id = NULL WHERE id = '` + slot.ID.String() + `'`:                                                                                              "does not follow",
		`UPDATE rota_slot SET post_id = '` + r.other.ID.String() + `' WHERE id = '` + next.ID.String() + `'`:                                                                                        "stays as it was made",
		`UPDATE rota_slot SET state = 'FULFILLED', visit_id = '` + v.ID.String() + `' WHERE id = '` + next.ID.String() + `'`:                                                                        "rota_slot_visit",
		`INSERT INTO attestation (id, visit_id, voice, says, at, official_id) VALUES (gen_random_uuid(), '` + v.ID.String() + `', 'HOST', 'UNSURE', now(), '` + r.leader.OfficialID.String() + `')`: "took part",
		`INSERT INTO attestation (id, visit_id, voice, says, nothing_raised, at) VALUES (gen_random_uuid(), '` + v.ID.String() + `', 'INSPECTOR', 'UNSURE', true, now())`:                           "violates check constraint",
	} {
		require.ErrorContains(t, r.sql(sql), want)
	}
}

// What is sent again later under the same id is answered again, also where the time was left to the moment of the request.
func TestRetriesThatNameNoTime(t *testing.T) {
	t.Parallel()
	r := newRounds(t)
	ctx := t.Context()
	v := r.held()
	for name, ask := range map[string]func(groundwork.Actor) (uuid.UUID, error){
		"opinion": func(by groundwork.Actor) (uuid.UUID, error) {
			made, _, err := r.SubmitOpinion(ctx, by, groundwork.Opinion{Channel: groundwork.ChannelHotline, Kind: groundwork.Help, Text: "No water."})
			return r.made(made != nil, func() uuid.UUID { return made.ID }), err
		},
		"category": func(by groundwork.Actor) (uuid.UUID, error) {
			made, _, err := r.CreateCategory(ctx, by, groundwork.Category{Code: "later", Name: "Later"})
			return r.made(made != nil, func() uuid.UUID { return made.ID }), err
		},
		"target": func(by groundwork.Actor) (uuid.UUID, error) {
			made, _, err := r.PublishTarget(ctx, by, groundwork.TargetVersion{Severity: groundwork.SeverityHigh, AckMinutes: 60, ResponseMinutes: 120,
				ResolutionMinutes: 240, TimeBase: groundwork.WallTime})
			return r.made(made != nil, func() uuid.UUID { return made.ID }), err
		},
		"attestation": func(by groundwork.Actor) (uuid.UUID, error) {
			made, _, err := r.AttestVisit(ctx, by, groundwork.Attestation{VisitID: v.ID, Voice: groundwork.ByHost, Says: groundwork.HeldAsRecorded})
			return r.made(made != nil, func() uuid.UUID { return made.ID }), err
		},
	} {
		by := under(r.inspector, "once "+name)
		first, err := ask(by)
		require.NoError(t, err, name)
		r.clock.advance(25 * time.Hour)
		again, err := ask(by)
		require.NoError(t, err, name)
		require.Equal(t, first, again, name)
	}
}

// made is the id of what was made, if it was.
func (r *rounds) made(was bool, id func() uuid.UUID) uuid.UUID {
	if !was {
		return uuid.Nil
	}
	return id()
}
