package postgres

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const boundaryColumns = "region_id, geojson, south, west, north, east, latitude, longitude, source, created_at"

// BoundariesOf implements groundwork.PlaceStore.
func (db *DB) BoundariesOf(ctx context.Context, regionIDs []uuid.UUID) (map[uuid.UUID]*groundwork.Boundary, error) {
	items, err := collect[groundwork.Boundary](ctx, db.pool, "read outlines",
		"SELECT "+boundaryColumns+" FROM region_boundary WHERE region_id = ANY(@ids)", pgx.NamedArgs{"ids": regionIDs})
	of := make(map[uuid.UUID]*groundwork.Boundary, len(items))
	for i := range items {
		of[items[i].RegionID] = &items[i]
	}
	return of, err
}

// NeighboursOf implements groundwork.PlaceStore.
func (db *DB) NeighboursOf(ctx context.Context, regionIDs []uuid.UUID) (map[uuid.UUID][]*groundwork.Region, error) {
	type pair struct{ RegionID, NeighbourID uuid.UUID }
	pairs, err := collect[pair](ctx, db.pool, "read neighbours", `
		SELECT n.region_id, n.neighbour_id FROM (
			SELECT region_id, neighbour_id, valid_from, valid_to FROM region_neighbour WHERE region_id = ANY(@ids)
			UNION ALL
			SELECT neighbour_id, region_id, valid_from, valid_to FROM region_neighbour WHERE neighbour_id = ANY(@ids)
		) n JOIN region r ON r.id = n.neighbour_id
		WHERE coalesce(n.valid_from <= current_date, true) AND coalesce(n.valid_to > current_date, true)
		ORDER BY n.region_id, r.code`, pgx.NamedArgs{"ids": regionIDs})
	if err != nil {
		return nil, err
	}
	ids := make([]uuid.UUID, len(pairs))
	for i, p := range pairs {
		ids[i] = p.NeighbourID
	}
	regions, err := db.RegionsByID(ctx, ids)
	of := map[uuid.UUID][]*groundwork.Region{}
	for _, p := range pairs {
		of[p.RegionID] = append(of[p.RegionID], regions[p.NeighbourID])
	}
	return of, err
}

// Outlines reads what neighbours are found from: of all regions of a level that have an outline, by code.
func (db *DB) Outlines(ctx context.Context, level groundwork.RegionLevel) ([]groundwork.Outline, error) {
	return collect[groundwork.Outline](ctx, db.pool, "read outlines",
		"SELECT code, level, geojson FROM region JOIN region_boundary ON region_id = id WHERE level = @level ORDER BY code", pgx.NamedArgs{"level": level})
}

const (
	insertBoundary = `INSERT INTO region_boundary (region_id, geojson, south, west, north, east, latitude, longitude, source, recorded_by)
		VALUES (@region, @geojson, @south, @west, @north, @east, @latitude, @longitude, @source, @by)`
	updateBoundary = `UPDATE region_boundary SET geojson = @geojson, south = @south, west = @west, north = @north, east = @east, latitude = @latitude,
		longitude = @longitude, source = @source WHERE region_id = @region`
	placeRegion     = "UPDATE region SET latitude = @latitude, longitude = @longitude WHERE id = @region AND latitude IS NULL"
	insertNeighbour = `INSERT INTO region_neighbour (region_id, neighbour_id, source, valid_from, valid_to, recorded_by)
		VALUES (@region, @neighbour, @source, @from, @to, @by)`
	updateNeighbour = "UPDATE region_neighbour SET source = @source, valid_from = @from, valid_to = @to WHERE region_id = @region AND neighbour_id = @neighbour"
	deleteNeighbour = "DELETE FROM region_neighbour WHERE region_id = @region AND neighbour_id = @neighbour"
)

// ImportBoundaries implements groundwork.ReferenceImporter.
func (db *DB) ImportBoundaries(ctx context.Context, by groundwork.Actor, rows []groundwork.BoundaryRow, o groundwork.ReferenceOptions) (groundwork.ReferenceResult, error) {
	codes := make([]string, len(rows))
	for i, row := range rows {
		codes[i] = row.Code
	}
	return db.importReference(ctx, by, "import boundaries", len(rows), o, func(tx pgx.Tx, p *referencePlan) error {
		regions, err := regionIDs(ctx, tx, codes)
		if err != nil {
			return err
		}
		known, err := knownBoundaries(ctx, tx, regions)
		if err != nil {
			return err
		}
		for _, row := range rows {
			p.boundary(row, regions, known)
		}
		return nil
	})
}

func knownBoundaries(ctx context.Context, tx pgx.Tx, regions map[string]uuid.UUID) (map[uuid.UUID]groundwork.Boundary, error) {
	ids := make([]uuid.UUID, 0, len(regions))
	for _, id := range regions {
		ids = append(ids, id)
	}
	found, err := collect[groundwork.Boundary](ctx, tx, "read outlines", "SELECT "+boundaryColumns+" FROM region_boundary WHERE region_id = ANY(@ids)", pgx.NamedArgs{"ids": ids})
	known := make(map[uuid.UUID]groundwork.Boundary, len(found))
	for _, b := range found {
		known[b.RegionID] = b
	}
	return known, err
}

