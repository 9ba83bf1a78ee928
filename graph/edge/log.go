package edge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/extension"
)

// logAccess writes the one line of a request. The document is told by its hash and its operation's name: its literals and its
// variables may hold what people wrote.
func (t *transport) logAccess(ctx context.Context, method string, started time.Time, a *answer) {
	attrs := []slog.Attr{
		slog.String("request_id", RequestID(ctx)),
		slog.String("method", method),
		slog.Int("status", a.status),
		slog.Float64("ms", float64(time.Since(started).Microseconds())/1000),
	}
	if op := a.operation; op != nil {
		attrs = append(attrs, slog.String("operation_name", operationName(op)), slog.String("document_hash", documentHash(op.RawQuery)))
		if stats, ok := op.Stats.GetExtension("ComplexityLimit").(*extension.ComplexityStats); ok {
			attrs = append(attrs, slog.Int("cost", stats.Complexity))
		}
	}
	if codes := a.codes(); len(codes) > 0 {
		attrs = append(attrs, slog.Any("codes", codes))
	}
	t.opts.Logger.LogAttrs(ctx, slog.LevelInfo, "graphql request", attrs...)
}

// codes are the distinct codes of the reply's errors, sorted.
func (a *answer) codes() []string {
	var codes []string
	for _, e := range a.response.Errors {
		codes = append(codes, codeOf(e))
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// operationName is the name in the document, which is an identifier, and not the parameter of the request, which is any text.
func operationName(op *graphql.OperationContext) string {
	if op == nil || op.Operation == nil {
		return ""
	}
	return op.Operation.Name
}

// documentHash is the start of the document's SHA-256, enough to tell documents apart in a log.
func documentHash(query string) string {
	sum := sha256.Sum256([]byte(query))
	return hex.EncodeToString(sum[:8])
}
