-- Whom another application names (by e-mail, phone or device) stands in the vault no longer in clear: only a keyed hash of it, by which the same person is
-- found again. The key is not in the database, so rows that are there are hashed by groundwork migrate, which has it. What the person said of
-- itself is kept encrypted in vault.identity.

-- +goose Up
ALTER TABLE vault.reporter ADD CONSTRAINT reporter_key_is_hashed CHECK (source NOT LIKE 'open311:%' OR external_key LIKE 'hmac:%') NOT VALID;

-- +goose Down
SELECT 1 / 0; -- forward only
