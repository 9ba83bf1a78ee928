package model

import "groundwork"

// Skills and trainings under their global ids.
type (
	SkillRecord           groundwork.SkillRecord
	Training              groundwork.Training
	TrainingParticipation groundwork.TrainingParticipation

	SkillRecordConnection           = Connection[SkillRecord]
	SkillRecordEdge                 = Edge[SkillRecord]
	TrainingConnection              = Connection[Training]
	TrainingEdge                    = Edge[Training]
	TrainingParticipationConnection = Connection[TrainingParticipation]
	TrainingParticipationEdge       = Edge[TrainingParticipation]
)

// The names of the types in global ids.
const (
	TypeSkillRecord = "SkillRecord"
	TypeTraining    = "Training"
)

func (*SkillRecord) IsNode() {}
func (*Training) IsNode()    {}

// GlobalID is what the API calls id.
func (s *SkillRecord) GlobalID() ID { return ID{TypeSkillRecord, s.ID} }

// GlobalID is what the API calls id.
func (t *Training) GlobalID() ID { return ID{TypeTraining, t.ID} }
