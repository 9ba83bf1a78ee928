package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
)

func TestCampaignChores(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	c, late := e.running()
	run := func(name string) int {
		t.Helper()
		for _, chore := range e.Chores() {
			if chore.Name == name {
				done, err := chore.Run(t.Context(), e.clock.Now())
				require.NoError(t, err)
				return done
			}
		}
		require.Fail(t, "no chore "+name)
		return 0
	}
	require.Zero(t, run("campaign_task_overdue"), "not due yet")
	e.clock.advance(10 * 24 * time.Hour)
	require.Equal(t, 1, run("campaign_task_overdue"))
	require.Zero(t, run("campaign_task_overdue"), "noted once")
	now := e.clock.Now()
	page, err := e.CampaignTasks(t.Context(), groundwork.CampaignTaskFilter{OverdueAt: &now, OwnedBy: &e.handler}, groundwork.PageRequest{First: 5})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.NotNil(t, page.Items[0].OverdueAt)

	dropped := e.task(c)
	require.Zero(t, run("campaign_review_ready"))
	_, err = e.takeTask(late, e.handler, groundwork.TaskCompleted)
	require.NoError(t, err)
	e.clock.advance(groundwork.ReviewAfter)
	require.Zero(t, run("campaign_review_ready"), "a task is open")
	_, err = e.takeTask(dropped, e.lead, groundwork.TaskStepDropped)
	require.NoError(t, err)
	require.Equal(t, 1, run("campaign_review_ready"))
	require.Zero(t, run("campaign_review_ready"))
	found, err := e.CampaignsByID(t.Context(), []uuid.UUID{c.ID})
	require.NoError(t, err)
	require.Equal(t, groundwork.CampaignReview, found[c.ID].State)
}

func TestCampaignLists(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	c := e.nominate()
	e.clock.advance(time.Minute)
	second := e.goOn(e.nominate(), e.by(e.lead, groundwork.CampaignStepDeclined))
	for name, f := range map[string]struct {
		filter groundwork.CampaignFilter
		want   []uuid.UUID
	}{
		"all, the latest first": {groundwork.CampaignFilter{}, []uuid.UUID{second.ID, c.ID}},
		"state":                 {groundwork.CampaignFilter{States: []groundwork.CampaignState{"DECLINED"}}, []uuid.UUID{second.ID}},
		"unit":                  {groundwork.CampaignFilter{LeadUnitIDs: []uuid.UUID{e.callers.ID}}, nil},
		"category":              {groundwork.CampaignFilter{CategoryIDs: []uuid.UUID{e.category.ID}, Nominated: groundwork.TimeRange{To: &second.NominatedAt}}, []uuid.UUID{c.ID}},
		"under":                 {groundwork.CampaignFilter{Under: &e.province.ID}, []uuid.UUID{second.ID, c.ID}},
		"under another":         {groundwork.CampaignFilter{Under: &e.other.ID}, nil},
		"topic":                 {groundwork.CampaignFilter{Topic: "HOLE"}, []uuid.UUID{second.ID, c.ID}},
		"no such topic":         {groundwork.CampaignFilter{Topic: "%"}, nil},
	} {
		page, err := e.Campaigns(t.Context(), f.filter, groundwork.PageRequest{First: 10})
		require.NoError(t, err, name)
		var got []uuid.UUID
		for _, item := range page.Items {
			got = append(got, item.ID)
		}
		require.Equal(t, f.want, got, name)
	}
}
