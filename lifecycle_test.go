package groundwork

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// monday is Monday, 2 March 2026, 09:00 in China.
var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, China)

var (
	ourUnit, otherUnit   = uuid.New(), uuid.New()
	reporterPID          = uuid.New()
	ours                 = map[Role]*uuid.UUID{RoleHandler: &ourUnit, RoleUnitHead: &ourUnit, RoleCaller: &otherUnit}
	anOpinion, atOpinion = uuid.New(), monday.Add(-time.Hour)
)

// life is an issue with its history, moved in the tests by the real rules.
type life struct {
	*Issue
	Facts
}

func begin(t testing.TB, kind OpinionKind, severity Severity) *life {
	t.Helper()
	first := Opinion{ID: anOpinion, Kind: kind, Channel: ChannelOnline, ReceivedAt: atOpinion, Subject: "Broken road"}
	r := Registration{Actor: actor(RoleIntake), OpinionIDs: []uuid.UUID{first.ID}, Severity: severity}
	i, e, err := PlanRegistration(r, uuid.New(), Opening{Opinions: []Opinion{first}, At: monday, Now: monday, Target: aTarget})
	require.NoError(t, err)
	i.PublicRef = "GW-TEST001"
	return &life{i, Facts{Now: monday, History: []Event{e}, InCatalogue: true, Reporters: []uuid.UUID{reporterPID}, ActorPID: &reporterPID,
		Promised: aTarget, Post: aPost}}
}

// aTarget leaves a week of the clock on the wall to accept, so that tests may take their time.
var aTarget = &TargetVersion{ID: uuid.New(), Severity: SeverityNormal, AckMinutes: 7 * 24 * 60, ResponseMinutes: 24 * 60, ResolutionMinutes: 400 * 24 * 60,
	TimeBase: WallTime}

var aPost = &PostHolding{ID: uuid.New(), OfficialID: uuid.New(), OrgUnitID: otherUnit, HeldFrom: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}

func actor(r Role) Actor {
	a := Actor{ID: string(r) + "-1", Role: r, UnitID: ours[r]}
	if r == RoleLeader {
		a.OfficialID = &aPost.OfficialID
	}
	return a
}

// try plans a step at the time of the facts, and takes it if it is legal.
func (l *life) try(s Step) error {
	s.IssueID = l.ID
	e, err := l.Plan(s, l.Facts)
	if err != nil {
		return err
	}
	l.Progress = e.Progress
	l.History = append(l.History, e)
	switch e.Kind {
	case EventClaimed:
		l.Claim = &Claim{ID: uuid.New(), ClaimedAt: e.At}
		if s.ClaimKind != "" {
			l.Claim.Kind = &s.ClaimKind
		}
		l.Attempts = nil
	case EventCalledBack:
		l.Attempts = append(l.Attempts, CallbackAttempt{At: e.At})
	}
	return nil
}

func (l *life) must(t testing.TB, steps ...Step) *life {
	t.Helper()
	for _, s := range steps {
		require.NoError(t, l.try(s), "%s from %s", s.Kind, l.State)
	}
	return l
}

func (l *life) wait(d time.Duration) *life {
	l.Now = l.Now.Add(d)
	return l
}

const days = 24 * time.Hour

// legal is a step of each kind with all that it needs.
func legal(kind EventKind, role Role) Step {
	s := Step{Kind: kind, Actor: actor(role)}
	switch kind {
	case EventDispatched:
		s.UnitID = &ourUnit
	case EventReturned:
		s.ReturnReason, s.DutyList = "NOT_OUR_DUTY", "entry 12"
	case EventAsked:
		s.Question = "Which lamp?"
	case EventProposed:
		s.Reason, s.TargetDate, s.ReviewAt = "Needs next year's budget.", monday.AddDate(1, 0, 0), monday.Add(80*days)
	case EventCarried:
		s.PostID = &aPost.ID
	case EventEscalated:
		s.Reason = AtTarget
	case EventResponded:
		s.Text = "We are looking into it."
	case EventClaimed:
		s = claims(ClaimFixed)
		s.Actor = actor(role)
	case EventCalledBack:
		s.Method, s.Outcome = "PHONE", "NO_ANSWER"
	case EventFeedback, EventConfirmed:
		s.Resolved = "YES"
	case EventDisputed:
		s.Resolved = "NO"
	case EventWithdrawn:
		s.Reason, s.Pressured = "Mended it myself.", "NO"
	case EventReopened, EventUnmerged, EventCorrected:
		s.Reason = "Broken again."
	}
	return s
}

func claims(kind ClaimKind) Step {
	return Step{Kind: EventClaimed, Actor: actor(RoleHandler), ClaimKind: kind, Text: "Done.", Evidence: []string{"photo"}, LegalBasis: "Road Act 5",
		AppealNotice: "within 30 days", Receipt: "R-1", AnswerDelivered: true}
}

