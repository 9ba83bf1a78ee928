package groundwork

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// sound holds what is derived from an issue's events against what must always be true of it.
func sound(t testing.TB, l *life) {
	t.Helper()
	spells := Spells(l.Progress, l.History)
	require.NotEmpty(t, spells)
	require.Equal(t, GrossClock, spells[0].Clock)
	require.Equal(t, l.OriginAt, spells[0].StartedAt)
	var paused time.Duration
	at, n := l.OriginAt, 1
	for _, s := range spells[1:] {
		require.Equal(t, NetClock, s.Clock)
		require.Equal(t, n, s.N)
		require.Equal(t, at, s.StartedAt, "spells follow each other")
		if s.EndedAt == nil {
			require.Equal(t, spells[0].EndedAt == nil, s.N == len(spells)-1, "only the last goes on, and only while the issue is open")
			break
		}
		require.False(t, s.EndedAt.Before(s.StartedAt), "no clock runs backwards")
		if s.State == Paused {
			paused += s.EndedAt.Sub(s.StartedAt)
		}
		at, n = *s.EndedAt, n+1
	}
	require.Equal(t, l.PausedSeconds, int64(paused/time.Second))
	require.Equal(t, l.PausedSince != nil, spells[len(spells)-1].State == Paused && spells[len(spells)-1].EndedAt == nil)
	require.Equal(t, l.State.Open(), spells[0].EndedAt == nil)
	for i, leg := range Legs(l.History) {
		require.Equal(t, i+1, leg.N)
		require.False(t, leg.AcceptedAt != nil && leg.ReturnedAt != nil, "what was accepted is not returned")
	}
}

func TestLegs(t *testing.T) {
	t.Parallel()
	l := begin(t, Complaint, SeverityNormal)
	together := legal(EventDispatched, RoleDispatcher)
	together.CoUnitIDs = []uuid.UUID{otherUnit}
	l.must(t, together).wait(time.Hour).must(t, legal(EventReturned, RoleHandler)).wait(time.Hour)
	l.must(t, legal(EventDispatched, RoleDispatcher)).wait(time.Hour).must(t, legal(EventAccepted, RoleHandler))
	sent, hour := monday.UTC(), func(n int) *time.Time { return new(monday.Add(time.Duration(n) * time.Hour).UTC()) }
	due := func(sent time.Time) *time.Time { return new(sent.Add(7 * days)) }
	require.Equal(t, []Leg{
		{IssueID: l.ID, N: 1, UnitID: ourUnit, Role: LeadUnit, SentAt: sent, AckDueAt: due(sent), ReturnedAt: hour(1), ReturnReason: new("NOT_OUR_DUTY")},
		{IssueID: l.ID, N: 2, UnitID: otherUnit, Role: CoUnit, SentAt: sent, AckDueAt: due(sent), ReturnedAt: hour(1), ReturnReason: new("NOT_OUR_DUTY")},
		{IssueID: l.ID, N: 3, UnitID: ourUnit, Role: LeadUnit, SentAt: *hour(2), AckDueAt: due(*hour(2)), AcceptedAt: hour(3)},
	}, Legs(l.History))
	sound(t, l)
	call := legal(EventCalledBack, RoleCaller)
	l.must(t, legal(EventClaimed, RoleHandler))
	require.ErrorContains(t, l.try(call), "handled issue", "a unit beside the lead had the issue too")
}

// A unit beside the lead works on the issue; it does not decide for the lead.
func TestCoUnits(t *testing.T) {
	t.Parallel()
	l := begin(t, Complaint, SeverityNormal)
	together := legal(EventDispatched, RoleDispatcher)
	together.CoUnitIDs = []uuid.UUID{otherUnit}
	beside := func(k EventKind) Step {
		s := legal(k, RoleHandler)
		s.Actor.UnitID = &otherUnit
		return s
	}
	l.must(t, together)
	require.Equal(t, CodeForbidden, CodeOf(l.try(beside(EventAccepted))))
	l.must(t, legal(EventAccepted, RoleHandler), beside(EventResponded), beside(EventAsked), beside(EventResumed))
	require.Equal(t, CodeForbidden, CodeOf(l.try(beside(EventClaimed))))
}

