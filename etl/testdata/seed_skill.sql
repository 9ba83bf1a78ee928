-- Skills: the official of the seed, assessed from outside twice.
BEGIN;
INSERT INTO org_unit (id, name, kind) VALUES ('00000000-0000-7000-8000-000000000f30', 'Assessors', 'PARTY');
INSERT INTO skill_record (id, official_id, ability, level, evidence, assessor_unit_id, at)
SELECT v.id, h.official_id, 'RESEARCH', level, 'report 7', '00000000-0000-7000-8000-000000000f30', h.held_from + interval '2 days'
FROM post_holding h, (VALUES ('00000000-0000-7000-8000-000000000f31'::uuid, 2), ('00000000-0000-7000-8000-000000000f32', 3)) v (id, level)
WHERE h.id = '00000000-0000-7000-8000-000000000051';
COMMIT;
