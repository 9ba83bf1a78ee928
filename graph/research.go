package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"groundwork"
	"groundwork/warehouse"
)

// research answers a researcher, unless the answer beside an earlier one would tell of fewer than warehouse.MinDifference issues, or the
// account has used up what it may ask.
func (r *Resolver) research(ctx context.Context, code string, q warehouse.Question) (table *warehouse.Table, err error) {
	latest, err := r.measures.Watermark(ctx)
	if err != nil {
		return nil, r.warehouseError(ctx, err)
	}
	if q, err = q.Researchable(latest.CommittedAt); err != nil {
		return nil, r.warehouseError(ctx, err)
	}
	q.Wait = 0
	now := warehouse.Asked{Code: code, Question: q}
	err = r.store.Research(ctx, groundwork.ActorFrom(ctx), r.now().Add(-groundwork.ResearchMemory), func(kept []groundwork.ResearchQuestion) (*groundwork.ResearchQuestion, error) {
		before, again, err := remembered(kept, now)
		if err != nil {
			return nil, err
		}
		if !again {
			if err := r.admit(ctx, now, before, kept); err != nil {
				return nil, err
			}
		}
		if table, err = r.measures.Ask(ctx, code, q); err != nil {
			return nil, r.warehouseError(ctx, err)
		}
		if again {
			return nil, nil
		}
		text, err := json.Marshal(q)
		return &groundwork.ResearchQuestion{Measure: code, Question: text, Cells: len(table.N)}, err
	})
	return table, err
}

// remembered reads what was kept; again tells that now is among it.
func remembered(kept []groundwork.ResearchQuestion, now warehouse.Asked) (before []warehouse.Asked, again bool, err error) {
	text, err := json.Marshal(now.Question)
	if err != nil {
		return nil, false, fmt.Errorf("question of a researcher: %w", err)
	}
	var same warehouse.Question // now, after the same way through text as those that were kept
	if err := json.Unmarshal(text, &same); err != nil {
		return nil, false, fmt.Errorf("question of a researcher: %w", err)
	}
	for _, k := range kept {
		a := warehouse.Asked{Code: k.Measure}
		if err := json.Unmarshal(k.Question, &a.Question); err != nil {
			return nil, false, fmt.Errorf("earlier question of a researcher: %w", err)
		}
		again = again || a.Code == now.Code && reflect.DeepEqual(a.Question, same)
		before = append(before, a)
	}
	return before, again, nil
}

// admit refuses a new question.
func (r *Resolver) admit(ctx context.Context, now warehouse.Asked, before []warehouse.Asked, kept []groundwork.ResearchQuestion) error {
	refuse := func(format string, args ...any) error {
		return groundwork.Errorf(groundwork.CodeForbidden, format, args...)
	}
	if len(kept) >= groundwork.ResearchQuestions {
		return refuse("this project has asked %d different questions within %.0f days, which is all it may: ask one of them again, or apply for an extract",
			len(kept), groundwork.ResearchMemory.Hours()/24)
	}
	cells, day := 0, r.now().Add(-24*time.Hour)
	for _, k := range kept {
		if k.AskedAt.After(day) {
			cells += k.Cells
		}
	}
	if cells >= groundwork.ResearchCells {
		return refuse("this project has got %d cells within a day, of at most %d: go on tomorrow, or ask a question again that was answered", cells, groundwork.ResearchCells)
	}
	difference, differs, err := r.measures.Nearest(ctx, now, before)
	if err != nil {
		return r.warehouseError(ctx, err)
	}
	if differs && difference < warehouse.MinDifference {
		return refuse("with an earlier answer of this project, this one would tell of fewer than %d issues: ask for larger groups, or with the filters of the earlier question",
			warehouse.MinDifference)
	}
	return nil
}
