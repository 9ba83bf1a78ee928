package graph_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSkillsThroughTheAPI(t *testing.T) {
	t.Parallel()
	g := newGoesDown(t)
	assessors := g.create("createOrgUnit", "orgUnit", `name: "Assessors", kind: PARTY`)
	assessor := g.as("ASSESSOR")
	assessor.headers["Groundwork-Unit"] = assessors
	skill := assessor.create("assessSkill", "skillRecord", `officialId: "`+g.official+`", ability: MASS_WORK, level: 3, evidence: "report 7"`)
	refused := g.as("ASSESSOR").get(`mutation($o: ID!) { assessSkill(input: {officialId: $o, ability: REFORM, level: 3, evidence: "x"}) { skillRecord { id } userErrors { code message } } }`, map[string]any{"o": g.official})
	require.Equal(t, "FORBIDDEN", refused.at(t, "assessSkill", "userErrors", 0, "code"), "bound to no unit")
	training := assessor.create("announceTraining", "training", `title: "Listening", ability: MASS_WORK, unitId: "`+assessors+`", startsOn: "2026-02-01", endsOn: "2026-02-03"`)
	took := assessor.get(`mutation($o: ID!, $t: ID!) { recordTrainingParticipation(input: {officialId: $o, trainingId: $t, completed: true}) { participation { completed training { id } official { id } } userErrors { message } } }`,
		map[string]any{"o": g.official, "t": training})
	require.Equal(t, training, took.at(t, "recordTrainingParticipation", "participation", "training", "id"))

	const ask = `query($id: ID!, $o: ID!) {
		skillRecord(id: $id) { level } node(id: $id) { id }
		skillRecords(first: 5, filter: {official: $o, ability: {in: [MASS_WORK]}, at: {gte: "2026-01-01T00:00:00Z"}}) { nodes { ability level evidence at official { id } assessorUnit { id } } }
		trainings(first: 5) { nodes { id title startsOn endsOn unit { id } } }
		trainingParticipations(first: 5, filter: {official: $o}) { nodes { completed } } }`
	variables := map[string]any{"id": skill, "o": g.official}
	r := g.leader().get(ask, variables)
	require.EqualValues(t, 3, r.at(t, "skillRecords", "nodes", 0, "level"))
	require.Equal(t, assessors, r.at(t, "skillRecords", "nodes", 0, "assessorUnit", "id"))
	require.EqualValues(t, 3, r.at(t, "skillRecord", "level"))
	require.Equal(t, skill, r.at(t, "node", "id"))
	require.Len(t, r.at(t, "trainingParticipations", "nodes").([]any), 1)
	require.Equal(t, training, r.at(t, "trainings", "nodes", 0, "id"))

	r = g.as("LEADER").get(ask, variables) // somebody else
	require.Nil(t, r.at(t, "skillRecord"))
	require.Nil(t, r.at(t, "node"))
	require.Empty(t, r.at(t, "skillRecords", "nodes"))
	require.Empty(t, r.at(t, "trainingParticipations", "nodes"))
	for _, role := range []string{"CITIZEN", "ANALYST", "RESEARCHER", "SYSTEM"} {
		require.Nil(t, g.as(role).get(`query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": skill}).at(t, "node"), role)
		r := g.as(role).ask(`{ skillRecords(first: 5) { nodes { id } } }`, nil)
		require.Equal(t, "FORBIDDEN", r.Errors[0].Extensions.Code, role)
	}
}
