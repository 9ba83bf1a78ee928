package edge_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork/graph/edge"
	"groundwork/internal/ssetest"
)

// follow opens an event stream for a document by POST.
func (b *bundle) follow(t *testing.T, document string, header ...string) *ssetest.Stream {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url, strings.NewReader(`{"query":"`+document+`"}`))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return ssetest.Open(t, req)
}

// requireNext reads one event.
func requireNext(t *testing.T, s *ssetest.Stream, want ssetest.Event) {
	t.Helper()
	got, ok := s.Next()
	require.True(t, ok, "the stream has ended")
	require.Equal(t, want, got)
}

func requireEnd(t *testing.T, s *ssetest.Stream) {
	t.Helper()
	got, ok := s.Next()
	require.False(t, ok, "%+v", got)
}

func TestRow36EventsHaveIds(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *edge.Options) { o.Streams.KeepAlive = time.Millisecond })
	s := b.follow(t, "subscription { told }", "Last-Event-ID", "seven")
	requireBlock := func(id string) {
		t.Helper()
		for s.LastEventID != id {
			_, ok := s.Block()
			require.True(t, ok)
		}
	}
	requireBlock("start-after-seven")
	b.told <- told{id: "eight", text: "a"}
	requireNext(t, s, ssetest.Event{Name: "next", ID: "eight", Data: `{"data":{"told":"a"}}`})
	b.told <- told{id: "nine"} // nothing to tell, but all is known up to here
	requireBlock("nine")
	b.told <- told{id: "ten", text: "two\nlines"}
	requireNext(t, s, ssetest.Event{Name: "next", ID: "ten", Data: `{"data":{"told":"two\nlines"}}`})
	e, ok := s.Block()
	require.True(t, ok, "a sign of life")
	require.Equal(t, ssetest.Event{}, e)

	s.Close()
	require.ErrorIs(t, <-b.ended, context.Canceled, "the resolver learns that the client has gone")
}

// What is told while the event before is on its way must not get into it.
func TestRow36EventsThatComeTogetherStayWhole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.follow(t, "subscription { told }")
	const events = 200
	go func() {
		for n := range events {
			b.told <- told{id: strconv.Itoa(n), text: strings.Repeat("x", 1+n%7*500)}
		}
	}()
	for n := range events {
		requireNext(t, s, ssetest.Event{Name: "next", ID: strconv.Itoa(n), Data: `{"data":{"told":"` + strings.Repeat("x", 1+n%7*500) + `"}}`})
	}
}

func TestRow36HowStreamsEnd(t *testing.T) {
	t.Parallel()
	complete := ssetest.Event{Name: "complete"}
	t.Run("for a reason", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.follow(t, "subscription { told }")
		b.told <- told{end: knownError{"BAD_USER_INPUT", "too much was missed"}}
		e, ok := s.Next()
		require.True(t, ok)
		require.Contains(t, e.Data, `"message":"too much was missed"`)
		require.NotContains(t, e.Data, "secret")
		requireNext(t, s, complete)
		requireEnd(t, s)
	})
	t.Run("without one its client comes back", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.follow(t, "subscription { told }")
		close(b.told)
		requireEnd(t, s)
	})
	t.Run("after its time", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(o *edge.Options) { o.Streams.Lifetime = time.Millisecond })
		requireEnd(t, b.follow(t, "subscription { told }"))
	})
	t.Run("with the server", func(t *testing.T) {
		t.Parallel()
		stop := make(chan struct{})
		b := setup(t, func(o *edge.Options) { o.Streams.Stop = stop })
		s := b.follow(t, "subscription { told }")
		close(stop)
		requireEnd(t, s)
		require.ErrorIs(t, <-b.ended, context.Canceled)
	})
	t.Run("of a query, after its answer", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		s := b.follow(t, "{ hello }")
		requireNext(t, s, ssetest.Event{Name: "next", Data: `{"data":{"hello":"hello world"}}`})
		requireNext(t, s, complete)
		requireEnd(t, s)
	})
	t.Run("of a query that takes too long", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(o *edge.Options) { o.Timeout = time.Millisecond })
		s := b.follow(t, "{ wait }")
		e, ok := s.Next()
		if ok && e != complete { // gqlgen answers nothing where the time was over before it began
			require.Contains(t, e.Data, `"code":"TIMEOUT"`)
		}
	})
}

func TestRow36WhatIsRefusedInAStream(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.err = knownError{"FORBIDDEN", "not for you"}
	for document, code := range map[string]string{
		"subscription {":           "GRAPHQL_PARSE_FAILED",
		"subscription { nothing }": "GRAPHQL_VALIDATION_FAILED",
		"subscription { told }":    "FORBIDDEN",
		"subscription { ...A ...B } fragment A on Subscription { a: told } fragment B on Subscription { b: told }": "GRAPHQL_VALIDATION_FAILED",
	} {
		s := b.follow(t, document)
		e, ok := s.Next()
		require.True(t, ok)
		require.Contains(t, e.Data, `"code":"`+code+`"`, document)
		require.NotContains(t, e.Data, `"data"`)
		requireNext(t, s, ssetest.Event{Name: "complete"})
	}
	r := b.query(t, "subscription { told }", nil)
	require.Equal(t, http.StatusNotAcceptable, r.status, r.text)
	require.Contains(t, r.text, "text/event-stream")

	get := func(document string) *ssetest.Stream {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"?query="+url.QueryEscape(document), nil)
		require.NoError(t, err)
		return ssetest.Open(t, req)
	}
	e, _ := get("mutation { touch }").Next()
	require.Contains(t, e.Data, "METHOD_NOT_ALLOWED")
	require.Zero(t, b.touched.Load())
	e, _ = get("{ hello }").Next()
	require.Equal(t, `{"data":{"hello":"hello world"}}`, e.Data)
	require.Equal(t, http.StatusUnsupportedMediaType, b.send(t, http.MethodPost, b.url, "query={hello}", "Accept", "text/event-stream").status)
}

func TestRow36StreamsAreCounted(t *testing.T) {
	t.Parallel()
	opened := make(chan int, 10)
	b := setup(t, func(o *edge.Options) {
		o.Streams.PerCaller, o.Streams.Total = 1, 2
		o.Streams.Caller = func(ctx context.Context) string { return edge.RequestID(ctx)[:8] }
		o.Streams.Opened = func(delta int) { opened <- delta }
	})
	refused := func(caller string) {
		t.Helper()
		r := b.send(t, http.MethodPost, b.url, `{"query":"subscription { told }"}`, "Content-Type", "application/json", "Accept", "text/event-stream", "X-Request-Id", caller)
		require.Equal(t, http.StatusTooManyRequests, r.status)
		require.Equal(t, []string{"RATE_LIMITED"}, r.codes())
		require.NotEmpty(t, r.header.Get("Retry-After"))
	}
	first := b.follow(t, "subscription { told }", "X-Request-Id", "caller-1")
	refused("caller-1")
	b.follow(t, "subscription { told }", "X-Request-Id", "caller-2")
	refused("caller-3")
	require.Equal(t, []int{1, 1}, []int{<-opened, <-opened})
	first.Close()
	require.Equal(t, -1, <-opened)
	b.follow(t, "subscription { told }", "X-Request-Id", "caller-3")
}
