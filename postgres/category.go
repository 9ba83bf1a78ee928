package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const categoryColumns = "id, code, version, parent_id, name, path, audited_minimum_minutes, valid_from, valid_to, created_at"

// categoriesByCode orders by code, then version: one text, in byte order, with a separator below all printable signs.
var categoriesByCode = order[groundwork.Category]{
	name: "CODE_ASC", expression: `(code || chr(31) || lpad(version::text, 9, '0')) COLLATE "C"`, cast: "text",
	position: func(c *groundwork.Category) (string, uuid.UUID) {
		return fmt.Sprintf("%s\x1f%09d", c.Code, c.Version), c.ID
	},
}

// Categories implements groundwork.PlaceStore.
func (db *DB) Categories(ctx context.Context, f groundwork.CategoryFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.Category], error) {
	c := where()
	if f.ParentID != nil {
		c.add("parent_id = %s", *f.ParentID)
	}
	if f.RootOnly {
		c.add("parent_id IS NULL")
	}
	if f.Code != "" {
		c.add("code = %s", f.Code)
	}
	if f.ValidOn != nil {
		c.add("valid_from <= %s::date AND (valid_to IS NULL OR valid_to > %s::date)", *f.ValidOn, *f.ValidOn)
	}
	return page(ctx, db, categoryColumns, "category", c, categoriesByCode, p)
}

// CategoriesByID implements groundwork.PlaceStore.
func (db *DB) CategoriesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Category, error) {
	return byID(ctx, db, categoryColumns, "category", ids, func(c *groundwork.Category) uuid.UUID { return c.ID })
}

// CreateCategory implements groundwork.PlaceStore. The version before the new one ends on the day on which the new one begins; its audited
// minimum is kept unless another is given, as targets are.
func (db *DB) CreateCategory(ctx context.Context, by groundwork.Actor, c groundwork.Category) (*groundwork.Category, groundwork.Receipt, error) {
	asked := c
	if c.ValidFrom.IsZero() {
		c.ValidFrom = db.now().In(groundwork.China).Truncate(24 * time.Hour)
	}
	if err := c.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, request[groundwork.Category]{op: "create category", by: by, input: asked, table: "category", columns: categoryColumns,
		id: func(made *groundwork.Category) uuid.UUID { return made.ID }}, func(tx pgx.Tx) (*groundwork.Category, error) {
		return addCategory(ctx, tx, by, c)
	})
}

func addCategory(ctx context.Context, tx pgx.Tx, by groundwork.Actor, c groundwork.Category) (*groundwork.Category, error) {
	path := []string{c.Name}
	if c.ParentID != nil {
		parent, err := one[groundwork.Category](ctx, tx, "read parent category",
			"SELECT "+categoryColumns+" FROM category WHERE id = @id", pgx.NamedArgs{"id": *c.ParentID})
		if err != nil {
			return nil, err
		}
		if parent == nil {
			return nil, groundwork.Invalid("parentId", "category %s does not exist; create the parent first", c.ParentID)
		}
		path = append(parent.Path, c.Name)
	}
	before, err := one[groundwork.Category](ctx, tx, "read category",
		"SELECT "+categoryColumns+" FROM category WHERE code = @code ORDER BY version DESC LIMIT 1 FOR UPDATE", pgx.NamedArgs{"code": c.Code})
	if err != nil {
		return nil, err
	}
	c.Version = 1
	if before != nil {
		c.Version = before.Version + 1
		c.AuditedMinimumMinutes = keep(c.AuditedMinimumMinutes, before.AuditedMinimumMinutes)
		if err := endVersion(ctx, tx, before, c.ValidFrom); err != nil {
			return nil, err
		}
	}
	return insert[groundwork.Category](ctx, tx, "category", categoryColumns, pgx.NamedArgs{
		"id": newID(c.ID), "code": c.Code, "version": c.Version, "parent_id": c.ParentID, "name": c.Name, "path": path, "audited_minimum_minutes": c.AuditedMinimumMinutes,
		"valid_from": c.ValidFrom, "valid_to": c.ValidTo, "recorded_by": by.ID,
	})
}

func endVersion(ctx context.Context, tx pgx.Tx, before *groundwork.Category, on time.Time) error {
	if before.ValidTo != nil && !before.ValidTo.After(on) {
		return nil
	}
	if !on.After(before.ValidFrom) {
		return groundwork.Invalid("validFrom", "version %d of category %q is valid from %s; give the new version a later day",
			before.Version, before.Code, before.ValidFrom.Format(time.DateOnly))
	}
	_, err := tx.Exec(ctx, "UPDATE category SET valid_to = @on WHERE id = @id", pgx.NamedArgs{"on": on, "id": before.ID})
	return err
}
