package warehouse

import (
	"context"
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// ErrUnavailable is wrapped by every error of a measure that is not the asker's fault: ClickHouse does not answer, has no data yet,
// or gave up within its limits.
var ErrUnavailable = errors.New("the warehouse does not answer")

// InputError says what is wrong with a question, and how to put it right.
type InputError struct {
	Field   string // as in Query, such as Where.Regions
	Message string
}

func (e *InputError) Error() string { return e.Field + ": " + e.Message }

func invalid(field, format string, args ...any) error {
	return &InputError{Field: field, Message: fmt.Sprintf(format, args...)}
}

// ClickHouse's codes for what a measure can run into.
const (
	codeUnknownTable    = 60
	codeUnknownDatabase = 81
	codeTooManyRows     = 158
	codeTimeout         = 159
	codeMemory          = 241
)

// exceptionCode is ClickHouse's code for err, or 0.
func exceptionCode(err error) int32 {
	if ex, ok := errors.AsType[*clickhouse.Exception](err); ok {
		return ex.Code
	}
	return 0
}

// unavailable explains why ClickHouse gave no answer to the operation. A caller who went away keeps the context's error.
func unavailable(ctx context.Context, operation string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", operation, context.Cause(ctx))
	}
	remedy := ""
	switch exceptionCode(err) {
	case codeUnknownTable, codeUnknownDatabase:
		remedy = ": run `groundwork migrate`"
	case codeTimeout:
		remedy = fmt.Sprintf(" within %s: narrow the filter or split by less", queryTime)
	case codeMemory:
		remedy = " within its memory: narrow the filter or split by less"
	}
	return fmt.Errorf("%s: %w%s: %w", operation, ErrUnavailable, remedy, err)
}
