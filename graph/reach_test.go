package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"groundwork"
	"groundwork/graph/gen"
)

// realm is one thing of each kind in a city and of its unit, by the names of the input fields that point to it.
type realm map[string]string

// newRealm makes a realm; the office's own city has the first.
func newRealm(t *testing.T, f *office, name, code string) realm {
	t.Helper()
	r := realm{}
	r["regionId"] = f.create("createRegion", "region", `code: "`+code+`", level: PREFECTURE, name: "`+name+`", parentId: "`+f.province+`"`)
	r["siteId"] = f.create("createSite", "site", `regionId: "`+r["regionId"]+`", kind: SCHOOL, name: "School of `+name+`"`)
	r["unitId"] = f.create("createOrgUnit", "orgUnit", `name: "Bureau of `+name+`", kind: GOVT, regionId: "`+r["regionId"]+`"`)
	r["officialId"] = f.create("createOfficial", "official", `pseudonym: "official of `+name+`"`)
	r["postId"] = f.create("createPostHolding", "postHolding", `officialId: "`+r["officialId"]+`", orgUnitId: "`+r["unitId"]+`", rank: COUNTY, title: "Head", heldFrom: "2025-01-01"`)
	say := func(account, text string) string {
		return caller{f, map[string]string{"Groundwork-Actor": account, "Groundwork-Role": "CITIZEN"}}.create("submitOpinion", "opinion",
			`kind: COMPLAINT, text: "`+text+`", regionId: "`+r["regionId"]+`"`)
	}
	register := func(opinion string) string {
		return f.as("INTAKE").create("registerIssue", "issue", `opinionIds: ["`+opinion+`"]`)
	}
	r["issueId"] = register(say("citizen of "+name, "A hole"))
	r["targetIssueId"] = register(say("citizen of "+name, "A deeper hole"))
	f.done("DISPATCHED", "DISPATCHER", "dispatchIssue", r["issueId"], `unitId: "`+r["unitId"]+`", overrideReason: "test"`)
	r["opinionId"] = say("citizen of "+name, "Another hole")
	r["visitId"] = f.as("INTAKE").create("planVisit", "visit", `activityKind: RESEARCH, notice: UNANNOUNCED, siteId: "`+r["siteId"]+`", leadId: "`+r["postId"]+`", startsAt: "2026-03-09T00:00:00Z"`)
	plan := f.as("SUPERVISOR").create("publishRotaPlan", "rotaPlan", `name: "Rota", regionId: "`+r["regionId"]+`", rank: COUNTY, activityKind: RESEARCH, cadence: MONTHLY, periodFrom: "2026-03-01", periodTo: "2026-04-01"`)
	r["slotId"] = f.as("SUPERVISOR").get(`query($p: ID!) { rotaSlots(first: 1, filter: {plan: $p}) { nodes { id } } }`, map[string]any{"p": plan}).text(t, "rotaSlots", "nodes", 0, "id")
	r["campaignId"] = f.as("CAMPAIGN_LEAD").create("nominateCampaign", "campaign", `topic: "Potholes", origin: H3, selectionRule: "x", leadUnitId: "`+f.bureau+`", regionIds: ["`+r["regionId"]+`"]`)
	owner := caller{f, map[string]string{"Groundwork-Actor": "owner", "Groundwork-Role": "POLICY_OWNER", "Groundwork-Unit": r["unitId"]}}
	r["policyId"] = owner.create("createPolicy", "policy", `title: "Repairs", ownerUnitId: "`+r["unitId"]+`", regionId: "`+r["regionId"]+`", text: "x", effectiveFrom: "2020-01-01"`)
	r["policyChangeId"] = owner.create("proposePolicyChange", "policyChange", `policyId: "`+r["policyId"]+`", summary: "x", evidence: [{issueId: "`+r["issueId"]+`"}]`)
	r["discussionId"] = f.as("SUPERVISOR").create("openDiscussion", "discussion", `topic: "Roofs", regionId: "`+r["regionId"]+`"`)
	r["withholdPost.postId"] = f.as("INTAKE").create("postToDiscussion", "post", `discussionId: "`+r["discussionId"]+`", kind: PROPOSAL, text: "Tin"`)
	r["restorePost.postId"] = r["withholdPost.postId"]
	r["supportPost.postId"] = r["withholdPost.postId"]
	r["waveId"] = f.as("SUPERVISOR").create("openSurveyWave", "surveyWave", `title: "Spring", regionId: "`+r["regionId"]+`", reportLevel: PREFECTURE, closesAt: "2026-06-01T00:00:00Z"`)
	r["recordPolicyItem.policyVersionId"] = owner.get(`query($p: ID!) { policy(id: $p) { versions { id } } }`, map[string]any{"p": r["policyId"]}).text(t, "policy", "versions", 0, "id")
	r["revisePolicyVersion.policyVersionId"] = r["recordPolicyItem.policyVersionId"]
	for _, plural := range []string{"issueIds", "opinionIds", "regionIds"} {
		r[plural] = r[strings.TrimSuffix(plural, "s")]
	}
	r["leadId"], r["ownerUnitId"], r["noteUnitId"], r["leadUnitId"] = r["postId"], r["unitId"], r["unitId"], f.bureau
	r["citizen"] = "citizen of " + name
	return r
}

