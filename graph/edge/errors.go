package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

const (
	codeInput    = "BAD_USER_INPUT"
	codeTimeout  = "TIMEOUT"
	codeInternal = "INTERNAL"

	maskedMessage  = "internal error"
	timeoutMessage = "the request took too long and was stopped: ask for less, or try again later"
)

// errPanic stands for a panic that the recover function has logged already.
var errPanic = errors.New("panic")

// passing are the codes that the parser, the validator and our own limits give to errors about the document. Their messages
// speak of the document alone and reach the client as they are.
var passing = map[string]bool{
	errcode.ParseFailed: true, errcode.ValidationFailed: true,
	codeDocumentLimit: true, codeComplexityLimit: true, codeIntrospectionDisabled: true,
}

// presenter is the only road of an error to a client: known errors pass with their code, all else is logged and masked.
type presenter struct {
	logger    *slog.Logger
	errorCode func(error) (string, string, map[string]any, bool)
	tokens    int
}

// verdict is what a client will see of an error.
type verdict struct {
	code, message string
	extra         map[string]any
	path          ast.Path
}

// present is gqlgen's error presenter.
func (p *presenter) present(ctx context.Context, err error) *gqlerror.Error {
	shown := &gqlerror.Error{Path: graphql.GetPath(ctx)}
	if g, ok := errors.AsType[*gqlerror.Error](err); ok {
		shown.Path, shown.Locations = g.Path, g.Locations
	}
	v := p.judge(ctx, err, shown.Path)
	shown.Message, shown.Path = v.message, v.path
	shown.Extensions = extensions(ctx, v.code, v.extra)
	return shown
}

func extensions(ctx context.Context, code string, extra map[string]any) map[string]any {
	ext := make(map[string]any, len(extra)+2)
	maps.Copy(ext, extra)
	ext["code"], ext["requestId"] = code, RequestID(ctx)
	return ext
}

func (p *presenter) judge(ctx context.Context, err error, path ast.Path) verdict {
	field, fieldPath, isArgument := argument(ctx, path)
	if code, message, extra, ok := p.errorCode(err); ok {
		return verdict{code, message, extra, fieldPath}
	}
	g, _ := errors.AsType[*gqlerror.Error](err)
	switch {
	case g != nil && passing[codeOf(g)]:
		return p.documentError(g)
	case isArgument:
		return verdict{codeInput, fmt.Sprintf("argument %s: %s", field, g.Message), map[string]any{"field": field}, fieldPath}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		return verdict{codeTimeout, timeoutMessage, nil, path}
	case errors.Is(err, context.Canceled) && ctx.Err() != nil: // the client went away: nobody reads this, and nothing is wrong
	case !errors.Is(err, errPanic):
		p.logMasked(ctx, err, path)
	}
	return verdict{codeInternal, maskedMessage, nil, path}
}

// documentError is the verdict on an error of the parser, the validator, the variables or the limits.
func (p *presenter) documentError(g *gqlerror.Error) verdict {
	switch {
	case g.Message == fmt.Sprintf("exceeded token limit of %d", p.tokens):
		return verdict{code: codeDocumentLimit, message: "the document " + g.Message + ": split it into several requests"}
	case len(g.Path) > 1 && g.Path[0] == ast.PathName("variable"):
		// gqlparser names the variable by a path that is not one of the response.
		field := g.Path[1:].String()
		return verdict{code: codeInput, message: fmt.Sprintf("variable $%s: %s", field, g.Message), extra: map[string]any{"field": field}}
	case strings.HasPrefix(g.Rule, "ValuesOfCorrectType"):
		return verdict{code: codeInput, message: g.Message}
	}
	return verdict{code: codeOf(g), message: g.Message, path: g.Path}
}

// argument tells an error of reading an argument from one of the resolver: gqlgen extends the path of the field, which then
// has no arguments yet, by the argument's name. It returns that name and the path of the field itself.
func argument(ctx context.Context, path ast.Path) (string, ast.Path, bool) {
	fc := graphql.GetFieldContext(ctx)
	if fc == nil || fc.Args != nil {
		return "", path, false
	}
	own := fc.Path()
	if len(path) <= len(own) {
		return "", path, false
	}
	return path[len(own):].String(), own, true
}

func codeOf(g *gqlerror.Error) string {
	code, _ := g.Extensions["code"].(string)
	return code
}

// recovered is gqlgen's recover function: the stack goes to the log, the client sees an internal error.
func (p *presenter) recovered(ctx context.Context, panicked any) error {
	if p.mayLog(ctx) {
		p.logger.LogAttrs(ctx, slog.LevelError, "graphql panic", append(identity(ctx),
			slog.String("panic", fmt.Sprint(panicked)), slog.String("stack", string(debug.Stack())))...)
	}
	return errPanic
}

func (p *presenter) logMasked(ctx context.Context, err error, path ast.Path) {
	if p.mayLog(ctx) {
		p.logger.LogAttrs(ctx, slog.LevelError, "graphql error", append(identity(ctx),
			slog.String("path", path.String()), slog.String("error", err.Error()))...)
	}
}

// mayLog bounds the lines of one request: a list of a thousand failing elements is one fault, not a thousand.
func (p *presenter) mayLog(ctx context.Context) bool {
	r := requestOf(ctx)
	return r == nil || r.logged.Add(1) <= maxErrors
}

// identity names the request in a log line: never its variables, which hold what people wrote.
func identity(ctx context.Context) []slog.Attr {
	name := ""
	if graphql.HasOperationContext(ctx) {
		name = operationName(graphql.GetOperationContext(ctx))
	}
	return []slog.Attr{slog.String("request_id", RequestID(ctx)), slog.String("operation_name", name)}
}
