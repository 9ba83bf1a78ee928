package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"groundwork"
	"groundwork/graph/model"
)

func asDiscussion(d *groundwork.Discussion) *model.Discussion { return (*model.Discussion)(d) }
func asDiscussionPost(p *groundwork.DiscussionPost) *model.DiscussionPost {
	return (*model.DiscussionPost)(p)
}
func asPolicyItem(i *groundwork.VisitPolicyItem) *model.VisitPolicyItem {
	return (*model.VisitPolicyItem)(i)
}

func (f *filters) discussions(in *model.DiscussionFilter) groundwork.DiscussionFilter {
	if in == nil {
		return groundwork.DiscussionFilter{}
	}
	out := groundwork.DiscussionFilter{Under: f.opt(in.Under, model.TypeRegion, "filter.under")}
	if id := f.opt(in.Visit, model.TypeVisit, "filter.visit"); id != nil {
		out.VisitIDs = append(out.VisitIDs, *id)
	}
	if s := in.State.Value(); s != nil {
		out.States = choice(f, "filter.state.in", s.In)
	}
	return out
}

func (f *filters) posts(in *model.DiscussionPostFilter) groundwork.PostFilter {
	var out groundwork.PostFilter
	if in == nil {
		return out
	}
	if id := f.opt(in.Discussion, model.TypeDiscussion, "filter.discussion"); id != nil {
		out.DiscussionIDs = append(out.DiscussionIDs, *id)
	}
	if k := in.Kind.Value(); k != nil {
		out.Kinds = choice(f, "filter.kind.in", k.In)
	}
	return out
}

// stepPost withholds a post, or shows it again.
func (r *Resolver) stepPost(ctx context.Context, kind string, post model.ID, reason string, clientMutationID graphql.Omittable[*string]) (*groundwork.DiscussionPost, written, error) {
	var ids refs
	step := groundwork.PostStep{PostID: ids.one(post, model.TypeDiscussionPost, "postId"), Kind: kind, Reason: reason}
	return write(ctx, ids, clientMutationID, func(by groundwork.Actor) (*groundwork.DiscussionPost, groundwork.Receipt, error) {
		step.Actor = by
		return r.store.StepPost(ctx, step)
	})
}
