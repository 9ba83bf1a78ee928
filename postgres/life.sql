-- The lives of issues and of all other nouns, held by the database as well, for the API and the chores: what operators do at the command line is theirs. The
-- steps are the rows of groundwork.Lifecycle, without those that an import alone takes, and of the other machines. All is looked at when the transaction ends,
-- for a step writes several rows.

-- Issues -----------------------------------------------------------------------------------------------------------------

-- An event is a step that is permitted from there to that role, and of a unit's roles to the unit that leads (some also to one beside it); who claims, judges or
-- closes leaves behind what it was done by.
CREATE OR REPLACE FUNCTION access.issue_event_is_permitted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before issue_event;
    last claim;
    held boolean := true;
BEGIN
    IF NOT EXISTS (
        SELECT FROM (VALUES {{steps}}) AS step (kind, from_state, to_state, role, closure)
        WHERE step.kind = NEW.kind AND step.role = NEW.actor_role AND step.from_state IS NOT DISTINCT FROM NEW.from_state
            AND (step.closure IS NULL OR step.closure = NEW.closure_type)
            AND NEW.to_state = coalesce(step.to_state, CASE WHEN NEW.kind = 'UNMERGED'
                THEN (SELECT e.from_state FROM issue_event e WHERE e.issue_id = NEW.issue_id AND e.seq < NEW.seq AND e.kind = 'MERGED' ORDER BY e.seq DESC LIMIT 1) ELSE NEW.from_state END)
    ) THEN
        RAISE EXCEPTION 'issue_event: no step % leads % from % to % as % (issue %)', NEW.kind, NEW.actor_role, NEW.from_state, NEW.to_state, NEW.closure_type, NEW.issue_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM issue WHERE id = NEW.issue_id AND seq >= NEW.seq) THEN
        RAISE EXCEPTION 'issue_event: issue % did not take its step %', NEW.issue_id, NEW.seq USING ERRCODE = 'check_violation';
    END IF;
    SELECT * INTO before FROM issue_event WHERE issue_id = NEW.issue_id AND seq = NEW.seq - 1;
    held := CASE
        WHEN NEW.actor_role IN ('HANDLER', 'UNIT_HEAD') AND NEW.actor_unit_id IS DISTINCT FROM before.lead_unit_id THEN before.lead_unit_id IS NOT NULL AND NEW.kind IN ('ASKED', 'RESUMED', 'RESPONDED', 'FEEDBACK')
            AND EXISTS (SELECT FROM dispatch_leg l WHERE l.issue_id = NEW.issue_id AND l.unit_id = NEW.actor_unit_id AND l.returned_at IS NULL)
        WHEN NEW.kind = 'RETURNED' THEN before.return_count < 2
        WHEN NEW.kind = 'REOPENED' AND NEW.actor_role = 'CITIZEN' THEN NEW.at <= before.closed_at + interval '2160 hours' -- 90 days
        ELSE true
    END;
    IF held IS NOT TRUE THEN
        RAISE EXCEPTION 'issue_event: % of issue % by % of unit % is not theirs, or too late', NEW.kind, NEW.issue_id, NEW.actor_role, NEW.actor_unit_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.kind IN ('CLAIMED', 'CONFIRMED', 'DISPUTED', 'CLOSED') THEN
        SELECT * INTO last FROM claim WHERE issue_id = NEW.issue_id AND claimed_at <= NEW.at ORDER BY n DESC LIMIT 1;
        held := CASE
            WHEN NEW.kind = 'CLAIMED' THEN last.claimed_at = NEW.claimed_at
            WHEN NEW.kind IN ('CONFIRMED', 'DISPUTED') THEN EXISTS (SELECT FROM feedback f WHERE f.claim_id = last.id AND f.at = NEW.at AND f.collected_by <> 'HANDLER'
                AND (f.resolved = 'YES') = (NEW.kind = 'CONFIRMED'))
            WHEN NEW.closure_type = 'UNCONFIRMED' THEN 3 <= (SELECT count(*) FROM callback_attempt a WHERE a.claim_id = last.id)
            ELSE last.kind = NEW.closure_type AND last.reviewed_by IS NOT NULL
        END;
        IF held IS NOT TRUE THEN
            RAISE EXCEPTION 'issue_event: % of issue % as % stands on no claim, verdict, call or review', NEW.kind, NEW.issue_id, coalesce(NEW.closure_type, NEW.to_state)
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- An issue stands where its last event left it. Its due time moves with an event alone.
CREATE OR REPLACE FUNCTION access.issue_stands_as_its_history() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    stands issue;
    last issue_event;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.due_at IS DISTINCT FROM OLD.due_at AND NEW.seq = OLD.seq THEN
        RAISE EXCEPTION 'issue: the due time of issue % moves with an event alone', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    SELECT * INTO stands FROM issue WHERE id = NEW.id;
    SELECT * INTO last FROM issue_event WHERE issue_id = NEW.id ORDER BY seq DESC LIMIT 1;
    IF stands.id IS NOT NULL AND (stands.seq, stands.state, stands.closure_type, stands.origin_at, stands.first_response_at, stands.claimed_at, stands.resolved_at, stands.closed_at,
            stands.merged_into_id, stands.lead_unit_id, stands.paused_since, stands.paused_seconds, stands.return_count, stands.dispute_count, stands.reopen_count, stands.escalation_level,
            stands.opinion_count)
        IS DISTINCT FROM (last.seq, last.to_state, last.closure_type, last.origin_at, last.first_response_at, last.claimed_at, last.resolved_at, last.closed_at,
            last.merged_into_id, last.lead_unit_id, last.paused_since, last.paused_seconds, last.return_count, last.dispute_count, last.reopen_count, last.escalation_level,
            last.opinion_count) THEN
        RAISE EXCEPTION 'issue: issue % does not stand as its history says: an issue changes by events', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS issue_event_is_permitted ON issue_event;
