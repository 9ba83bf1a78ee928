-- Where the replication stands. The newest row of a pipeline (highest epoch, then seq) says that everything committed in the
-- system of record up to applied_lsn is in the mirrors; commit_time is the watermark that answers carry.

-- +goose Up
CREATE TABLE etl_checkpoint{{.OnCluster}} (
    pipeline String,
    epoch UInt64,
    seq UInt64,
    applied_lsn UInt64,
    commit_time DateTime64(6, 'UTC'),
    system_id String,
    timeline Int32,
    slot String,
    written_at DateTime64(6, 'UTC')
) ENGINE = {{.ReplacingBy "seq"}} ORDER BY (pipeline, epoch) SETTINGS {{.Durable}}
COMMENT 'Replication checkpoints, one current row per pipeline and epoch';

-- +goose Down
SELECT throwIf(1, 'forward only');
