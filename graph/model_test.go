package graph_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"groundwork"
	"groundwork/graph/model"
	"groundwork/postgres"
)

// matter is what this test believes about an issue: a model of the rules written apart from them, in the words of the practice.
type matter struct {
	state, before      string // before a merger
	returns            int
	led, proposed      bool
	claim, closure     string
	disputes, reopened int
}

// deed is something that people ask for: by whom, from where, with what, and when the model says that it is legal.
type deed struct {
	mutation, input string
	roles, from     []string
	legal           func(m *matter) bool
	then            func(m *matter)
}

func to(state string) func(*matter) { return func(m *matter) { m.state, m.proposed = state, false } }

func always(*matter) bool { return true }

func never(*matter) bool { return false }

func led(m *matter) bool { return m.led }

var open = []string{"REGISTERED", "DISPATCHED", "IN_PROGRESS", "AWAITING_CITIZEN", "PLANNED", "CLAIMED"}

// deeds are all that can be asked for an issue, seen from outside.
func deeds(f *office, target string) []deed {
	unit := `unitId: "` + f.bureau + `"`
	const delivered = `, text: "Done", answerDelivered: true`
	claimed := func(kind string) func(*matter) {
		return func(m *matter) { m.state, m.claim, m.proposed = "CLAIMED", kind, false }
	}
	closed := func(how string) func(*matter) {
		return func(m *matter) { m.state, m.closure, m.proposed = "CLOSED", how, false }
	}
	return []deed{
		{"dispatchIssue", unit, []string{"DISPATCHER"}, []string{"REGISTERED"}, func(m *matter) bool { return m.returns < 2 }, func(m *matter) { m.state, m.led = "DISPATCHED", true }},
		{"dispatchIssue", unit, []string{"SUPERVISOR"}, []string{"REGISTERED"}, func(m *matter) bool { return m.returns == 2 }, func(m *matter) { m.state, m.led = "DISPATCHED", true }},
		// What was closed before anybody had it, and reopened, is dispatched from where it stands.
		{"dispatchIssue", unit, []string{"DISPATCHER", "SUPERVISOR"}, []string{"IN_PROGRESS"}, func(m *matter) bool { return !m.led },
			func(m *matter) { m.state, m.led, m.proposed = "DISPATCHED", true, false }},
		{"acceptIssue", ``, []string{"HANDLER"}, []string{"DISPATCHED"}, led, to("IN_PROGRESS")},
		{"acceptIssue", ``, []string{"SYSTEM"}, []string{"DISPATCHED"}, never, nil}, // its time does not come here
		{"returnIssue", `returnReason: NOT_OUR_DUTY, dutyList: "9"`, []string{"HANDLER"}, []string{"DISPATCHED"}, func(m *matter) bool { return m.returns < 2 },
			func(m *matter) { m.state, m.led, m.returns = "REGISTERED", false, m.returns+1 }},
		{"askCitizen", `question: "Which?"`, []string{"HANDLER"}, []string{"IN_PROGRESS"}, led, to("AWAITING_CITIZEN")},
		{"resumeIssue", ``, []string{"CITIZEN", "HANDLER"}, []string{"AWAITING_CITIZEN"}, always, to("IN_PROGRESS")},
		{"proposePlan", `reason: "Frost", targetDate: "2027-01-01T00:00:00Z", reviewAt: "2026-05-01T00:00:00Z"`, []string{"UNIT_HEAD"}, []string{"IN_PROGRESS"}, led,
			func(m *matter) { m.proposed = true }},
		{"planIssue", ``, []string{"SUPERVISOR"}, []string{"IN_PROGRESS"}, func(m *matter) bool { return m.proposed }, to("PLANNED")},
		{"resumePlanned", ``, []string{"UNIT_HEAD", "SUPERVISOR"}, []string{"PLANNED"}, always, to("IN_PROGRESS")},
		{"recordResponse", `text: "Soon"`, []string{"HANDLER"}, open[1:], led, nil},
		{"recordResponse", `text: "Soon"`, []string{"INTAKE"}, open, always, nil},
		{"claimFixed", `evidence: ["p"]` + delivered, []string{"HANDLER", "UNIT_HEAD"}, []string{"IN_PROGRESS"}, led, claimed("FIXED")},
		{"claimExplained", `legalBasis: "7", appealNotice: "30"` + delivered, []string{"HANDLER", "UNIT_HEAD"}, []string{"IN_PROGRESS"}, led, claimed("EXPLAINED")},
		{"claimReferredOut", `receipt: "R"` + delivered, []string{"HANDLER", "UNIT_HEAD"}, []string{"IN_PROGRESS"}, led, claimed("REFERRED_OUT")},
		{"recordCallbackAttempt", `method: PHONE, outcome: NO_ANSWER`, []string{"CALLER"}, []string{"CLAIMED"}, always, nil},
		{"recordFeedback", `resolved: YES`, []string{"CITIZEN", "CALLER"}, []string{"CLAIMED"}, always, closed("CONFIRMED")},
		{"recordFeedback", `resolved: PARTLY`, []string{"CITIZEN", "CALLER"}, []string{"CLAIMED"}, always, func(m *matter) { m.state, m.disputes = "IN_PROGRESS", m.disputes+1 }},
		// What a handler hears decides nothing, whatever it is.
		{"recordFeedback", `resolved: YES`, []string{"HANDLER"}, []string{"CLAIMED"}, led, nil},
		{"recordFeedback", `resolved: PARTLY`, []string{"HANDLER"}, []string{"CLAIMED"}, led, nil},
		{"closeExplained", `citizenDisagrees: true`, []string{"SUPERVISOR"}, []string{"CLAIMED"}, func(m *matter) bool { return m.claim == "EXPLAINED" }, closed("EXPLAINED")},
		{"closeReferredOut", ``, []string{"SUPERVISOR"}, []string{"CLAIMED"}, func(m *matter) bool { return m.claim == "REFERRED_OUT" }, closed("REFERRED_OUT")},
		{"closeUnconfirmed", ``, []string{"SYSTEM"}, []string{"CLAIMED"}, never, nil},
		{"withdrawIssue", `reason: "x", pressured: NO`, []string{"CITIZEN"}, open, always, closed("WITHDRAWN")},
		{"mergeIssue", `targetIssueId: "` + target + `"`, []string{"DISPATCHER"}, open, always, func(m *matter) { m.before, m.state, m.proposed = m.state, "MERGED", false }},
		{"unmergeIssue", `reason: "x"`, []string{"DISPATCHER"}, []string{"MERGED"}, always, func(m *matter) { m.state = m.before }},
		{"reopenIssue", `reason: "x"`, []string{"CITIZEN", "SUPERVISOR"}, []string{"CLOSED"}, always, func(m *matter) { m.state, m.closure, m.reopened = "IN_PROGRESS", "", m.reopened+1 }},
		{"escalateIssue", `reason: DISPUTE_3`, []string{"SYSTEM"}, open, never, nil}, // as often as it may come, time brings it: see below
	}
}

