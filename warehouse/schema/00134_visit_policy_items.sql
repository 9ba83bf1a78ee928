-- Mirror of the policies that were talked of at visits, for measure F1 (postgres/migrations/00134_visit_policy_items.sql).

-- +goose Up
CREATE TABLE f_visit_policy_item{{.OnCluster}} (
    id UUID, visit_id UUID, policy_version_id UUID, questions_asked Int32, answered Int32, created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY id SETTINGS {{.Durable}};

-- +goose Down
SELECT throwIf(1, 'forward only');
