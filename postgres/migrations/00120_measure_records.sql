-- What measures mean, version by version, and what they once said: definitions and snapshots never change. And what units and posts are to
-- reach in a period. What is said of persons and units is for them, for assessors and for supervisors.

-- +goose Up
CREATE TABLE measure_definition (
    -- everybody may read it
    id                 uuid PRIMARY KEY,
    code               text NOT NULL CHECK (code ~ '^[A-Z][0-9]{1,2}$'),
    version            int  NOT NULL CHECK (version >= 1),
    definition_version text NOT NULL CHECK (definition_version <> ''),
    fields             text NOT NULL CHECK (jsonb_typeof(fields::jsonb) = 'object'),
    sha256             text NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    recorded_by        text NOT NULL DEFAULT current_user,
    UNIQUE (code, version),
    CONSTRAINT measure_definition_hash CHECK (sha256 = encode(sha256(convert_to(fields, 'UTF8')), 'hex'))
);
COMMENT ON COLUMN measure_definition.version IS 'Of what was kept, from 1 without gaps; definition_version is what answers carry.';

CREATE TABLE measure_snapshot (
    -- everybody, where protected and without a subject; of a subject: own: subject_official_id, unit: subject_unit_id; assessors and supervisors
    id                    uuid PRIMARY KEY,
    measure_definition_id uuid NOT NULL REFERENCES measure_definition,
    measure               text NOT NULL,
    subject_unit_id       uuid REFERENCES org_unit,
    subject_post_id       uuid REFERENCES post_holding,
    subject_official_id   uuid REFERENCES official,
    question              text NOT NULL CHECK (jsonb_typeof(question::jsonb) = 'object'),
    cells                 text NOT NULL CHECK (jsonb_typeof(cells::jsonb) = 'object'),
    sha256                text NOT NULL,
    window_from           timestamptz,
    window_to             timestamptz CHECK (window_to > window_from),
    as_of                 timestamptz NOT NULL,
    row_count             int NOT NULL CHECK (row_count >= 0),
    protected             boolean NOT NULL,
    taken_at              timestamptz NOT NULL CHECK (taken_at >= as_of),
    taken_by_role         text NOT NULL,
    taken_by_unit_id      uuid REFERENCES org_unit,
    created_at            timestamptz NOT NULL DEFAULT now(),
    recorded_by           text NOT NULL DEFAULT current_user,
    CONSTRAINT measure_snapshot_hash CHECK (sha256 = encode(sha256(convert_to(question || chr(10) || cells, 'UTF8')), 'hex'))
);
CREATE INDEX measure_snapshot_taken ON measure_snapshot (taken_at DESC, id DESC);
CREATE INDEX measure_snapshot_subject ON measure_snapshot (subject_unit_id, taken_at DESC) WHERE subject_unit_id IS NOT NULL;
COMMENT ON COLUMN measure_snapshot.cells IS 'The answer as canonical JSON: what the same question about the same moment gives again, bit by bit.';

-- Evidence links could not refer to it before it was there.
ALTER TABLE evidence_link ADD FOREIGN KEY (measure_snapshot_id) REFERENCES measure_snapshot;

CREATE TABLE target (
    -- own: subject_official_id; unit: subject_unit_id; assessors and supervisors
    id                  uuid PRIMARY KEY,
    subject_unit_id     uuid NOT NULL REFERENCES org_unit,
    subject_post_id     uuid REFERENCES post_holding,
    subject_official_id uuid REFERENCES official,
    period_from         date NOT NULL,
    period_to           date NOT NULL CHECK (period_to > period_from),
    measure             text NOT NULL CHECK (measure ~ '^[A-Z][0-9]{1,2}$'),
    number              text NOT NULL DEFAULT '',
    direction           text NOT NULL CHECK (direction IN ('AT_MOST', 'AT_LEAST')),
    value               double precision NOT NULL CHECK (value > '-infinity' AND value < 'infinity'),
    state               text NOT NULL CHECK (state IN ('SET', 'WITHDRAWN')),
    version             int  NOT NULL CHECK (version >= 1),
    set_at              timestamptz NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    recorded_by         text NOT NULL DEFAULT current_user
);
CREATE UNIQUE INDEX target_standing ON target (subject_unit_id, subject_post_id, period_from, period_to, measure, number) NULLS NOT DISTINCT WHERE state = 'SET';
CREATE INDEX target_period ON target (period_to DESC, id DESC);
CREATE INDEX target_official ON target (subject_official_id) WHERE subject_official_id IS NOT NULL;
COMMENT ON TABLE target IS 'What a unit or an official in a post is to reach in a period. What it was before stands in entity_event.';

-- +goose StatementBegin
CREATE FUNCTION stays_as_it_is() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% is kept for good: it never changes', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- Whoever is spoken of by a post is its official in its unit.
CREATE FUNCTION subject_is_whole() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.subject_post_id IS NULL AND NEW.subject_official_id IS NOT NULL
        OR NEW.subject_post_id IS NOT NULL AND NOT EXISTS (SELECT FROM post_holding WHERE id = NEW.subject_post_id
            AND org_unit_id = NEW.subject_unit_id AND official_id = NEW.subject_official_id) THEN
        RAISE EXCEPTION '%: unit and official of a subject are those of the post', TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION target_keeps_its_word() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (('SET', 'WITHDRAWN')) THEN
        RAISE EXCEPTION 'target %: % does not follow %', OLD.id, NEW.state, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    IF ROW(OLD.subject_unit_id, OLD.subject_post_id, OLD.subject_official_id, OLD.period_from, OLD.period_to, OLD.measure, OLD.number, OLD.set_at)
        IS DISTINCT FROM ROW(NEW.subject_unit_id, NEW.subject_post_id, NEW.subject_official_id, NEW.period_from, NEW.period_to, NEW.measure, NEW.number, NEW.set_at) THEN
        RAISE EXCEPTION 'target %: whose it is, its period and its measure stay what they were: withdraw it and set another', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.state = 'WITHDRAWN' OR NEW.version <> OLD.version + 1 THEN
        RAISE EXCEPTION 'target %: it changes by its steps alone, until it is withdrawn', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER stays BEFORE UPDATE OR DELETE OR TRUNCATE ON measure_definition FOR EACH STATEMENT EXECUTE FUNCTION stays_as_it_is();
CREATE TRIGGER stays BEFORE UPDATE OR DELETE OR TRUNCATE ON measure_snapshot FOR EACH STATEMENT EXECUTE FUNCTION stays_as_it_is();
CREATE TRIGGER stays BEFORE DELETE OR TRUNCATE ON target FOR EACH STATEMENT EXECUTE FUNCTION stays_as_it_is();
CREATE TRIGGER subject_is_whole BEFORE INSERT ON measure_snapshot FOR EACH ROW EXECUTE FUNCTION subject_is_whole();
CREATE TRIGGER subject_is_whole BEFORE INSERT ON target FOR EACH ROW EXECUTE FUNCTION subject_is_whole();
CREATE TRIGGER target_keeps_its_word BEFORE UPDATE ON target FOR EACH ROW EXECUTE FUNCTION target_keeps_its_word();

SELECT audit.watch('measure_definition', VARIADIC '{id}'), audit.watch('measure_snapshot', VARIADIC '{id}'), audit.watch('target', VARIADIC '{id}');

-- +goose Down
SELECT 1 / 0; -- forward only
