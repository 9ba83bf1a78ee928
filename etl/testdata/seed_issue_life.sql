-- Targets, legs and clocks: with and without what is optional.
BEGIN;
INSERT INTO target_version (id, category_id, severity, ack_minutes, response_minutes, resolution_minutes, time_base, published_at, valid_from) VALUES
  ('00000000-0000-7000-8000-0000000000f1', '00000000-0000-7000-8000-000000000021', 'NORMAL', 60, 120, 2147483647, 'WORKING', '2024-01-01Z', '2024-01-02Z'),
  ('00000000-0000-7000-8000-0000000000f2', NULL, 'HIGH', 1, 1, 1, 'WALL', '2024-01-01Z', '2024-01-01Z');
INSERT INTO dispatch_leg (issue_id, n, unit_id, role, sent_at, ack_due_at, accepted_at, returned_at, return_reason) VALUES
  ('00000000-0000-7000-8000-000000000081', 1, '00000000-0000-7000-8000-000000000031', 'LEAD', '2024-01-01Z', '2024-01-02Z', NULL, '2024-01-01 12:00Z', 'WRONG_REGION'),
  ('00000000-0000-7000-8000-000000000081', 2, '00000000-0000-7000-8000-000000000031', 'CO', '2024-01-02Z', NULL, '2024-01-03Z', NULL, NULL);
INSERT INTO clock_spell (issue_id, clock, n, state, started_at, ended_at, reason) VALUES
  ('00000000-0000-7000-8000-000000000081', 'GROSS', 1, 'RUNNING', '2024-01-01Z', NULL, 'REGISTERED'),
  ('00000000-0000-7000-8000-000000000081', 'NET', 1, 'RUNNING', '2024-01-01Z', '2024-01-02Z', 'REGISTERED'),
  ('00000000-0000-7000-8000-000000000081', 'NET', 2, 'PAUSED', '2024-01-02Z', NULL, 'ASKED');
UPDATE issue SET target_version_id = '00000000-0000-7000-8000-0000000000f1', response_due_at = '2024-01-03Z',
  carrying_post_id = '00000000-0000-7000-8000-000000000051' WHERE id = '00000000-0000-7000-8000-000000000081';
COMMIT;
