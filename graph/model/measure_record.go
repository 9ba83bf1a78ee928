package model

import (
	"bytes"
	"encoding/json"

	"groundwork"
)

// What measures mean and said, and what subjects are to reach, under their global ids.
type (
	MeasureDefinitionVersion groundwork.MeasureDefinition
	MeasureSnapshot          groundwork.MeasureSnapshot
	Target                   groundwork.SubjectTarget

	MeasureSnapshotConnection = Connection[MeasureSnapshot]
	MeasureSnapshotEdge       = Edge[MeasureSnapshot]
	TargetConnection          = Connection[Target]
	TargetEdge                = Edge[Target]
)

// The names of the types in global ids.
const (
	TypeMeasureDefinitionVersion = "MeasureDefinitionVersion"
	TypeTarget                   = "Target"
)

func (*MeasureDefinitionVersion) IsNode() {}
func (*MeasureSnapshot) IsNode()          {}
func (*Target) IsNode()                   {}

// GlobalID is what the API calls id.
func (d *MeasureDefinitionVersion) GlobalID() ID { return ID{TypeMeasureDefinitionVersion, d.ID} }

// GlobalID is what the API calls id.
func (s *MeasureSnapshot) GlobalID() ID { return ID{TypeMeasureSnapshot, s.ID} }

// GlobalID is what the API calls id.
func (t *Target) GlobalID() ID { return ID{TypeTarget, t.ID} }

// FieldsJSON shows the fields as JSON.
func (d *MeasureDefinitionVersion) FieldsJSON() (map[string]any, error) { return object(d.Fields) }

// QuestionJSON shows the question as JSON.
func (s *MeasureSnapshot) QuestionJSON() (map[string]any, error) { return object(s.Question) }

// CellsJSON shows the cells as JSON.
func (s *MeasureSnapshot) CellsJSON() (map[string]any, error) { return object(s.Cells) }

// Document is the text that the hash is of.
func (s *MeasureSnapshot) Document() string { return groundwork.MeasureSnapshot(*s).Document() }

// object reads a JSON object and keeps its numbers digit by digit.
func object(text string) (o map[string]any, err error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	err = d.Decode(&o)
	return o, err
}

// SnapshotVerification is the measure of a snapshot, asked again.
type SnapshotVerification struct {
	Outcome          SnapshotOutcome
	Sha256           string
	RecomputedSha256 *string
}

// TargetPayload is what every step of a target answers.
type TargetPayload struct {
	Target           *Target
	UserErrors       []UserError
	Consistency      *string
	ClientMutationID *string
}
