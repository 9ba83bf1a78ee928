-- Discussions on the front line, at a visit or after it, and online: proposals, questions, answers, objections, and who supports them. It ends with an
-- outcome, and not before each question has an answer.

-- +goose Up
CREATE TABLE discussion (
    -- region: region_id
    id          uuid PRIMARY KEY,
    visit_id    uuid REFERENCES visit,
    region_id   uuid NOT NULL REFERENCES region,
    topic       text NOT NULL CHECK (topic <> ''),
    state       text NOT NULL CHECK (state IN ('OPEN', 'CLOSED')),
    opened_at   timestamptz NOT NULL,
    closed_at   timestamptz CHECK (closed_at >= opened_at),
    outcome     text CHECK (outcome <> ''),
    version     int NOT NULL CHECK (version >= 1),
    created_at  timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL DEFAULT current_user,
    CHECK ((state = 'CLOSED') = (closed_at IS NOT NULL)),
    CHECK ((state = 'CLOSED') = (outcome IS NOT NULL))
);
CREATE INDEX discussion_opened ON discussion (opened_at DESC, id DESC);
CREATE INDEX discussion_visit ON discussion (visit_id) WHERE visit_id IS NOT NULL;
CREATE INDEX discussion_region ON discussion (region_id, opened_at DESC);

CREATE TABLE discussion_post (
    -- as discussion; own: author_pid
    id             uuid PRIMARY KEY,
    discussion_id  uuid NOT NULL REFERENCES discussion,
    kind           text NOT NULL CHECK (kind IN ('PROPOSAL', 'QUESTION', 'ANSWER', 'OBJECTION')),
    text           text NOT NULL CHECK (text <> ''),
    reply_to_id    uuid REFERENCES discussion_post,
    author_pid     uuid,
    author_role    text NOT NULL,
    author_unit_id uuid REFERENCES org_unit,
    at             timestamptz NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    recorded_by    text NOT NULL DEFAULT current_user,
    CONSTRAINT discussion_post_author CHECK ((author_role = 'CITIZEN') = (author_pid IS NOT NULL)),
    CONSTRAINT discussion_post_answers CHECK (kind <> 'ANSWER' OR reply_to_id IS NOT NULL AND author_role <> 'CITIZEN')
);
CREATE INDEX discussion_post_at ON discussion_post (discussion_id, at, id);
CREATE INDEX discussion_post_reply ON discussion_post (reply_to_id) WHERE reply_to_id IS NOT NULL;

CREATE TABLE discussion_support (
    -- as discussion; own: supporter_pid
    post_id       uuid NOT NULL REFERENCES discussion_post,
    supporter_pid uuid NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT discussion_support_once PRIMARY KEY (post_id, supporter_pid)
);

-- +goose StatementBegin
CREATE FUNCTION discussion_goes_on() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.state = 'CLOSED' THEN
        RAISE EXCEPTION 'discussion %: it is closed', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF ROW(OLD.visit_id, OLD.region_id, OLD.topic, OLD.opened_at) IS DISTINCT FROM ROW(NEW.visit_id, NEW.region_id, NEW.topic, NEW.opened_at) THEN
        RAISE EXCEPTION 'discussion %: what is discussed, where and since when stays', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state = 'CLOSED' AND EXISTS (SELECT FROM discussion_post q WHERE q.discussion_id = NEW.id AND q.kind = 'QUESTION'
        AND NOT EXISTS (SELECT FROM discussion_post a WHERE a.reply_to_id = q.id AND a.kind = 'ANSWER')) THEN
        RAISE EXCEPTION 'discussion %: questions have no answer', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION discussion_post_fits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- The lock keeps it from being closed meanwhile.
    IF (SELECT state FROM discussion WHERE id = NEW.discussion_id FOR SHARE) IS DISTINCT FROM 'OPEN' THEN
        RAISE EXCEPTION 'discussion_post: discussion % is not open', NEW.discussion_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.reply_to_id IS NOT NULL AND NOT EXISTS (SELECT FROM discussion_post p WHERE p.id = NEW.reply_to_id AND p.discussion_id = NEW.discussion_id
        AND (NEW.kind <> 'ANSWER' OR p.kind = 'QUESTION')) THEN
        RAISE EXCEPTION 'discussion_post: it replies to a post of its discussion, an answer to a question' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION discussion_support_fits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    post record;
BEGIN
    SELECT p.author_pid, d.state INTO post FROM discussion_post p JOIN discussion d ON d.id = p.discussion_id WHERE p.id = NEW.post_id FOR SHARE OF d;
    IF post.state IS DISTINCT FROM 'OPEN' OR post.author_pid = NEW.supporter_pid THEN
        RAISE EXCEPTION 'discussion_support: others support a post while its discussion is open' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER discussion_goes_on BEFORE UPDATE ON discussion FOR EACH ROW EXECUTE FUNCTION discussion_goes_on();
CREATE TRIGGER discussion_post_fits BEFORE INSERT ON discussion_post FOR EACH ROW EXECUTE FUNCTION discussion_post_fits();
CREATE TRIGGER discussion_post_append_only BEFORE UPDATE OR DELETE ON discussion_post FOR EACH ROW EXECUTE FUNCTION is_append_only();
CREATE TRIGGER discussion_support_fits BEFORE INSERT ON discussion_support FOR EACH ROW EXECUTE FUNCTION discussion_support_fits();
CREATE TRIGGER discussion_support_append_only BEFORE UPDATE OR DELETE ON discussion_support FOR EACH ROW EXECUTE FUNCTION is_append_only();

SELECT audit.watch('discussion', 'id'), audit.watch('discussion_post', 'id'), audit.watch('discussion_support', 'post_id', 'supporter_pid');

-- +goose Down
SELECT 1 / 0; -- forward only
