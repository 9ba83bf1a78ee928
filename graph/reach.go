package graph

import (
	"context"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
)

// thing is one thing of a noun, by its table's name.
type thing struct {
	noun string
	id   uuid.UUID
}

// reaching asks how far the actor reaches, one call for each noun.
func reaching(s groundwork.ReachStore) func(context.Context, []thing) (map[thing]bool, error) {
	return func(ctx context.Context, keys []thing) (map[thing]bool, error) {
		ids := map[string][]uuid.UUID{}
		for _, k := range keys {
			ids[k.noun] = append(ids[k.noun], k.id)
		}
		all := make(map[thing]bool, len(keys))
		for noun, of := range ids {
			found, err := s.Reached(ctx, noun, of)
			if err != nil {
				return nil, err
			}
			for id := range found {
				all[thing{noun, id}] = true
			}
		}
		return all, nil
	}
}

// worksOnIssues reports whether the role of this request may read more than the public, where it reaches.
func worksOnIssues(ctx context.Context) bool { return groundwork.ActorFrom(ctx).Role.WorksOnIssues() }

// reachedOf says which of the things whoever asks reaches, and so may read more of than the public does.
func reachedOf(ctx context.Context, noun string, ids ...uuid.UUID) ([]bool, error) {
	by := groundwork.ActorFrom(ctx)
	if !by.Role.WorksOnIssues() || by.Everywhere {
		all := make([]bool, len(ids))
		for i := range all {
			all[i] = by.Everywhere && by.Role.WorksOnIssues()
		}
		return all, nil
	}
	keys := make([]thing, len(ids))
	for i, id := range ids {
		keys[i] = thing{noun, id}
	}
	return loadersOf(ctx).reached.load(ctx, keys)
}

// forWorkers hides a value of a thing from whoever does not reach it, or only as the public does.
func forWorkers[T any](ctx context.Context, noun string, id uuid.UUID, v *T) (*T, error) {
	reached, err := reachedOf(ctx, noun, id)
	if err != nil || !reached[0] {
		return nil, err
	}
	return v, nil
}

// detail hides what a step says, beside that it was taken.
func detail(ctx context.Context, noun string, id uuid.UUID, payload map[string]any) (map[string]any, error) {
	shown, err := forWorkers(ctx, noun, id, &payload)
	if err != nil || shown == nil {
		return nil, err
	}
	return *shown, nil
}

// unlessConfidential hides what only those may read who work on the issue. Whoever works and was given the opinion reaches it: others do not
// get what was told in confidence. Whoever does not work reads it after breaking the glass.
func unlessConfidential[T any](ctx context.Context, o *model.Opinion, v *T) (*T, error) {
	if o.Confidentiality != groundwork.Confidential || worksOnIssues(ctx) {
		return v, nil
	}
	if open, err := brokeGlass(ctx, o.ID); !open || err != nil {
		return nil, err
	}
	return v, nil
}

// ids lists the ids of things.
func ids[P any](things []*P, id func(*P) uuid.UUID) []uuid.UUID {
	list := make([]uuid.UUID, len(things))
	for i, t := range things {
		list[i] = id(t)
	}
	return list
}