func TestAsManyCoUnitsAsMayBe(t *testing.T) {
	t.Parallel()
	l, s := begin(t, Complaint, SeverityNormal), legal(EventDispatched, RoleDispatcher)
	for range maxCoUnits {
		s.CoUnitIDs = append(s.CoUnitIDs, uuid.New())
	}
	l.must(t, s)
	require.Len(t, Legs(l.History), 1+maxCoUnits)
	require.NotContains(t, at(t, Dispatched).History[1].Payload, payloadCoUnits, "what was not said is not kept")
}

func TestSpells(t *testing.T) {
	t.Parallel()
	l := at(t, AwaitingCitizen).wait(time.Hour).must(t, legal(EventResumed, RoleCitizen)).wait(time.Hour)
	asked, resumed, now := monday.UTC(), monday.Add(time.Hour).UTC(), monday.Add(2*time.Hour).UTC()
	l.must(t, legal(EventWithdrawn, RoleCitizen))
	require.Equal(t, []Spell{
		{IssueID: l.ID, Clock: GrossClock, N: 1, State: Running, StartedAt: atOpinion.UTC(), EndedAt: &now, Reason: EventRegistered},
		{IssueID: l.ID, Clock: NetClock, N: 1, State: Running, StartedAt: atOpinion.UTC(), EndedAt: &asked, Reason: EventRegistered},
		{IssueID: l.ID, Clock: NetClock, N: 2, State: Paused, StartedAt: asked, EndedAt: &resumed, Reason: EventAsked},
		{IssueID: l.ID, Clock: NetClock, N: 3, State: Running, StartedAt: resumed, EndedAt: &now, Reason: EventResumed},
	}, Spells(l.Progress, l.History))
	l.must(t, legal(EventReopened, RoleCitizen))
	spells := Spells(l.Progress, l.History)
	require.Nil(t, spells[0].EndedAt, "a reopened issue goes on as if it had never been closed")
	require.Equal(t, atOpinion.UTC(), spells[0].StartedAt)
	require.Nil(t, Spells(Progress{}, nil))
	asking := at(t, AwaitingCitizen)
	before := Spells(asking.Progress, asking.History)
	told := legal(EventLinked, RoleIntake)
	told.OpinionID, asking.Opinion = &anOpinion, &Opinion{ID: anOpinion, ReceivedAt: monday}
	require.Equal(t, before, Spells(asking.Progress, asking.wait(time.Hour).must(t, told).History), "who else tells of it begins no pause")
	joined := at(t, Registered).wait(time.Hour).must(t, Step{Kind: EventMerged, Actor: actor(RoleDispatcher), TargetIssueID: &otherUnit})
	require.Equal(t, joined.Now.UTC(), *Spells(joined.Progress, joined.History)[0].EndedAt, "a merger ends what runs")
}

func TestPromises(t *testing.T) {
	t.Parallel()
	l := begin(t, Complaint, SeverityNormal)
	origin := atOpinion.UTC()
	require.Equal(t, Promise{TargetVersionID: &aTarget.ID, ResponseDueAt: new(origin.Add(days)), DueAt: new(origin.Add(400 * days))}, l.Promise)
	v := TargetVersion{TimeBase: WorkingTime}
	require.Equal(t, time.Date(2026, 3, 3, 10, 0, 0, 0, China).UTC(), v.Due(nil, monday, int((WorkingDay+time.Hour).Minutes())))

	// A source's own due time is kept as it is.
	r := Registration{Actor: actor(RoleSystem), OpinionIDs: []uuid.UUID{anOpinion}, DueAt: new(monday.UTC())}
	i, _, err := PlanRegistration(r, uuid.New(), Opening{Opinions: []Opinion{{ID: anOpinion}}, At: monday, Now: monday})
	require.NoError(t, err)
	require.Equal(t, Promise{DueAt: new(monday.UTC())}, i.Promise)
	r.Actor = actor(RoleIntake)
	require.Equal(t, "dueAt", fieldOf(r.Validate()))
}

