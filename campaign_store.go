package groundwork

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// CampaignStore keeps campaigns, their tasks, and the issues that are part of them.
type CampaignStore interface {
	Campaigns(ctx context.Context, f CampaignFilter, p PageRequest) (Page[*Campaign], error) // ordered by nominated_at descending
	CampaignsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Campaign, error)
	CampaignRegionsOf(ctx context.Context, campaignIDs []uuid.UUID) (map[uuid.UUID][]*CampaignRegion, error)
	ExitCriteriaOf(ctx context.Context, campaignIDs []uuid.UUID) (map[uuid.UUID][]*ExitCriterion, error)              // by n
	CriterionResultsOf(ctx context.Context, campaignIDs []uuid.UUID) (map[uuid.UUID][]*CriterionResult, error)        // by review, n
	CampaignIssuesOf(ctx context.Context, campaignIDs []uuid.UUID, limit int) (map[uuid.UUID][]*CampaignIssue, error) // by joined_at
	CampaignsOfIssues(ctx context.Context, issueIDs []uuid.UUID) (map[uuid.UUID]*Campaign, error)                     // of which they are part now
	NominateCampaign(ctx context.Context, n Nomination) (*Campaign, Receipt, error)
	StepCampaign(ctx context.Context, s CampaignStep) (*Campaign, Receipt, error)

	CampaignTasks(ctx context.Context, f CampaignTaskFilter, p PageRequest) (Page[*CampaignTask], error) // ordered by due_at
	CampaignTasksByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*CampaignTask, error)
	CampaignTasksOf(ctx context.Context, campaignIDs []uuid.UUID, limit int) (map[uuid.UUID][]*CampaignTask, error) // by due_at
	AddCampaignTask(ctx context.Context, d Deed, t CampaignTask) (*CampaignTask, Receipt, error)
	StepCampaignTask(ctx context.Context, s TaskStep) (*CampaignTask, Receipt, error)
}

// CampaignFilter narrows a list of campaigns; zero fields do not narrow.
type CampaignFilter struct {
	States      []CampaignState
	LeadUnitIDs []uuid.UUID
	CategoryIDs []uuid.UUID
	Under       *uuid.UUID // acts in a region of this subtree
	Nominated   TimeRange
	Topic       string // part of the topic
}

// CampaignTaskFilter narrows a list of tasks.
type CampaignTaskFilter struct {
	CampaignIDs  []uuid.UUID
	States       []TaskState
	OwnerUnitIDs []uuid.UUID
	OwnedBy      *Actor // of this actor: of its unit, or of a post that its official holds
	Due          TimeRange
	OverdueAt    *time.Time // open, and due before this moment
}
