-- Flags of formalism, and assessments of units and officials. What keeps them fair is held here: what a detector saw never changes, whoever
-- reviews or assesses comes from outside the subject's unit, an appeal is looked at by another, what an assessment rests on is frozen, and only
-- flags that were confirmed are part of it.

-- +goose Up
CREATE TABLE formalism_flag (
    -- own: subject_official_id; unit: subject_unit_id where there is no post; assessors and supervisors
    id                  uuid PRIMARY KEY,
    kind                text NOT NULL CHECK (kind ~ '^F[0-9]{1,2}$'),
    subject_unit_id     uuid NOT NULL REFERENCES org_unit,
    subject_post_id     uuid REFERENCES post_holding,
    subject_official_id uuid REFERENCES official,
    period_from         date NOT NULL,
    period_to           date NOT NULL CHECK (period_to > period_from),
    detector            text NOT NULL CHECK (detector <> ''),
    detector_version    int  NOT NULL CHECK (detector_version >= 1),
    score               double precision NOT NULL CHECK (score > '-infinity' AND score < 'infinity'),
    evidence            jsonb NOT NULL CHECK (jsonb_typeof(evidence) = 'object' AND evidence <> '{}'),
    state               text NOT NULL CHECK (state IN ('RAISED', 'UNDER_REVIEW', 'CONFIRMED', 'DISMISSED', 'APPEALED')),
    version             int  NOT NULL CHECK (version >= 1),
    reviewer            text,
    reviewer_unit_id    uuid REFERENCES org_unit,
    finding             text CHECK (finding <> ''),
    appeals             int NOT NULL DEFAULT 0 CHECK (appeals BETWEEN 0 AND 1),
    raised_at           timestamptz NOT NULL,
    reviewed_at         timestamptz,
    appealed_at         timestamptz,
    created_at          timestamptz NOT NULL DEFAULT now(),
    recorded_by         text NOT NULL DEFAULT current_user,
    CHECK ((state = 'RAISED') = (reviewer IS NULL)),
    CHECK (num_nonnulls(reviewer, reviewer_unit_id) IN (0, 2)),
    CHECK (state NOT IN ('CONFIRMED', 'DISMISSED', 'APPEALED') OR num_nonnulls(finding, reviewed_at) = 2),
    CHECK ((appeals = 1) = (appealed_at IS NOT NULL))
);
CREATE UNIQUE INDEX formalism_flag_once ON formalism_flag (kind, subject_unit_id, subject_post_id, period_from, period_to, detector, detector_version) NULLS NOT DISTINCT;
CREATE INDEX formalism_flag_raised ON formalism_flag (raised_at DESC, id DESC);
CREATE INDEX formalism_flag_official ON formalism_flag (subject_official_id, raised_at DESC) WHERE subject_official_id IS NOT NULL;

CREATE TABLE assessment_cycle (
    -- everybody may read it
    id          uuid PRIMARY KEY,
    name        text NOT NULL CHECK (name <> ''),
    period_from date NOT NULL,
    period_to   date NOT NULL CHECK (period_to > period_from),
    opened_at   timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL DEFAULT current_user,
    CONSTRAINT assessment_cycle_name UNIQUE (name)
);
CREATE INDEX assessment_cycle_period ON assessment_cycle (period_to DESC, id DESC);

CREATE TABLE assessment_cycle_definition (
    -- as assessment_cycle
    cycle_id              uuid NOT NULL REFERENCES assessment_cycle,
    measure_definition_id uuid NOT NULL REFERENCES measure_definition,
    created_at            timestamptz NOT NULL DEFAULT now(),
    recorded_by           text NOT NULL DEFAULT current_user,
    PRIMARY KEY (cycle_id, measure_definition_id)
);

