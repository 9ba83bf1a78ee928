package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const (
	policyColumns        = "id, title, region_id, owner_unit_id, created_at"
	policyVersionColumns = "id, policy_id, n, text, effective_from, repealed_from, policy_change_id, created_at"
)

// Policies implements groundwork.PolicyStore.
func (db *DB) Policies(ctx context.Context, f groundwork.PolicyFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.Policy], error) {
	c := where()
	among(c, "owner_unit_id", f.OwnerUnitIDs)
	c.under("region_id", f.Under)
	c.contains("title", f.Title)
	byTitle := order[groundwork.Policy]{name: "TITLE_ASC", expression: "title", cast: "text",
		position: func(p *groundwork.Policy) (string, uuid.UUID) { return p.Title, p.ID }}
	return page(ctx, db, policyColumns, "policy", c, byTitle, p)
}

// PoliciesByID implements groundwork.PolicyStore.
func (db *DB) PoliciesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Policy, error) {
	return byID(ctx, db, policyColumns, "policy", ids, func(p *groundwork.Policy) uuid.UUID { return p.ID })
}

// PolicyVersionsByID implements groundwork.PolicyStore.
func (db *DB) PolicyVersionsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.PolicyVersion, error) {
	return byID(ctx, db, policyVersionColumns, "policy_version", ids, func(v *groundwork.PolicyVersion) uuid.UUID { return v.ID })
}

// PolicyVersionsOf implements groundwork.PolicyStore.
func (db *DB) PolicyVersionsOf(ctx context.Context, policyIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.PolicyVersion, error) {
	items, err := limitedOf[groundwork.PolicyVersion](ctx, db, policyVersionColumns, "policy_version", "policy_id", "n DESC", policyIDs, limit)
	if err != nil {
		return nil, err
	}
	return grouped(items, func(v *groundwork.PolicyVersion) uuid.UUID { return v.PolicyID }), nil
}

// CreatePolicy implements groundwork.PolicyStore.
func (db *DB) CreatePolicy(ctx context.Context, by groundwork.Actor, p groundwork.Policy, first groundwork.PolicyVersion) (*groundwork.Policy, groundwork.Receipt, error) {
	if err := p.Validate(first); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	if err := p.OwnedBy(by); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, request[groundwork.Policy]{op: "create policy", by: by, input: []any{p, first}, table: "policy", columns: policyColumns, region: p.RegionID,
		id: func(made *groundwork.Policy) uuid.UUID { return made.ID }}, func(tx pgx.Tx) (*groundwork.Policy, error) {
		made, err := insert[groundwork.Policy](ctx, tx, "policy", policyColumns, pgx.NamedArgs{"id": newID(p.ID), "title": p.Title,
			"region_id": p.RegionID, "owner_unit_id": p.OwnerUnitID, "recorded_by": by.ID})
		if err != nil {
			return nil, err
		}
		_, err = addVersion(ctx, tx, by, made.ID, first.Text, first.EffectiveFrom, nil)
		return made, err
	})
}

// addVersion adds the next version of a policy. Whoever calls it has locked the policy or just made it.
func addVersion(ctx context.Context, tx pgx.Tx, by groundwork.Actor, policy uuid.UUID, text string, from time.Time, change *uuid.UUID) (id uuid.UUID, err error) {
	id = newID(uuid.Nil)
	_, err = tx.Exec(ctx, `INSERT INTO policy_version (id, policy_id, n, text, effective_from, policy_change_id, recorded_by)
		SELECT @id, @policy, 1 + coalesce(max(n), 0), @text, @from, @change, @by FROM policy_version WHERE policy_id = @policy`,
		pgx.NamedArgs{"id": id, "policy": policy, "text": text, "from": from, "change": change, "by": by.ID})
	return id, err
}

func lockPolicy(ctx context.Context, tx pgx.Tx, by groundwork.Actor, id uuid.UUID) (*groundwork.Policy, error) {
	p, err := one[groundwork.Policy](ctx, tx, "lock policy", "SELECT "+policyColumns+" FROM policy WHERE id = @id FOR UPDATE", pgx.NamedArgs{"id": id})
	if err == nil && p == nil {
		err = unreached(ctx, tx, by, "policy", id)
	}
	return p, err
}

// RevisePolicyVersion implements groundwork.PolicyStore.
func (db *DB) RevisePolicyVersion(ctx context.Context, by groundwork.Actor, v groundwork.PolicyVersion) (*groundwork.PolicyVersion, groundwork.Receipt, error) {
	if err := v.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, request[groundwork.PolicyVersion]{op: "revise policy version", by: by, input: v, table: "policy_version", columns: policyVersionColumns,
		id: func(made *groundwork.PolicyVersion) uuid.UUID { return made.ID }}, func(tx pgx.Tx) (*groundwork.PolicyVersion, error) {
		now, err := one[groundwork.PolicyVersion](ctx, tx, "read policy version", "SELECT "+policyVersionColumns+" FROM policy_version WHERE id = @id FOR UPDATE", pgx.NamedArgs{"id": v.ID})
		if err != nil {
			return nil, err
		}
		if now == nil {
			return nil, unreached(ctx, tx, by, "policy_version", v.ID)
		}
		p, err := lockPolicy(ctx, tx, by, now.PolicyID)
		if err != nil {
			return nil, err
		}
		if err := p.OwnedBy(by); err != nil {
			return nil, err
		}
		if err := now.Revisable(v, db.now()); err != nil {
			return nil, err
		}
		return one[groundwork.PolicyVersion](ctx, tx, "revise policy version",
			"UPDATE policy_version SET text = @text, effective_from = @from WHERE id = @id RETURNING "+policyVersionColumns,
			pgx.NamedArgs{"id": v.ID, "text": v.Text, "from": v.EffectiveFrom})
	})
}

