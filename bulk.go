package groundwork

import (
	"time"

	"github.com/google/uuid"
)

// Foundation is what a whole system of record stands on, loaded at once: places, categories, units and people in office. Parents
// come before their children.
type Foundation struct {
	Regions     []Region
	Populations []Population
	Boundaries  []Boundary
	Neighbours  []Neighbourhood
	Sites       []Site
	Categories  []Category
	Targets     []TargetVersion
	Units       []OrgUnit
	Rules       []DispatchRule
	Officials   []Official
	Posts       []PostHolding
	Policies    []Policy

	PolicyVersions []PolicyVersion
	Calendar       Calendar
}

// Bulk is a part of what happened, loaded at once. Whoever makes it has planned every event by the rules (PlanRegistration,
// Issue.Plan, Visit.Plan, RotaSlot.Plan, PolicyChange.Plan, Campaign.Plan): all stand as their last events say, and times of recording are those of the events.
type Bulk struct {
	Visits    []Visit
	Plans     []RotaPlan
	Slots     []RotaSlot
	Histories []EntityEvent // of the visits, slots, changes of policy, campaigns and tasks, by noun, entity and Seq

	Attestations []Attestation     // of visits of the same part
	PolicyItems  []VisitPolicyItem // likewise

	PolicyChanges []PolicyChange // none of them adopted: the foundation has no version that they brought
	Evidence      []EvidenceLink // of these changes
	Rollouts      []PolicyRollout

	Campaigns []BulkCampaign

	Opinions []Opinion
	Issues   []BulkIssue
	Links    []BulkLink
	Events   []Event // by issue and Seq
	Claims   []Claim
	Attempts []CallbackAttempt
	Feedback []Feedback
}

// BulkIssue is an issue with its number in the load, from 0: its public reference follows from that.
type BulkIssue struct {
	Number int64
	Issue
	Next *Due // what time brings next
}

// BulkCampaign is a campaign as it stood after each of its steps, the first of which nominated it, with its parts.
type BulkCampaign struct {
	Stood    []Campaign
	Regions  []CampaignRegion
	Criteria []ExitCriterion
	Tasks    []CampaignTask
	Issues   []CampaignIssue
	Results  []CriterionResult // of the review
}

// BulkLink says that an opinion belongs to an issue.
type BulkLink struct {
	IssueID, OpinionID uuid.UUID
	At                 time.Time
	By                 string
}

// BulkJob describes a load. The same job again goes on where the last one stopped.
type BulkJob struct {
	Source     string            // who makes the data; recorded with every row
	Parameters map[string]string // all that the data follow from
	Issues     int64
	Parts      int
	Append     bool // load beside what is there, every rule enforced row by row; else the system of record has to be empty
}
