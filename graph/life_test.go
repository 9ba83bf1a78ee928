package graph_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLifeOfAnIssue(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	f.target()
	id := f.issue("A hole in the road")
	dispatch(f, id)
	f.done("AWAITING_CITIZEN", "HANDLER", "askCitizen", id, `question: "Which road?"`)
	f.done("IN_PROGRESS", "CITIZEN", "resumeIssue", id, `reason: "Road 5"`)
	f.done("IN_PROGRESS", "SUPERVISOR", "carryIssue", id, `postId: "`+f.post()+`"`)
	f.done("IN_PROGRESS", "UNIT_HEAD", "proposePlan", id, `reason: "Frost", targetDate: "2026-04-01T00:00:00Z", reviewAt: "2026-03-20T00:00:00Z"`)
	f.done("PLANNED", "SUPERVISOR", "planIssue", id, ``)
	f.done("IN_PROGRESS", "UNIT_HEAD", "resumePlanned", id, `reason: "Frost is over"`)
	f.done("IN_PROGRESS", "HANDLER", "recordResponse", id, `text: "We have looked at it"`)
	f.clock.advance(8 * 24 * time.Hour)
	f.done("IN_PROGRESS", "SYSTEM", "escalateIssue", id, `reason: TARGET_80`)
	claim(f, id)
	r := f.done("IN_PROGRESS", "CITIZEN", "recordFeedback", id, `resolved: PARTLY`)
	require.EqualValues(t, 1, r.at(t, "s", "issue", "disputeCount"))
	require.Nil(t, r.at(t, "s", "issue", "resolvedAt"))
	claim(f, id)
	f.done("CLAIMED", "CALLER", "recordCallbackAttempt", id, `method: PHONE, outcome: ANSWERED`)
	f.done("CLAIMED", "HANDLER", "recordFeedback", id, `resolved: YES, comment: "They said so"`)
	r = f.done("CLOSED", "CALLER", "recordFeedback", id, `resolved: YES, satisfaction: 4, pressured: NO`)
	require.Equal(t, "CONFIRMED", r.text(t, "s", "issue", "closureType"))
	require.NotEmpty(t, r.text(t, "s", "issue", "resolvedAt"))
	f.done("IN_PROGRESS", "CITIZEN", "reopenIssue", id, `reason: "The hole is back"`)

	history := f.as("SUPERVISOR").get(`query($id: ID!) { issue(id: $id) {
		events { kind seq } claims { n kind feedback { resolved collectedBy comment } callbackAttempts { outcome } }
		pausedHours reopenCount escalationLevel permittedSteps } }`, map[string]any{"id": id})
	require.Len(t, history.at(t, "issue", "events"), 18)
	require.Equal(t, "INDEPENDENT", history.at(t, "issue", "claims", 1, "feedback", 1, "collectedBy"))
	require.Equal(t, "ANSWERED", history.at(t, "issue", "claims", 1, "callbackAttempts", 0, "outcome"))
	require.InDelta(t, 1.0/60, history.at(t, "issue", "pausedHours"), 1e-9, "the citizen took a minute to answer")
	require.Equal(t, []any{"CARRIED", "PLANNED", "CORRECTED"}, history.at(t, "issue", "permittedSteps"), "what a supervisor may do while it is worked on")
}

// target publishes a promise for issues of normal severity and returns its id.
func (f *office) target() string {
	f.t.Helper()
	return f.create("publishTarget", "targetVersion",
		`severity: NORMAL, ackMinutes: 1440, responseMinutes: 2880, resolutionMinutes: 14400, timeBase: WALL`)
}

// post is a post that is held.
func (f *office) post() string {
	f.t.Helper()
	official := f.create("createOfficial", "official", `pseudonym: "o-7"`)
	return f.create("createPostHolding", "postHolding", `officialId: "`+official+`", orgUnitId: "`+f.callers+`", rank: COUNTY, title: "Head", heldFrom: "2020-01-01"`)
}

// dispatch brings a registered issue to the bureau, which accepts it.
func dispatch(f *office, id string) {
	f.t.Helper()
	f.done("DISPATCHED", "DISPATCHER", "dispatchIssue", id, `unitId: "`+f.bureau+`"`)
	f.done("IN_PROGRESS", "HANDLER", "acceptIssue", id, ``)
}

func claim(f *office, id string) {
	f.t.Helper()
	f.done("CLAIMED", "HANDLER", "claimFixed", id, `text: "Filled", evidence: ["photo-1"], answerDelivered: true`)
}

