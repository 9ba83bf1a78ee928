package graph

import (
	"errors"
	"math"
	"regexp"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/edge"
	"groundwork/graph/model"
)

// errorCode tells the edge which errors clients may see: those of the domain, which are made for people. All else is masked.
func errorCode(err error) (code, message string, extra map[string]any, ok bool) {
	e, ok := errors.AsType[*groundwork.Error](err)
	if !ok {
		return "", "", nil, false
	}
	if e.Field != "" {
		extra = map[string]any{"field": e.Field}
	}
	if e.Code == groundwork.CodeRateLimited {
		extra = map[string]any{edge.RetryAfter: int(math.Ceil(e.RetryAfter.Seconds()))}
	}
	return string(e.Code), named(e.Message), extra, true
}

// userErrors turns a refusal that the caller can mend into data. Any other error is returned as it is.
func userErrors(err error) ([]model.UserError, error) {
	if err == nil {
		return []model.UserError{}, nil
	}
	e, ok := errors.AsType[*groundwork.Error](err)
	if !ok {
		return nil, err
	}
	switch e.Code {
	case groundwork.CodeInvalid, groundwork.CodeNotFound, groundwork.CodeForbidden, groundwork.CodeTransition, groundwork.CodeConflict:
		shown := model.UserError{Code: e.Code, Message: named(e.Message)}
		if e.Field != "" {
			shown.Field = &e.Field
		}
		return []model.UserError{shown}, nil
	default:
		return nil, err
	}
}

// typeOf is the type in the id of a thing, by what messages call it.
var typeOf = map[string]string{
	"region": model.TypeRegion, "site": model.TypeSite, "category": model.TypeCategory, "unit": model.TypeOrgUnit, "org unit": model.TypeOrgUnit,
	"official": model.TypeOfficial, "post": model.TypePostHolding, "post holding": model.TypePostHolding, "visit": model.TypeVisit,
	"opinion": model.TypeOpinion, "issue": model.TypeIssue, "campaign": model.TypeCampaign, "task": model.TypeCampaignTask,
	"campaign task": model.TypeCampaignTask, "policy": model.TypePolicy, "policy version": model.TypePolicyVersion,
	"policy change": model.TypePolicyChange, "measure snapshot": model.TypeMeasureSnapshot, "plan": model.TypeRotaPlan,
	"rota plan": model.TypeRotaPlan, "slot": model.TypeRotaSlot, "rota slot": model.TypeRotaSlot, "training": model.TypeTraining,
	"survey wave": model.TypeSurveyWave, "discussion": model.TypeDiscussion, "discussion post": model.TypeDiscussionPost,
	"flag": model.TypeFormalismFlag, "assessment": model.TypeAssessment, "assessment cycle": model.TypeAssessmentCycle,
	"cycle": model.TypeAssessmentCycle, "target": model.TypeTarget, "broken glass": model.TypeGlass,
}

var nounAndUUID = regexp.MustCompile(`\b((?:[a-z]+ )?([a-z]+)) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b`)

// named names things in a message as callers of this API know them. The rules and the database call them "unit" or "post" and give the UUID
// of the row, which is not what an id is here.
func named(message string) string {
	return nounAndUUID.ReplaceAllStringFunc(message, func(found string) string {
		part := nounAndUUID.FindStringSubmatch(found)
		kind, ok := typeOf[part[1]]
		if !ok {
			kind, ok = typeOf[part[2]]
		}
		if !ok {
			return found
		}
		return found[:len(found)-len(part[3])] + model.ID{Type: kind, UUID: uuid.MustParse(part[3])}.String()
	})
}
