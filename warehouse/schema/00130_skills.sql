-- Mirror of the skills of officials, for measure L1 alone (postgres/migrations/00130_skills.sql). Skills are seen by the official, assessors and
-- supervisors: no view for analysts and researchers is ever made of this table.

-- +goose Up
CREATE TABLE f_skill_record{{.OnCluster}} (
    id UUID, official_id UUID, ability LowCardinality(String), level Int32, at DateTime64(6, 'UTC'), created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

-- +goose Down
SELECT throwIf(1, 'forward only');
