package graph

import (
	"errors"
	"math"

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
	return string(e.Code), e.Message, extra, true
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
		shown := model.UserError{Code: e.Code, Message: e.Message}
		if e.Field != "" {
			shown.Field = &e.Field
		}
		return []model.UserError{shown}, nil
	default:
		return nil, err
	}
}
