package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

func changeRequest(op string, by groundwork.Actor, input any) request[groundwork.PolicyChange] {
	return request[groundwork.PolicyChange]{op: op, by: by, input: input, table: "policy_change", columns: changeColumns,
		id: func(c *groundwork.PolicyChange) uuid.UUID { return c.ID }}
}

// ProposePolicyChange implements groundwork.PolicyStore.
func (db *DB) ProposePolicyChange(ctx context.Context, p groundwork.PolicyProposal) (*groundwork.PolicyChange, groundwork.Receipt, error) {
	if err := p.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, changeRequest("propose policy change", p.Actor, p), func(tx pgx.Tx) (*groundwork.PolicyChange, error) {
		policy, err := lockPolicy(ctx, tx, p.Actor, p.PolicyID)
		if err != nil {
			return nil, err
		}
		c := groundwork.PolicyChange{ID: newID(uuid.Nil), PolicyID: p.PolicyID, OwnerUnitID: policy.OwnerUnitID, Summary: p.Summary}
		step := groundwork.PolicyStep{Deed: groundwork.Deed{Actor: p.Actor}, Kind: groundwork.PolicyProposed, Evidence: p.Evidence}
		step, move, err := c.Plan(step, groundwork.PolicyFacts{Now: groundwork.Moment(db.now())})
		if err != nil {
			return nil, err
		}
		made, err := insert[groundwork.PolicyChange](ctx, tx, "policy_change", changeColumns, pgx.NamedArgs{"id": c.ID, "policy_id": c.PolicyID,
			"owner_unit_id": c.OwnerUnitID, "summary": c.Summary, "state": move.To, "version": 1, "proposed_at": step.At, "recorded_by": p.Actor.ID})
		if err != nil {
			return nil, err
		}
		if err := linkEvidence(ctx, tx, &c, step); err != nil {
			return nil, err
		}
		return made, addEntityEvent(ctx, tx, event("policy_change", c.ID, 1, "", made.State, step.Kind, step.Deed, nil))
	})
}

// StepPolicyChange implements groundwork.PolicyStore.
func (db *DB) StepPolicyChange(ctx context.Context, s groundwork.PolicyStep) (*groundwork.PolicyChange, groundwork.Receipt, error) {
	return do(ctx, db, changeRequest("take step "+s.Kind+" of policy change", s.Actor, s), func(tx pgx.Tx) (*groundwork.PolicyChange, error) {
		return db.stepChange(ctx, tx, s)
	})
}

func (db *DB) stepChange(ctx context.Context, tx pgx.Tx, s groundwork.PolicyStep) (*groundwork.PolicyChange, error) {
	c, err := lockChange(ctx, tx, s.Actor, s.PolicyChangeID)
	if err != nil {
		return nil, err
	}
	facts, err := db.policyFacts(ctx, tx, c, s)
	if err != nil {
		return nil, err
	}
	s, move, err := c.Plan(s, facts)
	if err != nil {
		return nil, err
	}
	after := c.After(s, move)
	payload, err := keepPolicyStep(ctx, tx, c, &after, s)
	if err != nil {
		return nil, err
	}
	made, err := updateChange(ctx, tx, &after)
	if err != nil {
		return nil, err
	}
	return made, addEntityEvent(ctx, tx, event("policy_change", c.ID, after.Version, c.State, after.State, s.Kind, s.Deed, payload))
}

func lockChange(ctx context.Context, tx pgx.Tx, by groundwork.Actor, id uuid.UUID) (*groundwork.PolicyChange, error) {
	c, err := one[groundwork.PolicyChange](ctx, tx, "lock policy change", "SELECT "+changeColumns+" FROM policy_change WHERE id = @id FOR UPDATE", pgx.NamedArgs{"id": id})
	if err == nil && c == nil {
		err = unreached(ctx, tx, by, "policy_change", id)
	}
	return c, err
}

