package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"groundwork"
)

// Ten dispatch one issue at once: one wins, the others hear where it stands, and the events have no gap.
func TestRaceForOneIssue(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	i := o.issue("Broken road")
	faults := make(chan error, 10)
	for range 10 {
		go func() {
			s := o.dispatch()
			s.IssueID = i.ID
			_, _, err := o.Step(t.Context(), s)
			faults <- err
		}()
	}
	won := 0
	for range 10 {
		if err := <-faults; err == nil {
			won++
		} else {
			require.Equal(t, groundwork.CodeTransition, groundwork.CodeOf(err), "%v", err)
		}
	}
	require.Equal(t, 1, won)
	events, err := o.EventsOf(t.Context(), []uuid.UUID{i.ID}, 20)
	require.NoError(t, err)
	require.Len(t, events[i.ID], 2)
	o.sound()
}

// Many different steps at once on one issue are all kept, one after the other.
func TestConcurrentStepsLeaveNoGap(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	i := o.issue("Broken road")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, _, err := o.Step(t.Context(), groundwork.Step{IssueID: i.ID, Kind: groundwork.EventResponded, Actor: o.intake, Text: "Looking into it."})
			require.NoError(t, err)
		})
	}
	all.Wait()
	events, err := o.EventsOf(t.Context(), []uuid.UUID{i.ID}, 20)
	require.NoError(t, err)
	require.Len(t, events[i.ID], 9)
	for n, e := range events[i.ID] {
		require.Equal(t, n+1, e.Seq)
	}
	o.sound()
}

func TestOptimisticLocking(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	i := o.must(o.issue("Broken road"), o.dispatch())
	s := o.accept()
	s.IssueID, s.ExpectedSeq = i.ID, 1
	_, _, err := o.Step(t.Context(), s)
	require.Equal(t, groundwork.CodeConflict, groundwork.CodeOf(err))
	s.ExpectedSeq = 2
	_, _, err = o.Step(t.Context(), s)
	require.NoError(t, err)
	s.IssueID = uuid.New()
	_, _, err = o.Step(t.Context(), s)
	require.Equal(t, groundwork.CodeNotFound, groundwork.CodeOf(err))
}

func TestRequestsComeAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	r := groundwork.Registration{Actor: under(o.intake, "reg-1"), OpinionIDs: []uuid.UUID{o.opinion("Broken road").ID}}
	answers := make(chan *groundwork.Issue, 6)
	for range 6 { // a phone that retries before it has the answer
		go func() {
			i, _, err := o.RegisterIssue(t.Context(), r)
			if err != nil {
				t.Errorf("register again: %v", err)
			}
			answers <- i
		}()
	}
	first := <-answers
	require.NotNil(t, first)
	for range 5 {
		require.Equal(t, first, <-answers)
	}

	s := o.dispatch()
	s.IssueID, s.Actor, s.OverrideReason = first.ID, under(s.Actor, "step-1"), "no category yet"
	once, _, err := o.Step(t.Context(), s)
	require.NoError(t, err)
	again, receipt, err := o.Step(t.Context(), s)
	require.NoError(t, err)
	require.Equal(t, once, again)
	require.NotZero(t, receipt.LSN)
	s.OverrideReason = "another reason"
	_, _, err = o.Step(t.Context(), s)
	require.Equal(t, groundwork.CodeConflict, groundwork.CodeOf(err))
	require.ErrorContains(t, err, `clientMutationId "step-1" was used for another request`)
	r.Title = "Another title"
	_, _, err = o.RegisterIssue(t.Context(), r)
	require.Equal(t, groundwork.CodeConflict, groundwork.CodeOf(err))
}