CREATE CONSTRAINT TRIGGER issue_event_is_permitted AFTER INSERT ON issue_event DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user IN ('groundwork_app', 'groundwork_jobs')) EXECUTE FUNCTION access.issue_event_is_permitted();

DROP TRIGGER IF EXISTS issue_stands_as_its_history ON issue;
CREATE CONSTRAINT TRIGGER issue_stands_as_its_history AFTER INSERT OR UPDATE OF seq, state, closure_type, origin_at, first_response_at, claimed_at, resolved_at, closed_at, merged_into_id, lead_unit_id,
    paused_since, paused_seconds, return_count, dispute_count, reopen_count, escalation_level, opinion_count, due_at ON issue DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user IN ('groundwork_app', 'groundwork_jobs')) EXECUTE FUNCTION access.issue_stands_as_its_history();

-- All other nouns --------------------------------------------------------------------------------------------------------

-- The noun stands where its last event left it.
CREATE OR REPLACE FUNCTION access.stands_as_its_history(noun text, id uuid) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    stands record;
    last record;
BEGIN
    EXECUTE format('SELECT n.version, n.state FROM %I n WHERE n.id = $1', noun) INTO stands USING id;
    SELECT e.seq, e.to_state INTO last FROM entity_event e WHERE (e.noun, e.entity_id) = (stands_as_its_history.noun, stands_as_its_history.id) ORDER BY e.seq DESC LIMIT 1;
    RETURN (stands.version, stands.state) IS NOT DISTINCT FROM (last.seq, last.to_state);
END $$;

CREATE OR REPLACE FUNCTION access.entity_event_is_permitted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM (VALUES {{moves}}) AS move (noun, kind, from_state, to_state, role)
        WHERE (move.noun, move.kind, move.role) = (NEW.noun, NEW.kind, NEW.actor_role) AND move.from_state IS NOT DISTINCT FROM NEW.from_state
            AND NEW.to_state = coalesce(move.to_state, NEW.from_state)
    ) THEN
        RAISE EXCEPTION 'entity_event: no step % leads a % from % to % as % (%)', NEW.kind, NEW.noun, NEW.from_state, NEW.to_state, NEW.actor_role, NEW.entity_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT access.stands_as_its_history(NEW.noun, NEW.entity_id) THEN
        RAISE EXCEPTION 'entity_event: % % did not take its step %', NEW.noun, NEW.entity_id, NEW.seq USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION access.noun_stands_as_its_history() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT access.stands_as_its_history(TG_TABLE_NAME, NEW.id) THEN
        RAISE EXCEPTION '%: % does not stand as its history says: it changes by events', TG_TABLE_NAME, NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

-- Posts have no life of their own: what is withheld and shown again stands in events without a row that moves.
DROP TRIGGER IF EXISTS entity_event_is_permitted ON entity_event;
CREATE CONSTRAINT TRIGGER entity_event_is_permitted AFTER INSERT ON entity_event DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user IN ('groundwork_app', 'groundwork_jobs') AND NEW.noun <> 'discussion_post') EXECUTE FUNCTION access.entity_event_is_permitted();

DO $$
DECLARE
    noun text;
BEGIN
    FOREACH noun IN ARRAY '{{{nouns}}}'::text[] LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS %1$s_stands_as_its_history ON %1$I', noun);
        EXECUTE format('CREATE CONSTRAINT TRIGGER %1$s_stands_as_its_history AFTER INSERT OR UPDATE OF version, state ON %1$I DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
            WHEN (current_user IN (''groundwork_app'', ''groundwork_jobs'')) EXECUTE FUNCTION access.noun_stands_as_its_history()', noun);
    END LOOP;
END $$;
