package graph

import (
	"time"

	"groundwork"
	"groundwork/graph/gen"
	"groundwork/graph/model"
)

// The cost of a document is reckoned before anything runs: a field costs 1, a list costs 1 and its page size times what a row
// costs. The edge refuses what costs more than its limit.
const (
	measureCost  = 100 // one question to the warehouse, flat: its answer is columns, whatever their length
	similarCost  = 50  // one comparison of a matter with the open issues of its place
	outlineCost  = 5   // an outline has thousands of positions
	unpagedLists = 20  // what lists without a page size usually hold
)

func pageCost(child int, first, last *int32) int {
	n := maxPage
	if first != nil {
		n = bounded(*first)
	} else if last != nil {
		n = bounded(*last)
	}
	return 1 + n*child
}

// bulkCost counts what each item asks for beside its own write.
func bulkCost(child, items int) int { return 1 + min(items, maxPage)*max(child, 1) }

func listCost(child int, first int32) int { return 1 + bounded(first)*child }

// bounded keeps sizes that will be refused anyway from making a document look cheap.
func bounded(n int32) int { return min(max(int(n), 1), maxPage) }

func complexity() gen.ComplexityRoot {
	var c gen.ComplexityRoot
	lists(&c)
	nested(&c)
	c.Query.TimeToResponse = func(child int, _ model.MeasureQuery) int { return measureCost + child }
	c.Query.TimeToResolution = c.Query.TimeToResponse
	c.Query.Backlog = c.Query.TimeToResponse
	c.Query.Measures = func(child int, q model.MeasuresQuery) int {
		questions := len(q.Measures)
		if q.CompareTo.Value() != nil {
			questions *= 2
		}
		return measureCost*max(questions, 1) + child
	}
	c.Query.Hotspots = func(child int, _ model.MeasureQuery, _, _ *time.Time) int { return measureCost + child }
	c.Query.Formalism = func(child int, _ model.MeasureQuery, _ *model.DateTimeFilter, codes []model.MeasureCode) int {
		return measureCost*max(len(codes), 1) + child
	}
	c.Query.Coverage = c.Query.TimeToResponse
	c.Query.EquityFunnel = c.Query.TimeToResponse
	c.Query.PolicyEffect = c.Query.TimeToResponse
	c.Query.Satisfaction = func(child int, _ model.MeasureQuery, _ *model.DateTimeFilter) int { return measureCost + child }
	c.Query.MeasureIssues = func(child int, _ model.MeasureIssuesQuery, first int32, _ *model.ID) int {
		return measureCost + listCost(child, first)
	}
	c.Query.TopicPulse = func(child int, _ model.TopicPulseQuery, first int32) int { return measureCost + listCost(child, first) }
	c.Query.MeasureMap = func(child int, _ model.MeasureCode, _ model.MapQuery) int { return measureCost + child }
	c.Query.VerifySnapshot = func(child int, _ model.ID) int { return measureCost + child }
	c.Mutation.TakeSnapshot = func(child int, _ model.TakeSnapshotInput) int { return measureCost + child }
	return c
}

