package groundwork_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
)

func discussionAttempt(kind, from string, role groundwork.Role) (groundwork.Discussion, groundwork.DiscussionStep, groundwork.DiscussionFacts) {
	s := groundwork.DiscussionStep{Deed: groundwork.Deed{Actor: groundwork.Actor{ID: "a", Role: role}}, Kind: kind, Outcome: "The bridge comes first."}
	return groundwork.Discussion{Topic: "Bridges", State: groundwork.DiscussionState(from), Version: 2}, s, groundwork.DiscussionFacts{Now: noon, Last: noon.Add(-time.Hour)}
}

func TestEveryMoveOfADiscussion(t *testing.T) {
	t.Parallel()
	everyMove(t, groundwork.DiscussionMachine(), []string{"OPEN", "CLOSED"}, func(kind, from string, role groundwork.Role) error {
		d, s, f := discussionAttempt(kind, from, role)
		_, _, err := d.Plan(s, f)
		return err
	})
}

func TestRefusalsOfADiscussion(t *testing.T) {
	t.Parallel()
	for says, spoil := range map[string]func(*groundwork.DiscussionStep, *groundwork.DiscussionFacts){
		"is at version 2, not 9":      func(s *groundwork.DiscussionStep, _ *groundwork.DiscussionFacts) { s.ExpectedVersion = 9 },
		"say what came of":            func(s *groundwork.DiscussionStep, _ *groundwork.DiscussionFacts) { s.Outcome = " " },
		"questions with no answer: 1": func(_ *groundwork.DiscussionStep, f *groundwork.DiscussionFacts) { f.Unanswered = 1 },
	} {
		d, s, f := discussionAttempt(groundwork.DiscussionEnded, "OPEN", groundwork.RoleLeader)
		spoil(&s, &f)
		_, _, err := d.Plan(s, f)
		require.ErrorContains(t, err, says)
	}
}

func TestADiscussionHasATopicAndAPlace(t *testing.T) {
	t.Parallel()
	require.NoError(t, groundwork.Discussion{Topic: "Bridges", RegionID: someUnit}.Validate())
	require.NoError(t, groundwork.Discussion{Topic: "Bridges", VisitID: &someUnit}.Validate())
	require.ErrorContains(t, groundwork.Discussion{Topic: " ", VisitID: &someUnit}.Validate(), "needs a topic")
	require.ErrorContains(t, groundwork.Discussion{Topic: "Bridges"}.Validate(), "give a region, or the visit")
}

func TestAPostSaysSomething(t *testing.T) {
	t.Parallel()
	for _, p := range []groundwork.DiscussionPost{
		{Kind: groundwork.PostProposal, Text: strings.Repeat("路", 5000)}, {Kind: groundwork.PostAnswer, Text: "Yes", ReplyToID: &someUnit}, {Kind: groundwork.PostObjection, Text: "No", ReplyToID: &someUnit},
	} {
		require.NoError(t, p.Validate())
	}
	for says, p := range map[string]groundwork.DiscussionPost{
		"kind":                      {Kind: "CHEER", Text: "Yes"},
		"give its text":             {Kind: groundwork.PostProposal, Text: " "},
		"at most 5000":              {Kind: groundwork.PostProposal, Text: strings.Repeat("路", 5001)},
		"answer names the question": {Kind: groundwork.PostAnswer, Text: "Yes"},
	} {
		require.ErrorContains(t, p.Validate(), says)
	}
}