func TestHistoryIsAppendOnly(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	i := o.must(o.issue("Broken road"), o.dispatch(), o.accept(), o.claimFixed(), o.confirm())
	require.ErrorContains(t, o.sql("UPDATE issue_event SET actor = 'x' WHERE issue_id = $1", i.ID), "append-only")
	require.ErrorContains(t, o.sql("DELETE FROM issue_event WHERE issue_id = $1 AND seq = 5", i.ID), "append-only")
	require.ErrorContains(t, o.sql("TRUNCATE issue_event"), "append-only")
	require.ErrorContains(t, o.sql(`INSERT INTO issue_event (issue_id, seq, kind, from_state, to_state, at, known_at, actor, actor_role, origin_at)
		SELECT issue_id, 7, kind, to_state, to_state, at, known_at, actor, actor_role, origin_at FROM issue_event WHERE issue_id = $1 AND seq = 5`, i.ID), "does not follow event 5")
	require.NoError(t, o.sql("DELETE FROM issue WHERE id = $1", i.ID), "an issue goes with its whole history")
	events, err := o.EventsOf(t.Context(), []uuid.UUID{i.ID}, 10)
	require.NoError(t, err)
	require.Empty(t, events)
	claims, err := o.ClaimsOf(t.Context(), []uuid.UUID{i.ID}, 10)
	require.NoError(t, err)
	require.Empty(t, claims)
}

// The database itself refuses a verdict that the handling unit collected.
func TestHandlerNeverCollectsTheVerdict(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	i := o.must(o.issue("Broken road"), o.dispatch(), o.accept(), o.claimFixed())
	claims, err := o.ClaimsOf(t.Context(), []uuid.UUID{i.ID}, 1)
	require.NoError(t, err)
	claim := claims[i.ID][0].ID
	own := groundwork.Step{IssueID: i.ID, Kind: groundwork.EventCalledBack, Method: "PHONE", Outcome: "NO_ANSWER",
		Actor: groundwork.Actor{ID: "c", Role: groundwork.RoleCaller, UnitID: &o.unit.ID}}
	_, _, err = o.Step(t.Context(), own)
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err))
	require.ErrorContains(t, o.sql(`INSERT INTO feedback (id, claim_id, issue_id, resolved, collected_by, collected_unit_id, at)
		VALUES (gen_random_uuid(), $1, $2, 'YES', 'INDEPENDENT', $3, now())`, claim, i.ID, o.unit.ID), "another unit collects the verdict")
	require.ErrorContains(t, o.sql(`INSERT INTO callback_attempt (id, claim_id, at, method, agent_unit_id, outcome)
		VALUES (gen_random_uuid(), $1, now(), 'PHONE', $2, 'ANSWERED')`, claim, o.unit.ID), "another unit collects the verdict")
	o.must(i, groundwork.Step{Kind: groundwork.EventFeedback, Actor: o.handler, Resolved: "YES"})

	stranger := o.confirm()
	stranger.IssueID, stranger.Actor.ID = i.ID, "stranger"
	_, _, err = o.Step(t.Context(), stranger)
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err))
}

func TestClosingUnconfirmed(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	i := o.must(o.issue("Broken road"), o.dispatch(), o.accept(), o.claimFixed())
	for range 3 {
		o.clock.advance(27 * time.Hour)
		i = o.must(i, groundwork.Step{Kind: groundwork.EventCalledBack, Actor: o.caller, Method: "PHONE", Outcome: "NO_ANSWER"})
	}
	closing := groundwork.Step{IssueID: i.ID, Kind: groundwork.EventClosed, Closure: groundwork.Unconfirmed, Actor: o.system} // on Tuesday 17 March ten working days are over, but for a holiday
	o.clock.advance(11*24*time.Hour + 11*time.Hour)
	require.NoError(t, o.sql("INSERT INTO calendar_day (date, is_workday) VALUES ('2026-03-16', FALSE)"))
	_, _, err := o.Step(t.Context(), closing)
	require.ErrorContains(t, err, "10 working days later")
	o.clock.advance(24 * time.Hour)
	i = o.must(i, closing)
	require.Nil(t, i.ResolvedAt)
	require.Equal(t, groundwork.Unconfirmed, *i.ClosureType)
	claims, err := o.ClaimsOf(t.Context(), []uuid.UUID{i.ID}, 1)
	require.NoError(t, err)
	calls, err := o.CallbackAttemptsOf(t.Context(), []uuid.UUID{claims[i.ID][0].ID}, 2)
	require.NoError(t, err)
	require.Len(t, calls[claims[i.ID][0].ID], 2, "at most as many as were asked for")
	o.sound()
}

