-- Words of people do not leave the system of record any more (its migration 00300); those that came before go.
-- The stream brings the same rows without them, so both sides agree whichever is first.

-- +goose Up
ALTER TABLE f_issue_event{{.OnCluster}} UPDATE reason_code = NULL WHERE actor_role != 'SYSTEM' AND reason_code IS NOT NULL SETTINGS mutations_sync = 2;

-- +goose Down
SELECT throwIf(1, 'forward only');
