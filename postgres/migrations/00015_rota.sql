-- The rota, by which the practice lasts, and the life of a visit: planned, begun, held, noted, closed out. A visit fulfils at most one
-- slot; who took part does not attest it.

-- +goose Up
CREATE TABLE rota_plan (
    -- region: region_id
    id            uuid PRIMARY KEY,
    name          text NOT NULL CHECK (name <> ''),
    version       int  NOT NULL CHECK (version >= 1),
    region_id     uuid NOT NULL REFERENCES region,
    rank          text NOT NULL CHECK (rank IN ('PROVINCIAL', 'PREFECTURE', 'COUNTY', 'TOWNSHIP', 'SECTION')),
    activity_kind text NOT NULL CHECK (activity_kind IN ('PROPAGATION', 'RESEARCH', 'RECEPTION', 'ONSITE_OFFICE')),
    cadence       text NOT NULL CHECK (cadence IN ('MONTHLY', 'QUARTERLY')),
    site_kind     text CHECK (site_kind IN ('FACTORY', 'RURAL', 'COMMUNITY', 'SCHOOL', 'HOSPITAL', 'GOVT_WINDOW', 'OTHER')),
    period_from   date NOT NULL,
    period_to     date NOT NULL CHECK (period_to > period_from),
    created_at    timestamptz NOT NULL DEFAULT now(),
    recorded_by   text NOT NULL DEFAULT current_user,
    UNIQUE (region_id, name, version)
);
CREATE INDEX rota_plan_created ON rota_plan (created_at DESC, id DESC);

CREATE TABLE rota_slot (
    -- region: region_id
    -- own: the official of post_id
    id             uuid PRIMARY KEY,
    plan_id        uuid NOT NULL REFERENCES rota_plan ON DELETE CASCADE,
    post_id        uuid NOT NULL REFERENCES post_holding,
    activity_kind  text NOT NULL CHECK (activity_kind IN ('PROPAGATION', 'RESEARCH', 'RECEPTION', 'ONSITE_OFFICE')),
    site_kind      text,
    region_id      uuid NOT NULL REFERENCES region,
    window_from    date NOT NULL,
    window_to      date NOT NULL CHECK (window_to > window_from),
    state          text NOT NULL CHECK (state IN ('OPEN', 'FULFILLED', 'LATE', 'MISSED', 'EXCUSED', 'SWAPPED')),
    visit_id       uuid REFERENCES visit,
    swapped_for_id uuid REFERENCES rota_slot,
    version        int NOT NULL CHECK (version >= 1),
    created_at     timestamptz NOT NULL DEFAULT now(),
    recorded_by    text NOT NULL DEFAULT current_user,
    CHECK ((state IN ('FULFILLED', 'LATE')) = (visit_id IS NOT NULL)),
    CHECK (swapped_for_id IS NULL OR state = 'SWAPPED')
);
CREATE UNIQUE INDEX rota_slot_visit ON rota_slot (visit_id) WHERE visit_id IS NOT NULL;
CREATE UNIQUE INDEX rota_slot_turn ON rota_slot (plan_id, post_id, window_from) WHERE state <> 'SWAPPED';
CREATE INDEX rota_slot_due ON rota_slot (window_to, id);
CREATE INDEX rota_slot_open ON rota_slot (post_id, activity_kind, window_to) WHERE state = 'OPEN';
CREATE INDEX rota_slot_post ON rota_slot (post_id, window_to, id);
CREATE INDEX rota_slot_to_miss ON rota_slot (window_to, id) WHERE state = 'OPEN';
COMMENT ON INDEX rota_slot_visit IS 'A visit fulfils at most one slot.';

ALTER TABLE visit ADD COLUMN version int NOT NULL DEFAULT 1 CHECK (version >= 1);
ALTER TABLE visit ADD CHECK (state NOT IN ('RECORDED', 'CLOSED_OUT') OR note_text IS NOT NULL) NOT VALID;
INSERT INTO entity_event (noun, entity_id, seq, kind, from_state, to_state, at, actor, actor_role)
SELECT 'visit', id, 1, 'ENTERED', NULL, state, least(created_at, coalesce(ended_at, created_at)), recorded_by, 'SYSTEM' FROM visit;

CREATE TABLE visit_participant (
    visit_id uuid NOT NULL REFERENCES visit ON DELETE CASCADE,
    post_id  uuid NOT NULL REFERENCES post_holding,
    PRIMARY KEY (visit_id, post_id)
);
CREATE INDEX visit_participant_post ON visit_participant (post_id);

