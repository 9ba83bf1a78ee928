-- Row-level security: who reaches which rows (docs/decisions/0140-row-level-security.md). The policies themselves stand in access.sql and are made
-- anew by each migration that finds it changed. Here is what they rest on: whether anything of an issue was told in confidence, kept with
-- the issue so that no list has to look it up row by row.

-- +goose Up
CREATE SCHEMA access;

ALTER TABLE issue ADD COLUMN confidential boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN issue.confidential IS 'Some opinion on it is CONFIDENTIAL: it is for those alone who reported it or work on it. Kept by the trigger issue_takes_confidence.';

UPDATE issue SET confidential = true
WHERE id IN (SELECT link.issue_id FROM issue_opinion link JOIN opinion o ON o.id = link.opinion_id WHERE o.confidentiality = 'CONFIDENTIAL');

-- +goose StatementBegin
CREATE FUNCTION issue_takes_confidence() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM opinion WHERE id = NEW.opinion_id AND confidentiality = 'CONFIDENTIAL') THEN
        UPDATE issue SET confidential = true WHERE id = NEW.issue_id AND NOT confidential;
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER issue_takes_confidence AFTER INSERT ON issue_opinion FOR EACH ROW EXECUTE FUNCTION issue_takes_confidence();

-- +goose Down
SELECT 1 / 0; -- forward only
