package graph_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// effort is a campaign in the office's city, compared with another one.
type effort struct {
	*office
	id, other string
}

// campaign nominates a campaign.
func (f *office) campaign() *effort {
	f.t.Helper()
	e := &effort{office: f}
	e.other = f.create("createRegion", "region", `code: "430200000000", level: PREFECTURE, name: "B市", parentId: "`+f.province+`"`)
	e.id = f.as("CAMPAIGN_LEAD").create("nominateCampaign", "campaign", `topic: "Potholes", categoryId: "`+f.category+
		`", origin: H3, selectionRule: "significant clusters", leadUnitId: "`+f.bureau+`", regionIds: ["`+f.city+`"]`)
	return e
}

const selection = `periodFrom: "2026-03-03", periodTo: "2026-09-01", comparisonRegionIds: ["$other"],
	exitCriteria: [{measure: "H1", direction: AT_MOST, threshold: 2.5, windowDays: 90}, {measure: "Q1", direction: AT_LEAST, threshold: 0.8, windowDays: 30}],
	evidence: {definitionVersion: 1, from: "2025-03-01T00:00:00Z", to: "2026-03-01T00:00:00Z", asOf: "2026-03-01T00:00:00Z", cells: [
		{regionId: "$city", issues: 40, personYears: 10000, rawRate: 4, rate: 3.5, weight: 0.8, commonRate: 1.5, rank: 1, pValue: 0.001},
		{regionId: "$other", issues: 20, personYears: 10000, rawRate: 2, rate: 1.9, weight: 0.8, commonRate: 1.5, rank: 2}]}`

func (e *effort) selection() string {
	return strings.NewReplacer("$other", e.other, "$city", e.city).Replace(selection)
}

const campaignReply = ` { campaign { id version state } userErrors { code message field } consistency clientMutationId } }`

func (e *effort) step(role, mutation, input string) reply {
	e.t.Helper()
	e.clock.advance(time.Minute)
	c := e.as(role)
	if role == "SUPERVISOR" {
		c.headers["Groundwork-Unit"] = e.callers
	}
	return c.get(`mutation { s: `+mutation+`(input: {campaignId: "`+e.id+`", `+input+`})`+campaignReply, nil)
}

// goes is a step that must be taken; it leaves the campaign at state.
func (e *effort) goes(state, role, mutation, input string) {
	e.t.Helper()
	r := e.step(role, mutation, input)
	require.Empty(e.t, r.at(e.t, "s", "userErrors"), "%s by %s", mutation, role)
	require.Equal(e.t, state, r.text(e.t, "s", "campaign", "state"))
	require.NotEmpty(e.t, r.text(e.t, "s", "consistency"))
}

func (e *effort) task() string {
	e.t.Helper()
	due := e.clock.Now().AddDate(0, 0, 10).UTC().Format(time.RFC3339)
	return e.as("CAMPAIGN_LEAD").create("addCampaignTask", "campaignTask",
		`campaignId: "`+e.id+`", title: "Fill the potholes", ownerUnitId: "`+e.bureau+`", dueAt: "`+due+`"`)
}

func (e *effort) completes(task string) {
	e.t.Helper()
	e.as("HANDLER").create("completeCampaignTask", "campaignTask", `taskId: "`+task+`", evidence: ["photo-1"]`)
}

func TestLifeOfACampaign(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	issue := f.issue("A hole in the road")
	e := f.campaign()
	unmeasured := e.step("CAMPAIGN_LEAD", "selectCampaign", strings.Replace(e.selection(), `measure: "Q1"`, `measure: "Z9"`, 1))
	require.Equal(t, "exitCriteria", unmeasured.text(t, "s", "userErrors", 0, "field"), "nobody can measure it")
	e.goes("SELECTED", "CAMPAIGN_LEAD", "selectCampaign", e.selection())
	task := e.task()
	dropped := e.task()
	e.goes("ACTIVE", "CAMPAIGN_LEAD", "startCampaign", ``)
	e.goes("ACTIVE", "CAMPAIGN_LEAD", "joinCampaign", `issueIds: ["`+issue+`"]`)
	r := f.as("CITIZEN").get(`query($id: ID!) { issue(id: $id) { campaign { topic state } } }`, map[string]any{"id": issue})
	require.Equal(t, "Potholes", r.text(t, "issue", "campaign", "topic"))
	e.goes("ACTIVE", "DISPATCHER", "leaveCampaign", `issueIds: ["`+issue+`"], reason: "Another road"`)

	mine := `{ campaignTasks(first: 10, filter: {mine: true, overdue: true}) { nodes { id title campaign { id } ownerUnit { name } ownerPost { id } } } }`
	require.Empty(t, f.as("HANDLER").get(mine, nil).at(t, "campaignTasks", "nodes"))
	f.clock.advance(11 * 24 * time.Hour)
	r = f.as("HANDLER").get(mine, nil)
	require.Len(t, r.at(t, "campaignTasks", "nodes"), 2)
	require.Equal(t, e.id, r.text(t, "campaignTasks", "nodes", 0, "campaign", "id"))
	require.Empty(t, f.as("CALLER").get(mine, nil).at(t, "campaignTasks", "nodes"), "of another unit")

	e.completes(task)
	f.as("CAMPAIGN_LEAD").create("reopenCampaignTask", "campaignTask", `taskId: "`+task+`", reason: "The photo shows another road"`)
	f.as("CAMPAIGN_LEAD").create("dropCampaignTask", "campaignTask", `taskId: "`+dropped+`", reason: "Done by others"`)
	e.completes(task)
	f.clock.advance(91 * 24 * time.Hour)
	e.goes("REVIEW", "SYSTEM", "reviewCampaign", ``)
	asOf := f.clock.Now().UTC().Format(time.RFC3339)
	results := `results: [{n: 1, value: 2.4, ciLow: 2, ciHigh: 2.8, cases: 24, asOf: "` + asOf + `"}, `
	refused := e.step("SUPERVISOR", "extendCampaign", results+`{n: 2, value: 0.7, cases: 10, asOf: "`+asOf+`"}], reason: "Nearly", periodTo: "2026-08-01"`)
	require.Equal(t, "periodTo", refused.text(t, "s", "userErrors", 0, "field"))
	results += `{n: 2, value: 0.9, cases: 10, asOf: "` + asOf + `"}]`
	e.goes("EXITED", "SUPERVISOR", "exitCampaign", results)
	for role, shown := range map[string]int{"CAMPAIGN_LEAD": 2, "ANALYST": 1} {
		got := f.as(role).get(`query($id: ID!) { campaign(id: $id) { results { cases } } }`, map[string]any{"id": e.id})
		require.Len(t, got.at(t, "campaign", "results"), shown, "small numbers are for those who work on issues: %s", role)
	}
	require.Empty(t, f.as("CAMPAIGN_LEAD").get(`query($id: ID!) { campaign(id: $id) { permittedTransitions } }`, map[string]any{"id": e.id}).
		at(t, "campaign", "permittedTransitions"))
}

