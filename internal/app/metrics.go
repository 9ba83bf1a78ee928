package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics shows the figures of this process to Prometheus, on an address of its own that never is that of the API. The zero value
// shows them to nobody.
type metrics struct {
	registry *prometheus.Registry
	listener net.Listener
	traces   traces
}

// openMetrics opens the traces too, which go to a collector of their own.
func openMetrics(cfg Config) (metrics, error) {
	spans, err := fromEnvironment(context.Background())
	if err != nil {
		return metrics{}, err
	}
	if cfg.Metrics == "" {
		return metrics{traces: spans}, nil
	}
	listener, err := net.Listen("tcp", cfg.Metrics)
	if err != nil {
		spans.close()
		return metrics{}, fmt.Errorf("the metrics cannot listen on %s: %w: end what holds the port, or choose another by --metrics (GROUNDWORK_METRICS)", cfg.Metrics, err)
	}
	m := metrics{prometheus.NewRegistry(), listener, spans}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m, nil
}

// registerer takes figures; nil where nobody is to see them.
func (m metrics) registerer() prometheus.Registerer {
	if m.registry == nil {
		return nil
	}
	return m.registry
}

func (m metrics) close() {
	m.traces.close()
	if m.listener != nil {
		_ = m.listener.Close()
	}
}

// serve answers /metrics until ctx is done.
func (m metrics) serve(ctx context.Context, cfg Config) error {
	if m.listener == nil {
		return nil
	}
	cfg.Logger.InfoContext(ctx, "metrics", slog.String("url", fmt.Sprintf("http://%s/metrics", m.listener.Addr())))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry}))
	return serveHTTP(ctx, cfg, m.listener, onlyThisMachine(mux))
}

// observed counts the requests of one part of the API.
func (m metrics) observed(next http.Handler) http.Handler {
	took := promauto.With(m.registerer()).NewHistogramVec(prometheus.HistogramOpts{Name: "groundwork_http_request_seconds",
		Help: "Time of HTTP requests, by part of the API and status.", Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 11)}, []string{"part", "code"})
	parts := map[string]http.Handler{}
	for _, part := range []string{"graphql", streamsPart, "files", "open311", "graphiql", "other"} {
		parts[part] = promhttp.InstrumentHandlerDuration(took.MustCurryWith(prometheus.Labels{"part": part}), next)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
			parts[streamsPart].ServeHTTP(w, r)
			return
		}
		partOf(parts, r.URL.Path).ServeHTTP(w, r)
	})
}

// streamsPart is the part of event streams, which last as long as somebody follows them and would hide how long answers take.
const streamsPart = "streams"

// partOf finds the handler of a path's first word, so that no path that a caller makes up becomes a series of its own.
func partOf(parts map[string]http.Handler, path string) http.Handler {
	word, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if h, ok := parts[word]; ok {
		return h
	}
	return parts["other"]
}
