package groundwork

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// TaskState is where a task of a campaign stands.
type TaskState string

// The states of a task.
const (
	TaskOpen    TaskState = "OPEN"
	TaskDone    TaskState = "DONE"
	TaskDropped TaskState = "DROPPED"
)

// CampaignTask is something that somebody has to do for a campaign by a time: a unit, or the holder of a post.
type CampaignTask struct {
	ID          uuid.UUID
	CampaignID  uuid.UUID
	Title       string
	OwnerUnitID *uuid.UUID // either the unit
	OwnerPostID *uuid.UUID // or the post
	DueAt       time.Time
	DoneAt      *time.Time
	Evidence    []string   // references, given when it is done
	OverdueAt   *time.Time // when it was noted that it was not done in time
	State       TaskState
	Version     int
	CreatedAt   time.Time
}

// TaskStep asks to move a task along its life.
type TaskStep struct {
	Deed
	TaskID   uuid.UUID
	Kind     string
	Evidence []string // COMPLETED
}

// TaskFacts are what the guards need to know beyond the task.
type TaskFacts struct {
	Now      time.Time
	Last     time.Time     // the task's last event
	Campaign CampaignState // of its campaign
	Mine     bool          // the actor's unit or official owns the task
	Uploaded []string      // hashes of the files among the evidence that were uploaded
}

// TaskAttempt is a step of a task under examination.
type TaskAttempt struct {
	Task  *CampaignTask
	Step  TaskStep
	Facts TaskFacts
}

// The steps of a task.
const (
	TaskAdded         = "ADDED"
	TaskCompleted     = "COMPLETED"
	TaskStepDropped   = "DROPPED"
	TaskReopened      = "REOPENED"
	TaskBecameOverdue = "OVERDUE"
)

// TaskLife is the life of a task of a campaign.
var TaskLife = Life[TaskAttempt]{Noun: "campaign_task", Moves: []Move[TaskAttempt]{
	{Kind: TaskAdded, To: "OPEN", Roles: []Role{RoleCampaignLead},
		Asks: "a title, one owner, a due time to come; the campaign is selected, not over and not under review", Guards: []func(TaskAttempt) error{takesTasks, dueLater}},
	{Kind: TaskCompleted, From: []string{"OPEN"}, To: "DONE", Roles: []Role{RoleHandler, RoleUnitHead, RoleLeader, RoleCampaignLead},
		Asks: "the owner; evidence; the campaign runs", Guards: []func(TaskAttempt) error{campaignRuns, isMine, showsEvidence}},
	{Kind: TaskStepDropped, From: []string{"OPEN"}, To: "DROPPED", Roles: []Role{RoleCampaignLead},
		Asks: "a reason; the campaign is not over", Guards: []func(TaskAttempt) error{takesTasks, taskReasoned}},
	{Kind: TaskReopened, From: []string{"DONE"}, To: "OPEN", Roles: []Role{RoleCampaignLead, RoleSupervisor},
		Asks: "a reason, such as evidence that does not show it; the campaign runs", Guards: []func(TaskAttempt) error{campaignRuns, taskReasoned}},
	{Kind: TaskBecameOverdue, From: []string{"OPEN"}, Roles: []Role{RoleSystem},
		Asks: "the due time is over, noted once", Guards: []func(TaskAttempt) error{justOverdue}},
}}

// TaskMachine shows the life of a task.
func TaskMachine() Machine { return TaskLife.Machine() }

// Validate examines a new task.
func (t CampaignTask) Validate() error {
	return firstError(
		check(strings.TrimSpace(t.Title) != "", "title", "say what is to be done"),
		check((t.OwnerUnitID == nil) != (t.OwnerPostID == nil), "ownerUnitId", "a task has one owner: a unit or a post"),
		check(!t.DueAt.IsZero(), "dueAt", "a task is due at some time"),
	)
}

// Plan examines a step of a task. It returns the step with its time, and the row of the life by which it goes.
func (t *CampaignTask) Plan(s TaskStep, f TaskFacts) (TaskStep, Move[TaskAttempt], error) {
	name := "task " + t.Title
	deed, err := s.Settle(name, t.Version, f.Last, f.Now)
	if err != nil {
		return s, Move[TaskAttempt]{}, err
	}
	s.Deed = deed
	move, err := TaskLife.Take(TaskAttempt{t, s, f}, s.Kind, string(t.State), s.Actor.Role, name)
	return s, move, err
}

func takesTasks(a TaskAttempt) error {
	switch a.Facts.Campaign {
	case CampaignSelected, CampaignActive, CampaignExtended:
		return nil
	}
	return Errorf(CodeTransition, "the campaign stands at %s; its tasks are set while it is SELECTED, ACTIVE or EXTENDED", a.Facts.Campaign)
}

func campaignRuns(a TaskAttempt) error {
	switch a.Facts.Campaign {
	case CampaignActive, CampaignExtended:
		return nil
	}
	return Errorf(CodeTransition, "the campaign stands at %s; its tasks are done while it is ACTIVE or EXTENDED", a.Facts.Campaign)
}

func dueLater(a TaskAttempt) error {
	return check(a.Task.DueAt.After(a.Step.At), "dueAt", "%s is over; give a time to come", a.Task.DueAt.Format(time.RFC3339))
}

func isMine(a TaskAttempt) error {
	if !a.Facts.Mine {
		return Errorf(CodeForbidden, "a task is completed by its owner: act for its unit, or hold its post")
	}
	return nil
}

func showsEvidence(a TaskAttempt) error {
	for _, e := range a.Step.Evidence {
		if strings.TrimSpace(e) == "" {
			return Invalid("evidence", "a piece of evidence is empty; leave it out")
		}
	}
	return firstError(
		check(len(a.Step.Evidence) > 0, "evidence", "a task is done when something shows it: give evidence"),
		wereUploaded(a.Step.Evidence, a.Facts.Uploaded),
	)
}

// UploadedEvidence lists the hashes of the files that the step brings as evidence.
func (s TaskStep) UploadedEvidence() []string { return uploaded(s.Evidence) }

func taskReasoned(a TaskAttempt) error { return a.Step.reasoned(a.Step.Kind + " of a task") }

func justOverdue(a TaskAttempt) error {
	if a.Task.OverdueAt != nil || a.Step.At.Before(a.Task.DueAt) {
		return Errorf(CodeTransition, "the task is not newly overdue")
	}
	return nil
}

// After returns the task as it stands after a planned step.
func (t CampaignTask) After(s TaskStep, m Move[TaskAttempt]) CampaignTask {
	t.Version++
	if m.To != "" {
		t.State = TaskState(m.To)
	}
	switch s.Kind {
	case TaskCompleted:
		t.DoneAt, t.Evidence = &s.At, s.Evidence
	case TaskReopened:
		t.DoneAt = nil // the evidence that did not show it stays
	case TaskBecameOverdue:
		t.OverdueAt = &s.At
	}
	return t
}