// policyFacts reads what the guards of the step need to know.
func (db *DB) policyFacts(ctx context.Context, tx pgx.Tx, c *groundwork.PolicyChange, s groundwork.PolicyStep) (f groundwork.PolicyFacts, err error) {
	f.Now = groundwork.Moment(db.now())
	if f.Last, err = lastEventOf(ctx, tx, "policy_change", c.ID, c.Version); err != nil {
		return f, err
	}
	if s.Kind == groundwork.PolicyAdopted || s.Kind == groundwork.PolicyAmended {
		if _, err := lockPolicy(ctx, tx, s.Actor, c.PolicyID); err != nil {
			return f, err
		}
	}
	err = tx.QueryRow(ctx, `SELECT (SELECT min(effective_from) FROM policy_rollout WHERE policy_change_id = @id),
			(SELECT max(effective_from) FROM policy_version WHERE policy_id = @policy), NOT unit_within(@unit, @owner)`,
		pgx.NamedArgs{"id": c.ID, "policy": c.PolicyID, "unit": s.Actor.UnitID, "owner": c.OwnerUnitID}).Scan(&f.FirstRollout, &f.LatestFrom, &f.Outside)
	if err != nil || len(s.Rollouts) == 0 {
		return f, err
	}
	f.Overlapping, err = scalars[uuid.UUID](ctx, tx, "compare regions", `
		WITH wanted AS (SELECT w.place, r.id, r.path FROM unnest(@regions::uuid[]) WITH ORDINALITY AS w (id, place) JOIN region r ON r.id = w.id),
			taken AS (SELECT 0::bigint AS place, r.path FROM policy_rollout p JOIN region r ON r.id = p.region_id WHERE p.policy_change_id = @id
				UNION ALL SELECT place, path FROM wanted)
		SELECT DISTINCT w.id FROM wanted w JOIN taken t ON t.place < w.place AND (t.path <@ w.path OR w.path <@ t.path)`,
		pgx.NamedArgs{"id": c.ID, "regions": rolledOut(s)})
	return f, err
}

func rolledOut(s groundwork.PolicyStep) []uuid.UUID {
	regions := make([]uuid.UUID, len(s.Rollouts))
	for i, r := range s.Rollouts {
		regions[i] = r.RegionID
	}
	return regions
}

// keepPolicyStep writes the rows that belong to a step and returns what its event says. A version that it adds belongs to after.
func keepPolicyStep(ctx context.Context, tx pgx.Tx, c, after *groundwork.PolicyChange, s groundwork.PolicyStep) (map[string]any, error) {
	switch s.Kind {
	case groundwork.PolicyEvidence:
		return map[string]any{"pieces": len(s.Evidence)}, linkEvidence(ctx, tx, c, s)
	case groundwork.PolicyConsulted:
		return map[string]any{"persons": s.Persons, "summary": s.Summary}, nil
	case groundwork.PolicyRegistered:
		return map[string]any{"outcome": s.Outcome}, nil
	case groundwork.PolicyPiloted, groundwork.PolicyRolledOut:
		return map[string]any{"regions": rolledOut(s)}, addRollouts(ctx, tx, c, s)
	case groundwork.PolicyAdopted, groundwork.PolicyAmended:
		return nil, keepText(ctx, tx, c, after, s)
	case groundwork.PolicyEvaluated:
		e := s.Evaluation
		return nil, add(ctx, tx, "policy_evaluation", pgx.NamedArgs{"policy_change_id": c.ID, "evaluator_unit_id": s.Actor.UnitID, "estimate": e.Estimate,
			"ci_low": e.CILow, "ci_high": e.CIHigh, "treated_regions": e.TreatedRegions, "control_regions": e.ControlRegions, "as_of": e.AsOf,
			"text": e.Text, "recorded_by": s.Actor.ID})
	case groundwork.PolicyRepealed:
		_, err := tx.Exec(ctx, "UPDATE policy_version SET repealed_from = greatest(@from, effective_from) WHERE id = @id",
			pgx.NamedArgs{"from": s.EffectiveFrom, "id": c.PolicyVersionID})
		return nil, err
	}
	return nil, nil
}

