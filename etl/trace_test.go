package etl

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// Each stage has a span: the session with its load, and a trace for each batch with its flush, inserts, checkpoint and acknowledgement.
func TestStagesAreTraced(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	run := r.start(func(c *Config) { c.Traces, c.FlushRows = provider, 20 })
	run.catchUp()
	r.exec(`INSERT INTO org_unit (id, name, kind) SELECT gen_random_uuid(), 'u' || i, 'PARTY' FROM generate_series(1, 50) i`)
	run.agree()
	run.stop()

	spans, names := map[string][]tracetest.SpanStub{}, map[string]string{}
	for _, s := range exporter.GetSpans() {
		spans[s.Name] = append(spans[s.Name], s)
		names[s.SpanContext.SpanID().String()] = s.Name
		require.NotEqual(t, codes.Error, s.Status.Code, "%s: %s", s.Name, s.Status.Description)
	}
	for child, parent := range map[string]string{"etl.load": "etl.session", "etl.flush": "etl.batch or etl.piece", "etl.insert": "etl.flush or etl.load", "etl.checkpoint": "etl.batch", "etl.ack": "etl.batch"} {
		require.NotEmpty(t, spans[child], child)
		for _, s := range spans[child] {
			require.Contains(t, parent, names[s.Parent.SpanID().String()], child)
		}
	}
	require.Len(t, spans["etl.session"], 1)
	require.Len(t, spans["etl.piece"], 2, "50 rows, 20 at a time")
	session := spans["etl.session"][0].SpanContext
	for _, s := range spans["etl.piece"] {
		require.False(t, s.Parent.IsValid(), "a trace of its own")
		require.Equal(t, session.TraceID(), s.Links[0].SpanContext.TraceID())
	}
	rows := 0
	for _, s := range spans["etl.insert"] {
		for _, a := range s.Attributes {
			if a.Key == attribute.Key("rows") {
				rows += int(a.Value.AsInt64())
			}
		}
	}
	require.GreaterOrEqual(t, rows, 50)
}
