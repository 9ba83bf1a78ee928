package graph_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// reform is a policy of the bureau with a change under way.
type reform struct {
	*effort
	policy, id string
}

func (e *effort) reform(issue string) *reform {
	e.t.Helper()
	r := &reform{effort: e}
	r.policy = r.owner().create("createPolicy", "policy",
		`title: "Road repairs", ownerUnitId: "`+e.bureau+`", regionId: "`+e.province+`", text: "Holes are filled within a month.", effectiveFrom: "2020-01-01"`)
	r.id = r.owner().create("proposePolicyChange", "policyChange", `policyId: "`+r.policy+`", summary: "Within a week", evidence: [{issueId: "`+issue+`"}]`)
	return r
}

func (f *office) owner() caller {
	c := f.as("POLICY_OWNER")
	c.headers["Groundwork-Unit"] = f.bureau
	return c
}

func (r *reform) step(c caller, mutation, input string) reply {
	r.t.Helper()
	r.clock.advance(time.Minute)
	return c.get(`mutation { s: `+mutation+`(input: {policyChangeId: "`+r.id+`", `+input+
		`}) { policyChange { id version state } userErrors { code message field } consistency clientMutationId } }`, nil)
}

// goes is a step that must be taken; it leaves the change at state.
func (r *reform) goes(state string, c caller, mutation, input string) {
	r.t.Helper()
	answer := r.step(c, mutation, input)
	require.Empty(r.t, answer.at(r.t, "s", "userErrors"), "%s", mutation)
	require.Equal(r.t, state, answer.text(r.t, "s", "policyChange", "state"))
	require.NotEmpty(r.t, answer.text(r.t, "s", "consistency"))
}

// evaluated brings the change to its evaluation by the call centre.
func (r *reform) evaluated() {
	r.t.Helper()
	evaluator := r.as("ASSESSOR")
	evaluator.headers["Groundwork-Unit"] = r.callers
	r.goes("CONSULTED", r.owner(), "recordConsultation", `persons: 40, summary: "Most agree"`)
	r.goes("CONSULTED", r.owner(), "registerPolicyOutcome", `outcome: {measure: "H1", direction: AT_MOST, minimalEffect: 0.5, windowDays: 30, anticipationDays: 7}`)
	r.goes("PILOT", r.owner(), "startPilot", `rollouts: [{regionId: "`+r.city+`", effectiveFrom: "2026-03-04"}]`)
	r.clock.advance(3 * 24 * time.Hour)
	r.goes("ADOPTED", r.as("LEADER"), "adoptPolicyChange", `text: "Holes are filled within a week.", effectiveFrom: "2026-04-01"`)
	r.goes("ADOPTED", r.owner(), "rollOutPolicyChange", `rollouts: [{regionId: "`+r.other+`", effectiveFrom: "2026-04-01"}]`)
	r.clock.advance(31 * 24 * time.Hour)
	due := r.as("SUPERVISOR").get(`{ policyChanges(first: 5, filter: {toEvaluate: true}) { nodes { id } } }`, nil)
	require.Equal(r.t, r.id, due.text(r.t, "policyChanges", "nodes", 0, "id"))
	r.goes("EVALUATED", evaluator, "recordEvaluation", `evaluation: {estimate: -1.2, ciLow: -2, ciHigh: -0.4, treatedRegions: 1, controlRegions: 1,
		asOf: "2026-04-04T00:00:00Z", text: "Fewer holes"}`)
}

func TestLifeOfAPolicyChange(t *testing.T) {
	t.Parallel()
	e := newOffice(t, options{}).campaign()
	r := e.reform(e.issue("A hole in the road"))
	r.goes("PROPOSED", r.as("LEADER"), "linkPolicyEvidence", `evidence: [{campaignId: "`+e.id+`"}]`)
	r.evaluated()
	r.goes("AMENDED", r.as("LEADER"), "amendPolicyChange", `reason: "Lamps, too", text: "Holes and lamps within a week.", effectiveFrom: "2026-05-01"`)
	got := r.as("CITIZEN").get(`query($id: ID!) { policy(id: $id) { versions { n text effectiveFrom repealedFrom policyChange { id } } } }`, map[string]any{"id": r.policy})
	require.EqualValues(t, 3, got.at(t, "policy", "versions", 0, "n"))
	require.Equal(t, r.id, got.text(t, "policy", "versions", 1, "policyChange", "id"))
	require.Nil(t, got.at(t, "policy", "versions", 2, "policyChange"))
}