func (p *referencePlan) boundary(row groundwork.BoundaryRow, regions map[string]uuid.UUID, known map[uuid.UUID]groundwork.Boundary) {
	id, there := regions[row.Code]
	if !there {
		p.refuse(row.Line, "code", row.Code, unknownRegion)
		return
	}
	b := row.Boundary
	if p.refused(row.Line, b.Validate()) {
		return
	}
	args := pgx.NamedArgs{"region": id, "geojson": b.GeoJSON, "south": b.South, "west": b.West, "north": b.North, "east": b.East,
		"latitude": b.Latitude, "longitude": b.Longitude, "source": b.Source}
	before, has := known[id]
	switch {
	case !has:
		p.add(insertBoundary, args)
	case before.GeoJSON == b.GeoJSON && before.Source == b.Source:
		p.result.Known++
		return
	default:
		p.change(true, updateBoundary, args)
	}
	p.writes = append(p.writes, statement{placeRegion, args})
}

// ImportNeighbours implements groundwork.ReferenceImporter.
func (db *DB) ImportNeighbours(ctx context.Context, by groundwork.Actor, rows []groundwork.NeighbourRow, o groundwork.ReferenceOptions) (groundwork.ReferenceResult, error) {
	return db.importReference(ctx, by, "import neighbours", len(rows), o, func(tx pgx.Tx, p *referencePlan) error {
		regions, err := regionsByCodes(ctx, tx, rows)
		if err != nil {
			return err
		}
		levels, source := []groundwork.RegionLevel{}, groundwork.ListedPair
		for _, r := range regions {
			if !slices.Contains(levels, r.Level) {
				levels = append(levels, r.Level)
			}
		}
		if len(rows) > 0 {
			source = rows[0].Source
		}
		there, err := neighboursAt(ctx, tx, levels)
		if err != nil {
			return err
		}
		given := map[[2]uuid.UUID]bool{}
		for _, row := range rows {
			if pair, ok := p.neighbours(row, regions, there); ok {
				given[pair] = true
			}
		}
		if o.Replace {
			p.dropNeighbours(there, given, source)
		}
		return nil
	})
}

func regionsByCodes(ctx context.Context, tx pgx.Tx, rows []groundwork.NeighbourRow) (map[string]*groundwork.Region, error) {
	var codes []string
	for _, row := range rows {
		codes = append(codes, row.Codes[:]...)
	}
	found, err := collect[groundwork.Region](ctx, tx, "look up regions", "SELECT "+regionColumns+" FROM region WHERE code = ANY(@codes)", pgx.NamedArgs{"codes": distinct(codes)})
	regions := make(map[string]*groundwork.Region, len(found))
	for i := range found {
		regions[found[i].Code] = &found[i]
	}
	return regions, err
}

func neighboursAt(ctx context.Context, tx pgx.Tx, levels []groundwork.RegionLevel) (map[[2]uuid.UUID]groundwork.Neighbourhood, error) {
	found, err := collect[groundwork.Neighbourhood](ctx, tx, "read neighbours", `SELECT n.region_id, n.neighbour_id, n.source, n.valid_from, n.valid_to
		FROM region_neighbour n JOIN region r ON r.id = n.region_id WHERE r.level = ANY(@levels)`, pgx.NamedArgs{"levels": levels})
	there := make(map[[2]uuid.UUID]groundwork.Neighbourhood, len(found))
	for _, n := range found {
		there[[2]uuid.UUID{n.RegionID, n.NeighbourID}] = n
	}
	return there, err
}

// neighbours plans a pair. What was listed by hand stays listed, also where the borders say the same.
func (p *referencePlan) neighbours(row groundwork.NeighbourRow, regions map[string]*groundwork.Region, there map[[2]uuid.UUID]groundwork.Neighbourhood) (pair [2]uuid.UUID, ok bool) {
	for i, field := range []string{"region", "neighbour"} {
		if regions[row.Codes[i]] == nil {
			p.refuse(row.Line, field, row.Codes[i], unknownRegion)
			return pair, false
		}
	}
	a, b := regions[row.Codes[0]], regions[row.Codes[1]]
	n := groundwork.Neighbours(a.ID, b.ID, row.Source)
	n.ValidFrom, n.ValidTo = row.From, row.To
	if p.refused(row.Line, n.Validate()) {
		return pair, false
	}
	if a.Level != b.Level {
		p.refuse(row.Line, "neighbour", b.Code, "%s is a %s and %s a %s; neighbours are of one level", a.Code, a.Level, b.Code, b.Level)
		return pair, false
	}
	pair = [2]uuid.UUID{n.RegionID, n.NeighbourID}
	args := pgx.NamedArgs{"region": n.RegionID, "neighbour": n.NeighbourID, "source": n.Source, "from": n.ValidFrom, "to": n.ValidTo}
	before, has := there[pair]
	switch {
	case !has:
		p.add(insertNeighbour, args)
	case before.Source == groundwork.ListedPair && n.Source == groundwork.SharedBorder:
		p.result.Known++
	default:
		p.change(before.Source != n.Source || !sameDay(before.ValidFrom, n.ValidFrom) || !sameDay(before.ValidTo, n.ValidTo), updateNeighbour, args)
	}
	there[pair] = n
	return pair, true
}

func (p *referencePlan) dropNeighbours(there map[[2]uuid.UUID]groundwork.Neighbourhood, given map[[2]uuid.UUID]bool, source groundwork.NeighbourSource) {
	for pair, n := range there {
		if !given[pair] && n.Source == source {
			p.result.Removed++
			p.writes = append(p.writes, statement{deleteNeighbour, pgx.NamedArgs{"region": n.RegionID, "neighbour": n.NeighbourID}})
		}
	}
}
