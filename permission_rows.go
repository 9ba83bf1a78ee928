package groundwork

import "slices"

// RowRule is who may read, add and change the rows of a table, however it is asked: row-level security of the system of record holds it
// beneath the operations. A role without a scope reads nothing, and is refused.
type RowRule struct {
	Table             string
	What              string // which rows, where the table has several kinds; empty = all
	Read, Add, Change map[Role]Scope
}

// reference rows are for everybody to read, and for the system to write.
func referenceRows(table string) RowRule {
	system := grants(Anywhere, RoleSystem)
	return RowRule{Table: table, Read: everybody(), Add: system, Change: system}
}

var (
	// knowing reads what was told in confidence: whoever works there or has it, and who told it.
	knowing = and(readers(), grants(Own, RoleCitizen))
	// stepping takes steps of issues: the roles of the place, the units that have it, and who reported it.
	stepping = and(grants(InRegion, RoleIntake, RoleDispatcher, RoleLeader, RoleSupervisor, RoleCaller), grants(OfUnit, RoleHandler, RoleUnitHead),
		grants(Own, RoleCitizen), grants(Anywhere, RoleSystem))
	taking      = and(grants(InRegion, RoleIntake, RoleLeader), grants(Own, RoleCitizen), grants(Anywhere, RoleSystem))
	visiting    = and(grants(Own, RoleLeader), grants(InRegion, RoleIntake, RoleSupervisor), grants(Anywhere, RoleSystem))
	attesting   = and(grants(InRegion, RoleCaller, RoleSupervisor, RoleIntake), grants(Anywhere, RoleSystem))
	supervising = and(grants(InRegion, RoleSupervisor), grants(Anywhere, RoleSystem))
	leading     = and(grants(InRegion, RoleCampaignLead, RoleSupervisor, RoleDispatcher), grants(Anywhere, RoleSystem))
	nominating  = and(grants(InRegion, RoleCampaignLead, RoleLeader), grants(Anywhere, RoleSystem))
	shaping     = and(grants(OfUnit, RolePolicyOwner), grants(InRegion, RoleLeader, RoleSupervisor, RoleCampaignLead, RoleAssessor), grants(Anywhere, RoleSystem))
	moderating  = and(grants(InRegion, RoleIntake, RoleUnitHead, RoleLeader, RoleSupervisor, RoleCampaignLead, RolePolicyOwner), grants(Anywhere, RoleSystem))
	judging     = and(grants(InRegion, RoleAssessor, RoleSupervisor), grants(OfUnit, RoleUnitHead), grants(Anywhere, RoleSystem))
	own         = grants(Own, Roles...)
)