func TestOtherEndsOfAPolicyChange(t *testing.T) {
	t.Parallel()
	e := newOffice(t, options{}).campaign()
	issue := e.issue("A hole in the road")
	r := e.reform(issue)
	r.goes("DROPPED", r.owner(), "dropPolicyChange", `reason: "No money"`)
	r.id = r.owner().create("proposePolicyChange", "policyChange", `policyId: "`+r.policy+`", summary: "Again", evidence: [{issueId: "`+issue+`"}]`)
	r.evaluated()
	r.goes("REPEALED", r.as("LEADER"), "repealPolicyChange", `reason: "No effect", repealedFrom: "2026-05-01"`)
	got := r.as("CITIZEN").get(`query($id: ID!) { policyChange(id: $id) { policyVersion { repealedFrom } permittedTransitions } }`, map[string]any{"id": r.id})
	require.Equal(t, "2026-05-01", got.text(t, "policyChange", "policyVersion", "repealedFrom"))
	require.Empty(t, got.at(t, "policyChange", "permittedTransitions"))
	kept := newOffice(t, options{}).campaign()
	k := kept.reform(kept.issue("A hole in the road"))
	k.evaluated()
	k.goes("RETAINED", k.as("LEADER"), "retainPolicyChange", `reason: "It works"`)
}

func TestRefusalsOfAPolicyChange(t *testing.T) {
	t.Parallel()
	e := newOffice(t, options{}).campaign()
	r := e.reform(e.issue("A hole in the road"))
	stranger := r.as("POLICY_OWNER")
	stranger.headers["Groundwork-Unit"] = r.callers
	for name, c := range map[string]struct {
		by                           caller
		mutation, input, code, field string
	}{
		"state":              {r.owner(), "startPilot", `rollouts: []`, "ILLEGAL_TRANSITION", ""},
		"another's policy":   {stranger, "recordConsultation", `persons: 1, summary: "x"`, "FORBIDDEN", ""},
		"nobody heard":       {r.owner(), "recordConsultation", `persons: 0, summary: "x"`, "BAD_USER_INPUT", "persons"},
		"no such measure":    {r.owner(), "registerPolicyOutcome", `outcome: {measure: "Z9", direction: AT_MOST, minimalEffect: 0.5, windowDays: 30, anticipationDays: 7}`, "BAD_USER_INPUT", "outcome.measure"},
		"stale":              {r.owner(), "recordConsultation", `persons: 1, summary: "x", expectedVersion: 9`, "CONFLICT", ""},
		"evidence of a city": {r.owner(), "linkPolicyEvidence", `evidence: [{issueId: "` + r.city + `"}]`, "BAD_USER_INPUT", "evidence.issueId"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := r.step(c.by, c.mutation, c.input)
			require.Equal(t, c.code, answer.text(t, "s", "userErrors", 0, "code"))
			require.Nil(t, answer.at(t, "s", "policyChange"))
			if c.field != "" {
				require.Equal(t, c.field, answer.text(t, "s", "userErrors", 0, "field"))
			}
		})
	}
	refused := r.as("POLICY_OWNER").ask(`mutation { adoptPolicyChange(input: {policyChangeId: "`+r.id+`", text: "x", effectiveFrom: "2026-05-01"}) { policyChange { id } } }`, nil)
	require.Equal(t, "FORBIDDEN", refused.Errors[0].Extensions.Code, "a leader adopts")
	version := r.as("CITIZEN").get(`query($id: ID!) { policy(id: $id) { versions { id } } }`, map[string]any{"id": r.policy}).text(t, "policy", "versions", 0, "id")
	answer := r.owner().get(`mutation($v: ID!) { revisePolicyVersion(input: {policyVersionId: $v, text: "x", effectiveFrom: "2100-01-01"}) { policyVersion { id } userErrors { code } } }`,
		map[string]any{"v": version})
	require.Equal(t, "ILLEGAL_TRANSITION", answer.text(t, "revisePolicyVersion", "userErrors", 0, "code"), "it is in effect")
}

func TestGoldenPolicies(t *testing.T) {
	t.Parallel()
	e := newOffice(t, options{}).campaign()
	r := e.reform(e.issue("A hole in the road"))
	r.evaluated()
	draft := r.owner().create("createPolicy", "policy", `title: "Road lamps", ownerUnitId: "`+e.bureau+`", text: "Lamps burn.", effectiveFrom: "2100-01-01"`)
	version := r.as("CITIZEN").get(`query($id: ID!) { policy(id: $id) { versions { id } } }`, map[string]any{"id": draft}).text(t, "policy", "versions", 0, "id")
	r.owner().create("revisePolicyVersion", "policyVersion", `policyVersionId: "`+version+`", text: "Lamps burn all night.", effectiveFrom: "2100-02-01"`)
	goldens(t, e.office, "testdata/policy/*.graphql", map[string]any{"policy": r.policy, "change": r.id, "version": version})
}
