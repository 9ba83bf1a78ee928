-- What retention left: notes of visits, posts of discussions, reasons that people gave in their own words, what claims say beside their text, and the
-- files of evidence. A file lies outside the database, so it goes in two steps, each of which may be repeated: it is marked (its uploads are forgotten, its hash is kept), and
-- what is marked is deleted in its store. Whoever brings or names the file meanwhile waits: nothing refers to a file that goes.

-- +goose Up
ALTER TABLE retention.rule DROP CONSTRAINT rule_kind_check,
    ADD CONSTRAINT rule_kind_check CHECK (kind IN ('REPORTER_IDENTITY', 'OPINION_WORDS', 'ISSUE_WORDS', 'VISIT_WORDS', 'POST_WORDS', 'HISTORY_REASONS', 'EVIDENCE_FILE', 'OFFICIAL_NAME'));
INSERT INTO retention.rule (kind, months) VALUES ('VISIT_WORDS', 24), ('POST_WORDS', 24), ('HISTORY_REASONS', 24), ('EVIDENCE_FILE', 24);

ALTER TABLE visit ADD COLUMN redacted_at timestamptz;
COMMENT ON COLUMN visit.redacted_at IS 'When its note and the reasons of its course were taken away.';
ALTER TABLE discussion_post ADD COLUMN redacted_at timestamptz, DROP CONSTRAINT discussion_post_text_check,
    ADD CONSTRAINT discussion_post_says_something CHECK (text <> '' OR redacted_at IS NOT NULL);
COMMENT ON COLUMN discussion_post.redacted_at IS 'When its words were taken away.';
ALTER TABLE evidence_file ADD COLUMN brought_at timestamptz NOT NULL DEFAULT now();
UPDATE evidence_file SET brought_at = created_at;
COMMENT ON COLUMN evidence_file.brought_at IS 'When the account brought it last.';

CREATE INDEX visit_unredacted ON visit (started_at) WHERE redacted_at IS NULL;
CREATE INDEX issue_source_visit ON issue (source_visit_id) WHERE source_visit_id IS NOT NULL;
CREATE INDEX opinion_visit ON opinion (visit_id) WHERE visit_id IS NOT NULL;
CREATE INDEX discussion_post_unredacted ON discussion_post (at) WHERE redacted_at IS NULL;
CREATE INDEX entity_event_reason ON entity_event (at) WHERE reason IS NOT NULL;
CREATE INDEX evidence_file_brought ON evidence_file (brought_at);
CREATE INDEX evidence_file_account ON evidence_file (recorded_by);
CREATE INDEX skill_record_file ON skill_record (evidence) WHERE evidence LIKE 'sha256:%';

CREATE TABLE retention.deleted_file (
    sha256      text PRIMARY KEY,
    size        bigint NOT NULL,
    media_type  text NOT NULL,
    uploaded_at timestamptz NOT NULL,
    months      int NOT NULL,
    marked_at   timestamptz NOT NULL,
    deleted_at  timestamptz,
    recorded_by text NOT NULL DEFAULT current_user
);
CREATE INDEX deleted_file_marked ON retention.deleted_file (marked_at) WHERE deleted_at IS NULL;
COMMENT ON TABLE retention.deleted_file IS 'Files of evidence that were kept long enough: what they were, by their hash, and the rule by which they went.';
COMMENT ON COLUMN retention.deleted_file.deleted_at IS 'When the store had it no more; null = marked, and still to be deleted there.';
SELECT audit.watch('retention.deleted_file', 'sha256');

-- Rows that lose words, and nothing else ------------------------------------------------------------------------------------

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
    IF NEW.reason_code IS NULL AND OLD.actor_role <> 'SYSTEM' THEN -- the system alone gives codes
        less.reason_code := NULL;
    END IF;
    IF NEW IS DISTINCT FROM less THEN
        RAISE EXCEPTION 'issue_event is append-only: correct with a compensating event' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION entity_event_forgets() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    less entity_event := OLD;
BEGIN
    less.reason := NULL;
    IF NEW IS DISTINCT FROM less THEN
        RAISE EXCEPTION 'entity_event is append-only: correct with another step' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

