package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const targetColumns = "id, category_id, severity, ack_minutes, response_minutes, resolution_minutes, time_base, published_at, valid_from, created_at"

// TargetVersions implements groundwork.TargetStore.
func (db *DB) TargetVersions(ctx context.Context, f groundwork.TargetFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.TargetVersion], error) {
	c := where()
	among(c, "category_id", f.CategoryIDs)
	among(c, "severity", f.Severities)
	latest := order[groundwork.TargetVersion]{name: "VALID_DESC", expression: "valid_from", cast: "timestamptz", descending: true,
		position: func(v *groundwork.TargetVersion) (string, uuid.UUID) { return moment(v.ValidFrom), v.ID }}
	return page(ctx, db, targetColumns, "target_version", c, latest, p)
}

// TargetVersionsByID implements groundwork.TargetStore.
func (db *DB) TargetVersionsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.TargetVersion, error) {
	return byID(ctx, db, targetColumns, "target_version", ids, func(v *groundwork.TargetVersion) uuid.UUID { return v.ID })
}

// PublishTarget implements groundwork.TargetStore. It is published now and in force from then on, unless said otherwise.
func (db *DB) PublishTarget(ctx context.Context, by groundwork.Actor, v groundwork.TargetVersion) (*groundwork.TargetVersion, groundwork.Receipt, error) {
	now, given := groundwork.Moment(db.now()), v
	if v.PublishedAt.IsZero() {
		v.PublishedAt = now
	}
	if v.ValidFrom.IsZero() {
		v.ValidFrom = v.PublishedAt
	}
	if err := v.Validate(now); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	asked := request[groundwork.TargetVersion]{op: "publish target", by: by, input: given, table: "target_version", columns: targetColumns,
		id: func(made *groundwork.TargetVersion) uuid.UUID { return made.ID }}
	return do(ctx, db, asked, func(tx pgx.Tx) (*groundwork.TargetVersion, error) {
		return insert[groundwork.TargetVersion](ctx, tx, "target_version", targetColumns, pgx.NamedArgs{
			"id": newID(v.ID), "category_id": v.CategoryID, "severity": v.Severity, "ack_minutes": v.AckMinutes,
			"response_minutes": v.ResponseMinutes, "resolution_minutes": v.ResolutionMinutes, "time_base": v.TimeBase,
			"published_at": v.PublishedAt, "valid_from": v.ValidFrom, "recorded_by": by.ID,
		})
	})
}

// targetInForce finds the target for what is registered, at its origin: that of the nearest category upward, of the latest version.
// A new version of a category keeps the targets of its code.
func targetInForce(ctx context.Context, tx pgx.Tx, r groundwork.Registration, origin time.Time) (*groundwork.TargetVersion, error) {
	severity := r.Severity
	if severity == "" {
		severity = groundwork.SeverityNormal
	}
	return one[groundwork.TargetVersion](ctx, tx, "look up the target", `
		WITH RECURSIVE above AS (
			SELECT parent_id, code, 0 AS far FROM category WHERE id = @category
			UNION ALL SELECT c.parent_id, c.code, far + 1 FROM category c JOIN above ON c.id = above.parent_id
		)
		SELECT t.id, t.category_id, t.severity, t.ack_minutes, t.response_minutes, t.resolution_minutes, t.time_base, t.published_at,
			t.valid_from, t.created_at
		FROM target_version t
		LEFT JOIN category of ON of.id = t.category_id
		LEFT JOIN above ON above.code = of.code
		WHERE t.severity = @severity AND t.valid_from <= @origin AND (t.category_id IS NULL OR above.code IS NOT NULL)
		ORDER BY above.far NULLS LAST, t.valid_from DESC, t.id DESC
		LIMIT 1`, pgx.NamedArgs{"category": r.CategoryID, "severity": severity, "origin": origin})
}
