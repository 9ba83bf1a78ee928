-- How long a matter takes at least differs by category: a light is switched on in two minutes, a road is not mended in ten. What is claimed sooner than an audit found possible
-- is instant (measure F5). Until here ten minutes held for all.

-- +goose Up
ALTER TABLE category ADD COLUMN audited_minimum_minutes int CHECK (audited_minimum_minutes BETWEEN 1 AND 5270400);
COMMENT ON COLUMN category.audited_minimum_minutes IS 'Shortest time, in minutes, in which an audit found that such a matter can be done; null = that of the nearest category above that has one, else 10.';

-- No row has a minimum yet, so the stream loses nothing while the table leaves the publication and comes back: there is nothing to announce (00115, 00370).
-- +goose StatementBegin
DO $$
BEGIN
    ALTER EVENT TRIGGER groundwork_ddl_end DISABLE;
EXCEPTION WHEN insufficient_privilege OR undefined_object THEN NULL;
END
$$;
-- +goose StatementEnd
ALTER PUBLICATION groundwork DROP TABLE category;
ALTER PUBLICATION groundwork ADD TABLE category (id, code, version, parent_id, name, path, valid_from, valid_to, created_at, audited_minimum_minutes);
-- +goose StatementBegin
DO $$
BEGIN
    ALTER EVENT TRIGGER groundwork_ddl_end ENABLE ALWAYS;
EXCEPTION WHEN insufficient_privilege OR undefined_object THEN NULL;
END
$$;
-- +goose StatementEnd

-- +goose Down
SELECT 1 / 0; -- forward only
