package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const (
	cycleColumns = `id, name, period_from, period_to, ARRAY(SELECT d.measure_definition_id FROM assessment_cycle_definition d JOIN measure_definition m ON m.id = d.measure_definition_id
		WHERE d.cycle_id = assessment_cycle.id ORDER BY m.code) AS definition_ids, opened_at, created_at`
	assessmentColumns = "id, cycle_id, " + subjectColumns + `, state, version, reviewer, reviewer_unit_id, frozen, frozen_sha256, as_of, comment, reply, conclusion, appeal, decision,
	decider, decider_unit_id, opened_at, frozen_at, reviewed_at, replied_at, final_at, appealed_at, decided_at, created_at`
)

// AssessmentCycles implements groundwork.AssessmentStore.
func (db *DB) AssessmentCycles(ctx context.Context, p groundwork.PageRequest) (groundwork.Page[*groundwork.AssessmentCycle], error) {
	latest := order[groundwork.AssessmentCycle]{name: "PERIOD_DESC", expression: "period_to", cast: "date", descending: true,
		position: func(c *groundwork.AssessmentCycle) (string, uuid.UUID) { return c.PeriodTo.Format(time.DateOnly), c.ID }}
	return page(ctx, db, cycleColumns, "assessment_cycle", where(), latest, p)
}

// AssessmentCyclesByID implements groundwork.AssessmentStore.
func (db *DB) AssessmentCyclesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.AssessmentCycle, error) {
	return byID(ctx, db, cycleColumns, "assessment_cycle", ids, func(c *groundwork.AssessmentCycle) uuid.UUID { return c.ID })
}

// OpenAssessmentCycle implements groundwork.AssessmentStore.
func (db *DB) OpenAssessmentCycle(ctx context.Context, by groundwork.Actor, c groundwork.AssessmentCycle, measures []string) (*groundwork.AssessmentCycle, groundwork.Receipt, error) {
	if err := c.Validate(measures); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, request[groundwork.AssessmentCycle]{op: "open assessment cycle", by: by, input: []any{c, measures}, table: "assessment_cycle", columns: cycleColumns,
		id: func(c *groundwork.AssessmentCycle) uuid.UUID { return c.ID }}, func(tx pgx.Tx) (*groundwork.AssessmentCycle, error) {
		made, err := insert[groundwork.AssessmentCycle](ctx, tx, "assessment_cycle", cycleColumns, pgx.NamedArgs{"id": newID(c.ID), "name": c.Name,
			"period_from": c.PeriodFrom, "period_to": c.PeriodTo, "opened_at": groundwork.Moment(db.now()), "recorded_by": by.ID})
		if err != nil {
			return nil, err
		}
		made.DefinitionIDs, err = scalars[uuid.UUID](ctx, tx, "fix definitions", `
			WITH latest AS (SELECT DISTINCT ON (code) id, code FROM measure_definition WHERE code = ANY(@codes) ORDER BY code, version DESC),
				kept AS (INSERT INTO assessment_cycle_definition (cycle_id, measure_definition_id, recorded_by) SELECT @cycle, id, @by FROM latest)
			SELECT id FROM latest ORDER BY code`, pgx.NamedArgs{"codes": measures, "cycle": made.ID, "by": by.ID})
		if err == nil && len(made.DefinitionIDs) < len(measures) {
			err = groundwork.Invalid("measures", "%d of the measures are on record, not %d: an operator runs `groundwork migrate`", len(made.DefinitionIDs), len(measures))
		}
		return made, err
	})
}

// Assessments implements groundwork.AssessmentStore.
func (db *DB) Assessments(ctx context.Context, f groundwork.AssessmentFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.Assessment], error) {
	c := where()
	c.subjects(f.SubjectFilter)
	c.visible(f.SubjectFilter)
	among(c, "cycle_id", f.CycleIDs)
	among(c, "state", f.States)
	latest := order[groundwork.Assessment]{name: "OPENED_DESC", expression: "opened_at", cast: "timestamptz", descending: true,
		position: func(a *groundwork.Assessment) (string, uuid.UUID) { return moment(a.OpenedAt), a.ID }}
	return page(ctx, db, assessmentColumns, "assessment", c, latest, p)
}