-- A post that is withheld may lose its account and its words too.
CREATE OR REPLACE FUNCTION discussion_post_stays() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    kept discussion_post := OLD;
    forgets boolean := OLD.redacted_at IS NULL AND NEW.redacted_at IS NOT NULL;
BEGIN
    IF NEW.recorded_by = 'erased' AND OLD.author_role = 'CITIZEN' THEN
        kept.recorded_by := NEW.recorded_by;
    END IF;
    IF forgets THEN
        kept.text := '';
        kept.redacted_at := NEW.redacted_at;
    END IF;
    kept.withheld_at := NEW.withheld_at;
    kept.withheld_reason := NEW.withheld_reason;
    IF NEW IS DISTINCT FROM kept THEN
        RAISE EXCEPTION 'discussion_post is append-only' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.withheld_at IS NOT NULL AND NEW.withheld_at IS NOT NULL AND NOT forgets AND (NEW.withheld_at, NEW.withheld_reason) IS DISTINCT FROM (OLD.withheld_at, OLD.withheld_reason) THEN
        RAISE EXCEPTION 'discussion_post %: it is withheld already', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION visit_keeps_its_word() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.state = 'HELD' AND NEW.state = 'RECORDED' THEN
        IF NEW.note_created_at IS NULL OR NEW.note_created_at < NEW.ended_at OR NEW.note_created_at > NEW.ended_at + interval '168 hours' THEN
            RAISE EXCEPTION 'visit %: its note was to be written within 7 days of its end', OLD.id USING ERRCODE = 'check_violation';
        END IF;
        IF NOT EXISTS (SELECT FROM post_holding h WHERE h.org_unit_id = NEW.note_unit_id
            AND (h.id = NEW.lead_id OR h.id IN (SELECT post_id FROM visit_participant WHERE visit_id = NEW.id))) THEN
            RAISE EXCEPTION 'visit %: its note is written by a unit that took part', OLD.id USING ERRCODE = 'check_violation';
        END IF;
    ELSIF ROW(OLD.note_text, OLD.note_unit_id, OLD.note_created_at) IS DISTINCT FROM ROW(NEW.note_text, NEW.note_unit_id, NEW.note_created_at)
        AND NOT (OLD.redacted_at IS NULL AND NEW.redacted_at IS NOT NULL AND ROW('', OLD.note_unit_id, OLD.note_created_at) IS NOT DISTINCT FROM ROW(NEW.note_text, NEW.note_unit_id, NEW.note_created_at)) THEN
        RAISE EXCEPTION 'visit %: its note is written once, after it was held', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.state = 'RECORDED' AND NEW.state = 'CLOSED_OUT' THEN
        IF EXISTS (SELECT FROM opinion o WHERE o.visit_id = NEW.id AND o.kind <> 'THANKS' AND NOT EXISTS (SELECT FROM issue_opinion l WHERE l.opinion_id = o.id)) THEN
            RAISE EXCEPTION 'visit %: points raised at it are on no issue', OLD.id USING ERRCODE = 'check_violation';
        END IF;
        IF NOT EXISTS (SELECT FROM opinion WHERE visit_id = NEW.id) AND NOT EXISTS (SELECT FROM attestation WHERE visit_id = NEW.id AND nothing_raised) THEN
            RAISE EXCEPTION 'visit %: no point was entered, and nobody attests that none was raised', OLD.id USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;

-- lock_file has whoever brings, names or deletes a file wait for the others, until the transaction ends.
CREATE FUNCTION retention.lock_file(sha256 text) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('evidence ' || sha256, 0))
$$;

-- Who brings a file that was marked and is not deleted yet keeps it.
CREATE FUNCTION evidence_file_is_kept() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM retention.lock_file(NEW.sha256);
    DELETE FROM retention.deleted_file WHERE sha256 = NEW.sha256 AND deleted_at IS NULL;
    RETURN NEW;
END $$;

CREATE FUNCTION evidence_is_there() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    named jsonb := to_jsonb(NEW) -> 'evidence';
    hash text;
