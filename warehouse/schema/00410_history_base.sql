-- The base of histories: each issue with what is told of it and what became of it, kept as the bases of the issues and of the claims are (f_issue_base, f_claim_base): a log of what came and
-- went between positions of the replication, read without FINAL, made of the mirrors alone (docs/decisions/0470-the-base-of-histories.md).
-- claims are its claims by their moments, with marks of what the reporters said of each; ratings those that the handler did not collect, with whether they are high; begun the moments at
-- which a leading unit had it in hand; heard those at which the opinions that were put to it were received. told_until is the moment of the last that is told of it: what was asked before then may not know all of it. marks say how it ended, as package
-- warehouse names them (histories.go).
--
-- pattern says what the composite (C1) knows of an issue if all of its claims are due: whether it waits for a response or got one (bit 0), got one within 24 hours (bit 1), after how many hours, rounded
-- up, 25 = more than 24 (bits 2 to 6), and how many verdicts, verdicts of resolved, ratings and high ratings there are (14 bits each; an issue with more is never settled); 0 = nothing counts. It is settled once month, that of the last
-- claim or of the origin if it is later, is over for long enough that all claims are due. response_took is what it has of the response (us), that of one who waits in vain being 25 hours. gross and paused are the seconds of an issue that is over (T5).
--
-- The engine keeps three sums with each part, by area: how issues ended, their patterns by month, and the time of those that are over.
--
-- The indexes find what changed since a position, and to which issues an opinion was put.

-- +goose Up
CREATE TABLE f_history_base{{.OnCluster}} (
    gen UInt64, batch UInt64, w Int8, total Int64 DEFAULT 0, source UUID DEFAULT toUUID('00000000-0000-0000-0000-000000000000'), tree UInt64,
    id UUID, told_until DateTime64(6, 'UTC'), marks UInt16,
    claims Array(Tuple(DateTime64(6, 'UTC'), UInt8)), ratings Array(Tuple(DateTime64(6, 'UTC'), UInt8)), begun Array(DateTime64(6, 'UTC')), heard Array(DateTime64(6, 'UTC')), legs UInt32, returned UInt32,
    closed_first DateTime64(6, 'UTC'), reopened_first DateTime64(6, 'UTC'), paused_seconds Int64, paused_since Nullable(DateTime64(6, 'UTC')),
    response_end UInt8, response_micros Int64, claimed_at Nullable(DateTime64(6, 'UTC')), closed_at Nullable(DateTime64(6, 'UTC')), merged_into_id Nullable(UUID),
    category_id LowCardinality(Nullable(String)), severity LowCardinality(String), kind LowCardinality(String), channel LowCardinality(String),
    region_id LowCardinality(Nullable(String)), area_id LowCardinality(String), source_visit_id Nullable(UUID), due_at Nullable(DateTime64(6, 'UTC')), observed_until Nullable(DateTime64(6, 'UTC')),
    state LowCardinality(String), origin_at DateTime64(6, 'UTC'), dispute_count Int32, opinion_count Int32,
    id_bucket UInt8 MATERIALIZED toUInt8(bitAnd(bitShiftRight(toUInt128(id), 56), 63)),
    month UInt32 MATERIALIZED if(greatest(length(claims), length(ratings)) > 16383, 999999, toYYYYMM(toTimeZone(greatest(origin_at, if(empty(claims), origin_at, claims[-1].1)), 'Asia/Shanghai'))),
    response_took Int64 MATERIALIZED multiIf(response_micros >= 0, response_micros, isNull(observed_until), 90000000000,
        greatest(0, toUnixTimestamp64Micro(assumeNotNull(observed_until)) - toUnixTimestamp64Micro(origin_at))),
    pattern UInt64 MATERIALIZED if(NOT bitTest(marks, 8), 0,
        if(response_end < 8, 1 + 4 * least(25, intDiv(response_took + 3599999999, 3600000000)), 0) + 2 * (response_end = 1 AND response_micros <= 86400000000)
        + bitShiftLeft(toUInt64(if(bitTest(marks, 1), 0, arrayCount(said -> bitTest(said.2, 0), claims))), 7)
        + bitShiftLeft(toUInt64(if(bitTest(marks, 1), 0, arrayCount(said -> bitTest(said.2, 1), claims))), 21)
        + bitShiftLeft(toUInt64(length(ratings)), 35) + bitShiftLeft(toUInt64(arrayCount(rated -> rated.2 = 1, ratings)), 49)),
    over UInt8 MATERIALIZED state = 'CLOSED' AND closed_at IS NOT NULL AND paused_since IS NULL,
    gross Int64 MATERIALIZED if(over, intDiv(greatest(0, toUnixTimestamp64Micro(assumeNotNull(closed_at)) - toUnixTimestamp64Micro(origin_at)) + 999999, 1000000), 0),
    paused Int64 MATERIALIZED least(gross, paused_seconds),
    INDEX told told_until TYPE minmax GRANULARITY 1,
    INDEX month month TYPE minmax GRANULARITY 1,
    PROJECTION by_area (
        SELECT gen, batch, area_id, marks, sum(w)
        GROUP BY gen, batch, area_id, marks),
    PROJECTION by_pattern (
        SELECT gen, batch, area_id, month, pattern, sum(w)
        GROUP BY gen, batch, area_id, month, pattern),
    PROJECTION by_clock (
        SELECT gen, batch, over, area_id, bitTest(marks, 7), observed_until IS NULL OR legs > 0, sum(w), sum(w * gross), sum(w * paused), sum(w * toInt128(gross * gross)), sum(w * toInt128(paused * paused)),
            sum(w * toInt128(gross * paused)), sum(w * legs), sum(w * returned)
        GROUP BY gen, batch, over, area_id, bitTest(marks, 7), observed_until IS NULL OR legs > 0)
) ENGINE = {{.Appending}} PARTITION BY gen ORDER BY (gen, id_bucket, toUInt128(id))
SETTINGS {{.Durable}}, index_granularity = 1024{{.Deduplicated}}
COMMENT 'Issues with their histories as they stood at a position, for quick reading; internal, read pub_issue, pub_claim and pub_feedback instead';

ALTER TABLE f_dispatch_leg{{.OnCluster}} ADD INDEX changed _ver TYPE minmax GRANULARITY 1;

ALTER TABLE f_dispatch_leg{{.OnCluster}} MATERIALIZE INDEX changed;

ALTER TABLE f_issue_event{{.OnCluster}} ADD INDEX changed _ver TYPE minmax GRANULARITY 1;

ALTER TABLE f_issue_event{{.OnCluster}} MATERIALIZE INDEX changed;

ALTER TABLE f_issue_opinion{{.OnCluster}} ADD INDEX changed _ver TYPE minmax GRANULARITY 1, ADD INDEX of_opinion opinion_id TYPE bloom_filter(0.001) GRANULARITY 1;

ALTER TABLE f_issue_opinion{{.OnCluster}} MATERIALIZE INDEX changed, MATERIALIZE INDEX of_opinion;

ALTER TABLE f_opinion{{.OnCluster}} ADD INDEX changed _ver TYPE minmax GRANULARITY 1;

ALTER TABLE f_opinion{{.OnCluster}} MATERIALIZE INDEX changed;

-- +goose Down
SELECT throwIf(1, 'forward only');
