-- Mirrors of the rest of an issue's life (postgres/migrations/00005_issue_life.sql): targets, legs and clocks, for the measures of time.

-- +goose Up
ALTER TABLE f_issue{{.OnCluster}}
    ADD COLUMN target_version_id Nullable(UUID) AFTER created_at,
    ADD COLUMN response_due_at Nullable(DateTime64(6, 'UTC')) AFTER target_version_id,
    ADD COLUMN carrying_post_id Nullable(UUID) AFTER response_due_at;

CREATE TABLE d_target_version{{.OnCluster}} (
    id UUID, category_id Nullable(UUID), severity LowCardinality(String), ack_minutes Int32, response_minutes Int32, resolution_minutes Int32,
    time_base LowCardinality(String), published_at DateTime64(6, 'UTC'), valid_from DateTime64(6, 'UTC'), created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

CREATE TABLE f_dispatch_leg{{.OnCluster}} (
    issue_id UUID, n Int32, unit_id UUID, role LowCardinality(String), sent_at DateTime64(6, 'UTC'), ack_due_at Nullable(DateTime64(6, 'UTC')),
    accepted_at Nullable(DateTime64(6, 'UTC')), returned_at Nullable(DateTime64(6, 'UTC')), return_reason LowCardinality(Nullable(String)),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY (issue_id, n) SETTINGS {{.Durable}};

CREATE TABLE f_clock_spell{{.OnCluster}} (
    issue_id UUID, clock LowCardinality(String), n Int32, state LowCardinality(String), started_at DateTime64(6, 'UTC'),
    ended_at Nullable(DateTime64(6, 'UTC')), reason LowCardinality(String),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY (issue_id, clock, n) SETTINGS {{.Durable}};