func lists(c *gen.ComplexityRoot) {
	c.Query.Nodes = func(child int, ids []model.ID) int { return 1 + min(len(ids), maxPage)*child }
	c.Query.Regions = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.RegionFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.Sites = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.SiteFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.Categories = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.CategoryFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.OrgUnits = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.OrgUnitFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.Officials = func(child int, first *int32, _ *string, last *int32, _ *string) int {
		return pageCost(child, first, last)
	}
	c.Query.Visits = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.VisitFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.VisitsToCheckBack = c.Query.Visits
	c.Query.TargetVersions = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.TargetVersionFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.Campaigns = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.CampaignFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.RotaPlans = func(child int, first *int32, _ *string, last *int32, _ *string) int {
		return pageCost(child, first, last)
	}
	c.Query.RotaSlots = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.RotaSlotFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.SkillRecords = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.SkillRecordFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.Trainings = func(child int, first *int32, _ *string, last *int32, _ *string) int {
		return pageCost(child, first, last)
	}
	c.Query.TrainingParticipations = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.TrainingParticipationFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.SurveyWaves = func(child int, first *int32, _ *string, last *int32, _ *string) int {
		return pageCost(child, first, last)
	}
	c.Query.Discussions = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.DiscussionFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.DiscussionPosts = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.DiscussionPostFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.CampaignTasks = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.CampaignTaskFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.Policies = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.PolicyFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.PolicyChanges = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.PolicyChangeFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.MeasureSnapshots = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.MeasureSnapshotFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.FormalismFlags = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.FormalismFlagFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.Assessments = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.AssessmentFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.AssessmentCycles = func(child int, first *int32, _ *string, last *int32, _ *string) int {
		return pageCost(child, first, last)
	}
	c.Mutation.FreezeAssessment = func(child int, _ model.FreezeAssessmentInput) int { return maxMeasures*measureCost + child }
	c.Query.Targets = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.TargetFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.MeasureDefinitionVersions = func(child int, _ []model.MeasureCode) int { return 1 + maxPage*child }
	c.Query.Opinions = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.OpinionFilter) int {
		return pageCost(child, first, last)
	}
	c.Query.BrokenGlasses = func(child int, first *int32, _ *string, last *int32, _ *string, _ bool) int {
		return pageCost(child, first, last)
	}
	c.Query.Issues = func(child int, first *int32, _ *string, last *int32, _ *string, _ *model.IssueFilter, _ groundwork.IssueOrder) int {
		return pageCost(child, first, last)
	}
}

func nested(c *gen.ComplexityRoot) {
	c.Issue.Opinions, c.Issue.Events, c.Issue.Claims = listCost, listCost, listCost
	c.Viewer.Permissions, c.Viewer.Regions = func(child int) int { return 1 + maxPage*child }, func(child int) int { return 1 + unpagedLists*child }
	c.Viewer.Worklist = func(child int, _ groundwork.Worklist, first *int32, _ *string, last *int32, _ *string) int {
		return pageCost(child, first, last)
	}
	c.Viewer.Notifications = func(child int, first *int32, _ *string, last *int32, _ *string, _ bool) int {
		return pageCost(child, first, last)
	}
	c.Opinion.SimilarIssues = func(child int, first int32) int { return similarCost + listCost(child, first) }
	c.Query.SimilarIssues = func(child int, _ string, _, _, _ *model.ID, first int32) int {
		return similarCost + listCost(child, first)
	}
	c.Mutation.DispatchIssues = func(child int, in model.DispatchIssuesInput) int { return bulkCost(child, len(in.Items)) }
	c.Mutation.AcceptIssues = func(child int, in model.AcceptIssuesInput) int { return bulkCost(child, len(in.IssueIds)) }
	c.Mutation.LinkOpinions = func(child int, in model.LinkOpinionsInput) int { return bulkCost(child, len(in.OpinionIds)) }
	c.Issue.Legs, c.Issue.Clocks = listCost, listCost
	c.Claim.Feedback, c.Claim.CallbackAttempts = listCost, listCost
	c.Region.Children = listCost
	c.Campaign.Tasks, c.Campaign.Issues, c.Campaign.History, c.CampaignTask.History = listCost, listCost, listCost, listCost
	c.Visit.History, c.RotaSlot.History, c.Discussion.History = listCost, listCost, listCost
	c.Visit.Participants = func(child int) int { return 1 + unpagedLists*child }
	c.Visit.Attestations, c.Visit.PolicyItems = c.Visit.Participants, c.Visit.Participants
	c.Policy.Versions, c.PolicyChange.Evidence, c.PolicyChange.History = listCost, listCost, listCost
	unpaged := func(child int) int { return 1 + unpagedLists*child }
	c.Region.Populations, c.Official.Posts, c.Region.Neighbours = unpaged, unpaged, unpaged
	c.Region.Boundary = func(child int) int { return outlineCost + child }
	c.Campaign.Regions, c.Campaign.ExitCriteria, c.Campaign.Results, c.HotspotEvidence.Cells = unpaged, unpaged, unpaged, unpaged
	c.PolicyChange.Rollouts = unpaged
	c.SurveyResults.ByRegion = func(child int) int { return 1 + maxPage*child }
	c.SurveyResults.BySiteKind = unpaged
	c.Target.History, c.FormalismFlag.History, c.Assessment.History = listCost, listCost, listCost
	c.Assessment.Snapshots, c.Assessment.Flags, c.AssessmentCycle.Definitions = unpaged, unpaged, unpaged
}
