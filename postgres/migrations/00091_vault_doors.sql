-- Who stands behind a pseudonym is for the vault alone. The roles of the API and the chores do not read its tables: they come in by these
-- doors, which lead from an account to its pseudonym and never back.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION vault.known(of_source text, keys text[]) RETURNS TABLE (external_key text, pid uuid)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.external_key, r.pid FROM vault.reporter r WHERE r.source = of_source AND r.external_key = ANY (keys)
$$;

-- pseudonyms makes those that are missing. They are random: nothing about the account follows from them.
CREATE FUNCTION vault.pseudonyms(of_source text, keys text[]) RETURNS TABLE (external_key text, pid uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO vault.reporter (pid, source, external_key)
    SELECT gen_random_uuid(), of_source, k FROM unnest(keys) AS k
    WHERE NOT EXISTS (SELECT FROM vault.reporter r WHERE r.source = of_source AND r.external_key = k)
    ON CONFLICT (source, external_key) DO NOTHING;
    RETURN QUERY SELECT r.external_key, r.pid FROM vault.reporter r WHERE r.source = of_source AND r.external_key = ANY (keys);
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION vault.known(text, text[]), vault.pseudonyms(text, text[]) FROM PUBLIC;

-- +goose Down
SELECT 1 / 0; -- forward only