// boundTo asks in a role that is bound to the realm: its region, its unit, its official, its citizen.
func (f *office) boundTo(r realm, role groundwork.Role) caller {
	h := map[string]string{"Groundwork-Actor": "bound " + string(role), "Groundwork-Role": string(role)}
	switch role {
	case groundwork.RoleCitizen:
		h["Groundwork-Actor"] = r["citizen"]
		return caller{f, h}
	case groundwork.RoleSystem:
		return caller{f, h}
	case groundwork.RoleHandler, groundwork.RoleUnitHead, groundwork.RolePolicyOwner:
		h["Groundwork-Unit"] = r["unitId"]
	case groundwork.RoleCaller, groundwork.RoleAssessor, groundwork.RoleSupervisor:
		h["Groundwork-Unit"] = f.callers
	case groundwork.RoleLeader:
		h["Groundwork-Official"] = r["officialId"]
	}
	h["Groundwork-Region"] = r["regionId"]
	return caller{f, h}
}

// aimed writes documents whose ids point into a realm.
type aimed struct {
	asking
	at        realm
	operation string
}

// besides are what an operation is given beside what it needs, to reach the rows at all.
var besides = map[string]string{
	"submitOpinion": "regionId", "openDiscussion": "regionId", "createPolicy": "regionId", "addCampaignTask": "ownerUnitId", "recordVisit": "endedAt",
}

// said are values that pass the first look.
var said = map[string]string{
	"periodFrom": `"2026-04-01"`, "periodTo": `"2026-09-01"`, "startsAt": `"2026-03-09T00:00:00Z"`, "dueAt": `"2026-06-01T00:00:00Z"`, "startedAt": `"2026-03-01T01:00:00Z"`,
	"endedAt": `"2026-03-01T02:00:00Z"`, "reason": `"what the test says"`, "rank": "COUNTY", "origin": "H3", "state": "HELD", "targetDate": `"2026-04-01T00:00:00Z"`, "reviewAt": `"2026-04-01T00:00:00Z"`, "measure": `"H1"`,
	"reportLevel": "PREFECTURE", "closesAt": `"2026-06-01T00:00:00Z"`,
}

func (a aimed) mutation(field *ast.FieldDefinition) string {
	input := a.schema.Types[field.Arguments[0].Type.Name()]
	payload := a.schema.Types[field.Type.Name()]
	errors := "userErrors { code message }"
	if results := payload.Fields.ForName("results"); results != nil {
		if a.schema.Types[results.Type.Name()].Fields.ForName("userErrors") != nil {
			errors = "results { userErrors { code message } } userErrors { code message }"
		}
	}
	return "mutation { " + field.Name + "(input: " + a.object(input, besides[field.Name]) + ") { " + errors + " } }"
}

func (a aimed) object(d *ast.Definition, besides string) string {
	var fields []string
	for _, f := range d.Fields {
		needed := f.Type.NonNull && f.DefaultValue == nil
		if needed || f.Name == besides && besides != "" {
			fields = append(fields, f.Name+": "+a.aim(f.Name, f.Type))
		}
	}
	if d.Name == "EvidenceInput" {
		fields = append(fields, `issueId: "`+a.at["issueId"]+`"`)
	}
	return "{" + strings.Join(fields, ", ") + "}"
}

