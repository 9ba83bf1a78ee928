-- Mirrors of the rota, of who took part in visits, and of what others attest of them (postgres/migrations/00015_rota.sql).

-- +goose Up
CREATE TABLE d_rota_plan{{.OnCluster}} (
    id UUID, version Int32, region_id UUID, rank LowCardinality(String), activity_kind LowCardinality(String), cadence LowCardinality(String),
    site_kind LowCardinality(Nullable(String)), period_from Date32, period_to Date32, created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

CREATE TABLE f_slot{{.OnCluster}} (
    id UUID, plan_id UUID, post_id UUID, activity_kind LowCardinality(String), site_kind LowCardinality(Nullable(String)), region_id UUID,
    window_from Date32, window_to Date32, state LowCardinality(String), visit_id Nullable(UUID), swapped_for_id Nullable(UUID), version Int32, created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

CREATE TABLE f_visit_participant{{.OnCluster}} (
    visit_id UUID, post_id UUID,
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY (visit_id, post_id) SETTINGS {{.Durable}};

CREATE TABLE f_attestation{{.OnCluster}} (
    id UUID, visit_id UUID, voice LowCardinality(String), says LowCardinality(String), nothing_raised Bool, at DateTime64(6, 'UTC'), created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

-- +goose Down
SELECT throwIf(1, 'forward only');
