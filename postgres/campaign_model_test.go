package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"groundwork"
)

// campaignModel is what a campaign and its tasks should be, told without a database: the test takes random steps and says beforehand
// which must be refused.
type campaignModel struct {
	state   groundwork.CampaignState
	version int
	tasks   []*taskModel
	since   time.Time // started or extended
}

type taskModel struct {
	task  *groundwork.CampaignTask
	state groundwork.TaskState
	done  time.Time
}

func (m *campaignModel) count(s groundwork.TaskState) (n int) {
	for _, t := range m.tasks {
		if t.state == s {
			n++
		}
	}
	return n
}

// reviewable says whether the effect can be judged at a time.
func (m *campaignModel) reviewable(at time.Time) bool {
	var last time.Time
	fresh := false
	for _, t := range m.tasks {
		if t.state == groundwork.TaskDone {
			fresh = fresh || !t.done.Before(m.since)
			if t.done.After(last) {
				last = t.done
			}
		}
	}
	return fresh && m.count(groundwork.TaskOpen) == 0 && !at.Before(last.Add(groundwork.ReviewAfter))
}

// TestRandomCampaigns compares random lives with the model: what is legal happens, what is not is refused, and the history has no gap.
func TestRandomCampaigns(t *testing.T) {
	t.Parallel()
	e := newEffort(t)
	rapid.Check(t, func(rt *rapid.T) {
		c := e.nominate()
		m := &campaignModel{state: c.State, version: 1}
		for range rapid.IntRange(5, 40).Draw(rt, "steps") {
			e.clock.advance(time.Minute)
			if rapid.Bool().Draw(rt, "task") {
				e.randomTask(rt, c, m)
			} else {
				e.randomStep(rt, c, m)
			}
		}
		e.equalsModel(rt, c, m)
	})
	e.sound()
}

var campaignSteps = []string{groundwork.CampaignStepSelected, groundwork.CampaignStarted, groundwork.CampaignReviewOpened,
	groundwork.CampaignStepExited, groundwork.CampaignStepExtended, groundwork.CampaignStepFailed, groundwork.CampaignStepDeclined}

// onwards is the way through a life; two steps of three try it, so that random lives are long.
var onwards = map[groundwork.CampaignState]string{"CANDIDATE": groundwork.CampaignStepSelected, "SELECTED": groundwork.CampaignStarted,
	"ACTIVE": groundwork.CampaignReviewOpened, "REVIEW": groundwork.CampaignStepExtended, "EXTENDED": groundwork.CampaignReviewOpened}

func (e *effort) randomStep(rt *rapid.T, c *groundwork.Campaign, m *campaignModel) {
	kind := rapid.SampledFrom(campaignSteps).Draw(rt, "kind")
	if onward, ok := onwards[m.state]; ok && rapid.IntRange(0, 2).Draw(rt, "onward") > 0 {
		kind = onward
	}
	if kind == groundwork.CampaignReviewOpened && rapid.Bool().Draw(rt, "wait") {
		e.clock.advance(91 * 24 * time.Hour)
	}
	met := rapid.Bool().Draw(rt, "met")
	now := groundwork.Moment(e.clock.Now())
	to, legal := "", false
	s := e.by(e.lead, kind)
	switch kind {
	case groundwork.CampaignStepSelected:
		s, to, legal = e.selection(), "SELECTED", m.state == groundwork.CampaignCandidate
	case groundwork.CampaignStepDeclined:
		to, legal = "DECLINED", m.state == groundwork.CampaignCandidate
	case groundwork.CampaignStarted:
		to, legal = "ACTIVE", m.state == groundwork.CampaignSelected && m.count(groundwork.TaskOpen) > 0
	case groundwork.CampaignReviewOpened:
		to, legal = "REVIEW", slices.Contains([]groundwork.CampaignState{"ACTIVE", "EXTENDED"}, m.state) && m.reviewable(now)
	case groundwork.CampaignStepExited:
		s, to, legal = e.judgement(kind, map[bool]float64{true: 1, false: 9}[met], 0.9), "EXITED", m.state == groundwork.CampaignReview && met
	case groundwork.CampaignStepExtended:
		s, to, legal = e.judgement(kind, 9, 0.9), "EXTENDED", m.state == groundwork.CampaignReview
		s.PeriodTo = day(now.Year()+1+m.version, 1, 1)
	case groundwork.CampaignStepFailed:
		s, to = e.judgement(kind, 9, 0.9), "FAILED"
		legal = slices.Contains([]groundwork.CampaignState{"SELECTED", "ACTIVE", "EXTENDED", "REVIEW"}, m.state)
	}
	s.CampaignID = c.ID
	_, _, err := e.StepCampaign(context.Background(), s)
	if !legal {
		require.Error(rt, err, "%s from %s", kind, m.state)
		require.NotEmpty(rt, groundwork.CodeOf(err), "a refusal says why: %v", err)
		return
	}
	require.NoError(rt, err, "%s from %s", kind, m.state)
	m.state = groundwork.CampaignState(to)
	m.version++
	if to == "ACTIVE" || to == "EXTENDED" {
		m.since = now
	}
}