func TestOtherEndsOfACampaign(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	e := f.campaign()
	e.goes("DECLINED", "CAMPAIGN_LEAD", "declineCampaign", `reason: "Too small"`)
	e.id = f.as("LEADER").create("nominateCampaign", "campaign",
		`topic: "Water", origin: LEADER, selectionRule: "heard at visits", leadUnitId: "`+f.bureau+`", regionIds: ["`+f.city+`"]`)
	e.goes("SELECTED", "CAMPAIGN_LEAD", "selectCampaign", e.selection())
	e.goes("FAILED", "SUPERVISOR", "failCampaign", `reason: "Nobody has time"`)
	r := f.as("CITIZEN").get(`{ campaigns(first: 10, filter: {state: {in: [DECLINED, FAILED]}}) { nodes { topic } } }`, nil)
	require.Equal(t, "Water", r.text(t, "campaigns", "nodes", 0, "topic"), "the latest first")
	require.Equal(t, "Potholes", r.text(t, "campaigns", "nodes", 1, "topic"))
}

func TestRefusalsOfACampaign(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	e := f.campaign()
	for name, c := range map[string]struct{ role, mutation, input, code, field string }{
		"state":         {"CAMPAIGN_LEAD", "startCampaign", ``, "ILLEGAL_TRANSITION", ""},
		"stale version": {"CAMPAIGN_LEAD", "startCampaign", `expectedVersion: 7`, "CONFLICT", ""},
		"future":        {"CAMPAIGN_LEAD", "declineCampaign", `reason: "x", at: "2036-01-01T00:00:00Z"`, "BAD_USER_INPUT", "at"},
		"no reason":     {"CAMPAIGN_LEAD", "declineCampaign", `reason: ""`, "BAD_USER_INPUT", "reason"},
		"wrong type":    {"CAMPAIGN_LEAD", "joinCampaign", `issueIds: ["` + f.city + `"]`, "BAD_USER_INPUT", "issueIds.0"},
	} {
		t.Run(name, func(t *testing.T) {
			r := e.step(c.role, c.mutation, c.input+` clientMutationId: "m"`)
			require.Equal(t, c.code, r.text(t, "s", "userErrors", 0, "code"))
			require.Nil(t, r.at(t, "s", "campaign"))
			require.Equal(t, "m", r.text(t, "s", "clientMutationId"))
			if c.field != "" {
				require.Equal(t, c.field, r.text(t, "s", "userErrors", 0, "field"))
			}
		})
	}
	r := f.as("CITIZEN").ask(`{ campaignTasks(first: 1) { nodes { id } } }`, nil)
	require.Equal(t, "FORBIDDEN", r.Errors[0].Extensions.Code)
}

// TestCampaignsDoNotAskForEachRow guards against N+1.
func TestCampaignsDoNotAskForEachRow(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	e := f.campaign()
	for range 9 {
		f.as("CAMPAIGN_LEAD").create("nominateCampaign", "campaign",
			`topic: "Water", origin: H2, selectionRule: "x", leadUnitId: "`+f.bureau+`", regionIds: ["`+f.city+`"]`)
	}
	e.goes("SELECTED", "CAMPAIGN_LEAD", "selectCampaign", e.selection())
	f.store.take()
	r := f.as("SUPERVISOR").get(`{ campaigns(first: 15) { nodes { topic leadUnit { name } category { name } regions { role region { name } }
		exitCriteria { measure } results { met } tasks(first: 5) { title } issues(first: 5) { joinedAt } history(first: 5) { kind } } } }`, nil)
	require.Len(t, r.at(t, "campaigns", "nodes"), 10)
	require.LessOrEqual(t, f.store.take()["RegionsByID"], 2)
}

func TestGoldenCampaigns(t *testing.T) {
	t.Parallel()
	e := newOffice(t, options{}).campaign()
	issue := e.issue("A hole in the road")
	e.goes("SELECTED", "CAMPAIGN_LEAD", "selectCampaign", e.selection())
	task := e.task()
	e.goes("ACTIVE", "CAMPAIGN_LEAD", "startCampaign", ``)
	e.goes("ACTIVE", "CAMPAIGN_LEAD", "joinCampaign", `issueIds: ["`+issue+`"]`)
	e.completes(task)
	goldens(t, e.office, "testdata/campaign/*.graphql", map[string]any{"campaign": e.id})
}
