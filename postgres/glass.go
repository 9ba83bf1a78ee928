package postgres

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"groundwork"
)

var _ groundwork.GlassStore = (*DB)(nil)

const glassColumns = "id, opinion_id, issue_id, account, role, reason, opened_at, expires_at, revoked_at, revoked_by"

func glassRequest(op string, by groundwork.Actor, input any) request[groundwork.Glass] {
	return request[groundwork.Glass]{op: op, by: by, input: input, table: "glass", columns: glassColumns, id: func(g *groundwork.Glass) uuid.UUID { return g.ID }}
}

// BreakGlass implements groundwork.GlassStore.
func (db *DB) BreakGlass(ctx context.Context, by groundwork.Actor, g groundwork.Glass) (*groundwork.Glass, groundwork.Receipt, error) {
	now := groundwork.Moment(db.now())
	g, err := groundwork.PlanGlass(by, g, now)
	if err != nil {
		return nil, groundwork.Receipt{}, err
	}
	input := []any{g.OpinionID, g.IssueID, g.Reason}
	return do(ctx, db, glassRequest("break glass", by, input), func(tx pgx.Tx) (*groundwork.Glass, error) {
		g.ID = newID(uuid.Nil)
		if err := add(ctx, tx, "glass", pgx.NamedArgs{"id": g.ID, "opinion_id": g.OpinionID, "issue_id": g.IssueID, "account": g.Account, "role": g.Role,
			"reason": g.Reason, "opened_at": g.OpenedAt, "expires_at": g.ExpiresAt}); err != nil {
			if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "23503" {
				err = &groundwork.Error{Code: groundwork.CodeNotFound, Message: "there is no such opinion or issue; check the id", Err: err}
			}
			return nil, err
		}
		return &g, add(ctx, tx, "notification", pgx.NamedArgs{"id": newID(uuid.Nil), "kind": groundwork.ToldGlassBroken, "glass_id": g.ID,
			"to_role": groundwork.RolePrivacyOfficer, "at": now})
	})
}

// RevokeGlass implements groundwork.GlassStore.
func (db *DB) RevokeGlass(ctx context.Context, by groundwork.Actor, id uuid.UUID) (*groundwork.Glass, groundwork.Receipt, error) {
	if by.Role != groundwork.RolePrivacyOfficer {
		return nil, groundwork.Receipt{}, groundwork.Errorf(groundwork.CodeForbidden, "the privacy officer revokes, not role %s", by.Role)
	}
	now := groundwork.Moment(db.now())
	return do(ctx, db, glassRequest("revoke glass", by, id), func(tx pgx.Tx) (*groundwork.Glass, error) {
		found, err := one[groundwork.Glass](ctx, tx, "read glass", "SELECT "+glassColumns+" FROM glass WHERE id = @id FOR UPDATE", pgx.NamedArgs{"id": id})
		if err != nil {
			return nil, err
		}
		if found == nil {
			return nil, groundwork.Errorf(groundwork.CodeNotFound, "there is no broken glass %s", id)
		}
		if !found.Open(now) {
			return found, nil
		}
		return one[groundwork.Glass](ctx, tx, "revoke glass", "UPDATE glass SET revoked_at = @now, revoked_by = @by WHERE id = @id RETURNING "+glassColumns,
			pgx.NamedArgs{"id": id, "now": now, "by": by.ID})
	})
}

// Glasses implements groundwork.GlassStore.
func (db *DB) Glasses(ctx context.Context, openOnly bool, p groundwork.PageRequest) (groundwork.Page[*groundwork.Glass], error) {
	c := where()
	if openOnly {
		c.add("revoked_at IS NULL AND expires_at > %s", groundwork.Moment(db.now()))
	}
	latest := order[groundwork.Glass]{name: "OPENED_DESC", expression: "opened_at", cast: "timestamptz", descending: true,
		position: func(g *groundwork.Glass) (string, uuid.UUID) { return moment(g.OpenedAt), g.ID }}
	return page(ctx, db, glassColumns, "glass", c, latest, p)
}

// GlassesOpen implements groundwork.GlassStore. An opinion is open by itself or by its issue.
func (db *DB) GlassesOpen(ctx context.Context, by groundwork.Actor, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	open, err := scalars[uuid.UUID](ctx, db.readsAs(by), "look for broken glass", `
		SELECT wanted.id FROM unnest(@ids::uuid[]) AS wanted (id)
		WHERE EXISTS (SELECT FROM glass g WHERE g.account = @account AND g.role = @role AND g.revoked_at IS NULL AND g.expires_at > @now
			AND (g.opinion_id = wanted.id OR g.issue_id = wanted.id
				OR g.issue_id = (SELECT link.issue_id FROM issue_opinion link WHERE link.opinion_id = wanted.id)))`,
		pgx.NamedArgs{"ids": distinct(ids), "account": by.ID, "role": by.Role, "now": groundwork.Moment(db.now())})
	if err != nil {
		return nil, err
	}
	of := make(map[uuid.UUID]bool, len(open))
	for _, id := range open {
		of[id] = true
	}
	return of, nil
}
