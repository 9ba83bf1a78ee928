-- Other applications file requests over Open311: each under an account, by a key of which only the digest is kept. And the key by
-- which the places of issues are displaced before the public sees them: made here once, so that a place moves the same way each time.

-- +goose Up
CREATE TABLE api_key (
    id           uuid PRIMARY KEY,
    account      text NOT NULL CHECK (account ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    digest       bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
    scopes       text[] NOT NULL CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['OPEN311']),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz CHECK (expires_at > created_at),
    revoked_at   timestamptz,
    last_used_at timestamptz,
    recorded_by  text NOT NULL DEFAULT current_user
);
CREATE INDEX api_key_created ON api_key (created_at DESC, id DESC);
COMMENT ON COLUMN api_key.digest IS 'SHA-256 of the key, which was shown once and is kept nowhere.';
COMMENT ON COLUMN api_key.last_used_at IS 'To the hour, so that an application that files often does not contend for this row.';

CREATE TABLE displacement_key (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    key  bytea NOT NULL CHECK (length(key) = 32)
);
COMMENT ON TABLE displacement_key IS 'One row. Whoever knows the key can undo the displacement of places: as secret as the places themselves.';
INSERT INTO displacement_key (key) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- +goose Down
SELECT 1 / 0; -- forward only