func TestOtherEnds(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	for _, c := range []struct{ name, state, role, mutation, input string }{
		{"explained", "CLAIMED", "HANDLER", "claimExplained", `text: "No", legalBasis: "Road act 7", appealNotice: "Within 30 days", answerDelivered: true`},
		{"explained", "CLOSED", "SUPERVISOR", "closeExplained", `citizenDisagrees: true`},
		{"referred", "CLAIMED", "HANDLER", "claimReferredOut", `text: "To the province", receipt: "P-17", answerDelivered: true`},
		{"referred", "CLOSED", "SUPERVISOR", "closeReferredOut", ``},
	} {
		t.Run(c.name+" "+c.mutation, func(t *testing.T) {
			id := f.byTitle(c.name)
			if id == "" {
				id = f.issue(c.name)
				dispatch(f, id)
			}
			f.done(c.state, c.role, c.mutation, id, c.input)
		})
	}
	t.Run("returned and withdrawn", func(t *testing.T) {
		id := f.issue("returned")
		f.done("DISPATCHED", "DISPATCHER", "dispatchIssue", id, `unitId: "`+f.bureau+`"`)
		f.done("REGISTERED", "HANDLER", "returnIssue", id, `returnReason: NOT_OUR_DUTY, dutyList: "entry 9"`)
		r := f.done("CLOSED", "CITIZEN", "withdrawIssue", id, `reason: "Solved by neighbours", pressured: NO`)
		require.Equal(t, "WITHDRAWN", r.text(t, "s", "issue", "closureType"))
	})
	t.Run("merged and unmerged", func(t *testing.T) {
		target, id := f.issue("target"), f.issue("repeat")
		f.done("MERGED", "DISPATCHER", "mergeIssue", id, `targetIssueId: "`+target+`"`)
		r := f.as("CITIZEN").get(`query($id: ID!) { issue(id: $id) { mergedInto { id } } }`, map[string]any{"id": id})
		require.Equal(t, target, r.text(t, "issue", "mergedInto", "id"))
		f.done("REGISTERED", "DISPATCHER", "unmergeIssue", id, `reason: "Another road"`)
		f.done("REGISTERED", "INTAKE", "linkOpinion", target, `opinionId: "`+f.opinion("once more")+`"`)
	})
	t.Run("unconfirmed", func(t *testing.T) {
		id := f.issue("unreachable")
		dispatch(f, id)
		claim(f, id)
		for range 3 {
			f.clock.advance(28 * time.Hour)
			f.done("CLAIMED", "CALLER", "recordCallbackAttempt", id, `method: PHONE, outcome: NO_ANSWER`)
		}
		f.clock.advance(30 * 24 * time.Hour)
		r := f.done("CLOSED", "SYSTEM", "closeUnconfirmed", id, ``)
		require.Equal(t, "UNCONFIRMED", r.text(t, "s", "issue", "closureType"))
	})
	t.Run("an inquiry answered on the spot", func(t *testing.T) {
		o := f.as("CITIZEN").get(`mutation { submitOpinion(input: {kind: INQUIRY, text: "When does it open?"}) { opinion { id } } }`, nil)
		r := f.as("INTAKE").get(`mutation($o: ID!) { registerIssue(input: {opinionIds: [$o], title: "Opening hours"}) { issue { id } } }`,
			map[string]any{"o": o.text(t, "submitOpinion", "opinion", "id")})
		f.done("CLAIMED", "INTAKE", "answerOnTheSpot", r.text(t, "registerIssue", "issue", "id"),
			`text: "At nine", legalBasis: "Notice 3", appealNotice: "Ask again", answerDelivered: true`)
	})
}

// byTitle finds an issue by its title, "" if there is none.
func (f *office) byTitle(title string) string {
	f.t.Helper()
	r := f.as("CITIZEN").get(`query($t: String!) { issues(first: 1, filter: {text: {contains: $t}}) { nodes { id } } }`, map[string]any{"t": title})
	if nodes, _ := r.at(f.t, "issues", "nodes").([]any); len(nodes) == 0 {
		return ""
	}
	return r.text(f.t, "issues", "nodes", 0, "id")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	id := f.issue("Refused")
	const nowhere = "SXNzdWU6MDE5MDAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAw" // Issue:01900000-0000-7000-8000-000000000000
	for _, c := range []struct{ name, role, mutation, issue, input, code, field string }{
		{"state", "HANDLER", "acceptIssue", id, ``, "ILLEGAL_TRANSITION", ""},
		{"missing reason", "CITIZEN", "withdrawIssue", id, `reason: "", pressured: NO`, "BAD_USER_INPUT", "reason"},
		{"stale version", "DISPATCHER", "dispatchIssue", id, `unitId: "` + f.bureau + `", expectedVersion: 9`, "CONFLICT", ""},
		{"unknown issue", "HANDLER", "acceptIssue", nowhere, ``, "NOT_FOUND", ""},
		{"id of another type", "HANDLER", "acceptIssue", f.city, ``, "BAD_USER_INPUT", "issueId"},
		{"unit of another type", "DISPATCHER", "dispatchIssue", id, `unitId: "` + f.city + `"`, "BAD_USER_INPUT", "unitId"},
		{"future", "DISPATCHER", "dispatchIssue", id, `unitId: "` + f.bureau + `", at: "2036-01-01T00:00:00Z"`, "BAD_USER_INPUT", "at"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := f.step(c.role, c.mutation, c.issue, c.input+` clientMutationId: "m"`)
			require.Equal(t, c.code, r.text(t, "s", "userErrors", 0, "code"))
			require.NotEmpty(t, r.text(t, "s", "userErrors", 0, "message"))
			require.Nil(t, r.at(t, "s", "issue"))
			require.Nil(t, r.at(t, "s", "consistency"))
			require.Equal(t, "m", r.text(t, "s", "clientMutationId"))
			if c.field != "" {
				require.Equal(t, c.field, r.at(t, "s", "userErrors", 0, "field"))
			}
		})
	}
	r := f.as("CITIZEN").get(`query($id: ID!) { issue(id: $id) { state version } }`, map[string]any{"id": id})
	require.Equal(t, "REGISTERED", r.text(t, "issue", "state"), "a refusal changes nothing")
	require.EqualValues(t, 1, r.at(t, "issue", "version"))
}

func TestStepSentTwiceIsDoneOnce(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	id := f.issue("Twice")
	first := f.done("DISPATCHED", "DISPATCHER", "dispatchIssue", id, `unitId: "`+f.bureau+`", clientMutationId: "phone-1"`)
	again := f.done("DISPATCHED", "DISPATCHER", "dispatchIssue", id, `unitId: "`+f.bureau+`", clientMutationId: "phone-1"`)
	require.Equal(t, first.at(t, "s", "issue", "version"), again.at(t, "s", "issue", "version"))
}