BEGIN
    FOR hash IN SELECT DISTINCT substr(name, 8) FROM jsonb_array_elements_text(CASE jsonb_typeof(named) WHEN 'array' THEN named ELSE jsonb_build_array(named) END) AS name
        WHERE name LIKE 'sha256:%' ORDER BY 1 LOOP
        PERFORM retention.lock_file(hash);
        IF EXISTS (SELECT FROM retention.deleted_file d WHERE d.sha256 = hash) AND NOT EXISTS (SELECT FROM evidence_file f WHERE f.sha256 = hash) THEN
            RAISE EXCEPTION '%: file sha256:% was kept long enough and is deleted; put it to /files again', TG_TABLE_NAME, hash USING ERRCODE = 'check_violation';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
-- +goose StatementEnd
DROP TRIGGER entity_event_append_only ON entity_event;
CREATE TRIGGER entity_event_append_only BEFORE INSERT OR DELETE ON entity_event FOR EACH ROW EXECUTE FUNCTION entity_event_append_only();
CREATE TRIGGER entity_event_forgets BEFORE UPDATE ON entity_event FOR EACH ROW EXECUTE FUNCTION entity_event_forgets();
CREATE TRIGGER evidence_file_is_kept BEFORE INSERT ON evidence_file FOR EACH ROW EXECUTE FUNCTION evidence_file_is_kept();
CREATE TRIGGER evidence_is_there BEFORE INSERT ON claim FOR EACH ROW EXECUTE FUNCTION evidence_is_there();
CREATE TRIGGER evidence_is_there BEFORE INSERT OR UPDATE OF evidence ON campaign_task FOR EACH ROW EXECUTE FUNCTION evidence_is_there();
CREATE TRIGGER evidence_is_there BEFORE INSERT ON skill_record FOR EACH ROW EXECUTE FUNCTION evidence_is_there();

-- What rests, and since when -----------------------------------------------------------------------------------------------

CREATE VIEW retention.resting_visit AS
    SELECT v.id, v.started_at, greatest(v.started_at, v.ended_at, v.note_created_at, raised.since,
            (SELECT max(e.at) FROM public.entity_event e WHERE e.noun = 'visit' AND e.entity_id = v.id)) AS since
    FROM public.visit v CROSS JOIN LATERAL (
        SELECT max(i.since) AS since, coalesce(bool_and(i.id IS NOT NULL), true) AS rest FROM (
            SELECT i.id FROM public.issue i WHERE i.source_visit_id = v.id
            UNION SELECT l.issue_id FROM public.opinion o JOIN public.issue_opinion l ON l.opinion_id = o.id WHERE o.visit_id = v.id
        ) matter LEFT JOIN retention.resting_issue i ON i.id = matter.id) raised
    WHERE v.state IN ('CLOSED_OUT', 'VOID', 'CANCELLED') AND raised.rest AND v.redacted_at IS NULL
        AND (v.note_text <> '' OR EXISTS (SELECT FROM public.entity_event e WHERE e.noun = 'visit' AND e.entity_id = v.id AND e.reason IS NOT NULL))
        AND (v.state <> 'CLOSED_OUT' OR v.note_created_at IS NULL OR EXISTS (SELECT FROM public.note_check c WHERE c.visit_id = v.id))
        AND NOT EXISTS (SELECT FROM public.formalism_flag f WHERE f.subject_post_id = v.lead_id AND f.state IN ('RAISED', 'UNDER_REVIEW', 'APPEALED')
            AND v.started_at >= f.period_from - 1 AND v.started_at < f.period_to + 1);
COMMENT ON VIEW retention.resting_visit IS 'Visits that are over and have words left: all issues raised at them rest, their note was compared with earlier ones (measure F3), and no flag about whoever led them is open.';

CREATE VIEW retention.ended_state AS
    SELECT noun, unnest(states) AS state FROM (VALUES
        ('rota_slot', '{FULFILLED,LATE,MISSED,EXCUSED,SWAPPED}'::text[]), ('campaign', '{DECLINED,EXITED,FAILED}'), ('campaign_task', '{DONE,DROPPED}'),
        ('policy_change', '{RETAINED,AMENDED,REPEALED,DROPPED}'), ('discussion', '{CLOSED}'), ('target', '{WITHDRAWN}'),
        ('formalism_flag', '{CONFIRMED,DISMISSED}'), ('assessment', '{FINAL}')) AS ends (noun, states);
COMMENT ON VIEW retention.ended_state IS 'States in which the life of a noun is over, but for issues, visits and posts: these have kinds of their own.';

