package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const (
	insertCategory = `INSERT INTO category (id, code, parent_id, name, path, audited_minimum_minutes, recorded_by) VALUES (@id, @code, @parent, @name, @path, @minimum, @by)`

	// updateCategory makes no new version: how long a matter takes at least is no part of what its category means.
	updateCategory = `UPDATE category SET audited_minimum_minutes = @minimum WHERE id = @id`
)

// ImportCategories implements groundwork.ReferenceImporter.
func (db *DB) ImportCategories(ctx context.Context, by groundwork.Actor, rows []groundwork.CategoryRow, o groundwork.ReferenceOptions) (groundwork.ReferenceResult, error) {
	return db.importReference(ctx, by, "import categories", len(rows), o, func(tx pgx.Tx, p *referencePlan) error {
		found, err := collect[groundwork.Category](ctx, tx, "read categories", "SELECT "+categoryColumns+" FROM category ORDER BY code, version", nil)
		if err != nil {
			return err
		}
		tree := categoryTree{byPath: map[string]*groundwork.Category{}, codes: map[string]bool{}}
		today := db.now()
		for i, c := range found {
			tree.codes[c.Code] = true
			if c.ValidTo == nil || c.ValidTo.After(today) {
				tree.byPath[pathKey(c.Path)] = &found[i]
			}
		}
		for _, row := range rows {
			p.category(row, tree)
		}
		return nil
	})
}

type categoryTree struct {
	byPath map[string]*groundwork.Category // those that are valid, or will be
	codes  map[string]bool                 // all that were ever given
}

func pathKey(path []string) string { return strings.Join(path, "\x1f") }

func (p *referencePlan) category(row groundwork.CategoryRow, tree categoryTree) {
	if p.refused(row.Line, row.Validate()) {
		return
	}
	if there := tree.byPath[pathKey(row.Path)]; there != nil {
		if row.Code != "" && row.Code != there.Code {
			p.refuse(row.Line, "code", row.Code, "this category is there with the code %s, and a category keeps its code; leave it out", there.Code)
			return
		}
		minimum := keep(row.AuditedMinimumMinutes, there.AuditedMinimumMinutes)
		p.change(!same(minimum, there.AuditedMinimumMinutes), updateCategory, pgx.NamedArgs{"id": there.ID, "minimum": minimum})
		there.AuditedMinimumMinutes = minimum
		return
	}
	if row.Code != "" && tree.codes[row.Code] {
		p.refuse(row.Line, "code", row.Code, "another category has, or had, this code; give another or leave it out")
		return
	}
	var parent *groundwork.Category
	for depth := 1; depth <= len(row.Path); depth++ {
		path := row.Path[:depth]
		if there := tree.byPath[pathKey(path)]; there != nil {
			parent = there
			continue
		}
		c := &groundwork.Category{ID: newID(uuid.Nil), Name: path[depth-1], Path: path}
		if depth == len(row.Path) {
			c.Code, c.AuditedMinimumMinutes = row.Code, row.AuditedMinimumMinutes
		}
		if c.Code == "" {
			c.Code = tree.nextCode(parent)
		}
		if parent != nil {
			c.ParentID = &parent.ID
		}
		tree.byPath[pathKey(path)], tree.codes[c.Code] = c, true
		p.add(insertCategory, pgx.NamedArgs{"id": c.ID, "code": c.Code, "parent": c.ParentID, "name": c.Name, "path": c.Path, "minimum": c.AuditedMinimumMinutes})
		parent = c
	}
}

// nextCode is the code above with the first free number of two digits, more where a hundred are taken.
func (t categoryTree) nextCode(parent *groundwork.Category) string {
	above := ""
	if parent != nil {
		above = parent.Code
	}
	for n := 1; ; n++ {
		if code := fmt.Sprintf("%s%02d", above, n); !t.codes[code] {
			return code
		}
	}
}
