-- The words of opinions, by which a topic that people speak of more than before is found (docs/decisions/0380-topic-pulse.md). A chore reads them. What is kept of
-- a word is its hash by a key that stays here: that alone leaves for the warehouse. The word itself is looked up in what eleven people or more wrote.

-- +goose Up
CREATE TABLE opinion_unread (
    opinion_id uuid PRIMARY KEY REFERENCES opinion ON DELETE CASCADE
);
COMMENT ON TABLE opinion_unread IS 'Opinions whose words are still to be read. What was told in confidence is not read.';

CREATE TABLE opinion_terms (
    opinion_id   uuid PRIMARY KEY REFERENCES opinion ON DELETE CASCADE,
    day          int NOT NULL,
    received_at  timestamptz NOT NULL,
    region_id    uuid REFERENCES region,
    reporter_pid uuid,
    terms        bigint[] NOT NULL,
    reader       int NOT NULL,
    UNIQUE (day, opinion_id)
);
ALTER TABLE opinion_terms REPLICA IDENTITY USING INDEX opinion_terms_day_opinion_id_key;
COMMENT ON TABLE opinion_terms IS 'The words of an opinion, by their keyed hashes. What is counted of the opinion stands beside them, so that the warehouse reads the days asked for and nothing else.';
COMMENT ON COLUMN opinion_terms.day IS 'received_at as YYYYMMDD of UTC; the mirror is sorted by it.';
COMMENT ON COLUMN opinion_terms.reporter_pid IS 'Null where nobody had to show an account: it may be the same person each time.';
COMMENT ON COLUMN opinion_terms.reader IS 'Version of what read the words.';

CREATE TABLE vault.term_key (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    key bytea NOT NULL CHECK (length(key) = 32)
);
COMMENT ON TABLE vault.term_key IS 'One row. Whoever knows the key can find out what a term of the warehouse stands for by trying words.';
INSERT INTO vault.term_key (key) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
SELECT audit.watch('vault.term_key', 'one');

-- +goose StatementBegin
CREATE FUNCTION opinion_is_unread() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO opinion_unread (opinion_id) SELECT id FROM received WHERE confidentiality <> 'CONFIDENTIAL' AND redacted_at IS NULL
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- What was said in free words goes, and its terms with it.
CREATE FUNCTION opinion_terms_go() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM opinion_unread WHERE opinion_id = NEW.id;
    UPDATE opinion_terms SET terms = '{}' WHERE opinion_id = NEW.id AND terms <> '{}';
    RETURN NULL;
END $$;

-- terms_of makes terms of words: 64 bits of a hash by the key.
CREATE FUNCTION terms_of(words text[]) RETURNS bigint[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(('x' || encode(substr(sha256(k.key || sha256(k.key || convert_to(word, 'UTF8'))), 1, 8), 'hex'))::bit(64)::bigint ORDER BY n), '{}')
    FROM unnest(words) WITH ORDINALITY AS given (word, n), vault.term_key k
$$;

-- topic_words gives the words of those terms that at least eleven known reporters of some opinions use.
CREATE FUNCTION topic_words(words text[], opinions uuid[]) RETURNS TABLE (term bigint, word text) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT said.term, given.word
    FROM (SELECT used.term FROM opinion_terms t, unnest(t.terms) AS used (term) WHERE t.opinion_id = ANY (opinions)
        GROUP BY used.term HAVING count(DISTINCT t.reporter_pid) >= 11) said
    JOIN unnest(words, terms_of(words)) AS given (word, term) ON given.term = said.term
$$;

CREATE FUNCTION unread_opinions(at_most int) RETURNS int LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(*)::int FROM (SELECT FROM opinion_unread LIMIT at_most) unread
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION terms_of, topic_words, unread_opinions FROM PUBLIC;

CREATE TRIGGER opinion_is_unread AFTER INSERT ON opinion REFERENCING NEW TABLE AS received FOR EACH STATEMENT EXECUTE FUNCTION opinion_is_unread();
ALTER TABLE opinion ENABLE ALWAYS TRIGGER opinion_is_unread; -- what is loaded in bulk, with triggers put aside, is read too
CREATE TRIGGER opinion_terms_go AFTER UPDATE OF redacted_at ON opinion FOR EACH ROW WHEN (NEW.redacted_at IS NOT NULL) EXECUTE FUNCTION opinion_terms_go();

INSERT INTO opinion_unread (opinion_id) SELECT id FROM opinion WHERE confidentiality <> 'CONFIDENTIAL' AND redacted_at IS NULL;

ALTER PUBLICATION groundwork ADD TABLE opinion_terms (opinion_id, day, received_at, region_id, reporter_pid, terms, reader);

-- +goose Down
SELECT 1 / 0; -- forward only
