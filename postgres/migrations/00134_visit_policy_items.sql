-- Which version of a policy was talked of at a visit, how many questions were asked about it, and how many were answered: what measure F1 asks of
-- a visit that propagates policy.

-- +goose Up
CREATE TABLE visit_policy_item (
    -- as visit
    id                uuid PRIMARY KEY,
    visit_id          uuid NOT NULL REFERENCES visit,
    policy_version_id uuid NOT NULL REFERENCES policy_version,
    questions_asked   int NOT NULL CHECK (questions_asked >= 0),
    answered          int NOT NULL CHECK (answered >= 0),
    created_at        timestamptz NOT NULL DEFAULT now(),
    recorded_by       text NOT NULL DEFAULT current_user,
    CONSTRAINT visit_policy_item_once UNIQUE (visit_id, policy_version_id),
    CONSTRAINT visit_policy_item_answered CHECK (answered <= questions_asked)
);

-- +goose StatementBegin
CREATE FUNCTION visit_policy_item_fits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM visit v, policy_version p WHERE v.id = NEW.visit_id AND p.id = NEW.policy_version_id AND v.state IN ('HELD', 'RECORDED')
        AND day_begins(p.effective_from) <= v.ended_at) THEN
        RAISE EXCEPTION 'visit_policy_item: visit % was held and is not closed out, and the policy was in effect', NEW.visit_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER visit_policy_item_fits BEFORE INSERT ON visit_policy_item FOR EACH ROW EXECUTE FUNCTION visit_policy_item_fits();
CREATE TRIGGER visit_policy_item_append_only BEFORE UPDATE OR DELETE ON visit_policy_item FOR EACH ROW EXECUTE FUNCTION is_append_only();

SELECT audit.watch('visit_policy_item', 'id');

ALTER PUBLICATION groundwork ADD TABLE visit_policy_item (id, visit_id, policy_version_id, questions_asked, answered, created_at);

-- +goose Down
SELECT 1 / 0; -- forward only
