package etl

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// tracerName is the instrumentation scope of the replication's spans.
const tracerName = "groundwork/etl"

// tracer makes spans, or nothing where nobody collects them.
func (c Config) tracer() trace.Tracer {
	if c.Traces == nil {
		return noop.NewTracerProvider().Tracer(tracerName)
	}
	return c.Traces.Tracer(tracerName)
}

// batchSpan begins the trace of a batch. It is one of its own, with a link to the session's: a session lasts for days.
func (s *session) batchSpan(ctx context.Context, name string) (context.Context, trace.Span) {
	return s.cfg.tracer().Start(ctx, name, trace.WithNewRoot(), trace.WithLinks(trace.LinkFromContext(ctx)), trace.WithAttributes(attribute.String("slot", s.cfg.Slot)))
}

// startSpan begins a span below the one in ctx; where there is none it costs next to nothing.
func startSpan(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	return trace.SpanFromContext(ctx).TracerProvider().Tracer(tracerName).Start(ctx, name, trace.WithAttributes(attributes...))
}

// endSpan ends a span as failed or well.
func endSpan(span trace.Span, err error) {
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}
