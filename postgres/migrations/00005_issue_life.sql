-- The rest of an issue's own life: which units had it (dispatch_leg), what was promised (target_version), how its clocks ran
-- (clock_spell), what time brings next (issue.next_due_at), and who is told of it (notification).

-- +goose Up
ALTER TABLE issue_event DROP CONSTRAINT issue_event_kind_check;
ALTER TABLE issue_event ADD CONSTRAINT issue_event_kind_check CHECK (kind IN ('REGISTERED', 'LINKED', 'DISPATCHED', 'ACCEPTED', 'RETURNED',
    'CARRIED', 'ASKED', 'RESUMED', 'PLAN_PROPOSED', 'PLANNED', 'UNPLANNED', 'RESPONDED', 'CLAIMED', 'CALLED_BACK', 'FEEDBACK', 'CONFIRMED',
    'DISPUTED', 'CLOSED', 'WITHDRAWN', 'MERGED', 'UNMERGED', 'REOPENED', 'ESCALATED', 'CORRECTED')) NOT VALID;

-- What is promised for a category (with everything below) and a severity. A version never changes: a better one follows.
-- reference data: everybody reads it
CREATE TABLE target_version (
    id                 uuid PRIMARY KEY,
    category_id        uuid REFERENCES category,
    severity           text NOT NULL CHECK (severity IN ('LOW', 'NORMAL', 'HIGH', 'URGENT')),
    ack_minutes        int NOT NULL CHECK (ack_minutes BETWEEN 1 AND resolution_minutes),
    response_minutes   int NOT NULL CHECK (response_minutes BETWEEN 1 AND resolution_minutes),
    resolution_minutes int NOT NULL,
    time_base          text NOT NULL CHECK (time_base IN ('WALL', 'WORKING')),
    published_at       timestamptz NOT NULL,
    valid_from         timestamptz NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    recorded_by        text NOT NULL DEFAULT current_user,
    CHECK (valid_from >= published_at), -- no promise is made for the past
    UNIQUE NULLS NOT DISTINCT (category_id, severity, valid_from)
);
CREATE INDEX target_version_valid ON target_version (valid_from DESC, id DESC);
COMMENT ON COLUMN target_version.category_id IS 'Null = all categories that have no target of their own.';

-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% never changes: add another version', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER target_version_stays BEFORE UPDATE OR DELETE ON target_version FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The time of an issue with one unit; derived from issue_event.
-- region: (SELECT i.region_id FROM issue i WHERE i.id = issue_id); unit: unit_id
CREATE TABLE dispatch_leg (
    issue_id      uuid NOT NULL REFERENCES issue ON DELETE CASCADE,
    n             int NOT NULL CHECK (n >= 1),
    unit_id       uuid NOT NULL REFERENCES org_unit,
    role          text NOT NULL CHECK (role IN ('LEAD', 'CO')),
    sent_at       timestamptz NOT NULL,
    ack_due_at    timestamptz,
    accepted_at   timestamptz CHECK (accepted_at >= sent_at),
    returned_at   timestamptz CHECK (returned_at >= sent_at),
    return_reason text CHECK (return_reason IN ('NOT_OUR_DUTY', 'WRONG_REGION', 'NEEDS_JOINT', 'MISSING_FACTS')),
    PRIMARY KEY (issue_id, n),
    CHECK (accepted_at IS NULL OR returned_at IS NULL),
    CHECK ((returned_at IS NULL) = (return_reason IS NULL))
);
CREATE INDEX dispatch_leg_unit ON dispatch_leg (unit_id, issue_id);

-- How an issue's clocks ran and stood still; derived from issue_event.
-- region: (SELECT i.region_id FROM issue i WHERE i.id = issue_id)
CREATE TABLE clock_spell (
    issue_id   uuid NOT NULL REFERENCES issue ON DELETE CASCADE,
    clock      text NOT NULL CHECK (clock IN ('GROSS', 'NET')),
    n          int NOT NULL CHECK (n >= 1),
    state      text NOT NULL CHECK (state IN ('RUNNING', 'PAUSED')),
    started_at timestamptz NOT NULL,
    ended_at   timestamptz CHECK (ended_at >= started_at), -- no clock runs backwards
    reason     text NOT NULL,
    PRIMARY KEY (issue_id, clock, n),
    CHECK (clock = 'NET' OR n = 1 AND state = 'RUNNING') -- the gross clock never stops and never resets
);

