-- A policy that was talked of at a visit.
BEGIN;
INSERT INTO visit_policy_item (id, visit_id, policy_version_id, questions_asked, answered)
SELECT '00000000-0000-7000-8000-000000000f41', '00000000-0000-7000-8000-000000000062', id, 3, 2 FROM policy_version ORDER BY effective_from LIMIT 1;
COMMIT;