func TestWhoPosts(t *testing.T) {
	t.Parallel()
	citizen, works := groundwork.Actor{ID: "c", Role: groundwork.RoleCitizen}, groundwork.Actor{ID: "h", Role: groundwork.RoleHandler}
	question, proposal := &groundwork.DiscussionPost{Kind: groundwork.PostQuestion}, &groundwork.DiscussionPost{Kind: groundwork.PostProposal}
	open := func(to *groundwork.DiscussionPost) groundwork.PostFacts {
		return groundwork.PostFacts{State: groundwork.DiscussionOpen, ReplyTo: to}
	}
	pid, post := uuid.New(), uuid.New()
	says := func(kind groundwork.PostKind, reply bool) groundwork.DiscussionPost {
		p := groundwork.DiscussionPost{Kind: kind}
		if reply {
			p.ReplyToID = &post
		}
		return p
	}
	mine := says(groundwork.PostProposal, false)
	mine.AuthorPID = &pid
	require.NoError(t, mine.PostedBy(citizen, open(nil)))
	require.NoError(t, says(groundwork.PostProposal, false).PostedBy(works, open(nil)), "who is in office needs no pseudonym")
	require.NoError(t, says(groundwork.PostAnswer, true).PostedBy(works, open(question)))
	require.NoError(t, says(groundwork.PostObjection, true).PostedBy(works, open(proposal)))

	require.ErrorContains(t, mine.PostedBy(citizen, groundwork.PostFacts{State: groundwork.DiscussionClosed}), "closed")
	require.ErrorContains(t, mine.PostedBy(groundwork.Actor{Role: groundwork.RoleAnalyst}, open(nil)), "not for ANALYST")
	answer := says(groundwork.PostAnswer, true)
	answer.AuthorPID = &pid
	require.ErrorContains(t, answer.PostedBy(citizen, open(question)), "those in office")
	require.ErrorContains(t, says(groundwork.PostProposal, false).PostedBy(citizen, open(nil)), "nobody knows one person from another")
	require.ErrorContains(t, says(groundwork.PostProposal, true).PostedBy(works, open(nil)), "none of this discussion")
	require.ErrorContains(t, says(groundwork.PostAnswer, true).PostedBy(works, open(proposal)), "not to a post of kind PROPOSAL")
}

func TestWhoSupports(t *testing.T) {
	t.Parallel()
	citizen := groundwork.Actor{ID: "c", Role: groundwork.RoleCitizen}
	author, other := uuid.New(), uuid.New()
	p := groundwork.DiscussionPost{AuthorPID: &author}
	require.NoError(t, p.SupportedBy(citizen, &other, groundwork.DiscussionOpen))
	require.NoError(t, groundwork.DiscussionPost{}.SupportedBy(citizen, &other, groundwork.DiscussionOpen), "of somebody in office")
	require.ErrorContains(t, p.SupportedBy(groundwork.Actor{Role: groundwork.RoleLeader}, &other, groundwork.DiscussionOpen), "citizens support")
	require.ErrorContains(t, p.SupportedBy(citizen, &other, groundwork.DiscussionClosed), "closed")
	require.ErrorContains(t, p.SupportedBy(citizen, nil, groundwork.DiscussionOpen), "nobody knows one person from another")
	require.ErrorContains(t, p.SupportedBy(citizen, &author, groundwork.DiscussionOpen), "not its author")
}

func TestWithholdingAPost(t *testing.T) {
	t.Parallel()
	shown, withheld := groundwork.DiscussionPost{}, groundwork.DiscussionPost{WithheldAt: &noon}
	step := func(kind string, role groundwork.Role, reason string) groundwork.PostStep {
		return groundwork.PostStep{Actor: groundwork.Actor{ID: "a", Role: role}, Kind: kind, Reason: reason}
	}
	least := strings.Repeat("字", 4) // says as much as eight of English
	for _, role := range []groundwork.Role{groundwork.RoleSupervisor, groundwork.RoleSystem} {
		require.NoError(t, shown.Plan(step(groundwork.PostWithheld, role, least)))
		require.NoError(t, withheld.Plan(step(groundwork.PostRestored, role, strings.Repeat("字", 500))))
	}
	supervisor := groundwork.RoleSupervisor
	require.ErrorContains(t, shown.Plan(step(groundwork.PostWithheld, groundwork.RoleLeader, least)), "withheld by supervisors")
	require.ErrorContains(t, withheld.Plan(step(groundwork.PostWithheld, supervisor, least)), "withheld already")
	require.ErrorContains(t, shown.Plan(step(groundwork.PostRestored, supervisor, least)), "not withheld")
	require.ErrorContains(t, shown.Plan(step(groundwork.PostWithheld, supervisor, least[3:]+" ")), "say why")
	require.ErrorContains(t, shown.Plan(step(groundwork.PostWithheld, supervisor, "seven l")), "say why")
	require.NoError(t, shown.Plan(step(groundwork.PostWithheld, supervisor, "eight ll")))
	require.ErrorContains(t, shown.Plan(step(groundwork.PostWithheld, supervisor, strings.Repeat("字", 501))), "say why")
}
