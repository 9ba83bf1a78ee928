package graph_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// Whoever reads what was taken away learns that, and when: an empty text alone could as well be one that nobody wrote.
func TestRedactedThroughTheAPI(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	f.clock.advance(time.Since(f.clock.Now()) - 3*365*24*time.Hour) // retention goes by the clock of the database
	nobody := caller{f: f, headers: map[string]string{}}
	said := nobody.get(anonymousOpinion, map[string]any{"text": "A hole in front of No. 7"})
	opinion, secret := said.text(t, "submitOpinion", "opinion", "id"), said.text(t, "submitOpinion", "secret")
	issue := f.as("INTAKE").get(`mutation($o: ID!, $c: ID!) { registerIssue(input: {opinionIds: [$o], categoryId: $c}) { issue { id } userErrors { message } } }`,
		map[string]any{"o": opinion, "c": f.category}).text(t, "registerIssue", "issue", "id")
	f.clock.advance(time.Minute)
	withdrawn := nobody.get(`mutation { s: withdrawIssue(input: {issueId: "`+issue+`", reason: "Filled", pressured: NO, secret: "`+secret+`"})`+stepReply, nil)
	require.Equal(t, "CLOSED", withdrawn.text(t, "s", "issue", "state"))

	const ask = `query($i: ID!, $o: ID!) { issue(id: $i) { title redactedAt opinions(first: 5) { text redactedAt } } opinion(id: $o) { text redactedAt } }`
	variables := map[string]any{"i": issue, "o": opinion}
	before := f.as("INTAKE").get(ask, variables)
	require.Nil(t, before.at(t, "issue", "redactedAt"))
	require.Nil(t, before.at(t, "opinion", "redactedAt"))
	require.Equal(t, "A hole in front of No. 7", before.text(t, "opinion", "text"))

	chores := pgtest.Open(t, f.dsn, postgres.Options{Role: postgres.RoleJobs})
	asOf := time.Now().Add(-time.Minute).UTC().Truncate(time.Second)
	for _, kind := range []groundwork.RetentionKind{groundwork.KeepOpinionWords, groundwork.KeepIssueWords} {
		done, err := chores.ApplyRetention(t.Context(), kind, asOf)
		require.NoError(t, err)
		require.Equal(t, 1, done, kind)
	}
	for _, role := range []string{"INTAKE", "CITIZEN"} {
		after := f.as(role).get(ask, variables)
		require.Equal(t, "Roads", after.text(t, "issue", "title"), "the name of the category, in place of the title")
		for _, at := range [][]any{{"issue"}, {"opinion"}, {"issue", "opinions", 0}} {
			when, err := time.Parse(time.RFC3339, after.text(t, append(at, "redactedAt")...))
			require.NoError(t, err)
			require.True(t, asOf.Equal(when), "%v: %s", at, when)
		}
		require.Empty(t, after.at(t, "opinion", "text"))
	}
}

func TestRedactedVisitsAndPostsThroughTheAPI(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	f.clock.advance(time.Since(f.clock.Now()) - 3*365*24*time.Hour)
	g := &goesDown{office: f, official: f.create("createOfficial", "official", `pseudonym: "official-1"`)}
	g.post = f.create("createPostHolding", "postHolding", `officialId: "`+g.official+`", orgUnitId: "`+f.bureau+`", rank: COUNTY, title: "Head", heldFrom: "2020-01-01"`)
	ended := f.clock.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	visit := g.leader().create("recordVisit", "visit", `activityKind: RESEARCH, notice: UNANNOUNCED, siteId: "`+f.site+`", leadId: "`+g.post+`", startedAt: "`+ended+`", endedAt: "`+ended+`", state: RECORDED,
		noteText: "Li Mei told of the bridge", noteUnitId: "`+f.bureau+`"`)
	g.step(f.as("SUPERVISOR"), "VOID", "voidVisit", `visitId: "`+visit+`", reason: "Not held"`)
	discussion := g.leader().create("openDiscussion", "discussion", `topic: "The bridge", visitId: "`+visit+`"`)
	post := g.leader().create("postToDiscussion", "post", `discussionId: "`+discussion+`", kind: PROPOSAL, text: "Ask Li Mei first"`)
	g.leader().create("closeDiscussion", "discussion", `discussionId: "`+discussion+`", outcome: "It is mended"`)

	ask := `{ visit(id: "` + visit + `") { noteText redactedAt } discussionPosts(first: 5, filter: {discussion: "` + discussion + `"}) { nodes { id text redactedAt } } }`
	before := g.leader().get(ask, nil)
	require.Equal(t, map[string]any{"noteText": "Li Mei told of the bridge", "redactedAt": nil}, before.at(t, "visit"))
	require.Equal(t, map[string]any{"id": post, "text": "Ask Li Mei first", "redactedAt": nil}, before.at(t, "discussionPosts", "nodes", 0))

	chores := pgtest.Open(t, f.dsn, postgres.Options{Role: postgres.RoleJobs})
	compareNotes(t, chores)
	asOf := time.Now().Add(-time.Minute).UTC().Truncate(time.Second)
	for _, kind := range []groundwork.RetentionKind{groundwork.KeepVisitWords, groundwork.KeepPostWords} {
		done, err := chores.ApplyRetention(t.Context(), kind, asOf)
		require.NoError(t, err)
		require.Equal(t, 1, done, kind)
	}
	after := g.leader().get(ask, nil)
	require.Equal(t, map[string]any{"noteText": "", "redactedAt": asOf.Format(time.RFC3339)}, after.at(t, "visit"))
	require.Equal(t, map[string]any{"id": post, "text": "", "redactedAt": asOf.Format(time.RFC3339)}, after.at(t, "discussionPosts", "nodes", 0))
}

// compareNotes runs the chore without which no note is taken away: one that nobody compared yet could be a copy.
func compareNotes(t *testing.T, db *postgres.DB) {
	for _, c := range db.Chores() {
		if c.Name == "note_check" {
			_, err := c.Run(t.Context(), time.Now())
			require.NoError(t, err)
		}
	}
}
