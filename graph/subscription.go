package graph

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/edge"
	"groundwork/graph/model"
	"groundwork/warehouse"
)

const feedCursor = "feed:"

// changeCursor makes a position opaque; it is the id of the event, too.
func changeCursor(p groundwork.FeedPosition) string {
	return base64.RawURLEncoding.EncodeToString([]byte(feedCursor + string(p)))
}

// feedStart is where a subscription begins: after what its caller knows, else now.
func feedStart(ctx context.Context, after *string) (groundwork.FeedPosition, error) {
	cursor := edge.LastEventID(ctx)
	if cursor == "" && after != nil {
		cursor = *after
	}
	if cursor == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	position, ok := strings.CutPrefix(string(raw), feedCursor)
	if err != nil || !ok || position == "" {
		return "", groundwork.Invalid("after", "%q is no cursor of a subscription; give that of something that it told", cursor)
	}
	return groundwork.FeedPosition(position), nil
}

// follow tells what see makes of the changes since after, and then of those that come. see makes one event each; at gives it its cursor.
func follow[T any](ctx context.Context, r *Resolver, after *string, see func(context.Context, groundwork.Changes) ([]*T, error), at func(*T, string)) (<-chan *T, error) {
	since, err := feedStart(ctx, after)
	if err != nil {
		return nil, err
	}
	leave := r.feed.follow()
	moved, _ := r.feed.moved()
	changes, err := r.store.Changes(ctx, since)
	if err != nil {
		leave()
		return nil, err
	}
	if since == "" {
		since = changes.Position
	}
	edge.MarkPosition(ctx, changeCursor(since))
	told := make(chan *T)
	go func() {
		defer close(told)
		defer leave()
		for {
			forget(ctx)
			var events []*T
			err := warehouse.Guarded(func() (err error) {
				events, err = see(ctx, changes)
				return err
			})
			if err != nil {
				r.cutOff(ctx, err)
				return
			}
			if !tell(ctx, told, events, since, changes.Position, at) {
				return
			}
			since = changes.Position
			select {
			case <-moved:
			case <-ctx.Done():
				return
			}
			moved, _ = r.feed.moved()
			if changes, err = r.store.Changes(ctx, since); err != nil {
				r.cutOff(ctx, err)
				return
			}
		}
	}()
	return told, nil
}

// tell sends the events that lie between two positions. All but the last have the cursor of the first: whoever breaks off between them is told again what
// it may not have had.
func tell[T any](ctx context.Context, told chan<- *T, events []*T, from, to groundwork.FeedPosition, at func(*T, string)) bool {
	for i, event := range events {
		cursor := changeCursor(from)
		if i == len(events)-1 {
			cursor = changeCursor(to)
		}
		at(event, cursor)
		edge.MarkEvent(ctx, cursor)
		select {
		case told <- event:
		case <-ctx.Done():
			return false
		}
	}
	if len(events) == 0 {
		edge.MarkPosition(ctx, changeCursor(to))
	}
	return true
}

// cutOff ends a stream: with the reason where its caller has to act, else so that it comes back.
func (r *Resolver) cutOff(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case groundwork.CodeOf(err) == groundwork.CodeInvalid || groundwork.CodeOf(err) == groundwork.CodeForbidden:
		edge.EndStream(ctx, err)
	default:
		r.logger.WarnContext(ctx, "a subscription is cut off; its client comes back", "request_id", edge.RequestID(ctx), "err", err)
	}
}

// fitting are those of some issues that fit a filter and that whoever asks may see, the longest unchanged first.
func (r *Resolver) fitting(ctx context.Context, where groundwork.IssueFilter, ids []uuid.UUID) ([]*groundwork.Issue, error) {
	var found []*groundwork.Issue
	for some := range slices.Chunk(ids, maxPage) {
		narrowed := where
		narrowed.And = append(slices.Clone(where.And), groundwork.IssueFilter{IDs: some})
		page, err := r.store.Issues(ctx, narrowed, groundwork.OrderUpdatedDesc, groundwork.PageRequest{First: maxPage})
		if err != nil {
			return nil, err
		}
		found = append(found, page.Items...)
	}
	slices.SortStableFunc(found, func(a, b *groundwork.Issue) int { return a.UpdatedAt.Compare(b.UpdatedAt) })
	return found, nil
}

