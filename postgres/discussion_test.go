package postgres_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

func TestADiscussion(t *testing.T) {
	t.Parallel()
	r := newRounds(t)
	ctx := t.Context()
	visit := r.held()
	open := func(by groundwork.Actor, d groundwork.Discussion) (*groundwork.Discussion, error) {
		made, _, err := r.OpenDiscussion(ctx, r.deed(by, ""), d)
		return made, err
	}
	_, err := open(r.leader, groundwork.Discussion{Topic: "Roof"})
	require.Equal(t, "regionId", shown(err).Field)
	_, err = open(groundwork.Actor{ID: "x", Role: groundwork.RoleCitizen}, groundwork.Discussion{Topic: "Roof", VisitID: &visit.ID})
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err))
	d, err := open(r.leader, groundwork.Discussion{Topic: "The roof", VisitID: &visit.ID})
	require.NoError(t, err)
	require.Equal(t, r.city.ID, d.RegionID, "that of the visit's site")

	r.clock.advance(time.Minute)
	post := func(by groundwork.Actor, p groundwork.DiscussionPost, secret string) (*groundwork.DiscussionPost, error) {
		p.DiscussionID = d.ID
		made, _, err := r.PostToDiscussion(ctx, by, p, secret)
		return made, err
	}
	anna, bert := groundwork.Actor{ID: "anna", Role: groundwork.RoleCitizen}, groundwork.Actor{ID: "bert", Role: groundwork.RoleCitizen}
	question, err := post(anna, groundwork.DiscussionPost{Kind: groundwork.PostQuestion, Text: "Who pays?"}, "")
	require.NoError(t, err)
	require.NotNil(t, question.AuthorPID)
	opinion, _, err := r.SubmitOpinion(ctx, groundwork.Anonymous, groundwork.Opinion{Channel: groundwork.ChannelOnline, Kind: groundwork.Complaint, Text: "It leaks", RegionID: &r.city.ID})
	require.NoError(t, err)
	byAnna := groundwork.DiscussionPost{Kind: groundwork.PostAnswer, Text: "You", ReplyToID: &question.ID}
	for name, c := range map[string]struct {
		by     groundwork.Actor
		post   groundwork.DiscussionPost
		secret string
		code   groundwork.Code
	}{
		"a citizen answers":           {anna, byAnna, "", groundwork.CodeForbidden},
		"anybody":                     {groundwork.Anonymous, groundwork.DiscussionPost{Kind: groundwork.PostProposal, Text: "Tin"}, "", groundwork.CodeForbidden},
		"a guessed secret":            {groundwork.Anonymous, groundwork.DiscussionPost{Kind: groundwork.PostProposal, Text: "Tin"}, "GUESS", groundwork.CodeForbidden},
		"an analyst":                  {groundwork.Actor{ID: "x", Role: groundwork.RoleAnalyst}, groundwork.DiscussionPost{Kind: groundwork.PostProposal, Text: "Tin"}, "", groundwork.CodeForbidden},
		"nothing":                     {anna, groundwork.DiscussionPost{Kind: groundwork.PostProposal}, "", groundwork.CodeInvalid},
		"an answer to nothing":        {r.leader, groundwork.DiscussionPost{Kind: groundwork.PostAnswer, Text: "We"}, "", groundwork.CodeInvalid},
		"a reply to a post elsewhere": {r.leader, groundwork.DiscussionPost{Kind: groundwork.PostObjection, Text: "No", ReplyToID: new(uuid.New())}, "", groundwork.CodeInvalid},
	} {
		_, err := post(c.by, c.post, c.secret)
		require.Equal(t, c.code, groundwork.CodeOf(err), "%s: %v", name, err)
	}
	proposal, err := post(groundwork.Anonymous, groundwork.DiscussionPost{Kind: groundwork.PostProposal, Text: "Tin"}, opinion.Secret)
	require.NoError(t, err)
	require.Equal(t, *opinion.ReporterPID, *proposal.AuthorPID)
	_, err = post(r.leader, groundwork.DiscussionPost{Kind: groundwork.PostAnswer, Text: "x", ReplyToID: &proposal.ID}, "")
	require.Equal(t, "replyToId", shown(err).Field, "an answer replies to a question")

	support := func(by groundwork.Actor, secret string) (int, error) {
		p, _, err := r.SupportPost(ctx, by, proposal.ID, secret)
		if err != nil {
			return 0, err
		}
		return p.Supports, nil
	}
	for range 2 { // once a person
		n, err := support(anna, "")
		require.NoError(t, err)
		require.Equal(t, 1, n)
	}
	n, err := support(bert, "")
	require.NoError(t, err)
	require.Equal(t, 2, n)
	for _, c := range []struct {
		by     groundwork.Actor
		secret string
	}{{groundwork.Anonymous, opinion.Secret}, {groundwork.Anonymous, ""}, {r.leader, ""}} {
		_, err := support(c.by, c.secret)
		require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err), "the author, nobody, an official")
	}

	end := func(outcome string) (*groundwork.Discussion, error) {
		made, _, err := r.CloseDiscussion(ctx, groundwork.DiscussionStep{Deed: groundwork.Deed{Actor: r.leader, ExpectedVersion: 1}, DiscussionID: d.ID, Outcome: outcome})
		return made, err
	}
	_, err = end("A tin roof.")
	require.Equal(t, groundwork.CodeTransition, groundwork.CodeOf(err), "a question has no answer")
	require.ErrorContains(t, r.sql("UPDATE discussion SET state = 'CLOSED', closed_at = opened_at, outcome = 'x'"), "no answer")
	_, err = post(r.leader, groundwork.DiscussionPost{Kind: groundwork.PostAnswer, Text: "The city", ReplyToID: &question.ID}, "")
	require.NoError(t, err)
	_, err = end("")
	require.Equal(t, "outcome", shown(err).Field)
	closed, err := end("A tin roof.")
	require.NoError(t, err)
	require.Equal(t, "A tin roof.", *closed.Outcome)
	_, err = end("Again")
	require.Equal(t, groundwork.CodeConflict, groundwork.CodeOf(err))
	_, err = post(anna, groundwork.DiscussionPost{Kind: groundwork.PostObjection, Text: "No"}, "")
	require.Equal(t, groundwork.CodeTransition, groundwork.CodeOf(err))
	_, err = support(groundwork.Actor{ID: "cora", Role: groundwork.RoleCitizen}, "")
	require.Equal(t, groundwork.CodeTransition, groundwork.CodeOf(err))

	list, err := r.Discussions(ctx, groundwork.DiscussionFilter{Under: &r.province.ID, VisitIDs: []uuid.UUID{visit.ID}, States: []groundwork.DiscussionState{groundwork.DiscussionClosed}}, groundwork.PageRequest{First: 5})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	posts, err := r.DiscussionPosts(ctx, groundwork.PostFilter{DiscussionIDs: []uuid.UUID{d.ID}}, groundwork.PageRequest{First: 5})
	require.NoError(t, err)
	require.Len(t, posts.Items, 3)
	for sql, want := range map[string]string{
		`INSERT INTO discussion_post (id, discussion_id, kind, text, author_role, at) VALUES (gen_random_uuid(), '` + d.ID.String() + `', 'PROPOSAL', 'x', 'LEADER', now())`:  "not open",
		`INSERT INTO discussion_support (post_id, supporter_pid) VALUES ('` + proposal.ID.String() + `', gen_random_uuid())`:                                                  "while its discussion is open",
		`INSERT INTO discussion_post (id, discussion_id, kind, text, author_role, at) VALUES (gen_random_uuid(), '` + d.ID.String() + `', 'PROPOSAL', 'x', 'CITIZEN', now())`: "discussion",
		`UPDATE discussion_post SET text = 'y'`: "append-only", `DELETE FROM discussion_support`: "append-only", `UPDATE discussion SET outcome = 'y'`: "it is closed",
	} {
		require.ErrorContains(t, r.sql(sql), want)
	}
}

