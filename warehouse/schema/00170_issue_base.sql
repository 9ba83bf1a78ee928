-- The base: the issues as they stood at a position of the replication, as a log of additions (w = 1) and removals (w = -1) that is read
-- without FINAL. gen tells one building of it from the next, batch is the position that a row brought it to; a row with the nil id marks
-- that everything up to its batch is in, and which table (source) it was made of (docs/decisions/0170-the-base.md). It is made of f_issue alone and may be lost at any time.
-- The index on _ver finds what changed since a position without reading the rest.

-- +goose Up
CREATE TABLE f_issue_base{{.OnCluster}} (
    gen UInt64, batch UInt64, w Int8, total Int64 DEFAULT 0, source UUID DEFAULT toUUID('00000000-0000-0000-0000-000000000000'),
    id UUID, category_id LowCardinality(Nullable(String)), severity LowCardinality(String), kind LowCardinality(String), channel LowCardinality(String),
    region_id LowCardinality(Nullable(String)), source_visit_id Nullable(UUID), due_at Nullable(DateTime64(6, 'UTC')), observed_until Nullable(DateTime64(6, 'UTC')),
    state LowCardinality(String), origin_at DateTime64(6, 'UTC'), first_response_at Nullable(DateTime64(6, 'UTC')), claimed_at Nullable(DateTime64(6, 'UTC')),
    resolved_at Nullable(DateTime64(6, 'UTC')), closed_at Nullable(DateTime64(6, 'UTC')), closure_type LowCardinality(Nullable(String)),
    dispute_count Int32, opinion_count Int32
) ENGINE = {{.Appending}} PARTITION BY gen ORDER BY (gen, id)
SETTINGS {{.Durable}}, index_granularity = 1024{{.Deduplicated}}
COMMENT 'Issues as they stood at a position, for quick reading; internal, read pub_issue instead';

ALTER TABLE f_issue{{.OnCluster}} ADD INDEX changed _ver TYPE minmax GRANULARITY 1;

ALTER TABLE f_issue{{.OnCluster}} MATERIALIZE INDEX changed;

-- +goose Down
SELECT throwIf(1, 'forward only');
