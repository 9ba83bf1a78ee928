-- Breaking the glass: a role that may not see a confidential thing opens it with a reason, for a day at most. The privacy officer is told, and may
-- end it. It ends by itself: whether it is open is asked at each reading.

-- +goose Up
CREATE TABLE glass (
    id         uuid PRIMARY KEY,
    opinion_id uuid REFERENCES opinion ON DELETE CASCADE,
    issue_id   uuid REFERENCES issue ON DELETE CASCADE,
    account    text NOT NULL CHECK (account NOT IN ('', 'anonymous')),
    role       text NOT NULL CHECK (role NOT IN ('CITIZEN', 'RESEARCHER', 'SYSTEM')),
    reason     text NOT NULL CHECK (length(trim(reason)) >= 8),
    opened_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > opened_at AND expires_at <= opened_at + interval '24 hours'),
    revoked_at timestamptz CHECK (revoked_at >= opened_at),
    revoked_by text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(opinion_id, issue_id) = 1),
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
CREATE INDEX glass_opened ON glass (opened_at DESC, id DESC);
CREATE INDEX glass_account ON glass (account, role, expires_at);
COMMENT ON COLUMN glass.issue_id IS 'Opens all that is confidential in the issue: words of its opinions, reasons and details of its steps.';
SELECT audit.watch('glass', 'id');

-- +goose StatementBegin
CREATE FUNCTION glass_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.revoked_at IS NOT NULL
        OR (OLD.id, OLD.account, OLD.role, OLD.reason, OLD.opened_at, OLD.expires_at, OLD.opinion_id, OLD.issue_id)
            IS DISTINCT FROM (NEW.id, NEW.account, NEW.role, NEW.reason, NEW.opened_at, NEW.expires_at, NEW.opinion_id, NEW.issue_id) THEN
        RAISE EXCEPTION 'glass %: what was broken stays on record; it can only be revoked, once', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER glass_stays BEFORE UPDATE ON glass FOR EACH ROW EXECUTE FUNCTION glass_stays();

-- The privacy officer is told.
ALTER TABLE notification
    ALTER COLUMN issue_id DROP NOT NULL,
    ALTER COLUMN issue_seq DROP NOT NULL,
    ADD COLUMN glass_id uuid UNIQUE REFERENCES glass ON DELETE CASCADE,
    DROP CONSTRAINT notification_kind_check,
    ADD CONSTRAINT notification_kind_check CHECK (kind IN ('ESCALATED', 'URGED_TO_WITHDRAW', 'PLAN_PROPOSED', 'PLAN_ENDED', 'AUTO_ACCEPTED', 'GLASS_BROKEN')),
    ADD CHECK ((kind = 'GLASS_BROKEN') = (glass_id IS NOT NULL)),
    ADD CHECK (kind = 'GLASS_BROKEN' OR issue_id IS NOT NULL AND issue_seq IS NOT NULL);

-- +goose Down
SELECT 1 / 0; -- forward only