// AssessmentsByID implements groundwork.AssessmentStore.
func (db *DB) AssessmentsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Assessment, error) {
	return byID(ctx, db, assessmentColumns, "assessment", ids, func(a *groundwork.Assessment) uuid.UUID { return a.ID })
}

// SnapshotsOfAssessments implements groundwork.AssessmentStore.
func (db *DB) SnapshotsOfAssessments(ctx context.Context, assessmentIDs []uuid.UUID) (map[uuid.UUID][]*groundwork.MeasureSnapshot, error) {
	type row struct {
		AssessmentID uuid.UUID
		groundwork.MeasureSnapshot
	}
	items, err := collect[row](ctx, db.reads(), "read grounds", "SELECT assessment_id, s.* FROM assessment_snapshot JOIN (SELECT "+snapshotColumns+
		" FROM measure_snapshot) s ON s.id = measure_snapshot_id WHERE assessment_id = ANY(@ids) ORDER BY assessment_id, s.measure", pgx.NamedArgs{"ids": distinct(assessmentIDs)})
	of := map[uuid.UUID][]*groundwork.MeasureSnapshot{}
	for i := range items {
		of[items[i].AssessmentID] = append(of[items[i].AssessmentID], &items[i].MeasureSnapshot)
	}
	return of, err
}

// FlagsOfAssessments implements groundwork.AssessmentStore.
func (db *DB) FlagsOfAssessments(ctx context.Context, assessmentIDs []uuid.UUID) (map[uuid.UUID][]*groundwork.FormalismFlag, error) {
	type row struct {
		AssessmentID uuid.UUID
		groundwork.FormalismFlag
	}
	items, err := collect[row](ctx, db.reads(), "read grounds", "SELECT assessment_id, f.* FROM assessment_flag JOIN (SELECT "+flagColumns+
		" FROM formalism_flag) f ON f.id = flag_id WHERE assessment_id = ANY(@ids) ORDER BY assessment_id, f.kind, f.id", pgx.NamedArgs{"ids": distinct(assessmentIDs)})
	of := map[uuid.UUID][]*groundwork.FormalismFlag{}
	for i := range items {
		of[items[i].AssessmentID] = append(of[items[i].AssessmentID], &items[i].FormalismFlag)
	}
	return of, err
}

func assessmentRequest(op string, by groundwork.Actor, input any) request[groundwork.Assessment] {
	return request[groundwork.Assessment]{op: op, by: by, input: input, table: "assessment", columns: assessmentColumns,
		id: func(a *groundwork.Assessment) uuid.UUID { return a.ID }}
}

// OpenAssessment implements groundwork.AssessmentStore.
func (db *DB) OpenAssessment(ctx context.Context, d groundwork.Deed, a groundwork.Assessment) (*groundwork.Assessment, groundwork.Receipt, error) {
	return do(ctx, db, assessmentRequest("open assessment", d.Actor, []any{d, a}), func(tx pgx.Tx) (made *groundwork.Assessment, err error) {
		if a.Subject, err = wholeSubject(ctx, tx, a.Subject); err != nil {
			return nil, err
		}
		facts := groundwork.AssessmentFacts{Now: groundwork.Moment(db.now())}
		if facts.Outside, err = fromOutside(ctx, tx, d.Actor, a.Subject); err != nil {
			return nil, err
		}
		s, move, err := a.Plan(groundwork.AssessmentStep{Deed: d, Kind: groundwork.AssessmentOpened}, facts)
		if err != nil {
			return nil, err
		}
		made, err = insert[groundwork.Assessment](ctx, tx, "assessment", assessmentColumns, pgx.NamedArgs{"id": newID(a.ID), "cycle_id": a.CycleID,
			"subject_unit_id": a.SubjectUnitID, "subject_post_id": a.SubjectPostID, "subject_official_id": a.SubjectOfficialID, "state": move.To, "version": 1,
			"reviewer": d.Actor.ID, "reviewer_unit_id": d.Actor.UnitID, "opened_at": s.At, "recorded_by": d.Actor.ID})
		if err != nil {
			return nil, err
		}
		return made, addEntityEvent(ctx, tx, event("assessment", made.ID, 1, "", made.State, s.Kind, s.Deed, nil))
	})
}

