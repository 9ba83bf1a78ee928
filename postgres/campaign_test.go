package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
)

// effort is an office with a second city to compare with, and those who run campaigns.
type effort struct {
	*office
	other             *groundwork.Region
	lead, leader      groundwork.Actor
	reviewer, insider groundwork.Actor // supervisors outside and inside the lead unit
	post              *groundwork.PostHolding
}

func newEffort(t testing.TB) *effort {
	t.Helper()
	e := &effort{office: newOffice(t)}
	ctx, admin := t.Context(), groundwork.Actor{ID: "admin", Role: groundwork.RoleSystem}
	var err error
	e.other, _, err = e.CreateRegion(ctx, admin, groundwork.Region{Code: "430200000000", Level: groundwork.Prefecture, Name: "B市", ParentID: &e.province.ID})
	require.NoError(t, err)
	below, _, err := e.CreateOrgUnit(ctx, admin, groundwork.OrgUnit{Name: "Road section", Kind: groundwork.GovtUnit, ParentID: &e.unit.ID})
	require.NoError(t, err)
	official, _, err := e.CreateOfficial(ctx, admin, groundwork.Official{Pseudonym: "official-1"})
	require.NoError(t, err)
	e.post, _, err = e.CreatePostHolding(ctx, admin, groundwork.PostHolding{OfficialID: official.ID, OrgUnitID: e.callers.ID, Rank: groundwork.RankCounty,
		Title: "Head", HeldFrom: day(2025, 1, 1)})
	require.NoError(t, err)
	e.lead = groundwork.Actor{ID: "lead", Role: groundwork.RoleCampaignLead, UnitID: &e.unit.ID}
	e.leader = groundwork.Actor{ID: "leader", Role: groundwork.RoleLeader, OfficialID: &official.ID}
	e.reviewer = groundwork.Actor{ID: "reviewer", Role: groundwork.RoleSupervisor, UnitID: &e.callers.ID}
	e.insider = groundwork.Actor{ID: "insider", Role: groundwork.RoleSupervisor, UnitID: &below.ID}
	return e
}

func (e *effort) nominate() *groundwork.Campaign {
	e.t.Helper()
	c, receipt, err := e.NominateCampaign(e.t.Context(), groundwork.Nomination{Actor: e.lead, Topic: "Potholes", CategoryID: &e.category.ID,
		Origin: groundwork.FromScan, SelectionRule: "significant clusters", LeadUnitID: e.unit.ID, RegionIDs: []uuid.UUID{e.city.ID}})
	require.NoError(e.t, err)
	require.NotZero(e.t, receipt.LSN)
	return c
}

func (e *effort) selection() groundwork.CampaignStep {
	now := e.clock.Now()
	first := day(now.Year(), now.Month(), now.Day()+1)
	return groundwork.CampaignStep{Deed: groundwork.Deed{Actor: e.lead}, Kind: groundwork.CampaignStepSelected,
		Evidence: groundwork.HotspotEvidence{DefinitionVersion: 1, From: now.AddDate(-1, 0, 0).UTC(), To: now.UTC(), AsOf: now.UTC(), Cells: []groundwork.HotspotCell{
			{RegionID: e.city.ID, CategoryID: &e.category.ID, Issues: 40, PersonYears: 10000, RawRate: 4, Rate: 3.5, Weight: 0.8, CommonRate: 1.5, Rank: 1},
			{RegionID: e.other.ID, CategoryID: &e.category.ID, Issues: 20, PersonYears: 10000, RawRate: 2, Rate: 1.9, Weight: 0.8, CommonRate: 1.5, Rank: 2}}},
		ComparisonIDs: []uuid.UUID{e.other.ID},
		Criteria: []groundwork.ExitCriterion{{Measure: "H1", Direction: groundwork.AtMost, Threshold: 2, WindowDays: 90},
			{Measure: "Q1", Direction: groundwork.AtLeast, Threshold: 0.8, WindowDays: 30}},
		PeriodFrom: first, PeriodTo: first.AddDate(0, 6, -2)}
}

func (e *effort) take(c *groundwork.Campaign, s groundwork.CampaignStep) (*groundwork.Campaign, error) {
	s.CampaignID = c.ID
	after, _, err := e.StepCampaign(e.t.Context(), s)
	return after, err
}