var askers = []string{"CITIZEN", "INTAKE", "DISPATCHER", "HANDLER", "UNIT_HEAD", "SUPERVISOR", "CALLER", "SYSTEM", "ANALYST"}

// Whatever people ask of the API, in any order and any role: it is done exactly when the model says that it is legal, and what is
// kept then is sound.
func TestAnyLifeThroughTheAPI(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	target := f.issue("Target")
	all := deeds(f, target)
	var lives []string
	rapid.Check(t, func(r *rapid.T) {
		id, m := f.issue("A hole in the road"), &matter{state: "REGISTERED"}
		lives = append(lives, id)
		for range rapid.IntRange(5, 20).Draw(r, "steps") {
			d := f.nextDeed(r, all, m)
			role := rapid.SampledFrom(d.roles).Draw(r, "role")
			if rapid.IntRange(0, 9).Draw(r, "stranger") == 0 {
				role = rapid.SampledFrom(askers).Draw(r, "any role")
			}
			f.ask(r, d, role, id, m, all)
		}
	})
	f.soundLives(t, lives)
}

// nextDeed draws mostly what is possible here, sometimes anything.
func (f *office) nextDeed(r *rapid.T, all []deed, m *matter) deed {
	if rapid.IntRange(0, 3).Draw(r, "anything") > 0 {
		if here := slices.DeleteFunc(slices.Clone(all), func(d deed) bool { return !slices.Contains(d.from, m.state) }); len(here) > 0 {
			return rapid.SampledFrom(here).Draw(r, "deed here")
		}
	}
	return rapid.SampledFrom(all).Draw(r, "deed")
}

