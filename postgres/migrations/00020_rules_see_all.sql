-- The rules of campaigns and policies look at rows that whoever writes may not see (row-level security): a criterion that is hidden
-- from somebody must still be met. So they run with the rights of the owner, on a fixed search path.

-- +goose Up
ALTER FUNCTION unit_within(uuid, uuid) SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION campaign_keeps_its_word() SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION campaign_parts_frozen() SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION campaign_result_follows() SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION policy_change_keeps_its_word() SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION policy_change_has_evidence() SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION policy_rollout_comes_after() SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION evidence_link_stays() SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION policy_evaluation_from_outside() SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION policy_version_immutable() SECURITY DEFINER SET search_path = public, pg_temp;

-- +goose Down
SELECT 1 / 0; -- forward only
