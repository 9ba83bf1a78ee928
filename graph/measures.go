package graph

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"groundwork"
	"groundwork/graph/model"
	"groundwork/warehouse"
)

const maxMeasures = 6 // in one question

// catalog lists the measures asked for, or all.
func catalog(codes []model.MeasureCode) []model.MeasureDefinition {
	all := []model.MeasureDefinition{}
	for _, m := range warehouse.Registry() {
		if len(codes) == 0 || slices.Contains(codes, model.MeasureCode(m.Code)) {
			all = append(all, model.MeasureDefinition{Measure: m})
		}
	}
	return all
}

// askAll answers several measures side by side and joins them by the values of their dimensions.
func (r *Resolver) askAll(ctx context.Context, in model.MeasuresQuery) (*model.MeasuresAnswer, error) {
	if n := len(in.Measures); n == 0 || n > maxMeasures {
		return nil, groundwork.Invalid("query.measures", "%d measures are asked for; give 1 to %d", n, maxMeasures)
	}
	if in.Grain.Value() != nil && in.CompareTo.Value() != nil {
		return nil, groundwork.Invalid("query.compareTo", "ranges are compared as wholes; leave out grain, or ask twice")
	}
	q, err := r.question(ctx, in)
	if err != nil {
		return nil, err
	}
	answer := &model.MeasuresAnswer{}
	if answer.Tables, err = r.askEach(ctx, in.Measures, q); err != nil {
		return nil, err
	}
	if earlier := in.CompareTo.Value(); earlier != nil {
		q.From, q.To = earlier.Gte.Value(), earlier.Lt.Value()
		if answer.Previous, err = r.askEach(ctx, in.Measures, q); err != nil {
			return nil, err
		}
	}
	join(answer)
	if order := in.OrderBy.Value(); order != nil {
		if err := sortRows(answer, *order); err != nil {
			return nil, err
		}
	}
	cut(answer, int(in.Limit))
	return answer, nil
}

func (r *Resolver) question(ctx context.Context, in model.MeasuresQuery) (warehouse.Question, error) {
	q, err := r.query(ctx, model.MeasureQuery{By: in.By, RegionLevel: in.RegionLevel, Where: in.Where, AsOf: in.AsOf, Timezone: in.Timezone,
		Consistency: in.Consistency, Limit: in.Limit})
	if err != nil {
		return warehouse.Question{}, err
	}
	if grain := in.Grain.Value(); grain != nil {
		q.By = append(slices.Clone(q.By), warehouse.Dimension(*grain))
	}
	q.Where.Segments, q.Curves = in.Segments, in.Curves
	q.Limit = maxCells // rows are cut when they are joined and in order
	window := timeRange(in.Range)
	return warehouse.Question{Query: q, From: window.From, To: window.To}, nil
}

func (r *Resolver) askEach(ctx context.Context, codes []model.MeasureCode, q warehouse.Question) ([]*warehouse.Table, error) {
	tables := make([]*warehouse.Table, len(codes))
	group, ctx := errgroup.WithContext(ctx)
	for i, code := range codes {
		group.Go(func() error {
			return warehouse.Guarded(func() (err error) {
				tables[i], err = r.ask(ctx, string(code), q)
				return err
			})
		})
	}
	return tables, group.Wait()
}

// join gives all tables the same rows: those of the first, then those that only others have.
func join(a *model.MeasuresAnswer) {
	var keys []string
	at := make([]map[string]int, 0, len(a.Tables)+len(a.Previous))
	seen := map[string]bool{}
	for _, t := range slices.Concat(a.Tables, a.Previous) {
		index := map[string]int{}
		for row := range t.N {
			key := rowKey(t, row)
			index[key] = row
			if !seen[key] {
				seen[key], keys = true, append(keys, key)
			}
		}
		at = append(at, index)
	}
	dims := joinedDims(slices.Concat(a.Tables, a.Previous), at, keys)
	pick := func(t *warehouse.Table, index map[string]int) *warehouse.Table {
		rows := make([]int, len(keys))
		for i, key := range keys {
			row, has := index[key]
			if !has {
				row = -1
			}
			rows[i] = row
		}
		picked := t.Pick(rows)
		picked.Dims = dims
		return picked
	}
	for i, t := range a.Tables {
		a.Cut = a.Cut || t.Truncated
		a.Tables[i] = pick(t, at[i])
	}
	for i, t := range a.Previous {
		a.Previous[i] = pick(t, at[len(a.Tables)+i])
	}
}

func joinedDims(tables []*warehouse.Table, at []map[string]int, keys []string) []warehouse.Dim {
	dims := make([]warehouse.Dim, len(tables[0].Dims))
	for d := range dims {
		dims[d].Dimension = tables[0].Dims[d].Dimension
	}
	for _, key := range keys {
		for i, index := range at {
			if row, has := index[key]; has {
				for d := range dims {
					dims[d].Keys = append(dims[d].Keys, tables[i].Dims[d].Keys[row])
				}
				break
			}
		}
	}
	return dims
}

func rowKey(t *warehouse.Table, row int) string {
	parts := make([]string, len(t.Dims))
	for d, dim := range t.Dims {
		parts[d] = dim.Keys[row].ID
	}
	return strings.Join(parts, "\x00")
}

// sortRows orders by a number; what is unknown comes last, and equals stay in the order of their codes.
func sortRows(a *model.MeasuresAnswer, by model.MeasureOrder) error {
	at := slices.IndexFunc(a.Tables, func(t *warehouse.Table) bool { return t.Measure == string(by.Measure) })
	if at < 0 {
		return groundwork.Invalid("query.orderBy.measure", "%s is not among the measures that are asked for; add it", by.Measure)
	}
	measure, _ := warehouse.MeasureByCode(string(by.Measure))
	name := measure.Headline
	if column := by.Column.Value(); column != nil {
		name = *column
	}
	n := slices.IndexFunc(a.Tables[at].Nums, func(n warehouse.Num) bool { return n.Name == name })
	if n < 0 {
		return groundwork.Invalid("query.orderBy.column", "%s has no number %q; the catalogue lists them", by.Measure, name)
	}
	values := a.Tables[at].Nums[n].Value
	rows := make([]int, len(values))
	for i := range rows {
		rows[i] = i
	}
	slices.SortStableFunc(rows, func(i, j int) int {
		x, y := values[i], values[j]
		switch {
		case x == nil || y == nil:
			return cmp.Compare(b2i(x == nil), b2i(y == nil))
		case by.Direction == model.SortDirectionDesc:
			return cmp.Compare(*y, *x)
		default:
			return cmp.Compare(*x, *y)
		}
	})
	pickAll(a, rows)
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func cut(a *model.MeasuresAnswer, limit int) {
	if a.RowCount() <= limit {
		return
	}
	rows := make([]int, limit)
	for i := range rows {
		rows[i] = i
	}
	pickAll(a, rows)
	a.Cut = true
}

func pickAll(a *model.MeasuresAnswer, rows []int) {
	for i := range a.Tables {
		a.Tables[i] = a.Tables[i].Pick(rows)
	}
	for i := range a.Previous {
		a.Previous[i] = a.Previous[i].Pick(rows)
	}
}
