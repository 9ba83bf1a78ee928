package postgres

import (
	"context"

	"github.com/google/uuid"

	"groundwork"
)

const visitColumns = `id, activity_kind, notice, site_id, lead_id, started_at, ended_at, citizens_met, note_text, note_unit_id,
	note_created_at, state, version, created_at, redacted_at`

// Visits implements groundwork.OfficeStore.
func (db *DB) Visits(ctx context.Context, f groundwork.VisitFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.Visit], error) {
	c := where()
	if f.Under != nil {
		at := where()
		at.args = c.args
		at.under("s.region_id", f.Under)
		c.terms = append(c.terms, "site_id IN (SELECT s.id FROM site s WHERE "+at.sql()+")")
	}
	among(c, "site_id", f.SiteIDs)
	among(c, "activity_kind", f.ActivityKinds)
	among(c, "state", f.States)
	c.within("started_at", f.Started)
	latest := order[groundwork.Visit]{name: "STARTED_DESC", expression: "started_at", cast: "timestamptz", descending: true,
		position: func(v *groundwork.Visit) (string, uuid.UUID) { return moment(v.StartedAt), v.ID }}
	return page(ctx, db, visitColumns, "visit", c, latest, p)
}

// VisitsByID implements groundwork.OfficeStore.
func (db *DB) VisitsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Visit, error) {
	return byID(ctx, db, visitColumns, "visit", ids, func(v *groundwork.Visit) uuid.UUID { return v.ID })
}
