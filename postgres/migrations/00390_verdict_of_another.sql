-- Nobody judges a claim of one's own: a verdict that confirms or disputes, and the call for it, come from another account than the claim. The unit alone did not hold
-- that: an account may act for several units. What operators load in the name of many (simulate, import) has one account for all, and is not looked at.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION claim_judged_by_another() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.recorded_by <> 'anonymous' AND EXISTS (SELECT FROM claim c WHERE c.id = NEW.claim_id AND c.recorded_by = NEW.recorded_by) THEN
        RAISE EXCEPTION '% made claim %: somebody else collects the verdict', NEW.recorded_by, NEW.claim_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER claim_judged_by_another BEFORE INSERT OR UPDATE OF claim_id, collected_by ON feedback FOR EACH ROW
    WHEN (NEW.collected_by <> 'HANDLER' AND current_user IN ('groundwork_app', 'groundwork_jobs')) EXECUTE FUNCTION claim_judged_by_another();
CREATE TRIGGER claim_judged_by_another BEFORE INSERT OR UPDATE OF claim_id ON callback_attempt FOR EACH ROW
    WHEN (current_user IN ('groundwork_app', 'groundwork_jobs')) EXECUTE FUNCTION claim_judged_by_another();

-- +goose Down
SELECT 1 / 0; -- forward only