func (a aimed) aim(name string, t *ast.Type) string {
	if t.Elem != nil {
		return "[" + a.aim(name, t.Elem) + "]"
	}
	if id, ok := a.at[a.operation+"."+name]; ok && t.Name() == "ID" {
		return `"` + id + `"`
	}
	if id, ok := a.at[name]; ok && t.Name() == "ID" {
		return `"` + id + `"`
	}
	if v, ok := said[name]; ok {
		return v
	}
	if d := a.schema.Types[t.Name()]; d.Kind == ast.InputObject {
		return a.object(d, "")
	}
	return a.value(t)
}

// How a refusal says that something is not reached.
var beyond = []string{"outside of what", "is for the units that work on it", "is for those who reported it", "act for that unit", "is held by those who lead it or take part", "does not exist"}

func isBeyond(r reply) bool {
	for _, words := range beyond {
		if strings.Contains(string(r.body), words) {
			return true
		}
	}
	return false
}

// apart are operations that are tried elsewhere: by SQL (TestRowsByRole), with their nouns, or because they ask the warehouse first.
func apart(name string) bool {
	switch name {
	case "completeCampaignTask", "dropCampaignTask", "reopenCampaignTask", "selectCampaign":
		return true
	}
	for _, noun := range []string{"skill", "training", "flag", "assess", "snapshot", "target", "contact", "officialname"} {
		if strings.Contains(strings.ToLower(name), noun) {
			return true
		}
	}
	return name == "readNotifications"
}

// Every role takes every step that the table allows it, on things that it reaches and on things that it does not: the table says which is
// refused as lying outside. What the table does not allow is refused before, wherever it lies (TestEveryRoleAsksForEverything).
func TestEveryRoleInsideAndOutsideOfWhatItReaches(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	inside, outside := newRealm(t, f, "B市", "430200000000"), newRealm(t, f, "C市", "430300000000")
	schema := gen.NewExecutableSchema(gen.Config{}).Schema()
	tried, differ := 0, []string{}
	for _, place := range []struct {
		name string
		realm
	}{{"outside", outside}, {"inside", inside}} {
		for _, field := range schema.Types["Mutation"].Fields {
			if apart(field.Name) || len(field.Arguments) != 1 {
				continue
			}
			document := aimed{asking{schema}, place.realm, field.Name}.mutation(field)
			for _, role := range groundwork.Roles {
				scope, ok := groundwork.Allowed(field.Name, role)
				if !ok {
					continue
				}
				tried++
				asked := document
				if role == groundwork.RoleLeader {
					asked = strings.ReplaceAll(asked, "origin: H3", "origin: LEADER")
				}
				r := f.boundTo(inside, role).ask(asked, nil)
				narrow := scope == groundwork.InRegion || scope == groundwork.OfUnit || scope == groundwork.Own
				if field.Name == "submitOpinion" && role == groundwork.RoleCitizen { // what somebody says is its own, wherever it is about
					narrow = false
				}
				if wanted := narrow && place.name == "outside"; wanted != isBeyond(r) {
					differ = append(differ, fmt.Sprintf("%s as %s (%s) %s: %s\n\t%s", field.Name, role, scope, place.name, r.body, document))
				}
			}
		}
	}
	require.Empty(t, differ, strings.Join(differ, "\n"))
	require.Greater(t, tried, 150)
}

