package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const regionColumns = `id, code, level, parent_id, string_to_array(path::text, '.') AS path, name, latitude, longitude, urban_rural,
	valid_from, valid_to, created_at`

func regionID(r *groundwork.Region) uuid.UUID { return r.ID }

// Regions implements groundwork.PlaceStore.
func (db *DB) Regions(ctx context.Context, f groundwork.RegionFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.Region], error) {
	c := where()
	among(c, "level", f.Levels)
	if f.ParentID != nil {
		c.add("parent_id = %s", *f.ParentID)
	}
	c.under("region.id", f.Under)
	c.contains("name", f.Name)
	byCode := order[groundwork.Region]{name: "CODE_ASC", expression: "code", cast: "text",
		position: func(r *groundwork.Region) (string, uuid.UUID) { return r.Code, r.ID }}
	return page(ctx, db, regionColumns, "region", c, byCode, p)
}

// RegionsByID implements groundwork.PlaceStore.
func (db *DB) RegionsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Region, error) {
	return byID(ctx, db, regionColumns, "region", ids, regionID)
}

// RegionByCode implements groundwork.PlaceStore.
func (db *DB) RegionByCode(ctx context.Context, code string) (*groundwork.Region, error) {
	return regionByCode(ctx, db.reads(), code)
}

func regionByCode(ctx context.Context, q querier, code string) (*groundwork.Region, error) {
	return one[groundwork.Region](ctx, q, "read region", "SELECT "+regionColumns+" FROM region WHERE code = @code", pgx.NamedArgs{"code": code})
}

// ChildrenOf implements groundwork.PlaceStore.
func (db *DB) ChildrenOf(ctx context.Context, regionIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.Region, error) {
	items, err := limitedOf[groundwork.Region](ctx, db, regionColumns, "region", "parent_id", "code", regionIDs, limit)
	if err != nil {
		return nil, err
	}
	return grouped(items, func(r *groundwork.Region) uuid.UUID { return *r.ParentID }), nil
}

// PopulationsOf implements groundwork.PlaceStore.
func (db *DB) PopulationsOf(ctx context.Context, regionIDs []uuid.UUID) (map[uuid.UUID][]groundwork.Population, error) {
	items, err := collect[groundwork.Population](ctx, db.reads(), "read populations",
		"SELECT region_id, year, persons, source FROM region_population WHERE region_id = ANY(@ids) ORDER BY region_id, year", pgx.NamedArgs{"ids": regionIDs})
	if err != nil {
		return nil, err
	}
	of := map[uuid.UUID][]groundwork.Population{}
	for _, p := range items {
		of[p.RegionID] = append(of[p.RegionID], p)
	}
	return of, nil
}

// CreateRegion implements groundwork.PlaceStore.
func (db *DB) CreateRegion(ctx context.Context, by groundwork.Actor, r groundwork.Region) (*groundwork.Region, groundwork.Receipt, error) {
	if err := r.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, request[groundwork.Region]{op: "create region", by: by, input: r, table: "region", columns: regionColumns,
		id: func(made *groundwork.Region) uuid.UUID { return made.ID }}, func(tx pgx.Tx) (*groundwork.Region, error) {
		return addRegion(ctx, tx, by, r)
	})
}

// addRegion adds a region below its parent, which must be one rung above.
func addRegion(ctx context.Context, tx pgx.Tx, by groundwork.Actor, r groundwork.Region) (*groundwork.Region, error) {
	if r.ParentID != nil {
		parent, err := one[groundwork.Region](ctx, tx, "read parent region",
			"SELECT "+regionColumns+" FROM region WHERE id = @id FOR SHARE", pgx.NamedArgs{"id": *r.ParentID})
		if err != nil {
			return nil, err
		}
		if err := r.ValidateParent(parent); err != nil {
			return nil, err
		}
	}
	return insert[groundwork.Region](ctx, tx, "region", regionColumns, pgx.NamedArgs{
		"id": newID(r.ID), "code": r.Code, "level": r.Level, "parent_id": r.ParentID, "name": r.Name, "latitude": r.Latitude,
		"longitude": r.Longitude, "urban_rural": r.UrbanRural, "valid_from": r.ValidFrom, "valid_to": r.ValidTo, "recorded_by": by.ID,
	})
}

// SetPopulations implements groundwork.PlaceStore. The populations that are there for the same region and year are replaced.
func (db *DB) SetPopulations(ctx context.Context, by groundwork.Actor, ps []groundwork.Population) (groundwork.Receipt, error) {
	for _, p := range ps {
		if err := p.Validate(); err != nil {
			return groundwork.Receipt{}, err
		}
	}
	return db.write(ctx, by, "set populations", func(tx pgx.Tx) error {
		_, err := setPopulations(ctx, tx, by, ps)
		return err
	})
}

// setPopulations says how many it changed; those that are the same already stay untouched. Of several for one region and year
// the last counts.
func setPopulations(ctx context.Context, tx pgx.Tx, by groundwork.Actor, ps []groundwork.Population) (changed int, err error) {
	type key struct {
		region uuid.UUID
		year   int
	}
	last := map[key]groundwork.Population{}
	for _, p := range ps {
		last[key{p.RegionID, p.Year}] = p
	}
	var regions []uuid.UUID
	var years []int
	var persons []int64
	var sources []string
	for _, p := range last {
		regions, years, persons, sources = append(regions, p.RegionID), append(years, p.Year), append(persons, p.Persons), append(sources, p.Source)
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO region_population AS p (region_id, year, persons, source, recorded_by)
		SELECT region_id, year, persons, source, @by
		FROM unnest(@regions::uuid[], @years::int[], @persons::bigint[], @sources::text[]) AS given (region_id, year, persons, source)
		ON CONFLICT (region_id, year) DO UPDATE SET persons = excluded.persons, source = excluded.source, recorded_by = excluded.recorded_by
		WHERE (p.persons, p.source) IS DISTINCT FROM (excluded.persons, excluded.source)`,
		pgx.NamedArgs{"by": by.ID, "regions": regions, "years": years, "persons": persons, "sources": sources})
	return int(tag.RowsAffected()), err
}
