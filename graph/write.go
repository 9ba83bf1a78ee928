package graph

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"groundwork"
	"groundwork/graph/edge"
	"groundwork/graph/model"
)

// written is what every payload holds beside the thing written.
type written struct {
	userErrors  []model.UserError
	consistency *string
}

// write does a write unless an id of its input was wrong, and tells refusals from faults. The thing is nil if it was refused.
func write[T any](ctx context.Context, ids refs, clientMutationID graphql.Omittable[*string], do func(by groundwork.Actor) (*T, groundwork.Receipt, error)) (*T, written, error) {
	made, receipt, err := (*T)(nil), groundwork.Receipt{}, ids.err
	if err == nil {
		by := groundwork.ActorFrom(ctx)
		by.Via.ClientMutationID, by.Via.ID = or(clientMutationID), edge.RequestID(ctx)
		made, receipt, err = do(by)
	}
	refused, err := userErrors(err)
	if err != nil || len(refused) > 0 {
		return nil, written{userErrors: refused}, err
	}
	forget(ctx)
	token := consistencyToken(receipt)
	return made, written{userErrors: refused, consistency: &token}, nil
}

// stepInput is what the inputs of all steps have in common.
type stepInput struct {
	issueID          model.ID
	expectedVersion  graphql.Omittable[*int32]
	at               graphql.Omittable[*time.Time]
	clientMutationID graphql.Omittable[*string]
}

// step moves an issue along its life.
func (r *Resolver) step(ctx context.Context, in stepInput, ids refs, s groundwork.Step) (*model.IssuePayload, error) {
	s.IssueID = ids.one(in.issueID, model.TypeIssue, "issueId")
	s.At, s.ExpectedSeq = or(in.at), int(or(in.expectedVersion))
	issue, done, err := write(ctx, ids, in.clientMutationID, func(by groundwork.Actor) (*groundwork.Issue, groundwork.Receipt, error) {
		s.Actor = by
		return r.store.Step(ctx, s)
	})
	if err != nil {
		return nil, err
	}
	return issuePayload(issue, done, in.clientMutationID), nil
}

func issuePayload(issue *groundwork.Issue, done written, clientMutationID graphql.Omittable[*string]) *model.IssuePayload {
	return &model.IssuePayload{
		Issue: asIssue(issue), UserErrors: done.userErrors, Consistency: done.consistency, ClientMutationID: clientMutationID.Value(),
	}
}

// feedbackKind says which step a verdict is: what the handler collects decides nothing.
func feedbackKind(actor groundwork.Actor, resolved, collectedBy string) groundwork.EventKind {
	independent := actor.Role == groundwork.RoleCitizen || actor.Role == groundwork.RoleCaller
	switch {
	case collectedBy == groundwork.ByHandler || !independent:
		return groundwork.EventFeedback
	case resolved == "YES":
		return groundwork.EventConfirmed
	default:
		return groundwork.EventDisputed
	}
}
