-- One visit in ten is checked back: those who were there are asked whether it was held (measure F7). The lot is drawn here, when the visit is entered, so that there
-- is a list of whom to ask; nobody can know it before, choose it, or change it. Of visits that were entered before there is none: the warehouse goes on by
-- the hash of their ids.

-- +goose Up
ALTER TABLE visit ADD COLUMN drawn boolean;
ALTER TABLE visit ALTER COLUMN drawn SET DEFAULT random() < 0.1;
COMMENT ON COLUMN visit.drawn IS 'Drawn by lot for the back-check; null = entered before lots were drawn here.';
CREATE INDEX visit_drawn ON visit (started_at DESC, id DESC) WHERE drawn;

-- No row has a lot yet, so the stream loses nothing while the table leaves the publication and comes back: there is nothing to announce (00115), and no replica
-- loads afresh. Where a superuser made the triggers and somebody else migrates, it is announced all the same.
-- +goose StatementBegin
DO $$
BEGIN
    ALTER EVENT TRIGGER groundwork_ddl_end DISABLE;
EXCEPTION WHEN insufficient_privilege OR undefined_object THEN NULL;
END
$$;
-- +goose StatementEnd
ALTER PUBLICATION groundwork DROP TABLE visit;
ALTER PUBLICATION groundwork ADD TABLE
    visit (id, activity_kind, notice, site_id, lead_id, started_at, ended_at, citizens_met, note_unit_id, note_created_at, state, created_at, drawn);
-- +goose StatementBegin
DO $$
BEGIN
    ALTER EVENT TRIGGER groundwork_ddl_end ENABLE ALWAYS;
EXCEPTION WHEN insufficient_privilege OR undefined_object THEN NULL;
END
$$;
-- +goose StatementEnd

-- +goose Down
SELECT 1 / 0; -- forward only
