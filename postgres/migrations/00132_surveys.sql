-- Surveys of the sense of gain, happiness and security. A response belongs to nobody: it is given by a token of one use, it has no time but its
-- day, no account, no address, no entry in the audit, and an id that tells no order. The API neither reads responses nor marks tokens: it
-- comes in by doors, which spend a token with each response and count what was given once the wave is over.

-- +goose Up
CREATE TABLE survey_wave (
    -- region: region_id
    id           uuid PRIMARY KEY,
    title        text NOT NULL CHECK (title <> ''),
    region_id    uuid NOT NULL REFERENCES region,
    report_level text NOT NULL CHECK (report_level IN ('PROVINCE', 'PREFECTURE', 'COUNTY', 'TOWNSHIP', 'VILLAGE_COMMITTEE')),
    opens_at     timestamptz NOT NULL,
    closes_at    timestamptz NOT NULL CHECK (closes_at > opens_at),
    created_at   timestamptz NOT NULL DEFAULT now(),
    recorded_by  text NOT NULL DEFAULT current_user
);
CREATE INDEX survey_wave_opens ON survey_wave (opens_at DESC, id DESC);
COMMENT ON COLUMN survey_wave.report_level IS 'Results are told for regions of this level and for the whole, and for no other: what is hidden cannot be found by subtraction.';

CREATE TABLE survey_batch (
    -- region: region_id
    id          uuid PRIMARY KEY,
    wave_id     uuid NOT NULL REFERENCES survey_wave,
    region_id   uuid NOT NULL REFERENCES region,
    site_kind   text CHECK (site_kind IN ('FACTORY', 'RURAL', 'COMMUNITY', 'SCHOOL', 'HOSPITAL', 'GOVT_WINDOW', 'OTHER')),
    tokens      int  NOT NULL CHECK (tokens BETWEEN 1 AND 1000),
    created_at  timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL DEFAULT current_user
);
CREATE INDEX survey_batch_wave ON survey_batch (wave_id, id);
COMMENT ON TABLE survey_batch IS 'Who gave out how many tokens for which place: they are noted, their use is not.';

CREATE TABLE survey_token (
    -- for nobody: by survey_respond alone
    digest   bytea PRIMARY KEY CHECK (length(digest) = 32),
    batch_id uuid NOT NULL REFERENCES survey_batch,
    spent    boolean NOT NULL DEFAULT false
);

CREATE TABLE survey_response (
    -- for nobody: by survey_counts alone
    id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    wave_id   uuid NOT NULL REFERENCES survey_wave,
    region_id uuid NOT NULL REFERENCES region,
    site_kind text,
    gain      int NOT NULL CHECK (gain BETWEEN 1 AND 5),
    happiness int NOT NULL CHECK (happiness BETWEEN 1 AND 5),
    security  int NOT NULL CHECK (security BETWEEN 1 AND 5),
    on_day    date NOT NULL
);
CREATE INDEX survey_response_wave ON survey_response (wave_id, region_id);

-- +goose StatementBegin
CREATE FUNCTION survey_batch_fits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM survey_wave w JOIN region root ON root.id = w.region_id JOIN region here ON here.id = NEW.region_id
        JOIN region reported ON here.path <@ reported.path AND reported.level = w.report_level
        WHERE w.id = NEW.wave_id AND here.path <@ root.path) THEN
        RAISE EXCEPTION 'survey_batch: region % lies outside of wave %, or above the level of its results', NEW.region_id, NEW.wave_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- survey_tokens adds the tokens of a batch, as many as it says and only once.