// StepAssessment implements groundwork.AssessmentStore.
func (db *DB) StepAssessment(ctx context.Context, s groundwork.AssessmentStep) (*groundwork.Assessment, groundwork.Receipt, error) {
	asked := s
	asked.Snapshots = nil // the figures have changed when a request comes again
	return do(ctx, db, assessmentRequest("take step "+s.Kind+" of assessment", s.Actor, asked), func(tx pgx.Tx) (*groundwork.Assessment, error) {
		return db.stepAssessment(ctx, tx, s)
	})
}

func (db *DB) stepAssessment(ctx context.Context, tx pgx.Tx, s groundwork.AssessmentStep) (*groundwork.Assessment, error) {
	a, err := one[groundwork.Assessment](ctx, tx, "lock assessment", "SELECT "+assessmentColumns+" FROM assessment WHERE id = @id FOR UPDATE", pgx.NamedArgs{"id": s.AssessmentID})
	if err == nil && (a == nil || !a.SeenBy(s.Actor)) {
		err = groundwork.Errorf(groundwork.CodeNotFound, "assessment %s does not exist", s.AssessmentID)
	}
	if err != nil {
		return nil, err
	}
	facts, err := db.assessmentFacts(ctx, tx, a, s)
	if err != nil {
		return nil, err
	}
	s, move, err := a.Plan(s, facts)
	if err != nil {
		return nil, err
	}
	after := a.After(s, move)
	var payload map[string]any
	if s.Kind == groundwork.AssessmentStepFrozen {
		if err := db.freeze(ctx, tx, &after, s); err != nil {
			return nil, err
		}
		payload = map[string]any{"sha256": after.FrozenSHA256}
	}
	made, err := updateAssessment(ctx, tx, &after)
	if err != nil {
		return nil, err
	}
	return made, addEntityEvent(ctx, tx, event("assessment", a.ID, after.Version, a.State, after.State, s.Kind, s.Deed, payload))
}

func (db *DB) assessmentFacts(ctx context.Context, tx pgx.Tx, a *groundwork.Assessment, s groundwork.AssessmentStep) (f groundwork.AssessmentFacts, err error) {
	f.Now = groundwork.Moment(db.now())
	if f.Last, err = lastEventOf(ctx, tx, "assessment", a.ID, a.Version); err != nil {
		return f, err
	}
	if f.Outside, err = fromOutside(ctx, tx, s.Actor, a.Subject); err != nil {
		return f, err
	}
	if err = tx.QueryRow(ctx, "SELECT period_to FROM assessment_cycle WHERE id = @id", pgx.NamedArgs{"id": a.CycleID}).Scan(&f.PeriodTo); err != nil {
		return f, err
	}
	for _, r := range s.Snapshots {
		meant, err := scalars[bool](ctx, tx, "compare definitions", `SELECT EXISTS (SELECT FROM assessment_cycle_definition d JOIN measure_definition m ON m.id = d.measure_definition_id
			WHERE d.cycle_id = @cycle AND m.code = @code AND m.definition_version = @version)`, pgx.NamedArgs{"cycle": a.CycleID, "code": r.Version.Code, "version": r.Version.DefinitionVersion})
		if err != nil {
			return f, err
		}
		if !meant[0] {
			f.Strangers = append(f.Strangers, r.Version.Code)
		}
	}
	return f, nil
}

