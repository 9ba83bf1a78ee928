-- How long what is personal is kept. Each kind has a period, which operators set; what has rested for longer loses who it was and what was said in free
-- words, and keeps everything that is counted: the columns that are published do not change. What is done is done in one transaction a batch, by
-- one door, for the chores alone; the triggers of the audit note it with the rule and the moment.

-- +goose Up
CREATE SCHEMA retention;

CREATE TABLE retention.rule (
    kind        text PRIMARY KEY CHECK (kind IN ('REPORTER_IDENTITY', 'OPINION_WORDS', 'ISSUE_WORDS', 'OFFICIAL_NAME')),
    months      int NOT NULL CHECK (months BETWEEN 1 AND 1200),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL DEFAULT current_user
);
COMMENT ON TABLE retention.rule IS 'How many months each kind is kept after it came to rest.';
INSERT INTO retention.rule (kind, months) VALUES ('REPORTER_IDENTITY', 24), ('OPINION_WORDS', 24), ('ISSUE_WORDS', 24), ('OFFICIAL_NAME', 60);

CREATE TABLE retention.hold (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    issue_id    uuid NOT NULL REFERENCES issue ON DELETE CASCADE,
    reason      text NOT NULL CHECK (length(trim(reason)) >= 8),
    placed_at   timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL DEFAULT current_user,
    lifted_at   timestamptz CHECK (lifted_at >= placed_at),
    lifted_by   text,
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);
CREATE UNIQUE INDEX hold_standing ON retention.hold (issue_id) WHERE lifted_at IS NULL;
COMMENT ON TABLE retention.hold IS 'Legal holds: while one stands, nothing of the issue, nor of those merged into it, is taken away. An appeal that runs is one.';

SELECT audit.watch('retention.rule', 'kind'), audit.watch('retention.hold', 'issue_id');

ALTER TABLE opinion ADD COLUMN redacted_at timestamptz, DROP CONSTRAINT opinion_check,
    ADD CONSTRAINT opinion_says_something CHECK (subject <> '' OR text <> '' OR source LIKE 'open311%' OR redacted_at IS NOT NULL);
ALTER TABLE issue ADD COLUMN redacted_at timestamptz;
COMMENT ON COLUMN opinion.redacted_at IS 'When its words and its exact place were taken away, as the rules of retention say.';
COMMENT ON COLUMN issue.redacted_at IS 'When the words of its course were taken away.';
CREATE INDEX opinion_unredacted ON opinion (received_at) WHERE redacted_at IS NULL;
CREATE INDEX issue_unredacted ON issue (closed_at) WHERE redacted_at IS NULL AND state IN ('CLOSED', 'MERGED');
CREATE INDEX discussion_post_author ON discussion_post (author_pid) WHERE author_pid IS NOT NULL;

-- An event may lose what was said in free words, and the account of a citizen; a post in a discussion the latter. Nothing else of them ever changes, whoever tries.
-- +goose StatementBegin
CREATE FUNCTION retention.words() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT '{question,comment,text,override_reason,duty_list}'::text[]
$$;

CREATE FUNCTION issue_event_forgets() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    less issue_event := OLD;
BEGIN
    IF NEW.payload = OLD.payload - retention.words() THEN
        less.payload := NEW.payload;
    END IF;
    IF NEW.actor = 'erased' AND OLD.actor_role = 'CITIZEN' THEN
        less.actor := NEW.actor;
    END IF;
    IF NEW IS DISTINCT FROM less THEN
        RAISE EXCEPTION 'issue_event is append-only: correct with a compensating event' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION discussion_post_stays() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    kept discussion_post := OLD;
BEGIN
    IF NEW.recorded_by = 'erased' AND OLD.author_role = 'CITIZEN' THEN
        kept.recorded_by := NEW.recorded_by;
    END IF;
    IF NEW IS DISTINCT FROM kept THEN
        RAISE EXCEPTION 'discussion_post is append-only' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
