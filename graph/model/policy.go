package model

import (
	"groundwork"
)

// Policies, their changes and what belongs to them.
type (
	Policy           groundwork.Policy
	PolicyVersion    groundwork.PolicyVersion
	PolicyChange     groundwork.PolicyChange
	PolicyRollout    groundwork.PolicyRollout
	EvidenceLink     groundwork.EvidenceLink
	PolicyEvaluation groundwork.PolicyEvaluation

	PolicyConnection       = Connection[Policy]
	PolicyEdge             = Edge[Policy]
	PolicyChangeConnection = Connection[PolicyChange]
	PolicyChangeEdge       = Edge[PolicyChange]
)

// The names of the types in global ids.
const (
	TypePolicy          = "Policy"
	TypePolicyVersion   = "PolicyVersion"
	TypePolicyChange    = "PolicyChange"
	TypeMeasureSnapshot = "MeasureSnapshot"
)

func (*Policy) IsNode()        {}
func (*PolicyVersion) IsNode() {}
func (*PolicyChange) IsNode()  {}

// GlobalID is what the API calls id.
func (p *Policy) GlobalID() ID { return ID{TypePolicy, p.ID} }

// GlobalID is what the API calls id.
func (v *PolicyVersion) GlobalID() ID { return ID{TypePolicyVersion, v.ID} }

// GlobalID is what the API calls id.
func (c *PolicyChange) GlobalID() ID { return ID{TypePolicyChange, c.ID} }

// SnapshotID is the global id of the measure snapshot, nil if the evidence is another.
func (l *EvidenceLink) SnapshotID() *ID { return IDOf(TypeMeasureSnapshot, l.MeasureSnapshotID) }

// Descriptive reports whether the evaluation rests on so few regions that it only describes.
func (e *PolicyEvaluation) Descriptive() bool { return groundwork.PolicyEvaluation(*e).Descriptive() }

// PolicyChangePayload is what every step of a change answers.
type PolicyChangePayload struct {
	PolicyChange     *PolicyChange
	UserErrors       []UserError
	Consistency      *string
	ClientMutationID *string
}