// freeze keeps what the assessment rests on: figures, flags that were confirmed, and targets that stand.
func (db *DB) freeze(ctx context.Context, tx pgx.Tx, a *groundwork.Assessment, s groundwork.AssessmentStep) error {
	g := groundwork.Grounds{Assessment: a.ID, AsOf: s.Snapshots[0].Snapshot.AsOf, Snapshots: []groundwork.GroundFigure{}, Flags: []groundwork.GroundFlag{}, Targets: []groundwork.GroundTarget{}}
	for _, r := range s.Snapshots {
		kept, err := db.addSnapshot(ctx, tx, s.Actor, r.Snapshot, r.Version)
		if err != nil {
			return err
		}
		if err := add(ctx, tx, "assessment_snapshot", pgx.NamedArgs{"assessment_id": a.ID, "measure_snapshot_id": kept.ID, "recorded_by": s.Actor.ID}); err != nil {
			return err
		}
		g.Snapshots = append(g.Snapshots, groundwork.GroundFigure{ID: kept.ID, Measure: kept.Measure, SHA256: kept.SHA256})
	}
	args := pgx.NamedArgs{"assessment": a.ID, "unit": a.SubjectUnitID, "post": a.SubjectPostID, "cycle": a.CycleID, "by": s.Actor.ID}
	const ofSubject = ` JOIN assessment_cycle c ON c.id = @cycle WHERE subject_unit_id = @unit AND subject_post_id IS NOT DISTINCT FROM @post::uuid
		AND x.period_from < c.period_to AND x.period_to > c.period_from`
	flags, err := collect[groundwork.GroundFlag](ctx, tx, "read flags", "SELECT x.id, kind, version, finding FROM formalism_flag x"+ofSubject+
		" AND state = 'CONFIRMED' ORDER BY kind, x.id FOR SHARE OF x", args)
	if err != nil {
		return err
	}
	for _, f := range flags {
		if err := add(ctx, tx, "assessment_flag", pgx.NamedArgs{"assessment_id": a.ID, "flag_id": f.ID, "recorded_by": s.Actor.ID}); err != nil {
			return err
		}
	}
	targets, err := collect[groundwork.GroundTarget](ctx, tx, "read targets", "SELECT x.id, version, measure, number, direction, value FROM target x"+ofSubject+
		" AND state = 'SET' ORDER BY measure, number, x.id", args)
	if err != nil {
		return err
	}
	g.Flags, g.Targets = append(g.Flags, flags...), append(g.Targets, targets...)
	text, hash, err := g.Seal()
	a.Frozen, a.FrozenSHA256, a.AsOf = &text, &hash, &g.AsOf
	return err
}

func updateAssessment(ctx context.Context, tx pgx.Tx, a *groundwork.Assessment) (*groundwork.Assessment, error) {
	return one[groundwork.Assessment](ctx, tx, "update assessment", `
		UPDATE assessment SET state = @state, version = @version, reviewer = @reviewer, reviewer_unit_id = @unit, frozen = @frozen, frozen_sha256 = @hash, as_of = @as_of,
			comment = @comment, reply = @reply, conclusion = @conclusion, appeal = @appeal, decision = @decision, decider = @decider, decider_unit_id = @decider_unit,
			frozen_at = @frozen_at, reviewed_at = @reviewed, replied_at = @replied, final_at = @final, appealed_at = @appealed, decided_at = @decided
		WHERE id = @id RETURNING `+assessmentColumns,
		pgx.NamedArgs{"id": a.ID, "state": a.State, "version": a.Version, "reviewer": a.Reviewer, "unit": a.ReviewerUnitID, "frozen": a.Frozen, "hash": a.FrozenSHA256,
			"as_of": a.AsOf, "comment": a.Comment, "reply": a.Reply, "conclusion": a.Conclusion, "appeal": a.Appeal, "decision": a.Decision, "decider": a.Decider,
			"decider_unit": a.DeciderUnitID, "frozen_at": a.FrozenAt, "reviewed": a.ReviewedAt, "replied": a.RepliedAt, "final": a.FinalAt, "appealed": a.AppealedAt, "decided": a.DecidedAt})
}
