-- The replication learns of a changed table only with its next row, and of some changes never: a table that leaves the publication and
-- comes back, a column whose values are computed anew (ALTER COLUMN … USING), two columns that swap their names. Each would leave the
-- warehouse wrong in silence. Event triggers therefore write every change of what is published into the stream, at its place.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION etl.published() RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_object_agg(p.pubname || '/' || p.schemaname || '.' || p.tablename, jsonb_build_object(
        'filter', coalesce(p.rowfilter, ''),
        'columns', (SELECT jsonb_agg(jsonb_build_object('number', a.attnum, 'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
                    FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = ANY (p.attnames) AND NOT a.attisdropped))), '{}')
    FROM pg_publication_tables p
    JOIN pg_namespace n ON n.nspname = p.schemaname
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION etl.published() IS 'What all publications let out, by publication/schema.table.';

-- +goose StatementBegin
CREATE FUNCTION etl.note_ddl_start() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM set_config('groundwork.published', etl.published()::text, true);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION etl.note_ddl_end() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before jsonb := coalesce(nullif(current_setting('groundwork.published', true), ''), '{}')::jsonb;
    after  jsonb := etl.published();
    item   record;
    filled boolean;
BEGIN
    FOR item IN
        SELECT coalesce(b.key, a.key) AS name, b.value AS before, a.value AS after
        FROM jsonb_each(before) b FULL JOIN jsonb_each(after) a ON a.key = b.key
        WHERE b.value IS DISTINCT FROM a.value
    LOOP
        filled := false;
        IF item.after IS NOT NULL THEN
            EXECUTE format('SELECT EXISTS (SELECT FROM %s)', (SELECT string_agg(quote_ident(part), '.' ORDER BY n)
                FROM unnest(string_to_array(split_part(item.name, '/', 2), '.')) WITH ORDINALITY AS t (part, n))) INTO filled;
        END IF;
        PERFORM pg_logical_emit_message(true, 'etl_ddl', jsonb_build_object('tag', tg_tag,
            'publication', split_part(item.name, '/', 1), 'table', split_part(item.name, '/', 2),
            'before', item.before, 'after', item.after, 'filled', filled)::text);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION etl.note_rewrite() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- 4: a column's values are computed anew. The other reasons (a new column's default, persistence, access method) leave them as they are.
    IF pg_event_trigger_table_rewrite_reason() & 4 <> 0 THEN
        PERFORM pg_logical_emit_message(true, 'etl_ddl', jsonb_build_object('tag', tg_tag,
            'publication', p.pubname, 'table', p.schemaname || '.' || p.tablename, 'rewritten', true)::text)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_publication_tables p ON p.schemaname = n.nspname AND p.tablename = c.relname
        WHERE c.oid = pg_event_trigger_table_rewrite_oid();
    END IF;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION etl.announce_ddl() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DROP EVENT TRIGGER IF EXISTS groundwork_ddl_start;
    DROP EVENT TRIGGER IF EXISTS groundwork_ddl_end;
    DROP EVENT TRIGGER IF EXISTS groundwork_rewrite;
    CREATE EVENT TRIGGER groundwork_ddl_start ON ddl_command_start
        WHEN TAG IN ('ALTER TABLE', 'ALTER SCHEMA', 'ALTER PUBLICATION', 'CREATE PUBLICATION', 'DROP PUBLICATION', 'DROP TABLE', 'DROP SCHEMA', 'DROP TYPE', 'DROP OWNED')
        EXECUTE FUNCTION etl.note_ddl_start();
    CREATE EVENT TRIGGER groundwork_ddl_end ON ddl_command_end
        WHEN TAG IN ('ALTER TABLE', 'ALTER SCHEMA', 'ALTER PUBLICATION', 'CREATE PUBLICATION', 'DROP PUBLICATION', 'DROP TABLE', 'DROP SCHEMA', 'DROP TYPE', 'DROP OWNED')
        EXECUTE FUNCTION etl.note_ddl_end();
    CREATE EVENT TRIGGER groundwork_rewrite ON table_rewrite EXECUTE FUNCTION etl.note_rewrite();
    -- Also in sessions that switch ordinary triggers off.
    ALTER EVENT TRIGGER groundwork_ddl_start ENABLE ALWAYS;
    ALTER EVENT TRIGGER groundwork_ddl_end ENABLE ALWAYS;
    ALTER EVENT TRIGGER groundwork_rewrite ENABLE ALWAYS;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION etl.announce_ddl() IS 'Makes the event triggers that announce changes of published tables. Only a superuser may.';

-- +goose StatementBegin
DO $$
BEGIN
    PERFORM etl.announce_ddl();
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'event triggers need a superuser: let one run SELECT etl.announce_ddl() in this database';
END
$$;
-- +goose StatementEnd

-- +goose Down
SELECT 1 / 0; -- forward only