// Whoever called in has the secret of what the hotline took down, and posts by it, with or without a contact.
func TestWhoCalledInPosts(t *testing.T) {
	t.Parallel()
	r := newRounds(t)
	ctx := t.Context()
	d, _, err := r.OpenDiscussion(ctx, r.deed(r.leader, ""), groundwork.Discussion{Topic: "The roof", RegionID: r.city.ID})
	require.NoError(t, err)
	taken, _, err := r.SubmitOpinion(ctx, groundwork.Actor{ID: "hotline", Role: groundwork.RoleIntake},
		groundwork.Opinion{Channel: groundwork.ChannelHotline, Kind: groundwork.Complaint, Text: "It drips", RegionID: &r.city.ID})
	require.NoError(t, err)
	require.Nil(t, taken.ReporterPID)
	r.clock.advance(time.Minute)
	said, _, err := r.PostToDiscussion(ctx, groundwork.Anonymous, groundwork.DiscussionPost{DiscussionID: d.ID, Kind: groundwork.PostProposal, Text: "Slate"}, taken.Secret)
	require.NoError(t, err)
	_, _, err = r.SupportPost(ctx, groundwork.Anonymous, said.ID, taken.Secret)
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err), "the author is known again")
}

// Who reaches the rows of surveys and discussions, by SQL in the role of the API.
func TestRowsOfSurveysAndDiscussions(t *testing.T) {
	t.Parallel()
	dsn, run, _ := newWorld(t)
	run("SET session_replication_role = replica")
	for _, place := range []string{"A", "B"} {
		run(fill("INSERT INTO discussion_post (id, discussion_id, kind, text, author_role, at) VALUES ({note}, {discussion}, 'QUESTION', 'x', 'LEADER', now())", place, "", ""))
	}
	host := []groundwork.Role{groundwork.RoleIntake, groundwork.RoleUnitHead, groundwork.RoleLeader, groundwork.RoleSupervisor, groundwork.RoleCampaignLead, groundwork.RolePolicyOwner}
	for _, role := range groundwork.Roles {
		a := asker{t, connectAs(t, dsn, postgres.RoleApp), identityOf(role)}
		hosts, system := slices.Contains(host, role), role == groundwork.RoleSystem
		for _, place := range []string{"A", "B"} {
			here := place == "A"
			for statement, may := range map[string]bool{
				"INSERT INTO discussion (id, region_id, topic, state, opened_at, version) VALUES (" + newID + ", {region}, 'x', 'OPEN', now(), 1)":                                       system || hosts && here,
				"INSERT INTO survey_wave (id, title, region_id, report_level, opens_at, closes_at) VALUES (" + newID + ", 'x', {region}, 'PREFECTURE', now(), now() + interval '1 day')": system || role == groundwork.RoleSupervisor && here,
				"INSERT INTO survey_batch (id, wave_id, region_id, tokens) VALUES (" + newID + ", {wave}, {region}, 1)":                                                                  system || role == groundwork.RoleSupervisor && here,
				"INSERT INTO discussion_support (post_id, supporter_pid) VALUES ({note}, {pid})":                                                                                         role == groundwork.RoleCitizen,
				"INSERT INTO discussion_post (id, discussion_id, kind, text, author_role, at) VALUES (" + newID + ", {discussion}, 'QUESTION', 'x', 'ANALYST', now())":                   role == groundwork.RoleAnalyst && here,
				"SELECT 1 / (count(*) = 2)::int FROM discussion": true,
			} {
				_, ok := a.let(fill(statement, place, a.actor.ID, string(role)))
				require.Equal(t, may, ok, "%s at %s: %s", role, place, statement)
			}
			rows, ok := a.let(fill("UPDATE discussion SET version = version WHERE id = {discussion}", place, a.actor.ID, string(role)))
			require.Equal(t, system || hosts && here, ok && rows == 1, "%s at %s closes", role, place)
		}
	}
}

