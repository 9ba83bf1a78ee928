-- Units are listed by the region that they lie under, and a unit that goes is looked for among the units below it: both read the whole table for each
-- row, which made the deletion of some thousand units take a minute.

-- +goose Up
CREATE INDEX org_unit_region ON org_unit (region_id);
CREATE INDEX org_unit_parent ON org_unit (parent_id);

-- +goose Down
SELECT 1 / 0; -- forward only
