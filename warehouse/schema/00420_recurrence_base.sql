-- The base of recurrences: each issue with a known site and category, and when the next of its matter arose after it was confirmed, kept as the bases of the issues, claims and histories are
-- (f_issue_base): a log of what came and went between positions of the replication, read without FINAL, made of the mirror alone (docs/decisions/0480-the-base-of-recurrences.md).
--
-- matter stands for the site and the category (sipHash64). again_at is the first origin, of an issue of the matter that was not merged, after closed_at; 1970 = there is none, or the issue is not confirmed.
--
-- by_matter finds the issues of a matter: what happens to one may be the recurrence of another.

-- +goose Up
CREATE TABLE f_recurrence_base{{.OnCluster}} (
    gen UInt64, batch UInt64, w Int8, total Int64 DEFAULT 0, source UUID DEFAULT toUUID('00000000-0000-0000-0000-000000000000'), tree UInt64,
    id UUID, matter UInt64, confirmed UInt8, closed_at Nullable(DateTime64(6, 'UTC')), again_at DateTime64(6, 'UTC'),
    category_id LowCardinality(Nullable(String)), severity LowCardinality(String), kind LowCardinality(String), channel LowCardinality(String),
    region_id LowCardinality(Nullable(String)), area_id LowCardinality(String), source_visit_id Nullable(UUID), due_at Nullable(DateTime64(6, 'UTC')), observed_until Nullable(DateTime64(6, 'UTC')),
    state LowCardinality(String), origin_at DateTime64(6, 'UTC'), dispute_count Int32, opinion_count Int32,
    id_bucket UInt8 MATERIALIZED toUInt8(bitAnd(bitShiftRight(toUInt128(id), 56), 63)),
    PROJECTION by_matter (
        SELECT gen, batch, w, matter, id
        ORDER BY gen, matter)
) ENGINE = {{.Appending}} PARTITION BY gen ORDER BY (gen, id_bucket, toUInt128(id))
SETTINGS {{.Durable}}, index_granularity = 1024{{.Deduplicated}}
COMMENT 'Issues with a known site and category, and when their matter came back, as they stood at a position, for quick reading; internal, read pub_issue instead';

-- +goose Down
SELECT throwIf(1, 'forward only');
