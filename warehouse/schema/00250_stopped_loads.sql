-- etl_load knows stopped tables too: too many of their rows were set aside.

-- +goose Up
ALTER TABLE etl_load{{.OnCluster}} COMMENT COLUMN state 'loading, rebuilding (the mirror is whole meanwhile), done or stopped';

-- +goose Down
SELECT throwIf(1, 'forward only');