CREATE FUNCTION survey_tokens(of_batch uuid, digests bytea[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF cardinality(digests) IS DISTINCT FROM (SELECT tokens FROM survey_batch WHERE id = of_batch) OR EXISTS (SELECT FROM survey_token WHERE batch_id = of_batch) THEN
        RAISE EXCEPTION 'survey_token: batch % has other tokens', of_batch USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO survey_token (digest, batch_id) SELECT d, of_batch FROM unnest(digests) AS d;
END $$;

-- survey_respond spends a token and keeps what its holder says. It answers DONE, or why not: UNKNOWN, SPENT, EARLY, OVER.
CREATE FUNCTION survey_respond(token bytea, gains int, happy int, secure int, now timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given record;
BEGIN
    SELECT t.spent, b.region_id, b.site_kind, w.id AS wave_id, w.opens_at, w.closes_at INTO given
    FROM survey_token t JOIN survey_batch b ON b.id = t.batch_id JOIN survey_wave w ON w.id = b.wave_id WHERE t.digest = token FOR UPDATE OF t;
    CASE
        WHEN NOT FOUND THEN RETURN 'UNKNOWN';
        WHEN given.spent THEN RETURN 'SPENT';
        WHEN now < given.opens_at THEN RETURN 'EARLY';
        WHEN now >= given.closes_at THEN RETURN 'OVER';
        ELSE
            UPDATE survey_token SET spent = true WHERE digest = token;
            INSERT INTO survey_response (wave_id, region_id, site_kind, gain, happiness, security, on_day)
            VALUES (given.wave_id, given.region_id, given.site_kind, gains, happy, secure, (now AT TIME ZONE 'Asia/Shanghai')::date);
            RETURN 'DONE';
    END CASE;
END $$;

-- survey_counts counts the responses of a wave that is over, by region of the wave's level and kind of site. They are counts as they are: whoever
-- shows them hides the small ones.
CREATE FUNCTION survey_counts(of_wave uuid, now timestamptz)
RETURNS TABLE (region_id uuid, site_kind text, responses bigint, gain bigint, happiness bigint, security bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT reported.id, coalesce(r.site_kind, ''), count(*), count(*) FILTER (WHERE r.gain >= 4), count(*) FILTER (WHERE r.happiness >= 4), count(*) FILTER (WHERE r.security >= 4)
    FROM survey_response r JOIN survey_wave w ON w.id = r.wave_id JOIN region here ON here.id = r.region_id
    JOIN region reported ON here.path <@ reported.path AND reported.level = w.report_level
    WHERE r.wave_id = of_wave AND w.closes_at <= survey_counts.now
    GROUP BY reported.id, reported.code, coalesce(r.site_kind, '') ORDER BY reported.code, 2
$$;

CREATE FUNCTION survey_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'survey_token' AND TG_OP = 'UPDATE' THEN
        IF OLD.digest = NEW.digest AND OLD.batch_id = NEW.batch_id AND NOT OLD.spent AND NEW.spent THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'survey_token: a token is spent once' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION survey_tokens(uuid, bytea[]), survey_respond(bytea, int, int, int, timestamptz), survey_counts(uuid, timestamptz) FROM PUBLIC;
CREATE TRIGGER survey_batch_fits BEFORE INSERT ON survey_batch FOR EACH ROW EXECUTE FUNCTION survey_batch_fits();
CREATE TRIGGER survey_wave_append_only BEFORE UPDATE OR DELETE ON survey_wave FOR EACH ROW EXECUTE FUNCTION is_append_only();
CREATE TRIGGER survey_batch_append_only BEFORE UPDATE OR DELETE ON survey_batch FOR EACH ROW EXECUTE FUNCTION is_append_only();
CREATE TRIGGER survey_token_stays BEFORE UPDATE OR DELETE ON survey_token FOR EACH ROW EXECUTE FUNCTION survey_stays();
CREATE TRIGGER survey_response_stays BEFORE UPDATE OR DELETE ON survey_response FOR EACH ROW EXECUTE FUNCTION survey_stays();

-- Waves and batches are audited. Tokens and responses are not: an entry would tell who answered.
SELECT audit.watch('survey_wave', 'id'), audit.watch('survey_batch', 'id');

-- +goose Down
SELECT 1 / 0; -- forward only
