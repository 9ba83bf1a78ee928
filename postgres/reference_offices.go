package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const (
	insertUnit     = `INSERT INTO org_unit (id, region_id, name, kind, recorded_by) VALUES (@id, @region, @name, @kind, @by)`
	updateUnit     = `UPDATE org_unit SET parent_id = @parent, kind = @kind WHERE id = @id`
	insertOfficial = `INSERT INTO official (id, pseudonym, recorded_by) VALUES (@id, @pseudonym, @by)`
	insertPost     = `INSERT INTO post_holding (id, official_id, org_unit_id, rank, title, held_from, held_to, recorded_by)
		VALUES (@id, @official, @unit, @rank, @title, @held_from, @held_to, @by)`
	updatePost = `UPDATE post_holding SET rank = @rank, held_to = @held_to WHERE id = @id`
	insertRule = `INSERT INTO dispatch_rule (id, category_id, region_level, org_unit_id, basis, valid_from, valid_to, recorded_by)
		VALUES (@id, @category, @level, @unit, @basis, @valid_from, @valid_to, @by)`
	updateRule = `UPDATE dispatch_rule SET basis = @basis, valid_to = @valid_to WHERE id = @id`
)

// ImportUnits implements groundwork.ReferenceImporter. First all units are there, then each gets the one above it, so that rows may
// stand in any order.
func (db *DB) ImportUnits(ctx context.Context, by groundwork.Actor, rows []groundwork.UnitRow, o groundwork.ReferenceOptions) (groundwork.ReferenceResult, error) {
	codes := make([]string, len(rows))
	for i, row := range rows {
		codes[i] = row.RegionCode
	}
	return db.importReference(ctx, by, "import units", len(rows), o, func(tx pgx.Tx, p *referencePlan) error {
		regions, err := regionIDs(ctx, tx, codes)
		if err != nil {
			return err
		}
		units, err := readUnits(ctx, tx)
		if err != nil {
			return err
		}
		p.units(rows, regions, units)
		return nil
	})
}

func (p *referencePlan) units(rows []groundwork.UnitRow, regions map[string]uuid.UUID, units unitIndex) {
	fresh := map[uuid.UUID]bool{}
	for _, row := range rows {
		region, there := regions[row.RegionCode]
		if units.exact(row.Unit.Name, row.RegionCode) != nil || row.RegionCode != "" && !there || row.Unit.Validate() != nil {
			continue
		}
		u := &indexedUnit{ID: newID(uuid.Nil), Name: row.Unit.Name, Kind: row.Unit.Kind, Code: row.RegionCode}
		units.add(u)
		fresh[u.ID] = true
		args := pgx.NamedArgs{"id": u.ID, "region": (*uuid.UUID)(nil), "name": u.Name, "kind": u.Kind}
		if row.RegionCode != "" {
			args["region"] = &region
		}
		p.add(insertUnit, args)
	}
	above := map[uuid.UUID]*uuid.UUID{}
	for _, all := range units {
		for _, u := range all {
			above[u.ID] = u.ParentID
		}
	}
	for _, row := range rows {
		p.unit(row, units, above, fresh)
	}
}

// unit settles what a row says of its unit, which is there by now unless the row is refused.
func (p *referencePlan) unit(row groundwork.UnitRow, units unitIndex, above map[uuid.UUID]*uuid.UUID, fresh map[uuid.UUID]bool) {
	if p.refused(row.Line, row.Unit.Validate()) {
		return
	}
	u := units.exact(row.Unit.Name, row.RegionCode)
	if u == nil {
		p.refuse(row.Line, "region", row.RegionCode, unknownRegion)
		return
	}
	parent := u.ParentID
	if row.Parent.Name != "" {
		found, why := units.find(row.Parent)
		switch {
		case found == nil:
			p.refuse(row.Line, "parent", row.Parent.Name, "%s%s", why, keptWithout(fresh[u.ID]))
			return
		case isAbove(above, u.ID, &found.ID):
			p.refuse(row.Line, "parent", row.Parent.Name, "this unit lies below the unit itself; name one above%s", keptWithout(fresh[u.ID]))
			return
		}
		parent = &found.ID
	}
	above[u.ID] = parent
	differs := u.Kind != row.Unit.Kind || !same(u.ParentID, parent)
	args := pgx.NamedArgs{"id": u.ID, "parent": parent, "kind": row.Unit.Kind}
	if !fresh[u.ID] {
		p.change(differs, updateUnit, args)
	} else if differs {
		p.writes = append(p.writes, statement{updateUnit, args})
	}
}

