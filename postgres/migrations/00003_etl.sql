-- Rows that replication could not bring to the warehouse, each with its reason. A row is parked here before its position is
-- acknowledged, so none is lost silently; its key alone is kept beside the one value at fault, never the whole row.

-- +goose Up
CREATE TABLE etl.dead_letter (
    pipeline    text NOT NULL,
    commit_lsn  pg_lsn NOT NULL,
    ordinal     bigint NOT NULL,
    source      text NOT NULL,
    key         jsonb NOT NULL,
    column_name text NOT NULL,
    value       bytea,
    reason      text NOT NULL,
    parked_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (pipeline, commit_lsn, ordinal, source, key)
);
COMMENT ON COLUMN etl.dead_letter.ordinal IS 'Place of the change in its transaction; 0 = found by the initial load.';
COMMENT ON COLUMN etl.dead_letter.value IS 'The value at fault, in the binary form of Postgres.';

-- +goose Down
SELECT 1 / 0; -- forward only
