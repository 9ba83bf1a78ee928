// Package graph is the API: GraphQL over the system of record, and the measures of the warehouse. docs/graphql.md has its
// conventions, schema/ its words.
//
// A request passes the edge (transport, limits, presenter of errors), gets its actor and its loaders, and reaches the resolvers,
// which read the input, call the store once, and show the answer. They hold no rule of the domain and no SQL.
package graph

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"groundwork"
	"groundwork/graph/edge"
	"groundwork/graph/gen"
)

// Deps is what the API needs.
type Deps struct {
	Store          groundwork.Store
	Measures       Measures      // nil: measures answer UPSTREAM_UNAVAILABLE
	Logger         *slog.Logger  // nil: slog.Default()
	Introspection  bool          // whether callers may ask for the schema
	AllowedOrigins []string      // browser origins that may call from other sites
	Timeout        time.Duration // of a request, 0 = 10 s
	// ConsistencyWait is how long a measure waits for the write of a consistency token; 0 = 2 s, as the schema says.
	ConsistencyWait time.Duration
	Documents       edge.Documents        // trusted documents, by ReadDocuments
	Limits          edge.Limits           // of a document, zero = the edge's defaults
	Streams         edge.Streams          // of events; Caller and Opened are set here
	FeedEvery       time.Duration         // how often the system of record is asked what changed while somebody follows it; 0 = 500 ms
	Now             func() time.Time      // nil: time.Now
	Metrics         prometheus.Registerer // takes the figures of requests; nil: nobody
	Traces          trace.TracerProvider  // takes a span for each operation; nil: nobody
	Meter           groundwork.Meter      // counts what callers ask for; nil: nobody does
	// Identify finds out who asks, for groundwork.ActorFrom; nil: WithActor.
	Identify func(http.Handler) http.Handler
}

// NewHandler serves the API. Without Deps.Identify it believes the headers that WithActor reads: whoever listens on anything but
// loopback must put something before it.
func NewHandler(d Deps) http.Handler {
	if d.Logger == nil {
		d.Logger = slog.Default()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Identify == nil {
		d.Identify = WithActor
	}
	if d.Meter == nil {
		d.Meter = groundwork.Unlimited{}
	}
	figures := newMeasured(d.Metrics)
	d.Streams.Caller = func(ctx context.Context) string { return groundwork.ActorFrom(ctx).Caller() }
	d.Streams.Opened = figures.opened
	extensions := []graphql.HandlerExtension{permissions{}, metered{d.Meter}, figures}
	if d.Traces != nil {
		extensions = append(extensions, traced{d.Traces.Tracer("groundwork/graph")})
	}
	r := &Resolver{feed: newFeed(d.Store, d.Logger, cmp.Or(d.FeedEvery, feedEvery)), meter: d.Meter, store: d.Store, measures: d.Measures, wait: cmp.Or(d.ConsistencyWait, consistencyWait), logger: d.Logger, now: d.Now}
	r.freshness = newFreshness(r, freshnessEvery)
	es := gen.NewExecutableSchema(gen.Config{Resolvers: r, Complexity: complexity()})
	r.schema = es.Schema()
	api := edge.NewHandler(es, edge.Options{
		Logger:         d.Logger,
		ErrorCode:      errorCode,
		Introspection:  func(context.Context) bool { return d.Introspection },
		AllowedOrigins: d.AllowedOrigins,
		Timeout:        d.Timeout,
		Documents:      d.Documents,
		Limits:         d.Limits,
		Streams:        d.Streams,
		Extensions:     extensions,
	})
	return d.Identify(withLoaders(d.Store, api))
}
