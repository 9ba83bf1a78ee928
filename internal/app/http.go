package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"groundwork"
	"groundwork/etl"
	"groundwork/files"
	"groundwork/graph"
	"groundwork/graph/edge"
	"groundwork/open311"
	"groundwork/postgres"
	"groundwork/warehouse"
	"groundwork/web/graphiql"
)

// readyPatience bounds the probes behind /readyz.
const readyPatience = 2 * time.Second

// newHandler routes /graphql, /files, /open311, /healthz, /readyz and, where wanted, /graphiql. Event streams end when stop is closed, so that the server can
// stop. replicator is nil where none runs in this process.
func newHandler(stop <-chan struct{}, cfg Config, store *postgres.DB, house *warehouse.DB, replicator *etl.Replicator, blobs files.Blobs, documents edge.Documents, identify func(http.Handler) http.Handler, figures metrics) http.Handler {
	mux := http.NewServeMux()
	meter, _ := cfg.Rates.meter(cfg) // Validate has examined them
	mux.Handle("/graphql", graph.NewHandler(graph.Deps{
		Store: store, Measures: warehouse.NewCache(warehouse.NewMeasures(house)), Logger: cfg.Logger,
		Introspection: cfg.GraphiQL, Documents: documents, Identify: identify, Metrics: figures.registerer(), Meter: meter, Traces: figures.traces.tracer(),
		Streams: edge.Streams{Stop: stop},
	}))
	mux.Handle("/open311/", http.StripPrefix("/open311", open311.NewHandler(open311.Deps{Store: store, Logger: cfg.Logger, Meter: meter})))
	evidence := files.NewHandler(files.Deps{Store: store, Blobs: blobs, Logger: cfg.Logger, Meter: meter})
	mux.Handle("/files", identify(http.StripPrefix("/files", slashed(evidence))))
	mux.Handle("/files/", identify(http.StripPrefix("/files", evidence)))
	if cfg.GraphiQL {
		mux.Handle("/graphiql/", http.StripPrefix("/graphiql", graphiql.Handler("/graphql")))
		mux.Handle("GET /{$}", http.RedirectHandler("/graphiql/", http.StatusFound))
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyPatience)
		defer cancel()
		writeReadiness(w, probe(ctx, store, house, replicator))
	})
	proxies, _ := parseProxies(cfg.TrustedProxies) // Validate has examined them
	handler := proxies.hardened(proxies.told(figures.observed(mux)))
	if cfg.AllowUnauthenticated || cfg.Auth.on() {
		return handler
	}
	return onlyThisMachine(handler)
}

// documents reads the trusted documents.
func (c Config) documents() (d edge.Documents, err error) {
	if c.TrustedDocuments == "" {
		return d, nil
	}
	manifest, err := os.Open(c.TrustedDocuments)
	if err != nil {
		return d, fmt.Errorf("--trusted-documents (GROUNDWORK_TRUSTED_DOCUMENTS): %w", err)
	}
	defer manifest.Close()
	d = edge.Documents{Only: c.TrustedDocumentsOnly}
	if d.ByID, err = graph.ReadDocuments(manifest); err != nil {
		return d, fmt.Errorf("--trusted-documents (GROUNDWORK_TRUSTED_DOCUMENTS) %s: %w", c.TrustedDocuments, err)
	}
	return d, nil
}

// headerPurpose says why somebody asks, for the audit.
const headerPurpose = "Groundwork-Purpose"

const maxPurpose = 500

// told tells the audit from where a request came and why.
func (p proxies) told(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		purpose := r.Header.Get(headerPurpose)
		if len(purpose) > maxPurpose || !utf8.ValidString(purpose) {
			http.Error(w, fmt.Sprintf("header %s: give at most %d bytes of UTF-8", headerPurpose, maxPurpose), http.StatusBadRequest)
			return
		}
		next.ServeHTTP(w, r.WithContext(groundwork.WithRequest(r.Context(), groundwork.Request{Address: p.client(r), Purpose: purpose})))
	})
}

// slashed serves a path that was stripped to nothing as the root.
func slashed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/"
		next.ServeHTTP(w, r)
	})
}

// onlyThisMachine refuses requests for another host name: a page of some other site whose name has been made to point at this
// machine (DNS rebinding) would otherwise reach the API that trusts whoever is here.
func onlyThisMachine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if !strings.Contains(strings.TrimPrefix(host, "["), ":") || strings.HasSuffix(host, "]") {
			host = net.JoinHostPort(strings.Trim(host, "[]"), "80")
		}
		if !loopback(host) {
			http.Error(w, "this Groundwork answers only to this machine: ask for it by 127.0.0.1 or localhost", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// readiness is the answer of /readyz: which part is ready, and what ails the others.
type readiness struct {
	Ready bool              `json:"ready"`
	Parts map[string]string `json:"parts"`
}

func probe(ctx context.Context, store *postgres.DB, house *warehouse.DB, replicator *etl.Replicator) readiness {
	answer := readiness{Ready: true, Parts: map[string]string{}}
	say := func(part string, err error) {
		answer.Parts[part] = "ok"
		if err != nil {
			answer.Ready = false
			answer.Parts[part] = "unavailable" // the reason may hold hosts and users; it stands in the log
		}
	}
	say("postgres", store.Ping(ctx))
	say("clickhouse", house.Ping(ctx))
	if replicator != nil {
		answer.Parts["replication"] = string(replicator.Status().State)
	}
	return answer
}

func writeReadiness(w http.ResponseWriter, answer readiness) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !answer.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(answer)
}
