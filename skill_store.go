package groundwork

import (
	"context"

	"github.com/google/uuid"
)

// SkillStore keeps skills and trainings. What by does not see is as if it were not there.
type SkillStore interface {
	// AssessSkill adds a record; CodeForbidden if by is not from outside.
	AssessSkill(ctx context.Context, by Actor, s SkillRecord) (*SkillRecord, Receipt, error)
	SkillRecords(ctx context.Context, by Actor, f SkillFilter, p PageRequest) (Page[*SkillRecord], error) // the latest first
	SkillRecordsByID(ctx context.Context, by Actor, ids []uuid.UUID) (map[uuid.UUID]*SkillRecord, error)

	AnnounceTraining(ctx context.Context, by Actor, t Training) (*Training, Receipt, error)
	Trainings(ctx context.Context, p PageRequest) (Page[*Training], error) // the latest first day first
	TrainingsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*Training, error)
	// RecordTrainingParticipation notes who took part; CodeConflict if that was noted before.
	RecordTrainingParticipation(ctx context.Context, by Actor, p TrainingParticipation) (*TrainingParticipation, Receipt, error)
	TrainingParticipations(ctx context.Context, by Actor, f SkillFilter, p PageRequest) (Page[*TrainingParticipation], error) // the latest noted first
}

// SkillFilter narrows a list of skills or participations.
type SkillFilter struct {
	OfficialIDs []uuid.UUID
	Abilities   []Ability   // of records
	TrainingIDs []uuid.UUID // of participations
	At          TimeRange   // of records
}
