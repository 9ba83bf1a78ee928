package graph_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork/graph"
)

const visitReply = ` { visit { id version state permittedTransitions } userErrors { code message field } consistency clientMutationId } }`

// goesDown is a leader with a post in the city.
type goesDown struct {
	*office
	official, post, second string
}

func newGoesDown(t *testing.T) *goesDown {
	t.Helper()
	f := newOffice(t, options{})
	g := &goesDown{office: f}
	unit := f.create("createOrgUnit", "orgUnit", `name: "City office", kind: GOVT, regionId: "`+f.city+`"`)
	hold := func(name string) (official, post string) {
		official = f.create("createOfficial", "official", `pseudonym: "`+name+`"`)
		return official, f.create("createPostHolding", "postHolding", `officialId: "`+official+`", orgUnitId: "`+unit+`", rank: COUNTY, title: "Head", heldFrom: "2025-01-01"`)
	}
	g.official, g.post = hold("official-1")
	_, g.second = hold("official-2")
	return g
}

func (g *goesDown) leader() caller {
	c := g.as("LEADER")
	c.headers["Groundwork-Official"] = g.official
	return c
}

func (g *goesDown) step(c caller, state, mutation, input string) reply {
	g.t.Helper()
	g.clock.advance(time.Minute)
	r := c.get(`mutation { s: `+mutation+`(input: {`+input+`})`+visitReply, nil)
	require.Empty(g.t, r.at(g.t, "s", "userErrors"), "%s: %s", mutation, r.body)
	require.Equal(g.t, state, r.text(g.t, "s", "visit", "state"), mutation)
	return r
}

// What was raised at a visit is found by it: what lies on no issue yet keeps it from being closed out.
func TestWhatWasRaisedAtAVisit(t *testing.T) {
	t.Parallel()
	g := newGoesDown(t)
	plan := func(starts time.Time) reply {
		return g.leader().get(`mutation { s: planVisit(input: {activityKind: RESEARCH, notice: UNANNOUNCED, siteId: "`+g.site+`", leadId: "`+g.post+`", startsAt: "`+
			starts.UTC().Format(time.RFC3339)+`"}) { visit { id } userErrors { field message } } }`, nil)
	}
	require.Equal(t, "startsAt", plan(g.clock.Now().Add(-time.Hour)).text(t, "s", "userErrors", 0, "field"), "the field as the caller knows it")
	visit := plan(g.clock.Now().Add(time.Hour)).text(t, "s", "visit", "id")
	id := `visitId: "` + visit + `"`
	g.step(g.leader(), "CHECKED_IN", "checkInVisit", id)
	g.step(g.leader(), "HELD", "endVisit", id)
	g.step(g.leader(), "RECORDED", "recordVisitNote", id+`, noteText: "Heard of the water.", noteUnitId: "`+g.unitOf(g.post)+`"`)
	heard := g.leader().create("submitOpinion", "opinion", `channel: VISIT, kind: COMPLAINT, text: "No water", `+id+`, regionId: "`+g.city+`"`)
	g.as("INTAKE").create("submitOpinion", "opinion", `channel: HOTLINE, kind: COMPLAINT, text: "No light", regionId: "`+g.city+`"`)
	raised := g.leader().get(`query($v: ID!) { opinions(first: 10, filter: {visit: $v, linked: false}) { nodes { id } } }`, map[string]any{"v": visit})
	require.Len(t, raised.at(t, "opinions", "nodes").([]any), 1)
	require.Equal(t, heard, raised.text(t, "opinions", "nodes", 0, "id"))
}

