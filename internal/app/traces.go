package app

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// traces sends spans to a collector by OTLP. The zero value sends none.
type traces struct{ provider *sdktrace.TracerProvider }

// openTraces does what the environment variables of OpenTelemetry say (OTEL_EXPORTER_OTLP_ENDPOINT and its kin; the SDK reads those of
// sampling, batching and resources itself). Without an endpoint there are no traces.
func openTraces(ctx context.Context, getenv func(string) string) (traces, error) {
	endpoint := getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") + getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
	if endpoint == "" || strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") || getenv("OTEL_TRACES_EXPORTER") == "none" {
		return traces{}, nil
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if p := getenv(name); p != "" && p != "http/protobuf" {
			return traces{}, fmt.Errorf("%s is %q: traces are sent by http/protobuf alone; leave it unset and name the collector's HTTP port (4318)", name, p)
		}
	}
	if e := getenv("OTEL_TRACES_EXPORTER"); e != "" && e != "otlp" {
		return traces{}, fmt.Errorf("OTEL_TRACES_EXPORTER is %q: use otlp, or none", e)
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return traces{}, fmt.Errorf("traces: %w", err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "groundwork")), resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return traces{}, fmt.Errorf("traces: OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	return traces{sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))}, nil
}

// fromEnvironment opens the traces as the environment of the process says.
func fromEnvironment(ctx context.Context) (traces, error) { return openTraces(ctx, os.Getenv) }

// tracer takes spans; nil where nobody collects them.
func (t traces) tracer() trace.TracerProvider {
	if t.provider == nil {
		return nil
	}
	return t.provider
}

// close sends what is left.
func (t traces) close() {
	if t.provider == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = t.provider.Shutdown(ctx)
}
