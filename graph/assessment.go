package graph

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
	"groundwork/warehouse"
)

func asFlag(f *groundwork.FormalismFlag) *model.FormalismFlag { return (*model.FormalismFlag)(f) }
func asCycle(c *groundwork.AssessmentCycle) *model.AssessmentCycle {
	return (*model.AssessmentCycle)(c)
}
func asAssessment(a *groundwork.Assessment) *model.Assessment { return (*model.Assessment)(a) }

func idOfAssessment(a *model.Assessment) uuid.UUID { return a.ID }

// stepFlag moves a flag along its life.
func (r *Resolver) stepFlag(ctx context.Context, id model.ID, in deedInput, kind string) (*model.FlagPayload, error) {
	var ids refs
	s := groundwork.FlagStep{FlagID: ids.one(id, model.TypeFormalismFlag, "flagId"), Kind: kind}
	made, done, err := write(ctx, ids, in.clientMutationID, func(by groundwork.Actor) (*groundwork.FormalismFlag, groundwork.Receipt, error) {
		s.Deed = in.deed(by)
		return r.store.StepFlag(ctx, s)
	})
	return flagPayload(made, done, in, err)
}

func flagPayload(made *groundwork.FormalismFlag, done written, in deedInput, err error) (*model.FlagPayload, error) {
	if err != nil {
		return nil, err
	}
	return &model.FlagPayload{FormalismFlag: asFlag(made), UserErrors: done.userErrors, Consistency: done.consistency,
		ClientMutationID: in.clientMutationID.Value()}, nil
}

// stepAssessment moves an assessment along its life.
func (r *Resolver) stepAssessment(ctx context.Context, id model.ID, in deedInput, kind string) (*model.AssessmentPayload, error) {
	var ids refs
	s := groundwork.AssessmentStep{AssessmentID: ids.one(id, model.TypeAssessment, "assessmentId"), Kind: kind}
	made, done, err := write(ctx, ids, in.clientMutationID, func(by groundwork.Actor) (*groundwork.Assessment, groundwork.Receipt, error) {
		s.Deed = in.deed(by)
		return r.store.StepAssessment(ctx, s)
	})
	return assessmentPayload(made, done, in, err)
}

func assessmentPayload(made *groundwork.Assessment, done written, in deedInput, err error) (*model.AssessmentPayload, error) {
	if err != nil {
		return nil, err
	}
	return &model.AssessmentPayload{Assessment: asAssessment(made), UserErrors: done.userErrors, Consistency: done.consistency,
		ClientMutationID: in.clientMutationID.Value()}, nil
}

// forSubjects asks that each measure can be asked for units or posts.
func forSubjects(codes []model.MeasureCode) error {
	for _, code := range codes {
		measure, ok := warehouse.MeasureByCode(string(code))
		if !ok || len(measure.Subjects()) == 0 {
			return groundwork.Invalid("measures", "%s compares places: it cannot be asked for a unit or a post", code)
		}
	}
	return nil
}

// freeze asks the measures of the cycle about the subject, and freezes the assessment on what they say.
func (r *Resolver) freeze(ctx context.Context, input model.FreezeAssessmentInput) (*model.AssessmentPayload, error) {
	in := deedInput{clientMutationID: input.ClientMutationID, expectedVersion: input.ExpectedVersion}
	var ids refs
	s := groundwork.AssessmentStep{AssessmentID: ids.one(input.AssessmentID, model.TypeAssessment, "assessmentId"), Kind: groundwork.AssessmentStepFrozen}
	asked, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	s.Asked = string(asked)
	made, done, err := write(ctx, ids, in.clientMutationID, func(by groundwork.Actor) (*groundwork.Assessment, groundwork.Receipt, error) {
		s.Deed = in.deed(by)
		if s.Snapshots, err = r.grounds(ctx, by, s.AssessmentID, input); err != nil {
			return nil, groundwork.Receipt{}, err
		}
		return r.store.StepAssessment(ctx, s)
	})
	return assessmentPayload(made, done, in, err)
}

