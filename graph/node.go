package graph

import (
	"context"

	"github.com/google/uuid"

	"groundwork/graph/model"
)

// byID reads one thing, nil if there is none.
func byID[T, N any](ctx context.Context, l loader[uuid.UUID, *T], id model.ID, kind string, as func(*T) *N) (*N, error) {
	key, err := id.Of(kind, "id")
	if err != nil {
		return nil, err
	}
	found, err := l.load(ctx, []uuid.UUID{key})
	if err != nil {
		return nil, err
	}
	return as(found[0]), nil
}

// nodes reads things of any type, one fetch a type, nil where there is none.
func (r *Resolver) nodes(ctx context.Context, ids []model.ID) ([]model.Node, error) {
	nodes := make([]model.Node, len(ids))
	byType := map[string][]int{}
	for i, id := range ids {
		byType[id.Type] = append(byType[id.Type], i)
	}
	l := loadersOf(ctx)
	for kind, positions := range byType {
		var err error
		switch kind {
		case model.TypeRegion:
			err = place(ctx, nodes, ids, positions, l.regions, asRegion)
		case model.TypeSite:
			err = place(ctx, nodes, ids, positions, l.sites, asSite)
		case model.TypeCategory:
			err = place(ctx, nodes, ids, positions, l.categories, asCategory)
		case model.TypeOrgUnit:
			err = place(ctx, nodes, ids, positions, l.orgUnits, asOrgUnit)
		case model.TypeOfficial:
			err = place(ctx, nodes, ids, positions, l.officials, asOfficial)
		case model.TypePostHolding:
			err = place(ctx, nodes, ids, positions, l.posts, asPost)
		case model.TypeVisit:
			err = place(ctx, nodes, ids, positions, l.visits, asVisit)
		case model.TypeRotaPlan:
			err = place(ctx, nodes, ids, positions, l.plans, asRotaPlan)
		case model.TypeRotaSlot:
			err = place(ctx, nodes, ids, positions, l.slots, asRotaSlot)
		case model.TypeSkillRecord:
			err = place(ctx, nodes, ids, positions, l.skills, asSkill)
		case model.TypeSurveyWave:
			err = place(ctx, nodes, ids, positions, l.waves, asWave)
		case model.TypeDiscussion:
			err = place(ctx, nodes, ids, positions, l.discussions, asDiscussion)
		case model.TypeDiscussionPost:
			err = place(ctx, nodes, ids, positions, l.discussionPosts, asDiscussionPost)
		case model.TypeTraining:
			err = place(ctx, nodes, ids, positions, l.trainings, asTraining)
		case model.TypeOpinion:
			err = place(ctx, nodes, ids, positions, l.opinions, asOpinion)
		case model.TypeIssue:
			err = place(ctx, nodes, ids, positions, l.issues, asIssue)
		case model.TypeTargetVersion:
			err = place(ctx, nodes, ids, positions, l.targets, asTarget)
		case model.TypeCampaign:
			err = place(ctx, nodes, ids, positions, l.campaigns, asCampaign)
		case model.TypeCampaignTask:
			err = place(ctx, nodes, ids, positions, l.tasks, asCampaignTask)
		case model.TypePolicy:
			err = place(ctx, nodes, ids, positions, l.policies, asPolicy)
		case model.TypePolicyVersion:
			err = place(ctx, nodes, ids, positions, l.versions, asPolicyVersion)
		case model.TypePolicyChange:
			err = place(ctx, nodes, ids, positions, l.changes, asPolicyChange)
		case model.TypeMeasureDefinitionVersion:
			err = place(ctx, nodes, ids, positions, l.definitions, asDefinition)
		case model.TypeMeasureSnapshot:
			err = place(ctx, nodes, ids, positions, l.snapshots, asSnapshot)
		case model.TypeFormalismFlag:
			err = place(ctx, nodes, ids, positions, l.flags, asFlag)
		case model.TypeAssessmentCycle:
			err = place(ctx, nodes, ids, positions, l.cycles, asCycle)
		case model.TypeAssessment:
			err = place(ctx, nodes, ids, positions, l.assessments, asAssessment)
		case model.TypeTarget:
			err = place(ctx, nodes, ids, positions, l.subjectTargets, asSubjectTarget)
		default:
			_, err = ids[positions[0]].Of("Node", "id")
		}
		if err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

// place reads the things of one type and puts them where they were asked for.
func place[T any, N any, PN interface {
	*N
	model.Node
}](ctx context.Context, nodes []model.Node, ids []model.ID, positions []int, l loader[uuid.UUID, *T], as func(*T) PN) error {
	keys := make([]uuid.UUID, len(positions))
	for i, p := range positions {
		keys[i] = ids[p].UUID
	}
	found, err := l.load(ctx, keys)
	if err != nil {
		return err
	}
	for i, p := range positions {
		if found[i] != nil {
			nodes[p] = as(found[i])
		}
	}
	return nil
}