// keepText adds the next version of the policy, which policyFacts has locked. What was adopted stays known when it is amended.
func keepText(ctx context.Context, tx pgx.Tx, c, after *groundwork.PolicyChange, s groundwork.PolicyStep) error {
	version, err := addVersion(ctx, tx, s.Actor, c.PolicyID, s.Text, s.EffectiveFrom, &c.ID)
	if s.Kind == groundwork.PolicyAdopted {
		after.PolicyVersionID = &version
	}
	return err
}

func addRollouts(ctx context.Context, tx pgx.Tx, c *groundwork.PolicyChange, s groundwork.PolicyStep) error {
	for _, r := range s.Rollouts {
		if err := add(ctx, tx, "policy_rollout", pgx.NamedArgs{"policy_change_id": c.ID, "region_id": r.RegionID, "effective_from": r.EffectiveFrom,
			"recorded_by": s.Actor.ID}); err != nil {
			return err
		}
	}
	return nil
}

// evidenceTime says of when a piece of evidence speaks, by its column.
var evidenceTime = map[string]string{
	"issue_id":            "SELECT origin_at FROM issue WHERE id = @id",
	"visit_id":            "SELECT started_at FROM visit WHERE id = @id",
	"campaign_id":         "SELECT coalesce(selected_at, nominated_at) FROM campaign WHERE id = @id",
	"measure_snapshot_id": "SELECT as_of FROM measure_snapshot WHERE id = @id",
}

func linkEvidence(ctx context.Context, tx pgx.Tx, c *groundwork.PolicyChange, s groundwork.PolicyStep) error {
	for _, target := range s.Evidence {
		for column, id := range evidenceColumns(target) {
			if id == nil {
				continue
			}
			if err := linkOne(ctx, tx, c, s, column, *id); err != nil {
				return err
			}
		}
	}
	return nil
}

func linkOne(ctx context.Context, tx pgx.Tx, c *groundwork.PolicyChange, s groundwork.PolicyStep, column string, id uuid.UUID) error {
	spoke, err := scalars[time.Time](ctx, tx, "read evidence", evidenceTime[column], pgx.NamedArgs{"id": id})
	if err != nil {
		return err
	}
	if len(spoke) == 0 {
		return groundwork.Invalid("evidence", "%s %s does not exist; give what does", called(strings.TrimSuffix(column, "_id")), id)
	}
	if spoke[0].After(s.At) {
		return groundwork.Invalid("evidence", "%s %s has not happened yet", called(strings.TrimSuffix(column, "_id")), id)
	}
	return add(ctx, tx, "evidence_link", pgx.NamedArgs{"id": newID(uuid.Nil), "policy_change_id": c.ID, column: id, "evidence_at": spoke[0],
		"linked_at": s.At, "recorded_by": s.Actor.ID})
}

func updateChange(ctx context.Context, tx pgx.Tx, c *groundwork.PolicyChange) (*groundwork.PolicyChange, error) {
	args := pgx.NamedArgs{"id": c.ID, "state": c.State, "version": c.Version, "registered": c.PreRegisteredAt, "policy_version": c.PolicyVersionID,
		"consulted": c.ConsultedAt, "pilot": c.PilotAt, "adopted": c.AdoptedAt, "evaluated": c.EvaluatedAt, "ended": c.EndedAt,
		"measure": nil, "direction": nil, "effect": nil, "window": nil, "anticipation": nil}
	if o := c.Outcome; o != nil {
		args["measure"], args["direction"], args["effect"], args["window"], args["anticipation"] = o.Measure, o.Direction, o.MinimalEffect, o.WindowDays, o.AnticipationDays
	}
	return one[groundwork.PolicyChange](ctx, tx, "update policy change", `
		UPDATE policy_change SET state = @state, version = @version, pre_registered_at = @registered, policy_version_id = @policy_version,
			consulted_at = @consulted, pilot_at = @pilot, adopted_at = @adopted, evaluated_at = @evaluated, ended_at = @ended,
			outcome_measure = @measure, outcome_direction = @direction, minimal_effect = @effect, window_days = @window, anticipation_days = @anticipation
		WHERE id = @id RETURNING `+changeColumns, args)
}
