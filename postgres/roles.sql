-- What the roles of the database may do, and nothing else: every migration takes all of it back and gives it again. A new table is for
-- nobody until it stands here (TestEveryTableIsForSomebody).
REVOKE ALL ON ALL TABLES IN SCHEMA public, audit, vault, etl, jobs, retention FROM groundwork_app, groundwork_jobs, groundwork_etl, groundwork_auditor, groundwork_vault;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public, audit, vault, etl, jobs, retention FROM groundwork_app, groundwork_jobs, groundwork_etl, groundwork_auditor, groundwork_vault;
REVOKE ALL ON SCHEMA public, audit, vault, etl, jobs, retention FROM groundwork_app, groundwork_jobs, groundwork_etl, groundwork_auditor, groundwork_vault;

GRANT USAGE ON SCHEMA public TO groundwork_app, groundwork_jobs, groundwork_etl, groundwork_auditor;
GRANT USAGE ON SCHEMA vault TO groundwork_app, groundwork_jobs; -- for its doors
GRANT EXECUTE ON FUNCTION vault.known(text, text[]), vault.pseudonyms(text, text[]) TO groundwork_app, groundwork_jobs;

-- Identities: groundwork_vault alone reads them. Its doors act as it, whoever comes in by them; so their owner changes, for which the owner of the
-- tables is a member of it.
GRANT USAGE, CREATE ON SCHEMA vault TO groundwork_vault;
GRANT SELECT, INSERT, UPDATE, DELETE ON vault.identity, vault.official_identity TO groundwork_vault;
ALTER FUNCTION vault.write_identity(uuid, bytea, bytea) OWNER TO groundwork_vault;
ALTER FUNCTION vault.write_official(uuid, bytea, bytea) OWNER TO groundwork_vault;
ALTER FUNCTION vault.read_identities(uuid[], text) OWNER TO groundwork_vault;
ALTER FUNCTION vault.read_officials(uuid[], text) OWNER TO groundwork_vault;
REVOKE CREATE ON SCHEMA vault FROM groundwork_vault;
GRANT USAGE ON SCHEMA audit TO groundwork_vault;
GRANT EXECUTE ON FUNCTION audit.note_read(text, text, text[]), vault.reporters_for(uuid[]), vault.purpose(text) TO groundwork_vault;
GRANT EXECUTE ON FUNCTION vault.write_identity(uuid, bytea, bytea), vault.write_official(uuid, bytea, bytea),
    vault.read_identities(uuid[], text), vault.read_officials(uuid[], text) TO groundwork_app;
GRANT SELECT ON vault.access_log TO groundwork_auditor;
GRANT USAGE ON SCHEMA vault TO groundwork_auditor;

-- What is only ever added to.
GRANT SELECT, INSERT ON
    target_version, official, visit_participant, attestation, rota_plan, opinion, issue_opinion, issue_event, callback_attempt,
    feedback, entity_event, mutation_receipt, campaign_region, campaign_criterion, campaign_result, policy, policy_rollout,
    evidence_link, policy_evaluation, skill_record, training, training_participation, research_question,
    survey_wave, survey_batch, discussion_post, discussion_support, visit_policy_item, note_check
TO groundwork_app, groundwork_jobs;

GRANT UPDATE (id) ON opinion, policy TO groundwork_app, groundwork_jobs; -- a row is locked with the right to update a column of it
GRANT UPDATE (withheld_at, withheld_reason) ON discussion_post TO groundwork_app, groundwork_jobs;

-- Words of opinions: the chores alone read them; a word is given by a door, where eleven people use it.
GRANT SELECT, DELETE ON opinion_unread TO groundwork_jobs;
GRANT SELECT, INSERT, UPDATE (terms, reader) ON opinion_terms TO groundwork_jobs;
GRANT EXECUTE ON FUNCTION terms_of(text[]) TO groundwork_jobs;
GRANT EXECUTE ON FUNCTION topic_words(text[], uuid[]), unread_opinions(int) TO groundwork_app, groundwork_jobs;