// RowRules lists the tables under row-level security.
var RowRules = slices.Concat([]RowRule{
	{"issue", "nothing told in confidence", everybody(), taking, stepping},
	{"issue", "something told in confidence", knowing, taking, stepping},
	{"opinion", "public, or with the name hidden", everybody(), taking, nil},
	{"opinion", "confidential", knowing, taking, nil},
	{"issue_opinion", "", everybody(), stepping, nil},
	{"issue_event", "", everybody(), stepping, nil},
	{"dispatch_leg", "", everybody(), stepping, stepping},
	{"clock_spell", "", everybody(), stepping, stepping},
	{"claim", "", everybody(), stepping, stepping},
	{"claim", "on an issue with something told in confidence", knowing, nil, nil},
	{"feedback", "", everybody(), stepping, nil},
	{"callback_attempt", "", everybody(), stepping, nil},
	{"notification", "to the role", and(grants(InRegion, slices.Concat(workers, []Role{RoleAnalyst, RoleResearcher})...), grants(Anywhere, RoleSystem)), stepping,
		and(grants(InRegion, slices.Concat(workers, []Role{RoleAnalyst, RoleResearcher})...), grants(Anywhere, RoleSystem))},

	{"visit", "", everybody(), visiting, visiting},
	{"visit_participant", "", everybody(), visiting, nil},
	{"attestation", "", everybody(), attesting, nil},
	{"rota_plan", "", everybody(), supervising, nil},
	{"rota_slot", "", readers(RoleAnalyst), supervising, supervising},

	{"campaign", "", everybody(), and(grants(Own, RoleCampaignLead, RoleLeader), grants(Anywhere, RoleSystem)), leading},
	{"campaign_region", "", everybody(), nominating, nil},
	{"campaign_criterion", "", everybody(), leading, nil},
	{"campaign_result", "", everybody(), leading, nil},
	{"campaign_task", "", readers(RoleAnalyst), leading, and(leading, grants(OfUnit, RoleHandler, RoleUnitHead), grants(Own, RoleLeader))},
	{"campaign_issue", "", everybody(), leading, leading},

	{"policy", "", everybody(), and(grants(OfUnit, RolePolicyOwner), grants(Anywhere, RoleSystem)), nil},
	{"policy_change", "", everybody(), shaping, shaping},
	{"policy_version", "", everybody(), shaping, shaping},
	{"policy_rollout", "", everybody(), shaping, nil},
	{"evidence_link", "", everybody(), shaping, nil},
	{"policy_evaluation", "", everybody(), shaping, nil},

	{"visit_policy_item", "", everybody(), visiting, nil},
	{"note_check", "", skillReaders(), grants(Anywhere, RoleSystem), nil},
	{"survey_wave", "", everybody(), supervising, nil},
	{"survey_batch", "", everybody(), supervising, nil},
	{"discussion", "", everybody(), moderating, moderating},
	{"discussion_post", "", everybody(), and(grants(InRegion, Roles...), grants(Anywhere, RoleCitizen, RoleSystem)), supervising},
	{"discussion_support", "", everybody(), grants(Anywhere, RoleCitizen), nil},

	{"measure_definition", "", everybody(), nil, nil},
	{"target", "of a unit", judging, judging, judging},
	{"formalism_flag", "of a unit", judging, grants(Anywhere, RoleSystem), judging},
	{"measure_snapshot", "published", everybody(), own, nil},
	{"measure_snapshot", "of a unit", judging, own, nil},
	{"assessment", "of a unit", judging, grants(InRegion, RoleAssessor), judging},
	{"assessment_snapshot", "of a unit", judging, grants(InRegion, RoleAssessor), nil},
	{"assessment_flag", "of a unit", judging, grants(InRegion, RoleAssessor), nil},
	{"assessment_cycle", "", everybody(), grants(Anywhere, RoleAssessor, RoleSupervisor), nil},
	{"assessment_cycle_definition", "", everybody(), grants(Anywhere, RoleAssessor, RoleSupervisor), nil},

	{"training", "", and(grants(Anywhere, workers...), grants(Anywhere, RoleSystem)), grants(InRegion, RoleAssessor), nil},
	{"skill_record", "", skillReaders(), grants(InRegion, RoleAssessor), nil},
	{"training_participation", "", skillReaders(), grants(InRegion, RoleAssessor), nil},

	{"entity_event", "of visits, campaigns and policy changes", everybody(), own, nil},
	{"entity_event", "of slots and tasks", readers(RoleAnalyst), own, nil},
	{"evidence_file", "", and(own, grants(Anywhere, RoleSystem)), own, own},
	{"evidence_file", "that a claim names", readers(), nil, nil},
	{"mutation_receipt", "", own, own, nil},
	{"research_question", "", own, own, nil},
	{"glass", "", and(own, grants(Anywhere, RolePrivacyOfficer, RoleSystem)), own, grants(Anywhere, RolePrivacyOfficer)},
	{"role_binding", "", and(own, grants(Anywhere, RoleSystem)), nil, nil},
}, []RowRule{
	referenceRows("region"), referenceRows("region_population"), referenceRows("site"), referenceRows("category"), referenceRows("org_unit"),
	referenceRows("dispatch_rule"), referenceRows("post_holding"),
	{"official", "", everybody(), grants(Anywhere, RoleSystem), nil}, {"target_version", "", everybody(), grants(Anywhere, RoleSystem), nil},
})