func keptWithout(fresh bool) string {
	if fresh {
		return " (the unit itself was added, without a unit above)"
	}
	return ""
}

// isAbove reports whether unit is start or lies above it.
func isAbove(above map[uuid.UUID]*uuid.UUID, unit uuid.UUID, start *uuid.UUID) bool {
	for at := start; at != nil; at = above[*at] {
		if *at == unit {
			return true
		}
	}
	return false
}

// ImportOfficials implements groundwork.ReferenceImporter.
func (db *DB) ImportOfficials(ctx context.Context, by groundwork.Actor, rows []groundwork.OfficialRow, o groundwork.ReferenceOptions) (groundwork.ReferenceResult, error) {
	pseudonyms := make([]string, len(rows))
	for i, row := range rows {
		pseudonyms[i] = row.Pseudonym
	}
	return db.importReference(ctx, by, "import officials", len(rows), o, func(tx pgx.Tx, p *referencePlan) error {
		units, err := readUnits(ctx, tx)
		if err != nil {
			return err
		}
		found, err := collect[groundwork.Official](ctx, tx, "read officials",
			"SELECT "+officialColumns+" FROM official WHERE pseudonym = ANY(@names)", pgx.NamedArgs{"names": distinct(pseudonyms)})
		if err != nil {
			return err
		}
		officials, ids := map[string]uuid.UUID{}, make([]uuid.UUID, len(found))
		for i, official := range found {
			officials[official.Pseudonym], ids[i] = official.ID, official.ID
		}
		held, err := collect[groundwork.PostHolding](ctx, tx, "read posts",
			"SELECT "+postHoldingColumns+" FROM post_holding WHERE official_id = ANY(@ids)", pgx.NamedArgs{"ids": ids})
		if err != nil {
			return err
		}
		posts := make(map[postKey]*groundwork.PostHolding, len(held))
		for i, h := range held {
			posts[keyOfPost(h)] = &held[i]
		}
		for _, row := range rows {
			p.official(row, units, officials, posts)
		}
		return nil
	})
}

type postKey struct {
	official, unit uuid.UUID
	title, from    string
}

func keyOfPost(h groundwork.PostHolding) postKey {
	return postKey{h.OfficialID, h.OrgUnitID, h.Title, h.HeldFrom.Format(time.DateOnly)}
}

func (p *referencePlan) official(row groundwork.OfficialRow, units unitIndex, officials map[string]uuid.UUID, posts map[postKey]*groundwork.PostHolding) {
	unit, why := units.find(row.Unit)
	if unit == nil {
		p.refuse(row.Line, "unit", row.Unit.Name, "%s", why)
		return
	}
	h := row.Post
	if p.refused(row.Line, groundwork.Official{Pseudonym: row.Pseudonym}.Validate()) || p.refused(row.Line, h.Validate()) {
		return
	}
	official, there := officials[row.Pseudonym]
	if !there {
		official = newID(uuid.Nil)
		officials[row.Pseudonym] = official
		p.writes = append(p.writes, statement{insertOfficial, pgx.NamedArgs{"id": official, "pseudonym": row.Pseudonym, "by": p.by.ID}})
	}
	h.OfficialID, h.OrgUnitID = official, unit.ID
	before := posts[keyOfPost(h)]
	if before == nil {
		h.ID = newID(uuid.Nil)
		posts[keyOfPost(h)] = &h
		p.add(insertPost, pgx.NamedArgs{"id": h.ID, "official": official, "unit": unit.ID, "rank": h.Rank, "title": h.Title, "held_from": h.HeldFrom, "held_to": h.HeldTo})
		return
	}
	h.HeldTo = keep(h.HeldTo, before.HeldTo)
	p.change(h.Rank != before.Rank || !sameDay(h.HeldTo, before.HeldTo), updatePost, pgx.NamedArgs{"id": before.ID, "rank": h.Rank, "held_to": h.HeldTo})
}

