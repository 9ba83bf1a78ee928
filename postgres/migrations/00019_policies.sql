-- Policies, their versions, and the changes that lead from evidence to a new version. What keeps a judgement of the effect honest is
-- held here: evidence is never taken back, the outcome measure is registered before the change takes effect anywhere, rollouts are
-- dated beforehand, texts in effect never change, and the owner of a policy does not evaluate it.

-- +goose Up
CREATE TABLE policy (
    -- region: region_id (null = everywhere); everybody may read policies
    -- unit: owner_unit_id
    id            uuid PRIMARY KEY,
    title         text NOT NULL CHECK (title <> ''),
    region_id     uuid REFERENCES region,
    owner_unit_id uuid NOT NULL REFERENCES org_unit,
    created_at    timestamptz NOT NULL DEFAULT now(),
    recorded_by   text NOT NULL DEFAULT current_user
);
CREATE INDEX policy_title ON policy (title, id);
CREATE INDEX policy_owner ON policy (owner_unit_id);

CREATE TABLE policy_change (
    -- region: that of the policy
    -- unit: owner_unit_id; also evaluator_unit_id of policy_evaluation
    id                uuid PRIMARY KEY,
    policy_id         uuid NOT NULL REFERENCES policy,
    owner_unit_id     uuid NOT NULL REFERENCES org_unit,
    summary           text NOT NULL CHECK (summary <> ''),
    state             text NOT NULL CHECK (state IN ('PROPOSED', 'CONSULTED', 'PILOT', 'ADOPTED', 'EVALUATED', 'RETAINED', 'AMENDED', 'REPEALED', 'DROPPED')),
    version           int  NOT NULL CHECK (version >= 1),
    outcome_measure   text CHECK (outcome_measure ~ '^[A-Z][0-9]{1,2}$'),
    outcome_direction text CHECK (outcome_direction IN ('AT_MOST', 'AT_LEAST')),
    minimal_effect    double precision CHECK (minimal_effect >= 0),
    window_days       int CHECK (window_days BETWEEN 1 AND 3660),
    anticipation_days int CHECK (anticipation_days BETWEEN 0 AND 366),
    pre_registered_at timestamptz,
    policy_version_id uuid,
    proposed_at       timestamptz NOT NULL,
    consulted_at      timestamptz,
    pilot_at          timestamptz,
    adopted_at        timestamptz,
    evaluated_at      timestamptz,
    ended_at          timestamptz,
    created_at        timestamptz NOT NULL DEFAULT now(),
    recorded_by       text NOT NULL DEFAULT current_user,
    CHECK (num_nonnulls(outcome_measure, outcome_direction, minimal_effect, window_days, anticipation_days, pre_registered_at) IN (0, 6)),
    CHECK (state NOT IN ('CONSULTED', 'PILOT', 'ADOPTED', 'EVALUATED', 'RETAINED', 'AMENDED', 'REPEALED') OR consulted_at IS NOT NULL),
    CHECK (state NOT IN ('PILOT', 'ADOPTED', 'EVALUATED', 'RETAINED', 'AMENDED', 'REPEALED') OR num_nonnulls(pre_registered_at, pilot_at) = 2),
    CHECK (state NOT IN ('ADOPTED', 'EVALUATED', 'RETAINED', 'AMENDED', 'REPEALED') OR num_nonnulls(adopted_at, policy_version_id) = 2),
    CHECK (state NOT IN ('EVALUATED', 'RETAINED', 'AMENDED', 'REPEALED') OR evaluated_at IS NOT NULL),
    CHECK ((state IN ('RETAINED', 'AMENDED', 'REPEALED', 'DROPPED')) = (ended_at IS NOT NULL))
);
CREATE INDEX policy_change_proposed ON policy_change (proposed_at DESC, id DESC);
CREATE INDEX policy_change_state ON policy_change (state, proposed_at DESC, id DESC);
CREATE INDEX policy_change_policy ON policy_change (policy_id, proposed_at DESC);
COMMENT ON COLUMN policy_change.owner_unit_id IS 'Who owned the policy when the change was proposed; a unit within it does not evaluate the change.';

