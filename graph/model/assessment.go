package model

import "groundwork"

// Flags and assessments under their global ids.
type (
	FormalismFlag   groundwork.FormalismFlag
	AssessmentCycle groundwork.AssessmentCycle
	Assessment      groundwork.Assessment

	FormalismFlagConnection   = Connection[FormalismFlag]
	FormalismFlagEdge         = Edge[FormalismFlag]
	AssessmentCycleConnection = Connection[AssessmentCycle]
	AssessmentCycleEdge       = Edge[AssessmentCycle]
	AssessmentConnection      = Connection[Assessment]
	AssessmentEdge            = Edge[Assessment]
)

// The names of the types in global ids.
const (
	TypeFormalismFlag   = "FormalismFlag"
	TypeAssessmentCycle = "AssessmentCycle"
	TypeAssessment      = "Assessment"
)

func (*FormalismFlag) IsNode()   {}
func (*AssessmentCycle) IsNode() {}
func (*Assessment) IsNode()      {}

// GlobalID is what the API calls id.
func (f *FormalismFlag) GlobalID() ID { return ID{TypeFormalismFlag, f.ID} }

// GlobalID is what the API calls id.
func (c *AssessmentCycle) GlobalID() ID { return ID{TypeAssessmentCycle, c.ID} }

// GlobalID is what the API calls id.
func (a *Assessment) GlobalID() ID { return ID{TypeAssessment, a.ID} }

// FlagPayload is what every step of a flag answers.
type FlagPayload struct {
	FormalismFlag    *FormalismFlag
	UserErrors       []UserError
	Consistency      *string
	ClientMutationID *string
}

// AssessmentPayload is what every step of an assessment answers.
type AssessmentPayload struct {
	Assessment       *Assessment
	UserErrors       []UserError
	Consistency      *string
	ClientMutationID *string
}