func TestExplainedIsReviewed(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	i := o.must(o.issue("Why no bus?"), o.dispatch(), o.accept(),
		groundwork.Step{Kind: groundwork.EventClaimed, Actor: o.head, Text: "By law.", ClaimKind: groundwork.ClaimExplained, LegalBasis: "Act 1",
			AppealNotice: "30 days", AnswerDelivered: true},
		groundwork.Step{Kind: groundwork.EventClosed, Closure: groundwork.Explained, Actor: o.supervisor, CitizenDisagrees: true})
	require.Equal(t, groundwork.Explained, *i.ClosureType)
	claims, err := o.ClaimsOf(t.Context(), []uuid.UUID{i.ID}, 1)
	require.NoError(t, err)
	require.Equal(t, "supervisor", *claims[i.ID][0].ReviewedBy)
}

// Two mergers that would make a circle race: one wins.
func TestMergersStayAcyclic(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for range 5 {
		a, b := o.issue("One"), o.issue("Other")
		faults := make(chan error, 2)
		for _, pair := range [][2]uuid.UUID{{a.ID, b.ID}, {b.ID, a.ID}} {
			go func() {
				_, _, err := o.Step(t.Context(), groundwork.Step{IssueID: pair[0], Kind: groundwork.EventMerged, Actor: o.dispatcher, TargetIssueID: &pair[1]})
				faults <- err
			}()
		}
		one, two := <-faults, <-faults
		require.True(t, (one == nil) != (two == nil), "%v, %v", one, two)
	}
	o.sound()
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	admin := groundwork.Actor{ID: "admin", Role: groundwork.RoleSystem}
	refused := func(i *groundwork.Issue, unit uuid.UUID) {
		_, _, err := o.Step(t.Context(), groundwork.Step{IssueID: i.ID, Kind: groundwork.EventDispatched, Actor: o.dispatcher, UnitID: &unit})
		require.ErrorContains(t, err, "not in the catalogue")
	}
	i := o.issue("Broken road")
	refused(i, o.callers.ID)
	elsewhere, _, err := o.CreateRegion(t.Context(), admin, groundwork.Region{Code: "430200000000", Level: groundwork.Prefecture, Name: "B市", ParentID: &o.province.ID})
	require.NoError(t, err)
	there, _, err := o.RegisterIssue(t.Context(), groundwork.Registration{Actor: o.intake, OpinionIDs: []uuid.UUID{o.opinion("Road").ID}, CategoryID: &o.category.ID, RegionID: &elsewhere.ID})
	require.NoError(t, err)
	refused(there, o.unit.ID) // the unit of another city
	potholes, _, err := o.CreateCategory(t.Context(), admin, groundwork.Category{Code: "potholes", Name: "Potholes", ParentID: &o.category.ID, ValidFrom: day(2020, 1, 1)})
	require.NoError(t, err)
	below, _, err := o.RegisterIssue(t.Context(), groundwork.Registration{Actor: o.intake, OpinionIDs: []uuid.UUID{o.opinion("Hole").ID}, CategoryID: &potholes.ID})
	require.NoError(t, err)
	o.must(below, o.dispatch()) // a rule for a category holds for those below it
	renamed, _, err := o.CreateCategory(t.Context(), admin, groundwork.Category{Code: o.category.Code, Name: "Roads and bridges", ValidFrom: day(2021, 1, 1)})
	require.NoError(t, err)
	later, _, err := o.RegisterIssue(t.Context(), groundwork.Registration{Actor: o.intake, OpinionIDs: []uuid.UUID{o.opinion("Bridge").ID}, CategoryID: &renamed.ID})
	require.NoError(t, err)
	o.must(later, o.dispatch()) // and for later versions of it
	require.NoError(t, o.sql("UPDATE dispatch_rule SET valid_to = '2026-03-01'"))
	refused(i, o.unit.ID)
	_, _, err = o.Step(t.Context(), groundwork.Step{IssueID: i.ID, Kind: groundwork.EventDispatched, Actor: o.dispatcher, UnitID: new(uuid.New()), OverrideReason: "x"})
	require.Equal(t, groundwork.CodeInvalid, groundwork.CodeOf(err))
}

