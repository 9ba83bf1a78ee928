package groundwork

import (
	"context"

	"github.com/google/uuid"
)

// RotaStore keeps the rota, and visits along their lives.
type RotaStore interface {
	// PublishRotaPlan makes the plan (a new version of those of its name in the region) and a slot for each holder of a post of its rank and
	// each window. Windows of earlier versions that have not begun are swapped for the new ones; who has a turn now, of an
	// earlier version, keeps it and gets none in a window that has begun.
	PublishRotaPlan(ctx context.Context, by Actor, p RotaPlan) (*RotaPlan, Receipt, error)
	RotaPlans(ctx context.Context, p PageRequest) (Page[*RotaPlan], error) // the newest first
	RotaPlansByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*RotaPlan, error)
	RotaSlots(ctx context.Context, f RotaSlotFilter, p PageRequest) (Page[*RotaSlot], error) // by the end of the window
	RotaSlotsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*RotaSlot, error)
	StepRotaSlot(ctx context.Context, s SlotStep) (*RotaSlot, Receipt, error)

	PlanVisit(ctx context.Context, d Deed, v Visit) (*Visit, Receipt, error)
	StepVisit(ctx context.Context, s VisitStep) (*Visit, Receipt, error)
	AttestVisit(ctx context.Context, by Actor, a Attestation) (*Attestation, Receipt, error)
	AttestationsOf(ctx context.Context, visitIDs []uuid.UUID) (map[uuid.UUID][]*Attestation, error)
	NoteChecksOf(ctx context.Context, visitIDs []uuid.UUID) (map[uuid.UUID]*NoteCheck, error) // of those that the actor may see
	// RecordPolicyItem notes that a policy was talked of; CodeConflict if that was noted before.
	RecordPolicyItem(ctx context.Context, by Actor, i VisitPolicyItem) (*VisitPolicyItem, Receipt, error)
	PolicyItemsOf(ctx context.Context, visitIDs []uuid.UUID) (map[uuid.UUID][]*VisitPolicyItem, error) // the earliest first
	ParticipantsOf(ctx context.Context, visitIDs []uuid.UUID) (map[uuid.UUID][]*PostHolding, error)    // beside the lead
}

// RotaSlotFilter narrows a list of slots.
type RotaSlotFilter struct {
	PlanIDs []uuid.UUID
	PostIDs []uuid.UUID
	States  []SlotState
	Window  TimeRange  // its last day
	OwnedBy *uuid.UUID // of posts that the official holds or held
}
