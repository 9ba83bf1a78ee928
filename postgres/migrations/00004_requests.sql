-- What every write has in common: a request that comes again is answered again (mutation_receipt), and every noun with a life keeps
-- its history (entity_event; issues keep theirs in issue_event).

-- +goose Up
CREATE TABLE mutation_receipt (
    actor              text NOT NULL,
    client_mutation_id text NOT NULL CHECK (length(client_mutation_id) BETWEEN 1 AND 200),
    operation          text NOT NULL,
    sha256             text NOT NULL,
    entity_id          uuid NOT NULL,
    at                 timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (actor, client_mutation_id)
);
CREATE INDEX mutation_receipt_at ON mutation_receipt (at);
COMMENT ON TABLE mutation_receipt IS 'Requests that were done, by the id that the client gave. They may be forgotten after some weeks.';
COMMENT ON COLUMN mutation_receipt.sha256 IS 'Of what was asked, so that the same id with other content is refused.';

INSERT INTO mutation_receipt (actor, client_mutation_id, operation, sha256, entity_id, at)
SELECT actor, client_mutation_id, 'step', client_mutation_sha256, issue_id, recorded_at
FROM issue_event WHERE client_mutation_id IS NOT NULL;
ALTER TABLE issue_event DROP COLUMN client_mutation_id, DROP COLUMN client_mutation_sha256;

CREATE TABLE entity_event (
    noun          text NOT NULL CHECK (noun <> ''),
    entity_id     uuid NOT NULL,
    seq           int  NOT NULL CHECK (seq >= 1),
    kind          text NOT NULL CHECK (kind <> ''),
    from_state    text,
    to_state      text NOT NULL,
    at            timestamptz NOT NULL,
    recorded_at   timestamptz NOT NULL DEFAULT now(),
    actor         text NOT NULL,
    actor_role    text NOT NULL,
    actor_unit_id uuid REFERENCES org_unit,
    reason        text,
    payload       jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (noun, entity_id, seq),
    CHECK ((seq = 1) = (from_state IS NULL))
);
COMMENT ON TABLE entity_event IS 'The lives of visits, slots, campaigns and all other nouns but issues: append-only, gap-free; seq = the noun''s version.';

-- +goose StatementBegin
CREATE FUNCTION entity_event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last entity_event;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'entity_event is append-only: correct with another step' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT * INTO last FROM entity_event WHERE noun = NEW.noun AND entity_id = NEW.entity_id ORDER BY seq DESC LIMIT 1;
    IF NEW.seq <> coalesce(last.seq, 0) + 1 THEN
        RAISE EXCEPTION 'entity_event: event % of % % does not follow event %', NEW.seq, NEW.noun, NEW.entity_id, coalesce(last.seq, 0) USING ERRCODE = 'serialization_failure';
    END IF;
    IF NEW.from_state IS DISTINCT FROM last.to_state THEN
        RAISE EXCEPTION 'entity_event: % % stands at %, not at %', NEW.noun, NEW.entity_id, last.to_state, NEW.from_state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER entity_event_append_only BEFORE INSERT OR UPDATE OR DELETE ON entity_event FOR EACH ROW EXECUTE FUNCTION entity_event_append_only();
CREATE TRIGGER entity_event_no_truncate BEFORE TRUNCATE ON entity_event FOR EACH STATEMENT EXECUTE FUNCTION issue_event_no_truncate();

-- +goose Down
SELECT 1 / 0; -- forward only
