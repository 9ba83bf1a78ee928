package groundwork

// assessmentOperations are those on measures on record, targets, flags and assessments. Of what is said of persons and units nobody sees
// more than Subject.SeenBy lets through, whatever the role may ask for.
var assessmentOperations = []Operation{
	{"measureDefinitionVersions", everybody()},
	{"measureSnapshot", everybody()}, {"measureSnapshots", everybody()}, {"verifySnapshot", everybody()},
	{"takeSnapshot", and(grants(InRegion, RoleSupervisor, RoleAssessor, RoleCampaignLead, RolePolicyOwner, RoleLeader, RoleUnitHead, RoleAnalyst), grants(Anywhere, RoleSystem))},
	{"formalismFlag", assessed()}, {"formalismFlags", assessed()},
	{"raiseFlag", grants(Anywhere, RoleSystem)}, {"takeUpFlag", flagSteps(FlagTakenUp)}, {"confirmFlag", flagSteps(FlagStepConfirmed)},
	{"dismissFlag", flagSteps(FlagStepDismissed)}, {"appealFlag", flagSteps(FlagStepAppealed)},
	{"assessmentCycle", everybody()}, {"assessmentCycles", everybody()}, {"assessment", assessed()}, {"assessments", assessed()},
	{"openAssessmentCycle", grants(Anywhere, RoleAssessor, RoleSupervisor)},
	{"openAssessment", assessmentSteps(AssessmentOpened)}, {"freezeAssessment", assessmentSteps(AssessmentStepFrozen)},
	{"reviewAssessment", assessmentSteps(AssessmentStepReviewed)}, {"replyToAssessment", assessmentSteps(AssessmentStepReplied)},
	{"finalizeAssessment", assessmentSteps(AssessmentFinalized)}, {"appealAssessment", assessmentSteps(AssessmentStepAppealed)},
	{"decideAssessmentAppeal", assessmentSteps(AssessmentDecided)},
	{"target", assessed()}, {"targets", assessed()},
	{"setTarget", targetSteps(SubjectTargetSet)}, {"reviseTarget", targetSteps(SubjectTargetRevised)}, {"withdrawTarget", targetSteps(SubjectTargetStepWithdrawn)},
}

// assessed grants reading of what is said of subjects: to subjects their own, to those who assess their regions.
func assessed() map[Role]Scope {
	own := []Role{RoleIntake, RoleDispatcher, RoleHandler, RoleLeader, RoleCaller, RoleCampaignLead, RolePolicyOwner, RolePrivacyOfficer}
	return and(grants(Own, own...), grants(OfUnit, RoleUnitHead), grants(InRegion, RoleSupervisor, RoleAssessor), grants(Anywhere, RoleSystem))
}

func targetSteps(kind string) map[Role]Scope {
	return and(grants(InRegion, SubjectTargetLife.RolesOf(kind)...), grants(OfUnit, RoleUnitHead))
}

func flagSteps(kind string) map[Role]Scope { return ownAnswers(FlagLife.RolesOf(kind)) }

func assessmentSteps(kind string) map[Role]Scope { return ownAnswers(AssessmentLife.RolesOf(kind)) }

// ownAnswers grants a step: to subjects of what speaks of them.
func ownAnswers(roles []Role) map[Role]Scope {
	g := grants(InRegion, roles...)
	for _, r := range appellants {
		if _, has := g[r]; has {
			g[r] = Own
		}
	}
	return g
}
