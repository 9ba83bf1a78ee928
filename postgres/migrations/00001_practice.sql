-- The system of record, first rooms: places, units, people in office, visits, opinions, issues and their events.
-- Rules of the domain stand here as constraints, so that they hold whoever writes. Words are those of docs/glossary.md.
-- Enumerations are text with CHECK rather than enum types: a value can be added in a transaction, and replication needs no type look-up.

-- +goose Up
CREATE EXTENSION IF NOT EXISTS ltree;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Places ---------------------------------------------------------------------------------------------------------

CREATE TABLE region (
    id          uuid PRIMARY KEY,
    code        text NOT NULL UNIQUE CHECK (code ~ '^[0-9]{12}$'),
    level       text NOT NULL CHECK (level IN ('PROVINCE', 'PREFECTURE', 'COUNTY', 'TOWNSHIP', 'VILLAGE_COMMITTEE')),
    parent_id   uuid REFERENCES region,
    path        ltree NOT NULL,
    name        text NOT NULL CHECK (name <> ''),
    latitude    double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude   double precision CHECK (longitude BETWEEN -180 AND 180),
    urban_rural text CHECK (urban_rural IN ('URBAN', 'RURAL')),
    valid_from  date,
    valid_to    date CHECK (valid_to > valid_from),
    created_at  timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL DEFAULT current_user,
    CHECK ((level = 'PROVINCE') = (parent_id IS NULL))
);
CREATE INDEX region_parent ON region (parent_id);
CREATE INDEX region_path ON region USING gist (path);
COMMENT ON COLUMN region.path IS 'Codes from the province down to this region; kept by the trigger region_path.';

-- +goose StatementBegin
CREATE FUNCTION region_set_path() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.parent_id IS NULL THEN
        NEW.path := NEW.code::ltree;
    ELSE
        SELECT r.path || NEW.code INTO NEW.path FROM region r WHERE r.id = NEW.parent_id;
        IF NEW.path IS NULL THEN
            RAISE EXCEPTION 'region %: parent % does not exist', NEW.code, NEW.parent_id USING ERRCODE = 'foreign_key_violation';
        END IF;
        IF TG_OP = 'UPDATE' AND index(NEW.path, OLD.code::ltree) < nlevel(NEW.path) - 1 AND index(NEW.path, OLD.code::ltree) >= 0 THEN
            RAISE EXCEPTION 'region %: a region cannot lie below itself', NEW.code USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION region_move_children() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE region SET parent_id = parent_id WHERE parent_id = NEW.id; -- each child recomputes its path
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER region_path BEFORE INSERT OR UPDATE OF code, parent_id ON region FOR EACH ROW EXECUTE FUNCTION region_set_path();
CREATE TRIGGER region_children AFTER UPDATE ON region FOR EACH ROW WHEN (OLD.path IS DISTINCT FROM NEW.path) EXECUTE FUNCTION region_move_children();

CREATE TABLE region_population (
    region_id   uuid NOT NULL REFERENCES region ON DELETE CASCADE,
    year        int  NOT NULL CHECK (year BETWEEN 1900 AND 2200),
    persons     bigint NOT NULL CHECK (persons >= 0),
    source      text NOT NULL CHECK (source <> ''),
    created_at  timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL DEFAULT current_user,
    PRIMARY KEY (region_id, year)
);

CREATE TABLE site (
    id            uuid PRIMARY KEY,
    region_id     uuid NOT NULL REFERENCES region,
    kind          text NOT NULL CHECK (kind IN ('FACTORY', 'RURAL', 'COMMUNITY', 'SCHOOL', 'HOSPITAL', 'GOVT_WINDOW', 'OTHER')),
    name          text NOT NULL CHECK (name <> ''),
    latitude      double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude     double precision CHECK (longitude BETWEEN -180 AND 180),
    eligible_from date,
    eligible_to   date CHECK (eligible_to > eligible_from),
    created_at    timestamptz NOT NULL DEFAULT now(),
    recorded_by   text NOT NULL DEFAULT current_user,
    UNIQUE (region_id, kind, name)
);
CREATE INDEX site_name ON site (name, id);

