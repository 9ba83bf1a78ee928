-- Mirrors of changes of policy and what belongs to them (postgres/migrations/00019_policies.sql): for the estimators of policy
-- effect and of the road from evidence to policy.

-- +goose Up
CREATE TABLE f_policy_change{{.OnCluster}} (
    id UUID, policy_id UUID, owner_unit_id UUID, state LowCardinality(String), version Int32,
    outcome_measure LowCardinality(Nullable(String)), outcome_direction LowCardinality(Nullable(String)), minimal_effect Nullable(Float64),
    window_days Nullable(Int32), anticipation_days Nullable(Int32), pre_registered_at Nullable(DateTime64(6, 'UTC')), policy_version_id Nullable(UUID),
    proposed_at DateTime64(6, 'UTC'), consulted_at Nullable(DateTime64(6, 'UTC')), pilot_at Nullable(DateTime64(6, 'UTC')),
    adopted_at Nullable(DateTime64(6, 'UTC')), evaluated_at Nullable(DateTime64(6, 'UTC')), ended_at Nullable(DateTime64(6, 'UTC')), created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

CREATE TABLE f_policy_rollout{{.OnCluster}} (
    policy_change_id UUID, region_id UUID, effective_from Date32, created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY (policy_change_id, region_id) SETTINGS {{.Durable}};

CREATE TABLE f_evidence_link{{.OnCluster}} (
    id UUID, policy_change_id UUID, issue_id Nullable(UUID), visit_id Nullable(UUID), campaign_id Nullable(UUID), measure_snapshot_id Nullable(UUID),
    evidence_at DateTime64(6, 'UTC'), linked_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

CREATE TABLE f_policy_evaluation{{.OnCluster}} (
    policy_change_id UUID, evaluator_unit_id UUID, estimate Float64, ci_low Float64, ci_high Float64, treated_regions Int32, control_regions Int32,
    as_of DateTime64(6, 'UTC'), created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY policy_change_id SETTINGS {{.Durable}};

-- +goose Down
SELECT throwIf(1, 'forward only');
