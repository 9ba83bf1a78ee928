package postgres_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// readAll runs the chore that reads words until nothing waits.
func readAll(t *testing.T, db *postgres.DB) (read int) {
	t.Helper()
	chores := db.Chores()
	chore := chores[slices.IndexFunc(chores, func(c groundwork.Chore) bool { return c.Name == "opinion_words" })]
	for {
		done, err := chore.Run(t.Context(), time.Now())
		require.NoError(t, err)
		if done == 0 {
			return read
		}
		read += done
	}
}

// Words are read once, by the chore, and given where eleven known reporters use them; what was told in confidence is not read.
func TestWordsAreGivenWhereElevenUseThem(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	api, chores := pgtest.Open(t, dsn, postgres.Options{Role: postgres.RoleApp}), pgtest.Open(t, dsn, postgres.Options{Role: postgres.RoleJobs})
	say := func(account, text, confidentiality string) uuid.UUID {
		o, _, err := api.SubmitOpinion(t.Context(), groundwork.Actor{ID: account, Role: groundwork.RoleCitizen, Everywhere: true},
			groundwork.Opinion{Channel: groundwork.ChannelApp, Kind: groundwork.Complaint, Text: text, Confidentiality: confidentiality})
		require.NoError(t, err)
		return o.ID
	}
	var said []uuid.UUID
	words := func() []string {
		ctx := groundwork.WithActor(t.Context(), groundwork.Actor{ID: "leader", Role: groundwork.RoleLeader, Everywhere: true})
		of, err := api.TopicWords(ctx, said)
		require.NoError(t, err)
		list := []string{}
		for _, word := range of {
			list = append(list, word)
		}
		slices.Sort(list)
		return list
	}
	unread := func(limit int) groundwork.Count {
		n, err := api.UnreadOpinions(t.Context(), limit)
		require.NoError(t, err)
		return n
	}
	for i := range 10 {
		said = append(said, say(fmt.Sprint("citizen ", i), fmt.Sprintf("污水 smell of sewage, says Zhang%d", i), ""))
	}
	said = append(said, say("citizen 0", "污水 sewage", ""), say("anonymous", "污水 sewage", ""), say("anonymous", "污水 sewage", ""), say("confidant", "污水 sewage", groundwork.Confidential))
	require.Equal(t, groundwork.Count{Value: 13}, unread(13))
	require.Equal(t, groundwork.Count{Value: 12, Capped: true}, unread(12))
	require.Empty(t, words(), "nothing is read yet")
	require.Equal(t, 13, readAll(t, chores))
	require.Zero(t, unread(13))
	require.Zero(t, readAll(t, chores), "an opinion is read once")
	require.Empty(t, words(), "ten known reporters")

	said = append(said, say("citizen 10", "Sewage again: 污水", ""))
	require.Equal(t, 1, readAll(t, chores))
	require.Equal(t, []string{"sewage", "污水"}, words(), "smell is told by ten")

	// Terms are hashes by a key: the same word is the same term, and nothing of a word is kept.
	conn := connectAs(t, dsn, "postgres")
	var terms, opinions, readable int
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(DISTINCT term), count(DISTINCT opinion_id), count(*) FILTER (WHERE opinion_terms::text ~ 'sewage|污水') FROM opinion_terms, unnest(terms) term").Scan(&terms, &opinions, &readable))
	require.Equal(t, []int{3, 14, 0}, []int{terms, opinions, readable}, "污水, sewage, smell")
	var same bool
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT bool_and(t.day = to_char(o.received_at AT TIME ZONE 'UTC', 'YYYYMMDD')::int AND t.received_at = o.received_at AND t.reporter_pid IS NOT DISTINCT FROM CASE WHEN o.recorded_by <> 'anonymous' THEN o.reporter_pid END AND o.confidentiality <> 'CONFIDENTIAL') FROM opinion_terms t JOIN opinion o ON o.id = t.opinion_id").Scan(&same))
	require.True(t, same)
}

// With an opinion's words its terms go, read or not, and nothing is read again.
func TestTermsGoWithTheWords(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	read, _ := a.old("read", 30, true)
	require.Equal(t, 1, readAll(t, a.chores))
	waiting, _ := a.old("waiting", 30, true)
	a.old("young", 3, true)
	count := func(sql string, args ...any) (n int) {
		t.Helper()
		require.NoError(t, connectAs(t, a.dsn, "postgres").QueryRow(t.Context(), "SELECT count(*) FROM "+sql, args...).Scan(&n))
		return n
	}
	require.Positive(t, count("opinion_terms, unnest(terms) WHERE opinion_id = $1", read))
	require.Equal(t, 2, count("opinion_unread"))
	done, err := a.chores.ApplyRetention(t.Context(), groundwork.KeepOpinionWords, a.asOf)
	require.NoError(t, err)
	require.Equal(t, 2, done)
	require.Equal(t, 1, count("opinion_terms WHERE opinion_id = $1 AND terms = '{}'", read))
	require.Equal(t, 1, count("opinion_unread"))
	require.Equal(t, 1, readAll(t, a.chores))
	require.Zero(t, count("opinion_terms WHERE opinion_id = $1", waiting))
}