CREATE TABLE policy_version (
    -- as policy
    id               uuid PRIMARY KEY,
    policy_id        uuid NOT NULL REFERENCES policy,
    n                int  NOT NULL CHECK (n >= 1),
    text             text NOT NULL CHECK (text <> ''),
    effective_from   date NOT NULL,
    repealed_from    date CHECK (repealed_from >= effective_from),
    policy_change_id uuid REFERENCES policy_change,
    created_at       timestamptz NOT NULL DEFAULT now(),
    recorded_by      text NOT NULL DEFAULT current_user,
    UNIQUE (policy_id, n),
    CONSTRAINT policy_version_day UNIQUE (policy_id, effective_from)
);
ALTER TABLE policy_change ADD FOREIGN KEY (policy_version_id) REFERENCES policy_version;

CREATE TABLE policy_rollout (
    -- region: region_id
    policy_change_id uuid NOT NULL REFERENCES policy_change,
    region_id        uuid NOT NULL REFERENCES region,
    effective_from   date NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    recorded_by      text NOT NULL DEFAULT current_user,
    PRIMARY KEY (policy_change_id, region_id)
);
CREATE INDEX policy_rollout_region ON policy_rollout (region_id, effective_from);

CREATE TABLE evidence_link (
    -- as policy_change
    id                  uuid PRIMARY KEY,
    policy_change_id    uuid NOT NULL REFERENCES policy_change,
    issue_id            uuid REFERENCES issue,
    visit_id            uuid REFERENCES visit,
    campaign_id         uuid REFERENCES campaign,
    measure_snapshot_id uuid,
    evidence_at         timestamptz NOT NULL,
    linked_at           timestamptz NOT NULL,
    recorded_by         text NOT NULL DEFAULT current_user,
    CONSTRAINT evidence_link_one_target CHECK (num_nonnulls(issue_id, visit_id, campaign_id, measure_snapshot_id) = 1),
    CHECK (evidence_at <= linked_at)
);
CREATE INDEX evidence_link_change ON evidence_link (policy_change_id, evidence_at, id);
CREATE UNIQUE INDEX evidence_link_issue ON evidence_link (issue_id, policy_change_id) WHERE issue_id IS NOT NULL;
CREATE UNIQUE INDEX evidence_link_visit ON evidence_link (visit_id, policy_change_id) WHERE visit_id IS NOT NULL;
CREATE UNIQUE INDEX evidence_link_campaign ON evidence_link (campaign_id, policy_change_id) WHERE campaign_id IS NOT NULL;
CREATE UNIQUE INDEX evidence_link_snapshot ON evidence_link (measure_snapshot_id, policy_change_id) WHERE measure_snapshot_id IS NOT NULL;
COMMENT ON COLUMN evidence_link.evidence_at IS 'Of when the evidence speaks, frozen when it was linked: measure P3 asks whether it came before the proposal.';

CREATE TABLE policy_evaluation (
    -- as policy_change; unit: evaluator_unit_id
    policy_change_id  uuid PRIMARY KEY REFERENCES policy_change,
    evaluator_unit_id uuid NOT NULL REFERENCES org_unit,
    estimate          double precision NOT NULL,
    ci_low            double precision NOT NULL CHECK (ci_low <= estimate),
    ci_high           double precision NOT NULL CHECK (ci_high >= estimate),
    treated_regions   int NOT NULL CHECK (treated_regions >= 1),
    control_regions   int NOT NULL CHECK (control_regions >= 0),
    as_of             timestamptz NOT NULL,
    text              text NOT NULL CHECK (text <> ''),
    created_at        timestamptz NOT NULL DEFAULT now(),
    recorded_by       text NOT NULL DEFAULT current_user
);

-- +goose StatementBegin
-- A day begins in China.
CREATE FUNCTION day_begins(day date) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$ SELECT day::timestamp AT TIME ZONE 'Asia/Shanghai' $$;