DROP TRIGGER discussion_post_append_only ON discussion_post;
CREATE TRIGGER discussion_post_append_only BEFORE DELETE ON discussion_post FOR EACH ROW EXECUTE FUNCTION is_append_only();
CREATE TRIGGER discussion_post_stays BEFORE UPDATE ON discussion_post FOR EACH ROW EXECUTE FUNCTION discussion_post_stays();
DROP TRIGGER issue_event_append_only ON issue_event;
CREATE TRIGGER issue_event_append_only BEFORE INSERT OR DELETE ON issue_event FOR EACH ROW EXECUTE FUNCTION issue_event_append_only();
CREATE TRIGGER issue_event_forgets BEFORE UPDATE ON issue_event FOR EACH ROW EXECUTE FUNCTION issue_event_forgets();

-- Who collected a verdict is judged when that is written, not when a comment is taken away.
DROP TRIGGER feedback_independent ON feedback;
CREATE TRIGGER feedback_independent BEFORE INSERT OR UPDATE OF issue_id, collected_by, collected_unit_id ON feedback FOR EACH ROW
    WHEN (NEW.collected_by = 'INDEPENDENT') EXECUTE FUNCTION feedback_independent();

-- What rests, and since when -----------------------------------------------------------------------------------------------

-- +goose StatementBegin
-- end_of is when the issue was closed that a merged one went into; null while it is open, or held.
CREATE FUNCTION retention.end_of(merged uuid) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    WITH RECURSIVE chain AS (
        SELECT i.id, i.closed_at, i.merged_into_id FROM public.issue i WHERE i.id = merged
        UNION SELECT i.id, i.closed_at, i.merged_into_id FROM chain c JOIN public.issue i ON i.id = c.merged_into_id
    ) SELECT max(closed_at) FROM chain HAVING NOT EXISTS (SELECT FROM retention.hold h JOIN chain c ON c.id = h.issue_id WHERE h.lifted_at IS NULL)
$$;
-- +goose StatementEnd

CREATE VIEW retention.resting_issue AS
    SELECT * FROM (SELECT i.id, i.redacted_at, CASE i.state WHEN 'CLOSED' THEN i.closed_at ELSE retention.end_of(i.id) END AS since
        FROM public.issue i WHERE i.state IN ('CLOSED', 'MERGED')
            AND NOT EXISTS (SELECT FROM retention.hold h WHERE h.issue_id = i.id AND h.lifted_at IS NULL)
            AND NOT EXISTS (SELECT FROM public.glass g WHERE g.issue_id = i.id AND g.revoked_at IS NULL AND g.expires_at > now())) resting
    WHERE since IS NOT NULL;
COMMENT ON VIEW retention.resting_issue IS 'Issues that are closed, but for those under a legal hold and those that somebody reads by a broken glass.';

CREATE VIEW retention.resting_opinion AS
    SELECT o.id, o.redacted_at, o.received_at, coalesce(i.since, o.received_at) AS since
    FROM public.opinion o LEFT JOIN public.issue_opinion l ON l.opinion_id = o.id LEFT JOIN retention.resting_issue i ON i.id = l.issue_id
    WHERE (l.issue_id IS NULL OR i.id IS NOT NULL)
        AND NOT EXISTS (SELECT FROM public.glass g WHERE g.opinion_id = o.id AND g.revoked_at IS NULL AND g.expires_at > now());
COMMENT ON VIEW retention.resting_opinion IS 'Opinions whose issue rests, or that never became one.';

CREATE VIEW retention.reporter AS
    SELECT pid, min(created_at) AS created_at FROM (SELECT pid, created_at FROM vault.reporter UNION ALL SELECT pid, created_at FROM vault.identity) known GROUP BY pid;

