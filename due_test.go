package groundwork

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// What time brings next is legal at that moment, and not a moment sooner.
func TestTimeBringsNextWhatIsLegal(t *testing.T) {
	t.Parallel()
	called := func() *life {
		l := at(t, Claimed)
		for range 3 {
			l.wait(27*time.Hour).must(t, legal(EventCalledBack, RoleCaller))
		}
		return l
	}
	twice := at(t, Closed)
	twice.must(t, legal(EventReopened, RoleCitizen), legal(EventWithdrawn, RoleCitizen), legal(EventReopened, RoleCitizen))
	for name, c := range map[string]struct {
		life   *life
		kind   DueKind
		reason string
		at     time.Time
	}{
		"a dispatch":            {at(t, Dispatched), DueAcceptance, "", monday.Add(7 * days)},
		"a question":            {at(t, AwaitingCitizen), DueResumption, "", time.Date(2026, 3, 17, 0, 0, 0, 0, China)},
		"a plan":                {at(t, Planned), DueReview, "", monday.Add(80 * days)},
		"a claim called about":  {called(), DueClosing, "", time.Date(2026, 3, 17, 0, 0, 0, 0, China)},
		"work in progress":      {at(t, InProgress), DueEscalation, AtFourFifths, atOpinion.Add(320 * days)},
		"the third dispute":     {disputed(t, 3), DueEscalation, AtThirdDispute, monday},
		"the second reopening":  {twice, DueEscalation, AtSecondReopen, monday},
		"nobody in charge yet":  {at(t, Registered), DueEscalation, AtFourFifths, atOpinion.Add(320 * days)},
		"after four fifths":     {at(t, InProgress).wait(320*days).must(t, Due{Kind: DueEscalation, Reason: AtFourFifths}.Step(&Issue{})), DueEscalation, AtTarget, atOpinion.Add(400 * days)},
		"a claim, called twice": {at(t, Claimed).must(t, legal(EventCalledBack, RoleCaller)), "", "", time.Time{}},
		"the end":               {at(t, Closed), "", "", time.Time{}},
		"a part of another":     {at(t, Merged), "", "", time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			due := c.life.NextDue(nil, c.life.History)
			if c.kind == "" {
				require.Nil(t, due)
				return
			}
			require.Equal(t, Due{At: c.at.UTC(), Kind: c.kind, Reason: c.reason}, Due{At: due.At.UTC(), Kind: due.Kind, Reason: due.Reason})
			if due.At.After(monday) {
				early := *c.life
				early.Now = due.At.Add(-time.Microsecond)
				require.Equal(t, CodeTransition, CodeOf(early.try(due.Step(c.life.Issue))))
			}
			c.life.Now = later(c.life.Now, due.At)
			c.life.must(t, due.Step(c.life.Issue))
			sound(t, c.life)
		})
	}
}

// What another system observes, time moves there.
func TestTimeBringsNothingToWhatIsImported(t *testing.T) {
	t.Parallel()
	l := at(t, Dispatched)
	l.ObservedUntil = &monday
	require.Nil(t, l.NextDue(nil, l.History))
}

// Every escalation comes once, in its order, whatever else happens.
func TestEscalations(t *testing.T) {
	t.Parallel()
	l := at(t, InProgress)
	var reasons []string
	for d := l.NextDue(nil, l.History); d != nil; d = l.NextDue(nil, l.History) {
		l.Now = d.At
		l.must(t, d.Step(l.Issue))
		reasons = append(reasons, d.Reason)
	}
	require.Equal(t, []string{AtFourFifths, AtTarget, AtHalfAgain}, reasons)
	require.Equal(t, 3, l.EscalationLevel)
}

// An event that was stored before dispatches carried their due time falls back on one working day.
func TestSilenceWithoutATarget(t *testing.T) {
	t.Parallel()
	l := begin(t, Complaint, SeverityNormal)
	l.Promised = nil
	l.must(t, legal(EventDispatched, RoleDispatcher))
	due := l.NextDue(nil, l.History)
	require.Equal(t, DueAcceptance, due.Kind)
	require.True(t, due.At.Equal(time.Date(2026, 3, 4, 0, 0, 0, 0, China)), "the end of the next working day")
	delete(l.History[1].Payload, payloadAckDue)
	require.True(t, l.NextDue(nil, l.History).At.Equal(due.At))
}

// Where nothing is promised, nothing is escalated for being late.
func TestNothingPromisedNothingLate(t *testing.T) {
	t.Parallel()
	said := Opinion{ID: anOpinion, Kind: Complaint, Channel: ChannelOnline, ReceivedAt: atOpinion}
	i, e, err := PlanRegistration(Registration{Actor: actor(RoleIntake), OpinionIDs: []uuid.UUID{said.ID}}, uuid.New(), Opening{Opinions: []Opinion{said}, At: monday, Now: monday})
	require.NoError(t, err)
	require.Nil(t, i.NextDue(nil, []Event{e}))
}