-- A working day is Monday to Friday unless a row here says otherwise (holidays, make-up days).
CREATE TABLE calendar_day (
    date       date PRIMARY KEY,
    is_workday boolean NOT NULL,
    note       text NOT NULL DEFAULT ''
);

-- Categories: a tree whose every change is a new version; an issue keeps the row it was given. --------------------

CREATE TABLE category (
    id          uuid PRIMARY KEY,
    code        text NOT NULL CHECK (code <> ''),
    version     int  NOT NULL DEFAULT 1 CHECK (version >= 1),
    parent_id   uuid REFERENCES category,
    name        text NOT NULL CHECK (name <> ''),
    path        text[] NOT NULL CHECK (cardinality(path) BETWEEN 1 AND 6),
    valid_from  date NOT NULL DEFAULT '1900-01-01',
    valid_to    date CHECK (valid_to > valid_from),
    created_at  timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL DEFAULT current_user,
    UNIQUE (code, version)
);
CREATE INDEX category_parent ON category (parent_id);
COMMENT ON COLUMN category.path IS 'Names from the top of the tree down to this category.';

-- Units and people in office ---------------------------------------------------------------------------------------

CREATE TABLE org_unit (
    id          uuid PRIMARY KEY,
    parent_id   uuid REFERENCES org_unit,
    region_id   uuid REFERENCES region,
    name        text NOT NULL CHECK (name <> ''),
    kind        text NOT NULL CHECK (kind IN ('PARTY', 'GOVT', 'UTILITY', 'ENTERPRISE')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL DEFAULT current_user
);
CREATE UNIQUE INDEX org_unit_name ON org_unit (name, region_id) NULLS NOT DISTINCT;

-- The catalogue: which unit handles a category at a level of region, on what basis, from when to when.
CREATE TABLE dispatch_rule (
    id           uuid PRIMARY KEY,
    category_id  uuid NOT NULL REFERENCES category,
    region_level text NOT NULL CHECK (region_level IN ('PROVINCE', 'PREFECTURE', 'COUNTY', 'TOWNSHIP', 'VILLAGE_COMMITTEE')),
    org_unit_id  uuid NOT NULL REFERENCES org_unit,
    basis        text NOT NULL CHECK (basis <> ''),
    valid_from   date NOT NULL,
    valid_to     date CHECK (valid_to > valid_from),
    created_at   timestamptz NOT NULL DEFAULT now(),
    recorded_by  text NOT NULL DEFAULT current_user
);
CREATE INDEX dispatch_rule_category ON dispatch_rule (category_id, org_unit_id);

CREATE TABLE official (
    id          uuid PRIMARY KEY,
    pseudonym   text NOT NULL UNIQUE CHECK (pseudonym <> ''),
    created_at  timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL DEFAULT current_user
);
COMMENT ON TABLE official IS 'A person in office under a pseudonymous key; the name belongs in the vault, never here.';

CREATE TABLE post_holding (
    id          uuid PRIMARY KEY,
    official_id uuid NOT NULL REFERENCES official,
    org_unit_id uuid NOT NULL REFERENCES org_unit,
    rank        text NOT NULL CHECK (rank IN ('PROVINCIAL', 'PREFECTURE', 'COUNTY', 'TOWNSHIP', 'SECTION')),
    title       text NOT NULL CHECK (title <> ''),
    held_from   date NOT NULL,
    held_to     date CHECK (held_to > held_from),
    created_at  timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL DEFAULT current_user
);
CREATE INDEX post_holding_official ON post_holding (official_id);
CREATE INDEX post_holding_unit ON post_holding (org_unit_id);

-- Visits -----------------------------------------------------------------------------------------------------------

CREATE TABLE visit (
    id              uuid PRIMARY KEY,
    activity_kind   text NOT NULL CHECK (activity_kind IN ('PROPAGATION', 'RESEARCH', 'RECEPTION', 'ONSITE_OFFICE')),
    notice          text NOT NULL CHECK (notice IN ('ANNOUNCED', 'UNANNOUNCED')),
    site_id         uuid NOT NULL REFERENCES site,
    lead_id         uuid NOT NULL REFERENCES post_holding,
    started_at      timestamptz NOT NULL,
    ended_at        timestamptz CHECK (ended_at >= started_at),
    citizens_met    int CHECK (citizens_met >= 0),
    note_text       text,
    note_unit_id    uuid REFERENCES org_unit,
    note_created_at timestamptz,
    state           text NOT NULL CHECK (state IN ('PLANNED', 'CHECKED_IN', 'HELD', 'RECORDED', 'CLOSED_OUT', 'CANCELLED', 'VOID')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    recorded_by     text NOT NULL DEFAULT current_user,
    CHECK (state NOT IN ('HELD', 'RECORDED', 'CLOSED_OUT') OR ended_at IS NOT NULL)
);
CREATE INDEX visit_site ON visit (site_id, started_at);
CREATE INDEX visit_started ON visit (started_at, id);

-- Opinions ---------------------------------------------------------------------------------------------------------

-- One run of an import: what was read, and up to when its file speaks.
CREATE TABLE import_batch (
    id             uuid PRIMARY KEY,
    source         text NOT NULL,
    file_name      text NOT NULL,
    sha256         text NOT NULL,
    observed_until timestamptz NOT NULL,
    rows_read      int NOT NULL,
    rows_rejected  int NOT NULL,
    opinions_added int NOT NULL,
    issues_added   int NOT NULL,
    imported_at    timestamptz NOT NULL DEFAULT now(),
    recorded_by    text NOT NULL DEFAULT current_user
);

CREATE TABLE opinion (
    id                 uuid PRIMARY KEY,
    source             text NOT NULL DEFAULT 'groundwork' CHECK (source <> ''),
    external_id        text,
    channel            text NOT NULL CHECK (channel IN ('VISIT', 'RECEPTION', 'ONLINE', 'HOTLINE', 'MESSAGE_BOARD', 'LETTER', 'APP', 'OPEN311')),
    kind               text NOT NULL CHECK (kind IN ('INQUIRY', 'HELP', 'COMPLAINT', 'REPORT', 'SUGGESTION', 'THANKS')),
    received_at        timestamptz NOT NULL,
    received_precision text NOT NULL DEFAULT 'SECOND' CHECK (received_precision IN ('SECOND', 'DAY')),
    occurred_at        timestamptz,
    visit_id           uuid REFERENCES visit,
    reporter_pid       uuid,
    subject            text NOT NULL DEFAULT '',
    text               text NOT NULL DEFAULT '',
    latitude           double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude          double precision CHECK (longitude BETWEEN -180 AND 180),
    precision_m        int CHECK (precision_m >= 0),
    region_id          uuid REFERENCES region,
    site_id            uuid REFERENCES site,
    confidentiality    text NOT NULL DEFAULT 'NAME_HIDDEN' CHECK (confidentiality IN ('PUBLIC', 'NAME_HIDDEN', 'CONFIDENTIAL')),
    supported          int NOT NULL DEFAULT 0 CHECK (supported >= 0),
    opposed            int NOT NULL DEFAULT 0 CHECK (opposed >= 0),
    import_batch_id    uuid REFERENCES import_batch,
    created_at         timestamptz NOT NULL DEFAULT now(),
    recorded_by        text NOT NULL DEFAULT current_user,
    CHECK (subject <> '' OR text <> '' OR source LIKE 'open311%')
);
CREATE UNIQUE INDEX opinion_external ON opinion (source, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX opinion_received ON opinion (received_at, id);
CREATE INDEX opinion_reporter ON opinion (reporter_pid) WHERE reporter_pid IS NOT NULL;
CREATE INDEX opinion_region ON opinion (region_id, received_at);
CREATE INDEX opinion_text_trgm ON opinion USING gin ((subject || ' ' || text) gin_trgm_ops);
COMMENT ON COLUMN opinion.reporter_pid IS 'Pseudonym of the reporter; who that is stands in the vault alone.';
COMMENT ON COLUMN opinion.region_id IS 'Finest region known; null = unknown.';

-- Issues -----------------------------------------------------------------------------------------------------------

CREATE SEQUENCE issue_public_ref;

CREATE TABLE issue (
    id                uuid PRIMARY KEY,
    public_ref        text NOT NULL UNIQUE,
    category_id       uuid REFERENCES category,
    severity          text NOT NULL DEFAULT 'NORMAL' CHECK (severity IN ('LOW', 'NORMAL', 'HIGH', 'URGENT')),
    difficulty        text NOT NULL DEFAULT 'ROUTINE' CHECK (difficulty IN ('ROUTINE', 'CROSS_UNIT', 'LEGACY', 'POLICY_GAP')),
    kind              text NOT NULL CHECK (kind IN ('INQUIRY', 'HELP', 'COMPLAINT', 'REPORT', 'SUGGESTION', 'THANKS')),
    channel           text NOT NULL CHECK (channel IN ('VISIT', 'RECEPTION', 'ONLINE', 'HOTLINE', 'MESSAGE_BOARD', 'LETTER', 'APP', 'OPEN311')),
    title             text NOT NULL,
    region_id         uuid REFERENCES region,
    site_id           uuid REFERENCES site,
    source_visit_id   uuid REFERENCES visit,
    due_at            timestamptz,
    observed_until    timestamptz,
    -- what follows is derived from issue_event and can be rebuilt from it; `seq` is the version for optimistic locking
    seq               int NOT NULL CHECK (seq >= 1),
    state             text NOT NULL CHECK (state IN ('REGISTERED', 'DISPATCHED', 'IN_PROGRESS', 'AWAITING_CITIZEN', 'PLANNED', 'CLAIMED', 'CLOSED', 'MERGED')),
    closure_type      text CHECK (closure_type IN ('CONFIRMED', 'UNCONFIRMED', 'EXPLAINED', 'REFERRED_OUT', 'WITHDRAWN')),
    origin_at         timestamptz NOT NULL,
    first_response_at timestamptz,
    claimed_at        timestamptz,
    resolved_at       timestamptz,
    closed_at         timestamptz,
    merged_into_id    uuid REFERENCES issue DEFERRABLE INITIALLY DEFERRED,
    lead_unit_id      uuid REFERENCES org_unit,
    paused_since      timestamptz,
    paused_seconds    bigint NOT NULL DEFAULT 0 CHECK (paused_seconds >= 0),
    return_count      int NOT NULL DEFAULT 0 CHECK (return_count BETWEEN 0 AND 2),
    dispute_count     int NOT NULL DEFAULT 0 CHECK (dispute_count >= 0),
    reopen_count      int NOT NULL DEFAULT 0 CHECK (reopen_count >= 0),
    escalation_level  int NOT NULL DEFAULT 0 CHECK (escalation_level >= 0),
    opinion_count     int NOT NULL DEFAULT 1 CHECK (opinion_count >= 1),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    created_at        timestamptz NOT NULL DEFAULT now(),
    recorded_by       text NOT NULL DEFAULT current_user,
    CHECK ((state = 'CLOSED') = (closure_type IS NOT NULL)),
    CHECK ((state = 'CLOSED') = (closed_at IS NOT NULL)),
    CHECK ((state = 'MERGED') = (merged_into_id IS NOT NULL)),
    CHECK (merged_into_id <> id),
    CHECK (closure_type IS DISTINCT FROM 'CONFIRMED' OR resolved_at IS NOT NULL)
);
CREATE INDEX issue_origin ON issue (origin_at DESC, id DESC);
CREATE INDEX issue_region ON issue (region_id, origin_at DESC, id DESC);
CREATE INDEX issue_category ON issue (category_id, origin_at DESC, id DESC);
CREATE INDEX issue_state ON issue (state, origin_at DESC, id DESC);
CREATE INDEX issue_updated ON issue (updated_at DESC, id DESC);
CREATE INDEX issue_due ON issue (coalesce(due_at, 'infinity'), id);
CREATE INDEX issue_lead_unit ON issue (lead_unit_id, state);
CREATE INDEX issue_merged_into ON issue (merged_into_id) WHERE merged_into_id IS NOT NULL;
CREATE INDEX issue_title_trgm ON issue USING gin (title gin_trgm_ops);
COMMENT ON COLUMN issue.due_at IS 'When resolution is due, as the source or the target in force says; null = no target known.';
COMMENT ON COLUMN issue.observed_until IS 'Imported issues: the moment up to which their course is known; they are censored there. Null = observed here, continuously.';
COMMENT ON COLUMN issue.resolved_at IS 'claimed_at of the last claim that was confirmed and not reopened within 90 days.';

CREATE TABLE issue_opinion (
    issue_id    uuid NOT NULL REFERENCES issue ON DELETE CASCADE,
    opinion_id  uuid NOT NULL UNIQUE REFERENCES opinion ON DELETE CASCADE,
    linked_at   timestamptz NOT NULL,
    linked_by   text NOT NULL,
    score       real CHECK (score BETWEEN 0 AND 1),
    PRIMARY KEY (issue_id, opinion_id)
);

-- The life of an issue: append-only, gap-free. Each event carries the issue's derived state after it, so that any past
-- moment is one look-up (the last event known by then) and never a re-run of the rules.
CREATE TABLE issue_event (
    issue_id          uuid NOT NULL REFERENCES issue ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    seq               int  NOT NULL CHECK (seq >= 1),
    kind              text NOT NULL CHECK (kind IN ('REGISTERED', 'LINKED', 'DISPATCHED', 'ACCEPTED', 'RETURNED', 'ASKED', 'RESUMED', 'PLANNED', 'UNPLANNED', 'RESPONDED', 'CLAIMED', 'CALLED_BACK', 'FEEDBACK', 'CONFIRMED', 'DISPUTED', 'CLOSED', 'WITHDRAWN', 'MERGED', 'UNMERGED', 'REOPENED', 'ESCALATED', 'CORRECTED')),
    from_state        text,
    to_state          text NOT NULL,
    at                timestamptz NOT NULL,
    known_at          timestamptz NOT NULL,
    recorded_at       timestamptz NOT NULL DEFAULT now(),
    actor             text NOT NULL,
    actor_role        text NOT NULL CHECK (actor_role IN ('CITIZEN', 'INTAKE', 'DISPATCHER', 'HANDLER', 'UNIT_HEAD', 'LEADER', 'SUPERVISOR', 'CALLER', 'CAMPAIGN_LEAD', 'POLICY_OWNER', 'ASSESSOR', 'ANALYST', 'RESEARCHER', 'PRIVACY_OFFICER', 'SYSTEM')),
    actor_unit_id     uuid REFERENCES org_unit,
    reason_code       text,
    payload           jsonb NOT NULL DEFAULT '{}',
    client_mutation_id text,
    client_mutation_sha256 text, -- of what was asked, so that the same id with other content is refused
    -- the issue after this event
    closure_type      text,
    origin_at         timestamptz NOT NULL,
    first_response_at timestamptz,
    claimed_at        timestamptz,
    resolved_at       timestamptz,
    closed_at         timestamptz,
    merged_into_id    uuid,
    lead_unit_id      uuid,
    paused_since      timestamptz,
    paused_seconds    bigint NOT NULL DEFAULT 0,
    return_count      int NOT NULL DEFAULT 0,
    dispute_count     int NOT NULL DEFAULT 0,
    reopen_count      int NOT NULL DEFAULT 0,
    escalation_level  int NOT NULL DEFAULT 0,
    opinion_count     int NOT NULL DEFAULT 1,
    PRIMARY KEY (issue_id, seq),
    CHECK ((seq = 1) = (from_state IS NULL)),
    CHECK (at <= known_at)
);
CREATE UNIQUE INDEX issue_event_client_mutation ON issue_event (actor, client_mutation_id) WHERE client_mutation_id IS NOT NULL;
COMMENT ON COLUMN issue_event.at IS 'When it happened.';
COMMENT ON COLUMN issue_event.known_at IS 'When it was known: here = when recorded; imported = when the source knew it. Never decreases with seq. What was known at a past moment = events with known_at up to it.';
COMMENT ON COLUMN issue_event.recorded_at IS 'When this row was written.';

-- +goose StatementBegin
CREATE FUNCTION issue_event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last issue_event;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'issue_event is append-only: correct with a compensating event' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM issue WHERE id = OLD.issue_id) THEN -- events go only together with their whole issue
            RAISE EXCEPTION 'issue_event is append-only: correct with a compensating event' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END IF;
    SELECT * INTO last FROM issue_event WHERE issue_id = NEW.issue_id ORDER BY seq DESC LIMIT 1;
    IF NEW.seq <> coalesce(last.seq, 0) + 1 THEN
        RAISE EXCEPTION 'issue_event: event % of issue % does not follow event %', NEW.seq, NEW.issue_id, coalesce(last.seq, 0) USING ERRCODE = 'serialization_failure';
    END IF;
    IF NEW.from_state IS DISTINCT FROM last.to_state THEN
        RAISE EXCEPTION 'issue_event: issue % stands at %, not at %', NEW.issue_id, last.to_state, NEW.from_state USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.known_at < last.known_at THEN
        RAISE EXCEPTION 'issue_event: known_at of event % of issue % lies before that of the event before it', NEW.seq, NEW.issue_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION issue_event_no_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'issue_event is append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER issue_event_append_only BEFORE INSERT OR UPDATE OR DELETE ON issue_event FOR EACH ROW EXECUTE FUNCTION issue_event_append_only();
CREATE TRIGGER issue_event_no_truncate BEFORE TRUNCATE ON issue_event FOR EACH STATEMENT EXECUTE FUNCTION issue_event_no_truncate();

CREATE TABLE claim (
    id           uuid PRIMARY KEY,
    issue_id     uuid NOT NULL REFERENCES issue ON DELETE CASCADE,
    n            int  NOT NULL CHECK (n >= 1),
    kind         text CHECK (kind IN ('FIXED', 'EXPLAINED', 'REFERRED_OUT')),
    source       text NOT NULL DEFAULT 'groundwork',
    opinion_id   uuid REFERENCES opinion ON DELETE SET NULL,
    text         text NOT NULL,
    legal_basis  text,
    appeal_notice text,
    receipt      text,
    evidence     text[] NOT NULL DEFAULT '{}',
    claimed_at   timestamptz NOT NULL,
    claimed_precision text NOT NULL DEFAULT 'SECOND' CHECK (claimed_precision IN ('SECOND', 'DAY')),
    unit_id      uuid REFERENCES org_unit,
    signed_by    text,
    reviewed_by  text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    recorded_by  text NOT NULL DEFAULT current_user,
    UNIQUE (issue_id, n),
    -- a claim made here says what it claims and shows what that needs; an imported reply says neither
    CHECK (source <> 'groundwork' OR kind IS NOT NULL),
    CHECK (source <> 'groundwork' OR kind <> 'FIXED' OR cardinality(evidence) > 0),
    CHECK (source <> 'groundwork' OR kind <> 'EXPLAINED' OR (legal_basis <> '' AND appeal_notice <> '' AND legal_basis IS NOT NULL AND appeal_notice IS NOT NULL)),
    CHECK (source <> 'groundwork' OR kind <> 'REFERRED_OUT' OR (receipt IS NOT NULL AND receipt <> ''))
);
COMMENT ON COLUMN claim.kind IS 'Null = the source of an imported reply does not say.';
COMMENT ON COLUMN claim.opinion_id IS 'The opinion that an imported reply answers.';

CREATE TABLE callback_attempt (
    id            uuid PRIMARY KEY,
    claim_id      uuid NOT NULL REFERENCES claim ON DELETE CASCADE,
    at            timestamptz NOT NULL,
    method        text NOT NULL CHECK (method IN ('PHONE', 'MESSAGE', 'VISIT', 'LETTER')),
    agent_unit_id uuid REFERENCES org_unit,
    outcome       text NOT NULL CHECK (outcome IN ('ANSWERED', 'NO_ANSWER', 'REFUSED', 'WRONG_NUMBER')),
    created_at    timestamptz NOT NULL DEFAULT now(),
    recorded_by   text NOT NULL DEFAULT current_user
);
CREATE INDEX callback_attempt_claim ON callback_attempt (claim_id, at);

CREATE TABLE feedback (
    id             uuid PRIMARY KEY,
    claim_id       uuid NOT NULL REFERENCES claim ON DELETE CASCADE,
    issue_id       uuid NOT NULL REFERENCES issue ON DELETE CASCADE,
    reporter_pid   uuid,
    resolved       text NOT NULL CHECK (resolved IN ('YES', 'PARTLY', 'NO')),
    satisfaction   int CHECK (satisfaction BETWEEN 1 AND 5),
    pressured      text NOT NULL DEFAULT 'UNSAID' CHECK (pressured IN ('YES', 'NO', 'UNSAID')),
    collected_by   text NOT NULL CHECK (collected_by IN ('SELF', 'INDEPENDENT', 'HANDLER')),
    collected_unit_id uuid REFERENCES org_unit,
    comment        text,
    at             timestamptz NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    recorded_by    text NOT NULL DEFAULT current_user
);
CREATE INDEX feedback_issue ON feedback (issue_id, at);
CREATE INDEX feedback_claim ON feedback (claim_id);

-- The one who handled it never collects the verdict: a unit that ever had the issue makes no independent call about it.
-- +goose StatementBegin
CREATE FUNCTION refuse_verdict_of_handler(issue uuid, unit uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM issue_event e WHERE e.issue_id = issue AND e.lead_unit_id = unit) THEN
        RAISE EXCEPTION 'unit % handled issue %: another unit collects the verdict', unit, issue USING ERRCODE = 'check_violation';
    END IF;
END $$;

CREATE FUNCTION feedback_independent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_verdict_of_handler(NEW.issue_id, NEW.collected_unit_id);
    RETURN NEW;
END $$;

CREATE FUNCTION callback_independent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_verdict_of_handler(c.issue_id, NEW.agent_unit_id) FROM claim c WHERE c.id = NEW.claim_id;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER feedback_independent BEFORE INSERT OR UPDATE ON feedback FOR EACH ROW
    WHEN (NEW.collected_by = 'INDEPENDENT') EXECUTE FUNCTION feedback_independent();
CREATE TRIGGER callback_independent BEFORE INSERT OR UPDATE ON callback_attempt FOR EACH ROW EXECUTE FUNCTION callback_independent();

-- Identities: apart from all else, never replicated. ---------------------------------------------------------------

CREATE SCHEMA vault;
CREATE TABLE vault.reporter (
    pid          uuid PRIMARY KEY,
    source       text NOT NULL,
    external_key text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source, external_key)
);
COMMENT ON TABLE vault.reporter IS 'Which account of which source stands behind a pseudonym.';

-- +goose Down
SELECT 1 / 0; -- forward only
