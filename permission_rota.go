package groundwork

// rotaOperations are those on the rota, and on visits along their lives.
var rotaOperations = []Operation{
	{"rotaPlan", everybody()}, {"rotaPlans", everybody()},
	{"rotaSlot", readers(RoleAnalyst)}, {"rotaSlots", readers(RoleAnalyst)},
	{"publishRotaPlan", grants(InRegion, SlotLife.RolesOf(SlotMade)...)},
	{"excuseSlot", grants(InRegion, SlotLife.RolesOf(SlotStepExcused)...)},
	{"swapSlot", grants(InRegion, SlotLife.RolesOf(SlotStepSwapped)...)},

	{"planVisit", visitSteps(VisitArranged)}, {"checkInVisit", visitSteps(VisitBegun)}, {"endVisit", visitSteps(VisitEnded)},
	{"recordVisitNote", visitSteps(VisitNoted)}, {"closeOutVisit", visitSteps(VisitDone)}, {"cancelVisit", visitSteps(VisitCalledOff)},
	{"voidVisit", visitSteps(VisitVoided)},
	{"recordPolicyItem", and(grants(Own, RoleLeader), grants(InRegion, RoleIntake))},
	{"visitsToCheckBack", grants(InRegion, RoleCaller, RoleSupervisor)},
	{"attestVisit", grants(InRegion, RoleCaller, RoleSupervisor, RoleIntake)},
}

// visitSteps grants a step of a visit to the roles that its life names: leaders reach their own.
func visitSteps(kind string) map[Role]Scope {
	g := grants(InRegion, VisitLife.RolesOf(kind)...)
	if _, leads := g[RoleLeader]; leads {
		g[RoleLeader] = Own
	}
	if _, system := g[RoleSystem]; system {
		g[RoleSystem] = Anywhere
	}
	return g
}
