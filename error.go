package groundwork

import (
	"errors"
	"fmt"
	"time"
)

// Code classifies an Error for its reader: what kind of fault it is decides what can be done about it.
type Code string

const (
	CodeInvalid     Code = "BAD_USER_INPUT"       // the input is wrong; Field says where
	CodeNotFound    Code = "NOT_FOUND"            // the thing named does not exist
	CodeForbidden   Code = "FORBIDDEN"            // the actor may not do this
	CodeTransition  Code = "ILLEGAL_TRANSITION"   // the life cycle has no such step from where the thing stands
	CodeConflict    Code = "CONFLICT"             // somebody else was first: read again and retry
	CodeUnavailable Code = "UPSTREAM_UNAVAILABLE" // a store cannot be reached
	CodeRateLimited Code = "RATE_LIMITED"         // too much was asked; RetryAfter says for how long to wait
)

// Error is the one error type that people see. Message names the field, the value and the remedy; Err, which may be nil, is
// for the log alone.
type Error struct {
	Code    Code
	Field   string // path of the input field in camelCase, empty if none
	Message string
	Err     error

	RetryAfter time.Duration // of CodeRateLimited
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.Message, e.Err)
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// Invalid reports a wrong input field; the message names the value and the remedy.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Errorf makes an Error of the given code.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// CodeOf returns the Code of the first Error in err's chain, or "" if there is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
