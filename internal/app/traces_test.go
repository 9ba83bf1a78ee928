package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTracesFollowTheEnvironment(t *testing.T) {
	received := make(chan int, 8)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/v1/traces" {
			received <- len(body)
		}
	}))
	defer collector.Close()
	open := func(pairs ...string) (traces, error) {
		for i := 0; i < len(pairs); i += 2 {
			t.Setenv(pairs[i], pairs[i+1])
		}
		return fromEnvironment(t.Context())
	}
	off, err := open("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	require.NoError(t, err)
	require.Nil(t, off.tracer())
	off.close()
	on, err := open("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	require.NoError(t, err)
	_, span := on.tracer().Tracer("test").Start(t.Context(), "hello")
	span.End()
	on.close()
	require.Positive(t, <-received)
	disabled, err := open("OTEL_SDK_DISABLED", "true")
	require.NoError(t, err)
	require.Nil(t, disabled.tracer())
	_, err = open("OTEL_SDK_DISABLED", "", "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	require.ErrorContains(t, err, "http/protobuf alone")
}