// An abusive post is withheld with a reason: everybody sees that, nobody but supervisors the words, and the record keeps them.
func TestAPostIsWithheld(t *testing.T) {
	t.Parallel()
	r := newRounds(t)
	ctx := t.Context()
	visit := r.held()
	d, _, err := r.OpenDiscussion(ctx, r.deed(r.leader, ""), groundwork.Discussion{Topic: "The roof", VisitID: &visit.ID})
	require.NoError(t, err)
	r.clock.advance(time.Minute)
	anna := groundwork.Actor{ID: "anna", Role: groundwork.RoleCitizen}
	post, _, err := r.PostToDiscussion(ctx, anna, groundwork.DiscussionPost{DiscussionID: d.ID, Kind: groundwork.PostQuestion, Text: "You thief, who pays?"}, "")
	require.NoError(t, err)
	step := func(by groundwork.Actor, kind, reason string) (*groundwork.DiscussionPost, error) {
		made, _, err := r.StepPost(ctx, groundwork.PostStep{Actor: by, PostID: post.ID, Kind: kind, Reason: reason})
		return made, err
	}
	_, err = step(r.leader, groundwork.PostWithheld, "calls somebody a thief")
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err), "not by whom it speaks of")
	_, err = step(r.inspector, groundwork.PostWithheld, "abuse")
	require.Equal(t, "reason", shown(err).Field)
	_, err = step(r.inspector, groundwork.PostRestored, "it is no abuse")
	require.Equal(t, groundwork.CodeTransition, groundwork.CodeOf(err))
	withheld, err := step(r.inspector, groundwork.PostWithheld, "calls somebody a thief")
	require.NoError(t, err)
	require.NotNil(t, withheld.WithheldAt)
	_, err = step(r.inspector, groundwork.PostWithheld, "calls somebody a thief")
	require.Equal(t, groundwork.CodeTransition, groundwork.CodeOf(err))

	read := func(by groundwork.Actor) *groundwork.DiscussionPost {
		app := pgtest.Open(t, r.dsn, postgres.Options{Role: postgres.RoleApp})
		found, err := app.DiscussionPostsByID(groundwork.WithActor(ctx, by), []uuid.UUID{post.ID})
		require.NoError(t, err)
		return found[post.ID]
	}
	for _, by := range []groundwork.Actor{groundwork.Anonymous, anna, r.leader} {
		require.Empty(t, read(by).Text, by.Role)
		require.Equal(t, "calls somebody a thief", *read(by).WithheldReason)
	}
	require.Equal(t, "You thief, who pays?", read(r.inspector).Text)
	require.ErrorContains(t, r.sql("UPDATE discussion_post SET text = 'x'"), "append-only", "not even the owner")
	require.ErrorContains(t, r.sql("UPDATE discussion_post SET withheld_reason = 'for another reason'"), "withheld already")

	restored, err := step(r.inspector, groundwork.PostRestored, "nobody was meant")
	require.NoError(t, err)
	require.Nil(t, restored.WithheldAt)
	require.Equal(t, "You thief, who pays?", read(anna).Text)
	history, err := r.HistoryOf(ctx, "discussion_post", []uuid.UUID{post.ID}, 9)
	require.NoError(t, err)
	require.Len(t, history[post.ID], 2)

	_, _, err = r.CloseDiscussion(ctx, groundwork.DiscussionStep{Deed: r.deed(r.leader, ""), DiscussionID: d.ID, Outcome: "Tin"})
	require.ErrorContains(t, err, "no answer")
	_, err = step(r.inspector, groundwork.PostWithheld, "calls somebody a thief")
	require.NoError(t, err)
	_, _, err = r.CloseDiscussion(ctx, groundwork.DiscussionStep{Deed: r.deed(r.leader, ""), DiscussionID: d.ID, Outcome: "Tin"})
	require.NoError(t, err, "a question that is withheld waits for no answer")
}