// Tasks are completed more often than added: campaigns get through.
var taskSteps = []string{groundwork.TaskAdded, groundwork.TaskCompleted, groundwork.TaskCompleted, groundwork.TaskCompleted,
	groundwork.TaskStepDropped, groundwork.TaskReopened}

func (e *effort) randomTask(rt *rapid.T, c *groundwork.Campaign, m *campaignModel) {
	settable := slices.Contains([]groundwork.CampaignState{"SELECTED", "ACTIVE", "EXTENDED"}, m.state)
	runs := settable && m.state != groundwork.CampaignSelected
	kind := rapid.SampledFrom(taskSteps).Draw(rt, "kind of task step")
	if kind == groundwork.TaskAdded || len(m.tasks) == 0 {
		task, _, err := e.AddCampaignTask(context.Background(), groundwork.Deed{Actor: e.lead}, groundwork.CampaignTask{CampaignID: c.ID, Title: "Fill",
			OwnerUnitID: &e.unit.ID, DueAt: e.clock.Now().Add(time.Hour)})
		require.Equal(rt, settable, err == nil, "adding a task in %s: %v", m.state, err)
		if err == nil {
			m.tasks = append(m.tasks, &taskModel{task: task, state: groundwork.TaskOpen})
		}
		return
	}
	t := m.tasks[rapid.IntRange(0, len(m.tasks)-1).Draw(rt, "which task")]
	_, err := e.takeTask(t.task, e.lead, kind) // the lead acts for the unit that owns the tasks
	legal := map[string]bool{
		groundwork.TaskCompleted:   runs && t.state == groundwork.TaskOpen,
		groundwork.TaskStepDropped: settable && t.state == groundwork.TaskOpen,
		groundwork.TaskReopened:    runs && t.state == groundwork.TaskDone,
	}[kind]
	require.Equal(rt, legal, err == nil, "%s of a task at %s in %s: %v", kind, t.state, m.state, err)
	if !legal {
		return
	}
	t.state = map[string]groundwork.TaskState{groundwork.TaskCompleted: "DONE", groundwork.TaskStepDropped: "DROPPED", groundwork.TaskReopened: "OPEN"}[kind]
	t.done = groundwork.Moment(e.clock.Now())
}

func (e *effort) equalsModel(rt *rapid.T, c *groundwork.Campaign, m *campaignModel) {
	ctx := context.Background()
	found, err := e.CampaignsByID(ctx, []uuid.UUID{c.ID})
	require.NoError(rt, err)
	require.Equal(rt, m.state, found[c.ID].State)
	require.Equal(rt, m.version, found[c.ID].Version)
	history, err := e.HistoryOf(ctx, "campaign", []uuid.UUID{c.ID}, 100)
	require.NoError(rt, err)
	require.Len(rt, history[c.ID], m.version)
	for i, h := range history[c.ID] {
		require.Equal(rt, i+1, h.Seq)
		if i > 0 {
			require.Equal(rt, history[c.ID][i-1].ToState, *h.FromState)
			require.False(rt, h.At.Before(history[c.ID][i-1].At), "time goes on")
		}
	}
	require.Equal(rt, string(m.state), history[c.ID][m.version-1].ToState)
	tasks, err := e.CampaignTasksOf(ctx, []uuid.UUID{c.ID}, 100)
	require.NoError(rt, err)
	require.Len(rt, tasks[c.ID], len(m.tasks))
	for _, stored := range tasks[c.ID] {
		i := slices.IndexFunc(m.tasks, func(t *taskModel) bool { return t.task.ID == stored.ID })
		require.Equal(rt, m.tasks[i].state, stored.State, fmt.Sprint("task ", i))
	}
}
