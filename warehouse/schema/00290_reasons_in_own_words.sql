-- Reasons that people give are in their own words, which no published view shows; only the system gives codes.

-- +goose Up
CREATE OR REPLACE VIEW pub_issue_event{{.OnCluster}} (
    issue_id UUID COMMENT 'The issue',
    seq Int32 COMMENT 'Number of the event in the life of the issue, from 1 without gaps',
    kind LowCardinality(String) COMMENT 'What happened, such as DISPATCHED, CLAIMED or CONFIRMED',
    from_state LowCardinality(Nullable(String)) COMMENT 'State before; NULL for the first event',
    to_state LowCardinality(String) COMMENT 'State after',
    at DateTime64(6, 'UTC') COMMENT 'When it happened',
    known_at DateTime64(6, 'UTC') COMMENT 'When it was known; never decreases over the events of an issue',
    actor_role LowCardinality(String) COMMENT 'Role in which somebody did it',
    reason_code LowCardinality(Nullable(String)) COMMENT 'Coded reason of what the system did by itself; NULL for all else',
    closure_type LowCardinality(Nullable(String)) COMMENT 'How the issue ended, after this event; NULL while open',
    origin_at DateTime64(6, 'UTC') COMMENT 'Earliest opinion received, after this event',
    first_response_at Nullable(DateTime64(6, 'UTC')) COMMENT 'First contact that reached the reporter, after this event',
    claimed_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Last claim, after this event',
    resolved_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Last confirmed claim, after this event',
    closed_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was closed, after this event',
    merged_into_id Nullable(UUID) COMMENT 'The issue that it was merged into, after this event',
    return_count Int32 COMMENT 'How often a unit had given it back, after this event',
    dispute_count Int32 COMMENT 'How often the reporter had disputed a claim, after this event',
    reopen_count Int32 COMMENT 'How often it had been reopened, after this event',
    escalation_level Int32 COMMENT 'How often it had been escalated, after this event',
    opinion_count Int32 COMMENT 'How many opinions were on it, after this event'
) AS
SELECT
    issue_id, seq, kind, from_state, to_state, at, known_at, actor_role, if(actor_role = 'SYSTEM', reason_code, NULL) AS reason_code, closure_type,
    origin_at, first_response_at, claimed_at, resolved_at, closed_at, merged_into_id,
    return_count, dispute_count, reopen_count, escalation_level, opinion_count
FROM f_issue_event FINAL WHERE _deleted = 0
COMMENT 'The history of every issue: what happened, and where the issue stood after it';

-- +goose Down
SELECT throwIf(1, 'forward only');
