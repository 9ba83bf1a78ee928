package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const subjectTargetColumns = "id, " + subjectColumns + ", period_from, period_to, measure, number, direction, value, state, version, set_at, created_at"

// SubjectTargets implements groundwork.SubjectTargetStore.
func (db *DB) SubjectTargets(ctx context.Context, f groundwork.SubjectTargetFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.SubjectTarget], error) {
	c := where()
	c.subjects(f.SubjectFilter)
	if f.SeenBy != nil {
		c.terms = append(c.terms, "("+c.seenBy(*f.SeenBy, true)+")")
	}
	among(c, "measure", f.Measures)
	among(c, "state", f.States)
	if f.On != nil {
		c.add("period_from <= %s::date AND period_to > %s::date", *f.On, *f.On)
	}
	latest := order[groundwork.SubjectTarget]{name: "PERIOD_DESC", expression: "period_to", cast: "date", descending: true,
		position: func(t *groundwork.SubjectTarget) (string, uuid.UUID) { return t.PeriodTo.Format(time.DateOnly), t.ID }}
	return page(ctx, db, subjectTargetColumns, "target", c, latest, p)
}

// SubjectTargetsByID implements groundwork.SubjectTargetStore.
func (db *DB) SubjectTargetsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.SubjectTarget, error) {
	return byID(ctx, db, subjectTargetColumns, "target", ids, func(t *groundwork.SubjectTarget) uuid.UUID { return t.ID })
}

func targetRequest(op string, by groundwork.Actor, input any) request[groundwork.SubjectTarget] {
	return request[groundwork.SubjectTarget]{op: op, by: by, input: input, table: "target", columns: subjectTargetColumns,
		id: func(t *groundwork.SubjectTarget) uuid.UUID { return t.ID }}
}

// SetSubjectTarget implements groundwork.SubjectTargetStore.
func (db *DB) SetSubjectTarget(ctx context.Context, d groundwork.Deed, t groundwork.SubjectTarget) (*groundwork.SubjectTarget, groundwork.Receipt, error) {
	if err := t.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, targetRequest("set target", d.Actor, []any{d, t}), func(tx pgx.Tx) (made *groundwork.SubjectTarget, err error) {
		if t.Subject, err = wholeSubject(ctx, tx, t.Subject); err != nil {
			return nil, err
		}
		facts := groundwork.SubjectTargetFacts{Now: groundwork.Moment(db.now())}
		if facts.Outside, err = fromOutside(ctx, tx, d.Actor, t.Subject); err != nil {
			return nil, err
		}
		s, move, err := t.Plan(groundwork.SubjectTargetStep{Deed: d, Kind: groundwork.SubjectTargetSet}, facts)
		if err != nil {
			return nil, err
		}
		made, err = insert[groundwork.SubjectTarget](ctx, tx, "target", subjectTargetColumns, pgx.NamedArgs{"id": newID(t.ID), "subject_unit_id": t.SubjectUnitID,
			"subject_post_id": t.SubjectPostID, "subject_official_id": t.SubjectOfficialID, "period_from": t.PeriodFrom, "period_to": t.PeriodTo,
			"measure": t.Measure, "number": t.Number, "direction": t.Direction, "value": t.Value, "state": move.To, "version": 1, "set_at": s.At, "recorded_by": d.Actor.ID})
		if err != nil {
			return nil, err
		}
		return made, addEntityEvent(ctx, tx, event("target", made.ID, 1, "", made.State, s.Kind, s.Deed, targetPayload(made)))
	})
}

func targetPayload(t *groundwork.SubjectTarget) map[string]any {
	return map[string]any{"direction": t.Direction, "value": t.Value}
}

// StepSubjectTarget implements groundwork.SubjectTargetStore.
func (db *DB) StepSubjectTarget(ctx context.Context, s groundwork.SubjectTargetStep) (*groundwork.SubjectTarget, groundwork.Receipt, error) {
	return do(ctx, db, targetRequest("take step "+s.Kind+" of target", s.Actor, s), func(tx pgx.Tx) (*groundwork.SubjectTarget, error) {
		t, err := one[groundwork.SubjectTarget](ctx, tx, "lock target", "SELECT "+subjectTargetColumns+" FROM target WHERE id = @id FOR UPDATE", pgx.NamedArgs{"id": s.SubjectTargetID})
		if err == nil && (t == nil || !t.SeenBy(s.Actor)) {
			err = groundwork.Errorf(groundwork.CodeNotFound, "target %s does not exist", s.SubjectTargetID)
		}
		if err != nil {
			return nil, err
		}
		facts := groundwork.SubjectTargetFacts{Now: groundwork.Moment(db.now())}
		if facts.Last, err = lastEventOf(ctx, tx, "target", t.ID, t.Version); err != nil {
			return nil, err
		}
		if facts.Outside, err = fromOutside(ctx, tx, s.Actor, t.Subject); err != nil {
			return nil, err
		}
		s, move, err := t.Plan(s, facts)
		if err != nil {
			return nil, err
		}
		after := t.After(s, move)
		made, err := one[groundwork.SubjectTarget](ctx, tx, "update target", `
			UPDATE target SET direction = @direction, value = @value, state = @state, version = @version WHERE id = @id RETURNING `+subjectTargetColumns,
			pgx.NamedArgs{"id": t.ID, "direction": after.Direction, "value": after.Value, "state": after.State, "version": after.Version})
		if err != nil {
			return nil, err
		}
		return made, addEntityEvent(ctx, tx, event("target", t.ID, after.Version, t.State, after.State, s.Kind, s.Deed, targetPayload(made)))
	})
}
