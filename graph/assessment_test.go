package graph_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/graph"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

const flagReply = ` { formalismFlag { id version state finding reviewerUnit { id } permittedTransitions } userErrors { code message field } consistency clientMutationId } }`

const assessmentReply = ` { assessment { id version state frozenSha256 frozen flags { id kind } snapshots { measure sha256 cells subjectPost { id } } permittedTransitions } userErrors { code message field }
	consistency clientMutationId } }`

// From a sign of formalism to the decision on an appeal: who may do what, and on what the assessment rests.
func TestAnAssessmentThroughTheAPI(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{warehouse: true})
	g := &goesDown{office: f}
	unit := f.create("createOrgUnit", "orgUnit", `name: "City office", kind: GOVT, regionId: "`+f.city+`"`)
	g.official = f.create("createOfficial", "official", `pseudonym: "official-1"`)
	g.post = f.create("createPostHolding", "postHolding", `officialId: "`+g.official+`", orgUnitId: "`+unit+`", rank: COUNTY, title: "Head", heldFrom: "2025-01-01"`)
	var token string
	for range 3 {
		ended := f.clock.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
		r := g.leader().get(`mutation { recordVisit(input: {activityKind: RESEARCH, notice: UNANNOUNCED, siteId: "`+f.site+`", leadId: "`+g.post+`", startedAt: "`+ended+`", endedAt: "`+ended+`", state: HELD}) {
			visit { id } userErrors { message } consistency } }`, nil)
		require.Empty(t, r.at(t, "recordVisit", "userErrors"))
		token = r.text(t, "recordVisit", "consistency")
	}
	f.clock.advance(40 * 24 * time.Hour)

	of := func(role, unit string) caller {
		c := f.as(role)
		c.headers["Groundwork-Unit"] = unit
		return c
	}
	assessor, supervisor, insider := of("ASSESSOR", f.callers), of("SUPERVISOR", f.bureau), of("SUPERVISOR", unit)
	raise := `kind: "F1", subject: {postId: "` + g.post + `"}, periodFrom: "2026-01-01", periodTo: "2026-04-01", detector: "outlier", detectorVersion: 1, score: 0.9, evidence: {n: 12}`
	raised := f.as("SYSTEM").get(`mutation { s: raiseFlag(input: {`+raise+`})`+flagReply, nil)
	flag := raised.text(t, "s", "formalismFlag", "id")
	require.Equal(t, flag, f.as("SYSTEM").get(`mutation { s: raiseFlag(input: {`+raise+`})`+flagReply, nil).text(t, "s", "formalismFlag", "id"), "once")
	step := func(c caller, mutation, input, answer string) stepped {
		f.clock.advance(time.Minute)
		return stepped{c.get(`mutation { s: `+mutation+`(input: {`+input+`})`+answer, nil)}
	}
	id := `flagId: "` + flag + `"`
	step(insider, "takeUpFlag", id, flagReply).refused(t, "FORBIDDEN")
	step(supervisor, "takeUpFlag", id+`, expectedVersion: 1`, flagReply).done(t, "formalismFlag", "UNDER_REVIEW")
	step(supervisor, "confirmFlag", id+`, reason: ""`, flagReply).refused(t, "BAD_USER_INPUT")
	step(supervisor, "confirmFlag", id+`, reason: "Nothing was heard"`, flagReply).done(t, "formalismFlag", "CONFIRMED")
	stranger := f.as("LEADER")
	read := `query($id: ID!) { formalismFlag(id: $id) { kind score evidence subjectPost { id } history { kind } } node(id: $id) { id } formalismFlags(first: 5, filter: {kinds: ["F1"], states: [CONFIRMED]}) { nodes { id } } }`
	require.Nil(t, stranger.get(read, map[string]any{"id": flag}).at(t, "node"), "another leader")
	require.Empty(t, stranger.get(read, map[string]any{"id": flag}).at(t, "formalismFlags", "nodes"))
	require.Len(t, g.leader().get(read, map[string]any{"id": flag}).at(t, "formalismFlags", "nodes"), 1)

	refused := assessor.get(`mutation { openAssessmentCycle(input: {name: "x", periodFrom: "2026-01-01", periodTo: "2026-04-01", measures: [H1]}) { userErrors { field } } }`, nil)
	require.Equal(t, "measures", refused.text(t, "openAssessmentCycle", "userErrors", 0, "field"))
	cycle := assessor.create("openAssessmentCycle", "assessmentCycle", `name: "Spring 2026", periodFrom: "2026-01-01", periodTo: "2026-04-01", measures: [F1, F2]`)
	step(of("ASSESSOR", unit), "openAssessment", `cycleId: "`+cycle+`", subject: {postId: "`+g.post+`"}`, assessmentReply).refused(t, "FORBIDDEN")
	opened := step(assessor, "openAssessment", `cycleId: "`+cycle+`", subject: {postId: "`+g.post+`"}, clientMutationId: "m"`, assessmentReply)
	opened.done(t, "assessment", "OPEN")
	a := opened.text(t, "s", "assessment", "id")
	id = `assessmentId: "` + a + `"`
	frozen := step(assessor, "freezeAssessment", id+`, consistency: "`+token+`"`, assessmentReply)
	frozen.done(t, "assessment", "FROZEN")
	require.Equal(t, "F1", frozen.text(t, "s", "assessment", "snapshots", 0, "measure"), "F2 says nothing of posts")
	require.Len(t, frozen.at(t, "s", "assessment", "snapshots"), 1)
	require.Equal(t, []any{float64(3)}, frozen.at(t, "s", "assessment", "snapshots", 0, "cells", "n"))
	require.Equal(t, flag, frozen.text(t, "s", "assessment", "flags", 0, "id"))
	require.Contains(t, frozen.text(t, "s", "assessment", "frozen"), frozen.text(t, "s", "assessment", "snapshots", 0, "sha256"))
	step(assessor, "reviewAssessment", id+`, comment: ""`, assessmentReply).refused(t, "BAD_USER_INPUT")
	step(assessor, "reviewAssessment", id+`, comment: "Few traces"`, assessmentReply).done(t, "assessment", "REVIEWED")
	step(assessor, "finalizeAssessment", id+`, conclusion: "x"`, assessmentReply).refused(t, "ILLEGAL_TRANSITION")
	step(stranger, "replyToAssessment", id+`, reply: "x"`, assessmentReply).refused(t, "NOT_FOUND")
	step(g.leader(), "replyToAssessment", id+`, reply: "All was well there"`, assessmentReply).done(t, "assessment", "REPLIED")
	step(assessor, "finalizeAssessment", id+`, conclusion: "Ask more"`, assessmentReply).done(t, "assessment", "FINAL")
	step(g.leader(), "appealAssessment", id+`, reason: "A short spring"`, assessmentReply).done(t, "assessment", "APPEALED")
	step(insider, "decideAssessmentAppeal", id+`, decision: "x"`, assessmentReply).refused(t, "FORBIDDEN")
	step(supervisor, "decideAssessmentAppeal", id+`, decision: "It stands"`, assessmentReply).done(t, "assessment", "FINAL")

	seen := g.leader().get(`query($id: ID!) { assessment(id: $id) { comment reply conclusion appeal decision reviewerUnit { id } deciderUnit { id } subjectUnit { id } cycle { name definitions { code } }
		history { kind toState } } assessments(first: 5, filter: {states: [FINAL]}) { nodes { id } } assessmentCycles(first: 5) { nodes { id } } node(id: $id) { id } }`, map[string]any{"id": a})
	require.Equal(t, "It stands", seen.text(t, "assessment", "decision"))
	require.Len(t, seen.at(t, "assessment", "history"), 7)
	require.Len(t, seen.at(t, "assessment", "cycle", "definitions"), 2)
	require.Len(t, seen.at(t, "assessments", "nodes"), 1)
	require.Nil(t, stranger.get(`query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": a}).at(t, "node"))
	require.Nil(t, f.as("CITIZEN").get(`query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": a}).at(t, "node"))
}

// stepped is the answer of a step.
type stepped struct{ reply }

func (r stepped) done(t *testing.T, field, state string) {
	t.Helper()
	require.Empty(t, r.at(t, "s", "userErrors"), "%s", r.body)
	require.Equal(t, state, r.text(t, "s", field, "state"))
	require.NotEmpty(t, r.text(t, "s", "consistency"))
}

func (r stepped) refused(t *testing.T, code string) {
	t.Helper()
	require.Equal(t, code, r.text(t, "s", "userErrors", 0, "code"), "%s", r.body)
}

// A cycle that was opened under an earlier version of a measure is frozen by that version, and its snapshot is found the same by it afterwards.
func TestACycleKeepsItsVersionsOfMeasures(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{warehouse: true})
	g := &goesDown{office: f}
	unit := f.create("createOrgUnit", "orgUnit", `name: "City office", kind: GOVT, regionId: "`+f.city+`"`)
	g.official = f.create("createOfficial", "official", `pseudonym: "official-1"`)
	g.post = f.create("createPostHolding", "postHolding", `officialId: "`+g.official+`", orgUnitId: "`+unit+`", rank: COUNTY, title: "Head", heldFrom: "2025-01-01"`)
	ended := f.clock.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	visited := g.leader().get(`mutation { recordVisit(input: {activityKind: RESEARCH, notice: UNANNOUNCED, siteId: "`+f.site+`", leadId: "`+g.post+`", startedAt: "`+ended+`", endedAt: "`+ended+`", state: HELD}) {
		userErrors { message } consistency } }`, nil)
	require.Empty(t, visited.at(t, "recordVisit", "userErrors"))
	f.clock.advance(40 * 24 * time.Hour)
	assessor := f.as("ASSESSOR")
	assessor.headers["Groundwork-Unit"] = f.callers

	store := pgtest.Open(t, f.dsn, postgres.Options{})
	former, err := groundwork.NewMeasureDefinition("F1", "2", map[string]string{"code": "F1", "version": "2"})
	require.NoError(t, err)
	_, err = store.KeepMeasureDefinitions(t.Context(), []groundwork.MeasureDefinition{former})
	require.NoError(t, err)
	cycle := assessor.create("openAssessmentCycle", "assessmentCycle", `name: "Before", periodFrom: "2026-01-01", periodTo: "2026-04-01", measures: [F1]`)
	now, err := graph.MeasureDefinitions()
	require.NoError(t, err)
	kept, err := store.KeepMeasureDefinitions(t.Context(), now)
	require.NoError(t, err)
	require.NotEmpty(t, kept, "an operator migrates: the measure means something new")
	after := assessor.create("openAssessmentCycle", "assessmentCycle", `name: "After", periodFrom: "2026-01-01", periodTo: "2026-04-01", measures: [F1]`)

	frozen := func(cycle string) reply {
		opened := stepped{assessor.get(`mutation { s: openAssessment(input: {cycleId: "`+cycle+`", subject: {postId: "`+g.post+`"}})`+assessmentReply, nil)}
		opened.done(t, "assessment", "OPEN")
		f.clock.advance(time.Minute)
		r := stepped{assessor.get(`mutation { s: freezeAssessment(input: {assessmentId: "`+opened.text(t, "s", "assessment", "id")+`", consistency: "`+visited.text(t, "recordVisit", "consistency")+`"}) {
			assessment { state snapshots { id cells definition { definitionVersion } } } userErrors { code message } consistency } }`, nil)}
		r.done(t, "assessment", "FROZEN")
		snapshot := r.text(t, "s", "assessment", "snapshots", 0, "id")
		verified := assessor.get(`query($id: ID!) { verifySnapshot(id: $id) { outcome } }`, map[string]any{"id": snapshot})
		require.Equal(t, "SAME", verified.text(t, "verifySnapshot", "outcome"), "%s", verified.body)
		return r.reply
	}
	share := []any{"s", "assessment", "snapshots", 0, "cells", "numbers", 0, "value", 0}
	version := []any{"s", "assessment", "snapshots", 0, "definition", "definitionVersion"}
	r := frozen(cycle)
	require.Equal(t, "2", r.text(t, version...))
	require.EqualValues(t, 1, r.at(t, share...), "version 2 showed shares of posts as they were: %s", r.body)
	r = frozen(after)
	require.Equal(t, "3", r.text(t, version...))
	require.Nil(t, r.at(t, share...), "version 3 shows none of a single visit: %s", r.body)
}
