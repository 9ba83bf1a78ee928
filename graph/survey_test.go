package graph_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A survey from its tokens to its results: small numbers are hidden, and what would give them away.
func TestASurveyThroughTheAPI(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	second := f.create("createRegion", "region", `code: "430200000000", level: PREFECTURE, name: "B市", parentId: "`+f.province+`"`)
	third := f.create("createRegion", "region", `code: "430300000000", level: PREFECTURE, name: "C市", parentId: "`+f.province+`"`)
	wave := f.as("SUPERVISOR").create("openSurveyWave", "surveyWave", `title: "Spring", regionId: "`+f.province+`", reportLevel: PREFECTURE, closesAt: "2026-04-01T00:00:00Z"`)
	tokens := func(region string, n int) []any {
		return f.as("SUPERVISOR").get(`mutation($w: ID!, $r: ID!, $n: Int!) { issueSurveyTokens(input: {waveId: $w, regionId: $r, siteKind: SCHOOL, count: $n}) { tokens userErrors { message } } }`,
			map[string]any{"w": wave, "r": region, "n": n}).at(t, "issueSurveyTokens", "tokens").([]any)
	}
	nobody := caller{f: f, headers: map[string]string{}}
	const respond = `mutation($t: String!, $g: Int!) { submitSurveyResponse(input: {token: $t, gain: $g, happiness: 5, security: 3}) { accepted userErrors { code field } } }`
	var spent any
	for region, n := range map[string]int{f.city: 40, second: 30, third: 4} {
		for i, token := range tokens(region, n) {
			gain := 5
			if i%2 == 0 {
				gain = 1
			}
			require.Equal(t, true, nobody.get(respond, map[string]any{"t": token, "g": gain}).at(t, "submitSurveyResponse", "accepted"))
			spent = token
		}
	}
	again := nobody.get(respond, map[string]any{"t": spent, "g": 5})
	require.Equal(t, false, again.at(t, "submitSurveyResponse", "accepted"))
	require.Equal(t, "CONFLICT", again.at(t, "submitSurveyResponse", "userErrors", 0, "code"))

	const results = `query($w: ID!) { surveyWave(id: $w) { title region { id } } surveyWaves(first: 2) { nodes { id } }
		surveyResults(waveId: $w) { total { responses gain { share } } bySiteKind { siteKind responses } byRegion { region { id } responses suppressed gain { share ciLow ciHigh suppressed } happiness { share } } } }`
	early := nobody.ask(results, map[string]any{"w": wave})
	require.Equal(t, "ILLEGAL_TRANSITION", early.Errors[0].Extensions.Code)
	f.clock.advance(60 * 24 * time.Hour)
	r := nobody.get(results, map[string]any{"w": wave})
	require.EqualValues(t, 74, r.at(t, "surveyResults", "total", "responses"))
	require.Equal(t, "SCHOOL", r.at(t, "surveyResults", "bySiteKind", 0, "siteKind"))
	shown := map[string]map[string]any{}
	for i := range 3 {
		cell := r.at(t, "surveyResults", "byRegion", i).(map[string]any)
		shown[r.text(t, "surveyResults", "byRegion", i, "region", "id")] = cell
	}
	require.EqualValues(t, 40, shown[f.city]["responses"])
	gain := shown[f.city]["gain"].(map[string]any)
	require.InDelta(t, 0.5, gain["share"], 1e-9)
	require.InDelta(t, 0.352, gain["ciLow"], 0.001) // Wilson for 20 of 40
	require.InDelta(t, 0.648, gain["ciHigh"], 0.001)
	require.InDelta(t, 1, shown[f.city]["happiness"].(map[string]any)["share"], 1e-9)
	require.Nil(t, shown[third]["responses"], "four responded")
	require.Nil(t, shown[second]["responses"], "with the total it would give the four away")
	require.Equal(t, true, shown[second]["suppressed"])
}

