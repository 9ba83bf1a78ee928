-- Mirrors of the published tables of the system of record, column by column (postgres/migrations/00002_replication.sql),
-- plus the version of the row: _ver = commit LSN << 64 | ordinal in the transaction, _deleted = 1 for a tombstone.
-- Read them only with FINAL and _deleted = 0; analysts read the pub_* views.
-- Templates: {{.OnCluster}}, {{.Replacing}} and {{.Durable}} are filled by warehouse.Migrate.

-- +goose Up
CREATE TABLE d_region{{.OnCluster}} (
    id UUID, code String, level LowCardinality(String), parent_id Nullable(UUID), path String, name String,
    latitude Nullable(Float64), longitude Nullable(Float64), urban_rural LowCardinality(Nullable(String)),
    valid_from Nullable(Date32), valid_to Nullable(Date32), created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

CREATE TABLE d_population{{.OnCluster}} (
    region_id UUID, year Int32, persons Int64, source String,
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY (region_id, year) SETTINGS {{.Durable}};

CREATE TABLE d_site{{.OnCluster}} (
    id UUID, region_id UUID, kind LowCardinality(String), name String, latitude Nullable(Float64), longitude Nullable(Float64),
    eligible_from Nullable(Date32), eligible_to Nullable(Date32), created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

CREATE TABLE d_category{{.OnCluster}} (
    id UUID, code String, version Int32, parent_id Nullable(UUID), name String, path Array(String),
    valid_from Date32, valid_to Nullable(Date32), created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

CREATE TABLE d_org_unit{{.OnCluster}} (
    id UUID, parent_id Nullable(UUID), region_id Nullable(UUID), name String, kind LowCardinality(String), created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

CREATE TABLE d_post_holding{{.OnCluster}} (
    id UUID, official_id UUID, org_unit_id UUID, rank LowCardinality(String), title String, held_from Date32, held_to Nullable(Date32), created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

CREATE TABLE f_visit{{.OnCluster}} (
    id UUID, activity_kind LowCardinality(String), notice LowCardinality(String), site_id UUID, lead_id UUID,
    started_at DateTime64(6, 'UTC'), ended_at Nullable(DateTime64(6, 'UTC')), citizens_met Nullable(Int32),
    note_unit_id Nullable(UUID), note_created_at Nullable(DateTime64(6, 'UTC')), state LowCardinality(String), created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

CREATE TABLE f_opinion{{.OnCluster}} (
    id UUID, source LowCardinality(String), channel LowCardinality(String), kind LowCardinality(String),
    received_at DateTime64(6, 'UTC'), received_precision LowCardinality(String), occurred_at Nullable(DateTime64(6, 'UTC')),
    visit_id Nullable(UUID), reporter_pid Nullable(UUID), region_id Nullable(UUID), site_id Nullable(UUID),
    confidentiality LowCardinality(String), supported Int32, opposed Int32, created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

CREATE TABLE f_issue{{.OnCluster}} (
    id UUID, public_ref String, category_id Nullable(UUID), severity LowCardinality(String), difficulty LowCardinality(String),
    kind LowCardinality(String), channel LowCardinality(String), region_id Nullable(UUID), site_id Nullable(UUID), source_visit_id Nullable(UUID),
    due_at Nullable(DateTime64(6, 'UTC')), observed_until Nullable(DateTime64(6, 'UTC')),
    seq Int32, state LowCardinality(String), closure_type LowCardinality(Nullable(String)),
    origin_at DateTime64(6, 'UTC'), first_response_at Nullable(DateTime64(6, 'UTC')), claimed_at Nullable(DateTime64(6, 'UTC')),
    resolved_at Nullable(DateTime64(6, 'UTC')), closed_at Nullable(DateTime64(6, 'UTC')),
    merged_into_id Nullable(UUID), lead_unit_id Nullable(UUID), paused_since Nullable(DateTime64(6, 'UTC')), paused_seconds Int64,
    return_count Int32, dispute_count Int32, reopen_count Int32, escalation_level Int32, opinion_count Int32,
    updated_at DateTime64(6, 'UTC'), created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

CREATE TABLE f_issue_opinion{{.OnCluster}} (
    issue_id UUID, opinion_id UUID, linked_at DateTime64(6, 'UTC'), score Nullable(Float32),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY (issue_id, opinion_id) SETTINGS {{.Durable}};

CREATE TABLE f_issue_event{{.OnCluster}} (
    issue_id UUID, seq Int32, kind LowCardinality(String), from_state LowCardinality(Nullable(String)), to_state LowCardinality(String),
    at DateTime64(6, 'UTC'), known_at DateTime64(6, 'UTC'), recorded_at DateTime64(6, 'UTC'),
    actor_role LowCardinality(String), actor_unit_id Nullable(UUID), reason_code LowCardinality(Nullable(String)),
    closure_type LowCardinality(Nullable(String)),
    origin_at DateTime64(6, 'UTC'), first_response_at Nullable(DateTime64(6, 'UTC')), claimed_at Nullable(DateTime64(6, 'UTC')),
    resolved_at Nullable(DateTime64(6, 'UTC')), closed_at Nullable(DateTime64(6, 'UTC')),
    merged_into_id Nullable(UUID), lead_unit_id Nullable(UUID), paused_since Nullable(DateTime64(6, 'UTC')), paused_seconds Int64,
    return_count Int32, dispute_count Int32, reopen_count Int32, escalation_level Int32, opinion_count Int32,
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY (issue_id, seq) SETTINGS {{.Durable}};

CREATE TABLE f_claim{{.OnCluster}} (
    id UUID, issue_id UUID, n Int32, kind LowCardinality(Nullable(String)), source LowCardinality(String),
    claimed_at DateTime64(6, 'UTC'), claimed_precision LowCardinality(String), unit_id Nullable(UUID), created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

CREATE TABLE f_callback_attempt{{.OnCluster}} (
    id UUID, claim_id UUID, at DateTime64(6, 'UTC'), method LowCardinality(String), agent_unit_id Nullable(UUID), outcome LowCardinality(String), created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

CREATE TABLE f_feedback{{.OnCluster}} (
    id UUID, claim_id UUID, issue_id UUID, resolved LowCardinality(String), satisfaction Nullable(Int32),
    pressured LowCardinality(String), collected_by LowCardinality(String), collected_unit_id Nullable(UUID), at DateTime64(6, 'UTC'), created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

-- +goose Down
SELECT throwIf(1, 'forward only');
