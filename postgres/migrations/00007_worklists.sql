-- What people work off, whatever the number of closed issues: open ones by due time, by place and by matter. Worklists and the search
-- for issues that an opinion may repeat read nothing else.

-- +goose Up
CREATE INDEX issue_open_due ON issue (coalesce(due_at, 'infinity'), id) WHERE state NOT IN ('CLOSED', 'MERGED');
CREATE INDEX issue_open_region ON issue (region_id, origin_at DESC, id DESC) WHERE state NOT IN ('CLOSED', 'MERGED');
CREATE INDEX issue_open_category ON issue (category_id, origin_at DESC, id DESC) WHERE state NOT IN ('CLOSED', 'MERGED');
CREATE INDEX issue_open_unit ON issue (lead_unit_id, coalesce(due_at, 'infinity'), id) WHERE state NOT IN ('CLOSED', 'MERGED');
CREATE INDEX issue_claimed ON issue (coalesce(due_at, 'infinity'), id) WHERE state = 'CLAIMED';
CREATE INDEX issue_registered ON issue (coalesce(due_at, 'infinity'), id) WHERE state = 'REGISTERED';

-- +goose Down
SELECT 1 / 0; -- forward only