func TestADiscussionThroughTheAPI(t *testing.T) {
	t.Parallel()
	g := newGoesDown(t)
	discussion := g.leader().create("openDiscussion", "discussion", `topic: "The roof", regionId: "`+g.city+`"`)
	g.clock.advance(time.Minute)
	question := g.as("CITIZEN").create("postToDiscussion", "post", `discussionId: "`+discussion+`", kind: QUESTION, text: "Who pays?"`)
	said := caller{f: g.office, headers: map[string]string{}}.get(anonymousOpinion, map[string]any{"text": "It leaks"})
	secret := said.text(t, "submitOpinion", "secret")
	supported := caller{f: g.office, headers: map[string]string{}}.get(`mutation($p: ID!, $s: String!) { supportPost(input: {postId: $p, secret: $s}) { post { supports } userErrors { message } } }`,
		map[string]any{"p": question, "s": secret})
	require.EqualValues(t, 1, supported.at(t, "supportPost", "post", "supports"))
	refused := g.leader().get(`mutation($d: ID!) { closeDiscussion(input: {discussionId: $d, outcome: "Tin."}) { discussion { id } userErrors { code } } }`, map[string]any{"d": discussion})
	require.Equal(t, "ILLEGAL_TRANSITION", refused.at(t, "closeDiscussion", "userErrors", 0, "code"))
	answer := g.leader().create("postToDiscussion", "post", `discussionId: "`+discussion+`", kind: ANSWER, text: "The city", replyToId: "`+question+`"`)
	closed := g.leader().get(`mutation($d: ID!) { closeDiscussion(input: {discussionId: $d, outcome: "Tin."}) { discussion { state outcome version permittedTransitions history { kind } } userErrors { message } } }`, map[string]any{"d": discussion})
	require.Equal(t, "CLOSED", closed.at(t, "closeDiscussion", "discussion", "state"))
	r := g.as("CITIZEN").get(`query($d: ID!, $ids: [ID!]!) { discussion(id: $d) { topic region { id } visit { id } }
		discussions(first: 2, filter: {state: {in: [CLOSED]}}) { nodes { id } }
		discussionPosts(first: 5, filter: {discussion: $d}) { nodes { id kind text supports authorRole authorUnit { id } replyTo { id } discussion { id } } } nodes(ids: $ids) { id } }`,
		map[string]any{"d": discussion, "ids": []string{discussion, answer}})
	require.Equal(t, question, r.at(t, "discussionPosts", "nodes", 1, "replyTo", "id"))
	require.Equal(t, "CITIZEN", r.at(t, "discussionPosts", "nodes", 0, "authorRole"))
	require.Equal(t, answer, r.at(t, "nodes", 1, "id"))
}

func TestPoliciesOfAVisitThroughTheAPI(t *testing.T) {
	t.Parallel()
	g := newGoesDown(t)
	policy := g.create("createPolicy", "policy", `title: "Roofs", ownerUnitId: "`+g.bureau+`", text: "Roofs are of tin.", effectiveFrom: "2026-01-01"`)
	version := g.as("LEADER").get(`query($p: ID!) { policy(id: $p) { versions { id } } }`, map[string]any{"p": policy}).text(t, "policy", "versions", 0, "id")
	visit := g.leader().create("recordVisit", "visit", `activityKind: PROPAGATION, notice: ANNOUNCED, siteId: "`+g.site+`", leadId: "`+g.post+`", startedAt: "2026-03-01T00:00:00Z", endedAt: "2026-03-01T01:00:00Z", citizensMet: 12, state: HELD`)
	r := g.leader().get(`mutation($v: ID!, $p: ID!) { recordPolicyItem(input: {visitId: $v, policyVersionId: $p, questionsAsked: 3, answered: 2}) { policyItem { questionsAsked answered } userErrors { message } } }`,
		map[string]any{"v": visit, "p": version})
	require.EqualValues(t, 2, r.at(t, "recordPolicyItem", "policyItem", "answered"))
	r = g.as("CITIZEN").get(`query($v: ID!) { visit(id: $v) { policyItems { questionsAsked policyVersion { id } } } }`, map[string]any{"v": visit})
	require.Equal(t, version, r.at(t, "visit", "policyItems", 0, "policyVersion", "id"))
}