CREATE TABLE attestation (
    id             uuid PRIMARY KEY,
    visit_id       uuid NOT NULL REFERENCES visit ON DELETE CASCADE,
    voice          text NOT NULL CHECK (voice IN ('CITIZEN', 'HOST', 'INSPECTOR')),
    says           text NOT NULL CHECK (says IN ('HELD_AS_RECORDED', 'SHORTER', 'NOT_HELD', 'UNSURE')),
    nothing_raised boolean NOT NULL DEFAULT false,
    at             timestamptz NOT NULL,
    official_id    uuid REFERENCES official,
    created_at     timestamptz NOT NULL DEFAULT now(),
    recorded_by    text NOT NULL DEFAULT current_user,
    CHECK (NOT nothing_raised OR voice <> 'INSPECTOR')
);
CREATE INDEX attestation_visit ON attestation (visit_id, at, id);
COMMENT ON COLUMN attestation.official_id IS 'The official who took it down, if one did: never one who took part.';

-- +goose StatementBegin
CREATE FUNCTION attestation_from_outside() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'attestation is append-only' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (SELECT FROM visit v LEFT JOIN visit_participant p ON p.visit_id = v.id JOIN post_holding h ON h.id IN (v.lead_id, p.post_id)
               WHERE v.id = NEW.visit_id AND h.official_id = NEW.official_id) THEN
        RAISE EXCEPTION 'attestation: official % took part in visit %', NEW.official_id, NEW.visit_id USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM visit WHERE id = NEW.visit_id AND state IN ('HELD', 'RECORDED', 'CLOSED_OUT')) THEN
        RAISE EXCEPTION 'attestation: visit % was not held', NEW.visit_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- Where a visit and a slot may go from where they stand.
CREATE FUNCTION visit_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (('PLANNED', 'CHECKED_IN'), ('PLANNED', 'CANCELLED'), ('CHECKED_IN', 'HELD'), ('HELD', 'RECORDED'),
        ('RECORDED', 'CLOSED_OUT'), ('HELD', 'VOID'), ('RECORDED', 'VOID'), ('CLOSED_OUT', 'VOID')) THEN
        RAISE EXCEPTION 'visit %: % does not follow %', OLD.id, NEW.state, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state IN ('HELD', 'RECORDED', 'CLOSED_OUT', 'VOID') AND ROW(OLD.started_at, OLD.ended_at, OLD.site_id, OLD.lead_id, OLD.activity_kind)
        IS DISTINCT FROM ROW(NEW.started_at, NEW.ended_at, NEW.site_id, NEW.lead_id, NEW.activity_kind) THEN
        RAISE EXCEPTION 'visit %: when, where and by whom it was held stays as it was recorded', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION rota_slot_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (('OPEN', 'FULFILLED'), ('OPEN', 'LATE'), ('OPEN', 'MISSED'), ('OPEN', 'EXCUSED'), ('MISSED', 'EXCUSED'),
        ('OPEN', 'SWAPPED'), ('FULFILLED', 'OPEN'), ('LATE', 'OPEN')) THEN
        RAISE EXCEPTION 'rota_slot %: % does not follow %', OLD.id, NEW.state, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    IF ROW(OLD.plan_id, OLD.post_id, OLD.activity_kind, OLD.window_from, OLD.window_to) IS DISTINCT FROM ROW(NEW.plan_id, NEW.post_id, NEW.activity_kind, NEW.window_from, NEW.window_to) THEN
        RAISE EXCEPTION 'rota_slot %: whose turn it is and when stays as it was made; swap it', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER attestation_from_outside BEFORE INSERT OR UPDATE ON attestation FOR EACH ROW EXECUTE FUNCTION attestation_from_outside();
CREATE TRIGGER visit_goes_on BEFORE UPDATE ON visit FOR EACH ROW EXECUTE FUNCTION visit_goes_on();
CREATE TRIGGER rota_slot_goes_on BEFORE UPDATE ON rota_slot FOR EACH ROW EXECUTE FUNCTION rota_slot_goes_on();

-- For the measures of adherence and plausibility; no names of plans.
ALTER PUBLICATION groundwork ADD TABLE
    rota_plan (id, version, region_id, rank, activity_kind, cadence, site_kind, period_from, period_to, created_at),
    rota_slot (id, plan_id, post_id, activity_kind, site_kind, region_id, window_from, window_to, state, visit_id, swapped_for_id, version, created_at),
    visit_participant (visit_id, post_id),
    attestation (id, visit_id, voice, says, nothing_raised, at, created_at);

-- +goose Down
SELECT 1 / 0; -- forward only
