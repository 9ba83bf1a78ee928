-- What operators ask of the replication, and what became of the rows that it set aside. The stores are the only place where the
-- command line and a replicator on another machine meet.

-- +goose Up
CREATE TABLE etl.pause (
    pipeline  text PRIMARY KEY,
    paused_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE etl.pause IS 'Pipelines that are to stand still until resumed. Their slots keep the WAL meanwhile.';

ALTER TABLE etl.dead_letter ADD COLUMN settled_at timestamptz;
COMMENT ON COLUMN etl.dead_letter.settled_at IS 'When a replay brought the row''s present state to the warehouse; NULL = still missing there.';
CREATE INDEX dead_letter_open ON etl.dead_letter (pipeline, source) WHERE settled_at IS NULL;

-- +goose Down
SELECT 1 / 0; -- forward only
