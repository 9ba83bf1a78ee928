-- Policies: one change only proposed, one brought to its evaluation; evidence of three kinds.
BEGIN;
INSERT INTO policy (id, title, owner_unit_id) VALUES ('00000000-0000-7000-8000-0000000000f1', 'p', '00000000-0000-7000-8000-000000000031');
INSERT INTO org_unit (id, name, kind) VALUES ('00000000-0000-7000-8000-000000000033', 'Auditors', 'GOVT');
INSERT INTO policy_change (id, policy_id, owner_unit_id, summary, state, version, proposed_at) VALUES
  ('00000000-0000-7000-8000-0000000000f2', '00000000-0000-7000-8000-0000000000f1', '00000000-0000-7000-8000-000000000031', 's', 'PROPOSED', 1, '2024-05-03Z'),
  ('00000000-0000-7000-8000-0000000000f3', '00000000-0000-7000-8000-0000000000f1', '00000000-0000-7000-8000-000000000031', 's', 'PROPOSED', 1, '2024-05-03Z');
INSERT INTO evidence_link (id, policy_change_id, issue_id, visit_id, campaign_id, evidence_at, linked_at) VALUES
  ('00000000-0000-7000-8000-0000000000f4', '00000000-0000-7000-8000-0000000000f2', '00000000-0000-7000-8000-000000000081', NULL, NULL, '2024-05-01Z', '2024-05-03Z'),
  ('00000000-0000-7000-8000-0000000000f5', '00000000-0000-7000-8000-0000000000f3', NULL, '00000000-0000-7000-8000-000000000062', NULL, '2024-01-01Z', '2024-05-03Z'),
  ('00000000-0000-7000-8000-0000000000f6', '00000000-0000-7000-8000-0000000000f3', NULL, NULL, '00000000-0000-7000-8000-0000000000c2', '2024-01-02Z', '2024-05-03Z');
UPDATE policy_change SET state = 'CONSULTED', consulted_at = '2024-05-04Z' WHERE id = '00000000-0000-7000-8000-0000000000f3';
UPDATE policy_change SET outcome_measure = 'H1', outcome_direction = 'AT_MOST', minimal_effect = 0.1, window_days = 30, anticipation_days = 0, pre_registered_at = '2024-05-05Z'
  WHERE id = '00000000-0000-7000-8000-0000000000f3';
INSERT INTO policy_rollout (policy_change_id, region_id, effective_from) VALUES ('00000000-0000-7000-8000-0000000000f3', 'f0000000-0000-7000-8000-000000000002', '2024-06-01');
UPDATE policy_change SET state = 'PILOT', pilot_at = '2024-05-06Z' WHERE id = '00000000-0000-7000-8000-0000000000f3';
INSERT INTO policy_version (id, policy_id, n, text, effective_from, policy_change_id) VALUES
  ('00000000-0000-7000-8000-0000000000f7', '00000000-0000-7000-8000-0000000000f1', 1, 't', '2024-07-01', '00000000-0000-7000-8000-0000000000f3');
UPDATE policy_change SET state = 'ADOPTED', adopted_at = '2024-06-15Z', policy_version_id = '00000000-0000-7000-8000-0000000000f7' WHERE id = '00000000-0000-7000-8000-0000000000f3';
INSERT INTO policy_evaluation (policy_change_id, evaluator_unit_id, estimate, ci_low, ci_high, treated_regions, control_regions, as_of, text) VALUES
  ('00000000-0000-7000-8000-0000000000f3', '00000000-0000-7000-8000-000000000033', -3.1, -4.5, -2, 1, 0, '2024-08-01Z', 't');
UPDATE policy_change SET state = 'EVALUATED', evaluated_at = '2024-08-02Z' WHERE id = '00000000-0000-7000-8000-0000000000f3';
COMMIT;
