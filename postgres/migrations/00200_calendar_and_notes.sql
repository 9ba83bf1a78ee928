-- Two things that measures ask for. The calendar leaves for the warehouse, so that ten working days are ten there too: by its day as a number, since
-- keys of mirrors are no dates. And what the comparison of notes found (measure F3): the text of notes stays here, only how much of one stands in an
-- earlier one leaves.

-- +goose Up
ALTER TABLE calendar_day ADD COLUMN day int;
UPDATE calendar_day SET day = to_char(date, 'YYYYMMDD')::int;
ALTER TABLE calendar_day ALTER COLUMN day SET NOT NULL, ADD CONSTRAINT calendar_day_day UNIQUE (day);
COMMENT ON COLUMN calendar_day.day IS 'date as YYYYMMDD, filled by itself; the key of the mirror.';

-- +goose StatementBegin
CREATE FUNCTION calendar_day_numbers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.day := to_char(NEW.date, 'YYYYMMDD')::int;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER calendar_day_numbers BEFORE INSERT OR UPDATE OF date ON calendar_day FOR EACH ROW EXECUTE FUNCTION calendar_day_numbers();
ALTER TABLE calendar_day REPLICA IDENTITY USING INDEX calendar_day_day;

CREATE TABLE note_check (
    -- own: official_id; else ASSESSOR and SUPERVISOR alone
    visit_id        uuid PRIMARY KEY REFERENCES visit ON DELETE CASCADE,
    official_id     uuid NOT NULL REFERENCES official,
    unit_id         uuid REFERENCES org_unit,
    noted_at        timestamptz NOT NULL,
    shingles        int NOT NULL CHECK (shingles >= 0),
    sketch          bigint[] NOT NULL,
    source_id       uuid REFERENCES visit ON DELETE SET NULL,
    whose           text CHECK (whose IN ('OWN', 'OTHER')),
    containment     double precision NOT NULL CHECK (containment BETWEEN 0 AND 1),
    copied          boolean NOT NULL,
    span_from       int,
    span_length     int CHECK (span_length > 0),
    source_from     int,
    detector        int NOT NULL,
    checked_at      timestamptz NOT NULL DEFAULT now(),
    recorded_by     text NOT NULL DEFAULT current_user,
    CHECK ((whose IS NULL) = (containment = 0)),
    CHECK (num_nonnulls(span_from, span_length, source_from) IN (0, 3))
);
COMMENT ON TABLE note_check IS 'How much of a visit''s note stands in one earlier note, the one that holds most of it.';
COMMENT ON COLUMN note_check.sketch IS 'A sample of the shingles of the note, by which later notes find it.';
COMMENT ON COLUMN note_check.span_from IS 'Where in the note the longest passage that was copied begins, in characters; source_from: where it stands in the source.';
CREATE INDEX note_check_sketch ON note_check USING gin (sketch);
CREATE INDEX note_check_noted ON note_check (noted_at DESC, visit_id DESC);
CREATE INDEX note_check_official ON note_check (official_id, noted_at);
CREATE INDEX visit_noted ON visit (note_created_at, id) WHERE note_text IS NOT NULL;

SELECT audit.watch('note_check', 'visit_id');

ALTER PUBLICATION groundwork ADD TABLE
    calendar_day (day, is_workday),
    note_check (visit_id, source_id, whose, containment, shingles, copied, detector, checked_at);

-- +goose Down
SELECT 1 / 0; -- forward only
