-- The lot of the back-check comes with the visit (postgres/migrations/00370_back_check.sql).

-- +goose Up
ALTER TABLE f_visit{{.OnCluster}} ADD COLUMN drawn Nullable(Bool) AFTER created_at;

-- +goose Down
SELECT throwIf(1, 'forward only');
