-- Which files were uploaded as evidence. What they hold lies outside the database, by its hash; nothing of it is replicated.

-- +goose Up
-- own: recorded_by; others read by role (groundwork.ReadsAllEvidence)
CREATE TABLE evidence_file (
    sha256      text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    size        bigint NOT NULL CHECK (size > 0),
    media_type  text NOT NULL CHECK (media_type <> ''),
    created_at  timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL DEFAULT current_user,
    PRIMARY KEY (sha256, recorded_by)
);
COMMENT ON TABLE evidence_file IS 'One row for each account that uploaded the file: whoever did may read it again.';

-- +goose Down
SELECT 1 / 0; -- forward only
