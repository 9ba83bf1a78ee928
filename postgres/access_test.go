package postgres_test

import (
	"context"
	"crypto/md5"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// Every table that the API may read is under row-level security, or stands in access.sql with the reason why not; and what triggers look up
// for a rule is not narrowed to what the writer may see.
func TestEveryTableIsNarrowedOrExempt(t *testing.T) {
	t.Parallel()
	conn := connectAs(t, pgtest.New(t), "postgres")
	list := func(sql string) []string {
		rows, err := conn.Query(t.Context(), sql)
		require.NoError(t, err)
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		return names
	}
	require.Empty(t, list(`SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
		AND has_table_privilege('groundwork_app', c.oid, 'SELECT') AND NOT c.relrowsecurity AND c.relname NOT IN (SELECT name FROM access.exemption)`),
		"say access.protect or access.exempt in access.sql")
	require.Empty(t, list(`SELECT e.name FROM access.exemption e LEFT JOIN pg_class c ON c.oid = to_regclass(e.name) WHERE c.oid IS NULL OR c.relrowsecurity`),
		"exempt and narrowed, or not there")
	require.Empty(t, list(`SELECT c.relname FROM pg_class c WHERE c.relrowsecurity AND c.relname NOT IN ('skill_record', 'training_participation') AND NOT (SELECT array_agg(p.polname::text) FROM pg_policy p WHERE p.polrelid = c.oid)
		@> '{app_reads,jobs,etl}'`))
	require.Empty(t, list(`SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prorettype = 'trigger'::regtype AND NOT p.prosecdef`))
}

// placeholders: {x} is the id of the x of the place, [actor] who asks, [own] who asks inside and somebody else outside, [role] its role.
var idOf = regexp.MustCompile(`\{(\w+)\}`)

func fill(sql, place, actor, role string) string {
	own := actor
	if place == "B" {
		own = "somebody-else"
	}
	sql = idOf.ReplaceAllString(sql, "md5('$1-"+place+"')::uuid")
	return strings.NewReplacer("[actor]", actor, "[own]", own, "[role]", role, "[place]", place).Replace(sql)
}

// world is one row of each kind at a place. Triggers are put aside: rows need only be what the policies look at.
const world = `
	INSERT INTO region (id, code, level, parent_id, path, name) VALUES ({region}, CASE '[place]' WHEN 'A' THEN '990100000000' ELSE '990200000000' END, 'PREFECTURE', md5('province')::uuid,
		('990000000000.' || CASE '[place]' WHEN 'A' THEN '990100000000' ELSE '990200000000' END)::ltree, '[place]市');
	INSERT INTO site (id, region_id, kind, name) VALUES ({site}, {region}, 'SCHOOL', 'School');
	INSERT INTO org_unit (id, region_id, name, kind) VALUES ({unit}, {region}, 'Unit', 'GOVT'), ({judge}, {region}, 'Judge', 'GOVT');
	INSERT INTO category (id, code, name, path) VALUES ({category}, 'c-[place]', 'C', ARRAY['C']);
	INSERT INTO dispatch_rule (id, category_id, region_level, org_unit_id, basis, valid_from) VALUES ({rule}, {category}, 'PREFECTURE', {unit}, 'x', '2020-01-01');
	INSERT INTO official (id, pseudonym) VALUES ({official}, 'o-[place]');
	INSERT INTO post_holding (id, official_id, org_unit_id, rank, title, held_from) VALUES ({post}, {official}, {unit}, 'COUNTY', 'x', '2020-01-01');
	INSERT INTO official (id, pseudonym) VALUES ({judged}, 'j-[place]');
	INSERT INTO post_holding (id, official_id, org_unit_id, rank, title, held_from) VALUES ({judgedpost}, {judged}, {judge}, 'COUNTY', 'x', '2020-01-01');
	INSERT INTO region_population (region_id, year, persons, source) VALUES ({region}, 2020, 1, 'x');
	INSERT INTO target_version (id, category_id, severity, ack_minutes, response_minutes, resolution_minutes, time_base, published_at, valid_from)
		VALUES ({target}, {category}, 'LOW', 1, 1, 1, 'WALL', now(), now());
	INSERT INTO vault.reporter (pid, source, external_key) VALUES ({pid}, 'groundwork', CASE '[place]' WHEN 'A' THEN 'a-CITIZEN' ELSE 'another' END);
	INSERT INTO opinion (id, channel, kind, received_at, reporter_pid, text, region_id, confidentiality, recorded_by) VALUES
		({opinion}, 'APP', 'HELP', now(), {pid}, 'x', {region}, 'PUBLIC', 'import'), ({secret}, 'APP', 'HELP', now(), {pid}, 'x', {region}, 'CONFIDENTIAL', 'import'),
		({loose}, 'APP', 'HELP', now(), {pid}, 'x', {region}, 'PUBLIC', 'import');
	INSERT INTO issue (id, public_ref, kind, channel, title, region_id, seq, state, origin_at, confidential, recorded_by, lead_unit_id) VALUES
		({issue}, 'P-[place]', 'HELP', 'APP', 'x', {region}, 1, 'REGISTERED', now(), false, 'import', {unit}),
		({secretissue}, 'S-[place]', 'HELP', 'APP', 'x', {region}, 1, 'REGISTERED', now(), true, 'import', {unit}),
		({newissue}, 'N-[place]', 'HELP', 'APP', 'x', {region}, 1, 'REGISTERED', now(), false, 'a-CITIZEN', {unit});
	INSERT INTO issue_opinion (issue_id, opinion_id, linked_at, linked_by) VALUES ({issue}, {opinion}, now(), 'x'), ({secretissue}, {secret}, now(), 'x');
	INSERT INTO issue_event (issue_id, seq, kind, to_state, at, known_at, actor, actor_role, origin_at) VALUES ({issue}, 1, 'REGISTERED', 'REGISTERED', now(), now(), 'x', 'INTAKE', now());
	INSERT INTO dispatch_leg (issue_id, n, unit_id, role, sent_at) VALUES ({issue}, 1, {unit}, 'LEAD', now());
	INSERT INTO clock_spell (issue_id, clock, n, state, started_at, reason) VALUES ({issue}, 'GROSS', 1, 'RUNNING', now(), 'x');
	INSERT INTO claim (id, issue_id, n, text, source, claimed_at) VALUES ({claim}, {issue}, 1, 'x', 'x', now()), ({secretclaim}, {secretissue}, 1, 'x', 'x', now());
	INSERT INTO evidence_file (sha256, size, media_type, recorded_by) VALUES (repeat(substr(md5('file-[place]'), 1, 16), 4), 1, 'x', 'import');
	UPDATE claim SET evidence = ARRAY['sha256:' || repeat(substr(md5('file-[place]'), 1, 16), 4)] WHERE id = {claim};
	INSERT INTO feedback (id, claim_id, issue_id, resolved, collected_by, at) VALUES ({feedback}, {claim}, {issue}, 'NO', 'SELF', now());
	INSERT INTO callback_attempt (id, claim_id, at, method, outcome) VALUES ({attempt}, {claim}, now(), 'PHONE', 'ANSWERED');
	INSERT INTO visit (id, activity_kind, notice, site_id, lead_id, started_at, ended_at, state) VALUES ({visit}, 'RESEARCH', 'ANNOUNCED', {site}, {post}, now(), now(), 'HELD');
	INSERT INTO visit_participant (visit_id, post_id) VALUES ({visit}, {post});
	INSERT INTO attestation (id, visit_id, voice, says, at) VALUES ({attestation}, {visit}, 'HOST', 'UNSURE', now());
	INSERT INTO rota_plan (id, name, version, region_id, rank, activity_kind, cadence, period_from, period_to) VALUES ({plan}, 'x', 1, {region}, 'COUNTY', 'RESEARCH', 'MONTHLY', '2026-01-01', '2026-02-01');
	INSERT INTO rota_slot (id, plan_id, post_id, activity_kind, region_id, window_from, window_to, state, version) VALUES ({slot}, {plan}, {post}, 'RESEARCH', {region}, '2026-01-01', '2026-02-01', 'OPEN', 1);
	INSERT INTO campaign (id, topic, origin, selection_rule, lead_unit_id, state, version, nominated_at, recorded_by) VALUES ({campaign}, 'x', 'LEADER', 'x', {judge}, 'CANDIDATE', 1, now(), 'x');
	INSERT INTO campaign_region (campaign_id, region_id, role) VALUES ({campaign}, {region}, 'TREATED');
	INSERT INTO campaign_criterion (campaign_id, n, measure, direction, threshold, window_days) VALUES ({campaign}, 1, 'T1', 'AT_MOST', 1, 1);
	INSERT INTO campaign_result (campaign_id, review, n, value, cases, as_of, met) VALUES ({campaign}, 1, 1, 1, 1, now(), true);
	INSERT INTO campaign_task (id, campaign_id, title, owner_unit_id, owner_post_id, due_at, state, version) VALUES ({task}, {campaign}, 'x', {unit}, NULL, now(), 'OPEN', 1),
		({posttask}, {campaign}, 'x', NULL, {post}, now(), 'OPEN', 1);
	INSERT INTO campaign_issue (id, campaign_id, issue_id, joined_at) VALUES ({joined}, {campaign}, {issue}, now());
	INSERT INTO policy (id, title, region_id, owner_unit_id) VALUES ({policy}, 'x', {region}, {unit});
	INSERT INTO policy_change (id, policy_id, owner_unit_id, summary, state, version, proposed_at) VALUES ({change}, {policy}, {unit}, 'x', 'PROPOSED', 1, now());
	INSERT INTO policy_version (id, policy_id, n, text, effective_from) VALUES ({version}, {policy}, 1, 'x', '2026-01-01');
	INSERT INTO policy_rollout (policy_change_id, region_id, effective_from) VALUES ({change}, {region}, '2026-01-01');
	INSERT INTO evidence_link (id, policy_change_id, issue_id, evidence_at, linked_at) VALUES ({link}, {change}, {issue}, now(), now());
	INSERT INTO policy_evaluation (policy_change_id, evaluator_unit_id, estimate, ci_low, ci_high, treated_regions, control_regions, as_of, text) VALUES ({change}, {judge}, 1, 1, 1, 1, 1, now(), 'x');
	INSERT INTO training (id, title, ability, unit_id, starts_on, ends_on) VALUES ({training}, 'x', 'REFORM', {unit}, '2026-01-01', '2026-01-01');
	INSERT INTO skill_record (id, official_id, ability, level, evidence, assessor_unit_id, at) VALUES ({skill}, {official}, 'REFORM', 3, 'x', {judge}, now());
	INSERT INTO training_participation (id, training_id, official_id, completed) VALUES ({took}, {training}, {official}, true);
	INSERT INTO visit_policy_item (id, visit_id, policy_version_id, questions_asked, answered) VALUES ({item}, {visit}, {version}, 1, 1);
	INSERT INTO note_check (visit_id, official_id, noted_at, shingles, sketch, containment, copied, detector) VALUES ({visit}, {official}, now(), 0, '{}', 0, false, 1);
	INSERT INTO survey_wave (id, title, region_id, report_level, opens_at, closes_at) VALUES ({wave}, 'x', {region}, 'PREFECTURE', now(), now() + interval '1 day');
	INSERT INTO survey_batch (id, wave_id, region_id, tokens) VALUES ({batch}, {wave}, {region}, 1);
	INSERT INTO discussion (id, region_id, topic, state, opened_at, version) VALUES ({discussion}, {region}, 'x', 'OPEN', now(), 1);
	INSERT INTO discussion_post (id, discussion_id, kind, text, author_role, at) VALUES ({said}, {discussion}, 'PROPOSAL', 'x', 'INTAKE', now());
	INSERT INTO discussion_support (post_id, supporter_pid) VALUES ({said}, {supporter});
	INSERT INTO measure_definition (id, code, version, definition_version, fields, sha256) VALUES ({definition}, 'T9', CASE '[place]' WHEN 'A' THEN 1 ELSE 2 END, 'x', '{}', encode(sha256('{}'), 'hex'));
	INSERT INTO target (id, subject_unit_id, period_from, period_to, measure, direction, value, state, version, set_at) VALUES ({aim}, {unit}, '2026-01-01', '2026-02-01', 'T1', 'AT_MOST', 1, 'SET', 1, now());
	INSERT INTO formalism_flag (id, kind, subject_unit_id, period_from, period_to, detector, detector_version, score, evidence, state, version, raised_at)
		VALUES ({flag}, 'F1', {unit}, '2026-01-01', '2026-02-01', 'x', 1, 1, '{"x": 1}', 'RAISED', 1, now());
	INSERT INTO assessment_cycle (id, name, period_from, period_to, opened_at) VALUES ({cycle}, '[place]', '2026-01-01', '2026-02-01', now());
	INSERT INTO assessment_cycle_definition (cycle_id, measure_definition_id) VALUES ({cycle}, {definition});
	INSERT INTO formalism_flag (id, kind, subject_unit_id, period_from, period_to, detector, detector_version, score, evidence, state, version, raised_at, reviewer, reviewer_unit_id, finding, reviewed_at)
		VALUES ({proven}, 'F1', {unit}, '2026-01-01', '2026-02-01', 'y', 1, 1, '{"x": 1}', 'CONFIRMED', 3, now(), 'r', {judge}, 'x', now());
	INSERT INTO measure_snapshot (id, measure_definition_id, measure, subject_unit_id, question, cells, sha256, as_of, row_count, protected, taken_at, taken_by_role)
		SELECT id, {definition}, 'T9', unit, '{}', '{}', encode(sha256(convert_to('{}' || chr(10) || '{}', 'UTF8')), 'hex'), now(), 0, unit IS NULL, now(), 'ASSESSOR'
		FROM (VALUES ({figure}, {unit}), ({publicfigure}, NULL)) v (id, unit);
	INSERT INTO assessment (id, cycle_id, subject_unit_id, state, version, reviewer, reviewer_unit_id, opened_at) VALUES ({judgement}, {cycle}, {unit}, 'OPEN', 1, 'r', {judge}, now());
	INSERT INTO assessment_snapshot (assessment_id, measure_snapshot_id) VALUES ({judgement}, {figure});
	INSERT INTO assessment_flag (assessment_id, flag_id) VALUES ({judgement}, {proven});
	INSERT INTO entity_event (noun, entity_id, seq, kind, to_state, at, actor, actor_role) VALUES ('visit', {visit}, 1, 'x', 'x', now(), 'x', 'LEADER'), ('rota_slot', {slot}, 1, 'x', 'x', now(), 'x', 'SYSTEM');`

// each role's own rows.
const worldOf = `
	INSERT INTO notification (id, kind, issue_id, issue_seq, region_id, to_role, at) VALUES (md5('notification-[role]-[place]')::uuid, 'ESCALATED', {issue}, ('x' || substr(md5('[role]'), 1, 4))::bit(16)::int, {region}, '[role]', now());
	INSERT INTO evidence_file (sha256, size, media_type, recorded_by) VALUES (repeat(substr(md5('[role]-[place]'), 1, 16), 4), 1, 'x', '[own]') ON CONFLICT DO NOTHING;
	INSERT INTO mutation_receipt (actor, client_mutation_id, operation, sha256, entity_id) VALUES ('[own]', '[role]', 'x', 'x', {issue});
	INSERT INTO research_question (account, digest, measure, question, cells, asked_at) VALUES ('[own]', sha256('[role]-[place]'), 'T1', '{}', 0, now());
	INSERT INTO glass (id, issue_id, account, role, reason, opened_at, expires_at) VALUES (md5('glass-[role]-[place]')::uuid, {issue}, '[own]', 'ANALYST', 'what the test says', now() - interval '2 days', now() - interval '1 day');
	INSERT INTO role_binding (id, account, role, official_id, unit_id, valid_from) SELECT md5('binding-[role]-[place]')::uuid, '[own]', 'LEADER', {official}, NULL, now() WHERE '[own]' <> 'system' ON CONFLICT DO NOTHING;`

// trial is how the rows of one RowRule are reached by SQL: one row by a condition, a new row, and a column that is changed. Row-level security
// decides before constraints do, so a new row needs no more than what policies and triggers look at.
type trial struct{ where, add, change string }

const newID = "gen_random_uuid()"

var trials = map[string]trial{
	"issue":                              {"id = {issue}", "INSERT INTO issue (id, public_ref, kind, channel, title, region_id, seq, state, origin_at, recorded_by) VALUES (" + newID + ", 'x', 'HELP', 'APP', 'x', {region}, 1, 'REGISTERED', now(), '[own]')", "updated_at"},
	"issue something told in confidence": {where: "id = {secretissue}", change: "updated_at"},
	"opinion":                            {where: "id = {opinion}", add: "INSERT INTO opinion (id, channel, kind, received_at, reporter_pid, text, region_id) VALUES (" + newID + ", 'APP', 'HELP', now(), {pid}, 'x', {region})"},
	"opinion confidential":               {where: "id = {secret}"},
	"issue_opinion":                      {where: "opinion_id = {opinion}", add: "INSERT INTO issue_opinion (issue_id, opinion_id, linked_at, linked_by) VALUES ({newissue}, {loose}, now(), 'x')"},
	"issue_event":                        {where: "issue_id = {issue}", add: "INSERT INTO issue_event (issue_id, seq, kind, from_state, to_state, at, known_at, actor, actor_role, actor_unit_id, origin_at) VALUES ({issue}, 2, 'RESPONDED', 'REGISTERED', 'REGISTERED', now(), now(), '[actor]', '[role]', " + unit + ", now())"},
	"dispatch_leg":                       {"issue_id = {issue}", "INSERT INTO dispatch_leg (issue_id, n, unit_id, role, sent_at) VALUES ({issue}, 2, {judge}, 'CO', now())", "sent_at"},
	"clock_spell":                        {"issue_id = {issue}", "INSERT INTO clock_spell (issue_id, clock, n, state, started_at, reason) VALUES ({issue}, 'NET', 1, 'RUNNING', now(), 'x')", "reason"},
	"claim":                              {"id = {claim}", "INSERT INTO claim (id, issue_id, n, text, source, claimed_at) VALUES (" + newID + ", {issue}, 2, 'x', 'x', now())", "text"},
	"claim on an issue with something told in confidence": {where: "id = {secretclaim}"},
	"feedback":           {where: "id = {feedback}", add: "INSERT INTO feedback (id, claim_id, issue_id, resolved, collected_by, at) VALUES (" + newID + ", {claim}, {issue}, 'NO', 'SELF', now())"},
	"callback_attempt":   {where: "id = {attempt}", add: "INSERT INTO callback_attempt (id, claim_id, at, method, outcome) VALUES (" + newID + ", {claim}, now(), 'PHONE', 'ANSWERED')"},
	"notification":       {"id = md5('notification-[role]-[place]')::uuid", "INSERT INTO notification (id, kind, issue_id, issue_seq, region_id, to_role, at) VALUES (" + newID + ", 'PLAN_ENDED', {issue}, 1, {region}, 'SUPERVISOR', now())", "reason"},
	"visit":              {"id = {visit}", "INSERT INTO visit (id, activity_kind, notice, site_id, lead_id, started_at, state, recorded_by) VALUES (" + newID + ", 'RESEARCH', 'ANNOUNCED', {site}, {post}, now(), 'PLANNED', '[own]')", "note_text"},
	"visit_participant":  {where: "visit_id = {visit}", add: "INSERT INTO visit_participant (visit_id, post_id) VALUES ({visit}, {post})"},
	"attestation":        {where: "id = {attestation}", add: "INSERT INTO attestation (id, visit_id, voice, says, at) VALUES (" + newID + ", {visit}, 'HOST', 'UNSURE', now())"},
	"rota_plan":          {where: "id = {plan}", add: "INSERT INTO rota_plan (id, name, version, region_id, rank, activity_kind, cadence, period_from, period_to) VALUES (" + newID + ", 'y', 1, {region}, 'COUNTY', 'RESEARCH', 'MONTHLY', '2026-01-01', '2026-02-01')"},
	"rota_slot":          {"id = {slot}", "INSERT INTO rota_slot (id, plan_id, post_id, activity_kind, region_id, window_from, window_to, state, version) VALUES (" + newID + ", {plan}, {post}, 'RESEARCH', {region}, '2026-02-01', '2026-03-01', 'OPEN', 1)", "site_kind"},
	"campaign":           {"id = {campaign}", "INSERT INTO campaign (id, topic, origin, selection_rule, lead_unit_id, state, version, nominated_at, recorded_by) VALUES (" + newID + ", 'x', 'LEADER', 'x', {judge}, 'CANDIDATE', 1, now(), '[own]')", "topic"},
	"campaign_region":    {where: "campaign_id = {campaign}", add: "INSERT INTO campaign_region (campaign_id, region_id, role) VALUES ({campaign}, {region}, 'TREATED')"},
	"campaign_criterion": {where: "campaign_id = {campaign}", add: "INSERT INTO campaign_criterion (campaign_id, n, measure, direction, threshold, window_days) VALUES ({campaign}, 2, 'T1', 'AT_MOST', 1, 1)"},
	"campaign_result":    {where: "campaign_id = {campaign}"},
	"campaign_task":      {"id IN ({task}, {posttask})", "INSERT INTO campaign_task (id, campaign_id, title, owner_unit_id, due_at, state, version) VALUES (" + newID + ", {campaign}, 'x', {judge}, now(), 'OPEN', 1)", "title"},
	"campaign_issue":     {"id = {joined}", "INSERT INTO campaign_issue (id, campaign_id, issue_id, joined_at) VALUES (" + newID + ", {campaign}, {secretissue}, now())", "recorded_by"},
	"policy":             {where: "id = {policy}", add: "INSERT INTO policy (id, title, region_id, owner_unit_id) VALUES (" + newID + ", 'x', {region}, {unit})"},
	"policy_change":      {"id = {change}", "INSERT INTO policy_change (id, policy_id, owner_unit_id, summary, state, version, proposed_at) VALUES (" + newID + ", {policy}, {unit}, 'x', 'PROPOSED', 1, now())", "summary"},
	"policy_version":     {"id = {version}", "INSERT INTO policy_version (id, policy_id, n, text, effective_from) VALUES (" + newID + ", {policy}, 2, 'x', '2036-01-01')", "n"},
	"policy_rollout":     {where: "policy_change_id = {change}"},
	"evidence_link":      {where: "id = {link}", add: "INSERT INTO evidence_link (id, policy_change_id, visit_id, evidence_at, linked_at) VALUES (" + newID + ", {change}, {visit}, now(), now())"},
	"policy_evaluation":  {where: "policy_change_id = {change}"},
	"entity_event of visits, campaigns and policy changes": {where: "entity_id = {visit}", add: "INSERT INTO entity_event (noun, entity_id, seq, kind, from_state, to_state, at, actor, actor_role, actor_unit_id) VALUES ('visit', {visit}, 2, 'x', 'x', 'x', now(), '[own]', '[role]', " + unit + ")"},
	"entity_event of slots and tasks":                      {where: "entity_id = {slot}"},
	"evidence_file":                                        {"sha256 = repeat(substr(md5('[role]-[place]'), 1, 16), 4)", "INSERT INTO evidence_file (sha256, size, media_type, recorded_by) VALUES (repeat('a', 64), 1, 'x', '[own]')", "size"},
	"evidence_file that a claim names":                     {where: "sha256 = repeat(substr(md5('file-[place]'), 1, 16), 4)"},
	"mutation_receipt":                                     {where: "actor = '[own]' AND client_mutation_id = '[role]'", add: "INSERT INTO mutation_receipt (actor, client_mutation_id, operation, sha256, entity_id) VALUES ('[own]', 'new', 'x', 'x', {issue})"},
	"training":                                             {where: "id = {training}", add: "INSERT INTO training (id, title, ability, unit_id, starts_on, ends_on) VALUES (" + newID + ", 'x', 'REFORM', {unit}, '2026-01-01', '2026-01-01')"},
	"visit_policy_item":                                    {where: "id = {item}", add: "INSERT INTO visit_policy_item (id, visit_id, policy_version_id, questions_asked, answered) VALUES (" + newID + ", {visit}, {version}, 1, 1)"},
	"skill_record":                                         {where: "id = {skill}", add: "INSERT INTO skill_record (id, official_id, ability, level, evidence, assessor_unit_id, assessor_official_id, at) VALUES (" + newID + ", {judged}, 'REFORM', 3, 'x', coalesce(" + unit + ", {unit}), nullif(current_setting('groundwork.official', true), '')::uuid, now())"},
	"training_participation":                               {where: "id = {took}", add: "INSERT INTO training_participation (id, training_id, official_id, completed) VALUES (" + newID + ", {training}, {official}, true)"},
	"note_check":                                           {where: "visit_id = {visit}", add: "INSERT INTO note_check (visit_id, official_id, noted_at, shingles, sketch, containment, copied, detector) VALUES ({visit}, {official}, now(), 0, ARRAY[]::bigint[], 0, false, 1)"},
	"survey_wave":                                          {where: "id = {wave}", add: "INSERT INTO survey_wave (id, title, region_id, report_level, opens_at, closes_at) VALUES (" + newID + ", 'x', {region}, 'PREFECTURE', now(), now() + interval '1 day')"},
	"survey_batch":                                         {where: "id = {batch}", add: "INSERT INTO survey_batch (id, wave_id, region_id, tokens) VALUES (" + newID + ", {wave}, {region}, 1)"},
	"discussion":                                           {"id = {discussion}", "INSERT INTO discussion (id, region_id, topic, state, opened_at, version) VALUES (" + newID + ", {region}, 'x', 'OPEN', now(), 1)", "version"},
	"discussion_post":                                      {"id = {said}", "INSERT INTO discussion_post (id, discussion_id, kind, text, author_pid, author_role, at) SELECT " + newID + ", {discussion}, 'PROPOSAL', 'x', CASE '[role]' WHEN 'CITIZEN' THEN {pid} END, '[role]', now()", "withheld_at"},
	"discussion_support":                                   {where: "post_id = {said}", add: "INSERT INTO discussion_support (post_id, supporter_pid) VALUES ({said}, {pid})"},
	"measure_definition":                                   {where: "id = {definition}", add: "INSERT INTO measure_definition (id, code, version, definition_version, fields, sha256) VALUES (" + newID + ", 'T9', 9, 'x', '[]', 'x')"},
	"target":                                               {"id = {aim}", "INSERT INTO target (id, subject_unit_id, period_from, period_to, measure, direction, value, state, version, set_at) VALUES (" + newID + ", {unit}, '2026-02-01', '2026-03-01', 'T1', 'AT_MOST', 1, 'SET', 1, now())", "version = version + 1, value"},
	"formalism_flag":                                       {"id = {flag}", "INSERT INTO formalism_flag (id, kind, subject_unit_id, period_from, period_to, detector, detector_version, score, evidence, state, version, raised_at) VALUES (" + newID + ", 'F2', {unit}, '2026-01-01', '2026-02-01', 'x', 1, 1, jsonb_build_object('x', 1), 'RAISED', 1, now())", "version = version + 1, state = 'UNDER_REVIEW', reviewer = 'r', reviewer_unit_id = {judge}, finding"},
	"measure_snapshot published":                           {where: "id = {publicfigure}", add: "INSERT INTO measure_snapshot (id, measure_definition_id, measure, subject_unit_id, question, cells, sha256, as_of, row_count, protected, taken_at, taken_by_role, recorded_by) VALUES (" + newID + ", {definition}, 'T9', NULL, '{}', '{}', 'x', now(), 0, true, now(), 'ASSESSOR', '[own]')"},
	"measure_snapshot":                                     {where: "id = {figure}", add: "INSERT INTO measure_snapshot (id, measure_definition_id, measure, subject_unit_id, question, cells, sha256, as_of, row_count, protected, taken_at, taken_by_role, recorded_by) VALUES (" + newID + ", {definition}, 'T9', {unit}, '{}', '{}', 'x', now(), 0, true, now(), 'ASSESSOR', '[own]')"},
	"assessment":                                           {"id = {judgement}", "INSERT INTO assessment (id, cycle_id, subject_unit_id, state, version, reviewer, reviewer_unit_id, opened_at) VALUES (" + newID + ", {cycle}, {unit}, 'OPEN', 1, 'r', {judge}, now())", "version = version + 1, state = 'FROZEN', frozen = '{}', frozen_sha256 = encode(sha256(convert_to('{}', 'UTF8')), 'hex'), as_of = now(), frozen_at = now(), conclusion"},
	"assessment_snapshot":                                  {where: "assessment_id = {judgement}", add: "INSERT INTO assessment_snapshot (assessment_id, measure_snapshot_id) VALUES ({judgement}, {figure})"},
	"assessment_flag":                                      {where: "assessment_id = {judgement}", add: "INSERT INTO assessment_flag (assessment_id, flag_id) VALUES ({judgement}, {proven})"},
	"assessment_cycle":                                     {where: "id = {cycle}", add: "INSERT INTO assessment_cycle (id, name, period_from, period_to, opened_at) VALUES (" + newID + ", 'new', '2026-01-01', '2026-02-01', now())"},
	"assessment_cycle_definition":                          {where: "cycle_id = {cycle}", add: "INSERT INTO assessment_cycle_definition (cycle_id, measure_definition_id) VALUES ({cycle}, md5('other')::uuid)"},
	"research_question":                                    {where: "digest = sha256('[role]-[place]')", add: "INSERT INTO research_question (account, digest, measure, question, cells, asked_at) VALUES ('[own]', sha256('new'), 'T1', '[]', 0, now())"},
	"glass":                                                {"id = md5('glass-[role]-[place]')::uuid", "INSERT INTO glass (id, issue_id, account, role, reason, opened_at, expires_at) VALUES (" + newID + ", {issue}, '[own]', '[role]', 'what the test says', now(), now() + interval '1 hour')", "revoked_at = now(), revoked_by = 'x', reason"},
	"role_binding":                                         {where: "official_id = {official}"},
	"region":                                               {"id = {region}", "INSERT INTO region (id, code, level, name) VALUES (" + newID + ", '980000000000', 'PROVINCE', 'x')", "name"},
	"region_population":                                    {"region_id = {region}", "INSERT INTO region_population (region_id, year, persons, source) VALUES ({region}, 2021, 1, 'x')", "persons"},
	"site":                                                 {"id = {site}", "INSERT INTO site (id, region_id, kind, name) VALUES (" + newID + ", {region}, 'OTHER', 'x')", "name"},
	"category":                                             {"id = {category}", "INSERT INTO category (id, code, name, path) VALUES (" + newID + ", 'x', 'x', ARRAY['x'])", "name"},
	"org_unit":                                             {"id = {unit}", "INSERT INTO org_unit (id, name, kind) VALUES (" + newID + ", 'x', 'GOVT')", "name"},
	"dispatch_rule":                                        {"id = {rule}", "INSERT INTO dispatch_rule (id, category_id, region_level, org_unit_id, basis, valid_from) VALUES (" + newID + ", {category}, 'COUNTY', {unit}, 'x', '2020-01-01')", "basis"},
	"post_holding":                                         {"id = {post}", "INSERT INTO post_holding (id, official_id, org_unit_id, rank, title, held_from) VALUES (" + newID + ", {official}, {unit}, 'COUNTY', 'y', '2020-01-01')", "title"},
	"official":                                             {where: "id = {official}", add: "INSERT INTO official (id, pseudonym) VALUES (" + newID + ", 'x')"},
	"target_version":                                       {where: "id = {target}", add: "INSERT INTO target_version (id, severity, ack_minutes, response_minutes, resolution_minutes, time_base, published_at, valid_from) VALUES (" + newID + ", 'LOW', 1, 1, 1, 'WALL', now(), now())"},
}

func trialOf(t *testing.T, r groundwork.RowRule) trial {
	if own, ok := trials[strings.TrimSpace(r.Table+" "+r.What)]; ok {
		return own
	}
	found, ok := trials[r.Table]
	require.True(t, ok, r.Table)
	return found
}

// narrowed is a connection of the API in which somebody asks.
type asker struct {
	t     *testing.T
	conn  *pgx.Conn
	actor groundwork.Actor
}

func (a asker) in(f func(pgx.Tx)) {
	a.t.Helper()
	tx, err := a.conn.Begin(a.t.Context())
	require.NoError(a.t, err)
	defer func() { require.NoError(a.t, tx.Rollback(context.WithoutCancel(a.t.Context()))) }()
	require.NoError(a.t, postgres.Identify(a.t.Context(), tx, a.actor, "test"))
	f(tx)
}

// let reports whether the statement passed row-level security and privileges, and how many rows it met. What fails later was let in.
func (a asker) let(sql string) (rows int64, ok bool) {
	a.t.Helper()
	a.in(func(tx pgx.Tx) {
		sub, err := tx.Begin(a.t.Context())
		require.NoError(a.t, err)
		tag, err := sub.Exec(a.t.Context(), sql)
		require.NoError(a.t, sub.Rollback(a.t.Context()))
		if err == nil {
			rows, ok = tag.RowsAffected(), true
			return
		}
		pg := new(pgconn.PgError)
		require.ErrorAs(a.t, err, &pg, sql)
		if ok = pg.Code != "42501"; ok {
			require.NotEqual(a.t, "42", pg.Code[:2], "%s: %s", sql, pg.Message) // malformed
		}
	})
	return rows, ok
}

func identityOf(role groundwork.Role) groundwork.Actor {
	a := groundwork.Actor{ID: "a-" + string(role), Role: role}
	switch role {
	case groundwork.RoleSystem:
		return groundwork.System
	case groundwork.RoleCitizen:
		return a
	case groundwork.RoleHandler, groundwork.RoleUnitHead, groundwork.RolePolicyOwner:
		a.UnitID = md5ID("unit-A")
	case groundwork.RoleLeader:
		a.OfficialID = md5ID("official-A")
	}
	a.RegionIDs = append(a.RegionIDs, *md5ID("region-A"))
	return a
}

// Each role, each table, inside and outside of what it reaches, by SQL in the role of the API: exactly what RowRules say, which is also what
// docs/permissions.md says.
func TestRowsByRole(t *testing.T) {
	t.Parallel()
	dsn, run, admin := newWorld(t)
	run("SET session_replication_role = replica")
	for _, place := range []string{"A", "B"} {
		for _, role := range groundwork.Roles {
			run(fill(worldOf, place, identityOf(role).ID, string(role)))
		}
	}
	ruled := map[string]bool{}
	asked := 0
	var differ []string
	same := func(wanted, got bool, what string) {
		if asked++; wanted != got {
			differ = append(differ, fmt.Sprintf("%s: is %v, not %v", what, got, wanted))
		}
	}
	for _, role := range groundwork.Roles {
		a := asker{t, connectAs(t, dsn, postgres.RoleApp), identityOf(role)}
		if role.WorksOnIssues() && role != groundwork.RoleSystem { // all of them may be officials, who see what is said of themselves
			a.actor.OfficialID = md5ID("official-A")
		}
		for _, rule := range groundwork.RowRules {
			ruled[rule.Table] = true
			try := trialOf(t, rule)
			for _, place := range []string{"A", "B"} {
				expect := func(grants map[groundwork.Role]groundwork.Scope) bool {
					scope, ok := grants[role]
					return ok && (place == "A" || scope == groundwork.Anywhere || scope == groundwork.Public)
				}
				name := fmt.Sprintf("%s, %s %s, %s", role, rule.Table, rule.What, place)
				sql := func(text string) string { return fill(text, place, a.actor.ID, string(role)) }
				rows, ok := a.let(sql("SELECT 1 FROM " + rule.Table + " WHERE " + try.where))
				same(expect(rule.Read), ok && rows > 0, "read: "+name)
				if try.add != "" {
					_, ok = a.let(sql(try.add))
					same(expect(rule.Add), ok, "add: "+name)
				}
				if try.change != "" {
					column := try.change[strings.LastIndex(try.change, " ")+1:] // what goes along with it stands before
					rows, ok = a.let(sql("UPDATE " + rule.Table + " SET " + try.change + " = " + column + " WHERE " + try.where))
					same(expect(rule.Change), ok && rows > 0, "change: "+name)
				}
				_, ok = a.let(sql("DELETE FROM " + rule.Table + " WHERE " + try.where))
				same(false, ok, "delete: "+name)
			}
		}
	}
	require.Empty(t, differ, strings.Join(differ, "\n"))
	rows, err := admin.Query(t.Context(), "SELECT relname FROM pg_class WHERE relrowsecurity AND relnamespace = 'public'::regnamespace")
	require.NoError(t, err)
	narrowed, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	for _, table := range narrowed {
		require.True(t, ruled[table], "table %s is under row-level security and not in groundwork.RowRules", table)
	}
	require.Greater(t, asked, 4000)
}

// md5ID is the id that SQL calls md5(name)::uuid.
func md5ID(name string) *uuid.UUID {
	id := uuid.UUID(md5.Sum([]byte(name)))
	return &id
}
