package graph

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"

	"groundwork"
	"groundwork/graph/model"
)

// bulk takes a step for each of n items, each in its own transaction: one that is refused keeps back no other. A fault that is no
// refusal ends it; sent again under the same clientMutationId, what was done is answered and the rest is done.
func (r *Resolver) bulk(ctx context.Context, field string, n int, clientMutationID graphql.Omittable[*string], item func(n int, ids *refs) groundwork.Step) (*model.BulkIssuePayload, error) {
	p := &model.BulkIssuePayload{Results: []model.BulkIssueResult{}, UserErrors: []model.UserError{}, ClientMutationID: clientMutationID.Value()}
	if n < 1 || n > maxPage {
		refused, err := userErrors(groundwork.Invalid(field, "%d items; give 1 to %d", n, maxPage))
		p.UserErrors = refused
		return p, err
	}
	for i := range n {
		var ids refs
		step := item(i, &ids)
		issue, done, err := write(ctx, ids, itemID(clientMutationID, i), func(by groundwork.Actor) (*groundwork.Issue, groundwork.Receipt, error) {
			step.Actor = by
			return r.store.Step(ctx, step)
		})
		if err != nil {
			return nil, err
		}
		if issue != nil {
			p.Done++
			p.Consistency = done.consistency
		}
		p.Results = append(p.Results, model.BulkIssueResult{Issue: asIssue(issue), UserErrors: done.userErrors})
	}
	return p, nil
}

// itemID is the id of one item's write, so that each can be answered again.
func itemID(all graphql.Omittable[*string], n int) graphql.Omittable[*string] {
	if or(all) == "" {
		return all
	}
	return graphql.OmittableOf(new(fmt.Sprintf("%s/%d", or(all), n)))
}

// similar finds open issues that a matter may repeat.
func (r *Resolver) similar(ctx context.Context, l groundwork.Likeness, first int32) ([]model.SimilarIssue, error) {
	limit, err := within("first", first, maxSimilar)
	if err != nil {
		return nil, err
	}
	found, err := r.store.SimilarIssues(ctx, l, limit)
	if err != nil {
		return nil, err
	}
	similar := make([]model.SimilarIssue, len(found))
	for i, s := range found {
		similar[i] = model.SimilarIssue{Issue: asIssue(s.Issue), Score: s.Score, Text: s.Text, Near: s.Near}
	}
	return similar, nil
}

const maxSimilar = 20

// readNotifications marks notifications as read.
func (r *Resolver) readNotifications(ctx context.Context, input model.ReadNotificationsInput) (*model.ReadNotificationsPayload, error) {
	var ids refs
	which := ids.many(input.Ids, model.TypeNotification, "ids")
	if len(which) > maxPage {
		ids.err = groundwork.Invalid("ids", "%d ids are too many; give at most %d", len(which), maxPage)
	}
	var read []*groundwork.Notification
	_, done, err := write(ctx, ids, input.ClientMutationID, func(by groundwork.Actor) (_ *struct{}, receipt groundwork.Receipt, err error) {
		read, receipt, err = r.store.ReadNotifications(ctx, by, which)
		return nil, receipt, err
	})
	if err != nil {
		return nil, err
	}
	return &model.ReadNotificationsPayload{
		Notifications: values(read, asNotification), UserErrors: done.userErrors, Consistency: done.consistency, ClientMutationID: input.ClientMutationID.Value(),
	}, nil
}

func asNotification(n *groundwork.Notification) *model.Notification { return (*model.Notification)(n) }

// permissionsOf lists what a role may ask for.
func permissionsOf(role groundwork.Role) []model.Permission {
	var list []model.Permission
	for _, o := range groundwork.Operations {
		if scope, ok := groundwork.Allowed(o.Name, role); ok {
			list = append(list, model.Permission{Operation: o.Name, Scope: scope})
		}
	}
	return list
}
