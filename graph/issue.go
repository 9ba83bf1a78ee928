package graph

import (
	"context"
	"time"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
)

// register opens an issue.
func (r *Resolver) register(ctx context.Context, input model.RegisterIssueInput) (*model.IssuePayload, error) {
	var ids refs
	registration := groundwork.Registration{
		OpinionIDs: ids.many(input.OpinionIds, model.TypeOpinion, "opinionIds"),
		Title:      or(input.Title), CategoryID: ids.opt(input.CategoryID, model.TypeCategory, "categoryId"),
		Severity: input.Severity, Difficulty: input.Difficulty, RegionID: ids.opt(input.RegionID, model.TypeRegion, "regionId"),
		SiteID: ids.opt(input.SiteID, model.TypeSite, "siteId"),
	}
	issue, done, err := write(ctx, ids, input.ClientMutationID, func(by groundwork.Actor) (*groundwork.Issue, groundwork.Receipt, error) {
		registration.Actor = by
		return r.store.RegisterIssue(ctx, registration)
	})
	if err != nil {
		return nil, err
	}
	return issuePayload(issue, done, input.ClientMutationID), nil
}

// feedback records a verdict.
func (r *Resolver) feedback(ctx context.Context, input model.RecordFeedbackInput) (*model.IssuePayload, error) {
	collectedBy := or(input.CollectedBy)
	return r.step(ctx, stepInput{input.IssueID, input.ExpectedVersion, input.At, input.ClientMutationID}, refs{}, groundwork.Step{
		Kind:     feedbackKind(groundwork.ActorFrom(ctx), input.Resolved, collectedBy),
		Resolved: input.Resolved, Satisfaction: whole(input.Satisfaction), Pressured: input.Pressured,
		CollectedBy: collectedBy, Comment: or(input.Comment), Secret: or(input.Secret),
	})
}

// secretOf is the secret of an opinion that was just submitted.
func secretOf(o *groundwork.Opinion) *string {
	if o == nil || o.Secret == "" {
		return nil
	}
	return &o.Secret
}

// grossHours is the clock that never stops: from origin to the end, or as long as the issue is observed.
func grossHours(i *model.Issue, now time.Time) float64 {
	return clockEnd(i, now).Sub(i.OriginAt).Hours()
}

// netHours is the gross clock without the pauses.
func netHours(i *model.Issue, now time.Time) float64 {
	net := grossHours(i, now) - i.PausedHours()
	if i.PausedSince != nil {
		net -= max(0, clockEnd(i, now).Sub(*i.PausedSince).Hours())
	}
	return net
}

func clockEnd(i *model.Issue, now time.Time) time.Time {
	switch {
	case i.ClosedAt != nil:
		return *i.ClosedAt
	case i.ObservedUntil != nil:
		return *i.ObservedUntil
	default:
		return now
	}
}

// opened reports whether whoever asks may read what is confidential in an issue: by reaching it, or by breaking its glass.
func opened(ctx context.Context, issue uuid.UUID) (bool, error) {
	if reached, err := reachedOf(ctx, "issue", issue); err != nil || reached[0] {
		return err == nil, err
	}
	return brokeGlass(ctx, issue)
}

// brokeGlass reports whether whoever asks broke the glass of an issue or opinion.
func brokeGlass(ctx context.Context, id uuid.UUID) (bool, error) {
	if !groundwork.MayBreakGlass(groundwork.ActorFrom(ctx).Role) {
		return false, nil
	}
	return loadersOf(ctx).glasses.shared.Load(ctx, id)
}

// claimText hides the answer to a confidential opinion: it often repeats what was said.
func (r *Resolver) claimText(ctx context.Context, c *model.Claim) (*string, error) {
	if open, err := opened(ctx, c.IssueID); open || err != nil {
		return &c.Text, err
	}
	found, err := loadersOf(ctx).opinionsOf.load(ctx, []part{{c.IssueID, maxPage}})
	if err != nil {
		return nil, err
	}
	for _, o := range found[0] {
		if o.Confidentiality == groundwork.Confidential {
			return nil, nil
		}
	}
	return &c.Text, nil
}

// permittedSteps lists what whoever asks may ask for where each of the issues stands. Those who work on issues may nothing outside of what they reach.
func permittedSteps(ctx context.Context, issues []*model.Issue) ([][]groundwork.EventKind, error) {
	by := groundwork.ActorFrom(ctx)
	reached, err := reachedOf(ctx, "issue", ids(issues, func(i *model.Issue) uuid.UUID { return i.ID })...)
	if err != nil {
		return nil, err
	}
	steps := make([][]groundwork.EventKind, len(issues))
	for n, i := range issues {
		if reached[n] || !by.Role.WorksOnIssues() {
			steps[n] = groundwork.PermittedSteps((*groundwork.Issue)(i), by.Role)
		}
	}
	return steps, nil
}

// permittedTransitions names them as all things with a life do.
func permittedTransitions(ctx context.Context, issues []*model.Issue) ([][]string, error) {
	steps, err := permittedSteps(ctx, issues)
	names := make([][]string, len(steps))
	for n, kinds := range steps {
		names[n] = make([]string, len(kinds))
		for k, kind := range kinds {
			names[n][k] = string(kind)
		}
	}
	return names, err
}

// publishTarget publishes a promise.
func (r *Resolver) publishTarget(ctx context.Context, input model.PublishTargetInput) (*model.PublishTargetPayload, error) {
	var ids refs
	version := groundwork.TargetVersion{
		CategoryID: ids.opt(input.CategoryID, model.TypeCategory, "categoryId"), Severity: input.Severity, AckMinutes: int(input.AckMinutes),
		ResponseMinutes: int(input.ResponseMinutes), ResolutionMinutes: int(input.ResolutionMinutes), TimeBase: input.TimeBase,
		PublishedAt: or(input.PublishedAt), ValidFrom: or(input.ValidFrom),
	}
	made, done, err := write(ctx, ids, input.ClientMutationID, func(by groundwork.Actor) (*groundwork.TargetVersion, groundwork.Receipt, error) {
		return r.store.PublishTarget(ctx, by, version)
	})
	if err != nil {
		return nil, err
	}
	return &model.PublishTargetPayload{
		TargetVersion: asTarget(made), UserErrors: done.userErrors, Consistency: done.consistency, ClientMutationID: input.ClientMutationID.Value(),
	}, nil
}