CREATE FUNCTION policy_change_keeps_its_word() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('PROPOSED', 'CONSULTED'), ('PROPOSED', 'DROPPED'), ('CONSULTED', 'PILOT'), ('CONSULTED', 'DROPPED'), ('PILOT', 'ADOPTED'),
        ('PILOT', 'DROPPED'), ('ADOPTED', 'EVALUATED'), ('EVALUATED', 'RETAINED'), ('EVALUATED', 'AMENDED'), ('EVALUATED', 'REPEALED')) THEN
        RAISE EXCEPTION 'policy_change %: % does not follow %', OLD.id, NEW.state, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    IF ROW(OLD.policy_id, OLD.owner_unit_id, OLD.proposed_at) IS DISTINCT FROM ROW(NEW.policy_id, NEW.owner_unit_id, NEW.proposed_at) THEN
        RAISE EXCEPTION 'policy_change %: its policy, owner and proposal stay what they were', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF ROW(OLD.outcome_measure, OLD.outcome_direction, OLD.minimal_effect, OLD.window_days, OLD.anticipation_days, OLD.pre_registered_at)
        IS DISTINCT FROM ROW(NEW.outcome_measure, NEW.outcome_direction, NEW.minimal_effect, NEW.window_days, NEW.anticipation_days, NEW.pre_registered_at)
        AND (OLD.state <> 'CONSULTED' OR EXISTS (SELECT FROM policy_rollout WHERE policy_change_id = OLD.id)) THEN
        RAISE EXCEPTION 'policy_change %: its outcome measure is registered between consultation and pilot, then frozen', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state = 'PILOT' AND NOT EXISTS (SELECT FROM policy_rollout WHERE policy_change_id = NEW.id) THEN
        RAISE EXCEPTION 'policy_change %: a pilot has a dated rollout', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state = 'PILOT' AND NEW.state = 'ADOPTED' AND NOT EXISTS (
        SELECT FROM policy_rollout WHERE policy_change_id = NEW.id AND day_begins(effective_from) <= NEW.adopted_at) THEN
        RAISE EXCEPTION 'policy_change %: it is adopted after its pilot has begun', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'EVALUATED' AND NOT EXISTS (SELECT FROM policy_evaluation WHERE policy_change_id = NEW.id) THEN
        RAISE EXCEPTION 'policy_change %: it has no evaluation', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- Checked at the end of the transaction, when the links of a new proposal are there.
