package graph_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// What is told more than before is found over the whole road, in Chinese and in English; what fewer than eleven people use is not told, nor what was
// told in confidence, nor what was taken away.
func TestTopicPulse(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{warehouse: true})
	city, err := f.store.RegionByCode(t.Context(), "430100000000")
	require.NoError(t, err)
	say := func(reporter, daysAgo int, confidentiality, text string) {
		_, _, err := f.store.SubmitOpinion(t.Context(), groundwork.Actor{ID: fmt.Sprint("citizen ", reporter), Role: groundwork.RoleCitizen, Everywhere: true}, groundwork.Opinion{
			Channel: groundwork.ChannelOnline, Kind: groundwork.Complaint, Text: text, RegionID: &city.ID, ReceivedAt: f.clock.Now().AddDate(0, 0, -daysAgo), Confidentiality: confidentiality})
		require.NoError(t, err)
	}
	for i := range 40 {
		say(i, 10+i%14, "", "路灯坏了, and the lamps do not work")
	}
	for i := range 32 {
		text := "路灯坏了, and the lamps do not work"
		switch {
		case i < 12:
			text += "；垃圾焚烧. Stench at night, call 13800138000"
		case i < 22:
			text += ", says Lihua"
		}
		say(i, 1+i%5, "", text)
	}
	for i := range 12 {
		say(i, 2, groundwork.Confidential, "bribery")
	}
	ask := func(role, query string) reply {
		t.Helper()
		last := f.as("SYSTEM").get(`mutation($r: ID!) { setPopulation(input: {regionId: $r, year: 2026, persons: 1000, source: "census"}) { consistency } }`, map[string]any{"r": f.city})
		return f.as(role).ask(`query($token: String!) { topicPulse(query: {consistency: $token, range: {gte: "2026-02-24T00:00:00Z", lt: "2026-03-02T00:00:00Z"}, `+query+`}) {
			opinions baseline tested unread notes from baselineFrom fresh definitionVersion topics { word opinions baseline expected ratio ratioLow ratioHigh z p q rising } } }`,
			map[string]any{"token": last.text(t, "setPopulation", "consistency")})
	}
	words := func(r reply) []string {
		t.Helper()
		require.Empty(t, r.Errors, "%s", r.body)
		list := []string{}
		for _, topic := range r.at(t, "topicPulse", "topics").([]any) {
			list = append(list, topic.(map[string]any)["word"].(string))
		}
		slices.Sort(list)
		return list
	}
	r := ask("LEADER", "")
	require.Empty(t, words(r))
	require.EqualValues(t, 72, r.at(t, "topicPulse", "unread"))
	require.Contains(t, r.text(t, "topicPulse", "notes", 0), "not computable: 0 opinions were read")

	jobs := pgtest.Open(t, f.dsn, postgres.Options{Role: postgres.RoleJobs})
	chores := jobs.Chores()
	chore := chores[slices.IndexFunc(chores, func(c groundwork.Chore) bool { return c.Name == "opinion_words" })]
	done, err := chore.Run(t.Context(), time.Now())
	require.NoError(t, err)
	require.Equal(t, 72, done)

	r = ask("LEADER", "")
	require.Equal(t, []string{"night", "stench", "圾焚", "垃圾", "焚烧"}, words(r), "lamps are told as before, and ten know of Lihua")
	require.EqualValues(t, []any{32., 40., 0.}, []any{r.at(t, "topicPulse", "opinions"), r.at(t, "topicPulse", "baseline"), r.at(t, "topicPulse", "unread")})
	first := r.at(t, "topicPulse", "topics", 0).(map[string]any)
	require.EqualValues(t, []any{12., 0., 0., true}, []any{first["opinions"], first["baseline"], first["expected"], first["rising"]})
	require.Greater(t, first["ratioHigh"], first["ratio"])
	require.Equal(t, "2026-01-31T00:00:00Z", r.text(t, "topicPulse", "baselineFrom"), "four times six days before")
	require.Len(t, words(ask("LEADER", `region: {codeIn: ["430100000000"]}`)), 5)
	require.Contains(t, ask("LEADER", `region: {isNull: true}`).text(t, "topicPulse", "notes", 0), "not computable")
	for _, role := range []string{"CITIZEN", "ANALYST", "RESEARCHER"} {
		require.Equal(t, "FORBIDDEN", ask(role, "").Errors[0].Extensions.Code, role)
	}
	require.Equal(t, "query.baseline", ask("LEADER", `baseline: {gte: "2026-02-01T00:00:00Z"}`).Errors[0].Extensions.Field)

	// Two opinions lose their words: ten people are left who use those of the fire.
	conn, err := pgx.Connect(t.Context(), f.dsn)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), "UPDATE opinion SET subject = '', text = '', redacted_at = now() WHERE id IN (SELECT id FROM opinion WHERE text LIKE '%Stench%' ORDER BY id LIMIT 2)")
	require.NoError(t, err)
	r = ask("LEADER", "")
	require.Empty(t, words(r))
	require.EqualValues(t, 32, r.at(t, "topicPulse", "opinions"))
}