// ask does a deed and holds the answer against the model. The same deed may have a row for each of several roles.
func (f *office) ask(r *rapid.T, d deed, role, id string, m *matter, all []deed) {
	var row *deed
	for n := range all {
		same := all[n].mutation == d.mutation && all[n].input == d.input && slices.Contains(all[n].roles, role)
		if same && slices.Contains(all[n].from, m.state) && all[n].legal(m) {
			row = &all[n]
		}
	}
	legal := row != nil
	if d.mutation == "escalateIssue" && role == "SYSTEM" && slices.Contains(open, m.state) && m.disputes >= 3 {
		return // legal once: time has it in hand
	}
	f.clock.advance(time.Second)
	reply := f.as(role).ask(`mutation { s: `+d.mutation+`(input: {issueId: "`+id+`", `+d.input+`})`+stepReply, nil)
	if len(reply.Errors) > 0 {
		require.Equal(r, "FORBIDDEN", reply.Errors[0].Extensions.Code, "%s by %s: %s", d.mutation, role, reply.body)
		require.False(r, legal, "%s by %s from %+v was refused", d.mutation, role, *m)
		return
	}
	errs := reply.at(f.t, "s", "userErrors").([]any)
	require.Equal(r, legal, len(errs) == 0, "%s by %s from %+v: %s", d.mutation, role, *m, reply.body)
	if !legal {
		require.Contains(r, []any{"FORBIDDEN", "ILLEGAL_TRANSITION", "BAD_USER_INPUT"}, errs[0].(map[string]any)["code"], "%s", reply.body)
		return
	}
	if row.then != nil {
		row.then(m)
	}
	require.Equal(r, m.state, reply.text(f.t, "s", "issue", "state"), "%s by %s", d.mutation, role)
	require.EqualValues(r, m.disputes, reply.at(f.t, "s", "issue", "disputeCount"))
	if m.state == "CLOSED" {
		require.Equal(r, m.closure, reply.text(f.t, "s", "issue", "closureType"))
	}
}

// soundLives holds what is kept of issues against what must always be true.
func (f *office) soundLives(t *testing.T, ids []string) {
	t.Helper()
	db := f.store.Store.(*postgres.DB)
	differ, err := db.RebuildCheck(t.Context())
	require.NoError(t, err)
	require.Empty(t, differ, "what is stored is what the events say")
	uuids := make([]uuid.UUID, len(ids))
	for n, id := range ids {
		parsed, err := model.ParseID(id)
		require.NoError(t, err)
		uuids[n] = parsed.UUID
	}
	events, err := db.EventsOf(t.Context(), uuids, 1000)
	require.NoError(t, err)
	spells, err := db.SpellsOf(t.Context(), uuids, 1000)
	require.NoError(t, err)
	for _, id := range uuids {
		legalPath(t, events[id])
		for _, s := range spells[id] {
			require.False(t, s.EndedAt != nil && s.EndedAt.Before(s.StartedAt), "no clock runs backwards")
		}
	}
}

// legalPath holds a history against the table of transitions: every event follows the one before by a row that its role may take.
func legalPath(t *testing.T, history []*groundwork.Event) {
	t.Helper()
	for n, e := range history {
		require.Equal(t, n+1, e.Seq, "events without gaps")
		if n == 0 {
			continue
		}
		require.Equal(t, history[n-1].State, *e.FromState)
		require.True(t, slices.ContainsFunc(groundwork.Lifecycle, func(row groundwork.Transition) bool {
			return row.Kind == e.Kind && slices.Contains(row.From, *e.FromState) && slices.Contains(row.Roles, e.Actor.Role) &&
				(row.To == "" || row.To == e.State) && (row.Closure == "" || e.ClosureType != nil && *e.ClosureType == row.Closure)
		}), "%s by %s from %s to %s is no row of the life of an issue", e.Kind, e.Actor.Role, *e.FromState, e.State)
	}
}

// Ten dispatchers race for the same hundred issues while opinions come in: each issue goes out once, every refusal says where it
// stands, and nothing is lost or left undone for a deadlock.
func TestTenDispatchers(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	issues := make([]string, 100)
	for n := range issues {
		issues[n] = f.issue("A hole in the road")
	}
	var mu sync.Mutex
	outcomes := map[string]int{}
	var dispatchers, others sync.WaitGroup
	done := make(chan struct{})
	others.Go(func() { // who links more opinions to the same issues meanwhile
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			default:
				r := f.as("INTAKE").ask(`mutation { s: linkOpinion(input: {issueId: "`+issues[n%100]+`", opinionId: "`+f.opinion("again")+`"})`+stepReply, nil)
				require.Empty(t, r.at(t, "s", "userErrors"), "%s", r.body)
			}
		}
	})
	for worker := range 10 {
		dispatchers.Go(func() {
			for n := range issues {
				id := issues[(n*37+worker*11)%100] // each in an order of its own
				r := f.as("DISPATCHER").ask(`mutation { s: dispatchIssue(input: {issueId: "`+id+`", unitId: "`+f.bureau+`"})`+stepReply, nil)
				outcome := "done"
				if errs := r.at(t, "s", "userErrors").([]any); len(errs) > 0 {
					outcome = errs[0].(map[string]any)["code"].(string)
				}
				mu.Lock()
				outcomes[outcome]++
				mu.Unlock()
			}
		})
	}
	dispatchers.Wait()
	close(done)
	others.Wait()
	require.Equal(t, map[string]int{"done": 100, "ILLEGAL_TRANSITION": 900}, outcomes)
	f.soundLives(t, issues)
}
