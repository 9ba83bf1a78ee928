package groundwork

// campaignOperations are those on campaigns and their tasks.
var campaignOperations = []Operation{
	{"campaign", everybody()}, {"campaigns", everybody()},
	{"campaignTask", readers(RoleAnalyst)}, {"campaignTasks", readers(RoleAnalyst)},

	{"nominateCampaign", and(campaignSteps(CampaignNominated), grants(Anywhere, RoleSystem))},
	{"selectCampaign", campaignSteps(CampaignStepSelected)},
	{"declineCampaign", campaignSteps(CampaignStepDeclined)},
	{"startCampaign", campaignSteps(CampaignStarted)},
	{"joinCampaign", campaignSteps(CampaignJoined)},
	{"leaveCampaign", campaignSteps(CampaignLeft)},
	{"reviewCampaign", and(campaignSteps(CampaignReviewOpened), grants(Anywhere, RoleSystem))},
	{"exitCampaign", campaignSteps(CampaignStepExited)},
	{"extendCampaign", campaignSteps(CampaignStepExtended)},
	{"failCampaign", campaignSteps(CampaignStepFailed)},

	{"addCampaignTask", grants(InRegion, TaskLife.RolesOf(TaskAdded)...)},
	{"completeCampaignTask", and(grants(OfUnit, TaskLife.RolesOf(TaskCompleted)...), grants(Own, RoleLeader))},
	{"dropCampaignTask", grants(InRegion, TaskLife.RolesOf(TaskStepDropped)...)},
	{"reopenCampaignTask", grants(InRegion, TaskLife.RolesOf(TaskReopened)...)},
}

// campaignSteps grants a step of a campaign to the roles that its life names.
func campaignSteps(kind string) map[Role]Scope {
	return grants(InRegion, CampaignLife.RolesOf(kind)...)
}
