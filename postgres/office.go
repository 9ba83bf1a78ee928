package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const (
	orgUnitColumns      = "id, parent_id, region_id, name, kind, created_at"
	dispatchRuleColumns = "id, category_id, region_level, org_unit_id, basis, valid_from, valid_to"
	officialColumns     = "id, pseudonym, created_at"
	postHoldingColumns  = "id, official_id, org_unit_id, rank, title, held_from, held_to, created_at"
)

// OrgUnits implements groundwork.OfficeStore.
func (db *DB) OrgUnits(ctx context.Context, f groundwork.OrgUnitFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.OrgUnit], error) {
	c := where()
	c.under("region_id", f.Under)
	among(c, "kind", f.Kinds)
	c.contains("name", f.Name)
	byName := order[groundwork.OrgUnit]{name: "NAME_ASC", expression: "name", cast: "text",
		position: func(u *groundwork.OrgUnit) (string, uuid.UUID) { return u.Name, u.ID }}
	return page(ctx, db, orgUnitColumns, "org_unit", c, byName, p)
}

// OrgUnitsByID implements groundwork.OfficeStore.
func (db *DB) OrgUnitsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.OrgUnit, error) {
	return byID(ctx, db, orgUnitColumns, "org_unit", ids, func(u *groundwork.OrgUnit) uuid.UUID { return u.ID })
}

// CreateOrgUnit implements groundwork.OfficeStore.
func (db *DB) CreateOrgUnit(ctx context.Context, by groundwork.Actor, u groundwork.OrgUnit) (*groundwork.OrgUnit, groundwork.Receipt, error) {
	if err := u.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, request[groundwork.OrgUnit]{op: "create unit", by: by, input: u, table: "org_unit", columns: orgUnitColumns,
		id: func(made *groundwork.OrgUnit) uuid.UUID { return made.ID }}, func(tx pgx.Tx) (*groundwork.OrgUnit, error) {
		return insert[groundwork.OrgUnit](ctx, tx, "org_unit", orgUnitColumns, pgx.NamedArgs{
			"id": newID(u.ID), "parent_id": u.ParentID, "region_id": u.RegionID, "name": u.Name, "kind": u.Kind, "recorded_by": by.ID,
		})
	})
}

// CreateDispatchRule implements groundwork.OfficeStore.
func (db *DB) CreateDispatchRule(ctx context.Context, by groundwork.Actor, r groundwork.DispatchRule) (*groundwork.DispatchRule, groundwork.Receipt, error) {
	if err := r.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, request[groundwork.DispatchRule]{op: "create dispatch rule", by: by, input: r, table: "dispatch_rule", columns: dispatchRuleColumns,
		id: func(made *groundwork.DispatchRule) uuid.UUID { return made.ID }}, func(tx pgx.Tx) (*groundwork.DispatchRule, error) {
		return insert[groundwork.DispatchRule](ctx, tx, "dispatch_rule", dispatchRuleColumns, pgx.NamedArgs{
			"id": newID(r.ID), "category_id": r.CategoryID, "region_level": r.RegionLevel, "org_unit_id": r.OrgUnitID, "basis": r.Basis,
			"valid_from": r.ValidFrom, "valid_to": r.ValidTo, "recorded_by": by.ID,
		})
	})
}

// Officials implements groundwork.OfficeStore.
func (db *DB) Officials(ctx context.Context, p groundwork.PageRequest) (groundwork.Page[*groundwork.Official], error) {
	byPseudonym := order[groundwork.Official]{name: "PSEUDONYM_ASC", expression: "pseudonym", cast: "text",
		position: func(o *groundwork.Official) (string, uuid.UUID) { return o.Pseudonym, o.ID }}
	return page(ctx, db, officialColumns, "official", where(), byPseudonym, p)
}

// OfficialsByID implements groundwork.OfficeStore.
func (db *DB) OfficialsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Official, error) {
	return byID(ctx, db, officialColumns, "official", ids, func(o *groundwork.Official) uuid.UUID { return o.ID })
}

// CreateOfficial implements groundwork.OfficeStore.
func (db *DB) CreateOfficial(ctx context.Context, by groundwork.Actor, o groundwork.Official) (*groundwork.Official, groundwork.Receipt, error) {
	if err := o.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, request[groundwork.Official]{op: "create official", by: by, input: o, table: "official", columns: officialColumns,
		id: func(made *groundwork.Official) uuid.UUID { return made.ID }}, func(tx pgx.Tx) (*groundwork.Official, error) {
		return insert[groundwork.Official](ctx, tx, "official", officialColumns,
			pgx.NamedArgs{"id": newID(o.ID), "pseudonym": o.Pseudonym, "recorded_by": by.ID})
	})
}

// PostHoldingsByID implements groundwork.OfficeStore.
func (db *DB) PostHoldingsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.PostHolding, error) {
	return byID(ctx, db, postHoldingColumns, "post_holding", ids, func(h *groundwork.PostHolding) uuid.UUID { return h.ID })
}

// PostHoldingsOf implements groundwork.OfficeStore: the posts of each official, earliest first.
func (db *DB) PostHoldingsOf(ctx context.Context, officialIDs []uuid.UUID) (map[uuid.UUID][]*groundwork.PostHolding, error) {
	items, err := collect[groundwork.PostHolding](ctx, db.reads(), "read posts",
		"SELECT "+postHoldingColumns+" FROM post_holding WHERE official_id = ANY(@ids) ORDER BY held_from, id", pgx.NamedArgs{"ids": officialIDs})
	if err != nil {
		return nil, err
	}
	return grouped(items, func(h *groundwork.PostHolding) uuid.UUID { return h.OfficialID }), nil
}

// CreatePostHolding implements groundwork.OfficeStore.
func (db *DB) CreatePostHolding(ctx context.Context, by groundwork.Actor, h groundwork.PostHolding) (*groundwork.PostHolding, groundwork.Receipt, error) {
	if err := h.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, request[groundwork.PostHolding]{op: "create post holding", by: by, input: h, table: "post_holding", columns: postHoldingColumns,
		id: func(made *groundwork.PostHolding) uuid.UUID { return made.ID }}, func(tx pgx.Tx) (*groundwork.PostHolding, error) {
		return insert[groundwork.PostHolding](ctx, tx, "post_holding", postHoldingColumns, pgx.NamedArgs{
			"id": newID(h.ID), "official_id": h.OfficialID, "org_unit_id": h.OrgUnitID, "rank": h.Rank, "title": h.Title,
			"held_from": h.HeldFrom, "held_to": h.HeldTo, "recorded_by": by.ID,
		})
	})
}
