package graph

import (
	"context"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
)

func asSubjectTarget(t *groundwork.SubjectTarget) *model.Target { return (*model.Target)(t) }

// seen leaves out of what is fetched what whoever asks may not see.
func seen[T any, P interface {
	*T
	SeenBy(groundwork.Actor) bool
}](fetch func(context.Context, []uuid.UUID) (map[uuid.UUID]*T, error)) func(context.Context, []uuid.UUID) (map[uuid.UUID]*T, error) {
	return func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*T, error) {
		found, err := fetch(ctx, ids)
		by := groundwork.ActorFrom(ctx)
		for id, thing := range found {
			if !P(thing).SeenBy(by) {
				delete(found, id)
			}
		}
		return found, err
	}
}

// stepTarget moves a target along its life.
func (r *Resolver) stepTarget(ctx context.Context, id model.ID, in deedInput, s groundwork.SubjectTargetStep) (*model.TargetPayload, error) {
	var ids refs
	s.SubjectTargetID = ids.one(id, model.TypeTarget, "targetId")
	made, done, err := write(ctx, ids, in.clientMutationID, func(by groundwork.Actor) (*groundwork.SubjectTarget, groundwork.Receipt, error) {
		s.Deed = in.deed(by)
		return r.store.StepSubjectTarget(ctx, s)
	})
	return targetPayload(made, done, in, err)
}

func targetPayload(made *groundwork.SubjectTarget, done written, in deedInput, err error) (*model.TargetPayload, error) {
	if err != nil {
		return nil, err
	}
	return &model.TargetPayload{Target: asSubjectTarget(made), UserErrors: done.userErrors, Consistency: done.consistency,
		ClientMutationID: in.clientMutationID.Value()}, nil
}

func (f *filters) targets(in *model.TargetFilter, by groundwork.Actor) groundwork.SubjectTargetFilter {
	if in == nil {
		in = &model.TargetFilter{}
	}
	out := groundwork.SubjectTargetFilter{SubjectFilter: f.subjects(in.Unit.Value(), in.Post.Value(), by), On: in.On.Value()}
	if codes := in.Measures.Value(); codes != nil {
		out.Measures = groundwork.Texts(choice(f, "filter.measures", codes))
	}
	if states := in.States.Value(); states != nil {
		out.States = choice(f, "filter.states", states)
	}
	return out
}