func closing(c Closure, role Role) Step {
	return Step{Kind: EventClosed, Closure: c, Actor: actor(role)}
}

// at brings a new issue to a state.
func at(t testing.TB, s State) *life {
	t.Helper()
	l := begin(t, Complaint, SeverityNormal)
	road := map[State][]Step{
		Registered:      {},
		Dispatched:      {legal(EventDispatched, RoleDispatcher)},
		InProgress:      {legal(EventDispatched, RoleDispatcher), legal(EventAccepted, RoleHandler)},
		AwaitingCitizen: {legal(EventDispatched, RoleDispatcher), legal(EventAccepted, RoleHandler), legal(EventAsked, RoleHandler)},
		Planned:         {legal(EventDispatched, RoleDispatcher), legal(EventAccepted, RoleHandler), legal(EventProposed, RoleUnitHead), legal(EventPlanned, RoleSupervisor)},
		Claimed:         {legal(EventDispatched, RoleDispatcher), legal(EventAccepted, RoleHandler), legal(EventClaimed, RoleHandler)},
		Closed:          {legal(EventWithdrawn, RoleCitizen)},
		Merged:          {{Kind: EventMerged, Actor: actor(RoleDispatcher), TargetIssueID: &otherUnit}},
	}
	l.Target = &Issue{ID: otherUnit, PublicRef: "GW-TARGET1", Progress: Progress{State: InProgress}}
	return l.must(t, road[s]...)
}

// Every row of the table, from every state that it names.
func TestEveryTransition(t *testing.T) {
	t.Parallel()
	for _, row := range Lifecycle {
		for _, from := range row.From {
			for _, role := range row.Roles {
				l := prepare(t, row, from)
				s := legal(row.Kind, role)
				s.Closure, s.TargetIssueID, s.OpinionID = row.Closure, &otherUnit, &anOpinion
				if row.Source != "" {
					s.Reason = row.Source
				}
				if row.Kind == EventEscalated && from == Claimed {
					s.Reason = AtThirdDispute
				}
				before := l.State
				require.NoError(t, l.try(s), "%s by %s from %s", row.Kind, role, from)
				want := row.To
				switch {
				case row.Kind == EventUnmerged:
					want = Registered
				case want == "":
					want = before
				}
				require.Equal(t, want, l.State, "%s by %s from %s", row.Kind, role, from)
				require.Equal(t, row.Closure, deref(l.ClosureType, before == Closed && want == Closed), "%s by %s from %s", row.Kind, role, from)
				require.Equal(t, Fold(l.History), l.Progress)
				sound(t, l)
			}
		}
	}
}

func deref(c *Closure, was bool) Closure {
	if c == nil || was {
		return ""
	}
	return *c
}

// prepare brings an issue to where the row begins, with what its conditions ask for.
func prepare(t *testing.T, row Transition, from State) *life {
	t.Helper()
	l := at(t, from)
	l.Opinion = &Opinion{ID: anOpinion, ReceivedAt: monday}
	switch {
	case row.Kind == EventClaimed && from == Registered:
		l.Kind = Inquiry
	case row.Kind == EventDispatched && from == Registered && row.Roles[0] == RoleSupervisor:
		for range maxReturns {
			l.must(t, legal(EventDispatched, RoleDispatcher), legal(EventReturned, RoleHandler))
		}
	case row.Kind == EventDispatched && from == InProgress:
		l = begin(t, Inquiry, SeverityNormal).must(t, legal(EventClaimed, RoleIntake), legal(EventDisputed, RoleCitizen))
	case row.Kind == EventResumed && row.Roles[0] == RoleSystem:
		l.wait(20 * days)
	case row.Kind == EventAccepted && row.Roles[0] == RoleSystem:
		l.wait(7 * days)
	case row.Kind == EventPlanned:
		l.must(t, legal(EventProposed, RoleUnitHead))
	case row.Kind == EventUnplanned && row.Roles[0] == RoleSystem:
		l.wait(80 * days)
	case row.Kind == EventEscalated && from == Claimed: // while a claim is judged only what happened before it escalates
		l = disputed(t, 3).must(t, legal(EventClaimed, RoleHandler))
	case row.Kind == EventEscalated:
		l.wait(500 * days)
	case row.Closure == Unconfirmed:
		for range minAttempts {
			l.wait(27*time.Hour).must(t, legal(EventCalledBack, RoleCaller))
		}
		l.wait(20 * days)
	case row.Closure == Explained && row.Kind == EventClosed:
		l = at(t, InProgress).must(t, claims(ClaimExplained))
	case row.Closure == ReferredOut:
		l = at(t, InProgress).must(t, claims(ClaimReferredOut))
	}
	return l
}

