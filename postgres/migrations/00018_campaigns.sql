-- Campaigns: a concentrated effort on a hot or difficult problem in some regions, with tasks and an exit review. What an honest
-- judgement of the effect needs is frozen at selection: evidence, regions to compare with, exit criteria. Regions are chosen for
-- being extreme, so without these the fall that comes by itself would be taken for an effect.

-- +goose Up

-- unit_within says whether a unit is another one or lies below it. Separation of duty asks for units outside.
-- +goose StatementBegin
CREATE FUNCTION unit_within(unit uuid, top uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    WITH RECURSIVE above AS (
        SELECT id, parent_id FROM org_unit WHERE id = unit
        UNION SELECT u.id, u.parent_id FROM org_unit u JOIN above ON u.id = above.parent_id
    )
    SELECT EXISTS (SELECT FROM above WHERE id = top)
$$;
-- +goose StatementEnd

CREATE TABLE campaign (
    -- region: through campaign_region (any row of the campaign with role = 'TREATED')
    -- unit: lead_unit_id; also the owner_unit_id of its tasks
    id               uuid PRIMARY KEY,
    topic            text NOT NULL CHECK (topic <> ''),
    category_id      uuid REFERENCES category,
    origin           text NOT NULL CHECK (origin IN ('H2', 'H3', 'H4', 'LEADER')),
    selection_rule   text NOT NULL CHECK (selection_rule <> ''),
    lead_unit_id     uuid NOT NULL REFERENCES org_unit,
    evidence         text CHECK (jsonb_array_length(evidence::jsonb -> 'cells') > 0),
    evidence_sha256  text CHECK (evidence_sha256 = encode(sha256(convert_to(evidence, 'UTF8')), 'hex')),
    evidence_as_of   timestamptz,
    period_from      date,
    period_to        date CHECK (period_to > period_from),
    state            text NOT NULL CHECK (state IN ('CANDIDATE', 'DECLINED', 'SELECTED', 'ACTIVE', 'REVIEW', 'EXTENDED', 'EXITED', 'FAILED')),
    version          int  NOT NULL CHECK (version >= 1),
    reviews          int  NOT NULL DEFAULT 0 CHECK (reviews >= 0),
    reviewer_unit_id uuid REFERENCES org_unit,
    nominated_at     timestamptz NOT NULL,
    selected_at      timestamptz,
    started_at       timestamptz,
    review_at        timestamptz,
    extended_at      timestamptz,
    ended_at         timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now(),
    recorded_by      text NOT NULL DEFAULT current_user,
    CHECK (num_nonnulls(evidence, evidence_sha256, evidence_as_of, period_from, period_to, selected_at) IN (0, 6)),
    CHECK ((state IN ('CANDIDATE', 'DECLINED')) = (selected_at IS NULL)),
    CHECK (evidence_as_of <= selected_at),
    CHECK (state NOT IN ('ACTIVE', 'REVIEW', 'EXTENDED', 'EXITED') OR started_at IS NOT NULL),
    CHECK (state NOT IN ('REVIEW', 'EXTENDED', 'EXITED') OR review_at IS NOT NULL),
    CHECK ((state IN ('DECLINED', 'EXITED', 'FAILED')) = (ended_at IS NOT NULL)),
    CHECK (state NOT IN ('EXTENDED', 'EXITED', 'FAILED') OR reviewer_unit_id IS NOT NULL)
);
CREATE INDEX campaign_nominated ON campaign (nominated_at DESC, id DESC);
CREATE INDEX campaign_state ON campaign (state, nominated_at DESC, id DESC);
CREATE INDEX campaign_lead_unit ON campaign (lead_unit_id);
COMMENT ON COLUMN campaign.evidence IS 'JSON as it was frozen: rows of measure H1 for the regions at selection; evidence_sha256 is of exactly this text.';
COMMENT ON COLUMN campaign.reviews IS 'How often it was reviewed; campaign_result.review counts these.';

CREATE TABLE campaign_region (
    -- region: region_id
    campaign_id uuid NOT NULL REFERENCES campaign ON DELETE CASCADE,
    region_id   uuid NOT NULL REFERENCES region,
    role        text NOT NULL CHECK (role IN ('TREATED', 'COMPARISON')),
    PRIMARY KEY (campaign_id, region_id)
);
CREATE INDEX campaign_region_region ON campaign_region (region_id);

CREATE TABLE campaign_criterion (
    -- region, unit: through campaign
    campaign_id uuid NOT NULL REFERENCES campaign ON DELETE CASCADE,
    n           int  NOT NULL CHECK (n BETWEEN 1 AND 10),
    measure     text NOT NULL CHECK (measure ~ '^[A-Z][0-9]{1,2}$'),
    direction   text NOT NULL CHECK (direction IN ('AT_MOST', 'AT_LEAST')),
    threshold   double precision NOT NULL,
    window_days int NOT NULL CHECK (window_days BETWEEN 1 AND 366),
    PRIMARY KEY (campaign_id, n)
);

-- What the criteria were found to be at a review. Whether one is met follows from the criterion; nobody states it.
CREATE TABLE campaign_result (
    -- region, unit: through campaign
    campaign_id uuid NOT NULL,
    review      int  NOT NULL CHECK (review >= 1),
    n           int  NOT NULL,
    value       double precision NOT NULL,
    ci_low      double precision CHECK (ci_low <= value),
    ci_high     double precision CHECK (ci_high >= value),
    cases       int NOT NULL CHECK (cases >= 0),
    as_of       timestamptz NOT NULL,
    met         boolean NOT NULL,
    PRIMARY KEY (campaign_id, review, n),
    FOREIGN KEY (campaign_id, n) REFERENCES campaign_criterion,
    CHECK ((ci_low IS NULL) = (ci_high IS NULL))
);

CREATE TABLE campaign_task (
    -- region: through campaign
    -- unit: owner_unit_id, or the unit of owner_post_id
    -- own: the official of owner_post_id
    id            uuid PRIMARY KEY,
    campaign_id   uuid NOT NULL REFERENCES campaign ON DELETE CASCADE,
    title         text NOT NULL CHECK (title <> ''),
    owner_unit_id uuid REFERENCES org_unit,
    owner_post_id uuid REFERENCES post_holding,
    due_at        timestamptz NOT NULL,
    done_at       timestamptz,
    evidence      text[] NOT NULL DEFAULT '{}',
    overdue_at    timestamptz CHECK (overdue_at >= due_at),
    state         text NOT NULL CHECK (state IN ('OPEN', 'DONE', 'DROPPED')),
    version       int  NOT NULL CHECK (version >= 1),
    created_at    timestamptz NOT NULL DEFAULT now(),
    recorded_by   text NOT NULL DEFAULT current_user,
    CHECK (num_nonnulls(owner_unit_id, owner_post_id) = 1),
    CHECK ((state = 'DONE') = (done_at IS NOT NULL)),
    CHECK (state <> 'DONE' OR cardinality(evidence) > 0)
);
CREATE INDEX campaign_task_campaign ON campaign_task (campaign_id, due_at, id);
CREATE INDEX campaign_task_due ON campaign_task (due_at, id);
CREATE INDEX campaign_task_unit ON campaign_task (owner_unit_id, due_at, id) WHERE owner_unit_id IS NOT NULL;
CREATE INDEX campaign_task_post ON campaign_task (owner_post_id, due_at, id) WHERE owner_post_id IS NOT NULL;
CREATE INDEX campaign_task_to_note ON campaign_task (due_at, id) WHERE state = 'OPEN' AND overdue_at IS NULL;

-- An issue keeps a life of its own; here stands from when to when it was part of which campaign, of one at a time.
CREATE TABLE campaign_issue (
    -- region, unit: through campaign, or through issue
    id          uuid PRIMARY KEY,
    campaign_id uuid NOT NULL REFERENCES campaign ON DELETE CASCADE,
    issue_id    uuid NOT NULL REFERENCES issue ON DELETE CASCADE,
    joined_at   timestamptz NOT NULL,
    left_at     timestamptz CHECK (left_at >= joined_at),
    recorded_by text NOT NULL DEFAULT current_user
);
CREATE UNIQUE INDEX campaign_issue_current ON campaign_issue (issue_id) WHERE left_at IS NULL;
CREATE INDEX campaign_issue_campaign ON campaign_issue (campaign_id, joined_at, id);

-- +goose StatementBegin
-- Where a campaign may go from where it stands, what stays as it was at selection, and what the way out asks for.
CREATE FUNCTION campaign_keeps_its_word() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last_done timestamptz;
BEGIN
    IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('CANDIDATE', 'SELECTED'), ('CANDIDATE', 'DECLINED'), ('SELECTED', 'ACTIVE'), ('SELECTED', 'FAILED'), ('ACTIVE', 'REVIEW'),
        ('ACTIVE', 'FAILED'), ('REVIEW', 'EXITED'), ('REVIEW', 'EXTENDED'), ('REVIEW', 'FAILED'), ('EXTENDED', 'REVIEW'), ('EXTENDED', 'FAILED')) THEN
        RAISE EXCEPTION 'campaign %: % does not follow %', OLD.id, NEW.state, OLD.state USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state <> 'CANDIDATE' AND ROW(OLD.topic, OLD.category_id, OLD.origin, OLD.selection_rule, OLD.lead_unit_id, OLD.evidence,
        OLD.evidence_sha256, OLD.evidence_as_of, OLD.period_from, OLD.nominated_at, OLD.selected_at)
        IS DISTINCT FROM ROW(NEW.topic, NEW.category_id, NEW.origin, NEW.selection_rule, NEW.lead_unit_id, NEW.evidence,
        NEW.evidence_sha256, NEW.evidence_as_of, NEW.period_from, NEW.nominated_at, NEW.selected_at) THEN
        RAISE EXCEPTION 'campaign %: what it was selected for is frozen', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.state <> 'CANDIDATE' AND OLD.period_to IS DISTINCT FROM NEW.period_to AND NOT (NEW.state = 'EXTENDED' AND NEW.period_to > OLD.period_to) THEN
        RAISE EXCEPTION 'campaign %: its end moves only by an extension, and only later', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.state = 'CANDIDATE' AND NEW.state = 'SELECTED' THEN
        IF NOT EXISTS (SELECT FROM campaign_criterion WHERE campaign_id = NEW.id)
            OR NOT EXISTS (SELECT FROM campaign_region WHERE campaign_id = NEW.id AND role = 'TREATED')
            OR NOT EXISTS (SELECT FROM campaign_region WHERE campaign_id = NEW.id AND role = 'COMPARISON') THEN
            RAISE EXCEPTION 'campaign %: selection needs regions, regions to compare with, and exit criteria', OLD.id USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF OLD.state = 'SELECTED' AND NEW.state = 'ACTIVE' AND NOT EXISTS (SELECT FROM campaign_task WHERE campaign_id = NEW.id AND state = 'OPEN') THEN
        RAISE EXCEPTION 'campaign %: it starts with an open task', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state <> NEW.state AND NEW.state = 'REVIEW' THEN
        SELECT max(done_at) INTO last_done FROM campaign_task
        WHERE campaign_id = NEW.id AND state = 'DONE' AND done_at >= coalesce(NEW.extended_at, NEW.started_at);
        IF EXISTS (SELECT FROM campaign_task WHERE campaign_id = NEW.id AND state = 'OPEN')
            OR last_done IS NULL OR NEW.review_at < last_done + interval '2160 hours' OR NEW.reviews <> OLD.reviews + 1 THEN
            RAISE EXCEPTION 'campaign %: a review comes 90 days after its last task', OLD.id USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF OLD.state = 'REVIEW' AND NEW.state <> 'REVIEW' AND EXISTS (
        SELECT FROM campaign_criterion c LEFT JOIN campaign_result r ON r.campaign_id = c.campaign_id AND r.n = c.n AND r.review = NEW.reviews
        WHERE c.campaign_id = NEW.id AND (r.met IS NULL OR NEW.state = 'EXITED' AND NOT r.met)) THEN
        RAISE EXCEPTION 'campaign %: each exit criterion is measured, and met for an exit', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state <> NEW.state AND NEW.state IN ('EXITED', 'EXTENDED', 'FAILED') AND unit_within(NEW.reviewer_unit_id, NEW.lead_unit_id) THEN
        RAISE EXCEPTION 'campaign %: unit % leads it or lies below: another unit judges it', OLD.id, NEW.reviewer_unit_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- Regions and criteria are set until the campaign is selected; results are given under review and never changed.
