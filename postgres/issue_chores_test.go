package postgres_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// chore returns one of the chores of the system of record.
func (o *office) chore(name string) groundwork.Chore {
	o.t.Helper()
	for _, c := range o.Chores() {
		if c.Name == name {
			return c
		}
	}
	require.FailNow(o.t, "there is no chore "+name)
	return groundwork.Chore{}
}

// due runs what is due until nothing is, and returns how much that was.
func (o *office) due() (total int) {
	o.t.Helper()
	for done := 1; done > 0; total += done {
		var err error
		done, err = o.chore("issue_due").Run(o.t.Context(), o.clock.Now())
		require.NoError(o.t, err)
	}
	return total
}

func (o *office) read(i *groundwork.Issue) *groundwork.Issue {
	o.t.Helper()
	found, err := o.IssuesByID(o.t.Context(), []uuid.UUID{i.ID})
	require.NoError(o.t, err)
	return found[i.ID]
}

func (o *office) lastEvent(i *groundwork.Issue) *groundwork.Event {
	o.t.Helper()
	events, err := o.EventsOf(o.t.Context(), []uuid.UUID{i.ID}, 100)
	require.NoError(o.t, err)
	return events[i.ID][len(events[i.ID])-1]
}

func (o *office) notified(to groundwork.Actor) []groundwork.NotificationKind {
	o.t.Helper()
	page, err := o.Notifications(o.t.Context(), to, true, groundwork.PageRequest{First: 100})
	require.NoError(o.t, err)
	kinds := make([]groundwork.NotificationKind, len(page.Items))
	for n, told := range page.Items {
		kinds[n] = told.Kind
	}
	return kinds
}

// What time brings is taken when it is due, not before, as of when it was due, and told to whom it concerns.
func TestTimeBringsWhatIsDue(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.target() // a day to accept, ten to resolve
	i := o.must(o.issue("Broken road"), o.dispatch())
	sent := o.clock.Now()
	require.Zero(t, o.due())
	o.clock.advance(25 * time.Hour)
	require.Equal(t, 1, o.due())
	i = o.read(i)
	require.Equal(t, groundwork.InProgress, i.State)
	accepted := o.lastEvent(i)
	require.Equal(t, groundwork.System.ID, accepted.Actor.ID)
	require.True(t, accepted.At.Equal(sent.Add(24*time.Hour)), "it happened when it was due")
	require.True(t, accepted.KnownAt.Equal(o.clock.Now()), "and was known when it was taken")
	require.Equal(t, []groundwork.NotificationKind{groundwork.ToldAccepted}, o.notified(o.head))
	require.Empty(t, o.notified(o.handler))

	o.clock.advance(7 * 24 * time.Hour)
	require.Equal(t, 1, o.due(), "four fifths of ten days")
	o.clock.advance(30 * 24 * time.Hour)
	require.Equal(t, 2, o.due(), "all of it, and half as much again")
	require.Zero(t, o.due())
	require.Equal(t, 3, o.read(i).EscalationLevel)
	leader := groundwork.Actor{ID: "leader", Role: groundwork.RoleLeader, OfficialID: &o.post.OfficialID}
	require.Equal(t, []groundwork.NotificationKind{groundwork.ToldEscalated, groundwork.ToldAccepted}, o.notified(o.head))
	require.Equal(t, []groundwork.NotificationKind{groundwork.ToldEscalated}, o.notified(leader), "the second goes to a rank that this leader does not hold")

	told, err := o.Notifications(t.Context(), leader, true, groundwork.PageRequest{First: 1})
	require.NoError(t, err)
	ids := []uuid.UUID{told.Items[0].ID}
	read, _, err := o.ReadNotifications(t.Context(), o.head, ids)
	require.NoError(t, err)
	require.Empty(t, read, "it is not for the head")
	read, _, err = o.ReadNotifications(t.Context(), leader, ids)
	require.NoError(t, err)
	require.Equal(t, "leader", *read[0].ReadBy)
	require.Empty(t, o.notified(leader))
	o.sound()
}

