package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"groundwork/internal/engine/sqlguard"
)

// Codes that the gateway itself gives, with ClickHouse's names for them.
const (
	codeUnknownFormat   = 73
	codeUnknownDatabase = 81
	codeReadonly        = sqlguard.CodeReadonly
	codeTooManyBytes    = 307
	codeCannotInflate   = 354
	codeCancelled       = 394
	codeAccessDenied    = sqlguard.CodeAccessDenied
	codeAuthentication  = 516
	codeBadArguments    = 36
	codeStd             = 1001
)

var codeNames = map[int]string{
	codeBadArguments: "BAD_ARGUMENTS", sqlguard.CodeNotImplemented: "NOT_IMPLEMENTED", sqlguard.CodeSyntax: "SYNTAX_ERROR",
	codeUnknownFormat: "UNKNOWN_FORMAT", codeUnknownDatabase: "UNKNOWN_DATABASE", codeReadonly: "READONLY",
	codeTooManyBytes: "TOO_MANY_BYTES", codeCannotInflate: "INFLATE_FAILED", codeCancelled: "QUERY_WAS_CANCELLED",
	codeAccessDenied: "ACCESS_DENIED", codeAuthentication: "AUTHENTICATION_FAILED", codeStd: "STD_EXCEPTION",
}

// exception is an error as ClickHouse tells it to its clients.
type exception struct {
	code    int
	message string // without "Code: …" before and the name after it
	name    string
}

func throw(code int, format string, args ...any) *exception {
	return &exception{code: code, message: fmt.Sprintf(format, args...), name: codeNames[code]}
}

func (e *exception) Error() string {
	return fmt.Sprintf("Code: %d. DB::Exception: %s. (%s)", e.code, strings.TrimSuffix(e.message, "."), e.name)
}

var engineError = regexp.MustCompile(`(?s)^\s*(?:Error: )?(?:Code: (\d+)\. )?(?:DB::(?:\w+::)*\w*Exception: )?(.*?)\s*(?:\(([A-Z0-9_]+)\))?\s*$`)

// asException gives any error its ClickHouse form: the engine's texts are taken apart, refusals and interruptions get
// their codes.
func asException(err error) *exception {
	var refused *sqlguard.Error
	var already *exception
	switch {
	case errors.As(err, &already):
		return already
	case errors.As(err, &refused):
		return throw(refused.Code, "%s", refused.Message)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return throw(codeCancelled, "Query was cancelled")
	}
	parts := engineError.FindStringSubmatch(err.Error())
	code, _ := strconv.Atoi(parts[1])
	if code == 0 {
		return throw(codeStd, "%s", err)
	}
	return &exception{code: code, message: unwrapMessage(parts[2], parts[3]), name: parts[3]}
}

// unwrapMessage takes off what the engine says again when it passes on an exception of its own: code, name and version.
func unwrapMessage(message, name string) string {
	message = repeatedCode.ReplaceAllString(message, "")
	before, _, found := strings.Cut(message, ". ("+name+") (version ")
	if found && name != "" {
		return before
	}
	return message
}

var repeatedCode = regexp.MustCompile(`^(Code: \d+\. DB::Exception: )+`)

// httpStatus is the status that ClickHouse's HTTP interface gives for a code.
func httpStatus(code int) int {
	switch code {
	case 194:
		return http.StatusUnauthorized
	case 192, 193, codeAuthentication, 511:
		return http.StatusForbidden
	case 6, 25, 26, 27, 33, 34, 36, 38, 41, 43, 53, 62, 69, 70, 72, 117, 130, 131, 190, 441, 442, 457, 467, 576, 675:
		return http.StatusBadRequest
	case 15, 16, 46, 47, 50, 51, 52, 56, 60, 63, 73, 81, 115, 336:
		return http.StatusNotFound
	case 223, codeTooManyBytes:
		return http.StatusRequestEntityTooLarge
	case 48:
		return http.StatusNotImplemented
	case 159:
		return http.StatusRequestTimeout
	case 209, 76, 439:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}