-- Surveys: neither tokens nor responses, but the doors to them.
GRANT EXECUTE ON FUNCTION survey_tokens(uuid, bytea[]), survey_respond(bytea, int, int, int, timestamptz), survey_counts(uuid, timestamptz) TO groundwork_app;

-- What changes along its life.
GRANT SELECT, INSERT, UPDATE ON
    region, region_population, site, category, org_unit, dispatch_rule, post_holding, rota_slot, claim, notification, dispatch_leg, clock_spell,
    glass, campaign, campaign_task, campaign_issue, policy_change, policy_version, evidence_file, discussion
TO groundwork_app, groundwork_jobs;
-- What an issue is stays; how it stands follows from its events (life.sql).
GRANT SELECT, INSERT, UPDATE (seq, state, closure_type, origin_at, first_response_at, claimed_at, resolved_at, closed_at, merged_into_id, lead_unit_id, paused_since, paused_seconds,
    return_count, dispute_count, reopen_count, escalation_level, opinion_count, observed_until, due_at, carrying_post_id, next_due_at, next_due_kind, updated_at) ON issue TO groundwork_app, groundwork_jobs;
-- The lot of the back-check is drawn by the database alone.
GRANT SELECT, INSERT (id, activity_kind, notice, site_id, lead_id, started_at, ended_at, citizens_met, note_text, note_unit_id, note_created_at, state, version, created_at, recorded_by),
    UPDATE (state, version, started_at, ended_at, citizens_met, note_text, note_unit_id, note_created_at) ON visit TO groundwork_app, groundwork_jobs;

-- Measures on record, and what units and posts are aimed for.
GRANT SELECT ON measure_definition TO groundwork_app, groundwork_jobs;
GRANT SELECT, INSERT ON measure_snapshot TO groundwork_app, groundwork_jobs;
GRANT SELECT, INSERT ON assessment_cycle, assessment_cycle_definition, assessment_snapshot, assessment_flag TO groundwork_app, groundwork_jobs;
GRANT SELECT, INSERT, UPDATE ON target, formalism_flag, assessment TO groundwork_app, groundwork_jobs;

-- What the API reads, and operators alone write.
GRANT SELECT ON calendar_day, region_boundary, region_neighbour, role_binding, api_key, displacement_key TO groundwork_app, groundwork_jobs;
GRANT UPDATE (last_used_at) ON api_key TO groundwork_app;
GRANT USAGE ON SEQUENCE issue_public_ref TO groundwork_app, groundwork_jobs;

-- The chores: their queue, and sealing the audit.
GRANT USAGE ON SCHEMA jobs, audit TO groundwork_jobs;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jobs TO groundwork_jobs;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA jobs TO groundwork_jobs;
GRANT SELECT ON audit.entry, audit.seal TO groundwork_jobs, groundwork_auditor;
GRANT INSERT ON audit.seal TO groundwork_jobs;
GRANT USAGE ON SCHEMA audit TO groundwork_auditor;

-- Retention: the chores alone take away what is due, by its door; operators set the rules and the holds.
GRANT USAGE ON SCHEMA retention TO groundwork_jobs;
GRANT SELECT ON retention.rule, retention.hold, retention.deleted_file TO groundwork_jobs;
GRANT EXECUTE ON FUNCTION retention.count(text, timestamptz), retention.apply(text, timestamptz, bigint),
    retention.marked_file(text), retention.file_is_deleted(text, timestamptz) TO groundwork_jobs;

-- The replication: what is published, and its own.
GRANT USAGE ON SCHEMA etl TO groundwork_etl;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA etl TO groundwork_etl;

-- Rules see all: what a trigger looks up for a rule of the domain is not narrowed to what the writer may see.
DO $$
DECLARE
    rule regprocedure;
BEGIN
    FOR rule IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prorettype = 'trigger'::regtype AND NOT p.prosecdef
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = public, pg_temp', rule);
    END LOOP;
END $$;
