-- A post that abuses somebody is withheld: its words are no longer shown, that it was said and why it is withheld are; the record keeps it, and it may be
-- shown again. And who has a turn of a rota gets no second one over the same days by a later version of the plan, whoever writes.

-- +goose Up
ALTER TABLE discussion_post
    ADD COLUMN withheld_at timestamptz,
    ADD COLUMN withheld_reason text CHECK (length(trim(withheld_reason)) >= 8),
    ADD CHECK ((withheld_at IS NULL) = (withheld_reason IS NULL));
COMMENT ON COLUMN discussion_post.withheld_reason IS 'Why, in words for everybody. By whom stands in entity_event.';

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION discussion_post_stays() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    kept discussion_post := OLD;
BEGIN
    IF NEW.recorded_by = 'erased' AND OLD.author_role = 'CITIZEN' THEN
        kept.recorded_by := NEW.recorded_by;
    END IF;
    kept.withheld_at := NEW.withheld_at;
    kept.withheld_reason := NEW.withheld_reason;
    IF NEW IS DISTINCT FROM kept THEN
        RAISE EXCEPTION 'discussion_post is append-only' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.withheld_at IS NOT NULL AND NEW.withheld_at IS NOT NULL AND NEW IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'discussion_post %: it is withheld already', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- A question that is withheld waits for no answer.
CREATE OR REPLACE FUNCTION discussion_goes_on() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.state = 'CLOSED' THEN
        RAISE EXCEPTION 'discussion %: it is closed', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF ROW(OLD.visit_id, OLD.region_id, OLD.topic, OLD.opened_at) IS DISTINCT FROM ROW(NEW.visit_id, NEW.region_id, NEW.topic, NEW.opened_at) THEN
        RAISE EXCEPTION 'discussion %: what is discussed, where and since when stays', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state = 'CLOSED' AND EXISTS (SELECT FROM discussion_post q WHERE q.discussion_id = NEW.id AND q.kind = 'QUESTION' AND q.withheld_at IS NULL
        AND NOT EXISTS (SELECT FROM discussion_post a WHERE a.reply_to_id = q.id AND a.kind = 'ANSWER')) THEN
        RAISE EXCEPTION 'discussion %: questions have no answer', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- Plans of one name in one region are versions of one rota. While a turn of a post is open it gets no other that overlaps it, and none over the days of one that
-- it has had. Whoever makes slots of a rota waits for who does.
CREATE FUNCTION rota_slot_is_no_second_turn() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM rota_plan first WHERE first.version = 1 AND (first.region_id, first.name) = (SELECT p.region_id, p.name FROM rota_plan p WHERE p.id = NEW.plan_id) FOR UPDATE;
    IF EXISTS (SELECT FROM rota_plan mine JOIN rota_plan version ON version.region_id = mine.region_id AND version.name = mine.name
            JOIN rota_slot s ON s.plan_id = version.id AND s.post_id = NEW.post_id
            WHERE mine.id = NEW.plan_id AND s.id <> NEW.id AND (s.state = 'OPEN' AND s.window_from < NEW.window_to AND s.window_to > NEW.window_from
                OR s.state <> 'SWAPPED' AND (s.window_from, s.window_to) = (NEW.window_from, NEW.window_to))) THEN
        RAISE EXCEPTION 'rota_slot: post % has a turn of this rota between % and % already', NEW.post_id, NEW.window_from, NEW.window_to USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER rota_slot_is_no_second_turn BEFORE INSERT ON rota_slot FOR EACH ROW WHEN (NEW.state <> 'SWAPPED') EXECUTE FUNCTION rota_slot_is_no_second_turn();

-- Evidence is read by those who reach the issue, or the task, that names it.
CREATE INDEX claim_evidence ON claim USING gin (evidence) WHERE evidence <> '{}';
CREATE INDEX campaign_task_evidence ON campaign_task USING gin (evidence) WHERE evidence <> '{}';

-- +goose Down
SELECT 1 / 0; -- forward only