func (e *effort) goOn(c *groundwork.Campaign, steps ...groundwork.CampaignStep) *groundwork.Campaign {
	e.t.Helper()
	for _, s := range steps {
		e.clock.advance(time.Minute)
		after, err := e.take(c, s)
		require.NoError(e.t, err, s.Kind)
		c = after
	}
	return c
}

func (e *effort) by(a groundwork.Actor, kind string) groundwork.CampaignStep {
	return groundwork.CampaignStep{Deed: groundwork.Deed{Actor: a, Reason: "as agreed"}, Kind: kind}
}

// task is due in ten days.
func (e *effort) task(c *groundwork.Campaign) *groundwork.CampaignTask {
	e.t.Helper()
	task, _, err := e.AddCampaignTask(e.t.Context(), groundwork.Deed{Actor: e.lead}, groundwork.CampaignTask{CampaignID: c.ID, Title: "Fill the potholes",
		OwnerUnitID: &e.unit.ID, DueAt: e.clock.Now().AddDate(0, 0, 10)})
	require.NoError(e.t, err)
	return task
}

func (e *effort) takeTask(task *groundwork.CampaignTask, by groundwork.Actor, kind string) (*groundwork.CampaignTask, error) {
	s := groundwork.TaskStep{Deed: groundwork.Deed{Actor: by, Reason: "as agreed"}, TaskID: task.ID, Kind: kind}
	if kind == groundwork.TaskCompleted {
		s.Evidence = []string{"photo-1"}
	}
	after, _, err := e.StepCampaignTask(e.t.Context(), s)
	return after, err
}

// running is a campaign under way with one task.
func (e *effort) running() (*groundwork.Campaign, *groundwork.CampaignTask) {
	e.t.Helper()
	c := e.goOn(e.nominate(), e.selection())
	task := e.task(c)
	return e.goOn(c, e.by(e.lead, groundwork.CampaignStarted)), task
}

// underReview is a campaign whose task was done 91 days ago.
func (e *effort) underReview() *groundwork.Campaign {
	e.t.Helper()
	c, task := e.running()
	_, err := e.takeTask(task, e.handler, groundwork.TaskCompleted)
	require.NoError(e.t, err)
	e.clock.advance(91 * 24 * time.Hour)
	return e.goOn(c, e.by(e.lead, groundwork.CampaignReviewOpened))
}

func (e *effort) judgement(kind string, rate, resolved float64) groundwork.CampaignStep {
	s := e.by(e.reviewer, kind)
	asOf := e.clock.Now().UTC()
	s.Results = []groundwork.CriterionResult{{N: 1, Value: rate, CILow: new(rate - 0.5), CIHigh: new(rate + 0.5), Cases: 30, AsOf: asOf},
		{N: 2, Value: resolved, Cases: 25, AsOf: asOf}}
	s.PeriodTo = day(2027, 3, 1)
	return s
}

