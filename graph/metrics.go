package graph

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/vektah/gqlparser/v2/ast"
)

// measured counts requests for Prometheus. An operation is called by its kind and its root field, never by the name that the caller
// gave it: the schema bounds the one, nobody the other.
type measured struct {
	took   *prometheus.HistogramVec
	errors *prometheus.CounterVec
	open   prometheus.Gauge
}

func newMeasured(r prometheus.Registerer) measured {
	make := promauto.With(prometheus.WrapRegistererWithPrefix("groundwork_graphql_", r))
	return measured{
		took: make.NewHistogramVec(prometheus.HistogramOpts{Name: "request_seconds", Help: "Time of GraphQL requests, by kind and root field of the operation (several: more than one field; refused: not run).",
			Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 11)}, []string{"kind", "operation"}),
		errors: make.NewCounterVec(prometheus.CounterOpts{Name: "errors_total", Help: "Errors in the answers, by the same and by their code."}, []string{"kind", "operation", "code"}),
		open:   make.NewGauge(prometheus.GaugeOpts{Name: "streams", Help: "Event streams that are open."}),
	}
}

// opened is told of each event stream that begins or ends.
func (m measured) opened(delta int) { m.open.Add(float64(delta)) }

// ExtensionName implements graphql.HandlerExtension.
func (measured) ExtensionName() string { return "Metrics" }

// Validate implements graphql.HandlerExtension.
func (measured) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptResponse implements graphql.ResponseInterceptor.
func (m measured) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	started := time.Now()
	response := next(ctx)
	kind, operation := called(ctx)
	if kind == string(ast.Subscription) { // it waited for something to happen
		m.count(response, kind, operation)
		return response
	}
	m.took.WithLabelValues(kind, operation).Observe(time.Since(started).Seconds())
	m.count(response, kind, operation)
	return response
}

// count counts the errors of a response.
func (m measured) count(response *graphql.Response, kind, operation string) {
	if response == nil {
		return
	}
	for _, e := range response.Errors {
		code, ok := e.Extensions["code"].(string)
		if !ok {
			code = "none"
		}
		m.errors.WithLabelValues(kind, operation, code).Inc()
	}
}

// called is the kind and the root field of the operation under way.
func called(ctx context.Context) (kind, field string) {
	if !graphql.HasOperationContext(ctx) {
		return "none", "refused"
	}
	o := graphql.GetOperationContext(ctx).Operation
	if o == nil {
		return "none", "refused"
	}
	if len(o.SelectionSet) == 1 {
		if f, ok := o.SelectionSet[0].(*ast.Field); ok && f.Definition != nil {
			return string(o.Operation), f.Name
		}
	}
	return string(o.Operation), "several"
}
