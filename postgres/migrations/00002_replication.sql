-- What leaves for the warehouse: exactly these columns. No free text, no names, nothing of the vault.
-- The warehouse has a table of the same columns for each (warehouse/schema); the replicator compares both when it starts.

-- +goose Up
CREATE SCHEMA etl;

CREATE PUBLICATION groundwork FOR TABLE
    region (id, code, level, parent_id, path, name, latitude, longitude, urban_rural, valid_from, valid_to, created_at),
    region_population (region_id, year, persons, source),
    site (id, region_id, kind, name, latitude, longitude, eligible_from, eligible_to, created_at),
    category (id, code, version, parent_id, name, path, valid_from, valid_to, created_at),
    org_unit (id, parent_id, region_id, name, kind, created_at),
    post_holding (id, official_id, org_unit_id, rank, title, held_from, held_to, created_at),
    visit (id, activity_kind, notice, site_id, lead_id, started_at, ended_at, citizens_met, note_unit_id, note_created_at, state, created_at),
    opinion (id, source, channel, kind, received_at, received_precision, occurred_at, visit_id, reporter_pid, region_id, site_id, confidentiality, supported, opposed, created_at),
    issue (id, public_ref, category_id, severity, difficulty, kind, channel, region_id, site_id, source_visit_id, due_at, observed_until,
           seq, state, closure_type, origin_at, first_response_at, claimed_at, resolved_at, closed_at, merged_into_id, lead_unit_id,
           paused_since, paused_seconds, return_count, dispute_count, reopen_count, escalation_level, opinion_count, updated_at, created_at),
    issue_opinion (issue_id, opinion_id, linked_at, score),
    issue_event (issue_id, seq, kind, from_state, to_state, at, known_at, recorded_at, actor_role, actor_unit_id, reason_code,
           closure_type, origin_at, first_response_at, claimed_at, resolved_at, closed_at, merged_into_id, lead_unit_id,
           paused_since, paused_seconds, return_count, dispute_count, reopen_count, escalation_level, opinion_count),
    claim (id, issue_id, n, kind, source, claimed_at, claimed_precision, unit_id, created_at),
    callback_attempt (id, claim_id, at, method, agent_unit_id, outcome, created_at),
    feedback (id, claim_id, issue_id, resolved, satisfaction, pressured, collected_by, collected_unit_id, at, created_at);

-- +goose Down
SELECT 1 / 0; -- forward only