CREATE TABLE assessment (
    -- own: subject_official_id; unit: subject_unit_id where there is no post; assessors and supervisors
    id                  uuid PRIMARY KEY,
    cycle_id            uuid NOT NULL REFERENCES assessment_cycle,
    subject_unit_id     uuid NOT NULL REFERENCES org_unit,
    subject_post_id     uuid REFERENCES post_holding,
    subject_official_id uuid REFERENCES official,
    state               text NOT NULL CHECK (state IN ('OPEN', 'FROZEN', 'REVIEWED', 'REPLIED', 'FINAL', 'APPEALED')),
    version             int  NOT NULL CHECK (version >= 1),
    reviewer            text NOT NULL,
    reviewer_unit_id    uuid NOT NULL REFERENCES org_unit,
    frozen              text CHECK (jsonb_typeof(frozen::jsonb) = 'object'),
    frozen_sha256       text,
    as_of               timestamptz,
    comment             text CHECK (comment <> ''),
    reply               text CHECK (reply <> ''),
    conclusion          text CHECK (conclusion <> ''),
    appeal              text CHECK (appeal <> ''),
    decision            text CHECK (decision <> ''),
    decider             text,
    decider_unit_id     uuid REFERENCES org_unit,
    opened_at           timestamptz NOT NULL,
    frozen_at           timestamptz,
    reviewed_at         timestamptz,
    replied_at          timestamptz,
    final_at            timestamptz,
    appealed_at         timestamptz,
    decided_at          timestamptz,
    created_at          timestamptz NOT NULL DEFAULT now(),
    recorded_by         text NOT NULL DEFAULT current_user,
    CONSTRAINT assessment_hash CHECK (frozen IS NULL AND frozen_sha256 IS NULL OR frozen_sha256 = encode(sha256(convert_to(frozen, 'UTF8')), 'hex')),
    CHECK ((state = 'OPEN') = (frozen IS NULL)),
    CHECK (num_nonnulls(frozen, frozen_sha256, as_of, frozen_at) IN (0, 4)),
    CHECK (num_nonnulls(comment, reviewed_at) = CASE WHEN state IN ('OPEN', 'FROZEN') THEN 0 ELSE 2 END),
    CHECK (num_nonnulls(reply, replied_at) IN (0, 2) AND (state <> 'REPLIED' OR reply IS NOT NULL) AND (state NOT IN ('OPEN', 'FROZEN', 'REVIEWED') OR reply IS NULL)),
    CHECK (num_nonnulls(conclusion, final_at) = CASE WHEN state IN ('FINAL', 'APPEALED') THEN 2 ELSE 0 END),
    CHECK (num_nonnulls(appeal, appealed_at) IN (0, 2) AND (state <> 'APPEALED' OR appeal IS NOT NULL)),
    CHECK (num_nonnulls(decision, decider, decider_unit_id, decided_at) IN (0, 4)),
    CHECK (decision IS NULL OR appeal IS NOT NULL AND state = 'FINAL'),
    CHECK (appeal IS NULL OR state IN ('FINAL', 'APPEALED')),
    CHECK (appeal IS NULL OR (state = 'APPEALED') = (decision IS NULL))
);
CREATE UNIQUE INDEX assessment_once ON assessment (cycle_id, subject_unit_id, subject_post_id) NULLS NOT DISTINCT;
CREATE INDEX assessment_opened ON assessment (opened_at DESC, id DESC);
CREATE INDEX assessment_official ON assessment (subject_official_id, opened_at DESC) WHERE subject_official_id IS NOT NULL;

CREATE TABLE assessment_snapshot (
    -- as assessment
    assessment_id       uuid NOT NULL REFERENCES assessment,
    measure_snapshot_id uuid NOT NULL REFERENCES measure_snapshot,
    created_at          timestamptz NOT NULL DEFAULT now(),
    recorded_by         text NOT NULL DEFAULT current_user,
    PRIMARY KEY (assessment_id, measure_snapshot_id)
);

CREATE TABLE assessment_flag (
    -- as assessment
    assessment_id uuid NOT NULL REFERENCES assessment,
    flag_id       uuid NOT NULL REFERENCES formalism_flag,
    created_at    timestamptz NOT NULL DEFAULT now(),
    recorded_by   text NOT NULL DEFAULT current_user,
    PRIMARY KEY (assessment_id, flag_id)
);

