-- What the rules of visits ask for is held by the database too, whoever writes: a note comes in time and from a unit that took part, nothing is
-- closed out whose points are on no issue, what others attest is never taken away, and nobody hides having taken part.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION visit_keeps_its_word() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.state = 'HELD' AND NEW.state = 'RECORDED' THEN
        IF NEW.note_created_at IS NULL OR NEW.note_created_at < NEW.ended_at OR NEW.note_created_at > NEW.ended_at + interval '168 hours' THEN
            RAISE EXCEPTION 'visit %: its note was to be written within 7 days of its end', OLD.id USING ERRCODE = 'check_violation';
        END IF;
        IF NOT EXISTS (SELECT FROM post_holding h WHERE h.org_unit_id = NEW.note_unit_id
            AND (h.id = NEW.lead_id OR h.id IN (SELECT post_id FROM visit_participant WHERE visit_id = NEW.id))) THEN
            RAISE EXCEPTION 'visit %: its note is written by a unit that took part', OLD.id USING ERRCODE = 'check_violation';
        END IF;
    ELSIF ROW(OLD.note_text, OLD.note_unit_id, OLD.note_created_at) IS DISTINCT FROM ROW(NEW.note_text, NEW.note_unit_id, NEW.note_created_at) THEN
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

-- A visit begins as planned, or as held and without its note; the rest are steps. Operators who load whole histories are the owner of the table.
CREATE FUNCTION visit_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('role') IN ('groundwork_app', 'groundwork_jobs')
        AND (NEW.state NOT IN ('PLANNED', 'HELD') OR num_nonnulls(NEW.note_text, NEW.note_unit_id, NEW.note_created_at) > 0) THEN
        RAISE EXCEPTION 'visit: it is entered as PLANNED or HELD, without its note' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION attestation_names_who_took_it_down() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    official text := nullif(current_setting('groundwork.official', true), '');
BEGIN
    IF official IS NOT NULL AND NEW.official_id::text IS DISTINCT FROM official THEN
        RAISE EXCEPTION 'attestation: official % takes it down and is to be named', official USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION visit_participant_is_no_witness() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM attestation a JOIN post_holding h ON h.official_id = a.official_id WHERE a.visit_id = NEW.visit_id AND h.id = NEW.post_id) THEN
        RAISE EXCEPTION 'visit_participant: who holds post % took down what others attest of visit %', NEW.post_id, NEW.visit_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER visit_keeps_its_word BEFORE UPDATE ON visit FOR EACH ROW EXECUTE FUNCTION visit_keeps_its_word();
CREATE TRIGGER visit_begins BEFORE INSERT ON visit FOR EACH ROW EXECUTE FUNCTION visit_begins();
CREATE TRIGGER attestation_names_who_took_it_down BEFORE INSERT ON attestation FOR EACH ROW EXECUTE FUNCTION attestation_names_who_took_it_down();
CREATE TRIGGER attestation_append_only BEFORE DELETE ON attestation FOR EACH ROW EXECUTE FUNCTION is_append_only();
CREATE TRIGGER visit_participant_is_no_witness BEFORE INSERT ON visit_participant FOR EACH ROW EXECUTE FUNCTION visit_participant_is_no_witness();

-- An assessor does not hide behind another unit or nobody's name either.
-- +goose StatementBegin
CREATE FUNCTION skill_record_names_the_assessor() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    official text := nullif(current_setting('groundwork.official', true), '');
    unit text := nullif(current_setting('groundwork.unit', true), '');
BEGIN
    IF official IS NOT NULL AND NEW.assessor_official_id::text IS DISTINCT FROM official OR unit IS NOT NULL AND NEW.assessor_unit_id::text <> unit THEN
        RAISE EXCEPTION 'skill_record: it names who assesses, and for which unit' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER skill_record_names_the_assessor BEFORE INSERT ON skill_record FOR EACH ROW EXECUTE FUNCTION skill_record_names_the_assessor();

-- +goose Down
SELECT 1 / 0; -- forward only