ALTER TABLE issue
    ADD COLUMN target_version_id uuid REFERENCES target_version,
    ADD COLUMN response_due_at   timestamptz,
    ADD COLUMN carrying_post_id  uuid REFERENCES post_holding,
    ADD COLUMN next_due_at       timestamptz,
    ADD COLUMN next_due_kind     text CHECK (next_due_kind IN ('ACCEPT', 'RESUME', 'REVIEW', 'UNCONFIRMED', 'ESCALATE')),
    ADD CHECK ((next_due_at IS NULL) = (next_due_kind IS NULL));
CREATE INDEX issue_next_due ON issue (next_due_at) WHERE next_due_at IS NOT NULL;
CREATE INDEX issue_carrying_post ON issue (carrying_post_id) WHERE carrying_post_id IS NOT NULL;
COMMENT ON COLUMN issue.due_at IS 'When resolution is due, as the target in force at the origin says; of an import, as its source says. Null = nothing was promised.';
COMMENT ON COLUMN issue.next_due_at IS 'When time brings the next step; every step keeps it. Null = nothing is to come.';

-- What was there before gets its legs and spells. Pauses are told by the events after which they ran and ended.
INSERT INTO dispatch_leg (issue_id, n, unit_id, role, sent_at, accepted_at, returned_at, return_reason)
SELECT issue_id, row_number() OVER (PARTITION BY issue_id ORDER BY seq), (payload->>'unit')::uuid, 'LEAD', at,
    CASE WHEN next_kind = 'ACCEPTED' THEN next_at END, CASE WHEN next_kind = 'RETURNED' THEN next_at END, CASE WHEN next_kind = 'RETURNED' THEN next_reason END
FROM (SELECT *, lead(kind) OVER w AS next_kind, lead(at) OVER w AS next_at, lead(payload->>'return_reason') OVER w AS next_reason
      FROM issue_event WHERE kind IN ('DISPATCHED', 'ACCEPTED', 'RETURNED') WINDOW w AS (PARTITION BY issue_id ORDER BY seq)) e
WHERE kind = 'DISPATCHED';

WITH ended AS (
    SELECT i.id, i.origin_at, coalesce(i.closed_at, (SELECT max(m.at) FROM issue_event m WHERE m.issue_id = i.id AND m.kind = 'MERGED' AND i.state = 'MERGED')) AS at
    FROM issue i
), change AS (
    SELECT issue_id, seq, 0 AS part, (payload->>'paused_until')::timestamptz AS at, 'RUNNING' AS state, kind FROM issue_event WHERE payload ? 'paused_until'
    UNION ALL
    SELECT issue_id, seq, 1, paused_since, 'PAUSED', kind
    FROM (SELECT *, lag(paused_since) OVER (PARTITION BY issue_id ORDER BY seq) AS before FROM issue_event) e
    WHERE paused_since IS NOT NULL AND paused_since IS DISTINCT FROM before
    UNION ALL
    SELECT id, 0, 0, origin_at, 'RUNNING', 'REGISTERED' FROM issue
)
INSERT INTO clock_spell (issue_id, clock, n, state, started_at, ended_at, reason)
SELECT id, 'GROSS', 1, 'RUNNING', origin_at, at, 'REGISTERED' FROM ended
UNION ALL
SELECT c.issue_id, 'NET', row_number() OVER w, c.state, c.at, coalesce(lead(c.at) OVER w, e.at), c.kind
FROM change c JOIN ended e ON e.id = c.issue_id
WINDOW w AS (PARTITION BY c.issue_id ORDER BY c.seq, c.part);

-- Who is told of what time and people brought about. A row is told once; whoever it is for marks it as read.
-- region: region_id; unit: to_unit_id; own: to_account
CREATE TABLE notification (
    id         uuid PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('ESCALATED', 'URGED_TO_WITHDRAW', 'PLAN_PROPOSED', 'PLAN_ENDED', 'AUTO_ACCEPTED')),
    issue_id   uuid NOT NULL REFERENCES issue ON DELETE CASCADE,
    issue_seq  int NOT NULL,
    region_id  uuid REFERENCES region,
    to_role    text NOT NULL,
    to_unit_id uuid REFERENCES org_unit,
    to_rank    text CHECK (to_rank IN ('PROVINCIAL', 'PREFECTURE', 'COUNTY', 'TOWNSHIP', 'SECTION')),
    reason     text,
    at         timestamptz NOT NULL,
    read_at    timestamptz CHECK (read_at >= at),
    read_by    text,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (issue_id, issue_seq, kind), -- an event is told once
    CHECK ((read_at IS NULL) = (read_by IS NULL))
);
CREATE INDEX notification_to ON notification (to_role, at DESC, id DESC);
CREATE INDEX notification_unit ON notification (to_unit_id, at DESC, id DESC) WHERE to_unit_id IS NOT NULL;
COMMENT ON COLUMN notification.to_unit_id IS 'Null = whoever has the role for the region.';