CREATE FUNCTION campaign_parts_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE stands text;
BEGIN
    SELECT state INTO stands FROM campaign WHERE id = CASE WHEN TG_OP = 'DELETE' THEN OLD.campaign_id ELSE NEW.campaign_id END;
    IF stands <> 'CANDIDATE' THEN -- null: the whole campaign goes
        RAISE EXCEPTION '%: campaign % is selected: its regions and criteria are frozen', TG_TABLE_NAME,
            CASE WHEN TG_OP = 'DELETE' THEN OLD.campaign_id ELSE NEW.campaign_id END USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.campaign_id <> NEW.campaign_id THEN
        RAISE EXCEPTION '%: a part stays with its campaign', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION campaign_result_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR TG_OP = 'DELETE' AND EXISTS (SELECT FROM campaign WHERE id = OLD.campaign_id) THEN
        RAISE EXCEPTION 'campaign_result is append-only' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF NOT EXISTS (SELECT FROM campaign WHERE id = NEW.campaign_id AND state = 'REVIEW' AND reviews = NEW.review) THEN
        RAISE EXCEPTION 'campaign_result: campaign % is not under review %', NEW.campaign_id, NEW.review USING ERRCODE = 'check_violation';
    END IF;
    SELECT CASE c.direction WHEN 'AT_MOST' THEN NEW.value <= c.threshold ELSE NEW.value >= c.threshold END INTO NEW.met
    FROM campaign_criterion c WHERE c.campaign_id = NEW.campaign_id AND c.n = NEW.n;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER campaign_keeps_its_word BEFORE UPDATE ON campaign FOR EACH ROW EXECUTE FUNCTION campaign_keeps_its_word();
