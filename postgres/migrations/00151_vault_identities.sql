-- Who a reporter or an official is: encrypted by the program with a key that is not in the database, in tables that groundwork_vault alone
-- reads, behind doors. A door that reads asks why, holds who may, and leaves an entry in the audit in the same transaction: nothing is read
-- that is not logged. The log of accesses is the audit itself, so it is sealed and verified with it.

-- +goose Up
CREATE TABLE vault.identity (
    pid         uuid PRIMARY KEY,
    key_id      bytea NOT NULL CHECK (length(key_id) = 8),
    box         bytea NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX identity_key ON vault.identity (key_id);
COMMENT ON TABLE vault.identity IS 'Name, phone, e-mail, identity number and address of a reporter, AES-256-GCM over JSON; bound to the pid.';
COMMENT ON COLUMN vault.identity.key_id IS 'Which of the keys of --vault-key it is encrypted with.';

CREATE TABLE vault.official_identity (
    official_id uuid PRIMARY KEY REFERENCES official,
    key_id      bytea NOT NULL CHECK (length(key_id) = 8),
    box         bytea NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX official_identity_key ON vault.official_identity (key_id);

SELECT audit.watch('vault.identity', 'pid');
SELECT audit.watch('vault.official_identity', 'official_id');

-- Reading is audited too. No trigger sees it, so the doors say it.
ALTER TABLE audit.entry DROP CONSTRAINT entry_action_check;
ALTER TABLE audit.entry ADD CONSTRAINT entry_action_check CHECK (action IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'READ'));

CREATE VIEW vault.access_log AS
    SELECT id, at, actor, role, unit, official, request, address, purpose, action, noun, keys FROM audit.entry
    WHERE noun IN ('vault.identity', 'vault.official_identity');
COMMENT ON VIEW vault.access_log IS 'Who wrote and read identities, when, why and from where: entries of the audit.';

-- +goose StatementBegin
CREATE FUNCTION audit.note_read(read_noun text, why text, keys text[]) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO audit.entry (actor, role, unit, official, request, address, operation, purpose, action, noun, affected, keys)
    VALUES (coalesce(nullif(current_setting('groundwork.actor', true), ''), session_user), coalesce(current_setting('groundwork.role', true), ''),
        coalesce(current_setting('groundwork.unit', true), ''), coalesce(current_setting('groundwork.official', true), ''),
        coalesce(current_setting('groundwork.request', true), ''), coalesce(current_setting('groundwork.address', true), ''),
        coalesce(current_setting('groundwork.operation', true), ''), why, 'READ', read_noun, cardinality(keys), keys)
$$;

-- reporters_for says whose identities an actor may read of some opinions; it refuses where one is not for it. It runs with the rights of the
-- owner, so that what the actor cannot see is judged as well.
CREATE FUNCTION vault.reporters_for(of_opinions uuid[]) RETURNS uuid[] LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
        SELECT o.id, o.confidentiality, o.recorded_by, i.id AS issue, i.state, post.official_id AS carrier
        FROM opinion o LEFT JOIN issue_opinion link ON link.opinion_id = o.id LEFT JOIN issue i ON i.id = link.issue_id
        LEFT JOIN post_holding post ON post.id = i.carrying_post_id
        WHERE o.id = ANY (of_opinions)
    LOOP
        IF one.confidentiality = 'CONFIDENTIAL' THEN
            RAISE EXCEPTION 'opinion % was given in confidence: its reporter stays unknown', one.id USING ERRCODE = 'insufficient_privilege';
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

CREATE FUNCTION vault.purpose(why text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF length(trim(coalesce(why, ''))) < 8 THEN
        RAISE EXCEPTION 'a purpose says why, in 8 characters or more' USING ERRCODE = 'check_violation';
    END IF;
    RETURN trim(why);
END $$;

-- The doors.
CREATE FUNCTION vault.write_identity(whose uuid, with_key bytea, sealed bytea) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO vault.identity (pid, key_id, box) VALUES (whose, with_key, sealed)
    ON CONFLICT (pid) DO UPDATE SET key_id = excluded.key_id, box = excluded.box, updated_at = now()
$$;
CREATE FUNCTION vault.write_official(whose uuid, with_key bytea, sealed bytea) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO vault.official_identity (official_id, key_id, box) VALUES (whose, with_key, sealed)
    ON CONFLICT (official_id) DO UPDATE SET key_id = excluded.key_id, box = excluded.box, updated_at = now()
$$;

CREATE FUNCTION vault.read_identities(of_opinions uuid[], why text) RETURNS TABLE (pid uuid, key_id bytea, box bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE pids uuid[] := vault.reporters_for(of_opinions);
BEGIN
    PERFORM audit.note_read('vault.identity', vault.purpose(why), pids::text[] || of_opinions::text[]);
    RETURN QUERY SELECT v.pid, v.key_id, v.box FROM vault.identity v WHERE v.pid = ANY (pids) ORDER BY v.pid;
END $$;

CREATE FUNCTION vault.read_officials(whose uuid[], why text) RETURNS TABLE (official_id uuid, key_id bytea, box bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE as_role text := coalesce(current_setting('groundwork.role', true), '');
BEGIN
    IF as_role NOT IN ('SUPERVISOR', 'ASSESSOR', 'PRIVACY_OFFICER', 'SYSTEM') AND NOT whose <@ ARRAY[nullif(current_setting('groundwork.official', true), '')::uuid] THEN
        RAISE EXCEPTION 'names of officials are not for role %', as_role USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM audit.note_read('vault.official_identity', vault.purpose(why), whose::text[]);
    RETURN QUERY SELECT v.official_id, v.key_id, v.box FROM vault.official_identity v WHERE v.official_id = ANY (whose) ORDER BY v.official_id;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION audit.note_read(text, text, text[]), vault.reporters_for(uuid[]), vault.purpose(text), vault.write_identity(uuid, bytea, bytea), vault.write_official(uuid, bytea, bytea),
    vault.read_identities(uuid[], text), vault.read_officials(uuid[], text) FROM PUBLIC;

-- +goose Down
SELECT 1 / 0; -- forward only