-- A file is needed as long as an upload is young, or anything that names it is not over for as long.
-- +goose StatementBegin
CREATE FUNCTION retention.due_files(before timestamptz, at_most bigint, among text[] DEFAULT NULL) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT f.sha256 FROM public.evidence_file f
    WHERE f.brought_at <= before AND (among IS NULL OR f.sha256 = ANY (among))
        AND NOT EXISTS (SELECT FROM public.evidence_file young WHERE young.sha256 = f.sha256 AND young.brought_at > before)
        AND NOT EXISTS (SELECT FROM public.claim c WHERE c.evidence <> '{}' AND c.evidence @> ARRAY['sha256:' || f.sha256]
            AND NOT EXISTS (SELECT FROM retention.resting_issue i WHERE i.id = c.issue_id AND i.since <= before))
        AND NOT EXISTS (SELECT FROM public.campaign_task t JOIN public.campaign c ON c.id = t.campaign_id
            WHERE t.evidence <> '{}' AND t.evidence @> ARRAY['sha256:' || f.sha256] AND coalesce(c.ended_at, 'infinity') > before)
        AND NOT EXISTS (SELECT FROM public.skill_record r WHERE r.evidence = 'sha256:' || f.sha256 AND r.evidence LIKE 'sha256:%'
            AND (r.at > before OR EXISTS (SELECT FROM public.post_holding h WHERE h.official_id = r.official_id AND coalesce(h.held_to, 'infinity') > before::date)))
    GROUP BY f.sha256 LIMIT at_most
$$;

CREATE OR REPLACE FUNCTION retention.due(of_kind text, before timestamptz, at_most bigint, among uuid[] DEFAULT NULL) RETURNS SETOF uuid LANGUAGE plpgsql STABLE AS $$
BEGIN
    CASE of_kind
    WHEN 'OPINION_WORDS' THEN
        RETURN QUERY SELECT o.id FROM retention.resting_opinion o
            WHERE o.redacted_at IS NULL AND o.received_at <= before AND o.since <= before AND (among IS NULL OR o.id = ANY (among)) LIMIT at_most;
    WHEN 'ISSUE_WORDS' THEN
        RETURN QUERY SELECT i.id FROM retention.resting_issue i WHERE i.redacted_at IS NULL AND i.since <= before AND (among IS NULL OR i.id = ANY (among)) LIMIT at_most;
    WHEN 'VISIT_WORDS' THEN
        RETURN QUERY SELECT v.id FROM retention.resting_visit v WHERE v.started_at <= before AND v.since <= before AND (among IS NULL OR v.id = ANY (among)) LIMIT at_most;
    WHEN 'POST_WORDS' THEN
        RETURN QUERY SELECT p.id FROM public.discussion_post p JOIN public.discussion d ON d.id = p.discussion_id
            WHERE p.redacted_at IS NULL AND p.at <= before AND d.closed_at <= before AND (among IS NULL OR p.id = ANY (among)) LIMIT at_most;
    WHEN 'HISTORY_REASONS' THEN
        RETURN QUERY SELECT said.entity_id FROM (SELECT DISTINCT e.noun, e.entity_id FROM public.entity_event e WHERE e.reason IS NOT NULL AND e.at <= before
                AND e.noun IN (SELECT noun FROM retention.ended_state) AND (among IS NULL OR e.entity_id = ANY (among))) said
            CROSS JOIN LATERAL (SELECT e.to_state, e.at FROM public.entity_event e WHERE e.noun = said.noun AND e.entity_id = said.entity_id ORDER BY e.seq DESC LIMIT 1) last
            JOIN retention.ended_state ended ON ended.noun = said.noun AND ended.state = last.to_state
            WHERE last.at <= before LIMIT at_most;
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

