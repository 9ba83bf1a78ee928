package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// traced makes a span for each operation, named like the series of measured: never after what the caller wrote, which may hold anything.
type traced struct{ tracer trace.Tracer }

// ExtensionName implements graphql.HandlerExtension.
func (traced) ExtensionName() string { return "Traces" }

// Validate implements graphql.HandlerExtension.
func (traced) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptResponse implements graphql.ResponseInterceptor.
func (t traced) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	kind, operation := called(ctx)
	if kind == string(ast.Subscription) { // most of its time nothing happens
		return next(ctx)
	}
	ctx, span := t.tracer.Start(ctx, "graphql."+kind, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("graphql.operation.type", kind), attribute.String("graphql.operation.field", operation)))
	defer span.End()
	response := next(ctx)
	if response != nil && len(response.Errors) > 0 {
		code, _ := response.Errors[0].Extensions["code"].(string)
		span.SetStatus(codes.Error, code) // the code alone: messages may quote what people wrote
	}
	return response
}
