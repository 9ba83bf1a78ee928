package edge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/graph/edge"
	"groundwork/graph/edge/internal/testschema"
)

// knownError stands for the caller's own error type.
type knownError struct{ code, message string }

func (e knownError) Error() string { return e.message + ": secret cause" }

func errorCode(err error) (string, string, map[string]any, bool) {
	known, ok := errors.AsType[knownError](err)
	return known.code, known.message, map[string]any{"field": "pages"}, ok
}

func everybody(context.Context) bool { return true }

// resolvers fail as the test tells them.
type resolvers struct {
	err     error         // what fail answers
	waiting chan struct{} // gets a value when wait has begun
	ended   chan error    // gets the end of wait's context
	touched atomic.Int32
	told    chan told // what a subscription tells; closed ends it
}

// told is an event of a subscription, or, without an id, a position, or its end for a reason.
type told struct {
	id, text string
	end      error
}

func (r *resolvers) Query() testschema.QueryResolver               { return queries{r} }
func (r *resolvers) Mutation() testschema.MutationResolver         { return r }
func (r *resolvers) Subscription() testschema.SubscriptionResolver { return r }
func (r *resolvers) Node() testschema.NodeResolver                 { return nodes{} }
func (r *resolvers) Failing() testschema.FailingResolver           { return failing{r} }

func (r *resolvers) Hello(_ context.Context, name string) (string, error) {
	return "hello " + name, nil
}
func (r *resolvers) Paint(_ context.Context, c testschema.Colour) (testschema.Colour, error) {
	return c, nil
}
func (r *resolvers) Even(_ context.Context, n testschema.Even) (testschema.Even, error) {
	return n, nil
}
func (r *resolvers) Shape(context.Context, testschema.ShapeInput) (string, error) {
	return "drawn", nil
}
func (r *resolvers) Fail(context.Context) (*string, error)               { return nil, r.err }
func (r *resolvers) Panic(context.Context) (*string, error)              { panic("secret panic") }
func (r *resolvers) Broken(context.Context) (*testschema.Failing, error) { return nil, nil }
func (r *resolvers) Touch(context.Context) (int32, error)                { return r.touched.Add(1), nil }

func (r *resolvers) Told(ctx context.Context) (<-chan *string, error) {
	if r.err != nil {
		return nil, r.err
	}
	edge.MarkPosition(ctx, "start-after-"+edge.LastEventID(ctx))
	out := make(chan *string)
	go func() {
		defer close(out)
		for {
			select {
			case t, ok := <-r.told:
				switch {
				case !ok:
					return
				case t.end != nil:
					edge.EndStream(ctx, t.end)
					return
				case t.text == "":
					edge.MarkPosition(ctx, t.id)
					continue
				}
				edge.MarkEvent(ctx, t.id)
				select {
				case out <- &t.text:
				case <-ctx.Done():
				}
			case <-ctx.Done():
				r.ended <- ctx.Err()
				return
			}
		}
	}()
	return out, nil
}

func (r *resolvers) Wait(ctx context.Context) (*string, error) {
	r.waiting <- struct{}{}
	<-ctx.Done()
	r.ended <- ctx.Err()
	return nil, ctx.Err()
}

func (r *resolvers) Failures(_ context.Context, n int32) ([]*testschema.Failing, error) {
	list := make([]*testschema.Failing, n)
	for i := range list {
		list[i] = &testschema.Failing{}
	}
	return list, nil
}

// queries is apart from resolvers because both have a method Node.
type queries struct{ *resolvers }

func (queries) Node(context.Context) (*testschema.Node, error) {
	return &testschema.Node{Name: "root"}, nil
}

type failing struct{ r *resolvers }

func (f failing) Fail(context.Context, *testschema.Failing) (*string, error) { return nil, f.r.err }

type nodes struct{}

func (nodes) Child(context.Context, *testschema.Node) (*testschema.Node, error) {
	return &testschema.Node{Name: "child"}, nil
}

func (nodes) Other(context.Context, *testschema.Node) (*testschema.Node, error) { return nil, nil }

// journal collects log lines from many goroutines.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

// lines returns the lines with the message msg.
func (j *journal) lines(msg string) []map[string]any {
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []map[string]any
	for line := range strings.Lines(j.buf.String()) {
		var m map[string]any
		if json.Unmarshal([]byte(line), &m) == nil && m["msg"] == msg {
			found = append(found, m)
		}
	}
	return found
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

type bundle struct {
	*resolvers
	handler http.Handler
	url     string
	journal *journal
}

// setup serves the test schema; each change adjusts the options before the server starts.
func setup(t *testing.T, changes ...func(*edge.Options)) *bundle {
	t.Helper()
	b := &bundle{
		resolvers: &resolvers{waiting: make(chan struct{}, 1), ended: make(chan error, 10), told: make(chan told)},
		journal:   &journal{},
	}
	opts := edge.Options{
		Logger:    slog.New(slog.NewJSONHandler(b.journal, nil)),
		ErrorCode: errorCode,
	}
	for _, change := range changes {
		change(&opts)
	}
	schema := testschema.NewExecutableSchema(testschema.Config{Resolvers: b.resolvers})
	b.handler = edge.NewHandler(schema, opts)
	server := httptest.NewServer(b.handler)
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// reply is an HTTP response and the GraphQL response in it.
type reply struct {
	status int
	header http.Header
	text   string
	body   struct {
		Data   map[string]any
		Errors []struct {
			Message    string
			Path       []any
			Extensions map[string]any
		}
		Extensions map[string]any
	}
}

func (r reply) codes() []string {
	codes := []string{}
	for _, e := range r.body.Errors {
		code, _ := e.Extensions["code"].(string)
		codes = append(codes, code)
	}
	return codes
}

func (b *bundle) send(t *testing.T, method, url, body string, header ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	r := reply{status: res.StatusCode, header: res.Header, text: string(text)}
	if len(text) > 0 {
		require.NoError(t, json.Unmarshal(text, &r.body), r.text)
	}
	for _, e := range r.body.Errors { // a rule without exception
		require.Equal(t, res.Header.Get("X-Request-Id"), e.Extensions["requestId"], r.text)
		require.NotEmpty(t, e.Extensions["code"], r.text)
	}
	return r
}

// query posts a document and takes the newer media type, whose status tells the outcome.
func (b *bundle) query(t *testing.T, document string, variables map[string]any, header ...string) reply {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	require.NoError(t, err)
	header = append([]string{"Content-Type", "application/json", "Accept", "application/graphql-response+json"}, header...)
	return b.send(t, http.MethodPost, b.url, string(body), header...)
}

// serveChunked posts a body of untold length straight to the handler: over a connection, the reply to a body that is cut off
// may be lost in the reset.
func (b *bundle) serveChunked(t *testing.T, body string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	req.ContentLength = -1
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, req)
	return w
}
