package graph

import (
	"context"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
	"groundwork/warehouse"
)

func asCampaign(c *groundwork.Campaign) *model.Campaign             { return (*model.Campaign)(c) }
func asCampaignTask(t *groundwork.CampaignTask) *model.CampaignTask { return (*model.CampaignTask)(t) }
func asCampaignRegion(r *groundwork.CampaignRegion) *model.CampaignRegion {
	return (*model.CampaignRegion)(r)
}
func asCampaignIssue(i *groundwork.CampaignIssue) *model.CampaignIssue {
	return (*model.CampaignIssue)(i)
}
func itself[T any](t *T) *T { return t }

// deedInput is what the inputs of the steps of nouns with a life have in common.
type deedInput struct {
	clientMutationID graphql.Omittable[*string]
	expectedVersion  graphql.Omittable[*int32]
	at               graphql.Omittable[*time.Time]
	reason           string
}

func (in deedInput) deed(by groundwork.Actor) groundwork.Deed {
	return groundwork.Deed{Actor: by, At: or(in.at), ExpectedVersion: int(or(in.expectedVersion)), Reason: in.reason}
}

// belongings loads for each parent all the things that belong to it: few, and without a page size.
func belongings[P, T, N any](ctx context.Context, l loader[uuid.UUID, []*T], parents []*P, id func(*P) uuid.UUID, as func(*T) *N) ([][]N, error) {
	keys := make([]uuid.UUID, len(parents))
	for i, p := range parents {
		keys[i] = id(p)
	}
	found, err := l.load(ctx, keys)
	if err != nil {
		return nil, err
	}
	lists := make([][]N, len(parents))
	for i, things := range found {
		lists[i] = values(things, as)
	}
	return lists, nil
}

func idOfCampaign(c *model.Campaign) uuid.UUID { return c.ID }

// smallest is how many cases a figure rests on, at least, that roles outside the work on issues may see.
const smallest = 11

// campaignResults loads the results of reviews; small numbers are for those who work on issues.
func (r *Resolver) campaignResults(ctx context.Context, campaigns []*model.Campaign) ([][]groundwork.CriterionResult, error) {
	lists, err := belongings(ctx, loadersOf(ctx).results, campaigns, idOfCampaign, itself[groundwork.CriterionResult])
	if err != nil {
		return nil, err
	}
	reached, err := reachedOf(ctx, "campaign", ids(campaigns, idOfCampaign)...)
	if err != nil {
		return nil, err
	}
	for i, results := range lists {
		if reached[i] {
			continue
		}
		lists[i] = slices.DeleteFunc(results, func(r groundwork.CriterionResult) bool { return r.Cases < smallest })
	}
	return lists, err
}

// stepCampaign moves a campaign along its life.
func (r *Resolver) stepCampaign(ctx context.Context, id model.ID, in deedInput, ids refs, s groundwork.CampaignStep) (*model.CampaignPayload, error) {
	s.CampaignID = ids.one(id, model.TypeCampaign, "campaignId")
	made, done, err := write(ctx, ids, in.clientMutationID, func(by groundwork.Actor) (*groundwork.Campaign, groundwork.Receipt, error) {
		s.Deed = in.deed(by)
		return r.store.StepCampaign(ctx, s)
	})
	return campaignPayload(made, done, in, err)
}

func campaignPayload(made *groundwork.Campaign, done written, in deedInput, err error) (*model.CampaignPayload, error) {
	if err != nil {
		return nil, err
	}
	return &model.CampaignPayload{Campaign: asCampaign(made), UserErrors: done.userErrors, Consistency: done.consistency,
		ClientMutationID: in.clientMutationID.Value()}, nil
}

// stepTask moves a task along its life.
func (r *Resolver) stepTask(ctx context.Context, id model.ID, in deedInput, s groundwork.TaskStep) (*model.CampaignTaskPayload, error) {
	var ids refs
	s.TaskID = ids.one(id, model.TypeCampaignTask, "taskId")
	made, done, err := write(ctx, ids, in.clientMutationID, func(by groundwork.Actor) (*groundwork.CampaignTask, groundwork.Receipt, error) {
		s.Deed = in.deed(by)
		return r.store.StepCampaignTask(ctx, s)
	})
	return taskPayload(made, done, in, err)
}

