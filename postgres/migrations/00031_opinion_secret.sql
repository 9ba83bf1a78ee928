-- Whoever gave an opinion without an account proves it by a secret, which is shown once: so it can be followed, and the issue confirmed,
-- disputed, withdrawn and reopened, by nobody else.

-- +goose Up
ALTER TABLE opinion ADD COLUMN secret_digest bytea CHECK (length(secret_digest) = 32);
CREATE UNIQUE INDEX opinion_secret ON opinion (secret_digest) WHERE secret_digest IS NOT NULL;
COMMENT ON COLUMN opinion.secret_digest IS 'SHA-256 of the secret, which is kept nowhere. It has 130 random bits, so there is nothing to guess.';

-- +goose Down
SELECT 1 / 0; -- forward only
