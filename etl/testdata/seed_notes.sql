-- A day off, and a note that was compared with those before it.
BEGIN;
INSERT INTO calendar_day (date, is_workday, note) VALUES ('2031-01-01', FALSE, 'new year');
INSERT INTO note_check (visit_id, official_id, noted_at, shingles, sketch, containment, copied, detector)
SELECT v.id, h.official_id, v.started_at, 100, '{1,2}', 0, FALSE, 1 FROM visit v JOIN post_holding h ON h.id = v.lead_id ORDER BY v.id LIMIT 1;
COMMIT;