// What was told in confidence, slots and tasks are there inside, and outside as if they were not; of what is public, details are shown inside alone.
func TestReadingInsideAndOutside(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	inside, outside := newRealm(t, f, "B市", "430200000000"), newRealm(t, f, "C市", "430300000000")
	for _, r := range []realm{inside, outside} {
		c := caller{f, map[string]string{"Groundwork-Actor": r["citizen"], "Groundwork-Role": "CITIZEN"}}
		r["secret"] = c.create("submitOpinion", "opinion", `kind: REPORT, text: "He took it", confidentiality: CONFIDENTIAL, regionId: "`+r["regionId"]+`"`)
		r["told"] = f.as("INTAKE").create("registerIssue", "issue", `opinionIds: ["`+r["secret"]+`"]`)
	}
	const read = `query($o: ID!, $i: ID!, $p: ID!, $s: ID!) {
		opinion(id: $o) { text } told: issue(id: $i) { id opinions(first: 1) { text } } node(id: $i) { id } nodes(ids: [$o]) { id }
		public: issue(id: $p) { permittedSteps permittedTransitions events(first: 9) { kind detail } } rotaSlot(id: $s) { id } }`
	ids := func(r realm) map[string]any {
		return map[string]any{"o": r["secret"], "i": r["told"], "p": r["issueId"], "s": r["slotId"]}
	}
	list := `{ issues(first: 50) { nodes { id } } opinions(first: 50) { nodes { id } } rotaSlots(first: 50) { nodes { id } } }`
	for _, role := range []groundwork.Role{groundwork.RoleDispatcher, groundwork.RoleSupervisor, groundwork.RoleIntake, groundwork.RoleHandler, groundwork.RolePrivacyOfficer} {
		c := f.boundTo(inside, role)
		r := c.get(read, ids(inside))
		require.Equal(t, "He took it", r.text(t, "opinion", "text"), role)
		require.Equal(t, "He took it", r.text(t, "told", "opinions", 0, "text"), role)
		require.NotNil(t, r.at(t, "node"), role)
		require.NotNil(t, r.at(t, "rotaSlot"), role)
		require.NotEmpty(t, r.at(t, "public", "events", 0, "detail"), role)
		if role == groundwork.RoleDispatcher || role == groundwork.RoleSupervisor {
			require.NotEmpty(t, r.at(t, "public", "permittedSteps"), role)
		}

		r = c.get(read, ids(outside))
		require.Nil(t, r.at(t, "opinion"), role)
		require.Nil(t, r.at(t, "told"), role)
		require.Nil(t, r.at(t, "node"), role)
		require.Nil(t, r.at(t, "nodes", 0), role)
		require.Nil(t, r.at(t, "rotaSlot"), role)
		require.Equal(t, "REGISTERED", r.text(t, "public", "events", 0, "kind"), "the public sees that, and so does a worker elsewhere")
		require.Nil(t, r.at(t, "public", "events", 0, "detail"), role)
		require.Empty(t, r.at(t, "public", "permittedSteps"), role)
		require.Empty(t, r.at(t, "public", "permittedTransitions"), role)

		listed := string(c.get(list, nil).body)
		for _, thing := range []string{"secret", "told", "slotId"} {
			require.Contains(t, listed, inside[thing], role)
			require.NotContains(t, listed, outside[thing], role)
		}
	}
	for _, c := range []caller{{f, nil}, f.boundTo(outside, groundwork.RoleAnalyst), f.boundTo(outside, groundwork.RoleResearcher)} {
		r := c.ask(`query($o: ID!, $i: ID!) { opinion(id: $o) { text } told: issue(id: $i) { id } node(id: $i) { id } issues(first: 50) { nodes { id } } opinions(first: 50) { nodes { id } } }`,
			map[string]any{"o": outside["secret"], "i": outside["told"]})
		require.Nil(t, r.at(t, "opinion"))
		require.Nil(t, r.at(t, "told"))
		require.NotContains(t, string(r.body), outside["secret"])
		require.NotContains(t, string(r.body), outside["told"])
	}
	refused := f.boundTo(inside, groundwork.RoleDispatcher).get(`mutation($i: ID!, $u: ID!) { dispatchIssue(input: {issueId: $i, unitId: $u}) { userErrors { code message } } }`,
		map[string]any{"i": outside["issueId"], "u": outside["unitId"]})
	require.Equal(t, "FORBIDDEN", refused.text(t, "dispatchIssue", "userErrors", 0, "code"))
	message := refused.text(t, "dispatchIssue", "userErrors", 0, "message")
	for _, part := range []string{"C市 430300000000", "B市 430200000000", "groundwork account grant", "--region 430300000000"} {
		require.Contains(t, message, part)
	}
}
