package groundwork

import "slices"

// workers are the roles that work on issues and so may read their words.
var workers = []Role{
	RoleIntake, RoleDispatcher, RoleHandler, RoleUnitHead, RoleLeader, RoleSupervisor, RoleCaller, RoleCampaignLead, RolePolicyOwner,
	RoleAssessor, RolePrivacyOfficer,
}

// everybody reads what is public; reading more than that is decided by what the rows are.
func everybody() map[Role]Scope { return grants(Public, Roles...) }

// readers grants a list of things that belong to a region: those who work on issues read their region, the system everything.
func readers(more ...Role) map[Role]Scope {
	return and(grants(InRegion, slices.Concat(workers, more)...), grants(Anywhere, RoleSystem))
}

// stepBy grants a step of an issue to the roles that the life of an issue names.
func stepBy(kinds ...EventKind) map[Role]Scope {
	roles := rolesOf(rows(Lifecycle, func(t Transition) bool { return slices.Contains(kinds, t.Kind) }))
	g := grants(InRegion, roles...)
	for role := range g {
		switch role {
		case RoleCitizen:
			g[role] = Own
		case RoleHandler, RoleUnitHead:
			g[role] = OfUnit
		case RoleSystem:
			g[role] = Anywhere
		}
	}
	return g
}

// baseOperations are those on places, units, opinions, issues, and the measures.
var baseOperations = []Operation{
	{"node", everybody()}, {"nodes", everybody()},
	{"region", everybody()}, {"regions", everybody()}, {"site", everybody()}, {"sites", everybody()},
	{"category", everybody()}, {"categories", everybody()}, {"orgUnit", everybody()}, {"orgUnits", everybody()},
	{"official", everybody()}, {"officials", everybody()}, {"visit", everybody()}, {"visits", everybody()},
	{"followOpinion", everybody()}, {"opinion", everybody()}, {"opinions", everybody()}, {"issue", everybody()}, {"issues", everybody()},
	{"timeToResponse", everybody()}, {"timeToResolution", everybody()}, {"backlog", everybody()}, {"hotspots", everybody()},
	{"formalism", everybody()}, {"coverage", everybody()}, {"satisfaction", everybody()}, {"equityFunnel", everybody()}, {"policyEffect", everybody()},
	{"measureIssues", grants(InRegion, workers...)}, {"topicPulse", grants(Anywhere, workers...)},
	{"measures", everybody()}, {"measureMap", everybody()}, {"measureCatalog", everybody()},
	{"watermark", everybody()}, {"targetVersions", everybody()}, {"similarIssues", everybody()}, {"viewer", everybody()},

	{"createRegion", grants(Anywhere, RoleSystem)}, {"setPopulation", grants(Anywhere, RoleSystem)},
	{"createSite", grants(Anywhere, RoleSystem)}, {"createCategory", grants(Anywhere, RoleSystem)},
	{"createOrgUnit", grants(Anywhere, RoleSystem)}, {"createDispatchRule", grants(Anywhere, RoleSystem)},
	{"readNotifications", grants(Own, workers...)},
	{"issueChanged", everybody()}, {"measuresRefreshed", everybody()},
	{"worklistChanged", and(grants(InRegion, workers...), grants(Own, RoleCitizen))}, {"notified", grants(Own, workers...)},
	{"publishTarget", grants(Anywhere, RoleSystem)},
	{"createOfficial", grants(Anywhere, RoleSystem)}, {"createPostHolding", grants(Anywhere, RoleSystem)},
	{"recordVisit", visitSteps(VisitEntered)},
	{"submitOpinion", and(grants(Own, RoleCitizen), grants(InRegion, RoleIntake, RoleLeader), grants(Anywhere, RoleSystem))},
	{"registerIssue", stepBy(EventRegistered)},
	{"linkOpinion", stepBy(EventLinked)}, {"linkOpinions", stepBy(EventLinked)},
	{"answerOnTheSpot", grants(InRegion, RoleIntake)},
	{"dispatchIssue", stepBy(EventDispatched)}, {"dispatchIssues", stepBy(EventDispatched)},
	{"acceptIssue", stepBy(EventAccepted)}, {"acceptIssues", stepBy(EventAccepted)},
	{"returnIssue", stepBy(EventReturned)},
	{"askCitizen", stepBy(EventAsked)},
	{"resumeIssue", stepBy(EventResumed)},
	{"proposePlan", stepBy(EventProposed)},
	{"planIssue", stepBy(EventPlanned)},
	{"carryIssue", stepBy(EventCarried)},
	{"resumePlanned", stepBy(EventUnplanned)},
	{"recordResponse", stepBy(EventResponded)},
	{"claimFixed", stepBy(EventClaimed)}, {"claimExplained", stepBy(EventClaimed)}, {"claimReferredOut", stepBy(EventClaimed)},
	{"recordCallbackAttempt", stepBy(EventCalledBack)},
	{"recordFeedback", stepBy(EventFeedback, EventConfirmed, EventDisputed)},
	{"closeUnconfirmed", grants(Anywhere, RoleSystem)},
	{"closeExplained", grants(InRegion, RoleSupervisor)}, {"closeReferredOut", grants(InRegion, RoleSupervisor)},
	{"withdrawIssue", stepBy(EventWithdrawn)},
	{"mergeIssue", stepBy(EventMerged)}, {"unmergeIssue", stepBy(EventUnmerged)},
	{"reopenIssue", stepBy(EventReopened)},
	{"escalateIssue", stepBy(EventEscalated)},
}