func TestLinking(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	i, again := o.issue("Broken road"), o.opinion("Still broken")
	s := groundwork.Step{Kind: groundwork.EventLinked, Actor: o.dispatcher, OpinionID: &again.ID}
	i = o.must(i, s)
	require.Equal(t, 2, i.OpinionCount)
	s.IssueID = i.ID
	_, _, err := o.Step(t.Context(), s)
	require.Equal(t, groundwork.CodeConflict, groundwork.CodeOf(err))
	_, _, err = o.RegisterIssue(t.Context(), groundwork.Registration{Actor: o.intake, OpinionIDs: []uuid.UUID{again.ID}})
	require.Equal(t, groundwork.CodeConflict, groundwork.CodeOf(err))
	of, err := o.OpinionsOf(t.Context(), []uuid.UUID{i.ID}, 1)
	require.NoError(t, err)
	require.Len(t, of[i.ID], 1)
	require.Equal(t, "Broken road", of[i.ID][0].Subject)
	issues, err := o.IssuesOfOpinions(t.Context(), []uuid.UUID{again.ID, uuid.New()})
	require.NoError(t, err)
	require.Equal(t, map[uuid.UUID]*groundwork.Issue{again.ID: i}, issues)
}

// Whatever is asked of the store, what it keeps is what its events say.
func TestAnyLifeInTheStore(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	actors := []groundwork.Actor{o.citizen, o.intake, o.dispatcher, o.handler, o.head, o.caller, o.supervisor, o.system}
	kinds := groundwork.EventKinds()[1:]
	o.target()
	target := o.issue("Target")
	rapid.Check(t, func(r *rapid.T) {
		i := o.issue("Broken road")
		for range rapid.IntRange(5, 12).Draw(r, "steps") {
			o.clock.advance(time.Duration(rapid.IntRange(1, 80).Draw(r, "hours")) * time.Hour)
			actor := rapid.SampledFrom(actors).Draw(r, "actor")
			permitted := groundwork.PermittedSteps(i, actor.Role)
			if rapid.IntRange(0, 9).Draw(r, "any") == 0 || len(permitted) == 0 {
				permitted = kinds
			}
			s := groundwork.Step{
				IssueID: i.ID, Kind: rapid.SampledFrom(permitted).Draw(r, "kind"), Actor: actor, Reason: rapid.SampledFrom([]string{"reason", "TARGET_80", "TARGET_100", "DISPUTE_3"}).Draw(r, "reason"), UnitID: &o.unit.ID, OverrideReason: "x",
				ReturnReason: "NEEDS_JOINT", DutyList: "3", Question: "Which?", TargetDate: o.clock.Now().AddDate(0, 2, 0), ReviewAt: o.clock.Now().AddDate(0, 1, 0),
				PostID: &o.post.ID, Text: "text", ClaimKind: rapid.SampledFrom([]groundwork.ClaimKind{"FIXED", "EXPLAINED", "REFERRED_OUT"}).Draw(r, "claim"),
				LegalBasis: "law", AppealNotice: "notice", Receipt: "receipt", Evidence: []string{"photo"}, AnswerDelivered: true, Method: "PHONE", Outcome: "REFUSED",
				Resolved: rapid.SampledFrom([]string{"YES", "NO"}).Draw(r, "resolved"), Pressured: "NO", TargetIssueID: &target.ID,
				Closure: rapid.SampledFrom([]groundwork.Closure{"UNCONFIRMED", "EXPLAINED", "REFERRED_OUT"}).Draw(r, "closure"),
			}
			after, _, err := o.Step(t.Context(), s)
			if err != nil {
				require.NotEmpty(r, groundwork.CodeOf(err), "%v", err)
				continue
			}
			require.Equal(r, i.Seq+1, after.Seq)
			i = after
		}
	})
	o.sound()
}

// under is an actor with a client's id for what it asks.
func under(a groundwork.Actor, clientMutationID string) groundwork.Actor {
	a.Via.ClientMutationID = clientMutationID
	return a
}
