-- How and after how long an issue ended, and was answered, does not depend on when one asks, unless it goes on. So the base keeps it: rows have it from
-- when they come, and those that are there when they are merged. The ends are those of package warehouse (lifetable.go): 0 goes on or was censored, 1 confirmed
-- (or answered), 2 explained or referred, 3 unconfirmed, 4 withdrawn, 5 claimed and awaiting the verdict, 8 merged, 9 ended before it began; -1
-- microseconds = it goes on. claimed and judged: somebody ever claimed that it is done, a citizen ever gave a verdict.

-- +goose Up
ALTER TABLE f_issue_base{{.OnCluster}}
    ADD COLUMN resolution_end UInt8 MATERIALIZED multiIf(
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
    ADD COLUMN resolution_micros Int64 MATERIALIZED ifNull(if(coalesce(resolved_at, if(state = 'CLAIMED', claimed_at, NULL), if(state = 'CLOSED', closed_at, NULL)) < origin_at, 0,
        toUnixTimestamp64Micro(coalesce(resolved_at, if(state = 'CLAIMED', claimed_at, NULL), if(state = 'CLOSED', closed_at, NULL))) - toUnixTimestamp64Micro(origin_at)), -1),
    ADD COLUMN response_end UInt8 MATERIALIZED multiIf(
        state = 'MERGED', 8,
        coalesce(first_response_at, if(state = 'CLOSED' AND closure_type = 'WITHDRAWN', closed_at, NULL)) < origin_at, 9,
        first_response_at IS NOT NULL, 1,
        0),
    ADD COLUMN response_micros Int64 MATERIALIZED ifNull(if(coalesce(first_response_at, if(state = 'CLOSED' AND closure_type = 'WITHDRAWN', closed_at, NULL)) < origin_at, 0,
        toUnixTimestamp64Micro(coalesce(first_response_at, if(state = 'CLOSED' AND closure_type = 'WITHDRAWN', closed_at, NULL))) - toUnixTimestamp64Micro(origin_at)), -1),
    ADD COLUMN claimed UInt8 MATERIALIZED claimed_at IS NOT NULL,
    ADD COLUMN judged UInt8 MATERIALIZED resolved_at IS NOT NULL OR dispute_count > 0;

-- +goose Down
SELECT throwIf(1, 'forward only');
