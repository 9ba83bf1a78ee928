-- How the mirrors were filled: one current row per table, and one with an empty source for the load of all of them. It stands beside the
-- rows it speaks of, so that a warehouse restored from a backup takes it back with them.

-- +goose Up
CREATE TABLE etl_load{{.OnCluster}} (
    pipeline String,
    source String COMMENT 'Table of the system of record; empty = the load as a whole',
    seq UInt64 COMMENT 'Epoch of the replicator in the upper half, its count below',
    load UInt64 COMMENT 'Epoch in which the load began',
    state LowCardinality(String) COMMENT 'loading, rebuilding (the mirror is whole meanwhile) or done',
    snapshot_lsn UInt64 COMMENT 'Everything committed before is in the mirror once it is done; 0 = no snapshot yet, or not known',
    rows UInt64 COMMENT 'Brought over so far',
    bytes UInt64 COMMENT 'Of the table in the system of record',
    bytes_done UInt64 COMMENT 'Of these, in finished ranges',
    ranges UInt32,
    ranges_done UInt32,
    started_at DateTime64(6, 'UTC'),
    written_at DateTime64(6, 'UTC')
) ENGINE = {{.ReplacingBy "seq"}} ORDER BY (pipeline, source) SETTINGS {{.Durable}}
COMMENT 'Loads of the mirrors, one current row per pipeline and table';

-- +goose Down
SELECT throwIf(1, 'forward only');
