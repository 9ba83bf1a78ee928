package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const flagColumns = "id, kind, " + subjectColumns + `, period_from, period_to, detector, detector_version, score, evidence, state, version, reviewer, reviewer_unit_id,
	finding, appeals, raised_at, reviewed_at, appealed_at, created_at`

// Flags implements groundwork.FlagStore.
func (db *DB) Flags(ctx context.Context, f groundwork.FlagFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.FormalismFlag], error) {
	c := where()
	c.subjects(f.SubjectFilter)
	c.visible(f.SubjectFilter)
	among(c, "kind", f.Kinds)
	among(c, "state", f.States)
	if f.Period.From != nil {
		c.add("period_to > %s::date", *f.Period.From)
	}
	if f.Period.To != nil {
		c.add("period_from < %s::date", *f.Period.To)
	}
	latest := order[groundwork.FormalismFlag]{name: "RAISED_DESC", expression: "raised_at", cast: "timestamptz", descending: true,
		position: func(f *groundwork.FormalismFlag) (string, uuid.UUID) { return moment(f.RaisedAt), f.ID }}
	return page(ctx, db, flagColumns, "formalism_flag", c, latest, p)
}

// FlagsByID implements groundwork.FlagStore.
func (db *DB) FlagsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.FormalismFlag, error) {
	return byID(ctx, db, flagColumns, "formalism_flag", ids, func(f *groundwork.FormalismFlag) uuid.UUID { return f.ID })
}

func flagRequest(op string, by groundwork.Actor, input any) request[groundwork.FormalismFlag] {
	return request[groundwork.FormalismFlag]{op: op, by: by, input: input, table: "formalism_flag", columns: flagColumns,
		id: func(f *groundwork.FormalismFlag) uuid.UUID { return f.ID }}
}

// RaiseFlag implements groundwork.FlagStore.
func (db *DB) RaiseFlag(ctx context.Context, by groundwork.Actor, f groundwork.FormalismFlag) (*groundwork.FormalismFlag, groundwork.Receipt, error) {
	if err := f.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, flagRequest("raise flag", by, f), func(tx pgx.Tx) (made *groundwork.FormalismFlag, err error) {
		if f.Subject, err = wholeSubject(ctx, tx, f.Subject); err != nil {
			return nil, err
		}
		s, move, err := f.Plan(groundwork.FlagStep{Deed: groundwork.Deed{Actor: by}, Kind: groundwork.FlagStepRaised}, groundwork.FlagFacts{Now: groundwork.Moment(db.now())})
		if err != nil {
			return nil, err
		}
		args := pgx.NamedArgs{"id": newID(f.ID), "kind": f.Kind, "subject_unit_id": f.SubjectUnitID, "subject_post_id": f.SubjectPostID,
			"subject_official_id": f.SubjectOfficialID, "period_from": f.PeriodFrom, "period_to": f.PeriodTo, "detector": f.Detector,
			"detector_version": f.DetectorVersion, "score": f.Score, "evidence": f.Evidence, "state": move.To, "version": 1, "raised_at": s.At, "recorded_by": by.ID}
		made, err = one[groundwork.FormalismFlag](ctx, tx, "raise flag", insertSQL("formalism_flag", args)+" ON CONFLICT DO NOTHING RETURNING "+flagColumns, args)
		if err != nil {
			return nil, err
		}
		if made == nil { // it stands already, whatever became of it
			return one[groundwork.FormalismFlag](ctx, tx, "find flag", "SELECT "+flagColumns+` FROM formalism_flag
				WHERE kind = @kind AND subject_unit_id = @subject_unit_id AND subject_post_id IS NOT DISTINCT FROM @subject_post_id::uuid
					AND period_from = @period_from AND period_to = @period_to AND detector = @detector AND detector_version = @detector_version`, args)
		}
		return made, addEntityEvent(ctx, tx, event("formalism_flag", made.ID, 1, "", made.State, s.Kind, s.Deed, map[string]any{"detector": f.Detector, "version": f.DetectorVersion, "score": f.Score}))
	})
}

// StepFlag implements groundwork.FlagStore.
func (db *DB) StepFlag(ctx context.Context, s groundwork.FlagStep) (*groundwork.FormalismFlag, groundwork.Receipt, error) {
	return do(ctx, db, flagRequest("take step "+s.Kind+" of flag", s.Actor, s), func(tx pgx.Tx) (*groundwork.FormalismFlag, error) {
		f, err := one[groundwork.FormalismFlag](ctx, tx, "lock flag", "SELECT "+flagColumns+" FROM formalism_flag WHERE id = @id FOR UPDATE", pgx.NamedArgs{"id": s.FlagID})
		if err == nil && (f == nil || !f.SeenBy(s.Actor)) {
			err = groundwork.Errorf(groundwork.CodeNotFound, "flag %s does not exist", s.FlagID)
		}
		if err != nil {
			return nil, err
		}
		facts := groundwork.FlagFacts{Now: groundwork.Moment(db.now())}
		if facts.Last, err = lastEventOf(ctx, tx, "formalism_flag", f.ID, f.Version); err != nil {
			return nil, err
		}
		if facts.Outside, err = fromOutside(ctx, tx, s.Actor, f.Subject); err != nil {
			return nil, err
		}
		s, move, err := f.Plan(s, facts)
		if err != nil {
			return nil, err
		}
		after := f.After(s, move)
		made, err := one[groundwork.FormalismFlag](ctx, tx, "update flag", `
			UPDATE formalism_flag SET state = @state, version = @version, reviewer = @reviewer, reviewer_unit_id = @unit, finding = @finding, appeals = @appeals,
				reviewed_at = @reviewed, appealed_at = @appealed WHERE id = @id RETURNING `+flagColumns,
			pgx.NamedArgs{"id": f.ID, "state": after.State, "version": after.Version, "reviewer": after.Reviewer, "unit": after.ReviewerUnitID,
				"finding": after.Finding, "appeals": after.Appeals, "reviewed": after.ReviewedAt, "appealed": after.AppealedAt})
		if err != nil {
			return nil, err
		}
		return made, addEntityEvent(ctx, tx, event("formalism_flag", f.ID, after.Version, f.State, after.State, s.Kind, s.Deed, nil))
	})
}
