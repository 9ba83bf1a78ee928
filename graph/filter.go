package graph

import (
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"groundwork"
	"groundwork/graph/model"
)

const (
	maxChoices = 100 // values of one operator, filters combined in one list
	maxNesting = 3   // levels of and, or and not
)

// filters reads filter inputs and remembers the first fault. Enum values and scalars were checked by the schema already.
type filters struct {
	refs
	schema *ast.Schema
}

func (f *filters) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// choice bounds the values of an operator: too many are refused, and none too, as a list without values would not narrow.
func choice[T any](f *filters, field string, values []T) []T {
	switch {
	case len(values) == 0:
		f.fail(groundwork.Invalid(field, "%s has no values; give at least one, or leave it out", field))
	case len(values) > maxChoices:
		f.fail(groundwork.Invalid(field, "%s has %d values; give at most %d", field, len(values), maxChoices))
	}
	return values
}

// enum reads in and notIn as the values that are left.
func enum[T ~string](f *filters, field, name string, in, notIn graphql.Omittable[[]T]) []T {
	var left []T
	if in.Value() == nil && notIn.Value() == nil {
		return nil
	}
	if in.Value() != nil {
		left = choice(f, field+".in", in.Value())
	} else {
		for _, v := range f.schema.Types[name].EnumValues {
			left = append(left, T(v.Name))
		}
	}
	left = slices.DeleteFunc(slices.Clone(left), func(v T) bool { return slices.Contains(notIn.Value(), v) })
	if len(left) == 0 {
		f.fail(groundwork.Invalid(field, "%s leaves no value; in and notIn exclude each other", field))
	}
	return left
}

func timeRange(o graphql.Omittable[*model.DateTimeFilter]) groundwork.TimeRange {
	r := or(o)
	return groundwork.TimeRange{From: r.Gte.Value(), To: r.Lt.Value()}
}

func (f *filters) regions(in *model.RegionFilter) groundwork.RegionFilter {
	if in == nil {
		return groundwork.RegionFilter{}
	}
	out := groundwork.RegionFilter{
		ParentID: f.opt(in.Parent, model.TypeRegion, "filter.parent"),
		Under:    f.opt(in.Under, model.TypeRegion, "filter.under"),
		Name:     or(in.Name).Contains,
	}
	if l := in.Level.Value(); l != nil {
		out.Levels = choice(f, "filter.level.in", l.In)
	}
	return out
}

func (f *filters) sites(in *model.SiteFilter) groundwork.SiteFilter {
	if in == nil {
		return groundwork.SiteFilter{}
	}
	out := groundwork.SiteFilter{Under: f.opt(in.Under, model.TypeRegion, "filter.under"), Name: or(in.Name).Contains}
	if k := in.Kind.Value(); k != nil {
		out.Kinds = choice(f, "filter.kind.in", k.In)
	}
	return out
}

func (f *filters) categories(in *model.CategoryFilter) groundwork.CategoryFilter {
	if in == nil {
		return groundwork.CategoryFilter{}
	}
	return groundwork.CategoryFilter{
		ParentID: f.opt(in.Parent, model.TypeCategory, "filter.parent"),
		RootOnly: or(in.RootOnly), Code: or(in.Code), ValidOn: in.ValidOn.Value(),
	}
}

func (f *filters) orgUnits(in *model.OrgUnitFilter) groundwork.OrgUnitFilter {
	if in == nil {
		return groundwork.OrgUnitFilter{}
	}
	out := groundwork.OrgUnitFilter{Under: f.opt(in.Under, model.TypeRegion, "filter.under"), Name: or(in.Name).Contains}
	if k := in.Kind.Value(); k != nil {
		out.Kinds = choice(f, "filter.kind.in", k.In)
	}
	return out
}

func (f *filters) visits(in *model.VisitFilter) groundwork.VisitFilter {
	if in == nil {
		return groundwork.VisitFilter{}
	}
	out := groundwork.VisitFilter{
		Under: f.opt(in.Under, model.TypeRegion, "filter.under"), Started: timeRange(in.StartedAt),
	}
	if s := in.Site.Value(); s != nil {
		out.SiteIDs = f.many(choice(f, "filter.site.in", s.In), model.TypeSite, "filter.site.in")
	}
	if k := in.ActivityKind.Value(); k != nil {
		out.ActivityKinds = choice(f, "filter.activityKind.in", k.In)
	}
	if s := in.State.Value(); s != nil {
		out.States = choice(f, "filter.state.in", s.In)
	}
	return out
}

