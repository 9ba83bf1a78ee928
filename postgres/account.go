package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

var _ groundwork.AccountStore = (*DB)(nil)

const roleBindingColumns = "id, account, role, unit_id, region_ids, official_id, valid_from, valid_to, created_at"

// GrantRole implements groundwork.AccountStore.
func (db *DB) GrantRole(ctx context.Context, by groundwork.Actor, g groundwork.RoleGrant) (made *groundwork.RoleBinding, err error) {
	now := groundwork.Moment(db.now())
	if err := g.Validate(now); err != nil {
		return nil, err
	}
	_, err = db.write(ctx, by, "grant a role", func(tx pgx.Tx) error {
		unit, err := referred(ctx, tx, "unit", g.Unit, "SELECT id FROM org_unit WHERE id::text = @given OR name = @given LIMIT 2")
		if err != nil {
			return err
		}
		official, err := referred(ctx, tx, "official", g.Official, "SELECT id FROM official WHERE id::text = @given OR pseudonym = @given LIMIT 2")
		if err != nil {
			return err
		}
		regions := make([]uuid.UUID, 0, len(g.RegionCodes))
		for _, code := range g.RegionCodes {
			id, err := referred(ctx, tx, "region", code, "SELECT id FROM region WHERE code = @given")
			if err != nil {
				return err
			}
			if id != nil {
				regions = append(regions, *id)
			}
		}
		standing, err := one[groundwork.RoleBinding](ctx, tx, "look for the same role", "SELECT "+roleBindingColumns+` FROM role_binding
			WHERE account = @account AND role = @role AND unit_id IS NOT DISTINCT FROM @unit AND (valid_to IS NULL OR valid_to > @now) LIMIT 1`,
			pgx.NamedArgs{"account": g.Account, "role": g.Role, "unit": unit, "now": now})
		if err != nil {
			return err
		}
		if standing != nil {
			return groundwork.Errorf(groundwork.CodeConflict, "account %s is bound to role %s for this unit already, in %d regions; to change it, end that and grant it anew with all regions that it is to reach: groundwork account revoke %s",
				g.Account, g.Role, len(standing.RegionIDs), standing.ID)
		}
		made, err = insert[groundwork.RoleBinding](ctx, tx, "role_binding", roleBindingColumns, pgx.NamedArgs{
			"id": newID(uuid.Nil), "account": g.Account, "role": g.Role, "unit_id": unit, "region_ids": regions, "official_id": official,
			"valid_from": now, "valid_to": g.ValidTo, "created_at": now, "recorded_by": by.ID,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// referred looks up the one thing that was named; nothing was named if given is empty.
func referred(ctx context.Context, tx pgx.Tx, field, given, sql string) (*uuid.UUID, error) {
	if given == "" {
		return nil, nil
	}
	rows, err := tx.Query(ctx, sql, pgx.NamedArgs{"given": given})
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	switch {
	case err != nil:
		return nil, err
	case len(ids) == 0:
		return nil, groundwork.Invalid(field, "%s %q is unknown; give an existing one", field, given)
	case len(ids) > 1:
		return nil, groundwork.Invalid(field, "%s %q is the name of several; give its id", field, given)
	}
	return &ids[0], nil
}

// RevokeRole implements groundwork.AccountStore.
func (db *DB) RevokeRole(ctx context.Context, by groundwork.Actor, id uuid.UUID) (revoked *groundwork.RoleBinding, err error) {
	_, err = db.write(ctx, by, "revoke a role", func(tx pgx.Tx) error {
		revoked, err = one[groundwork.RoleBinding](ctx, tx, "revoke a role",
			"UPDATE role_binding SET valid_to = least(valid_to, greatest(valid_from, @now)) WHERE id = @id RETURNING "+roleBindingColumns,
			pgx.NamedArgs{"id": id, "now": groundwork.Moment(db.now())})
		if err == nil && revoked == nil {
			err = groundwork.Errorf(groundwork.CodeNotFound, "there is no role binding %s; `groundwork account list` shows them", id)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return revoked, nil
}

// RoleBindings implements groundwork.AccountStore.
func (db *DB) RoleBindings(ctx context.Context, account string, p groundwork.PageRequest) (groundwork.Page[*groundwork.RoleBinding], error) {
	newest := order[groundwork.RoleBinding]{name: "CREATED_DESC", expression: "created_at", cast: "timestamptz", descending: true,
		position: func(b *groundwork.RoleBinding) (string, uuid.UUID) { return moment(b.CreatedAt), b.ID }}
	w := where()
	if account != "" {
		w.add("account = %s", account)
	}
	return page(ctx, db, roleBindingColumns, "role_binding", w, newest, p)
}

// BindingsOf implements groundwork.AccountStore.
func (db *DB) BindingsOf(ctx context.Context, account string) ([]groundwork.RoleBinding, error) {
	return collect[groundwork.RoleBinding](ctx, db.readsAs(groundwork.Actor{ID: account, Role: groundwork.RoleCitizen}), "read role bindings",
		"SELECT "+roleBindingColumns+" FROM role_binding WHERE account = @account AND valid_from <= @now AND (valid_to IS NULL OR valid_to > @now) ORDER BY created_at, id",
		pgx.NamedArgs{"account": account, "now": db.now()})
}
