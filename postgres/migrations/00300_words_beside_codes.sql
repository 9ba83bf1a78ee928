-- Why somebody did something is said in their own words, which do not leave for the warehouse; only the system gives codes, which do.
-- Both stood in issue_event.reason_code, which is published. The words move to a column that is not.

-- +goose Up
ALTER TABLE issue_event ADD COLUMN reason text;
COMMENT ON COLUMN issue_event.reason IS 'Why, in the words of whoever did it. Not published.';
COMMENT ON COLUMN issue_event.reason_code IS 'Why, as a code of the system; null for what people did. Published.';

-- The stream carries the rows that lose their words, as it carries what retention takes away.
SELECT set_config('groundwork.purpose', 'migration 00300: words of people move from reason_code to reason', true);
ALTER TABLE issue_event DISABLE TRIGGER issue_event_forgets;
UPDATE issue_event SET reason = reason_code, reason_code = NULL WHERE actor_role <> 'SYSTEM' AND reason_code IS NOT NULL;
ALTER TABLE issue_event ENABLE TRIGGER issue_event_forgets;
ALTER TABLE issue_event
    ADD CONSTRAINT issue_event_codes_are_the_systems CHECK (reason_code IS NULL OR actor_role = 'SYSTEM' AND reason_code ~ '^[A-Z0-9_]+$'),
    ADD CONSTRAINT issue_event_words_are_peoples CHECK (reason IS NULL OR actor_role <> 'SYSTEM');

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION issue_event_forgets() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    less issue_event := OLD;
BEGIN
    IF NEW.payload = OLD.payload - retention.words() THEN
        less.payload := NEW.payload;
    END IF;
    IF NEW.actor = 'erased' AND OLD.actor_role = 'CITIZEN' THEN
        less.actor := NEW.actor;
    END IF;
    IF NEW.reason IS NULL THEN
        less.reason := NULL;
    END IF;
    IF NEW IS DISTINCT FROM less THEN
        RAISE EXCEPTION 'issue_event is append-only: correct with a compensating event' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

-- issue_words takes away the free words of the course of some issues. Hashes of files stay; of a citizen's answer, what is counted.
CREATE OR REPLACE FUNCTION retention.issue_words(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.claim SET text = '', legal_basis = CASE WHEN legal_basis IS NOT NULL THEN 'erased' END, appeal_notice = CASE WHEN appeal_notice IS NOT NULL THEN 'erased' END, receipt = CASE WHEN receipt IS NOT NULL THEN 'erased' END,
        evidence = ARRAY(SELECT CASE WHEN name LIKE 'sha256:%' THEN name ELSE 'erased' END FROM unnest(evidence) WITH ORDINALITY AS e (name, n) ORDER BY n)
        WHERE issue_id = ANY (ids);
    UPDATE public.feedback SET comment = NULL WHERE issue_id = ANY (ids) AND comment IS NOT NULL;
    UPDATE public.issue_event SET payload = payload - retention.words(), reason = NULL
        WHERE issue_id = ANY (ids) AND (payload ?| retention.words() OR reason IS NOT NULL);
END $$;
-- +goose StatementEnd

-- +goose Down
SELECT 1 / 0; -- forward only
