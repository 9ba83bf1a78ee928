package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// noteChores compare the notes of visits with those before them.
func (db *DB) noteChores() []groundwork.Chore {
	return []groundwork.Chore{{Name: "note_check", Every: 5 * time.Minute, Run: db.checkNotes}}
}

// noteRow is a note with what its author is and the names that are masked in it.
type noteRow struct {
	VisitID, OfficialID uuid.UUID
	UnitID              *uuid.UUID
	At                  time.Time
	Text                string
	Names               []string
}

func (r noteRow) text() *groundwork.NoteText {
	n := groundwork.NewNoteText(r.Text, r.Names)
	n.VisitID, n.OfficialID, n.UnitID, n.At = r.VisitID, r.OfficialID, r.UnitID, r.At
	return n
}

// notes selects notes; the names are those of the site, of its region and of the regions above, the longest first, so that no part of one is left.
const notes = `SELECT v.id AS visit_id, h.official_id, v.note_unit_id AS unit_id, v.note_created_at AS at, v.note_text AS text, ARRAY(
		SELECT name FROM (SELECT s.name UNION SELECT above.name FROM region here, region above WHERE here.id = s.region_id AND here.path <@ above.path) n (name)
		ORDER BY length(name) DESC, name) AS names
	FROM visit v JOIN post_holding h ON h.id = v.lead_id JOIN site s ON s.id = v.site_id
	WHERE v.note_text IS NOT NULL AND v.note_created_at IS NOT NULL AND v.redacted_at IS NULL AND v.state IN ('RECORDED', 'CLOSED_OUT')`

// checkNotes compares a batch of notes that were not looked at yet, in the order in which they were written.
func (db *DB) checkNotes(ctx context.Context, _ time.Time) (int, error) {
	var found []noteRow
	_, err := db.write(ctx, groundwork.System, "check notes", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext('note_check'))"); err != nil { // a note is compared when those before it were
			return err
		}
		var err error
		found, err = collect[noteRow](ctx, tx, "find notes to check", notes+` AND NOT EXISTS (SELECT FROM note_check c WHERE c.visit_id = v.id)
			ORDER BY v.note_created_at, v.id LIMIT @limit`, pgx.NamedArgs{"limit": choreBatch})
		if err != nil || len(found) == 0 {
			return err
		}
		template, err := noteTemplate(ctx, tx, found[0].At)
		if err != nil {
			return err
		}
		for _, row := range found {
			if err := checkNote(ctx, tx, row.text(), template); err != nil {
				return err
			}
		}
		return nil
	})
	return len(found), err
}

// noteTemplate is the template text of the notes before a moment.
func noteTemplate(ctx context.Context, tx pgx.Tx, before time.Time) (map[uint64]bool, error) {
	rows, err := collect[noteRow](ctx, tx, "read notes", notes+" AND v.note_created_at < @before ORDER BY v.note_created_at DESC, v.id DESC LIMIT @limit",
		pgx.NamedArgs{"before": before, "limit": groundwork.NotesForTemplate})
	texts := make([]*groundwork.NoteText, len(rows))
	for i, row := range rows {
		texts[i] = row.text()
	}
	return groundwork.NoteTemplate(texts), err
}

// NoteChecksOf implements groundwork.RotaStore.
func (db *DB) NoteChecksOf(ctx context.Context, visitIDs []uuid.UUID) (map[uuid.UUID]*groundwork.NoteCheck, error) {
	items, err := collect[groundwork.NoteCheck](ctx, db.reads(), "read what was found of notes", `SELECT c.visit_id, c.source_id, coalesce(c.whose = 'OWN', false) AS own, c.containment, c.shingles, c.copied,
			substr(v.note_text, c.span_from + 1, c.span_length) AS passage, c.span_from AS passage_from, c.source_from, c.checked_at
		FROM note_check c JOIN visit v ON v.id = c.visit_id WHERE c.visit_id = ANY(@ids)`, pgx.NamedArgs{"ids": distinct(visitIDs)})
	of := map[uuid.UUID]*groundwork.NoteCheck{}
	for _, c := range items {
		of[c.VisitID] = &c
	}
	return of, err
}

func checkNote(ctx context.Context, tx pgx.Tx, n *groundwork.NoteText, template map[uint64]bool) error {
	sketch := n.Sketch(template)
	rows, err := collect[noteRow](ctx, tx, "find notes alike", notes+` AND v.id IN (
		SELECT c.visit_id FROM note_check c WHERE c.sketch && @sketch::bigint[] AND (c.noted_at, c.visit_id) < (@at, @id)
			AND (c.official_id = @official AND c.noted_at > @own OR c.unit_id = @unit AND c.noted_at > @units)
		ORDER BY cardinality(ARRAY(SELECT unnest(c.sketch) INTERSECT SELECT unnest(@sketch::bigint[]))) DESC, c.noted_at, c.visit_id LIMIT @limit)`,
		pgx.NamedArgs{"sketch": sketch, "at": n.At, "id": n.VisitID, "official": n.OfficialID, "unit": n.UnitID, "own": n.At.AddDate(0, -groundwork.OwnNoteMonths, 0),
			"units": n.At.AddDate(0, -groundwork.UnitNoteMonths, 0), "limit": groundwork.MaxNoteSources})
	if err != nil {
		return err
	}
	earlier := make([]*groundwork.NoteText, len(rows))
	for i, row := range rows {
		earlier[i] = row.text()
	}
	copied := n.Compare(earlier, template)
	args := pgx.NamedArgs{"visit_id": n.VisitID, "official_id": n.OfficialID, "unit_id": n.UnitID, "noted_at": n.At, "shingles": copied.Shingles, "sketch": sketch,
		"containment": copied.Containment, "copied": copied.Copied, "detector": groundwork.NoteDetector, "recorded_by": groundwork.System.ID}
	if copied.Source != nil {
		args["source_id"], args["whose"] = copied.Source.VisitID, "OTHER"
		if copied.Own {
			args["whose"] = "OWN"
		}
	}
	if copied.Span != nil {
		args["span_from"], args["span_length"], args["source_from"] = copied.Span.From, copied.Span.Length, copied.Span.SourceFrom
	}
	_, err = tx.Exec(ctx, insertSQL("note_check", args), args)
	return err
}