func TestValidateTarget(t *testing.T) {
	t.Parallel()
	good := TargetVersion{Severity: SeverityLow, TimeBase: WallTime, AckMinutes: 60, ResponseMinutes: 120, ResolutionMinutes: 240, PublishedAt: monday, ValidFrom: monday}
	require.NoError(t, good.Validate(monday))
	for field, break_ := range map[string]func(*TargetVersion){
		"severity":          func(v *TargetVersion) { v.Severity = "MILD" },
		"timeBase":          func(v *TargetVersion) { v.TimeBase = "LUNAR" },
		"ackMinutes":        func(v *TargetVersion) { v.AckMinutes = 241 },
		"responseMinutes":   func(v *TargetVersion) { v.ResponseMinutes = 0 },
		"resolutionMinutes": func(v *TargetVersion) { v.ResolutionMinutes = maxTargetMinutes + 1 },
		"publishedAt":       func(v *TargetVersion) { v.PublishedAt = monday.Add(1) },
		"validFrom":         func(v *TargetVersion) { v.ValidFrom = monday.Add(-1) },
	} {
		v := good
		break_(&v)
		require.Equal(t, field, fieldOf(v.Validate(monday)), field)
	}
	edges := good
	edges.AckMinutes, edges.ResponseMinutes, edges.ResolutionMinutes = maxTargetMinutes, maxTargetMinutes, maxTargetMinutes
	require.NoError(t, edges.Validate(monday))
	edges = good
	edges.AckMinutes = 0
	require.Equal(t, "ackMinutes", fieldOf(edges.Validate(monday)))
	edges = good
	edges.ResponseMinutes = good.ResolutionMinutes + 1
	require.Equal(t, "responseMinutes", fieldOf(edges.Validate(monday)))
}

func TestLegEqualSeesEveryField(t *testing.T) {
	t.Parallel()
	base := Leg{SentAt: monday}
	for _, change := range []func(*Leg){
		func(l *Leg) { l.IssueID = ourUnit }, func(l *Leg) { l.N++ }, func(l *Leg) { l.UnitID = ourUnit }, func(l *Leg) { l.Role = "CO" }, func(l *Leg) { l.SentAt = monday.Add(1) },
		func(l *Leg) { l.AckDueAt = &monday }, func(l *Leg) { l.AcceptedAt = &monday }, func(l *Leg) { l.ReturnedAt = &monday }, func(l *Leg) { l.ReturnReason = new("NOT_OUR_DUTY") },
	} {
		other := base
		change(&other)
		require.False(t, base.Equal(other), "%+v", other)
	}
	require.True(t, base.Equal(Leg{SentAt: monday.UTC()}))
}

func TestSpellEqualSeesEveryField(t *testing.T) {
	t.Parallel()
	base := Spell{StartedAt: monday}
	for _, change := range []func(*Spell){
		func(s *Spell) { s.IssueID = ourUnit }, func(s *Spell) { s.Clock = "NET" }, func(s *Spell) { s.N++ }, func(s *Spell) { s.State = "PAUSED" }, func(s *Spell) { s.StartedAt = monday.Add(1) },
		func(s *Spell) { s.EndedAt = &monday }, func(s *Spell) { s.Reason = "ASKED" },
	} {
		other := base
		change(&other)
		require.False(t, base.Equal(other), "%+v", other)
	}
	require.True(t, base.Equal(Spell{StartedAt: monday.UTC()}))
}