-- +goose StatementBegin
-- due lists what of a kind has rested since before a moment: at most so many, among some alone if those are given.
CREATE FUNCTION retention.due(of_kind text, before timestamptz, at_most bigint, among uuid[] DEFAULT NULL) RETURNS SETOF uuid LANGUAGE plpgsql STABLE AS $$
BEGIN
    CASE of_kind
    WHEN 'OPINION_WORDS' THEN
        RETURN QUERY SELECT o.id FROM retention.resting_opinion o
            WHERE o.redacted_at IS NULL AND o.received_at <= before AND o.since <= before AND (among IS NULL OR o.id = ANY (among)) LIMIT at_most;
    WHEN 'ISSUE_WORDS' THEN
        RETURN QUERY SELECT i.id FROM retention.resting_issue i WHERE i.redacted_at IS NULL AND i.since <= before AND (among IS NULL OR i.id = ANY (among)) LIMIT at_most;
    WHEN 'REPORTER_IDENTITY' THEN
        RETURN QUERY SELECT r.pid FROM retention.reporter r
            WHERE (among IS NULL OR r.pid = ANY (among))
                AND CASE WHEN EXISTS (SELECT FROM public.opinion o WHERE o.reporter_pid = r.pid)
                    THEN NOT EXISTS (SELECT FROM public.opinion o WHERE o.reporter_pid = r.pid
                        AND NOT EXISTS (SELECT FROM retention.resting_opinion resting WHERE resting.id = o.id AND resting.since <= before))
                    ELSE r.created_at <= before END
                AND NOT EXISTS (SELECT FROM public.discussion_post p WHERE p.author_pid = r.pid AND p.at > before)
            LIMIT at_most;
    WHEN 'OFFICIAL_NAME' THEN
        RETURN QUERY SELECT n.official_id FROM vault.official_identity n
            WHERE (among IS NULL OR n.official_id = ANY (among))
                AND coalesce((SELECT max(coalesce(h.held_to, 'infinity')) FROM public.post_holding h WHERE h.official_id = n.official_id), n.created_at::date) <= before::date
            LIMIT at_most;
    END CASE;
END $$;

-- before is up to when what rests is due, as the rule of the kind says at a moment, which must not lie in the future.
CREATE FUNCTION retention.before(of_kind text, as_of timestamptz) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF as_of > now() + interval '10 minutes' THEN -- clocks differ
        RAISE EXCEPTION 'as_of % lies in the future: what is taken away does not come back', as_of USING ERRCODE = 'check_violation';
    END IF;
    RETURN (SELECT as_of - make_interval(months => r.months) FROM retention.rule r WHERE r.kind = of_kind);
END $$;

-- count says how much is due; it changes nothing.
CREATE FUNCTION retention.count(of_kind text, as_of timestamptz) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(*) FROM retention.due(of_kind, retention.before(of_kind, as_of), NULL)
$$;

