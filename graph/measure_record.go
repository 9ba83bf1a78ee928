package graph

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
	"groundwork/warehouse"
)

func asDefinition(d *groundwork.MeasureDefinition) *model.MeasureDefinitionVersion {
	return (*model.MeasureDefinitionVersion)(d)
}
func asSnapshot(s *groundwork.MeasureSnapshot) *model.MeasureSnapshot {
	return (*model.MeasureSnapshot)(s)
}

// definitionFields is what is kept of the definition of a measure: all that docs/measures.md shows.
type definitionFields struct {
	Code        string                `json:"code"`
	Version     string                `json:"version"`
	Name        string                `json:"name"`
	ChineseName string                `json:"chineseName"`
	Meaning     string                `json:"meaning"`
	Numerator   string                `json:"numerator"`
	Denominator string                `json:"denominator"`
	Anchor      string                `json:"anchor"`
	Censoring   string                `json:"censoring"`
	Interval    string                `json:"interval"`
	Source      string                `json:"source"`
	Method      string                `json:"method"`
	Caveats     []string              `json:"caveats"`
	Dimensions  []warehouse.Dimension `json:"dimensions"`
	Subjects    []warehouse.Dimension `json:"subjects,omitempty"`
	Columns     []definitionColumn    `json:"columns"`
	Headline    string                `json:"headline"`
	Curves      []definitionColumn    `json:"curves,omitempty"`
	Weights     map[string]float64    `json:"weights,omitempty"`
}

type definitionColumn struct {
	Name    string `json:"name"`
	Unit    string `json:"unit"`
	English string `json:"english"`
	Chinese string `json:"chinese"`
}

