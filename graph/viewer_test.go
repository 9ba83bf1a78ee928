package graph_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// worklist returns the titles of a role's list.
func (f *office) worklist(role, kind string) []string {
	f.t.Helper()
	r := f.as(role).get(`query($k: WorklistKind!) { viewer { worklist(kind: $k, first: 50) { nodes { title } totalCount { value } } } }`, map[string]any{"k": kind})
	var titles []string
	for n := range r.at(f.t, "viewer", "worklist", "nodes").([]any) {
		titles = append(titles, r.text(f.t, "viewer", "worklist", "nodes", n, "title"))
	}
	require.EqualValues(f.t, len(titles), r.at(f.t, "viewer", "worklist", "totalCount", "value"))
	return titles
}

func TestWorklists(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	registered, working, returned, claimed := f.issue("registered"), f.issue("working"), f.issue("returned"), f.issue("claimed")
	dispatch(f, working)
	dispatch(f, claimed)
	f.done("CLAIMED", "HANDLER", "claimExplained", claimed, `text: "No", legalBasis: "Road act 7", appealNotice: "Within 30 days", answerDelivered: true`)
	f.done("DISPATCHED", "DISPATCHER", "dispatchIssue", returned, `unitId: "`+f.bureau+`"`)
	f.done("REGISTERED", "HANDLER", "returnIssue", returned, `returnReason: NOT_OUR_DUTY, dutyList: "entry 9"`)

	require.Equal(t, []string{"registered", "returned"}, f.worklist("DISPATCHER", "MINE"))
	require.Equal(t, []string{"returned"}, f.worklist("DISPATCHER", "RETURNED"))
	require.Equal(t, []string{"working"}, f.worklist("HANDLER", "MINE"))
	require.Equal(t, []string{"claimed"}, f.worklist("CALLER", "MINE"))
	require.Equal(t, []string{"claimed"}, f.worklist("CALLER", "AWAITING_CALLBACK"))
	require.Equal(t, []string{"claimed"}, f.worklist("SUPERVISOR", "AWAITING_REVIEW"))
	require.Empty(t, f.worklist("SUPERVISOR", "MINE"), "nothing was escalated")
	require.Empty(t, f.worklist("HANDLER", "OVERDUE"))
	require.Equal(t, []string{"registered", "working", "returned", "claimed"}, f.worklist("CITIZEN", "MINE"), "who reported them")
	neighbour := f.as("CITIZEN")
	neighbour.headers["Groundwork-Actor"] = "the-neighbour"
	own := neighbour.get(`mutation { submitOpinion(input: {kind: COMPLAINT, text: "mine"}) { opinion { id } } }`, nil)
	f.as("INTAKE").get(`mutation($o: ID!) { registerIssue(input: {opinionIds: [$o], title: "mine"}) { issue { id } } }`, map[string]any{"o": own.text(t, "submitOpinion", "opinion", "id")})
	mine := neighbour.get(`{ viewer { worklist(kind: MINE, first: 5) { nodes { title } } } }`, nil)
	require.Equal(t, []any{map[string]any{"title": "mine"}}, mine.at(t, "viewer", "worklist", "nodes"))

	bureau := f.as("CALLER")
	bureau.headers["Groundwork-Unit"] = f.bureau
	r := bureau.get(`{ viewer { worklist(kind: AWAITING_CALLBACK, first: 5) { nodes { title } } } }`, nil)
	require.Empty(t, r.at(t, "viewer", "worklist", "nodes"), "a caller of the unit that had it never sees it")
	for role, code := range map[string]string{"ANALYST": "FORBIDDEN", "LEADER": "FORBIDDEN"} {
		r := f.as(role).ask(`{ viewer { account worklist(kind: MINE, first: 5) { nodes { title } } } }`, nil)
		require.Equal(t, code, r.Errors[0].Extensions.Code, role)
		require.Equal(t, "the-"+role, r.text(t, "viewer", "account"), "the rest is answered")
	}
	_ = registered
}

