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
	if f.ToCheckBack != nil {
		c.toCheckBack(*f.ToCheckBack)
	}
	latest := order[groundwork.Visit]{name: "STARTED_DESC", expression: "started_at", cast: "timestamptz", descending: true,
		position: func(v *groundwork.Visit) (string, uuid.UUID) { return moment(v.StartedAt), v.ID }}
	return page(ctx, db, visitColumns, "visit", c, latest, p)
}

// toCheckBack keeps the visits that were drawn by lot and that the actor is to ask about.
func (c *conditions) toCheckBack(by groundwork.Actor) {
	c.add(`drawn AND state IN ('HELD', 'RECORDED', 'CLOSED_OUT')
		AND NOT EXISTS (SELECT FROM attestation a WHERE a.visit_id = visit.id AND a.voice <> 'HOST' AND a.says <> 'UNSURE')
		AND NOT EXISTS (SELECT FROM post_holding h WHERE (h.official_id = %s OR h.org_unit_id = %s)
			AND (h.id = visit.lead_id OR h.id IN (SELECT p.post_id FROM visit_participant p WHERE p.visit_id = visit.id)))`, by.OfficialID, by.UnitID)
	if len(by.RegionIDs) > 0 {
		c.add(`site_id IN (SELECT s.id FROM site s JOIN region here ON here.id = s.region_id JOIN region top ON here.path <@ top.path WHERE top.id = ANY(%s))`, by.RegionIDs)
	}
}

// VisitsByID implements groundwork.OfficeStore.
func (db *DB) VisitsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Visit, error) {
	return byID(ctx, db, visitColumns, "visit", ids, func(v *groundwork.Visit) uuid.UUID { return v.ID })
}
