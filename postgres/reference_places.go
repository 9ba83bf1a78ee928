package postgres

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const (
	insertRegion = `INSERT INTO region (id, code, level, parent_id, name, latitude, longitude, urban_rural, valid_from, valid_to, recorded_by)
		VALUES (@id, @code, @level, @parent, @name, @latitude, @longitude, @urban_rural, @valid_from, @valid_to, @by)`
	updateRegion = `UPDATE region SET parent_id = @parent, name = @name, latitude = @latitude, longitude = @longitude, urban_rural = @urban_rural,
		valid_from = @valid_from, valid_to = @valid_to WHERE id = @id`
	insertSite = `INSERT INTO site (id, region_id, kind, name, latitude, longitude, eligible_from, eligible_to, recorded_by)
		VALUES (@id, @region, @kind, @name, @latitude, @longitude, @eligible_from, @eligible_to, @by)`
	updateSite = `UPDATE site SET latitude = @latitude, longitude = @longitude, eligible_from = @eligible_from, eligible_to = @eligible_to WHERE id = @id`
)

// ImportRegions implements groundwork.ReferenceImporter. Rows may stand in any order: those above come first by their level.
func (db *DB) ImportRegions(ctx context.Context, by groundwork.Actor, rows []groundwork.RegionRow, o groundwork.ReferenceOptions) (groundwork.ReferenceResult, error) {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b groundwork.RegionRow) int {
		return cmp.Compare(slices.Index(groundwork.RegionLevels, a.Region.Level), slices.Index(groundwork.RegionLevels, b.Region.Level))
	})
	return db.importReference(ctx, by, "import regions", len(rows), o, func(tx pgx.Tx, p *referencePlan) error {
		found, err := collect[groundwork.Region](ctx, tx, "read regions", `SELECT id, code, level, parent_id, '{}'::text[] AS path, name, latitude,
			longitude, urban_rural, valid_from, valid_to, created_at FROM region`, nil)
		if err != nil {
			return err
		}
		byCode := make(map[string]*groundwork.Region, len(found))
		for i := range found {
			byCode[found[i].Code] = &found[i]
		}
		for _, row := range rows {
			p.region(row, byCode)
		}
		return nil
	})
}

func (p *referencePlan) region(row groundwork.RegionRow, byCode map[string]*groundwork.Region) {
	r := row.Region
	var parent *groundwork.Region
	if row.ParentCode != "" {
		if parent = byCode[row.ParentCode]; parent == nil {
			p.refuse(row.Line, "parent", row.ParentCode, "the region above, %s, does not exist; list it in this file or import it first", row.ParentCode)
			return
		}
		r.ParentID = &parent.ID
	}
	if p.refused(row.Line, r.Validate()) || parent != nil && p.refused(row.Line, r.ValidateParent(parent)) {
		return
	}
	there := byCode[r.Code]
	if there == nil {
		r.ID = newID(uuid.Nil)
		byCode[r.Code] = &r
		p.add(insertRegion, regionArgs(r))
		return
	}
	if there.Level != r.Level {
		p.refuse(row.Line, "level", string(r.Level), "this region is there as a %s, and a region keeps its level; give another code", there.Level)
		return
	}
	r.ID = there.ID
	r.Latitude, r.Longitude, r.UrbanRural = keep(r.Latitude, there.Latitude), keep(r.Longitude, there.Longitude), keep(r.UrbanRural, there.UrbanRural)
	r.ValidFrom, r.ValidTo = keep(r.ValidFrom, there.ValidFrom), keep(r.ValidTo, there.ValidTo)
	differs := r.Name != there.Name || !same(r.ParentID, there.ParentID) || !same(r.Latitude, there.Latitude) || !same(r.Longitude, there.Longitude) ||
		!same(r.UrbanRural, there.UrbanRural) || !sameDay(r.ValidFrom, there.ValidFrom) || !sameDay(r.ValidTo, there.ValidTo)
	p.change(differs, updateRegion, regionArgs(r))
}

func regionArgs(r groundwork.Region) pgx.NamedArgs {
	return pgx.NamedArgs{"id": r.ID, "code": r.Code, "level": r.Level, "parent": r.ParentID, "name": r.Name, "latitude": r.Latitude,
		"longitude": r.Longitude, "urban_rural": r.UrbanRural, "valid_from": r.ValidFrom, "valid_to": r.ValidTo}
}

// ImportSites implements groundwork.ReferenceImporter.
func (db *DB) ImportSites(ctx context.Context, by groundwork.Actor, rows []groundwork.SiteRow, o groundwork.ReferenceOptions) (groundwork.ReferenceResult, error) {
	codes := make([]string, len(rows))
	for i, row := range rows {
		codes[i] = row.RegionCode
	}
	return db.importReference(ctx, by, "import sites", len(rows), o, func(tx pgx.Tx, p *referencePlan) error {
		regions, err := regionIDs(ctx, tx, codes)
		if err != nil {
			return err
		}
		ids := make([]uuid.UUID, 0, len(regions))
		for _, id := range regions {
			ids = append(ids, id)
		}
		found, err := collect[groundwork.Site](ctx, tx, "read sites", "SELECT "+siteColumns+" FROM site WHERE region_id = ANY(@ids)", pgx.NamedArgs{"ids": ids})
		if err != nil {
			return err
		}
		known := make(map[siteKey]*groundwork.Site, len(found))
		for i, s := range found {
			known[siteKey{s.RegionID, s.Kind, s.Name}] = &found[i]
		}
		for _, row := range rows {
			p.site(row, regions, known)
		}
		return nil
	})
}

type siteKey struct {
	region uuid.UUID
	kind   groundwork.SiteKind
	name   string
}

func (p *referencePlan) site(row groundwork.SiteRow, regions map[string]uuid.UUID, known map[siteKey]*groundwork.Site) {
	s := row.Site
	var there bool
	if s.RegionID, there = regions[row.RegionCode]; !there {
		p.refuse(row.Line, "region", row.RegionCode, unknownRegion)
		return
	}
	before := known[siteKey{s.RegionID, s.Kind, s.Name}]
	if before != nil {
		s.ID = before.ID
		s.Latitude, s.Longitude = keep(s.Latitude, before.Latitude), keep(s.Longitude, before.Longitude)
		s.EligibleFrom, s.EligibleTo = keep(s.EligibleFrom, before.EligibleFrom), keep(s.EligibleTo, before.EligibleTo)
	}
	if p.refused(row.Line, s.Validate()) {
		return
	}
	s.ID = newID(s.ID)
	args := pgx.NamedArgs{"id": s.ID, "region": s.RegionID, "kind": s.Kind, "name": s.Name, "latitude": s.Latitude, "longitude": s.Longitude,
		"eligible_from": s.EligibleFrom, "eligible_to": s.EligibleTo}
	if before == nil {
		known[siteKey{s.RegionID, s.Kind, s.Name}] = &s
		p.add(insertSite, args)
		return
	}
	p.change(!same(s.Latitude, before.Latitude) || !same(s.Longitude, before.Longitude) || !sameDay(s.EligibleFrom, before.EligibleFrom) ||
		!sameDay(s.EligibleTo, before.EligibleTo), updateSite, args)
}
