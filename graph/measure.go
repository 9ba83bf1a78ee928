package graph

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
	"groundwork/warehouse"
)

// Measures answers from the warehouse.
type Measures interface {
	// Ask answers a measure of warehouse.Registry. A question that makes no sense is a *warehouse.InputError.
	Ask(ctx context.Context, code string, q warehouse.Question) (*warehouse.Table, error)
	// Outlines returns the outlines of regions as GeoJSON, by code; regions without one are absent.
	Outlines(ctx context.Context, codes []string) (map[string]string, error)
	Watermark(ctx context.Context) (warehouse.Watermark, error)
	// TopicPulse finds what people speak of more than before.
	TopicPulse(ctx context.Context, q warehouse.TopicQuestion) (*warehouse.TopicPulse, error)
	// Behind lists at most limit issues behind a cell of a measure, by id.
	Behind(ctx context.Context, code, number string, q warehouse.Question, cell warehouse.Cell, after uuid.UUID, limit int) (*warehouse.Behind, error)
	// Nearest tells by how few issues a question differs from earlier ones.
	Nearest(ctx context.Context, now warehouse.Asked, before []warehouse.Asked) (difference uint64, ok bool, err error)
}

const (
	// consistencyWait is how long a measure waits for the write of a consistency token.
	consistencyWait = 2 * time.Second
	maxCells        = 10000
)

// measureFields are the inputs by the fields of warehouse.Query that they end up in.
var measureFields = map[string]string{
	"Number":         "query.number",
	"Where.Segments": "query.segments", "Measure": "query.measures", "Where": "query.where",
	"By": "query.by", "RegionLevel": "query.regionLevel", "AsOf": "query.asOf", "Timezone": "query.timezone", "Limit": "query.limit", "Curves": "query.curves",
	"Where.Regions": "query.where.region", "Where.Categories": "query.where.category", "Where.OriginTo": "query.where.originAt",
	"To": "query.range", "Range": "query.range", "Baseline": "query.baseline",
}

// measure asks the warehouse, if there is one.
func (r *Resolver) measure(ctx context.Context, code string, q warehouse.Question, err error) (*model.MeasureTable, error) {
	if err != nil {
		return nil, err
	}
	table, err := r.ask(ctx, code, q)
	if err != nil {
		return nil, err
	}
	return &model.MeasureTable{Table: table}, nil
}

// ask hides small numbers from whoever does not work on issues: nothing in a request can switch that off.
func (r *Resolver) ask(ctx context.Context, code string, q warehouse.Question) (*warehouse.Table, error) {
	q.Protect = !worksOnIssues(ctx)
	found := r.answer
	if groundwork.ActorFrom(ctx).Role == groundwork.RoleResearcher && r.measures != nil {
		found = r.research
	}
	table, err := found(ctx, code, q)
	if err != nil {
		return nil, err
	}
	return withNames(ctx, table)
}

// withNames gives changes of policy and campaigns the names that they have in the system of record, as far as the caller may read them: the warehouse has none.
func withNames(ctx context.Context, t *warehouse.Table) (*warehouse.Table, error) {
	named := map[warehouse.Dimension]func(context.Context, []uuid.UUID) ([]string, error){
		warehouse.ByPolicyChange: namesOf(loadersOf(ctx).changes, func(c *groundwork.PolicyChange) string { return c.Summary }),
		warehouse.ByCampaign:     namesOf(loadersOf(ctx).campaigns, func(c *groundwork.Campaign) string { return c.Topic }),
	}
	for d, dim := range t.Dims {
		names := named[dim.Dimension]
		if names == nil {
			continue
		}
		ids := make([]uuid.UUID, len(dim.Keys))
		for i, k := range dim.Keys {
			ids[i], _ = uuid.Parse(k.ID) // what is no id has no name
		}
		labels, err := names(ctx, ids)
		if err != nil {
			return nil, err
		}
		own := *t // others share the answer
		own.Dims = slices.Clone(t.Dims)
		own.Dims[d].Keys = slices.Clone(dim.Keys)
		for i, label := range labels {
			own.Dims[d].Keys[i].Label = cmp.Or(label, dim.Keys[i].Label)
		}
		t = &own
	}
	return t, nil
}

// namesOf names things by their ids; what is not there, or not for the caller, has none.
func namesOf[T any](l loader[uuid.UUID, *T], name func(*T) string) func(context.Context, []uuid.UUID) ([]string, error) {
	return func(ctx context.Context, ids []uuid.UUID) ([]string, error) {
		found, err := l.load(ctx, ids)
		names := make([]string, len(found))
		for i, thing := range found {
			if thing != nil {
				names[i] = name(thing)
			}
		}
		return names, err
	}
}

