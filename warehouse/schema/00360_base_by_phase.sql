-- The base lies by what goes on in an issue (phase: 1 = its resolution, 2 = the wait for a response, 4 = it is neither closed nor merged), since the time of what goes
-- on is counted up to as-of, and that of all else is known beforehand: by hours it has the number of a point, which is kept in two bytes. 65535 = it goes on, 0 also where
-- the spell does not count. The numbers are those of byHour, the ends those of package warehouse (lifetable.go). resolution_second is when it ended, in whole seconds; 0 = it goes on.
-- due_marks says how an issue stands to its due time: 1 = closed, 2 = held, 4 = claimed in time and awaiting the verdict, 8 = withdrawn, 16 = a citizen was asked, or it is closed (ontime.go).

-- +goose Up
DROP TABLE f_issue_base{{.OnCluster}} SYNC;

CREATE TABLE f_issue_base{{.OnCluster}} (
    gen UInt64, batch UInt64, w Int8, total Int64 DEFAULT 0, source UUID DEFAULT toUUID('00000000-0000-0000-0000-000000000000'),
    id UUID, category_id LowCardinality(Nullable(String)), severity LowCardinality(String), kind LowCardinality(String), channel LowCardinality(String),
    region_id LowCardinality(Nullable(String)), source_visit_id Nullable(UUID), due_at Nullable(DateTime64(6, 'UTC')), observed_until Nullable(DateTime64(6, 'UTC')),
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
        + 16 * (state = 'CLOSED' OR resolved_at IS NOT NULL OR dispute_count > 0),
    phase UInt8 MATERIALIZED (resolution_point = 65535) + 2 * (response_point = 65535) + 4 * (state NOT IN ('CLOSED', 'MERGED')),
    PROJECTION by_place (
        SELECT gen, batch, region_id, category_id, equals(state, 'MERGED'),
            sum(w), sum(multiply(w, minus(greatest(opinion_count, 1), 1))),
            min(if(greater(w, 0), origin_at, NULL)), max(if(greater(w, 0), origin_at, NULL)), min(if(less(w, 0), origin_at, NULL)),
            max(if(greater(w, 0), observed_until, NULL)), max(if(less(w, 0), observed_until, NULL)), sum(if(isNull(observed_until), w, 0))
        GROUP BY gen, batch, region_id, category_id, equals(state, 'MERGED'))
) ENGINE = {{.Appending}} PARTITION BY gen ORDER BY (gen, phase, id)
SETTINGS {{.Durable}}, index_granularity = 1024{{.Deduplicated}}
COMMENT 'Issues as they stood at a position, for quick reading; internal, read pub_issue instead';

-- +goose Down
SELECT throwIf(1, 'forward only');
