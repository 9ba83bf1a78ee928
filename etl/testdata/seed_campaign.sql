-- Campaigns: one only nominated, one led through a review.
BEGIN;
INSERT INTO campaign (id, topic, category_id, origin, selection_rule, lead_unit_id, state, version, nominated_at) VALUES
  ('00000000-0000-7000-8000-0000000000c1', 'Roads', NULL, 'LEADER', 'x', '00000000-0000-7000-8000-000000000031', 'CANDIDATE', 1, '2024-01-01Z'),
  ('00000000-0000-7000-8000-0000000000c2', '道路', '00000000-0000-7000-8000-000000000021', 'H3', 'x', '00000000-0000-7000-8000-000000000031', 'CANDIDATE', 1, '2024-01-01Z');
INSERT INTO campaign_region (campaign_id, region_id, role) VALUES
  ('00000000-0000-7000-8000-0000000000c2', '00000000-0000-7000-8000-000000000001', 'TREATED'),
  ('00000000-0000-7000-8000-0000000000c2', 'f0000000-0000-7000-8000-000000000002', 'COMPARISON');
INSERT INTO campaign_criterion (campaign_id, n, measure, direction, threshold, window_days) VALUES
  ('00000000-0000-7000-8000-0000000000c2', 1, 'H1', 'AT_MOST', 0.1, 90);
UPDATE campaign SET state = 'SELECTED', version = 2, evidence = '{"cells": [1]}', evidence_sha256 = encode(sha256('{"cells": [1]}'), 'hex'),
  evidence_as_of = '2024-01-02Z', period_from = '2024-01-03', period_to = '2024-12-31', selected_at = '2024-01-02Z' WHERE id = '00000000-0000-7000-8000-0000000000c2';
INSERT INTO campaign_task (id, campaign_id, title, owner_unit_id, owner_post_id, due_at, state, version) VALUES
  ('00000000-0000-7000-8000-0000000000d1', '00000000-0000-7000-8000-0000000000c2', 't', '00000000-0000-7000-8000-000000000031', NULL, '2024-02-01Z', 'OPEN', 1),
  ('00000000-0000-7000-8000-0000000000d2', '00000000-0000-7000-8000-0000000000c2', 't', NULL, '00000000-0000-7000-8000-000000000051', '2024-02-01Z', 'DROPPED', 2);
UPDATE campaign SET state = 'ACTIVE', version = 3, started_at = '2024-01-03Z' WHERE id = '00000000-0000-7000-8000-0000000000c2';
UPDATE campaign_task SET state = 'DONE', done_at = '2024-02-02Z', overdue_at = '2024-02-01Z', evidence = '{e}', version = 3 WHERE id = '00000000-0000-7000-8000-0000000000d1';
INSERT INTO campaign_issue (id, campaign_id, issue_id, joined_at, left_at) VALUES
  ('00000000-0000-7000-8000-0000000000e1', '00000000-0000-7000-8000-0000000000c2', '00000000-0000-7000-8000-000000000081', '2024-01-03Z', '2024-01-04Z'),
  ('00000000-0000-7000-8000-0000000000e2', '00000000-0000-7000-8000-0000000000c2', '00000000-0000-7000-8000-000000000081', '2024-01-05Z', NULL);
UPDATE campaign SET state = 'REVIEW', version = 4, reviews = 1, review_at = '2024-06-01Z' WHERE id = '00000000-0000-7000-8000-0000000000c2';
INSERT INTO campaign_result (campaign_id, review, n, value, ci_low, ci_high, cases, as_of) VALUES
  ('00000000-0000-7000-8000-0000000000c2', 1, 1, 0.2, NULL, NULL, 3, '2024-06-01Z');
COMMIT;