// answer asks as the question says.
func (r *Resolver) answer(ctx context.Context, code string, q warehouse.Question) (*warehouse.Table, error) {
	if r.measures == nil {
		return nil, unavailable(nil)
	}
	table, err := r.measures.Ask(ctx, code, q)
	if err != nil {
		return nil, r.warehouseError(ctx, err)
	}
	return table, nil
}

func unavailable(err error) error {
	return &groundwork.Error{Code: groundwork.CodeUnavailable, Message: "the warehouse does not answer; the rest of the API works without it, try again later", Err: err}
}

// warehouseError shows a warehouse that does not answer as what passes, and leaves its cause to the log. What else is wrong is a fault of the program: it is
// logged and masked like any other.
func (r *Resolver) warehouseError(ctx context.Context, err error) error {
	if in, ok := errors.AsType[*warehouse.InputError](err); ok {
		return groundwork.Invalid(measureFields[in.Field], "%s", in.Message)
	}
	if ctx.Err() != nil || !errors.Is(err, warehouse.ErrUnavailable) {
		return fmt.Errorf("measure: %w", err)
	}
	r.logger.LogAttrs(ctx, slog.LevelError, "warehouse does not answer", slog.Any("error", err))
	return unavailable(err)
}

// query reads what to measure.
func (r *Resolver) query(ctx context.Context, in model.MeasureQuery) (warehouse.Query, error) {
	limit, err := within("query.limit", in.Limit, maxCells)
	if err != nil {
		return warehouse.Query{}, err
	}
	q := warehouse.Query{
		By: in.By, RegionLevel: string(or(in.RegionLevel)), AsOf: in.AsOf.Value(),
		Timezone: in.Timezone, Wait: r.wait, Limit: limit,
	}
	if token := in.Consistency.Value(); token != nil {
		if q.MinLSN, err = consistencyLSN(*token); err != nil {
			return q, err
		}
	}
	q.Where, err = r.measureFilter(ctx, or(in.Where))
	return q, err
}

func (r *Resolver) measureFilter(ctx context.Context, in model.MeasureFilter) (warehouse.Filter, error) {
	f := filters{schema: r.schema}
	region := or(in.Region)
	origin := timeRange(in.OriginAt)
	out := warehouse.Filter{
		Regions: region.CodeIn.Value(), RegionUnknown: or(region.IsNull), OriginFrom: origin.From, OriginTo: origin.To,
	}
	if c := in.Category.Value(); c != nil {
		for _, id := range f.many(choice(&f, "query.where.category.in", c.In), model.TypeCategory, "query.where.category.in") {
			out.Categories = append(out.Categories, id.String())
		}
	}
	if c := in.Channel.Value(); c != nil {
		out.Channels = groundwork.Texts(choice(&f, "query.where.channel.in", c.In))
	}
	if k := in.Kind.Value(); k != nil {
		out.Kinds = groundwork.Texts(choice(&f, "query.where.kind.in", k.In))
	}
	if s := in.Severity.Value(); s != nil {
		out.Severities = groundwork.Texts(choice(&f, "query.where.severity.in", s.In))
	}
	codes, err := r.regionCodes(ctx, &f, region)
	out.Regions = append(out.Regions, codes...)
	return out, err
}

// regionCodes finds the codes of the regions that a filter names by id: the warehouse knows regions by code.
func (r *Resolver) regionCodes(ctx context.Context, f *filters, in model.MeasureRegionFilter) ([]string, error) {
	if in.CodeIn.Value() != nil {
		choice(f, "query.where.region.codeIn", in.CodeIn.Value())
	}
	if in.In.Value() == nil || f.err != nil {
		return nil, f.err
	}
	const field = "query.where.region.in"
	ids := f.many(choice(f, field, in.In.Value()), model.TypeRegion, field)
	if f.err != nil {
		return nil, f.err
	}
	found, err := r.store.RegionsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	codes := make([]string, len(ids))
	for i, id := range ids {
		region := found[id]
		if region == nil {
			return nil, groundwork.Invalid(fmt.Sprintf("%s.%d", field, i), "there is no region with id %s", model.ID{Type: model.TypeRegion, UUID: id})
		}
		codes[i] = region.Code
	}
	return codes, nil
}

func (r *Resolver) hotspotQuery(ctx context.Context, in model.MeasureQuery, from, to *time.Time) (warehouse.Question, error) {
	q, err := r.query(ctx, in)
	if from != nil && to != nil && !to.After(*from) {
		return warehouse.Question{}, groundwork.Invalid("to", "%s is not after from; give a later time", to.Format(time.RFC3339))
	}
	return warehouse.Question{Query: q, From: from, To: to}, err
}

func (r *Resolver) watermark(ctx context.Context) (*model.Watermark, error) {
	if r.measures == nil {
		return nil, unavailable(nil)
	}
	w, err := r.measures.Watermark(ctx)
	if err != nil {
		return nil, r.warehouseError(ctx, err)
	}
	return model.NewWatermark(w), nil
}
