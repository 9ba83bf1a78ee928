package graph

import (
	"context"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
)

func asRotaPlan(p *groundwork.RotaPlan) *model.RotaPlan { return (*model.RotaPlan)(p) }
func asRotaSlot(s *groundwork.RotaSlot) *model.RotaSlot { return (*model.RotaSlot)(s) }

// orNobody is an id that belongs to nobody where there is none.
func orNobody(id *uuid.UUID) uuid.UUID {
	if id == nil {
		return uuid.Nil
	}
	return *id
}

// visits lists visits, unless the filter was at fault.
func (r *Resolver) visits(ctx context.Context, first *int32, after *string, last *int32, before *string, where groundwork.VisitFilter, err error) (*model.Connection[model.Visit], error) {
	if err != nil {
		return nil, err
	}
	return connection(first, after, last, before, func(p groundwork.PageRequest) (groundwork.Page[*groundwork.Visit], error) {
		return r.store.Visits(ctx, where, p)
	}, asVisit)
}

// stepVisit moves a visit along its life.
func (r *Resolver) stepVisit(ctx context.Context, id model.ID, in deedInput, ids refs, s groundwork.VisitStep) (*model.VisitPayload, error) {
	s.VisitID = ids.one(id, model.TypeVisit, "visitId")
	made, done, err := write(ctx, ids, in.clientMutationID, func(by groundwork.Actor) (*groundwork.Visit, groundwork.Receipt, error) {
		s.Deed = in.deed(by)
		return r.store.StepVisit(ctx, s)
	})
	return visitPayload(made, done, in, err)
}

func visitPayload(made *groundwork.Visit, done written, in deedInput, err error) (*model.VisitPayload, error) {
	if err != nil {
		return nil, err
	}
	return &model.VisitPayload{Visit: asVisit(made), UserErrors: done.userErrors, Consistency: done.consistency, ClientMutationID: in.clientMutationID.Value()}, nil
}

// stepSlot moves a slot along its life.
func (r *Resolver) stepSlot(ctx context.Context, id model.ID, in deedInput, ids refs, s groundwork.SlotStep) (*model.RotaSlotPayload, error) {
	s.SlotID = ids.one(id, model.TypeRotaSlot, "slotId")
	made, done, err := write(ctx, ids, in.clientMutationID, func(by groundwork.Actor) (*groundwork.RotaSlot, groundwork.Receipt, error) {
		s.Deed = in.deed(by)
		return r.store.StepRotaSlot(ctx, s)
	})
	if err != nil {
		return nil, err
	}
	return &model.RotaSlotPayload{RotaSlot: asRotaSlot(made), UserErrors: done.userErrors, Consistency: done.consistency, ClientMutationID: in.clientMutationID.Value()}, nil
}

func (f *filters) slots(in *model.RotaSlotFilter, by groundwork.Actor) groundwork.RotaSlotFilter {
	var out groundwork.RotaSlotFilter
	if in == nil {
		return out
	}
	if id := f.opt(in.Plan, model.TypeRotaPlan, "filter.plan"); id != nil {
		out.PlanIDs = append(out.PlanIDs, *id)
	}
	if id := f.opt(in.Post, model.TypePostHolding, "filter.post"); id != nil {
		out.PostIDs = append(out.PostIDs, *id)
	}
	if s := in.State.Value(); s != nil {
		out.States = choice(f, "filter.state.in", s.In)
	}
	if or(in.Mine) {
		out.OwnedBy = new(orNobody(by.OfficialID))
	}
	return out
}
