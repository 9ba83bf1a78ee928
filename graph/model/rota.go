package model

import "groundwork"

// The nouns of the rota under their global ids.
type (
	RotaPlan groundwork.RotaPlan
	RotaSlot groundwork.RotaSlot

	RotaPlanConnection = Connection[RotaPlan]
	RotaPlanEdge       = Edge[RotaPlan]
	RotaSlotConnection = Connection[RotaSlot]
	RotaSlotEdge       = Edge[RotaSlot]
)

// The names of the types in global ids.
const (
	TypeRotaPlan = "RotaPlan"
	TypeRotaSlot = "RotaSlot"
)

func (*RotaPlan) IsNode() {}
func (*RotaSlot) IsNode() {}

// GlobalID is what the API calls id.
func (p *RotaPlan) GlobalID() ID { return ID{TypeRotaPlan, p.ID} }

// GlobalID is what the API calls id.
func (s *RotaSlot) GlobalID() ID { return ID{TypeRotaSlot, s.ID} }

// VisitPayload is what every step of a visit answers.
type VisitPayload struct {
	Visit            *Visit
	UserErrors       []UserError
	Consistency      *string
	ClientMutationID *string
}

// RotaSlotPayload is what every step of a slot answers.
type RotaSlotPayload struct {
	RotaSlot         *RotaSlot
	UserErrors       []UserError
	Consistency      *string
	ClientMutationID *string
}
