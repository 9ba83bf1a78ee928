package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// addEntityEvent appends an event to a noun's history. The database refuses a gap or a wrong from-state.
func addEntityEvent(ctx context.Context, tx pgx.Tx, e groundwork.EntityEvent) error {
	if e.Payload == nil {
		e.Payload = map[string]any{}
	}
	return add(ctx, tx, "entity_event", pgx.NamedArgs{
		"noun": e.Noun, "entity_id": e.EntityID, "seq": e.Seq, "kind": e.Kind, "from_state": e.FromState, "to_state": e.ToState,
		"at": e.At, "actor": e.Actor.ID, "actor_role": e.Actor.Role, "actor_unit_id": e.Actor.UnitID, "reason": e.Reason, "payload": e.Payload,
	})
}

// HistoryOf implements groundwork.HistoryStore.
func (db *DB) HistoryOf(ctx context.Context, noun string, ids []uuid.UUID, limit int) (map[uuid.UUID][]*groundwork.EntityEvent, error) {
	type row struct {
		Noun             string
		EntityID         uuid.UUID
		Seq              int
		Kind             string
		FromState        *string
		ToState          string
		At, RecordedAt   time.Time
		Actor, ActorRole string
		ActorUnitID      *uuid.UUID
		Reason           *string
		Payload          map[string]any
	}
	items, err := collect[row](ctx, db.reads(), "read history", `
		SELECT noun, entity_id, seq, kind, from_state, to_state, at, recorded_at, actor, actor_role, actor_unit_id, reason, payload
		FROM entity_event WHERE noun = @noun AND entity_id = ANY(@ids) AND seq <= @limit ORDER BY entity_id, seq`,
		pgx.NamedArgs{"noun": noun, "ids": distinct(ids), "limit": limit})
	if err != nil {
		return nil, err
	}
	of := map[uuid.UUID][]*groundwork.EntityEvent{}
	for _, r := range items {
		of[r.EntityID] = append(of[r.EntityID], &groundwork.EntityEvent{
			Noun: r.Noun, EntityID: r.EntityID, Seq: r.Seq, Kind: r.Kind, FromState: r.FromState, ToState: r.ToState, At: r.At,
			RecordedAt: r.RecordedAt, Actor: groundwork.Actor{ID: r.Actor, Role: groundwork.Role(r.ActorRole), UnitID: r.ActorUnitID},
			Reason: r.Reason, Payload: r.Payload,
		})
	}
	return of, nil
}