// ImportDispatchRules implements groundwork.ReferenceImporter. A rule is about the version of its category that is valid on its first day.
func (db *DB) ImportDispatchRules(ctx context.Context, by groundwork.Actor, rows []groundwork.DispatchRuleRow, o groundwork.ReferenceOptions) (groundwork.ReferenceResult, error) {
	codes := make([]string, len(rows))
	for i, row := range rows {
		codes[i] = row.CategoryCode
	}
	return db.importReference(ctx, by, "import dispatch rules", len(rows), o, func(tx pgx.Tx, p *referencePlan) error {
		units, err := readUnits(ctx, tx)
		if err != nil {
			return err
		}
		found, err := collect[groundwork.Category](ctx, tx, "read categories",
			"SELECT "+categoryColumns+" FROM category WHERE code = ANY(@codes) ORDER BY code, version", pgx.NamedArgs{"codes": distinct(codes)})
		if err != nil {
			return err
		}
		versions, ids := map[string][]groundwork.Category{}, make([]uuid.UUID, len(found))
		for i, c := range found {
			versions[c.Code], ids[i] = append(versions[c.Code], c), c.ID
		}
		there, err := collect[groundwork.DispatchRule](ctx, tx, "read dispatch rules",
			"SELECT "+dispatchRuleColumns+" FROM dispatch_rule WHERE category_id = ANY(@ids)", pgx.NamedArgs{"ids": ids})
		if err != nil {
			return err
		}
		rules := make(map[ruleKey]*groundwork.DispatchRule, len(there))
		for i, r := range there {
			rules[keyOfRule(r)] = &there[i]
		}
		for _, row := range rows {
			p.dispatchRule(row, units, versions, rules)
		}
		return nil
	})
}

type ruleKey struct {
	category, unit uuid.UUID
	level          groundwork.RegionLevel
	from           string
}

func keyOfRule(r groundwork.DispatchRule) ruleKey {
	return ruleKey{r.CategoryID, r.OrgUnitID, r.RegionLevel, r.ValidFrom.Format(time.DateOnly)}
}

func (p *referencePlan) dispatchRule(row groundwork.DispatchRuleRow, units unitIndex, versions map[string][]groundwork.Category, rules map[ruleKey]*groundwork.DispatchRule) {
	r := row.Rule
	unit, why := units.find(row.Unit)
	if unit == nil {
		p.refuse(row.Line, "unit", row.Unit.Name, "%s", why)
		return
	}
	category := validOn(versions[row.CategoryCode], r.ValidFrom)
	if category == nil {
		p.refuse(row.Line, "category", row.CategoryCode, "no category of this code is valid on %s; create it first, or give another first day", r.ValidFrom.Format(time.DateOnly))
		return
	}
	if p.refused(row.Line, r.Validate()) {
		return
	}
	r.CategoryID, r.OrgUnitID = category.ID, unit.ID
	before := rules[keyOfRule(r)]
	if before == nil {
		r.ID = newID(uuid.Nil)
		rules[keyOfRule(r)] = &r
		p.add(insertRule, pgx.NamedArgs{"id": r.ID, "category": r.CategoryID, "level": r.RegionLevel, "unit": r.OrgUnitID, "basis": r.Basis,
			"valid_from": r.ValidFrom, "valid_to": r.ValidTo})
		return
	}
	r.ValidTo = keep(r.ValidTo, before.ValidTo)
	p.change(r.Basis != before.Basis || !sameDay(r.ValidTo, before.ValidTo), updateRule, pgx.NamedArgs{"id": before.ID, "basis": r.Basis, "valid_to": r.ValidTo})
}

// validOn returns the version that is valid on the day, nil if none is.
func validOn(versions []groundwork.Category, day time.Time) *groundwork.Category {
	for i, c := range versions {
		if !c.ValidFrom.After(day) && (c.ValidTo == nil || c.ValidTo.After(day)) {
			return &versions[i]
		}
	}
	return nil
}
