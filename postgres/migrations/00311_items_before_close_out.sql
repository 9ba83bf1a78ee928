-- What policies were talked of on a visit is noted before the visit is closed out. A load brings visits that are closed out already together with
-- their items: then the time of the item decides.

-- +goose Up
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION visit_policy_item_fits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM visit v, policy_version p WHERE v.id = NEW.visit_id AND p.id = NEW.policy_version_id AND day_begins(p.effective_from) <= v.ended_at
        AND (v.state IN ('HELD', 'RECORDED') OR v.state = 'CLOSED_OUT' AND EXISTS (SELECT FROM entity_event e
            WHERE (e.noun, e.entity_id, e.to_state) = ('visit', v.id, 'CLOSED_OUT') AND e.at >= NEW.created_at))) THEN
        RAISE EXCEPTION 'visit_policy_item: visit % was held and is not closed out, and the policy was in effect', NEW.visit_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- +goose Down
SELECT 1 / 0; -- forward only
