-- With its campaign ends that an issue is part of it: an issue that stays open may join the next. And the versions of a policy follow each other: a new one that
-- begins before an earlier one would never hold, or hold until that one comes.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION campaign_lets_issues_go() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE campaign_issue SET left_at = greatest(NEW.ended_at, joined_at) WHERE campaign_id = NEW.id AND left_at IS NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION policy_version_follows() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM policy_version v WHERE v.policy_id = NEW.policy_id AND v.n <> NEW.n AND (v.n < NEW.n) <> (v.effective_from < NEW.effective_from)
        AND v.effective_from <> NEW.effective_from) THEN -- two on one day: policy_version_day
        RAISE EXCEPTION 'policy_version: version % of policy % does not begin between those before and after it', NEW.n, NEW.policy_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER campaign_lets_issues_go AFTER UPDATE OF state ON campaign FOR EACH ROW WHEN (NEW.state IN ('EXITED', 'FAILED')) EXECUTE FUNCTION campaign_lets_issues_go();
CREATE TRIGGER policy_version_follows BEFORE INSERT OR UPDATE OF effective_from ON policy_version FOR EACH ROW EXECUTE FUNCTION policy_version_follows();

UPDATE campaign_issue link SET left_at = greatest(c.ended_at, link.joined_at) FROM campaign c
    WHERE c.id = link.campaign_id AND c.state IN ('EXITED', 'FAILED') AND link.left_at IS NULL;

-- +goose Down
SELECT 1 / 0; -- forward only
