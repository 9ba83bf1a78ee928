package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"groundwork"
)

var _ groundwork.RetentionStore = (*DB)(nil)

// retentionBatch is how much one transaction takes away at most.
const retentionBatch = 500

// RetentionChore takes away what is due, a batch of each kind at a time. It is not among Chores: an operator decides that it runs.
func (db *DB) RetentionChore() groundwork.Chore {
	return groundwork.Chore{Name: "retention", Every: time.Hour, Run: func(ctx context.Context, now time.Time) (total int, err error) {
		for _, kind := range groundwork.RetentionKinds {
			n, err := db.ApplyRetention(ctx, kind, now)
			total += n
			if err != nil {
				return total, err
			}
		}
		return total, nil
	}}
}

// RetentionRules implements groundwork.RetentionStore.
func (db *DB) RetentionRules(ctx context.Context) ([]groundwork.RetentionRule, error) {
	return collect[groundwork.RetentionRule](ctx, db.pool, "read the rules of retention",
		"SELECT kind, months, changed_at FROM retention.rule ORDER BY array_position(@kinds::text[], kind)", pgx.NamedArgs{"kinds": groundwork.RetentionKinds})
}

// SetRetention implements groundwork.RetentionStore, as the owner of the tables.
func (db *DB) SetRetention(ctx context.Context, r groundwork.RetentionRule) error {
	if err := r.Validate(); err != nil {
		return err
	}
	_, err := db.write(ctx, groundwork.System, "set retention", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE retention.rule SET months = @months, changed_at = now(), recorded_by = session_user WHERE kind = @kind",
			pgx.NamedArgs{"kind": r.Kind, "months": r.Months})
		return err
	})
	return err
}

// RetentionDue implements groundwork.RetentionStore.
func (db *DB) RetentionDue(ctx context.Context, kind groundwork.RetentionKind, asOf time.Time) (int64, error) {
	n, err := scalars[int64](ctx, db.pool, "count what retention would take away", "SELECT retention.count(@kind, @as_of)", pgx.NamedArgs{"kind": kind, "as_of": asOf})
	if err != nil {
		return 0, err
	}
	return n[0], nil
}

// ApplyRetention implements groundwork.RetentionStore. It acts as RoleJobs, for which alone the door is.
func (db *DB) ApplyRetention(ctx context.Context, kind groundwork.RetentionKind, asOf time.Time) (done int, err error) {
	_, err = db.write(ctx, groundwork.System, "retention", func(tx pgx.Tx) error {
		n, err := scalars[int](ctx, tx, "take away "+string(kind), "SELECT retention.apply(@kind, @as_of, @limit)",
			pgx.NamedArgs{"kind": kind, "as_of": asOf, "limit": retentionBatch})
		if err == nil {
			done = n[0]
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	if kind == groundwork.KeepEvidenceFile {
		return db.deleteMarked(ctx, asOf)
	}
	return done, nil
}

// deleteMarked deletes in their store a batch of the files that are marked, these or earlier ones, each in its own transaction, and says how many are
// gone. One that cannot be deleted does not hold up the others.
func (db *DB) deleteMarked(ctx context.Context, asOf time.Time) (done int, err error) {
	marked, err := scalars[string](ctx, db.pool, "find marked files", "SELECT sha256 FROM retention.deleted_file WHERE deleted_at IS NULL ORDER BY marked_at, sha256 LIMIT @limit",
		pgx.NamedArgs{"limit": retentionBatch})
	if err != nil {
		return 0, err
	}
	if len(marked) > 0 && db.evidence == nil {
		return 0, groundwork.Errorf(groundwork.CodeInvalid, "%d files of evidence wait for their deletion, and where they lie is not known; name it by --data-dir or --files", len(marked))
	}
	var faults []error
	for _, hash := range marked {
		gone, err := db.deleteFile(ctx, hash, asOf)
		if gone {
			done++
		}
		faults = append(faults, err)
	}
	return done, errors.Join(faults...)
}

// deleteFile deletes a marked file, unless somebody brought it again.
func (db *DB) deleteFile(ctx context.Context, hash string, asOf time.Time) (gone bool, err error) {
	args := pgx.NamedArgs{"hash": hash, "as_of": asOf}
	_, err = db.write(ctx, groundwork.System, "retention", func(tx pgx.Tx) error {
		marked, err := scalars[bool](ctx, tx, "take a marked file", "SELECT retention.marked_file(@hash)", args)
		if gone = err == nil && marked[0]; !gone {
			return err
		}
		if err := db.evidence.Delete(ctx, hash); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "SELECT retention.file_is_deleted(@hash, @as_of)", args)
		return err
	})
	return gone && err == nil, err
}

// DeleteFilesAgain implements groundwork.RetentionStore, as the owner of the tables.
func (db *DB) DeleteFilesAgain(ctx context.Context) (n int64, err error) {
	_, err = db.write(ctx, groundwork.System, "delete files again", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE retention.deleted_file d SET deleted_at = NULL
			WHERE deleted_at IS NOT NULL AND NOT EXISTS (SELECT FROM evidence_file f WHERE f.sha256 = d.sha256)`)
		n = tag.RowsAffected()
		return err
	})
	return n, err
}

// LegalHolds implements groundwork.RetentionStore.
func (db *DB) LegalHolds(ctx context.Context) ([]groundwork.LegalHold, error) {
	return collect[groundwork.LegalHold](ctx, db.pool, "list legal holds", `SELECT i.public_ref, h.reason, h.placed_at, h.recorded_by AS placed_by
		FROM retention.hold h JOIN issue i ON i.id = h.issue_id WHERE h.lifted_at IS NULL ORDER BY h.placed_at DESC, h.id`, pgx.NamedArgs{})
}

// PlaceHold implements groundwork.RetentionStore, as the owner of the tables.
func (db *DB) PlaceHold(ctx context.Context, h groundwork.LegalHold) error {
	if err := h.Validate(); err != nil {
		return err
	}
	return db.hold(ctx, "place legal hold", "issue "+h.PublicRef+" does not exist, or is held already; groundwork retention holds lists them", `
		INSERT INTO retention.hold (issue_id, reason, recorded_by) SELECT id, trim(@reason), session_user FROM issue WHERE public_ref = @ref ON CONFLICT DO NOTHING`,
		pgx.NamedArgs{"ref": h.PublicRef, "reason": h.Reason})
}

// LiftHold implements groundwork.RetentionStore, as the owner of the tables.
func (db *DB) LiftHold(ctx context.Context, publicRef string) error {
	return db.hold(ctx, "lift legal hold", "issue "+publicRef+" is not held; groundwork retention holds lists those that are", `
		UPDATE retention.hold h SET lifted_at = now(), lifted_by = session_user FROM issue i WHERE i.id = h.issue_id AND i.public_ref = @ref AND h.lifted_at IS NULL`,
		pgx.NamedArgs{"ref": publicRef})
}

func (db *DB) hold(ctx context.Context, op, none, sql string, args pgx.NamedArgs) error {
	_, err := db.write(ctx, groundwork.System, op, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sql, args)
		if err == nil && tag.RowsAffected() == 0 {
			err = groundwork.Errorf(groundwork.CodeNotFound, "%s", none)
		}
		return err
	})
	return err
}