func TestViewerIsWhoAsks(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	r := f.as("HANDLER").get(`{ viewer { account role unit { name } regions { name } permissions { operation scope } } }`, nil)
	require.Equal(t, "the-HANDLER", r.text(t, "viewer", "account"))
	require.Equal(t, "HANDLER", r.text(t, "viewer", "role"))
	require.Equal(t, "Road bureau", r.text(t, "viewer", "unit", "name"))
	permissions := fmt.Sprint(r.at(t, "viewer", "permissions"))
	require.Contains(t, permissions, "map[operation:acceptIssue scope:UNIT]")
	require.NotContains(t, permissions, "operation:dispatchIssue ")
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	id := f.issue("A hole in the road")
	dispatch(f, id)
	f.done("IN_PROGRESS", "UNIT_HEAD", "proposePlan", id, `reason: "Frost", targetDate: "2026-04-01T00:00:00Z", reviewAt: "2026-03-20T00:00:00Z"`)
	f.done("CLOSED", "CITIZEN", "withdrawIssue", id, `reason: "They asked me to", pressured: YES`)
	const list = `{ viewer { notifications(first: 5, unreadOnly: true) { nodes { id kind reason toRole toUnit { name } toRank at readAt issue { title } } } } }`
	r := f.as("SUPERVISOR").get(list, nil)
	require.Equal(t, "URGED_TO_WITHDRAW", r.text(t, "viewer", "notifications", "nodes", 0, "kind"))
	require.Equal(t, "PLAN_PROPOSED", r.text(t, "viewer", "notifications", "nodes", 1, "kind"))
	require.Equal(t, "A hole in the road", r.text(t, "viewer", "notifications", "nodes", 0, "issue", "title"))
	read := map[string]any{"ids": []any{r.text(t, "viewer", "notifications", "nodes", 0, "id")}}
	const mark = `mutation($ids: [ID!]!) { readNotifications(input: {ids: $ids}) { notifications { readAt } userErrors { code field } } }`
	require.Empty(t, f.as("HANDLER").get(mark, read).at(t, "readNotifications", "notifications"), "it is for others")
	require.Len(t, f.as("SUPERVISOR").get(mark, read).at(t, "readNotifications", "notifications"), 1)
	require.Len(t, f.as("SUPERVISOR").get(list, nil).at(t, "viewer", "notifications", "nodes"), 1)
	wrong := f.as("SUPERVISOR").get(mark, map[string]any{"ids": []any{id}})
	require.Equal(t, "BAD_USER_INPUT", wrong.text(t, "readNotifications", "userErrors", 0, "code"))
	require.Equal(t, "FORBIDDEN", f.as("CITIZEN").ask(mark, read).Errors[0].Extensions.Code)
}

