-- A day off, a note that was compared with those before it, and an opinion whose words were read.
BEGIN;
INSERT INTO calendar_day (date, is_workday, note) VALUES ('2031-01-01', FALSE, 'new year');
INSERT INTO note_check (visit_id, official_id, noted_at, shingles, sketch, containment, copied, detector)
SELECT v.id, h.official_id, v.started_at, 100, '{1,2}', 0, FALSE, 1 FROM visit v JOIN post_holding h ON h.id = v.lead_id ORDER BY v.id LIMIT 1;
INSERT INTO opinion_terms (opinion_id, day, received_at, region_id, reporter_pid, terms, reader)
SELECT id, to_char(received_at, 'YYYYMMDD')::int, received_at, region_id, reporter_pid, '{-9223372036854775808,7}', 1 FROM opinion ORDER BY id LIMIT 1;
COMMIT;