func taskPayload(made *groundwork.CampaignTask, done written, in deedInput, err error) (*model.CampaignTaskPayload, error) {
	if err != nil {
		return nil, err
	}
	return &model.CampaignTaskPayload{CampaignTask: asCampaignTask(made), UserErrors: done.userErrors, Consistency: done.consistency,
		ClientMutationID: in.clientMutationID.Value()}, nil
}

func (ids *refs) evidence(in model.HotspotEvidenceInput) groundwork.HotspotEvidence {
	e := groundwork.HotspotEvidence{DefinitionVersion: int(in.DefinitionVersion), From: in.From, To: in.To, AsOf: in.AsOf}
	for _, c := range in.Cells {
		e.Cells = append(e.Cells, groundwork.HotspotCell{
			RegionID: ids.one(c.RegionID, model.TypeRegion, "evidence.cells.regionId"), CategoryID: ids.opt(c.CategoryID, model.TypeCategory, "evidence.cells.categoryId"),
			Issues: int(c.Issues), PersonYears: c.PersonYears, RawRate: c.RawRate, Rate: c.Rate, Weight: c.Weight, CommonRate: c.CommonRate,
			Rank: int(c.Rank), PValue: c.PValue.Value(),
		})
	}
	return e
}

func (ids *refs) exitCriteria(in []model.ExitCriterionInput) []groundwork.ExitCriterion {
	criteria := make([]groundwork.ExitCriterion, len(in))
	for i, c := range in {
		criteria[i] = groundwork.ExitCriterion{N: i + 1, Measure: ids.measure(c.Measure, "exitCriteria"), Direction: c.Direction, Threshold: c.Threshold, WindowDays: int(c.WindowDays)}
	}
	return criteria
}

// measure is the code of a measure that there is: what nobody can measure judges nothing.
func (ids *refs) measure(code, field string) string {
	if _, ok := warehouse.MeasureByCode(code); !ok && ids.err == nil {
		ids.err = groundwork.Invalid(field, "%q is no measure; measureCatalog lists them", code)
	}
	return code
}

func criterionResults(in []model.CriterionResultInput) []groundwork.CriterionResult {
	results := make([]groundwork.CriterionResult, len(in))
	for i, r := range in {
		results[i] = groundwork.CriterionResult{N: int(r.N), Value: r.Value, CILow: r.CiLow.Value(), CIHigh: r.CiHigh.Value(), Cases: int(r.Cases), AsOf: r.AsOf}
	}
	return results
}

func (f *filters) campaigns(in *model.CampaignFilter) groundwork.CampaignFilter {
	if in == nil {
		return groundwork.CampaignFilter{}
	}
	out := groundwork.CampaignFilter{
		Under: f.opt(in.Under, model.TypeRegion, "filter.under"), Nominated: timeRange(in.NominatedAt), Topic: or(in.Topic).Contains,
	}
	if s := in.State.Value(); s != nil {
		out.States = choice(f, "filter.state.in", s.In)
	}
	if u := in.LeadUnit.Value(); u != nil {
		out.LeadUnitIDs = f.many(choice(f, "filter.leadUnit.in", u.In), model.TypeOrgUnit, "filter.leadUnit.in")
	}
	if c := in.Category.Value(); c != nil {
		out.CategoryIDs = f.many(choice(f, "filter.category.in", c.In), model.TypeCategory, "filter.category.in")
	}
	return out
}

// tasks reads a filter of tasks as the actor asks for it at now.
func (f *filters) tasks(in *model.CampaignTaskFilter, by groundwork.Actor, now time.Time) groundwork.CampaignTaskFilter {
	if in == nil {
		return groundwork.CampaignTaskFilter{}
	}
	out := groundwork.CampaignTaskFilter{Due: timeRange(in.DueAt)}
	if c := in.Campaign.Value(); c != nil {
		out.CampaignIDs = f.many(choice(f, "filter.campaign.in", c.In), model.TypeCampaign, "filter.campaign.in")
	}
	if s := in.State.Value(); s != nil {
		out.States = choice(f, "filter.state.in", s.In)
	}
	if u := in.OwnerUnit.Value(); u != nil {
		out.OwnerUnitIDs = f.many(choice(f, "filter.ownerUnit.in", u.In), model.TypeOrgUnit, "filter.ownerUnit.in")
	}
	if or(in.Mine) {
		out.OwnedBy = &by
	}
	if or(in.Overdue) {
		out.OverdueAt = &now
	}
	return out
}
