package graph

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
	"groundwork/warehouse"
)

// measureMap asks a measure by region and adds the outlines of its regions.
func (r *Resolver) measureMap(ctx context.Context, code model.MeasureCode, in model.MapQuery) (*model.MeasureMap, error) {
	measure, ok := warehouse.MeasureByCode(string(code))
	if !ok || !slices.Contains(measure.Dimensions, warehouse.ByRegion) {
		return nil, groundwork.Invalid("measure", "%s is not of regions, so that it has no map; measureCatalog says what can be split by REGION", code)
	}
	limit, err := within("query.limit", in.Limit, maxCells)
	if err != nil {
		return nil, err
	}
	q, err := r.query(ctx, model.MeasureQuery{By: []warehouse.Dimension{warehouse.ByRegion}, Where: in.Where, AsOf: in.AsOf, Timezone: in.Timezone,
		Consistency: in.Consistency, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	q.RegionLevel, q.Where.Segments, q.Limit = string(in.RegionLevel), in.Segments, limit
	window := timeRange(in.Range)
	table, err := r.ask(ctx, string(code), warehouse.Question{Query: q, From: window.From, To: window.To})
	if err != nil {
		return nil, err
	}
	columns := in.Columns.Value()
	for _, name := range columns {
		if !slices.ContainsFunc(table.Nums, func(n warehouse.Num) bool { return n.Name == name }) {
			return nil, groundwork.Invalid("query.columns", "%s has no number %q; the catalogue lists them", code, name)
		}
	}
	var codes []string
	for _, key := range table.Dims[0].Keys {
		codes = append(codes, key.Code)
	}
	outlines, err := r.measures.Outlines(ctx, codes)
	if err != nil {
		return nil, r.warehouseError(ctx, err)
	}
	return &model.MeasureMap{Table: table, Outlines: outlines, Columns: columns}, nil
}

// regionIDs are the keys that loaders know regions by.
func regionIDs(regions []*model.Region) []uuid.UUID {
	ids := make([]uuid.UUID, len(regions))
	for i, r := range regions {
		ids[i] = r.ID
	}
	return ids
}
