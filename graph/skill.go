package graph

import (
	"context"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
)

func asSkill(s *groundwork.SkillRecord) *model.SkillRecord { return (*model.SkillRecord)(s) }
func asTraining(t *groundwork.Training) *model.Training    { return (*model.Training)(t) }
func asParticipation(p *groundwork.TrainingParticipation) *model.TrainingParticipation {
	return (*model.TrainingParticipation)(p)
}

// seenSkills reads the skills that whoever asks may see.
func seenSkills(s groundwork.SkillStore) func(context.Context, []uuid.UUID) (map[uuid.UUID]*groundwork.SkillRecord, error) {
	return func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.SkillRecord, error) {
		return s.SkillRecordsByID(ctx, groundwork.ActorFrom(ctx), ids)
	}
}

func (f *filters) skills(in *model.SkillRecordFilter) groundwork.SkillFilter {
	if in == nil {
		return groundwork.SkillFilter{}
	}
	out := groundwork.SkillFilter{At: timeRange(in.At)}
	if id := f.opt(in.Official, model.TypeOfficial, "filter.official"); id != nil {
		out.OfficialIDs = append(out.OfficialIDs, *id)
	}
	if a := in.Ability.Value(); a != nil {
		out.Abilities = choice(f, "filter.ability.in", a.In)
	}
	return out
}

func (f *filters) participations(in *model.TrainingParticipationFilter) groundwork.SkillFilter {
	var out groundwork.SkillFilter
	if in == nil {
		return out
	}
	if id := f.opt(in.Official, model.TypeOfficial, "filter.official"); id != nil {
		out.OfficialIDs = append(out.OfficialIDs, *id)
	}
	if id := f.opt(in.Training, model.TypeTraining, "filter.training"); id != nil {
		out.TrainingIDs = append(out.TrainingIDs, *id)
	}
	return out
}
