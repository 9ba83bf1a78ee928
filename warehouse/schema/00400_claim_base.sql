-- The base of claims: each claim, and each rating that the handler did not collect, beside its issue, kept as the base of the issues is (f_issue_base): a log of what came and went between
-- positions of the replication, read without FINAL, made of the mirrors alone (docs/decisions/0460-the-base-of-claims.md). record is CLAIM or RATING; id is that of the issue, at when it was claimed, or rated.
-- told_until is the moment of the last that is told of it: what was asked before then may not know all of it. marks say what is told, as package warehouse names them (claims.go).
--
-- The engine keeps two sums with each part: by area and month, and by area, month and stratum (category and channel). Months are those of China, as the working days are by which
-- claims fall due for a verdict.
--
-- The indexes find what changed since a position, and what is told of given issues, without reading the rest.

-- +goose Up
CREATE TABLE f_claim_base{{.OnCluster}} (
    gen UInt64, batch UInt64, w Int8, total Int64 DEFAULT 0, source UUID DEFAULT toUUID('00000000-0000-0000-0000-000000000000'), tree UInt64,
    record LowCardinality(String), id UUID, claim_id UUID, at DateTime64(6, 'UTC'), told_until DateTime64(6, 'UTC'), marks UInt16,
    category_id LowCardinality(Nullable(String)), severity LowCardinality(String), kind LowCardinality(String), channel LowCardinality(String),
    region_id LowCardinality(Nullable(String)), area_id LowCardinality(String), source_visit_id Nullable(UUID), due_at Nullable(DateTime64(6, 'UTC')), observed_until Nullable(DateTime64(6, 'UTC')),
    state LowCardinality(String), origin_at DateTime64(6, 'UTC'), dispute_count Int32, opinion_count Int32,
    month UInt32 MATERIALIZED toYYYYMM(toTimeZone(at, 'Asia/Shanghai')),
    id_bucket UInt8 MATERIALIZED toUInt8(bitAnd(bitShiftRight(toUInt128(id), 56), 63)),
    INDEX at at TYPE minmax GRANULARITY 1,
    INDEX told told_until TYPE minmax GRANULARITY 1,
    PROJECTION by_area (
        SELECT gen, batch, record, month, area_id, marks, sum(w)
        GROUP BY gen, batch, record, month, area_id, marks),
    PROJECTION by_stratum (
        SELECT gen, batch, record, month, area_id, category_id, channel, bitAnd(marks, 1666), sum(w)
        GROUP BY gen, batch, record, month, area_id, category_id, channel, bitAnd(marks, 1666))
) ENGINE = {{.Appending}} PARTITION BY gen ORDER BY (gen, record, id_bucket, toUInt128(id))
SETTINGS {{.Durable}}, index_granularity = 1024{{.Deduplicated}}
COMMENT 'Claims and ratings as they stood at a position, for quick reading; internal, read pub_claim and pub_feedback instead';

ALTER TABLE f_claim{{.OnCluster}} ADD INDEX changed _ver TYPE minmax GRANULARITY 1, ADD INDEX of_issue issue_id TYPE bloom_filter(0.001) GRANULARITY 1;

ALTER TABLE f_claim{{.OnCluster}} MATERIALIZE INDEX changed, MATERIALIZE INDEX of_issue;

ALTER TABLE f_callback_attempt{{.OnCluster}} ADD INDEX changed _ver TYPE minmax GRANULARITY 1, ADD INDEX of_claim claim_id TYPE bloom_filter(0.001) GRANULARITY 1;

ALTER TABLE f_callback_attempt{{.OnCluster}} MATERIALIZE INDEX changed, MATERIALIZE INDEX of_claim;

ALTER TABLE f_feedback{{.OnCluster}} ADD INDEX changed _ver TYPE minmax GRANULARITY 1, ADD INDEX of_issue issue_id TYPE bloom_filter(0.001) GRANULARITY 1;

ALTER TABLE f_feedback{{.OnCluster}} MATERIALIZE INDEX changed, MATERIALIZE INDEX of_issue;

-- +goose Down
SELECT throwIf(1, 'forward only');