func TestLifeOfACampaign(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	c := e.nominate()
	require.Equal(t, groundwork.CampaignCandidate, c.State)
	require.Nil(t, c.Evidence)
	selection := e.selection()
	c = e.goOn(c, selection)
	require.Equal(t, selection.Evidence, *c.Evidence)
	_, hash, err := selection.Evidence.Seal()
	require.NoError(t, err)
	require.Equal(t, hash, *c.EvidenceSHA256)

	_, err = e.take(c, e.by(e.lead, groundwork.CampaignStarted))
	require.ErrorContains(t, err, "at least one open task")
	task := e.task(c)
	c = e.goOn(c, e.by(e.lead, groundwork.CampaignStarted))
	_, err = e.take(c, e.by(e.lead, groundwork.CampaignReviewOpened))
	require.ErrorContains(t, err, "1 tasks are open")
	_, err = e.takeTask(task, groundwork.Actor{ID: "x", Role: groundwork.RoleHandler, UnitID: &e.callers.ID}, groundwork.TaskCompleted)
	require.ErrorContains(t, err, "completed by its owner")
	task, err = e.takeTask(task, e.handler, groundwork.TaskCompleted)
	require.NoError(t, err)
	require.Equal(t, groundwork.TaskDone, task.State)
	e.clock.advance(89 * 24 * time.Hour)
	_, err = e.take(c, e.by(e.lead, groundwork.CampaignReviewOpened))
	require.ErrorContains(t, err, "90 days after the last task")
	e.clock.advance(24 * time.Hour)
	c = e.goOn(c, e.by(e.lead, groundwork.CampaignReviewOpened))

	_, err = e.take(c, e.judgement(groundwork.CampaignStepExited, 2.5, 0.9))
	require.ErrorContains(t, err, "exit criterion 1 is not met")
	c = e.goOn(c, e.judgement(groundwork.CampaignStepExtended, 2.5, 0.9))
	require.Equal(t, groundwork.CampaignExtended, c.State)
	e.clock.advance(100 * 24 * time.Hour)
	_, err = e.take(c, e.by(e.lead, groundwork.CampaignReviewOpened))
	require.ErrorContains(t, err, "no task was done since")
	task = e.task(c)
	_, err = e.takeTask(task, e.handler, groundwork.TaskCompleted)
	require.NoError(t, err)
	e.clock.advance(91 * 24 * time.Hour)
	c = e.goOn(c, e.by(e.supervisor, groundwork.CampaignReviewOpened), e.judgement(groundwork.CampaignStepExited, 1.9, 0.85))
	require.Equal(t, groundwork.CampaignExited, c.State)
	require.Equal(t, e.callers.ID, *c.ReviewerUnitID)

	results, err := e.CriterionResultsOf(t.Context(), []uuid.UUID{c.ID})
	require.NoError(t, err)
	met := []bool{}
	for _, r := range results[c.ID] {
		met = append(met, r.Met)
	}
	require.Equal(t, []bool{false, true, true, true}, met, "first review, second review")
	history, err := e.HistoryOf(t.Context(), "campaign", []uuid.UUID{c.ID}, 20)
	require.NoError(t, err)
	kinds := []string{}
	for _, h := range history[c.ID] {
		kinds = append(kinds, h.Kind)
	}
	require.Equal(t, []string{"NOMINATED", "SELECTED", "STARTED", "REVIEW_OPENED", "EXTENDED", "REVIEW_OPENED", "EXITED"}, kinds)
	require.Equal(t, c.Version, len(kinds))
	regions, err := e.CampaignRegionsOf(t.Context(), []uuid.UUID{c.ID})
	require.NoError(t, err)
	require.Equal(t, groundwork.TreatedRegion, regions[c.ID][0].Role)
	require.Equal(t, groundwork.ComparisonRegion, regions[c.ID][1].Role)
}

func TestWhoJudgesACampaign(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	c := e.underReview()
	s := e.judgement(groundwork.CampaignStepFailed, 3, 0.5)
	s.Actor = e.insider
	_, err := e.take(c, s)
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err), "a unit below the lead unit")
	s.Actor = e.supervisor
	_, err = e.take(c, s)
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err), "no unit")
	s.Actor = e.reviewer
	c = e.goOn(c, s)
	require.Equal(t, groundwork.CampaignFailed, c.State)
}

func TestSelectionComparesWithElsewhere(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	c := e.nominate()
	for _, overlapping := range []uuid.UUID{e.city.ID, e.province.ID} {
		s := e.selection()
		s.ComparisonIDs = []uuid.UUID{overlapping}
		_, err := e.take(c, s)
		require.ErrorContains(t, err, "overlaps the campaign's own")
	}
	s := e.selection()
	s.Evidence.Cells = s.Evidence.Cells[1:]
	_, err := e.take(c, s)
	require.ErrorContains(t, err, "has no row of evidence")
}