func TestTheRotaThroughTheAPI(t *testing.T) {
	t.Parallel()
	g := newGoesDown(t)
	plan := g.as("SUPERVISOR").create("publishRotaPlan", "rotaPlan", `name: "Leaders 2026", regionId: "`+g.province+`", rank: COUNTY, activityKind: RESEARCH, cadence: MONTHLY,
		periodFrom: "2026-03-01", periodTo: "2026-06-01"`)
	starts := g.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	planned := g.step(g.leader(), "PLANNED", "planVisit", `activityKind: RESEARCH, notice: UNANNOUNCED, siteId: "`+g.site+`", leadId: "`+g.post+`", participantIds: ["`+g.second+`"], startsAt: "`+starts+`"`)
	require.Equal(t, []any{"CHECKED_IN", "CANCELLED"}, planned.at(t, "s", "visit", "permittedTransitions"))
	visit := planned.text(t, "s", "visit", "id")
	id := `visitId: "` + visit + `"`
	g.step(g.leader(), "CHECKED_IN", "checkInVisit", id+`, expectedVersion: 1`)
	g.step(g.leader(), "HELD", "endVisit", id+`, citizensMet: 7`)
	g.step(g.leader(), "RECORDED", "recordVisitNote", id+`, noteText: "Heard of the water.", noteUnitId: "`+g.unitOf(g.post)+`"`)
	attested := g.as("CALLER").get(`mutation { attestVisit(input: {`+id+`, voice: CITIZEN, says: HELD_AS_RECORDED, nothingRaised: true}) { attestation { voice says nothingRaised at } userErrors { message } } }`, nil)
	require.Equal(t, true, attested.at(t, "attestVisit", "attestation", "nothingRaised"))
	g.step(g.leader(), "CLOSED_OUT", "closeOutVisit", id)

	r := g.leader().get(`query($visit: ID!, $plan: ID!) {
		visit(id: $visit) { citizensMet participants { id } attestations { voice says } history { kind toState } }
		rotaPlan(id: $plan) { name version cadence periodFrom region { id } }
		rotaPlans(first: 5) { nodes { id } }
		rotaSlots(first: 10, filter: {mine: true, plan: $plan}) { nodes { id state windowFrom windowTo post { id } plan { id } visit { id } region { id } swappedFor { id } history { kind } } } }`,
		map[string]any{"visit": visit, "plan": plan})
	require.EqualValues(t, 7, r.at(t, "visit", "citizensMet"))
	require.Equal(t, g.second, r.at(t, "visit", "participants", 0, "id"))
	require.Len(t, r.at(t, "visit", "history").([]any), 5)
	require.Equal(t, g.province, r.at(t, "rotaPlan", "region", "id"))
	require.Len(t, r.at(t, "rotaSlots", "nodes").([]any), 3)
	require.Equal(t, "FULFILLED", r.at(t, "rotaSlots", "nodes", 0, "state"))
	require.Equal(t, visit, r.at(t, "rotaSlots", "nodes", 0, "visit", "id"))
	require.Equal(t, "2026-03-01", r.at(t, "rotaSlots", "nodes", 0, "windowFrom"))
	require.Empty(t, g.as("CITIZEN").get(`query($visit: ID!) { visit(id: $visit) { attestations { says } } }`, map[string]any{"visit": visit}).at(t, "visit", "attestations"))

	// What the comparison of notes found is for the official, assessors and supervisors.
	conn, err := pgx.Connect(t.Context(), g.dsn)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), `INSERT INTO note_check (visit_id, official_id, noted_at, shingles, sketch, source_id, whose, containment, copied, span_from, span_length, source_from, detector)
		SELECT v.id, h.official_id, now(), 90, '{}', v.id, 'OWN', 0.9, true, 9, 9, 2, 1 FROM visit v JOIN post_holding h ON h.id = v.lead_id`)
	require.NoError(t, err)
	const check = `query($visit: ID!) { visit(id: $visit) { noteCheck { containment shingles copied own passage passageFrom sourceFrom checkedAt source { id } } } }`
	for _, who := range []caller{g.leader(), g.as("SUPERVISOR")} {
		found := who.get(check, map[string]any{"visit": visit})
		require.Equal(t, "the water", found.text(t, "visit", "noteCheck", "passage"))
		require.Equal(t, visit, found.text(t, "visit", "noteCheck", "source", "id"))
		require.Equal(t, 0.9, found.at(t, "visit", "noteCheck", "containment"))
	}
	for _, role := range []string{"CITIZEN", "ANALYST", "CALLER"} {
		require.Nil(t, g.as(role).get(check, map[string]any{"visit": visit}).at(t, "visit", "noteCheck"), role)
	}

	slot := r.text(t, "rotaSlots", "nodes", 1, "id")
	excused := g.as("SUPERVISOR").get(`mutation($slot: ID!) { excuseSlot(input: {slotId: $slot, reason: "Flood"}) { rotaSlot { state permittedTransitions history { kind reason } } userErrors { message } } }`, map[string]any{"slot": slot})
	require.Equal(t, "EXCUSED", excused.at(t, "excuseSlot", "rotaSlot", "state"))
	refused := g.as("SUPERVISOR").get(`mutation($slot: ID!, $post: ID!) { swapSlot(input: {slotId: $slot, postId: $post, reason: "Ill"}) { rotaSlot { id } userErrors { code field } } }`,
		map[string]any{"slot": r.text(t, "rotaSlots", "nodes", 2, "id"), "post": g.second})
	require.Equal(t, "postId", refused.at(t, "swapSlot", "userErrors", 0, "field"), "who has a turn already")
	voided := g.step(g.as("SUPERVISOR"), "VOID", "voidVisit", id+`, reason: "Not held"`)
	require.Empty(t, voided.at(t, "s", "visit", "permittedTransitions"))
	nodes := g.leader().get(`query($ids: [ID!]!) { nodes(ids: $ids) { id ... on RotaSlot { state } } }`, map[string]any{"ids": []string{plan, slot}})
	require.Equal(t, "EXCUSED", nodes.at(t, "nodes", 1, "state"))
}

