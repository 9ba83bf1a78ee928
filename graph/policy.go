package graph

import (
	"context"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
)

func asPolicy(p *groundwork.Policy) *model.Policy { return (*model.Policy)(p) }
func asPolicyVersion(v *groundwork.PolicyVersion) *model.PolicyVersion {
	return (*model.PolicyVersion)(v)
}
func asPolicyChange(c *groundwork.PolicyChange) *model.PolicyChange { return (*model.PolicyChange)(c) }
func asRollout(r *groundwork.PolicyRollout) *model.PolicyRollout    { return (*model.PolicyRollout)(r) }
func asEvidenceLink(l *groundwork.EvidenceLink) *model.EvidenceLink { return (*model.EvidenceLink)(l) }
func asEvaluation(e *groundwork.PolicyEvaluation) *model.PolicyEvaluation {
	return (*model.PolicyEvaluation)(e)
}

func idOfChange(c *model.PolicyChange) uuid.UUID { return c.ID }

// stepChange moves a change of a policy along its life.
func (r *Resolver) stepChange(ctx context.Context, id model.ID, in deedInput, ids refs, s groundwork.PolicyStep) (*model.PolicyChangePayload, error) {
	s.PolicyChangeID = ids.one(id, model.TypePolicyChange, "policyChangeId")
	made, done, err := write(ctx, ids, in.clientMutationID, func(by groundwork.Actor) (*groundwork.PolicyChange, groundwork.Receipt, error) {
		s.Deed = in.deed(by)
		return r.store.StepPolicyChange(ctx, s)
	})
	return changePayload(made, done, in, err)
}

func changePayload(made *groundwork.PolicyChange, done written, in deedInput, err error) (*model.PolicyChangePayload, error) {
	if err != nil {
		return nil, err
	}
	return &model.PolicyChangePayload{PolicyChange: asPolicyChange(made), UserErrors: done.userErrors, Consistency: done.consistency,
		ClientMutationID: in.clientMutationID.Value()}, nil
}

func (ids *refs) evidenceTarget(in model.EvidenceInput, field string) groundwork.EvidenceTarget {
	return groundwork.EvidenceTarget{
		IssueID: ids.opt(in.IssueID, model.TypeIssue, field+".issueId"), VisitID: ids.opt(in.VisitID, model.TypeVisit, field+".visitId"),
		CampaignID:        ids.opt(in.CampaignID, model.TypeCampaign, field+".campaignId"),
		MeasureSnapshotID: ids.opt(in.MeasureSnapshotID, model.TypeMeasureSnapshot, field+".measureSnapshotId"),
	}
}

func (ids *refs) evidenceTargets(in []model.EvidenceInput) []groundwork.EvidenceTarget {
	targets := make([]groundwork.EvidenceTarget, len(in))
	for i, e := range in {
		targets[i] = ids.evidenceTarget(e, "evidence")
	}
	return targets
}

func (ids *refs) rollouts(in []model.PolicyRolloutInput) []groundwork.PolicyRollout {
	rollouts := make([]groundwork.PolicyRollout, len(in))
	for i, r := range in {
		rollouts[i] = groundwork.PolicyRollout{RegionID: ids.one(r.RegionID, model.TypeRegion, "rollouts.regionId"), EffectiveFrom: r.EffectiveFrom}
	}
	return rollouts
}

func (ids *refs) outcomeMeasure(in model.OutcomeMeasureInput) groundwork.OutcomeMeasure {
	return groundwork.OutcomeMeasure{Measure: ids.measure(in.Measure, "outcome.measure"), Direction: in.Direction, MinimalEffect: in.MinimalEffect,
		WindowDays: int(in.WindowDays), AnticipationDays: int(in.AnticipationDays)}
}

func policyEvaluation(in model.PolicyEvaluationInput) groundwork.PolicyEvaluation {
	return groundwork.PolicyEvaluation{Estimate: in.Estimate, CILow: in.CiLow, CIHigh: in.CiHigh, TreatedRegions: int(in.TreatedRegions),
		ControlRegions: int(in.ControlRegions), AsOf: in.AsOf, Text: in.Text}
}

func (f *filters) policies(in *model.PolicyFilter) groundwork.PolicyFilter {
	if in == nil {
		return groundwork.PolicyFilter{}
	}
	out := groundwork.PolicyFilter{Under: f.opt(in.Under, model.TypeRegion, "filter.under"), Title: or(in.Title).Contains}
	if u := in.OwnerUnit.Value(); u != nil {
		out.OwnerUnitIDs = f.many(choice(f, "filter.ownerUnit.in", u.In), model.TypeOrgUnit, "filter.ownerUnit.in")
	}
	return out
}

func (f *filters) policyChanges(in *model.PolicyChangeFilter) groundwork.PolicyChangeFilter {
	if in == nil {
		return groundwork.PolicyChangeFilter{}
	}
	out := groundwork.PolicyChangeFilter{Proposed: timeRange(in.ProposedAt), ToEvaluate: in.ToEvaluate.Value()}
	if p := in.Policy.Value(); p != nil {
		out.PolicyIDs = f.many(choice(f, "filter.policy.in", p.In), model.TypePolicy, "filter.policy.in")
	}
	if s := in.State.Value(); s != nil {
		out.States = choice(f, "filter.state.in", s.In)
	}
	if u := in.OwnerUnit.Value(); u != nil {
		out.OwnerUnitIDs = f.many(choice(f, "filter.ownerUnit.in", u.In), model.TypeOrgUnit, "filter.ownerUnit.in")
	}
	if e := in.Evidence.Value(); e != nil {
		out.Evidence = f.evidenceTarget(*e, "filter.evidence")
	}
	return out
}
