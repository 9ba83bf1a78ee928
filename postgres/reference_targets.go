package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const insertTarget = `INSERT INTO target_version (id, category_id, severity, ack_minutes, response_minutes, resolution_minutes, time_base, published_at, valid_from, recorded_by)
	VALUES (@id, @category, @severity, @ack, @response, @resolution, @base, @published, @from, @by)`

// ImportTargets implements groundwork.ReferenceImporter. A target is about the version of its category that is valid on the day from which it
// holds. What was promised never changes: a row that says otherwise of a version that is there is refused.
func (db *DB) ImportTargets(ctx context.Context, by groundwork.Actor, rows []groundwork.TargetRow, o groundwork.ReferenceOptions) (groundwork.ReferenceResult, error) {
	codes := make([]string, len(rows))
	for i, row := range rows {
		codes[i] = row.CategoryCode
	}
	now := groundwork.Moment(db.now())
	return db.importReference(ctx, by, "import targets", len(rows), o, func(tx pgx.Tx, p *referencePlan) error {
		found, err := collect[groundwork.Category](ctx, tx, "read categories",
			"SELECT "+categoryColumns+" FROM category WHERE code = ANY(@codes) ORDER BY code, version", pgx.NamedArgs{"codes": distinct(codes)})
		if err != nil {
			return err
		}
		categories := map[string][]groundwork.Category{}
		for _, c := range found {
			categories[c.Code] = append(categories[c.Code], c)
		}
		there, err := collect[groundwork.TargetVersion](ctx, tx, "read targets", "SELECT "+targetColumns+" FROM target_version", nil)
		if err != nil {
			return err
		}
		targets := make(map[targetKey]*groundwork.TargetVersion, len(there))
		for i, v := range there {
			targets[keyOfTarget(v)] = &there[i]
		}
		for _, row := range rows {
			p.target(row, now, categories, targets)
		}
		return nil
	})
}

type targetKey struct {
	category uuid.UUID
	severity groundwork.Severity
	from     time.Time
}

func keyOfTarget(v groundwork.TargetVersion) targetKey {
	k := targetKey{severity: v.Severity, from: v.ValidFrom.UTC()}
	if v.CategoryID != nil {
		k.category = *v.CategoryID
	}
	return k
}

func (p *referencePlan) target(row groundwork.TargetRow, now time.Time, categories map[string][]groundwork.Category, targets map[targetKey]*groundwork.TargetVersion) {
	v := row.Target
	if row.CategoryCode != "" {
		day, err := time.Parse(time.DateOnly, groundwork.DayOf(v.ValidFrom))
		category := validOn(categories[row.CategoryCode], day)
		if err != nil || category == nil {
			p.refuse(row.Line, "category", row.CategoryCode, "no category of this code is valid on %s; create it first, or give another first day", groundwork.DayOf(v.ValidFrom))
			return
		}
		v.CategoryID = &category.ID
	}
	if p.refused(row.Line, v.Validate(now)) {
		return
	}
	before := targets[keyOfTarget(v)]
	switch {
	case before == nil:
		v.ID = newID(uuid.Nil)
		targets[keyOfTarget(v)] = &v
		p.add(insertTarget, pgx.NamedArgs{"id": v.ID, "category": v.CategoryID, "severity": v.Severity, "ack": v.AckMinutes, "response": v.ResponseMinutes,
			"resolution": v.ResolutionMinutes, "base": v.TimeBase, "published": v.PublishedAt, "from": v.ValidFrom})
	case before.AckMinutes != v.AckMinutes || before.ResponseMinutes != v.ResponseMinutes || before.ResolutionMinutes != v.ResolutionMinutes || before.TimeBase != v.TimeBase:
		p.refuse(row.Line, "valid_from", groundwork.DayOf(v.ValidFrom), "another target holds from this day on, and what was promised never changes; give a later day")
	default:
		p.result.Known++
	}
}