CREATE TRIGGER campaign_region_frozen BEFORE INSERT OR UPDATE OR DELETE ON campaign_region FOR EACH ROW EXECUTE FUNCTION campaign_parts_frozen();
CREATE TRIGGER campaign_criterion_frozen BEFORE INSERT OR UPDATE OR DELETE ON campaign_criterion FOR EACH ROW EXECUTE FUNCTION campaign_parts_frozen();
CREATE TRIGGER campaign_result_follows BEFORE INSERT OR UPDATE OR DELETE ON campaign_result FOR EACH ROW EXECUTE FUNCTION campaign_result_follows();

-- For the estimators of effect: no topic, no titles, no evidence of tasks. The frozen evidence holds figures of regions alone.
ALTER PUBLICATION groundwork ADD TABLE
    campaign (id, category_id, origin, lead_unit_id, evidence, evidence_sha256, evidence_as_of, period_from, period_to, state, version, reviews,
              reviewer_unit_id, nominated_at, selected_at, started_at, review_at, extended_at, ended_at, created_at),
    campaign_region (campaign_id, region_id, role),
    campaign_criterion (campaign_id, n, measure, direction, threshold, window_days),
    campaign_result (campaign_id, review, n, value, ci_low, ci_high, cases, as_of, met),
    campaign_task (id, campaign_id, owner_unit_id, owner_post_id, due_at, done_at, overdue_at, state, version, created_at),
    campaign_issue (id, campaign_id, issue_id, joined_at, left_at);

-- +goose Down
SELECT 1 / 0; -- forward only
