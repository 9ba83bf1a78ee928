-- A privacy officer who is bound to regions reads the identities of reporters there. The permissions said so; the door asked only for the role, so that
-- what the public may read elsewhere gave away who had said it.

-- +goose Up
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION vault.reporters_for(of_opinions uuid[]) RETURNS uuid[] LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    as_role text := coalesce(current_setting('groundwork.role', true), '');
    as_unit uuid := nullif(current_setting('groundwork.unit', true), '')::uuid;
    as_official uuid := nullif(current_setting('groundwork.official', true), '')::uuid;
    actor text := coalesce(current_setting('groundwork.actor', true), '');
    one record;
BEGIN
    IF as_role NOT IN ('INTAKE', 'HANDLER', 'UNIT_HEAD', 'LEADER', 'CALLER', 'PRIVACY_OFFICER') THEN
        RAISE EXCEPTION 'identities are not for role %', as_role USING ERRCODE = 'insufficient_privilege';
    END IF;
    FOR one IN
        SELECT o.id, o.confidentiality, o.recorded_by, coalesce(o.region_id, i.region_id) AS place, i.id AS issue, i.state, post.official_id AS carrier
        FROM opinion o LEFT JOIN issue_opinion link ON link.opinion_id = o.id LEFT JOIN issue i ON i.id = link.issue_id
        LEFT JOIN post_holding post ON post.id = i.carrying_post_id
        WHERE o.id = ANY (of_opinions)
    LOOP
        IF one.confidentiality = 'CONFIDENTIAL' THEN
            RAISE EXCEPTION 'opinion % was given in confidence: its reporter stays unknown', one.id USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF as_role = 'PRIVACY_OFFICER' AND NOT access.reaches(one.place) THEN
            RAISE EXCEPTION 'opinion % lies outside of what % reaches', one.id, actor USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF as_role <> 'PRIVACY_OFFICER' AND NOT coalesce(CASE as_role
            WHEN 'INTAKE' THEN one.recorded_by = actor AND one.state IS DISTINCT FROM 'CLOSED'
            WHEN 'LEADER' THEN one.carrier = as_official AND one.state NOT IN ('CLOSED', 'MERGED')
            WHEN 'CALLER' THEN one.state = 'CLAIMED' AND NOT EXISTS (SELECT FROM dispatch_leg l WHERE l.issue_id = one.issue AND l.unit_id = as_unit)
            ELSE one.state NOT IN ('CLOSED', 'MERGED')
                AND EXISTS (SELECT FROM dispatch_leg l WHERE l.issue_id = one.issue AND l.unit_id = as_unit AND l.returned_at IS NULL)
            END, false) THEN
            RAISE EXCEPTION 'opinion % is not handled by % now', one.id, actor USING ERRCODE = 'insufficient_privilege';
        END IF;
    END LOOP;
    RETURN ARRAY(SELECT DISTINCT o.reporter_pid FROM opinion o WHERE o.id = ANY (of_opinions) AND o.reporter_pid IS NOT NULL);
END $$;
-- +goose StatementEnd

-- +goose Down
SELECT 1 / 0; -- forward only