-- Separation of duty, whoever writes. ---------------------------------------------------------------------------------

-- A unit that had the issue, as lead or beside it, makes no independent call about it.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refuse_verdict_of_handler(issue uuid, unit uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM issue_event e WHERE e.issue_id = issue AND e.lead_unit_id = unit)
        OR EXISTS (SELECT FROM dispatch_leg l WHERE l.issue_id = issue AND l.unit_id = unit) THEN
        RAISE EXCEPTION 'unit % handled issue %: another unit collects the verdict', unit, issue USING ERRCODE = 'check_violation';
    END IF;
END $$;

-- A plan is proposed by one account and approved by another.
CREATE FUNCTION issue_event_plan_of_two() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE proposed issue_event;
BEGIN
    SELECT * INTO proposed FROM issue_event WHERE issue_id = NEW.issue_id AND kind = 'PLAN_PROPOSED' ORDER BY seq DESC LIMIT 1;
    IF proposed.actor IS NULL OR proposed.actor = NEW.actor OR NEW.actor_role <> 'SUPERVISOR' OR proposed.actor_role <> 'UNIT_HEAD' THEN
        RAISE EXCEPTION 'issue %: a plan is proposed by a unit head and approved by a supervisor of another account', NEW.issue_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- From severity HIGH on a claim bears the unit head's own signature.
CREATE FUNCTION claim_is_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.signed_by IS NULL AND EXISTS (SELECT FROM issue i WHERE i.id = NEW.issue_id AND i.severity IN ('HIGH', 'URGENT')) THEN
        RAISE EXCEPTION 'issue % is grave: its claim is signed by the unit head', NEW.issue_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- Nothing comes back to itself through mergers.
CREATE FUNCTION issue_merger_acyclic() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        WITH RECURSIVE onward AS (
            SELECT NEW.merged_into_id AS id
            UNION SELECT i.merged_into_id FROM issue i JOIN onward ON i.id = onward.id WHERE i.merged_into_id IS NOT NULL
        ) SELECT FROM onward WHERE id = NEW.id
    ) THEN
        RAISE EXCEPTION 'issue % would be merged into itself', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER issue_event_plan_of_two BEFORE INSERT ON issue_event FOR EACH ROW WHEN (NEW.kind = 'PLANNED') EXECUTE FUNCTION issue_event_plan_of_two();
CREATE TRIGGER claim_is_signed BEFORE INSERT ON claim FOR EACH ROW WHEN (NEW.source = 'groundwork') EXECUTE FUNCTION claim_is_signed();
CREATE TRIGGER issue_merger_acyclic AFTER UPDATE OF merged_into_id ON issue FOR EACH ROW
    WHEN (NEW.merged_into_id IS NOT NULL) EXECUTE FUNCTION issue_merger_acyclic();
ALTER TABLE claim ADD CONSTRAINT claim_reviewed_by_another CHECK (reviewed_by <> recorded_by) NOT VALID;

-- What leaves for the warehouse.
ALTER PUBLICATION groundwork DROP TABLE issue;
ALTER PUBLICATION groundwork ADD TABLE
    issue (id, public_ref, category_id, severity, difficulty, kind, channel, region_id, site_id, source_visit_id, due_at, observed_until,
           seq, state, closure_type, origin_at, first_response_at, claimed_at, resolved_at, closed_at, merged_into_id, lead_unit_id,
           paused_since, paused_seconds, return_count, dispute_count, reopen_count, escalation_level, opinion_count, updated_at, created_at,
           target_version_id, response_due_at, carrying_post_id),
    target_version (id, category_id, severity, ack_minutes, response_minutes, resolution_minutes, time_base, published_at, valid_from, created_at),
    dispatch_leg (issue_id, n, unit_id, role, sent_at, ack_due_at, accepted_at, returned_at, return_reason),
    clock_spell (issue_id, clock, n, state, started_at, ended_at, reason);

-- +goose Down
SELECT 1 / 0; -- forward only