// Each item of a bulk operation goes by itself, and may be sent again.
func TestBulk(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	one, two := f.issue("one"), f.issue("two")
	f.done("DISPATCHED", "DISPATCHER", "dispatchIssue", two, `unitId: "`+f.bureau+`"`)
	const bulkReply = ` { done results { issue { state version } userErrors { code field } } userErrors { code } consistency clientMutationId } }`
	dispatchBoth := fmt.Sprintf(`mutation { b: dispatchIssues(input: {clientMutationId: "m", items: [{issueId: %q, unitId: %q, coUnitIds: [%q]}, {issueId: %q, unitId: %q}, {issueId: %q, unitId: %q}]})`,
		one, f.bureau, f.callers, two, f.bureau, one, f.city) + bulkReply
	for range 2 {
		r := f.as("DISPATCHER").get(dispatchBoth, nil)
		require.EqualValues(t, 1, r.at(t, "b", "done"))
		require.Equal(t, "DISPATCHED", r.text(t, "b", "results", 0, "issue", "state"))
		require.EqualValues(t, 2, r.at(t, "b", "results", 0, "issue", "version"), "sent again it is answered again")
		require.Equal(t, "ILLEGAL_TRANSITION", r.text(t, "b", "results", 1, "userErrors", 0, "code"))
		require.Equal(t, "unitId", r.text(t, "b", "results", 2, "userErrors", 0, "field"))
		require.NotEmpty(t, r.text(t, "b", "consistency"))
	}
	r := f.as("HANDLER").get(fmt.Sprintf(`mutation { b: acceptIssues(input: {issueIds: [%q, %q]})`, one, two)+bulkReply, nil)
	require.EqualValues(t, 2, r.at(t, "b", "done"))
	r = f.as("INTAKE").get(fmt.Sprintf(`mutation { b: linkOpinions(input: {issueId: %q, opinionIds: [%q, %q]})`, one, f.opinion("again"), f.opinion("and again"))+bulkReply, nil)
	require.EqualValues(t, 2, r.at(t, "b", "done"))
	legs := f.as("SUPERVISOR").get(`query($id: ID!) { issue(id: $id) { legs { role unit { name } acceptedAt } opinionCount } }`, map[string]any{"id": one})
	require.Equal(t, "CO", legs.text(t, "issue", "legs", 1, "role"))
	require.NotEmpty(t, legs.text(t, "issue", "legs", 1, "acceptedAt"))
	require.EqualValues(t, 3, legs.at(t, "issue", "opinionCount"))
	none := f.as("HANDLER").get(`mutation { b: acceptIssues(input: {issueIds: []})`+bulkReply, nil)
	require.Equal(t, "BAD_USER_INPUT", none.text(t, "b", "userErrors", 0, "code"))
	many := f.as("HANDLER").ask(`mutation($ids: [ID!]!) { b: acceptIssues(input: {issueIds: $ids}) { done userErrors { code } } }`, map[string]any{"ids": strings.Split(strings.Repeat(one+" ", 100)+one, " ")})
	require.Equal(t, "BAD_USER_INPUT", many.text(t, "b", "userErrors", 0, "code"))
}

func TestSimilarIssues(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	f.issue("村口道路破损严重")
	f.issue("自来水停了三天")
	closed := f.issue("村口道路破损严重无人管")
	f.done("CLOSED", "CITIZEN", "withdrawIssue", closed, `reason: "x", pressured: NO`)
	f.clock.advance(time.Hour)
	r := f.as("INTAKE").get(`query($r: ID!, $c: ID!) { similarIssues(text: "村口道路破损", regionId: $r, categoryId: $c) { score text near issue { title } } }`,
		map[string]any{"r": f.city, "c": f.category})
	require.Len(t, r.at(t, "similarIssues"), 1, "open, and saying the same")
	require.Equal(t, "村口道路破损严重", r.text(t, "similarIssues", 0, "issue", "title"))
	require.Greater(t, r.at(t, "similarIssues", 0, "score"), 0.8)
	r = f.as("CITIZEN").get(`mutation($r: ID!) { submitOpinion(input: {kind: COMPLAINT, text: "道路破损，在村口", regionId: $r}) { opinion { similarIssues(first: 2) { issue { title } near } } } }`,
		map[string]any{"r": f.city})
	require.Equal(t, "村口道路破损严重", r.text(t, "submitOpinion", "opinion", "similarIssues", 0, "issue", "title"))
	r = f.as("CITIZEN").get(`mutation($r: ID!) { submitOpinion(input: {kind: COMPLAINT, text: "道路破损，在村口", regionId: $r, confidentiality: CONFIDENTIAL}) { opinion { similarIssues { near } } } }`,
		map[string]any{"r": f.city})
	require.Nil(t, r.at(t, "submitOpinion", "opinion", "similarIssues"), "what is like it would tell what it says")
	require.Equal(t, "BAD_USER_INPUT", f.as("INTAKE").ask(`{ similarIssues(text: "x", first: 21) { score } }`, nil).Errors[0].Extensions.Code)
}
