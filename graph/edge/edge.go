// Package edge is everything between the network and the resolvers, whatever the schema: the GraphQL-over-HTTP transport, the
// limits that keep a hostile document cheap, the one presenter through which every error passes, and the access log.
//
// A request meets, in this order: request id, headers and CORS (this file); method, media types and body (transport.go,
// decode.go, accept.go; stream.go for streams of events); the parser's token limit and validation without suggestions (rules.go); the shape of the document
// and its cost (limits.go); the resolvers; and on the way back the presenter (errors.go) and the access log (log.go).
package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
)

// Options of a handler. The zero value is strict: the defaults below, no introspection, no foreign origins.
type Options struct {
	// Logger takes the access log (info) and the masked errors (error); nil means slog.Default().
	Logger *slog.Logger
	// ErrorCode maps an error that clients may see to its code, its message and more extensions; ok is false for all
	// others, which are logged and shown as "internal error". nil knows none.
	ErrorCode func(err error) (code, message string, extra map[string]any, ok bool)
	// Introspection says whether this caller may ask for __schema and __type; nil means nobody may.
	Introspection func(ctx context.Context) bool
	// AllowedOrigins are the browser origins that may call from other sites, each as scheme://host[:port].
	AllowedOrigins []string
	// MaxBody is the size of the largest request body, in bytes; 0 means 256 KiB.
	MaxBody int64
	// Timeout ends the context of a request; 0 means 10 s.
	Timeout time.Duration
	// Documents that clients may name by an id.
	Documents Documents
	// Limits of one document.
	Limits Limits
	// Streams of events, for subscriptions.
	Streams Streams
	// Extensions run after the limits: rate limits, tracing and the like.
	Extensions []graphql.HandlerExtension
}

// Limits of one document, counted with every fragment spread expanded. A zero field means its default.
type Limits struct {
	Tokens     int // words and punctuation of the document; 2000
	Depth      int // levels of fields, introspection aside (the validator bounds that itself); 12
	Fields     int // fields selected; 400
	Aliases    int // fields under another name; 30
	Directives int // @include, @skip and others; 50
	Complexity int // cost by the schema's complexity functions, one a field by default; 5000
}

const (
	defaultMaxBody = 256 << 10
	defaultTimeout = 10 * time.Second
	maxErrors      = 5 // errors of one reply, and lines that one request may log
)

// Validate reports every fault of the options at once.
func (o Options) Validate() error {
	var faults []error
	for _, origin := range o.AllowedOrigins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != origin {
			faults = append(faults, fmt.Errorf("allowed origin %q is not of the form scheme://host[:port]", origin))
		}
	}
	for name, n := range map[string]int64{
		"MaxBody": o.MaxBody, "Timeout": int64(o.Timeout), "Tokens": int64(o.Limits.Tokens), "Depth": int64(o.Limits.Depth),
		"Fields": int64(o.Limits.Fields), "Aliases": int64(o.Limits.Aliases), "Directives": int64(o.Limits.Directives),
		"Complexity":        int64(o.Limits.Complexity),
		"Streams.PerCaller": int64(o.Streams.PerCaller), "Streams.Total": int64(o.Streams.Total),
		"Streams.KeepAlive": int64(o.Streams.KeepAlive), "Streams.Lifetime": int64(o.Streams.Lifetime),
	} {
		if n < 0 {
			faults = append(faults, fmt.Errorf("limit %s is %d: use a positive number, or 0 for the default", name, n))
		}
	}
	return errors.Join(faults...)
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.ErrorCode == nil {
		o.ErrorCode = func(error) (string, string, map[string]any, bool) { return "", "", nil, false }
	}
	if o.Introspection == nil {
		o.Introspection = func(context.Context) bool { return false }
	}
	o.MaxBody = orDefault(o.MaxBody, defaultMaxBody)
	o.Timeout = orDefault(o.Timeout, defaultTimeout)
	o.Streams = o.Streams.withDefaults()
	o.Limits = Limits{
		Tokens:     orDefault(o.Limits.Tokens, 2000),
		Depth:      orDefault(o.Limits.Depth, 12),
		Fields:     orDefault(o.Limits.Fields, 400),
		Aliases:    orDefault(o.Limits.Aliases, 30),
		Directives: orDefault(o.Limits.Directives, 50),
		Complexity: orDefault(o.Limits.Complexity, 5000),
	}
	return o
}

func orDefault[T int | int64 | time.Duration](v, fallback T) T {
	if v == 0 {
		return fallback
	}
	return v
}

// NewHandler serves the schema over HTTP. It panics when opts.Validate reports a fault, as that is the program's mistake.
// Bounds on the connection itself (header and read timeouts, TLS) belong to the http.Server around it.
func NewHandler(es graphql.ExecutableSchema, opts Options) http.Handler {
	if err := opts.Validate(); err != nil {
		panic(fmt.Errorf("edge options: %w", err))
	}
	opts = opts.withDefaults()
	p := &presenter{logger: opts.Logger, errorCode: opts.ErrorCode, tokens: opts.Limits.Tokens}

	srv := handler.New(es)
	srv.AddTransport(&transport{opts: opts, presenter: p, streams: streams{of: map[string]int{}}})
	srv.SetQueryCache(newDocumentCache(opts.Limits))
	srv.SetParserTokenLimit(opts.Limits.Tokens)
	srv.SetDisableSuggestion(true)
	srv.SetValidationRulesFn(rulesWithoutSuggestions)
	srv.SetErrorPresenter(p.present)
	srv.SetRecoverFunc(p.recovered)
	// The shape comes first: only a document of bounded shape may be walked without a memo, as the cost extension does.
	srv.Use(documentLimits{limits: opts.Limits, introspection: opts.Introspection})
	srv.Use(extension.FixedComplexityLimit(opts.Limits.Complexity))
	for _, e := range opts.Extensions {
		srv.Use(e)
	}
	return withHeaders(withRequest(srv), opts.AllowedOrigins)
}

// withHeaders sets what every reply carries, and answers to origins of the allow-list alone. Cookies are no credentials here,
// so Access-Control-Allow-Credentials is never sent.
func withHeaders(next http.Handler, origins []string) http.Handler {
	allowed := make(map[string]bool, len(origins))
	for _, o := range origins {
		allowed[o] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Add("Vary", "Accept")
		h.Add("Vary", "Origin")
		if origin := r.Header.Get("Origin"); allowed[origin] {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", requestIDHeader)
			if r.Method == http.MethodOptions {
				h.Set("Access-Control-Allow-Methods", "GET, POST")
				h.Set("Access-Control-Allow-Headers", "Content-Type, Authorization, Last-Event-ID, "+requestIDHeader)
				h.Set("Access-Control-Max-Age", "600")
			}
		}
		next.ServeHTTP(w, r)
	})
}
