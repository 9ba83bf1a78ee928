-- Every write leaves an entry that says who, when, why and from where, in the same transaction: made by triggers, so that no program can
-- forget it. Entries are sealed in batches afterwards (groundwork.AuditSeal), so writers wait for nobody: which entries a seal covers
-- follows from their transactions. No contents of rows stand here, only which rows they were.

-- +goose Up
CREATE SCHEMA audit;

CREATE TABLE audit.entry (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid       xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    login     text NOT NULL DEFAULT session_user,
    actor     text NOT NULL,
    role      text NOT NULL,
    unit      text NOT NULL,
    official  text NOT NULL,
    request   text NOT NULL,
    address   text NOT NULL,
    operation text NOT NULL,
    purpose   text NOT NULL,
    action    text NOT NULL CHECK (action IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')),
    noun      text NOT NULL CHECK (noun <> ''),
    affected  bigint NOT NULL CHECK (affected >= 0),
    keys      text[] NOT NULL
);
CREATE INDEX entry_xid ON audit.entry (xid);
CREATE INDEX entry_actor ON audit.entry (actor, id);
CREATE INDEX entry_key ON audit.entry ((keys[1]), id);
COMMENT ON COLUMN audit.entry.login IS 'The login of the database; actor says on whose behalf, as the API tells.';
COMMENT ON COLUMN audit.entry.keys IS 'Of the first hundred rows.';

CREATE TABLE audit.seal (
    n       bigint PRIMARY KEY CHECK (n >= 1),
    at      timestamptz NOT NULL,
    cluster bigint NOT NULL,
    upto    xid8 NOT NULL,
    restored boolean NOT NULL,
    entries bigint[] NOT NULL,
    digests bytea NOT NULL CHECK (length(digests) = 32 * cardinality(entries)),
    key_id  bytea NOT NULL CHECK (length(key_id) = 8),
    mac     bytea NOT NULL CHECK (length(mac) = 32)
);
CREATE INDEX seal_entries ON audit.seal USING gin (entries);
COMMENT ON COLUMN audit.seal.cluster IS 'System identifier: transactions are counted anew where a dump is restored.';
COMMENT ON COLUMN audit.seal.upto IS 'Entries of earlier transactions are in this seal or one before it.';
COMMENT ON COLUMN audit.seal.restored IS 'Some seal was made on another server: which entries are sealed does not follow from their transactions alone.';
COMMENT ON COLUMN audit.seal.mac IS 'HMAC over all of the seal and the mac before it. Its key is not in the database.';

-- +goose StatementBegin
CREATE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit.% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- note writes one entry for a statement that changed rows. Its arguments are the columns of the table's key.
CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    affected bigint := 0;
    keys text[] := '{}';
BEGIN
    IF TG_OP <> 'TRUNCATE' THEN
        SELECT count(*) INTO affected FROM changed;
        IF affected = 0 THEN
            RETURN NULL;
        END IF;
        IF TG_NARGS = 1 THEN
            keys := ARRAY(SELECT to_jsonb(c) ->> TG_ARGV[0] FROM changed c LIMIT 100);
        ELSE
            keys := ARRAY(SELECT array_to_string(ARRAY(SELECT record ->> part FROM unnest(TG_ARGV) AS part), '/')
                FROM (SELECT to_jsonb(c) AS record FROM changed c LIMIT 100) first);
        END IF;
    END IF;
    INSERT INTO audit.entry (actor, role, unit, official, request, address, operation, purpose, action, noun, affected, keys)
    VALUES (coalesce(nullif(current_setting('groundwork.actor', true), ''), session_user), coalesce(current_setting('groundwork.role', true), ''),
        coalesce(current_setting('groundwork.unit', true), ''), coalesce(current_setting('groundwork.official', true), ''),
        coalesce(current_setting('groundwork.request', true), ''), coalesce(current_setting('groundwork.address', true), ''),
        coalesce(current_setting('groundwork.operation', true), ''), coalesce(current_setting('groundwork.purpose', true), ''),
        TG_OP, CASE TG_TABLE_SCHEMA WHEN 'public' THEN '' ELSE TG_TABLE_SCHEMA || '.' END || TG_TABLE_NAME, affected, keys);
    RETURN NULL;
END $$;

-- watch has every write to a table noted. A migration that makes a table says SELECT audit.watch('table', VARIADIC '{key columns}').
CREATE FUNCTION audit.watch(watched regclass, VARIADIC key_columns text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    arguments text := (SELECT string_agg(quote_literal(c), ', ') FROM unnest(key_columns) c);
BEGIN
    EXECUTE format('CREATE TRIGGER audit_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION audit.note(%s)', watched, arguments);
    EXECUTE format('CREATE TRIGGER audit_update AFTER UPDATE ON %s REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION audit.note(%s)', watched, arguments);
    EXECUTE format('CREATE TRIGGER audit_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION audit.note(%s)', watched, arguments);
    EXECUTE format('CREATE TRIGGER audit_truncate AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION audit.note(%s)', watched, arguments);
END $$;
REVOKE ALL ON FUNCTION audit.watch(regclass, text[]) FROM PUBLIC;
-- +goose StatementEnd

CREATE TRIGGER entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.entry FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER seal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.seal FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();

-- All tables but those that only repeat others: what is derived from events (dispatch_leg, clock_spell), receipts of requests, parts of loads.
SELECT audit.watch(t.name::regclass, VARIADIC t.keys) FROM (VALUES
    ('region', '{id}'::text[]), ('region_population', '{region_id,year}'), ('site', '{id}'), ('calendar_day', '{date}'), ('category', '{id}'),
    ('org_unit', '{id}'), ('dispatch_rule', '{id}'), ('official', '{id}'), ('post_holding', '{id}'), ('target_version', '{id}'),
    ('visit', '{id}'), ('visit_participant', '{visit_id,post_id}'), ('attestation', '{id}'), ('rota_plan', '{id}'), ('rota_slot', '{id}'),
    ('opinion', '{id}'), ('issue', '{id}'), ('issue_opinion', '{issue_id,opinion_id}'), ('issue_event', '{issue_id,seq}'), ('claim', '{id}'),
    ('callback_attempt', '{id}'), ('feedback', '{id}'), ('entity_event', '{entity_id,seq}'), ('notification', '{id}'), ('evidence_file', '{sha256}'),
    ('campaign', '{id}'), ('campaign_region', '{campaign_id,region_id}'), ('campaign_criterion', '{campaign_id,n}'),
    ('campaign_result', '{campaign_id,review,n}'), ('campaign_task', '{id}'), ('campaign_issue', '{id}'),
    ('policy', '{id}'), ('policy_change', '{id}'), ('policy_version', '{id}'), ('policy_rollout', '{policy_change_id,region_id}'),
    ('evidence_link', '{id}'), ('policy_evaluation', '{policy_change_id}'),
    ('role_binding', '{id}'), ('api_key', '{id}'), ('displacement_key', '{one}'), ('import_batch', '{id}'), ('bulk_load', '{id}'),
    ('vault.reporter', '{pid}'), ('etl.pause', '{pipeline}')
) AS t (name, keys);

-- +goose Down
SELECT 1 / 0; -- forward only