// disputed is an issue whose claims were disputed so many times.
func disputed(t testing.TB, times int) *life {
	t.Helper()
	l := at(t, InProgress)
	for range times {
		l.must(t, legal(EventClaimed, RoleHandler), legal(EventDisputed, RoleCitizen))
	}
	return l
}

// Every step from a state that no row names is refused, with the states from which it is possible.
func TestEveryIllegalTransition(t *testing.T) {
	t.Parallel()
	states := []State{Registered, Dispatched, InProgress, AwaitingCitizen, Planned, Claimed, Closed, Merged}
	roles := []Role{RoleCitizen, RoleIntake, RoleDispatcher, RoleHandler, RoleUnitHead, RoleLeader, RoleSupervisor, RoleCaller, RoleSystem,
		RoleCampaignLead, RolePolicyOwner, RoleAssessor, RoleAnalyst, RoleResearcher, RolePrivacyOfficer}
	refused := 0
	for _, state := range states {
		l := at(t, state)
		l.Opinion = &Opinion{ID: anOpinion}
		for _, role := range roles {
			permitted := PermittedSteps(l.Issue, role)
			for _, kind := range EventKinds()[1:] {
				s := legal(kind, role)
				s.Closure, s.TargetIssueID, s.OpinionID = Unconfirmed, &otherUnit, &anOpinion
				if role == RoleSupervisor {
					s.Closure = Explained
				}
				_, err := l.Plan(s, l.Facts)
				if contains(permitted, kind) {
					require.NotEqual(t, CodeForbidden, CodeOf(err), "%s by %s from %s: %v", kind, role, state, err)
					continue
				}
				refused++
				require.Error(t, err, "%s by %s from %s", kind, role, state)
				require.Contains(t, []Code{CodeForbidden, CodeTransition}, CodeOf(err), "%s by %s from %s: %v", kind, role, state, err)
			}
		}
	}
	require.Greater(t, refused, 1000)
}

func contains(kinds []EventKind, kind EventKind) bool {
	for _, k := range kinds {
		if k == kind {
			return true
		}
	}
	return false
}

func TestMessagesNameStateAndRemedy(t *testing.T) {
	t.Parallel()
	l := at(t, Closed)
	require.EqualError(t, l.try(legal(EventDispatched, RoleDispatcher)),
		"issue GW-TEST001 stands at CLOSED; dispatch by DISPATCHER is possible from REGISTERED, IN_PROGRESS")
	require.EqualError(t, l.try(legal(EventDispatched, RoleCitizen)), "dispatch is not for role CITIZEN; it is for DISPATCHER, SUPERVISOR")
	require.ErrorContains(t, l.try(Step{Kind: "JUMPED", Actor: actor(RoleSystem)}), `there is no step "JUMPED"; the steps are LINKED, DISPATCHED`)
	require.ErrorContains(t, l.try(Step{Kind: EventRegistered, Actor: actor(RoleIntake)}), "there is no step")
	stale := legal(EventReopened, RoleCitizen)
	stale.ExpectedSeq = 1
	require.Equal(t, CodeConflict, CodeOf(l.try(stale)))
}

func TestPermittedSteps(t *testing.T) {
	t.Parallel()
	require.Equal(t, CodeTransition, CodeOf(at(t, Registered).try(legal(EventReopened, RoleCitizen))), "the role may, though not from here")
	require.Equal(t, []EventKind{EventLinked, EventDispatched, EventMerged}, PermittedSteps(at(t, Registered).Issue, RoleDispatcher))
	require.Equal(t, []EventKind{EventConfirmed, EventDisputed, EventWithdrawn}, PermittedSteps(at(t, Claimed).Issue, RoleCitizen))
	require.Equal(t, []EventKind{EventLinked, EventResponded}, PermittedSteps(at(t, Registered).Issue, RoleIntake), "a complaint is not answered on the spot")
	require.Contains(t, PermittedSteps(begin(t, Inquiry, SeverityLow).Issue, RoleIntake), EventClaimed)
	require.NotContains(t, PermittedSteps(at(t, InProgress).Issue, RoleDispatcher), EventDispatched, "a unit is in charge")
	for _, s := range []State{Registered, Dispatched, InProgress, AwaitingCitizen, Planned, Claimed, Closed} {
		l := at(t, s)
		for _, role := range Roles {
			steps := PermittedSteps(l.Issue, role)
			require.Len(t, slices.Compact(slices.Sorted(slices.Values(steps))), len(steps), "a step is named once: %s at %s", role, s)
		}
	}
}

// fieldOf is the input field that an error names.
func fieldOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Field
	}
	return ""
}
