package graph

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
	"groundwork/warehouse"
)

// formalismCodes are the measures that formalism answers.
var formalismCodes = []model.MeasureCode{"F1", "F2", "F3", "F4", "F5", "F6", "F7"}

// ranged asks a measure of its own anchor.
func (r *Resolver) ranged(ctx context.Context, code string, in model.MeasureQuery, within *model.DateTimeFilter) (*model.MeasureTable, error) {
	q, err := r.rangedQuestion(ctx, in, within)
	return r.measure(ctx, code, q, err)
}

func (r *Resolver) rangedQuestion(ctx context.Context, in model.MeasureQuery, within *model.DateTimeFilter) (warehouse.Question, error) {
	q, err := r.query(ctx, in)
	question := warehouse.Question{Query: q}
	if within != nil {
		question.From, question.To = within.Gte.Value(), within.Lt.Value()
	}
	return question, err
}

// formalism asks several measures of formalism side by side.
func (r *Resolver) formalism(ctx context.Context, in model.MeasureQuery, within *model.DateTimeFilter, codes []model.MeasureCode) (*model.MeasuresAnswer, error) {
	if len(codes) == 0 {
		return nil, groundwork.Invalid("indicators", "no measure is asked for; give some of F1 to F7")
	}
	for i, code := range codes {
		if !slices.Contains(formalismCodes, code) || slices.Contains(codes[:i], code) {
			return nil, groundwork.Invalid("indicators", "%s is no measure of formalism, or is given twice; give some of F1 to F7, each once", code)
		}
	}
	q, err := r.rangedQuestion(ctx, in, within)
	if err != nil {
		return nil, err
	}
	limit := q.Limit
	q.Limit = maxCells
	answer := &model.MeasuresAnswer{}
	if answer.Tables, err = r.askEach(ctx, codes, q); err != nil {
		return nil, err
	}
	join(answer)
	cut(answer, limit)
	return answer, nil
}

// issuesBehind lists the issues that a cell of a measure counts. Roles from which small numbers are hidden may not: the list would show them.
func (r *Resolver) issuesBehind(ctx context.Context, in model.MeasureIssuesQuery, first int32, after *model.ID) (*model.MeasureIssues, error) {
	if !worksOnIssues(ctx) {
		return nil, &groundwork.Error{Code: groundwork.CodeForbidden, Message: "the issues behind a figure are for those who work on issues"}
	}
	limit, err := within("first", first, maxPage)
	if err != nil {
		return nil, err
	}
	var from uuid.UUID
	if after != nil {
		if from, err = after.Of(model.TypeIssue, "after"); err != nil {
			return nil, err
		}
	}
	cell := warehouse.Cell{}
	for _, v := range in.Cell {
		cell[v.Dimension] = v.Value.Value()
	}
	q, err := r.query(ctx, model.MeasureQuery{RegionLevel: in.RegionLevel, Where: in.Where, AsOf: in.AsOf, Timezone: in.Timezone, Consistency: in.Consistency, Limit: 1})
	if err != nil {
		return nil, err
	}
	q.Where.Segments = in.Segments
	window := timeRange(in.Range)
	if r.measures == nil {
		return nil, unavailable(nil)
	}
	found, err := r.measures.Behind(ctx, string(in.Measure), or(in.Number), warehouse.Question{Query: q, From: window.From, To: window.To}, cell, from, limit)
	if err != nil {
		return nil, r.warehouseError(ctx, err)
	}
	issues, err := r.store.IssuesByID(ctx, found.IDs)
	if err != nil {
		return nil, err
	}
	page := &model.MeasureIssues{Total: found.Total, Nodes: []*model.Issue{}, AsOf: found.Table.AsOf}
	for _, id := range found.IDs {
		if issue := issues[id]; issue != nil {
			page.Nodes = append(page.Nodes, asIssue(issue))
		}
	}
	if len(found.IDs) == limit {
		page.EndCursor = &model.ID{Type: model.TypeIssue, UUID: found.IDs[limit-1]}
	}
	return page, nil
}