func TestPausesPlansAndClaimsEndByTime(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	asked := o.must(o.issue("Asked"), o.dispatch(), o.accept(), groundwork.Step{Kind: groundwork.EventAsked, Actor: o.handler, Question: "Which?"})
	planned := o.must(o.issue("Planned"), o.dispatch(), o.accept(), groundwork.Step{Kind: groundwork.EventProposed, Actor: o.head, Reason: "Frost",
		TargetDate: o.clock.Now().AddDate(0, 6, 0), ReviewAt: o.clock.Now().AddDate(0, 0, 30)})
	require.Equal(t, []groundwork.NotificationKind{groundwork.ToldPlanProposed}, o.notified(o.supervisor))
	planned = o.must(planned, groundwork.Step{Kind: groundwork.EventPlanned, Actor: o.supervisor})
	claimed := o.must(o.issue("Claimed"), o.dispatch(), o.accept(), o.claimFixed())
	for range 3 {
		o.clock.advance(28 * time.Hour)
		claimed = o.must(claimed, groundwork.Step{Kind: groundwork.EventCalledBack, Actor: o.caller, Method: "PHONE", Outcome: "NO_ANSWER"})
	}
	require.Zero(t, o.due())
	o.clock.advance(20 * 24 * time.Hour)
	require.Equal(t, 2, o.due())
	require.Equal(t, groundwork.InProgress, o.read(asked).State)
	require.Equal(t, groundwork.Unconfirmed, *o.read(claimed).ClosureType)
	require.Equal(t, groundwork.Planned, o.read(planned).State)
	o.clock.advance(20 * 24 * time.Hour)
	require.Equal(t, 1, o.due())
	require.Equal(t, groundwork.InProgress, o.read(planned).State)
	require.Contains(t, o.notified(o.head), groundwork.ToldPlanEnded)
	o.sound()
}

// A calendar that changes after the fact moves what is due: the step waits, and is not lost.
func TestCalendarChangesBeforeItIsDue(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	i := o.must(o.issue("Asked"), o.dispatch(), o.accept(), groundwork.Step{Kind: groundwork.EventAsked, Actor: o.handler, Question: "Which?"})
	o.clock.advance(14*24*time.Hour + 15*time.Hour) // ten working days and their night
	require.NoError(t, o.sql("INSERT INTO calendar_day (date, is_workday) VALUES ('2026-03-10', FALSE)"))
	o.due()
	require.Equal(t, groundwork.AwaitingCitizen, o.read(i).State)
	require.Zero(t, o.due(), "it is not tried again before its new time")
	o.clock.advance(24 * time.Hour)
	require.Equal(t, 1, o.due())
	require.Equal(t, groundwork.InProgress, o.read(i).State)
}

// Two processes run the chore at once, and people work on the same issues: everything happens once.
func TestChoresAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.target()
	var issues []*groundwork.Issue
	for range 30 {
		issues = append(issues, o.must(o.issue("Broken road"), o.dispatch()))
	}
	o.clock.advance(400 * time.Hour)
	other := &office{DB: pgtest.Open(t, o.dsn, postgres.Options{Now: o.clock.Now}), t: t, clock: o.clock}
	var all sync.WaitGroup
	for _, process := range []*office{o, other, o, other} {
		all.Go(func() { process.due() })
	}
	all.Go(func() {
		for _, i := range issues {
			s := o.accept()
			s.IssueID = i.ID
			_, _, err := o.Step(t.Context(), s)
			require.Contains(t, []groundwork.Code{"", groundwork.CodeTransition}, groundwork.CodeOf(err))
		}
	})
	all.Wait()
	o.due()
	ids := make([]uuid.UUID, len(issues))
	for n, i := range issues {
		ids[n] = i.ID
	}
	events, err := o.EventsOf(t.Context(), ids, 100)
	require.NoError(t, err)
	for _, id := range ids {
		counts := map[groundwork.EventKind]int{}
		for _, e := range events[id] {
			counts[e.Kind]++
		}
		require.Equal(t, map[groundwork.EventKind]int{groundwork.EventRegistered: 1, groundwork.EventDispatched: 1, groundwork.EventAccepted: 1, groundwork.EventEscalated: 3}, counts)
	}
	o.sound()
}