-- +goose StatementBegin
CREATE FUNCTION flag_keeps_its_word() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (('RAISED', 'UNDER_REVIEW'), ('UNDER_REVIEW', 'CONFIRMED'), ('UNDER_REVIEW', 'DISMISSED'), ('CONFIRMED', 'APPEALED'),
        ('DISMISSED', 'APPEALED'), ('APPEALED', 'CONFIRMED'), ('APPEALED', 'DISMISSED')) THEN
        RAISE EXCEPTION 'formalism_flag %: % does not follow %', OLD.id, NEW.state, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    IF ROW(OLD.kind, OLD.subject_unit_id, OLD.subject_post_id, OLD.subject_official_id, OLD.period_from, OLD.period_to, OLD.detector, OLD.detector_version, OLD.score, OLD.evidence, OLD.raised_at)
        IS DISTINCT FROM ROW(NEW.kind, NEW.subject_unit_id, NEW.subject_post_id, NEW.subject_official_id, NEW.period_from, NEW.period_to, NEW.detector, NEW.detector_version, NEW.score, NEW.evidence, NEW.raised_at)
        OR NEW.version <> OLD.version + 1 THEN
        RAISE EXCEPTION 'formalism_flag %: what the detector saw stays what it was', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state <> 'APPEALED' AND unit_within(NEW.reviewer_unit_id, NEW.subject_unit_id) THEN
        RAISE EXCEPTION 'formalism_flag %: unit % is the subject''s or lies below: another unit reviews it', OLD.id, NEW.reviewer_unit_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'APPEALED' AND (NEW.appeals <> OLD.appeals + 1 OR ROW(OLD.reviewer, OLD.finding) IS DISTINCT FROM ROW(NEW.reviewer, NEW.finding))
        OR NEW.state <> 'APPEALED' AND NEW.appeals <> OLD.appeals THEN
        RAISE EXCEPTION 'formalism_flag %: an appeal counts once and changes no finding', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state = 'APPEALED' AND NEW.reviewer = OLD.reviewer THEN
        RAISE EXCEPTION 'formalism_flag %: another reviewer looks at an appeal', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION assessment_keeps_its_word() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF unit_within(NEW.reviewer_unit_id, NEW.subject_unit_id) OR unit_within(NEW.decider_unit_id, NEW.subject_unit_id) THEN
        RAISE EXCEPTION 'assessment %: whoever assesses or decides comes from outside the subject''s unit', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.decider = NEW.reviewer THEN
        RAISE EXCEPTION 'assessment %: another than the reviewer decides on an appeal', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'OPEN' OR NEW.version <> 1 THEN
            RAISE EXCEPTION 'assessment %: it begins open', NEW.id USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.state, NEW.state) NOT IN (('OPEN', 'FROZEN'), ('FROZEN', 'REVIEWED'), ('REVIEWED', 'REPLIED'), ('REVIEWED', 'FINAL'), ('REPLIED', 'FINAL'), ('FINAL', 'APPEALED'), ('APPEALED', 'FINAL')) THEN
        RAISE EXCEPTION 'assessment %: % does not follow %', OLD.id, NEW.state, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    IF ROW(OLD.cycle_id, OLD.subject_unit_id, OLD.subject_post_id, OLD.subject_official_id, OLD.opened_at) IS DISTINCT FROM ROW(NEW.cycle_id, NEW.subject_unit_id, NEW.subject_post_id, NEW.subject_official_id, NEW.opened_at)
        OR NEW.version <> OLD.version + 1 THEN
        RAISE EXCEPTION 'assessment %: whose it is and of which cycle stays what it was', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.frozen IS NOT NULL AND ROW(OLD.frozen, OLD.frozen_sha256, OLD.as_of, OLD.frozen_at) IS DISTINCT FROM ROW(NEW.frozen, NEW.frozen_sha256, NEW.as_of, NEW.frozen_at) THEN
        RAISE EXCEPTION 'assessment %: what it rests on is frozen', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.comment IS NOT NULL AND OLD.comment IS DISTINCT FROM NEW.comment OR OLD.reply IS NOT NULL AND OLD.reply IS DISTINCT FROM NEW.reply
        OR OLD.conclusion IS NOT NULL AND OLD.conclusion IS DISTINCT FROM NEW.conclusion OR OLD.appeal IS NOT NULL AND OLD.appeal IS DISTINCT FROM NEW.appeal THEN
        RAISE EXCEPTION 'assessment %: what was said stays said', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state = 'FROZEN' AND NOT EXISTS (SELECT FROM assessment_snapshot WHERE assessment_id = NEW.id) THEN
        RAISE EXCEPTION 'assessment %: it rests on snapshots of measures', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'APPEALED' AND OLD.decision IS NOT NULL THEN
        RAISE EXCEPTION 'assessment %: it was appealed already', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- What an assessment rests on is of its subject and its cycle, and comes before it is frozen.