CREATE OR REPLACE FUNCTION retention.count(of_kind text, as_of timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF of_kind = 'EVIDENCE_FILE' THEN -- those that are marked wait for their store
        RETURN (SELECT count(*) FROM retention.due_files(retention.before(of_kind, as_of), NULL)) + (SELECT count(*) FROM retention.deleted_file WHERE deleted_at IS NULL);
    END IF;
    RETURN (SELECT count(*) FROM retention.due(of_kind, retention.before(of_kind, as_of), NULL));
END $$;

-- say has the audit tell by which rule, and as of when, something is taken away.
CREATE FUNCTION retention.say(of_kind text, as_of timestamptz) RETURNS void LANGUAGE sql AS $$
    SELECT set_config('groundwork.operation', 'retention', true), set_config('groundwork.purpose',
        format('%s: kept %s months, as of %s', of_kind, (SELECT months FROM retention.rule WHERE kind = of_kind), to_char(as_of AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')), true)
$$;

-- issue_words takes away the free words of the course of some issues. Hashes of files stay; of a citizen's answer, what is counted.
CREATE FUNCTION retention.issue_words(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.claim SET text = '', legal_basis = CASE WHEN legal_basis IS NOT NULL THEN 'erased' END, appeal_notice = CASE WHEN appeal_notice IS NOT NULL THEN 'erased' END, receipt = CASE WHEN receipt IS NOT NULL THEN 'erased' END,
        evidence = ARRAY(SELECT CASE WHEN name LIKE 'sha256:%' THEN name ELSE 'erased' END FROM unnest(evidence) WITH ORDINALITY AS e (name, n) ORDER BY n)
        WHERE issue_id = ANY (ids);
    UPDATE public.feedback SET comment = NULL WHERE issue_id = ANY (ids) AND comment IS NOT NULL;
    UPDATE public.issue_event SET payload = payload - retention.words(), reason_code = CASE WHEN actor_role = 'SYSTEM' THEN reason_code END
        WHERE issue_id = ANY (ids) AND (payload ?| retention.words() OR actor_role <> 'SYSTEM' AND reason_code IS NOT NULL);
END $$;

-- mark_files marks files that are due: nobody finds or names them any more.
CREATE FUNCTION retention.mark_files(before timestamptz, as_of timestamptz, at_most bigint) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    due text[] := ARRAY(SELECT retention.due_files(before, at_most));
BEGIN
    PERFORM FROM public.issue WHERE id IN (SELECT c.issue_id FROM unnest(due) AS hash JOIN public.claim c ON c.evidence <> '{}' AND c.evidence @> ARRAY['sha256:' || hash]) ORDER BY id FOR UPDATE;
    PERFORM retention.lock_file(hash) FROM (SELECT hash FROM unnest(due) AS hash ORDER BY hash) sorted;
    due := ARRAY(SELECT retention.due_files(before, NULL, due));
    INSERT INTO retention.deleted_file (sha256, size, media_type, uploaded_at, months, marked_at)
        SELECT sha256, max(size), min(media_type), min(created_at), (SELECT months FROM retention.rule WHERE kind = 'EVIDENCE_FILE'), as_of
        FROM public.evidence_file WHERE sha256 = ANY (due) GROUP BY sha256
        ON CONFLICT (sha256) DO UPDATE SET months = excluded.months, marked_at = excluded.marked_at, deleted_at = NULL;
    DELETE FROM public.evidence_file WHERE sha256 = ANY (due);
    RETURN cardinality(due);
END $$;

-- marked_file takes a marked file for its deletion in the store, in this transaction; false if it is not marked any more. Then file_is_deleted says that it is done.
CREATE FUNCTION retention.marked_file(hash text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM retention.lock_file(hash);
    RETURN EXISTS (SELECT FROM retention.deleted_file WHERE sha256 = hash AND deleted_at IS NULL) AND NOT EXISTS (SELECT FROM evidence_file WHERE sha256 = hash);
END $$;
CREATE FUNCTION retention.file_is_deleted(hash text, as_of timestamptz) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM retention.say('EVIDENCE_FILE', as_of);
    UPDATE retention.deleted_file SET deleted_at = now() WHERE sha256 = hash AND deleted_at IS NULL;
END $$;

CREATE OR REPLACE FUNCTION retention.apply(of_kind text, as_of timestamptz, at_most bigint) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before timestamptz := retention.before(of_kind, as_of);
    due uuid[];
BEGIN
    PERFORM retention.say(of_kind, as_of);
    IF of_kind = 'EVIDENCE_FILE' THEN
        RETURN retention.mark_files(before, as_of, at_most);
    END IF;
    due := ARRAY(SELECT retention.due(of_kind, before, at_most));
    PERFORM FROM issue WHERE id IN (SELECT unnest(due)
        UNION SELECT l.issue_id FROM issue_opinion l WHERE l.opinion_id = ANY (due)
        UNION SELECT l.issue_id FROM issue_opinion l JOIN opinion o ON o.id = l.opinion_id WHERE o.reporter_pid = ANY (due) OR o.visit_id = ANY (due)
        UNION SELECT i.id FROM issue i WHERE i.source_visit_id = ANY (due)) ORDER BY id FOR UPDATE;
    PERFORM FROM opinion WHERE id = ANY (due) ORDER BY id FOR UPDATE;
    PERFORM FROM vault.reporter WHERE pid = ANY (due) ORDER BY pid FOR UPDATE;
    PERFORM FROM visit WHERE id = ANY (due) ORDER BY id FOR UPDATE;
    due := ARRAY(SELECT retention.due(of_kind, before, NULL, due));
    CASE of_kind
    WHEN 'OPINION_WORDS' THEN
        UPDATE opinion SET subject = '', text = '', latitude = round(latitude::numeric, 2), longitude = round(longitude::numeric, 2),
            precision_m = CASE WHEN latitude IS NULL THEN precision_m ELSE greatest(precision_m, 1000) END, redacted_at = as_of WHERE id = ANY (due);
    WHEN 'ISSUE_WORDS' THEN
        UPDATE issue SET title = coalesce((SELECT c.name FROM category c WHERE c.id = category_id), ''), redacted_at = as_of WHERE id = ANY (due);
        PERFORM retention.issue_words(due);
    WHEN 'VISIT_WORDS' THEN
        UPDATE visit SET note_text = CASE WHEN note_text IS NOT NULL THEN '' END, redacted_at = as_of WHERE id = ANY (due);
        UPDATE note_check SET sketch = '{}' WHERE visit_id = ANY (due) AND sketch <> '{}';
        UPDATE entity_event SET reason = NULL WHERE noun = 'visit' AND entity_id = ANY (due) AND reason IS NOT NULL;
    WHEN 'POST_WORDS' THEN
        UPDATE discussion_post SET text = '', withheld_reason = CASE WHEN withheld_reason IS NOT NULL THEN '(erased)' END, redacted_at = as_of WHERE id = ANY (due);
        UPDATE entity_event SET reason = NULL WHERE noun = 'discussion_post' AND entity_id = ANY (due) AND reason IS NOT NULL;
    WHEN 'HISTORY_REASONS' THEN
        UPDATE entity_event SET reason = NULL WHERE noun IN (SELECT noun FROM retention.ended_state) AND entity_id = ANY (due) AND reason IS NOT NULL;
    WHEN 'REPORTER_IDENTITY' THEN
        PERFORM retention.forget(due);
    WHEN 'OFFICIAL_NAME' THEN
        DELETE FROM vault.official_identity WHERE official_id = ANY (due);
    END CASE;
    RETURN cardinality(due);
END $$;

-- Receipts are there for requests that come again, which they do within minutes: what an account asked for goes with it.
CREATE OR REPLACE FUNCTION retention.forget(pids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
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
        IF NOT EXISTS (SELECT FROM public.role_binding b WHERE b.account = who.account) THEN -- who also works here brought files for that
            INSERT INTO public.evidence_file (sha256, size, media_type, created_at, brought_at, recorded_by)
                SELECT sha256, size, media_type, created_at, brought_at, 'erased' FROM public.evidence_file WHERE recorded_by = who.account ON CONFLICT DO NOTHING;
            DELETE FROM public.evidence_file WHERE recorded_by = who.account;
        END IF;
        DELETE FROM public.mutation_receipt WHERE actor = who.account AND (entity_id = ANY (said || about) OR at < now() - interval '28 days');
    END LOOP;
    DELETE FROM vault.identity WHERE pid = ANY (pids);
    DELETE FROM vault.reporter WHERE pid = ANY (pids);
END $$;
-- +goose StatementEnd

-- What was taken away before this covers more now.
SELECT retention.issue_words(ARRAY(SELECT id FROM retention.resting_issue WHERE redacted_at IS NOT NULL));
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA retention FROM PUBLIC;

-- +goose Down
SELECT 1 / 0; -- forward only
