-- What operators ask of the replicator: to build a mirror anew beside the old one and put it in its place. The row stays as the record
-- of the last time.

-- +goose Up
CREATE TABLE etl.rebuild (
    pipeline     text NOT NULL,
    source       text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    rows         bigint,
    fault        text,
    PRIMARY KEY (pipeline, source)
);
COMMENT ON COLUMN etl.rebuild.finished_at IS 'NULL = still to be done, whichever replicator is active.';
COMMENT ON COLUMN etl.rebuild.fault IS 'Why it failed; the old mirror then stands.';

SELECT audit.watch('etl.rebuild', 'pipeline', 'source');

-- +goose Down
SELECT 1 / 0; -- forward only