// MeasureDefinitions are the definitions of the registry as the system of record keeps them.
func MeasureDefinitions() ([]groundwork.MeasureDefinition, error) {
	var all []groundwork.MeasureDefinition
	for _, m := range warehouse.Registry() {
		d, err := measureDefinition(m)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

func measureDefinition(m warehouse.Measure) (groundwork.MeasureDefinition, error) {
	f := definitionFields{m.Code, m.Version, m.Name, m.ChineseName, m.Meaning, m.Numerator, m.Denominator, m.Anchor, m.Censoring, m.Interval, m.Source, m.Method,
		m.Caveats, m.Dimensions, m.Subjects(), nil, m.Headline, nil, m.Weights}
	for _, c := range m.Columns {
		f.Columns = append(f.Columns, definitionColumn{c.Name, c.Unit, c.English, c.Chinese})
	}
	for _, c := range m.Curves {
		f.Curves = append(f.Curves, definitionColumn{c.Name, c.Unit, c.English, c.Chinese})
	}
	return groundwork.NewMeasureDefinition(m.Code, m.Version, f)
}

// question is what a snapshot says was asked. Its JSON is kept and part of what the hash is of, so what it has now stays as it is.
type question struct {
	Measure       string                `json:"measure"`
	By            []warehouse.Dimension `json:"by,omitempty"`
	RegionLevel   string                `json:"regionLevel,omitempty"`
	Regions       []string              `json:"regions,omitempty"`
	RegionUnknown bool                  `json:"regionUnknown,omitempty"`
	Categories    []string              `json:"categories,omitempty"`
	Channels      []string              `json:"channels,omitempty"`
	Kinds         []string              `json:"kinds,omitempty"`
	Severities    []string              `json:"severities,omitempty"`
	Segments      []warehouse.Segment   `json:"segments,omitempty"`
	Units         []string              `json:"units,omitempty"`
	Posts         []string              `json:"posts,omitempty"`
	OriginFrom    *time.Time            `json:"originFrom,omitempty"`
	OriginTo      *time.Time            `json:"originTo,omitempty"`
	From          *time.Time            `json:"from,omitempty"`
	To            *time.Time            `json:"to,omitempty"`
	AsOf          time.Time             `json:"asOf"`
	Timezone      string                `json:"timezone"`
	Limit         int                   `json:"limit"`
	Protect       bool                  `json:"protect"`
}

func newQuestion(code string, q warehouse.Question) question {
	w := q.Where
	return question{code, q.By, q.RegionLevel, w.Regions, w.RegionUnknown, w.Categories, w.Channels, w.Kinds, w.Severities, w.Segments, w.Units, w.Posts,
		w.OriginFrom, w.OriginTo, q.From, q.To, q.AsOf.UTC(), q.Timezone, q.Limit, q.Protect}
}

// again is the question as it was asked.
func (q question) again() warehouse.Question {
	return warehouse.Question{From: q.From, To: q.To, Reviewer: len(q.Units)+len(q.Posts) > 0, Query: warehouse.Query{
		By: q.By, RegionLevel: q.RegionLevel, AsOf: &q.AsOf, Timezone: q.Timezone, Limit: q.Limit, Protect: q.Protect,
		Where: warehouse.Filter{Regions: q.Regions, RegionUnknown: q.RegionUnknown, Categories: q.Categories, Channels: q.Channels, Kinds: q.Kinds,
			Severities: q.Severities, OriginFrom: q.OriginFrom, OriginTo: q.OriginTo, Segments: q.Segments, Units: q.Units, Posts: q.Posts},
	}}
}

// settled is how long ago a moment must be for nothing that knew of it to be under way any more: requests end before.
const settled = 10 * time.Second

// takeSnapshot asks a measure and keeps the answer.
func (r *Resolver) takeSnapshot(ctx context.Context, in model.TakeSnapshotInput) (*model.TakeSnapshotPayload, error) {
	asked, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	made, done, err := write(ctx, refs{}, in.ClientMutationID, func(by groundwork.Actor) (*groundwork.MeasureSnapshot, groundwork.Receipt, error) {
		request, err := r.snapshotRequest(ctx, by, in)
		if err != nil {
			return nil, groundwork.Receipt{}, unprefixed(err)
		}
		request.Asked = string(asked)
		return r.store.TakeSnapshot(ctx, request)
	})
	if err != nil {
		return nil, err
	}
	return &model.TakeSnapshotPayload{MeasureSnapshot: asSnapshot(made), UserErrors: done.userErrors, Consistency: done.consistency,
		ClientMutationID: in.ClientMutationID.Value()}, nil
}

// unprefixed names the fields of an error as the input of a snapshot has them.
func unprefixed(err error) error {
	e, ok := errors.AsType[*groundwork.Error](err)
	if !ok {
		return err
	}
	named := *e
	named.Field = strings.TrimPrefix(e.Field, "query.")
	return &named
}

func (r *Resolver) snapshotRequest(ctx context.Context, by groundwork.Actor, in model.TakeSnapshotInput) (none groundwork.SnapshotRequest, err error) {
	limit, err := within("limit", in.Limit, maxCells)
	if err != nil {
		return none, err
	}
	q, err := r.question(ctx, model.MeasuresQuery{By: in.By, Grain: in.Grain, Range: in.Range, RegionLevel: in.RegionLevel, Where: in.Where,
		Segments: in.Segments.Value(), Timezone: in.Timezone, Consistency: in.Consistency, Limit: in.Limit})
	if err != nil {
		return none, err
	}
	q.Limit, q.Protect = limit, in.Publish || !worksOnIssues(ctx)
	var subject groundwork.Subject
	if given := in.Subject.Value(); given != nil {
		if subject, err = r.visibleSubject(ctx, by, *given); err != nil {
			return none, err
		}
	}
	if q.AsOf = in.AsOf.Value(); q.AsOf == nil {
		if q.AsOf, err = r.settledMoment(ctx, string(in.Measure), q); err != nil {
			return none, err
		}
	}
	return r.ofSubject(ctx, by, string(in.Measure), q, subject, nil)
}

// visibleSubject reads a subject that the actor may see.
func (r *Resolver) visibleSubject(ctx context.Context, by groundwork.Actor, in model.SubjectInput) (groundwork.Subject, error) {
	var ids refs
	s := ids.subject(in, "subject")
	if ids.err != nil {
		return s, ids.err
	}
	if err := s.Validate(); err != nil {
		return s, err
	}
	seen := s
	if s.SubjectPostID != nil {
		posts, err := r.store.PostHoldingsByID(ctx, []uuid.UUID{*s.SubjectPostID})
		if err != nil {
			return s, err
		}
		if post := posts[*s.SubjectPostID]; post != nil {
			seen.SubjectOfficialID = &post.OfficialID
		}
	}
	if !seen.SeenBy(by) {
		return s, groundwork.Errorf(groundwork.CodeForbidden, "figures of a unit or post are for the subject, assessors and supervisors")
	}
	return s, nil
}

func (ids *refs) subject(in model.SubjectInput, field string) groundwork.Subject {
	return groundwork.Subject{SubjectUnitID: ids.opt(in.UnitID, model.TypeOrgUnit, field+".unitId"), SubjectPostID: ids.opt(in.PostID, model.TypePostHolding, field+".postId")}
}

// settledMoment is the latest of which all is known that will be. Whoever names a write wants to see it, and waits for it.
func (r *Resolver) settledMoment(ctx context.Context, code string, q warehouse.Question) (*time.Time, error) {
	if r.measures == nil {
		return nil, unavailable(nil)
	}
	margin := settled
	watermark, err := r.measures.Watermark(ctx)
	if err != nil {
		return nil, r.warehouseError(ctx, err)
	}
	if q.MinLSN > 0 {
		table, err := r.answer(ctx, code, q)
		if err != nil {
			return nil, err
		}
		if !table.Fresh {
			return nil, unavailable(nil)
		}
		watermark, margin = table.Watermark, 0
	}
	return new(groundwork.Moment(r.knownUntil(watermark).Add(-margin))), nil
}

// knownUntil is the latest moment that the warehouse tells of: it lags behind, and knows nothing of what lies after its watermark.
func (r *Resolver) knownUntil(w warehouse.Watermark) time.Time {
	if now := r.now(); now.Before(w.CommittedAt) {
		return now
	}
	return w.CommittedAt
}

// ofSubject asks a measure, of a subject if there is one, and makes a snapshot of the answer: by a version of its definition that is on record, nil = by what the program means.
func (r *Resolver) ofSubject(ctx context.Context, by groundwork.Actor, code string, q warehouse.Question, subject groundwork.Subject, meant *groundwork.MeasureDefinition) (none groundwork.SnapshotRequest, err error) {
	q.AsOf, q.MinLSN, q.Wait = new(groundwork.Moment(*q.AsOf)), 0, 0
	switch {
	case subject.SubjectPostID != nil:
		q.Reviewer, q.Where.Posts = true, []string{subject.SubjectPostID.String()}
	case subject.SubjectUnitID != nil:
		q.Reviewer, q.Where.Units = true, []string{subject.SubjectUnitID.String()}
	}
	measure, ok := warehouse.MeasureByCode(code)
	if !ok {
		return none, groundwork.Invalid("measure", "%q is no measure; the catalogue lists them", code)
	}
	if meant == nil {
		now, err := measureDefinition(measure)
		if err != nil {
			return none, err
		}
		meant = &now
	}
	q.Version = meant.DefinitionVersion
	table, err := r.answer(ctx, code, q)
	if err != nil {
		return none, err
	}
	if table.Truncated {
		return none, groundwork.Invalid("limit", "the answer has more than %d rows, and a snapshot is whole; split by less, or narrow the filter", q.Limit)
	}
	s := groundwork.MeasureSnapshot{Measure: code, Subject: subject, WindowFrom: q.From, WindowTo: q.To, AsOf: *q.AsOf, RowCount: len(table.N), Protected: q.Protect}
	asked, err := json.Marshal(newQuestion(code, q))
	if err != nil {
		return none, err
	}
	s.Question = string(asked)
	if s.Cells, err = table.Canonical(); err != nil {
		return none, err
	}
	s.Seal()
	return groundwork.SnapshotRequest{Actor: by, Snapshot: s, Version: *meant}, nil
}

// verify asks the measure of a snapshot again.
func (r *Resolver) verify(ctx context.Context, id model.ID) (*model.SnapshotVerification, error) {
	s, err := byID(ctx, loadersOf(ctx).snapshots, id, model.TypeMeasureSnapshot, asSnapshot)
	if err != nil || s == nil {
		return nil, err
	}
	meant, err := loadersOf(ctx).definitions.load(ctx, []uuid.UUID{s.MeasureDefinitionID})
	if err != nil {
		return nil, err
	}
	v := &model.SnapshotVerification{Outcome: model.SnapshotOutcomeDefinitionChanged, Sha256: s.SHA256}
	measure, known := warehouse.MeasureByCode(s.Measure)
	if !known || !measure.Computes(meant[0].DefinitionVersion) {
		return v, nil
	}
	var asked question
	if err := json.Unmarshal([]byte(s.Question), &asked); err != nil {
		return nil, err
	}
	q := asked.again()
	q.Version = meant[0].DefinitionVersion
	table, err := r.answer(ctx, s.Measure, q)
	if err != nil {
		return nil, err
	}
	found := groundwork.MeasureSnapshot(*s)
	if found.Cells, err = table.Canonical(); err != nil {
		return nil, err
	}
	found.Seal()
	v.RecomputedSha256, v.Outcome = &found.SHA256, model.SnapshotOutcomeDifferent
	if found.SHA256 == s.SHA256 {
		v.Outcome = model.SnapshotOutcomeSame
	}
	return v, nil
}

func (f *filters) subjects(unit, post *model.ID, by groundwork.Actor) groundwork.SubjectFilter {
	out := groundwork.SubjectFilter{SeenBy: &by}
	if id := f.maybe(unit, model.TypeOrgUnit, "filter.unit"); id != nil {
		out.UnitIDs = []uuid.UUID{*id}
	}
	if id := f.maybe(post, model.TypePostHolding, "filter.post"); id != nil {
		out.PostIDs = []uuid.UUID{*id}
	}
	return out
}

func (f *filters) snapshots(in *model.MeasureSnapshotFilter, by groundwork.Actor) groundwork.SnapshotFilter {
	if in == nil {
		in = &model.MeasureSnapshotFilter{}
	}
	out := groundwork.SnapshotFilter{SubjectFilter: f.subjects(in.Unit.Value(), in.Post.Value(), by), Taken: timeRange(in.TakenAt)}
	if codes := in.Measures.Value(); codes != nil {
		out.Measures = groundwork.Texts(choice(f, "filter.measures", codes))
	}
	return out
}