-- forget takes away who some reporters are: what the vault knows of them, and their account wherever it stands beside what they said.
CREATE FUNCTION retention.forget(pids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    who record;
    said uuid[];
    about uuid[];
BEGIN
    FOR who IN SELECT r.pid, r.external_key AS account FROM vault.reporter r WHERE r.pid = ANY (pids) AND r.source = 'groundwork' LOOP
        said := ARRAY(SELECT o.id FROM public.opinion o WHERE o.reporter_pid = who.pid);
        about := ARRAY(SELECT l.issue_id FROM public.issue_opinion l WHERE l.opinion_id = ANY (said));
        UPDATE public.opinion SET recorded_by = 'erased' WHERE id = ANY (said) AND recorded_by = who.account;
        UPDATE public.issue SET recorded_by = 'erased' WHERE id = ANY (about) AND recorded_by = who.account;
        UPDATE public.issue_opinion SET linked_by = 'erased' WHERE issue_id = ANY (about) AND linked_by = who.account;
        UPDATE public.issue_event SET actor = 'erased'
            WHERE issue_id = ANY (about) AND actor = who.account AND actor_role = 'CITIZEN';
        UPDATE public.feedback SET recorded_by = 'erased' WHERE issue_id = ANY (about) AND recorded_by = who.account AND reporter_pid = who.pid;
        UPDATE public.discussion_post SET recorded_by = 'erased' WHERE author_pid = who.pid AND recorded_by = who.account;
        DELETE FROM public.mutation_receipt WHERE actor = who.account AND entity_id = ANY (said || about);
    END LOOP;
    DELETE FROM vault.identity WHERE pid = ANY (pids);
    DELETE FROM vault.reporter WHERE pid = ANY (pids);
END $$;

-- apply does one batch of a kind and says how much. Whoever moves an issue meanwhile waits, or is waited for: then it is judged again.
CREATE FUNCTION retention.apply(of_kind text, as_of timestamptz, at_most bigint) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before timestamptz := retention.before(of_kind, as_of);
    due uuid[] := ARRAY(SELECT retention.due(of_kind, before, at_most));
BEGIN
    PERFORM FROM issue WHERE id IN (SELECT unnest(due)
        UNION SELECT l.issue_id FROM issue_opinion l WHERE l.opinion_id = ANY (due)
        UNION SELECT l.issue_id FROM issue_opinion l JOIN opinion o ON o.id = l.opinion_id WHERE o.reporter_pid = ANY (due)) ORDER BY id FOR UPDATE;
    PERFORM FROM opinion WHERE id = ANY (due) ORDER BY id FOR UPDATE;
    PERFORM FROM vault.reporter WHERE pid = ANY (due) ORDER BY pid FOR UPDATE;
    due := ARRAY(SELECT retention.due(of_kind, before, NULL, due));
    PERFORM set_config('groundwork.operation', 'retention', true), set_config('groundwork.purpose',
        format('%s: kept %s months, as of %s', of_kind, (SELECT months FROM retention.rule WHERE kind = of_kind), to_char(as_of AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')), true);
    CASE of_kind
    WHEN 'OPINION_WORDS' THEN
        UPDATE opinion SET subject = '', text = '', latitude = round(latitude::numeric, 2), longitude = round(longitude::numeric, 2),
            precision_m = CASE WHEN latitude IS NULL THEN precision_m ELSE greatest(precision_m, 1000) END, redacted_at = as_of WHERE id = ANY (due);
    WHEN 'ISSUE_WORDS' THEN
        UPDATE issue SET title = coalesce((SELECT c.name FROM category c WHERE c.id = category_id), ''), redacted_at = as_of WHERE id = ANY (due);
        UPDATE claim SET text = '' WHERE issue_id = ANY (due) AND text <> '';
        UPDATE feedback SET comment = NULL WHERE issue_id = ANY (due) AND comment IS NOT NULL;
        UPDATE issue_event SET payload = payload - retention.words() WHERE issue_id = ANY (due) AND payload ?| retention.words();
    WHEN 'REPORTER_IDENTITY' THEN
        PERFORM retention.forget(due);
    WHEN 'OFFICIAL_NAME' THEN
        DELETE FROM vault.official_identity WHERE official_id = ANY (due);
    END CASE;
    RETURN cardinality(due);
END $$;

-- Nobody takes up a pseudonym that is being forgotten: whoever asks for it locks it, and gets a new one if it is gone.
CREATE OR REPLACE FUNCTION vault.pseudonyms(of_source text, keys text[]) RETURNS TABLE (external_key text, pid uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    known int;
BEGIN
    LOOP
        INSERT INTO vault.reporter (pid, source, external_key)
        SELECT gen_random_uuid(), of_source, k FROM unnest(keys) AS k
        WHERE NOT EXISTS (SELECT FROM vault.reporter r WHERE r.source = of_source AND r.external_key = k)
        ON CONFLICT (source, external_key) DO NOTHING;
        SELECT count(*) INTO known FROM (SELECT FROM vault.reporter r WHERE r.source = of_source AND r.external_key = ANY (keys) ORDER BY r.pid FOR KEY SHARE) locked;
        EXIT WHEN known = (SELECT count(DISTINCT k) FROM unnest(keys) AS k);
    END LOOP;
    RETURN QUERY SELECT r.external_key, r.pid FROM vault.reporter r WHERE r.source = of_source AND r.external_key = ANY (keys);
END $$;
-- +goose StatementEnd
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA retention FROM PUBLIC;

-- +goose Down
SELECT 1 / 0; -- forward only
