package warehouse

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// ErrUnavailable is wrapped by the error of a measure if ClickHouse does not answer, has no data or no tables yet, or gave up within its limits: the same
// question may be answered later, or a smaller one now. What ClickHouse says of a statement that it cannot run does not wrap it: that is a fault of ours.
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

// passing are ClickHouse's codes for what is no fault of a statement: why, where there is more to do than to wait.
var passing = map[int32]string{
	codeUnknownTable: ": run `groundwork migrate`", codeUnknownDatabase: ": run `groundwork migrate`",
	codeTooManyRows: " in so many cells: narrow the filter or split by less", codeTimeout: " in time: narrow the filter or split by less", codeMemory: " within its memory: narrow the filter or split by less",
	202: ": it answers as many queries at once as it may", 201: ": the user's quota is used up",
	authenticationFailed: ": it refuses the user of the warehouse's URL", 497: ": the user of the warehouse's URL may not read the tables",
	164: ": it is read-only", 209: "", 210: "", 236: "", 242: "", 243: "", 279: "", 394: "", 999: "", // time-outs and breaks of its network, shutting down, disk full, queries killed, Keeper
}

// exceptionCode is ClickHouse's code for err, or 0.
func exceptionCode(err error) int32 {
	if ex, ok := errors.AsType[*clickhouse.Exception](err); ok {
		return ex.Code
	}
	return 0
}

// failed explains why ClickHouse gave no answer to the operation. A caller who went away keeps the context's error; of others, what passes or can be mended
// by whoever runs the warehouse wraps ErrUnavailable.
func failed(ctx context.Context, operation string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", operation, context.Cause(ctx))
	}
	if code := exceptionCode(err); code != 0 {
		remedy, passes := passing[code]
		if !passes {
			return fmt.Errorf("%s: ClickHouse refuses the statement: %w", operation, err)
		}
		return fmt.Errorf("%s: %w%s: %w", operation, ErrUnavailable, remedy, err)
	}
	if !disconnected(err) {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return fmt.Errorf("%s: %w: %w", operation, ErrUnavailable, err)
}

// disconnected reports whether the way to ClickHouse is what failed.
func disconnected(err error) bool {
	for _, broken := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, context.DeadlineExceeded, driver.ErrBadConn,
		clickhouse.ErrAcquireConnTimeout, clickhouse.ErrAcquireConnNoAddress, clickhouse.ErrConnectionClosed} {
		if errors.Is(err, broken) {
			return true
		}
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	_, proxy := errors.AsType[*clickhouse.HTTPError](err) // an answer without an exception of ClickHouse's is that of something between
	return proxy
}
