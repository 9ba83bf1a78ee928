-- Mirrors of campaigns and what belongs to them (postgres/migrations/00018_campaigns.sql): for the estimators of effect.

-- +goose Up
CREATE TABLE f_campaign{{.OnCluster}} (
    id UUID, category_id Nullable(UUID), origin LowCardinality(String), lead_unit_id UUID,
    evidence Nullable(String), evidence_sha256 Nullable(String), evidence_as_of Nullable(DateTime64(6, 'UTC')),
    period_from Nullable(Date32), period_to Nullable(Date32), state LowCardinality(String), version Int32, reviews Int32, reviewer_unit_id Nullable(UUID),
    nominated_at DateTime64(6, 'UTC'), selected_at Nullable(DateTime64(6, 'UTC')), started_at Nullable(DateTime64(6, 'UTC')),
    review_at Nullable(DateTime64(6, 'UTC')), extended_at Nullable(DateTime64(6, 'UTC')), ended_at Nullable(DateTime64(6, 'UTC')), created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

CREATE TABLE f_campaign_region{{.OnCluster}} (
    campaign_id UUID, region_id UUID, role LowCardinality(String),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY (campaign_id, region_id) SETTINGS {{.Durable}};

CREATE TABLE f_campaign_criterion{{.OnCluster}} (
    campaign_id UUID, n Int32, measure LowCardinality(String), direction LowCardinality(String), threshold Float64, window_days Int32,
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY (campaign_id, n) SETTINGS {{.Durable}};

CREATE TABLE f_campaign_result{{.OnCluster}} (
    campaign_id UUID, review Int32, n Int32, value Float64, ci_low Nullable(Float64), ci_high Nullable(Float64), cases Int32,
    as_of DateTime64(6, 'UTC'), met Bool,
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY (campaign_id, review, n) SETTINGS {{.Durable}};

CREATE TABLE f_campaign_task{{.OnCluster}} (
    id UUID, campaign_id UUID, owner_unit_id Nullable(UUID), owner_post_id Nullable(UUID), due_at DateTime64(6, 'UTC'),
    done_at Nullable(DateTime64(6, 'UTC')), overdue_at Nullable(DateTime64(6, 'UTC')), state LowCardinality(String), version Int32, created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

CREATE TABLE f_campaign_issue{{.OnCluster}} (
    id UUID, campaign_id UUID, issue_id UUID, joined_at DateTime64(6, 'UTC'), left_at Nullable(DateTime64(6, 'UTC')),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

-- +goose Down
SELECT throwIf(1, 'forward only');
