package graph

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
	"groundwork/warehouse"
)

const (
	maxTopics = 50
	maxUnread = 100_000
)

// topicPulse asks the warehouse for terms, and the system of record for their words. It is for those who work on issues: there is no guard yet against whoever asks
// for two ranges that differ by a day.
func (r *Resolver) topicPulse(ctx context.Context, in model.TopicPulseQuery, first int32) (*model.TopicPulse, error) {
	if !worksOnIssues(ctx) {
		return nil, &groundwork.Error{Code: groundwork.CodeForbidden, Message: "what people speak of is for those who work on issues"}
	}
	limit, err := within("first", first, maxTopics)
	if err != nil {
		return nil, err
	}
	q, err := r.query(ctx, model.MeasureQuery{Where: graphql.OmittableOf(&model.MeasureFilter{Region: in.Region}), Consistency: in.Consistency, Limit: int32(limit)})
	if err != nil {
		return nil, err
	}
	if r.measures == nil {
		return nil, unavailable(nil)
	}
	window, baseline := timeRange(in.Range), timeRange(in.Baseline)
	found, err := r.measures.TopicPulse(ctx, warehouse.TopicQuestion{Query: q, From: window.From, To: window.To, BaselineFrom: baseline.From, BaselineTo: baseline.To})
	if err != nil {
		return nil, r.warehouseError(ctx, err)
	}
	unread, err := r.store.UnreadOpinions(ctx, maxUnread)
	if err != nil {
		return nil, err
	}
	pulse := &model.TopicPulse{TopicPulse: found, Topics: []model.Topic{}, Unread: unread.Value, DefinitionVersion: warehouse.TopicDefinition}
	return pulse, r.nameTopics(ctx, pulse)
}

// nameTopics finds the words of the terms; one that nobody may be told, since what said it was taken away meanwhile, is left out.
func (r *Resolver) nameTopics(ctx context.Context, pulse *model.TopicPulse) error {
	var said []uuid.UUID
	for _, topic := range pulse.TopicPulse.Topics {
		said = append(said, topic.Said...)
	}
	if len(said) == 0 {
		return nil
	}
	words, err := r.store.TopicWords(ctx, said)
	if err != nil {
		return err
	}
	for _, topic := range pulse.TopicPulse.Topics {
		if word, known := words[topic.Term]; known {
			pulse.Topics = append(pulse.Topics, model.Topic{Topic: topic, Word: word})
		}
	}
	if missing := len(pulse.TopicPulse.Topics) - len(pulse.Topics); missing > 0 {
		pulse.Notes = append(pulse.Notes, fmt.Sprintf("%d words are not told: too few of the opinions that have them can be read any more", missing))
	}
	return nil
}
