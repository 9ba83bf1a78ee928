package graph

import (
	"context"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
)

// past asks for at most limit events of a thing of a noun.
type past struct {
	noun  string
	id    uuid.UUID
	limit int
}

// histories fetches events, one call for each noun and limit that occur.
func histories(s groundwork.HistoryStore) func(context.Context, []past) (map[past][]*groundwork.EntityEvent, error) {
	return func(ctx context.Context, keys []past) (map[past][]*groundwork.EntityEvent, error) {
		ids := map[past][]uuid.UUID{}
		for _, k := range keys {
			kind := past{noun: k.noun, limit: k.limit}
			ids[kind] = append(ids[kind], k.id)
		}
		all := make(map[past][]*groundwork.EntityEvent, len(keys))
		for kind, of := range ids {
			found, err := s.HistoryOf(ctx, kind.noun, of, kind.limit)
			if err != nil {
				return nil, err
			}
			for id, events := range found {
				all[past{kind.noun, id, kind.limit}] = events
			}
		}
		return all, nil
	}
}

// history loads for each thing of a noun (its table's name) at most first of its events.
func history[P any](ctx context.Context, noun string, things []*P, first int32, id func(*P) uuid.UUID) ([][]model.EntityEvent, error) {
	limit, err := within("first", first, maxPage)
	if err != nil {
		return nil, err
	}
	keys := make([]past, len(things))
	for i, t := range things {
		keys[i] = past{noun, id(t), limit}
	}
	found, err := loadersOf(ctx).histories.load(ctx, keys)
	if err != nil {
		return nil, err
	}
	lists := make([][]model.EntityEvent, len(things))
	for i, events := range found {
		lists[i] = values(events, func(e *groundwork.EntityEvent) *model.EntityEvent { return (*model.EntityEvent)(e) })
	}
	return lists, nil
}
