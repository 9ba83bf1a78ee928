-- Skills of officials, as assessors from outside find them, and trainings. They are about persons, so that the rows themselves say who
-- sees them: the official, assessors and supervisors. Records are never changed; a later one follows.

-- +goose Up
CREATE TABLE skill_record (
    -- own: official_id; else ASSESSOR and SUPERVISOR alone
    id                   uuid PRIMARY KEY,
    official_id          uuid NOT NULL REFERENCES official,
    ability              text NOT NULL CHECK (ability IN ('POLITICAL', 'RESEARCH', 'DECISION', 'REFORM', 'EMERGENCY', 'MASS_WORK', 'EXECUTION')),
    level                int  NOT NULL CHECK (level BETWEEN 1 AND 5),
    evidence             text NOT NULL CHECK (evidence <> ''),
    assessor_unit_id     uuid NOT NULL REFERENCES org_unit,
    assessor_official_id uuid REFERENCES official,
    at                   timestamptz NOT NULL,
    created_at           timestamptz NOT NULL DEFAULT now(),
    recorded_by          text NOT NULL DEFAULT current_user,
    CONSTRAINT skill_record_not_oneself CHECK (assessor_official_id <> official_id)
);
CREATE INDEX skill_record_official ON skill_record (official_id, ability, at);
CREATE INDEX skill_record_at ON skill_record (at DESC, id DESC);

CREATE TABLE training (
    id          uuid PRIMARY KEY,
    title       text NOT NULL CHECK (title <> ''),
    ability     text NOT NULL CHECK (ability IN ('POLITICAL', 'RESEARCH', 'DECISION', 'REFORM', 'EMERGENCY', 'MASS_WORK', 'EXECUTION')),
    unit_id     uuid NOT NULL REFERENCES org_unit,
    starts_on   date NOT NULL,
    ends_on     date NOT NULL CHECK (ends_on >= starts_on),
    created_at  timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL DEFAULT current_user
);
CREATE INDEX training_starts ON training (starts_on DESC, id DESC);

CREATE TABLE training_participation (
    -- own: official_id; else ASSESSOR and SUPERVISOR alone
    id                 uuid PRIMARY KEY,
    training_id        uuid NOT NULL REFERENCES training,
    official_id        uuid NOT NULL REFERENCES official,
    completed          boolean NOT NULL,
    noted_by_official  uuid REFERENCES official,
    created_at         timestamptz NOT NULL DEFAULT now(),
    recorded_by        text NOT NULL DEFAULT current_user,
    CONSTRAINT training_participation_once UNIQUE (training_id, official_id),
    CONSTRAINT training_participation_not_oneself CHECK (noted_by_official <> official_id)
);
CREATE INDEX training_participation_official ON training_participation (official_id, created_at DESC, id DESC);
CREATE INDEX training_participation_created ON training_participation (created_at DESC, id DESC);

-- +goose StatementBegin
CREATE FUNCTION is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION skill_record_from_outside() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    on_day date := (NEW.at AT TIME ZONE 'Asia/Shanghai')::date;
BEGIN
    IF NOT EXISTS (SELECT FROM post_holding h WHERE h.official_id = NEW.official_id AND h.held_from <= on_day AND (h.held_to IS NULL OR h.held_to > on_day)) THEN
        RAISE EXCEPTION 'skill_record: official % holds no post on %', NEW.official_id, on_day USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT FROM post_holding h
        CROSS JOIN (SELECT NEW.assessor_unit_id AS unit UNION SELECT a.org_unit_id FROM post_holding a
            WHERE a.official_id = NEW.assessor_official_id AND a.held_from <= on_day AND (a.held_to IS NULL OR a.held_to > on_day)) assessor
        WHERE h.official_id = NEW.official_id AND h.held_from <= on_day AND (h.held_to IS NULL OR h.held_to > on_day) AND unit_within(assessor.unit, h.org_unit_id)) THEN
        RAISE EXCEPTION 'skill_record: the assessor of official % is from the official''s unit or one below it', NEW.official_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION may_see_skills_of(official uuid) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT current_user = 'groundwork_etl' OR coalesce(current_setting('groundwork.role', true) IN ('ASSESSOR', 'SUPERVISOR')
        OR official::text = nullif(current_setting('groundwork.official', true), ''), false)
$$;
-- +goose StatementEnd
CREATE TRIGGER skill_record_from_outside BEFORE INSERT ON skill_record FOR EACH ROW EXECUTE FUNCTION skill_record_from_outside();
CREATE TRIGGER skill_record_append_only BEFORE UPDATE OR DELETE ON skill_record FOR EACH ROW EXECUTE FUNCTION is_append_only();
CREATE TRIGGER training_append_only BEFORE UPDATE OR DELETE ON training FOR EACH ROW EXECUTE FUNCTION is_append_only();
CREATE TRIGGER training_participation_append_only BEFORE UPDATE OR DELETE ON training_participation FOR EACH ROW EXECUTE FUNCTION is_append_only();

-- Nothing reaches these rows but who says who it is, whatever the query.
ALTER TABLE skill_record ENABLE ROW LEVEL SECURITY;
CREATE POLICY skill_record_seen ON skill_record FOR SELECT USING (may_see_skills_of(official_id));
CREATE POLICY skill_record_assessed ON skill_record FOR INSERT WITH CHECK (current_setting('groundwork.role', true) = 'ASSESSOR');
ALTER TABLE training_participation ENABLE ROW LEVEL SECURITY;
CREATE POLICY training_participation_seen ON training_participation FOR SELECT USING (may_see_skills_of(official_id));
CREATE POLICY training_participation_noted ON training_participation FOR INSERT WITH CHECK (current_setting('groundwork.role', true) = 'ASSESSOR');

SELECT audit.watch('skill_record', 'id'), audit.watch('training', 'id'), audit.watch('training_participation', 'id');

-- For measure L1 alone: neither what a level rests on nor who found it. Trainings stay here.
ALTER PUBLICATION groundwork ADD TABLE skill_record (id, official_id, ability, level, at, created_at);

-- +goose Down
SELECT 1 / 0; -- forward only
