package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const policyItemColumns = "id, visit_id, policy_version_id, questions_asked, answered, created_at"

// RecordPolicyItem implements groundwork.RotaStore.
func (db *DB) RecordPolicyItem(ctx context.Context, by groundwork.Actor, i groundwork.VisitPolicyItem) (*groundwork.VisitPolicyItem, groundwork.Receipt, error) {
	if err := i.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	r := request[groundwork.VisitPolicyItem]{op: "record policy item", by: by, input: i, table: "visit_policy_item", columns: policyItemColumns,
		id: func(i *groundwork.VisitPolicyItem) uuid.UUID { return i.ID }}
	return do(ctx, db, r, func(tx pgx.Tx) (*groundwork.VisitPolicyItem, error) {
		v, err := one[groundwork.Visit](ctx, tx, "lock visit", "SELECT "+visitColumns+" FROM visit WHERE id = @id FOR SHARE", pgx.NamedArgs{"id": i.VisitID})
		if err == nil && v == nil {
			err = groundwork.Errorf(groundwork.CodeNotFound, "visit %s does not exist", i.VisitID)
		}
		if err != nil {
			return nil, err
		}
		facts, err := db.visitFacts(ctx, tx, v, by)
		if err != nil {
			return nil, err
		}
		from, err := scalars[time.Time](ctx, tx, "read policy version", "SELECT effective_from FROM policy_version WHERE id = @id", pgx.NamedArgs{"id": i.PolicyVersionID})
		if err == nil && len(from) == 0 {
			err = groundwork.Invalid("policyVersionId", "policy version %s does not exist", i.PolicyVersionID)
		}
		if err == nil {
			err = i.NotedBy(by, *v, facts.Mine, from[0])
		}
		if err != nil {
			return nil, err
		}
		return insert[groundwork.VisitPolicyItem](ctx, tx, "visit_policy_item", policyItemColumns, pgx.NamedArgs{"id": newID(i.ID), "visit_id": i.VisitID,
			"policy_version_id": i.PolicyVersionID, "questions_asked": i.QuestionsAsked, "answered": i.Answered, "recorded_by": by.ID})
	})
}

// PolicyItemsOf implements groundwork.RotaStore.
func (db *DB) PolicyItemsOf(ctx context.Context, visitIDs []uuid.UUID) (map[uuid.UUID][]*groundwork.VisitPolicyItem, error) {
	items, err := collect[groundwork.VisitPolicyItem](ctx, db.reads(), "read policy items",
		"SELECT "+policyItemColumns+" FROM visit_policy_item WHERE visit_id = ANY(@ids) ORDER BY created_at, id", pgx.NamedArgs{"ids": distinct(visitIDs)})
	if err != nil {
		return nil, err
	}
	return grouped(items, func(i *groundwork.VisitPolicyItem) uuid.UUID { return i.VisitID }), nil
}
