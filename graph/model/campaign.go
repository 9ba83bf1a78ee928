package model

import "groundwork"

// Campaigns and what belongs to them.
type (
	Campaign       groundwork.Campaign
	CampaignRegion groundwork.CampaignRegion
	CampaignIssue  groundwork.CampaignIssue
	CampaignTask   groundwork.CampaignTask

	CampaignConnection     = Connection[Campaign]
	CampaignEdge           = Edge[Campaign]
	CampaignTaskConnection = Connection[CampaignTask]
	CampaignTaskEdge       = Edge[CampaignTask]
)

// The names of the types in global ids.
const (
	TypeCampaign     = "Campaign"
	TypeCampaignTask = "CampaignTask"
)

func (*Campaign) IsNode()     {}
func (*CampaignTask) IsNode() {}

// GlobalID is what the API calls id.
func (c *Campaign) GlobalID() ID { return ID{TypeCampaign, c.ID} }

// GlobalID is what the API calls id.
func (t *CampaignTask) GlobalID() ID { return ID{TypeCampaignTask, t.ID} }

// CampaignPayload is what every step of a campaign answers.
type CampaignPayload struct {
	Campaign         *Campaign
	UserErrors       []UserError
	Consistency      *string
	ClientMutationID *string
}

// CampaignTaskPayload is what every step of a task answers.
type CampaignTaskPayload struct {
	CampaignTask     *CampaignTask
	UserErrors       []UserError
	Consistency      *string
	ClientMutationID *string
}
