package groundwork_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork"
)

func taskAttempt(kind, from string, role groundwork.Role) (groundwork.CampaignTask, groundwork.TaskStep, groundwork.TaskFacts) {
	t := groundwork.CampaignTask{Title: "Fill", OwnerUnitID: &someUnit, DueAt: noon.Add(time.Hour), State: groundwork.TaskState(from), Version: 2}
	if kind == groundwork.TaskBecameOverdue {
		t.DueAt = noon
	}
	s := groundwork.TaskStep{Deed: groundwork.Deed{Actor: groundwork.Actor{ID: "a", Role: role}, Reason: "because"}, Kind: kind, Evidence: []string{"photo-1"}}
	return t, s, groundwork.TaskFacts{Now: noon, Last: noon.Add(-time.Hour), Campaign: groundwork.CampaignActive, Mine: true}
}

func TestEveryMoveOfATask(t *testing.T) {
	t.Parallel()
	everyMove(t, groundwork.TaskMachine(), []string{"OPEN", "DONE", "DROPPED"}, func(kind, from string, role groundwork.Role) error {
		task, s, f := taskAttempt(kind, from, role)
		_, _, err := task.Plan(s, f)
		return err
	})
}

func TestRefusalsOfATask(t *testing.T) {
	t.Parallel()
	type attempt struct {
		t *groundwork.CampaignTask
		s *groundwork.TaskStep
		f *groundwork.TaskFacts
	}
	lead, system := groundwork.RoleCampaignLead, groundwork.RoleSystem
	for name, c := range map[string]struct {
		kind, from string
		role       groundwork.Role
		spoil      func(a attempt)
		says       string
	}{
		"stale":                    {"DROPPED", "OPEN", lead, func(a attempt) { a.s.ExpectedVersion = 9 }, "is at version 2, not 9"},
		"due in the past":          {"ADDED", "", lead, func(a attempt) { a.t.DueAt = noon }, "is over"},
		"of another's":             {"COMPLETED", "OPEN", lead, func(a attempt) { a.f.Mine = false }, "completed by its owner"},
		"without evidence":         {"COMPLETED", "OPEN", lead, func(a attempt) { a.s.Evidence = nil }, "give evidence"},
		"with a file nobody put":   {"COMPLETED", "OPEN", lead, func(a attempt) { a.s.Evidence = []string{"photo-1", "sha256:ab"} }, "no file sha256:ab was uploaded"},
		"with empty evidence":      {"COMPLETED", "OPEN", lead, func(a attempt) { a.s.Evidence = []string{"photo-1", " "} }, "is empty"},
		"dropped without a reason": {"DROPPED", "OPEN", lead, func(a attempt) { a.s.Reason = "" }, "needs a reason"},
		"reopened without reason":  {"REOPENED", "DONE", lead, func(a attempt) { a.s.Reason = "" }, "needs a reason"},
		"not due yet":              {"OVERDUE", "OPEN", system, func(a attempt) { a.t.DueAt = noon.Add(time.Second) }, "not newly overdue"},
		"noted already":            {"OVERDUE", "OPEN", system, func(a attempt) { a.t.OverdueAt = new(noon) }, "not newly overdue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			task, s, f := taskAttempt(c.kind, c.from, c.role)
			_, _, err := task.Plan(s, f)
			require.NoError(t, err, "before it is spoilt")
			c.spoil(attempt{&task, &s, &f})
			_, _, err = task.Plan(s, f)
			require.ErrorContains(t, err, c.says)
		})
	}
}

// A task is set and done only while its campaign stands where that makes sense.
func TestTasksFollowTheirCampaign(t *testing.T) {
	t.Parallel()
	allowed := map[string][]string{
		"ADDED":     {"SELECTED", "ACTIVE", "EXTENDED"},
		"DROPPED":   {"SELECTED", "ACTIVE", "EXTENDED"},
		"COMPLETED": {"ACTIVE", "EXTENDED"},
		"REOPENED":  {"ACTIVE", "EXTENDED"},
	}
	from := map[string]string{"ADDED": "", "DROPPED": "OPEN", "COMPLETED": "OPEN", "REOPENED": "DONE"}
	for kind, states := range allowed {
		for _, campaign := range campaignStates {
			t.Run(fmt.Sprint(kind, " in ", campaign), func(t *testing.T) {
				t.Parallel()
				task, s, f := taskAttempt(kind, from[kind], groundwork.RoleCampaignLead)
				f.Campaign = groundwork.CampaignState(campaign)
				_, _, err := task.Plan(s, f)
				if slices.Contains(states, campaign) {
					require.NoError(t, err)
				} else {
					require.Equal(t, groundwork.CodeTransition, groundwork.CodeOf(err))
				}
			})
		}
	}
}

func TestNewTasks(t *testing.T) {
	t.Parallel()
	sound := func() groundwork.CampaignTask {
		return groundwork.CampaignTask{Title: "Fill", OwnerUnitID: &someUnit, DueAt: noon}
	}
	require.NoError(t, sound().Validate())
	for says, spoil := range map[string]func(task *groundwork.CampaignTask){
		"what is to be done": func(task *groundwork.CampaignTask) { task.Title = " " },
		"one owner":          func(task *groundwork.CampaignTask) { task.OwnerUnitID = nil },
		"one owner: ":        func(task *groundwork.CampaignTask) { task.OwnerPostID = &someUnit },
		"due at some time":   func(task *groundwork.CampaignTask) { task.DueAt = time.Time{} },
	} {
		task := sound()
		spoil(&task)
		require.ErrorContains(t, task.Validate(), says)
	}
}