// outcomeColumns reads the outcome measure, which is registered as a whole or not at all.
const outcomeColumns = `CASE WHEN outcome_measure IS NOT NULL THEN json_build_object('measure', outcome_measure, 'direction', outcome_direction,
	'minimal_effect', minimal_effect, 'window_days', window_days, 'anticipation_days', anticipation_days) END AS outcome`

const changeColumns = `id, policy_id, owner_unit_id, summary, state, version, ` + outcomeColumns + `, pre_registered_at, policy_version_id, proposed_at,
	consulted_at, pilot_at, adopted_at, evaluated_at, ended_at, created_at`

// PolicyChanges implements groundwork.PolicyStore.
func (db *DB) PolicyChanges(ctx context.Context, f groundwork.PolicyChangeFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.PolicyChange], error) {
	c := where()
	among(c, "policy_id", f.PolicyIDs)
	among(c, "state", f.States)
	among(c, "owner_unit_id", f.OwnerUnitIDs)
	c.within("proposed_at", f.Proposed)
	for column, id := range evidenceColumns(f.Evidence) {
		if id != nil {
			c.add(fmt.Sprintf("id IN (SELECT policy_change_id FROM evidence_link WHERE %s = %%s)", column), *id)
		}
	}
	if f.ToEvaluate != nil {
		c.add(`(state = 'ADOPTED' AND day_begins((SELECT min(effective_from) FROM policy_rollout r WHERE r.policy_change_id = policy_change.id) + window_days) <= %s) = %s`,
			db.now(), *f.ToEvaluate)
	}
	latest := order[groundwork.PolicyChange]{name: "PROPOSED_DESC", expression: "proposed_at", cast: "timestamptz", descending: true,
		position: func(c *groundwork.PolicyChange) (string, uuid.UUID) { return moment(c.ProposedAt), c.ID }}
	return page(ctx, db, changeColumns, "policy_change", c, latest, p)
}

// evidenceColumns are the columns of a link, all but one null.
func evidenceColumns(t groundwork.EvidenceTarget) map[string]*uuid.UUID {
	return map[string]*uuid.UUID{"issue_id": t.IssueID, "visit_id": t.VisitID, "campaign_id": t.CampaignID, "measure_snapshot_id": t.MeasureSnapshotID}
}

// PolicyChangesByID implements groundwork.PolicyStore.
func (db *DB) PolicyChangesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.PolicyChange, error) {
	return byID(ctx, db, changeColumns, "policy_change", ids, func(c *groundwork.PolicyChange) uuid.UUID { return c.ID })
}

// RolloutsOf implements groundwork.PolicyStore.
func (db *DB) RolloutsOf(ctx context.Context, changeIDs []uuid.UUID) (map[uuid.UUID][]*groundwork.PolicyRollout, error) {
	items, err := collect[groundwork.PolicyRollout](ctx, db.reads(), "read rollouts", `
		SELECT policy_change_id, region_id, effective_from FROM policy_rollout JOIN region r ON r.id = region_id
		WHERE policy_change_id = ANY(@ids) ORDER BY policy_change_id, effective_from, r.code`, pgx.NamedArgs{"ids": changeIDs})
	if err != nil {
		return nil, err
	}
	return grouped(items, func(r *groundwork.PolicyRollout) uuid.UUID { return r.PolicyChangeID }), nil
}

// EvidenceLinksOf implements groundwork.PolicyStore.
func (db *DB) EvidenceLinksOf(ctx context.Context, changeIDs []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.EvidenceLink, error) {
	items, err := limitedOf[groundwork.EvidenceLink](ctx, db, "id, policy_change_id, issue_id, visit_id, campaign_id, measure_snapshot_id, evidence_at, linked_at",
		"evidence_link", "policy_change_id", "evidence_at, id", changeIDs, limit)
	if err != nil {
		return nil, err
	}
	return grouped(items, func(l *groundwork.EvidenceLink) uuid.UUID { return l.PolicyChangeID }), nil
}

// EvaluationsOf implements groundwork.PolicyStore.
func (db *DB) EvaluationsOf(ctx context.Context, changeIDs []uuid.UUID) (map[uuid.UUID]*groundwork.PolicyEvaluation, error) {
	items, err := collect[groundwork.PolicyEvaluation](ctx, db.reads(), "read evaluations", `
		SELECT policy_change_id, evaluator_unit_id, estimate, ci_low, ci_high, treated_regions, control_regions, as_of, text, created_at
		FROM policy_evaluation WHERE policy_change_id = ANY(@ids)`, pgx.NamedArgs{"ids": changeIDs})
	if err != nil {
		return nil, err
	}
	of := make(map[uuid.UUID]*groundwork.PolicyEvaluation, len(items))
	for i := range items {
		of[items[i].PolicyChangeID] = &items[i]
	}
	return of, nil
}