CREATE FUNCTION assessment_rests_on() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    a assessment;
    c assessment_cycle;
    fits boolean;
BEGIN
    SELECT * INTO a FROM assessment WHERE id = NEW.assessment_id FOR SHARE;
    SELECT * INTO c FROM assessment_cycle WHERE id = a.cycle_id;
    IF a.state <> 'OPEN' THEN
        RAISE EXCEPTION '%: what assessment % rests on is frozen', TG_TABLE_NAME, a.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_TABLE_NAME = 'assessment_flag' THEN
        SELECT f.state = 'CONFIRMED' AND f.subject_unit_id = a.subject_unit_id AND f.subject_post_id IS NOT DISTINCT FROM a.subject_post_id
            AND f.period_from < c.period_to AND f.period_to > c.period_from INTO fits FROM formalism_flag f WHERE f.id = NEW.flag_id FOR SHARE;
    ELSE
        SELECT s.subject_unit_id = a.subject_unit_id AND s.subject_post_id IS NOT DISTINCT FROM a.subject_post_id
            AND EXISTS (SELECT FROM measure_definition now JOIN measure_definition meant USING (code, definition_version)
                JOIN assessment_cycle_definition d ON d.measure_definition_id = meant.id WHERE now.id = s.measure_definition_id AND d.cycle_id = c.id)
            INTO fits FROM measure_snapshot s WHERE s.id = NEW.measure_snapshot_id;
    END IF;
    IF NOT coalesce(fits, false) THEN
        RAISE EXCEPTION '%: an assessment rests on snapshots of the measures of its cycle, and on confirmed flags, of its own subject and period', TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER stays BEFORE DELETE OR TRUNCATE ON formalism_flag FOR EACH STATEMENT EXECUTE FUNCTION stays_as_it_is();
CREATE TRIGGER stays BEFORE DELETE OR TRUNCATE ON assessment FOR EACH STATEMENT EXECUTE FUNCTION stays_as_it_is();
CREATE TRIGGER stays BEFORE UPDATE OR DELETE OR TRUNCATE ON assessment_cycle FOR EACH STATEMENT EXECUTE FUNCTION stays_as_it_is();
CREATE TRIGGER stays BEFORE UPDATE OR DELETE OR TRUNCATE ON assessment_cycle_definition FOR EACH STATEMENT EXECUTE FUNCTION stays_as_it_is();
CREATE TRIGGER stays BEFORE UPDATE OR DELETE OR TRUNCATE ON assessment_snapshot FOR EACH STATEMENT EXECUTE FUNCTION stays_as_it_is();
CREATE TRIGGER stays BEFORE UPDATE OR DELETE OR TRUNCATE ON assessment_flag FOR EACH STATEMENT EXECUTE FUNCTION stays_as_it_is();
CREATE TRIGGER subject_is_whole BEFORE INSERT ON formalism_flag FOR EACH ROW EXECUTE FUNCTION subject_is_whole();
CREATE TRIGGER subject_is_whole BEFORE INSERT ON assessment FOR EACH ROW EXECUTE FUNCTION subject_is_whole();
CREATE TRIGGER flag_keeps_its_word BEFORE UPDATE ON formalism_flag FOR EACH ROW EXECUTE FUNCTION flag_keeps_its_word();
CREATE TRIGGER assessment_keeps_its_word BEFORE INSERT OR UPDATE ON assessment FOR EACH ROW EXECUTE FUNCTION assessment_keeps_its_word();
CREATE TRIGGER assessment_rests_on BEFORE INSERT ON assessment_snapshot FOR EACH ROW EXECUTE FUNCTION assessment_rests_on();
CREATE TRIGGER assessment_rests_on BEFORE INSERT ON assessment_flag FOR EACH ROW EXECUTE FUNCTION assessment_rests_on();

SELECT audit.watch(t.name::regclass, VARIADIC t.keys) FROM (VALUES
    ('formalism_flag', '{id}'::text[]), ('assessment_cycle', '{id}'), ('assessment_cycle_definition', '{cycle_id,measure_definition_id}'), ('assessment', '{id}'),
    ('assessment_snapshot', '{assessment_id,measure_snapshot_id}'), ('assessment_flag', '{assessment_id,flag_id}')
) AS t (name, keys);

-- +goose Down
SELECT 1 / 0; -- forward only