// grounds are the figures of the subject by the measures of the cycle that can be asked for it, each by the version of its definition that the cycle was opened under. What stands elsewhere than OPEN, or does not
// exist, has none: the step refuses it.
func (r *Resolver) grounds(ctx context.Context, by groundwork.Actor, id uuid.UUID, in model.FreezeAssessmentInput) ([]groundwork.SnapshotRequest, error) {
	found, err := r.store.AssessmentsByID(ctx, []uuid.UUID{id})
	a := found[id]
	if err != nil || a == nil || !a.SeenBy(by) || a.State != groundwork.AssessmentOpen {
		return nil, err
	}
	cycles, err := r.store.AssessmentCyclesByID(ctx, []uuid.UUID{a.CycleID})
	if err != nil {
		return nil, err
	}
	cycle := cycles[a.CycleID]
	meant, err := r.store.MeasureDefinitionsByID(ctx, cycle.DefinitionIDs)
	if err != nil {
		return nil, err
	}
	subject, kind := groundwork.Subject{SubjectUnitID: a.SubjectUnitID}, warehouse.ByUnit
	if a.SubjectPostID != nil {
		subject, kind = groundwork.Subject{SubjectPostID: a.SubjectPostID}, warehouse.ByPost
	}
	var requests []groundwork.SnapshotRequest
	q := warehouse.Question{Query: warehouse.Query{Timezone: warehouse.DefaultTimezone, Limit: maxCells, Wait: r.wait, AsOf: in.AsOf.Value()}}
	if token := in.Consistency.Value(); token != nil {
		if q.MinLSN, err = consistencyLSN(*token); err != nil {
			return nil, unprefixed(err)
		}
	}
	for _, definition := range cycle.DefinitionIDs {
		code := meant[definition].Code
		measure, ok := warehouse.MeasureByCode(code)
		if !ok || !slices.Contains(measure.Subjects(), kind) {
			continue
		}
		if q.AsOf == nil { // the same moment for all
			if q.AsOf, err = r.settledMoment(ctx, code, q); err != nil {
				return nil, err
			}
		}
		ask := q
		if measure.Anchor != "STOCK" {
			ask.From, ask.To = new(beginsInChina(cycle.PeriodFrom)), new(beginsInChina(cycle.PeriodTo))
		}
		request, err := r.ofSubject(ctx, by, code, ask, subject, meant[definition])
		if err != nil {
			return nil, unprefixed(err)
		}
		requests = append(requests, request)
	}
	return requests, nil
}

// beginsInChina is when a day begins there.
func beginsInChina(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, groundwork.China)
}

func (f *filters) flags(in *model.FormalismFlagFilter, by groundwork.Actor) groundwork.FlagFilter {
	if in == nil {
		in = &model.FormalismFlagFilter{}
	}
	out := groundwork.FlagFilter{SubjectFilter: f.subjects(in.Unit.Value(), in.Post.Value(), by), Period: groundwork.TimeRange{From: in.From.Value(), To: in.To.Value()}}
	if kinds := in.Kinds.Value(); kinds != nil {
		out.Kinds = choice(f, "filter.kinds", kinds)
	}
	if states := in.States.Value(); states != nil {
		out.States = choice(f, "filter.states", states)
	}
	return out
}

func (f *filters) assessments(in *model.AssessmentFilter, by groundwork.Actor) groundwork.AssessmentFilter {
	if in == nil {
		in = &model.AssessmentFilter{}
	}
	out := groundwork.AssessmentFilter{SubjectFilter: f.subjects(in.Unit.Value(), in.Post.Value(), by)}
	if id := f.opt(in.Cycle, model.TypeAssessmentCycle, "filter.cycle"); id != nil {
		out.CycleIDs = []uuid.UUID{*id}
	}
	if states := in.States.Value(); states != nil {
		out.States = choice(f, "filter.states", states)
	}
	return out
}
