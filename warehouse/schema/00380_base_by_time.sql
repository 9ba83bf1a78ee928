-- The base lies by time within each of 64 buckets of ids: a UUIDv7 begins with its time, the bucket is of its random bits. What is asked of some time, such as what came in, was closed or
-- fell due lately, is then found by the least and greatest time of each thousand rows; and the issues of a bucket lie together in all that is ordered by ids of issues, as UUIDs are
-- ordered by their second half. phase has two more: 8 = it was merged, 16 = something goes on, and it was observed up to some moment alone. due_marks has a mark more: 128 = it is not closed, and was observed up to some moment alone (an import).
--
-- The engine keeps three more sums with each part of the base, for what is asked of all issues at once: by area and hour of origin, by area, category and days to the end, and by area,
-- day of the due time and marks. Areas, hours and days are few, however many issues there are. Hours and days are counted from 1970 on; resolution_day is the days of resolution_point, up
-- to 100; due_day is NULL for what has no due time, or was merged.

-- +goose Up
DROP TABLE f_issue_base{{.OnCluster}} SYNC;

CREATE TABLE f_issue_base{{.OnCluster}} (
    gen UInt64, batch UInt64, w Int8, total Int64 DEFAULT 0, source UUID DEFAULT toUUID('00000000-0000-0000-0000-000000000000'), tree UInt64,
    id UUID, category_id LowCardinality(Nullable(String)), severity LowCardinality(String), kind LowCardinality(String), channel LowCardinality(String),
    region_id LowCardinality(Nullable(String)), area_id LowCardinality(String), source_visit_id Nullable(UUID), due_at Nullable(DateTime64(6, 'UTC')), observed_until Nullable(DateTime64(6, 'UTC')),
    state LowCardinality(String), origin_at DateTime64(6, 'UTC'), first_response_at Nullable(DateTime64(6, 'UTC')), claimed_at Nullable(DateTime64(6, 'UTC')),
    resolved_at Nullable(DateTime64(6, 'UTC')), closed_at Nullable(DateTime64(6, 'UTC')), closure_type LowCardinality(Nullable(String)),
    dispute_count Int32, opinion_count Int32,
    resolution_end UInt8 MATERIALIZED multiIf(
        state = 'MERGED', 8,
        coalesce(resolved_at, if(state = 'CLAIMED', claimed_at, NULL), if(state = 'CLOSED', closed_at, NULL)) < origin_at, 9,
        resolved_at IS NOT NULL, 1,
        state = 'CLAIMED' AND claimed_at IS NOT NULL, 5,
        state != 'CLOSED' OR closed_at IS NULL, 0,
        closure_type = 'CONFIRMED', 1,
        closure_type IN ('EXPLAINED', 'REFERRED_OUT'), 2,
        closure_type = 'UNCONFIRMED', 3,
        closure_type = 'WITHDRAWN', 4,
        0),
    resolution_micros Int64 MATERIALIZED ifNull(if(coalesce(resolved_at, if(state = 'CLAIMED', claimed_at, NULL), if(state = 'CLOSED', closed_at, NULL)) < origin_at, 0,
        toUnixTimestamp64Micro(coalesce(resolved_at, if(state = 'CLAIMED', claimed_at, NULL), if(state = 'CLOSED', closed_at, NULL))) - toUnixTimestamp64Micro(origin_at)), -1),
    response_end UInt8 MATERIALIZED multiIf(
        state = 'MERGED', 8,
        coalesce(first_response_at, if(state = 'CLOSED' AND closure_type = 'WITHDRAWN', closed_at, NULL)) < origin_at, 9,
        first_response_at IS NOT NULL, 1,
        0),
    response_micros Int64 MATERIALIZED ifNull(if(coalesce(first_response_at, if(state = 'CLOSED' AND closure_type = 'WITHDRAWN', closed_at, NULL)) < origin_at, 0,
        toUnixTimestamp64Micro(coalesce(first_response_at, if(state = 'CLOSED' AND closure_type = 'WITHDRAWN', closed_at, NULL))) - toUnixTimestamp64Micro(origin_at)), -1),
    claimed UInt8 MATERIALIZED claimed_at IS NOT NULL,
    judged UInt8 MATERIALIZED resolved_at IS NOT NULL OR dispute_count > 0,
    resolution_second UInt32 MATERIALIZED if(resolution_micros < 0, 0, intDiv(toUnixTimestamp64Micro(origin_at) + resolution_micros, 1000000)),
    resolution_point UInt16 MATERIALIZED multiIf(resolution_end >= 8, 0, resolution_micros < 0, 65535,
        intDiv(resolution_micros + 3599999999, 3600000000) <= 720, intDiv(resolution_micros + 3599999999, 3600000000),
        intDiv(resolution_micros + 3599999999, 3600000000) <= 9600, intDiv(intDiv(resolution_micros + 3599999999, 3600000000) + 23, 24) + 690,
        least(65534, intDiv(intDiv(resolution_micros + 3599999999, 3600000000) + 167, 168) + 1033)),
    response_point UInt16 MATERIALIZED multiIf(response_end >= 8, 0, response_micros < 0, 65535,
        intDiv(response_micros + 3599999999, 3600000000) <= 720, intDiv(response_micros + 3599999999, 3600000000),
        intDiv(response_micros + 3599999999, 3600000000) <= 9600, intDiv(intDiv(response_micros + 3599999999, 3600000000) + 23, 24) + 690,
        least(65534, intDiv(intDiv(response_micros + 3599999999, 3600000000) + 167, 168) + 1033)),
    due_marks UInt8 MATERIALIZED (state = 'CLOSED')
        + 2 * (ifNull(resolved_at <= due_at, 0) OR state = 'CLOSED' AND ifNull(closure_type = 'EXPLAINED' AND claimed_at <= due_at, 0))
        + 4 * (state = 'CLAIMED' AND ifNull(claimed_at <= due_at, 0) AND NOT ifNull(resolved_at <= due_at, 0))
        + 8 * ifNull(closure_type = 'WITHDRAWN', 0)
        + 16 * (state = 'CLOSED' OR resolved_at IS NOT NULL OR dispute_count > 0)
        + 128 * (state != 'CLOSED' AND observed_until IS NOT NULL),
    phase UInt8 MATERIALIZED (resolution_point = 65535) + 2 * (response_point = 65535) + 4 * (state NOT IN ('CLOSED', 'MERGED')) + 8 * (state = 'MERGED')
        + 16 * (observed_until IS NOT NULL AND (resolution_point = 65535 OR response_point = 65535 OR state NOT IN ('CLOSED', 'MERGED'))),
    id_bucket UInt8 MATERIALIZED toUInt8(bitAnd(bitShiftRight(toUInt128(id), 56), 63)),
    origin_hour Int32 MATERIALIZED toInt32(floor(toUnixTimestamp64Micro(origin_at) / 3600000000)),
    resolution_day UInt8 MATERIALIZED toUInt8(least(100, if(resolution_point <= 720, intDiv(resolution_point + 23, 24), resolution_point - 690))),
    due_day Nullable(Int32) MATERIALIZED if(state = 'MERGED', NULL, toInt32(floor(toUnixTimestamp64Micro(due_at) / 86400000000))),
    INDEX origin origin_at TYPE minmax GRANULARITY 1,
    INDEX closed closed_at TYPE minmax GRANULARITY 1,
    INDEX resolution resolution_second TYPE minmax GRANULARITY 1,
    INDEX due due_at TYPE minmax GRANULARITY 1,
    PROJECTION by_place (
        SELECT gen, batch, region_id, area_id, category_id, equals(state, 'MERGED'),
            sum(w), sum(multiply(w, minus(greatest(opinion_count, 1), 1))),
            min(if(greater(w, 0), origin_at, NULL)), max(if(greater(w, 0), origin_at, NULL)), min(if(less(w, 0), origin_at, NULL)),
            max(if(greater(w, 0), observed_until, NULL)), max(if(less(w, 0), observed_until, NULL)), sum(if(isNull(observed_until), w, 0))
        GROUP BY gen, batch, region_id, area_id, category_id, equals(state, 'MERGED')),
    PROJECTION by_resolution (
        SELECT gen, batch, area_id, phase, resolution_end, resolution_point, claimed, judged, sum(w)
        GROUP BY gen, batch, area_id, phase, resolution_end, resolution_point, claimed, judged),
    PROJECTION by_response (
        SELECT gen, batch, area_id, phase, response_end, response_point, sum(w)
        GROUP BY gen, batch, area_id, phase, response_end, response_point),
    PROJECTION by_origin (
        SELECT gen, batch, area_id, origin_hour, equals(state, 'MERGED'), sum(w)
        GROUP BY gen, batch, area_id, origin_hour, equals(state, 'MERGED')),
    PROJECTION by_category (
        SELECT gen, batch, area_id, category_id, phase, resolution_end, resolution_day, claimed, judged, sum(w)
        GROUP BY gen, batch, area_id, category_id, phase, resolution_end, resolution_day, claimed, judged),
    PROJECTION by_due (
        SELECT gen, batch, area_id, due_day, due_marks, sum(w)
        GROUP BY gen, batch, area_id, due_day, due_marks)
) ENGINE = {{.Appending}} PARTITION BY gen ORDER BY (gen, phase, id_bucket, toUInt128(id))
SETTINGS {{.Durable}}, index_granularity = 1024{{.Deduplicated}}
COMMENT 'Issues as they stood at a position, for quick reading; internal, read pub_issue instead';

-- +goose Down
SELECT throwIf(1, 'forward only');
