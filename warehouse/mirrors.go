package warehouse

// Mirror names a table of the system of record and the warehouse table that mirrors it. Both have the same column names; the
// warehouse table adds _ver and _deleted. Key is the primary key on both sides, in the order of the warehouse's sorting key.
type Mirror struct {
	Source string
	Table  string
	Key    []string
}

// Mirrors is the write contract of the replication: every published table, parents before children.
var Mirrors = []Mirror{
	{"region", "d_region", []string{"id"}},
	{"region_population", "d_population", []string{"region_id", "year"}},
	{"region_boundary", "d_region_boundary", []string{"region_id"}},
	{"region_neighbour", "d_region_neighbour", []string{"region_id", "neighbour_id"}},
	{"site", "d_site", []string{"id"}},
	{"category", "d_category", []string{"id"}},
	{"org_unit", "d_org_unit", []string{"id"}},
	{"post_holding", "d_post_holding", []string{"id"}},
	{"visit", "f_visit", []string{"id"}},
	{"opinion", "f_opinion", []string{"id"}},
	{"issue", "f_issue", []string{"id"}},
	{"issue_opinion", "f_issue_opinion", []string{"issue_id", "opinion_id"}},
	{"issue_event", "f_issue_event", []string{"issue_id", "seq"}},
	{"claim", "f_claim", []string{"id"}},
	{"callback_attempt", "f_callback_attempt", []string{"id"}},
	{"feedback", "f_feedback", []string{"id"}},
	{"target_version", "d_target_version", []string{"id"}},
	{"dispatch_leg", "f_dispatch_leg", []string{"issue_id", "n"}},
	{"clock_spell", "f_clock_spell", []string{"issue_id", "clock", "n"}},
	{"rota_plan", "d_rota_plan", []string{"id"}},
	{"rota_slot", "f_slot", []string{"id"}},
	{"visit_participant", "f_visit_participant", []string{"visit_id", "post_id"}},
	{"attestation", "f_attestation", []string{"id"}},
	{"visit_policy_item", "f_visit_policy_item", []string{"id"}},
	{"skill_record", "f_skill_record", []string{"id"}},
	{"campaign", "f_campaign", []string{"id"}},
	{"campaign_region", "f_campaign_region", []string{"campaign_id", "region_id"}},
	{"campaign_criterion", "f_campaign_criterion", []string{"campaign_id", "n"}},
	{"campaign_result", "f_campaign_result", []string{"campaign_id", "review", "n"}},
	{"campaign_task", "f_campaign_task", []string{"id"}},
	{"campaign_issue", "f_campaign_issue", []string{"id"}},
	{"policy_change", "f_policy_change", []string{"id"}},
	{"policy_rollout", "f_policy_rollout", []string{"policy_change_id", "region_id"}},
	{"evidence_link", "f_evidence_link", []string{"id"}},
	{"policy_evaluation", "f_policy_evaluation", []string{"policy_change_id"}},
	{"calendar_day", "d_calendar_day", []string{"day"}},
	{"note_check", "f_note_check", []string{"visit_id"}},
	{"opinion_terms", "f_opinion_terms", []string{"day", "opinion_id"}},
}