func TestIssuesOfACampaign(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	c, _ := e.running()
	near, far := e.issue("Hole"), e.issue("Hole far away")
	require.NoError(t, e.sql("UPDATE issue SET region_id = $1 WHERE id = $2", e.other.ID, far.ID))
	join := e.by(e.lead, groundwork.CampaignJoined)
	join.IssueIDs = []uuid.UUID{near.ID, far.ID}
	_, err := e.take(c, join)
	require.ErrorContains(t, err, far.ID.String()+" cannot join")
	join.IssueIDs = []uuid.UUID{near.ID}
	c = e.goOn(c, join)
	require.Equal(t, 4, c.Version)
	_, err = e.take(c, join)
	require.ErrorContains(t, err, "cannot join", "it is part of it")
	now, err := e.CampaignsOfIssues(t.Context(), []uuid.UUID{near.ID, far.ID})
	require.NoError(t, err)
	require.Len(t, now, 1)
	require.Equal(t, c.ID, now[near.ID].ID)

	leave := e.by(e.dispatcher, groundwork.CampaignLeft)
	leave.IssueIDs = []uuid.UUID{far.ID}
	_, err = e.take(c, leave)
	require.ErrorContains(t, err, "not part of this campaign")
	leave.IssueIDs = []uuid.UUID{near.ID}
	c = e.goOn(c, leave, join)
	links, err := e.CampaignIssuesOf(t.Context(), []uuid.UUID{c.ID}, 10)
	require.NoError(t, err)
	require.Len(t, links[c.ID], 2, "the time before stays on record")
	require.NotNil(t, links[c.ID][0].LeftAt)
	require.Nil(t, links[c.ID][1].LeftAt)

	over := e.by(e.reviewer, groundwork.CampaignStepFailed)
	c = e.goOn(c, over)
	now, err = e.CampaignsOfIssues(t.Context(), []uuid.UUID{near.ID})
	require.NoError(t, err)
	require.Empty(t, now, "a campaign that is over has let its issues go")
	links, err = e.CampaignIssuesOf(t.Context(), []uuid.UUID{c.ID}, 10)
	require.NoError(t, err)
	require.Equal(t, c.EndedAt, links[c.ID][1].LeftAt)
	c, _ = e.running()
	c = e.goOn(c, join)

	closed := e.must(e.issue("Closed"), e.dispatch(), e.accept(), e.claimFixed(), e.confirm())
	join.IssueIDs = []uuid.UUID{closed.ID}
	_, err = e.take(c, join)
	require.ErrorContains(t, err, "cannot join")
	join.IssueIDs = []uuid.UUID{uuid.New()}
	_, err = e.take(c, join)
	require.ErrorContains(t, err, "cannot join")
}

func TestAPostOwnsATask(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	c, _ := e.running()
	task, _, err := e.AddCampaignTask(t.Context(), groundwork.Deed{Actor: e.lead}, groundwork.CampaignTask{CampaignID: c.ID, Title: "Visit",
		OwnerPostID: &e.post.ID, DueAt: e.clock.Now().AddDate(0, 0, 10)})
	require.NoError(t, err)
	mine, err := e.CampaignTasks(t.Context(), groundwork.CampaignTaskFilter{OwnedBy: &e.leader}, groundwork.PageRequest{First: 10})
	require.NoError(t, err)
	require.Len(t, mine.Items, 1)
	require.Equal(t, task.ID, mine.Items[0].ID)
	_, err = e.takeTask(task, e.handler, groundwork.TaskCompleted)
	require.ErrorContains(t, err, "completed by its owner")
	require.NoError(t, e.sql("UPDATE post_holding SET held_to = '2026-03-02' WHERE id = $1", e.post.ID))
	_, err = e.takeTask(task, e.leader, groundwork.TaskCompleted)
	require.ErrorContains(t, err, "completed by its owner", "the post is no longer held")
	require.NoError(t, e.sql("UPDATE post_holding SET held_to = '2026-03-03' WHERE id = $1", e.post.ID))
	task, err = e.takeTask(task, e.leader, groundwork.TaskCompleted)
	require.NoError(t, err)
	task, err = e.takeTask(task, e.supervisor, groundwork.TaskReopened)
	require.NoError(t, err)
	require.Nil(t, task.DoneAt)
	task, err = e.takeTask(task, e.lead, groundwork.TaskStepDropped)
	require.NoError(t, err)
	require.Equal(t, groundwork.TaskDropped, task.State)
}

func TestCampaignRequestsComeAgain(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	c := e.nominate()
	s := e.selection()
	s.Actor = under(e.lead, "select-1")
	first, err := e.take(c, s)
	require.NoError(t, err)
	again, err := e.take(c, s)
	require.NoError(t, err)
	require.Equal(t, first, again)
	_, err = e.take(c, e.selection())
	require.Equal(t, groundwork.CodeTransition, groundwork.CodeOf(err))
	_, err = e.take(&groundwork.Campaign{ID: uuid.New()}, e.selection())
	require.Equal(t, groundwork.CodeNotFound, groundwork.CodeOf(err))
	_, err = e.takeTask(&groundwork.CampaignTask{ID: uuid.New()}, e.handler, groundwork.TaskCompleted)
	require.Equal(t, groundwork.CodeNotFound, groundwork.CodeOf(err))
}