func (f *filters) opinions(in *model.OpinionFilter) groundwork.OpinionFilter {
	if in == nil {
		return groundwork.OpinionFilter{}
	}
	region := or(in.Region)
	out := groundwork.OpinionFilter{
		Under: f.opt(region.Under, model.TypeRegion, "filter.region.under"), RegionUnknown: or(region.IsNull),
		VisitID: f.opt(in.Visit, model.TypeVisit, "filter.visit"), Received: timeRange(in.ReceivedAt), Text: or(in.Text).Contains, Linked: in.Linked.Value(),
	}
	if c := in.Channel.Value(); c != nil {
		out.Channels = choice(f, "filter.channel.in", c.In)
	}
	if k := in.Kind.Value(); k != nil {
		out.Kinds = choice(f, "filter.kind.in", k.In)
	}
	if s := in.Source.Value(); s != nil {
		out.Sources = choice(f, "filter.source.in", s.In)
	}
	return out
}

// issues reads a filter of issues, at a level of nesting.
func (f *filters) issues(in *model.IssueFilter, field string, level int) groundwork.IssueFilter {
	if in == nil {
		return groundwork.IssueFilter{}
	}
	if level > maxNesting {
		f.fail(groundwork.Invalid(field, "and, or and not are nested more than %d deep; flatten the filter", maxNesting))
		return groundwork.IssueFilter{}
	}
	state, closure, severity, difficulty := or(in.State), or(in.ClosureType), or(in.Severity), or(in.Difficulty)
	kind, channel, category, region := or(in.Kind), or(in.Channel), or(in.Category), or(in.Region)
	out := groundwork.IssueFilter{
		States:          enum(f, field+".state", "IssueState", state.In, state.NotIn),
		ClosureTypes:    enum(f, field+".closureType", "Closure", closure.In, closure.NotIn),
		Severities:      enum(f, field+".severity", "Severity", severity.In, severity.NotIn),
		Difficulties:    enum(f, field+".difficulty", "Difficulty", difficulty.In, difficulty.NotIn),
		Kinds:           enum(f, field+".kind", "OpinionKind", kind.In, kind.NotIn),
		Channels:        enum(f, field+".channel", "Channel", channel.In, channel.NotIn),
		CategoryUnknown: category.IsNull.Value(),
		Under:           f.opt(region.Under, model.TypeRegion, field+".region.under"),
		RegionUnknown:   region.IsNull.Value(),
		Open:            in.Open.Value(), Overdue: in.Overdue.Value(), Text: or(in.Text).Contains,
		Origin: timeRange(in.OriginAt), Claimed: timeRange(in.ClaimedAt), Closed: timeRange(in.ClosedAt), Due: timeRange(in.DueAt),
		And: f.all(in.And, field+".and", level), Or: f.all(in.Or, field+".or", level),
	}
	f.issueIDs(in, &out, field)
	if not := in.Not.Value(); not != nil {
		negated := f.issues(not, field+".not", level+1)
		out.Not = &negated
	}
	return out
}

func (f *filters) issueIDs(in *model.IssueFilter, out *groundwork.IssueFilter, field string) {
	read := func(ids []model.ID, kind, field string) []uuid.UUID {
		return f.many(choice(f, field, ids), kind, field)
	}
	if i := in.ID.Value(); i != nil {
		out.IDs = read(i.In, model.TypeIssue, field+".id.in")
	}
	if c := in.Category.Value(); c != nil && c.In.Value() != nil {
		out.CategoryIDs = read(c.In.Value(), model.TypeCategory, field+".category.in")
	}
	if u := in.LeadUnit.Value(); u != nil {
		out.LeadUnitIDs = read(u.In, model.TypeOrgUnit, field+".leadUnit.in")
	}
}

func (f *filters) all(in graphql.Omittable[[]model.IssueFilter], field string, level int) []groundwork.IssueFilter {
	if in.Value() == nil {
		return nil
	}
	var out []groundwork.IssueFilter
	for _, one := range choice(f, field, in.Value()) {
		out = append(out, f.issues(&one, field, level+1))
	}
	return out
}