func (r *Resolver) issueChanged(ctx context.Context, id *model.ID, filter *model.IssueFilter, after *string) (<-chan *model.IssueChange, error) {
	f := filters{schema: r.schema}
	where := f.issues(filter, "filter", 0)
	var only *uuid.UUID
	if id != nil {
		only = new(f.one(*id, model.TypeIssue, "id"))
	}
	if f.err != nil {
		return nil, f.err
	}
	return follow(ctx, r, after, func(ctx context.Context, c groundwork.Changes) ([]*model.IssueChange, error) {
		ids := c.Issues
		if only != nil {
			ids = slices.DeleteFunc(slices.Clone(ids), func(id uuid.UUID) bool { return id != *only })
		}
		issues, err := r.fitting(ctx, where, ids)
		events := make([]*model.IssueChange, len(issues))
		for i, issue := range issues {
			events[i] = &model.IssueChange{Issue: asIssue(issue)}
		}
		return events, err
	}, func(e *model.IssueChange, cursor string) { e.Cursor = cursor })
}

func (r *Resolver) worklistChanged(ctx context.Context, kind groundwork.Worklist, after *string) (<-chan *model.WorklistChange, error) {
	where, err := groundwork.WorklistFilter(kind, groundwork.ActorFrom(ctx))
	if err != nil {
		return nil, err
	}
	return follow(ctx, r, after, func(ctx context.Context, c groundwork.Changes) ([]*model.WorklistChange, error) {
		if len(c.Issues) == 0 {
			return nil, nil
		}
		waiting, err := r.fitting(ctx, where, c.Issues)
		if err != nil {
			return nil, err
		}
		known, err := r.store.Reached(ctx, "issue", c.Issues)
		if err != nil {
			return nil, err
		}
		for _, issue := range waiting {
			delete(known, issue.ID)
		}
		change := model.WorklistChange{Waiting: values(waiting, asIssue), Gone: []model.ID{}}
		for _, id := range c.Issues {
			if known[id] {
				change.Gone = append(change.Gone, model.ID{Type: model.TypeIssue, UUID: id})
			}
		}
		if len(change.Waiting)+len(change.Gone) == 0 {
			return nil, nil
		}
		return []*model.WorklistChange{&change}, nil
	}, func(e *model.WorklistChange, cursor string) { e.Cursor = cursor })
}

func (r *Resolver) notified(ctx context.Context, after *string) (<-chan *model.NotificationTold, error) {
	return follow(ctx, r, after, func(ctx context.Context, c groundwork.Changes) ([]*model.NotificationTold, error) {
		if len(c.Notifications) == 0 {
			return nil, nil
		}
		told, err := r.store.NotificationsByID(ctx, groundwork.ActorFrom(ctx), c.Notifications)
		events := make([]*model.NotificationTold, len(told))
		for i, n := range told {
			events[i] = &model.NotificationTold{Notification: asNotification(n)}
		}
		return events, err
	}, func(e *model.NotificationTold, cursor string) { e.Cursor = cursor })
}

// measuresRefreshed tells the watermark at once and whenever it moves. It is a state, not a happening: whoever comes back is told how it stands.
func (r *Resolver) measuresRefreshed(ctx context.Context) (<-chan *model.Watermark, error) {
	if _, err := r.watermark(ctx); err != nil {
		return nil, err
	}
	told := make(chan *model.Watermark)
	leave := r.freshness.follow()
	go func() {
		defer close(told)
		defer leave()
		var last warehouse.Watermark
		for {
			moved, now := r.freshness.moved()
			if now != last {
				last = now
				select {
				case told <- model.NewWatermark(now):
				case <-ctx.Done():
					return
				}
			}
			select {
			case <-moved:
			case <-ctx.Done():
				return
			}
		}
	}()
	return told, nil
}
