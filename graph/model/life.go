package model

import "groundwork"

// What belongs to the life of an issue.
type (
	DispatchLeg   groundwork.Leg
	ClockSpell    groundwork.Spell
	TargetVersion groundwork.TargetVersion

	TargetVersionConnection = Connection[TargetVersion]
	TargetVersionEdge       = Edge[TargetVersion]
)

// TypeTargetVersion is the name of the type in global ids.
const TypeTargetVersion = "TargetVersion"

func (*TargetVersion) IsNode() {}

// GlobalID is what the API calls id.
func (v *TargetVersion) GlobalID() ID { return ID{TypeTargetVersion, v.ID} }
