-- The audited minimum comes with the category (postgres/migrations/00440_audited_minimum.sql).

-- +goose Up
ALTER TABLE d_category{{.OnCluster}} ADD COLUMN audited_minimum_minutes Nullable(Int32) AFTER created_at;

CREATE OR REPLACE VIEW pub_category{{.OnCluster}} (
    id UUID COMMENT 'Key of the category',
    code String COMMENT 'Code in the catalogue; the same code may stand in several versions',
    version Int32 COMMENT 'Version of the catalogue that the category belongs to',
    parent_id Nullable(UUID) COMMENT 'The category above; NULL at the top',
    name String COMMENT 'Name of the category alone',
    path Array(String) COMMENT 'Names from the top down to this category',
    valid_from Date32 COMMENT 'First day on which issues may be of this category',
    valid_to Nullable(Date32) COMMENT 'First day on which they no longer may; NULL if they still may',
    audited_minimum_minutes Nullable(Int32) COMMENT 'Shortest time, in minutes, in which an audit found that such a matter can be done; NULL = that of the nearest category above that has one, else 10'
) AS
SELECT id, code, version, parent_id, name, path, valid_from, valid_to, audited_minimum_minutes FROM d_category FINAL WHERE _deleted = 0
COMMENT 'Categories of issues';

-- +goose Down
SELECT throwIf(1, 'forward only');
