package groundwork

// policyOperations are those on policies and their changes.
var policyOperations = []Operation{
	{"policy", everybody()}, {"policies", everybody()}, {"policyChange", everybody()}, {"policyChanges", everybody()},

	{"createPolicy", and(grants(OfUnit, RolePolicyOwner), grants(Anywhere, RoleSystem))},
	{"revisePolicyVersion", grants(OfUnit, RolePolicyOwner)},
	{"proposePolicyChange", policySteps(PolicyProposed)},
	{"linkPolicyEvidence", policySteps(PolicyEvidence)},
	{"recordConsultation", policySteps(PolicyConsulted)},
	{"registerPolicyOutcome", policySteps(PolicyRegistered)},
	{"startPilot", policySteps(PolicyPiloted)},
	{"rollOutPolicyChange", policySteps(PolicyRolledOut)},
	{"adoptPolicyChange", policySteps(PolicyAdopted)},
	{"recordEvaluation", policySteps(PolicyEvaluated)},
	{"retainPolicyChange", policySteps(PolicyRetained)},
	{"amendPolicyChange", policySteps(PolicyAmended)},
	{"repealPolicyChange", policySteps(PolicyRepealed)},
	{"dropPolicyChange", policySteps(PolicyDropped)},
}

// policySteps grants a step of a change to the roles that its life names: to policy owners for what their unit owns.
func policySteps(kind string) map[Role]Scope {
	g := grants(InRegion, PolicyLife.RolesOf(kind)...)
	if _, ok := g[RolePolicyOwner]; ok {
		g[RolePolicyOwner] = OfUnit
	}
	return g
}