CREATE FUNCTION policy_change_has_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM evidence_link WHERE policy_change_id = NEW.id) THEN
        RAISE EXCEPTION 'policy_change %: a proposal rests on evidence', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION policy_rollout_comes_after() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE change policy_change;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'policy_rollout is append-only: a region has one date' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT * INTO change FROM policy_change WHERE id = NEW.policy_change_id FOR SHARE;
    IF change.state NOT IN ('CONSULTED', 'PILOT', 'ADOPTED') THEN
        RAISE EXCEPTION 'policy_rollout: policy change % stands at %', change.id, change.state USING ERRCODE = 'check_violation';
    END IF;
    IF change.pre_registered_at IS NULL OR change.pre_registered_at >= day_begins(NEW.effective_from) THEN
        RAISE EXCEPTION 'policy_rollout: the outcome measure of policy change % is registered before it takes effect', change.id USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM policy_rollout other JOIN region a ON a.id = other.region_id JOIN region b ON b.id = NEW.region_id
        WHERE other.policy_change_id = NEW.policy_change_id AND (a.path <@ b.path OR b.path <@ a.path)) THEN
        RAISE EXCEPTION 'policy_rollout: policy change % takes effect in an overlapping region already', change.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION evidence_link_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'evidence_link is append-only: evidence is not taken back' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    -- Snapshots come with a later migration, so this is looked up when it runs and no foreign key.
    IF NEW.measure_snapshot_id IS NOT NULL THEN
        IF NOT EXISTS (SELECT FROM measure_snapshot WHERE id = NEW.measure_snapshot_id) THEN
            RAISE EXCEPTION 'evidence_link: measure snapshot % does not exist', NEW.measure_snapshot_id USING ERRCODE = 'foreign_key_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION policy_evaluation_from_outside() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE change policy_change;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'policy_evaluation is append-only' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT * INTO change FROM policy_change WHERE id = NEW.policy_change_id;
    IF change.state <> 'ADOPTED' THEN
        RAISE EXCEPTION 'policy_evaluation: policy change % stands at %', change.id, change.state USING ERRCODE = 'check_violation';
    END IF;
    IF unit_within(NEW.evaluator_unit_id, change.owner_unit_id) THEN
        RAISE EXCEPTION 'policy_evaluation: unit % owns the policy or lies below its owner: another unit evaluates it', NEW.evaluator_unit_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.as_of < day_begins((SELECT min(effective_from) FROM policy_rollout WHERE policy_change_id = change.id) + change.window_days) THEN
        RAISE EXCEPTION 'policy_evaluation: the registered window of policy change % is not over', change.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION policy_version_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND ROW(OLD.id, OLD.policy_id, OLD.n, OLD.policy_change_id) IS DISTINCT FROM ROW(NEW.id, NEW.policy_id, NEW.n, NEW.policy_change_id) THEN
        RAISE EXCEPTION 'policy_version: a version stays in its place' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF day_begins(OLD.effective_from) <= now() THEN -- in effect: all that may still happen to it is that it is repealed, once
        IF TG_OP = 'DELETE' OR ROW(OLD.text, OLD.effective_from) IS DISTINCT FROM ROW(NEW.text, NEW.effective_from)
            OR OLD.repealed_from IS NOT NULL AND OLD.repealed_from IS DISTINCT FROM NEW.repealed_from THEN
            RAISE EXCEPTION 'policy_version: version % of policy % is in effect and never changes: propose a change', OLD.n, OLD.policy_id USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
-- +goose StatementEnd
CREATE TRIGGER policy_change_keeps_its_word BEFORE UPDATE ON policy_change FOR EACH ROW EXECUTE FUNCTION policy_change_keeps_its_word();
CREATE CONSTRAINT TRIGGER policy_change_has_evidence AFTER INSERT ON policy_change DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION policy_change_has_evidence();
CREATE TRIGGER policy_rollout_comes_after BEFORE INSERT OR UPDATE OR DELETE ON policy_rollout FOR EACH ROW EXECUTE FUNCTION policy_rollout_comes_after();
CREATE TRIGGER evidence_link_stays BEFORE INSERT OR UPDATE OR DELETE ON evidence_link FOR EACH ROW EXECUTE FUNCTION evidence_link_stays();
CREATE TRIGGER policy_evaluation_from_outside BEFORE INSERT OR UPDATE OR DELETE ON policy_evaluation FOR EACH ROW EXECUTE FUNCTION policy_evaluation_from_outside();
CREATE TRIGGER policy_version_immutable BEFORE UPDATE OR DELETE ON policy_version FOR EACH ROW EXECUTE FUNCTION policy_version_immutable();

-- For the estimators of policy effect (P1) and of the road from evidence to policy (P3): no titles, no texts.
ALTER PUBLICATION groundwork ADD TABLE
    policy_change (id, policy_id, owner_unit_id, state, version, outcome_measure, outcome_direction, minimal_effect, window_days, anticipation_days,
                   pre_registered_at, policy_version_id, proposed_at, consulted_at, pilot_at, adopted_at, evaluated_at, ended_at, created_at),
    policy_rollout (policy_change_id, region_id, effective_from, created_at),
    evidence_link (id, policy_change_id, issue_id, visit_id, campaign_id, measure_snapshot_id, evidence_at, linked_at),
    policy_evaluation (policy_change_id, evaluator_unit_id, estimate, ci_low, ci_high, treated_regions, control_regions, as_of, created_at);

-- +goose Down
SELECT 1 / 0; -- forward only
