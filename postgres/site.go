package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const siteColumns = "id, region_id, kind, name, latitude, longitude, eligible_from, eligible_to, created_at"

// Sites implements groundwork.PlaceStore.
func (db *DB) Sites(ctx context.Context, f groundwork.SiteFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.Site], error) {
	c := where()
	c.under("region_id", f.Under)
	among(c, "kind", f.Kinds)
	c.contains("name", f.Name)
	byName := order[groundwork.Site]{name: "NAME_ASC", expression: "name", cast: "text",
		position: func(s *groundwork.Site) (string, uuid.UUID) { return s.Name, s.ID }}
	return page(ctx, db, siteColumns, "site", c, byName, p)
}

// SitesByID implements groundwork.PlaceStore.
func (db *DB) SitesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Site, error) {
	return byID(ctx, db, siteColumns, "site", ids, func(s *groundwork.Site) uuid.UUID { return s.ID })
}

// CreateSite implements groundwork.PlaceStore.
func (db *DB) CreateSite(ctx context.Context, by groundwork.Actor, s groundwork.Site) (*groundwork.Site, groundwork.Receipt, error) {
	if err := s.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, request[groundwork.Site]{op: "create site", by: by, input: s, table: "site", columns: siteColumns,
		id: func(made *groundwork.Site) uuid.UUID { return made.ID }}, func(tx pgx.Tx) (*groundwork.Site, error) {
		return insert[groundwork.Site](ctx, tx, "site", siteColumns, pgx.NamedArgs{
			"id": newID(s.ID), "region_id": s.RegionID, "kind": s.Kind, "name": s.Name, "latitude": s.Latitude, "longitude": s.Longitude,
			"eligible_from": s.EligibleFrom, "eligible_to": s.EligibleTo, "recorded_by": by.ID,
		})
	})
}