// unitOf is the unit of a post.
func (g *goesDown) unitOf(post string) string {
	g.t.Helper()
	return g.as("LEADER").get(`query($id: ID!) { node(id: $id) { ... on PostHolding { orgUnit { id } } } }`, map[string]any{"id": post}).text(g.t, "node", "orgUnit", "id")
}

// A lot decides whose visits are checked back; who is to ask sees them, and nobody else knows.
func TestVisitsToCheckBack(t *testing.T) {
	t.Parallel()
	g := newGoesDown(t)
	conn, err := pgx.Connect(t.Context(), g.dsn)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	made := 0
	draw := func(drawn bool) string {
		made++
		ended := g.clock.Now().Add(-time.Duration(made) * time.Hour).UTC()
		visit := g.leader().create("recordVisit", "visit", `activityKind: RESEARCH, notice: UNANNOUNCED, siteId: "`+g.site+`", leadId: "`+g.post+`", participantIds: ["`+g.second+`"], state: HELD,
			startedAt: "`+ended.Add(-30*time.Minute).Format(time.RFC3339)+`", endedAt: "`+ended.Format(time.RFC3339)+`"`)
		_, err := conn.Exec(t.Context(), "UPDATE visit SET drawn = $1 WHERE started_at = (SELECT min(started_at) FROM visit)", drawn)
		require.NoError(t, err)
		return visit
	}
	const document = `query($filter: VisitFilter) { visitsToCheckBack(first: 10, filter: $filter) { nodes { id } } }`
	listed := func(who caller, filter map[string]any) (ids []string) {
		t.Helper()
		r := who.get(document, map[string]any{"filter": filter})
		for n := range r.at(t, "visitsToCheckBack", "nodes").([]any) {
			ids = append(ids, r.text(t, "visitsToCheckBack", "nodes", n, "id"))
		}
		return ids
	}
	as := func(role, header, id string) caller {
		c := g.as(role)
		c.headers[header] = id
		return c
	}
	later, sooner := draw(true), draw(true)
	draw(false)
	both := []string{later, sooner}
	elsewhere := g.create("createRegion", "region", `code: "440000000000", name: "B省", level: PROVINCE`)
	for _, role := range []string{"CALLER", "SUPERVISOR"} {
		require.Equal(t, both, listed(g.as(role), nil), role)
		require.Equal(t, both, listed(as(role, graph.HeaderRegion, g.province), nil), "anywhere below")
		require.Empty(t, listed(as(role, graph.HeaderRegion, elsewhere), nil), "of one's regions alone")
		require.Empty(t, listed(as(role, graph.HeaderUnit, g.unitOf(g.post)), nil), "of one's own unit")
		require.Empty(t, listed(as(role, graph.HeaderOfficial, g.official), nil), "one's own")
		require.Empty(t, listed(g.as(role), map[string]any{"activityKind": map[string]any{"in": []string{"RECEPTION"}}}), role)
	}
	for _, role := range []string{"CITIZEN", "INTAKE", "DISPATCHER", "HANDLER", "UNIT_HEAD", "LEADER", "ASSESSOR", "ANALYST", "RESEARCHER", "PRIVACY_OFFICER"} {
		require.Equal(t, "FORBIDDEN", g.as(role).ask(document, nil).Errors[0].Extensions.Code, role)
	}
	say := func(visit, voice, says string) {
		t.Helper()
		r := g.as("CALLER").get(`mutation { attestVisit(input: {visitId: "`+visit+`", voice: `+voice+`, says: `+says+`}) { attestation { voice } } }`, nil)
		require.Equal(t, voice, r.at(t, "attestVisit", "attestation", "voice"))
	}
	say(later, "HOST", "HELD_AS_RECORDED")
	say(later, "CITIZEN", "UNSURE")
	require.Equal(t, both, listed(g.as("CALLER"), nil), "neither the host nor who is not sure has told")
	say(later, "CITIZEN", "SHORTER")
	require.Equal(t, []string{sooner}, listed(g.as("CALLER"), nil))
	g.step(g.as("SUPERVISOR"), "VOID", "voidVisit", `visitId: "`+sooner+`", reason: "Entered twice"`)
	require.Empty(t, listed(g.as("SUPERVISOR"), nil))
}