// Separation of duty is held by the database too, whoever writes.
func TestSignaturesAreHeldByTheDatabase(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	i := o.must(o.issue("Broken road"), o.dispatch(), o.accept())
	planned := `INSERT INTO issue_event (issue_id, seq, kind, from_state, to_state, at, known_at, actor, actor_role, origin_at)
		VALUES ($1, (SELECT max(seq) + 1 FROM issue_event WHERE issue_id = $1), 'PLANNED', 'IN_PROGRESS', 'PLANNED', now(), now() + interval '1 year', $2, $3, now())`
	require.ErrorContains(t, o.sql(planned, i.ID, "supervisor", "SUPERVISOR"), "proposed by a unit head")
	i = o.must(i, groundwork.Step{Kind: groundwork.EventProposed, Actor: o.head, Reason: "Frost", TargetDate: o.clock.Now().AddDate(0, 6, 0), ReviewAt: o.clock.Now().AddDate(0, 0, 30)})
	require.ErrorContains(t, o.sql(planned, i.ID, o.head.ID, "SUPERVISOR"), "another account")
	require.ErrorContains(t, o.sql(planned, i.ID, "supervisor", "DISPATCHER"), "supervisor")

	require.NoError(t, o.sql("UPDATE issue SET severity = 'URGENT' WHERE id = $1", i.ID))
	claim := `INSERT INTO claim (id, issue_id, n, kind, text, evidence, claimed_at, recorded_by, reviewed_by, signed_by)
		VALUES (gen_random_uuid(), $1, 1, 'FIXED', 'x', '{photo}', now(), 'handler', $2, $3)`
	require.ErrorContains(t, o.sql(claim, i.ID, nil, nil), "signed by the unit head")
	require.ErrorContains(t, o.sql(claim, i.ID, "handler", "head"), "claim_reviewed_by_another")

	other := o.issue("Another")
	merged := "UPDATE issue SET state = 'MERGED', merged_into_id = $2 WHERE id = $1"
	require.NoError(t, o.sql(merged, i.ID, other.ID))
	require.ErrorContains(t, o.sql(merged, other.ID, i.ID), "merged into itself")

	v := o.target()
	require.ErrorContains(t, o.sql("UPDATE target_version SET ack_minutes = 1 WHERE id = $1", v.ID), "never changes")
	require.ErrorContains(t, o.sql("DELETE FROM target_version WHERE id = $1", v.ID), "never changes")
}

// A claim refers only to files that were uploaded.
func TestEvidenceOfAClaimIsThere(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	i := o.must(o.issue("Broken road"), o.dispatch(), o.accept())
	photo := groundwork.EvidenceFile{SHA256: strings.Repeat("ab", 32), Size: 10, MediaType: "image/jpeg"}
	s := o.claimFixed()
	s.IssueID, s.Evidence = i.ID, []string{"minutes of 3 March", photo.Reference()}
	_, _, err := o.Step(t.Context(), s)
	require.ErrorContains(t, err, "no file sha256:abab")
	_, _, err = o.RecordEvidence(t.Context(), o.handler, photo)
	require.NoError(t, err)
	i = o.must(i, s)
	claims, err := o.ClaimsOf(t.Context(), []uuid.UUID{i.ID}, 1)
	require.NoError(t, err)
	require.Equal(t, s.Evidence, claims[i.ID][0].Evidence)
}
