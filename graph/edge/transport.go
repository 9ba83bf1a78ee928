package edge

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

const allowedMethods = "GET, POST, OPTIONS"

// transport is GraphQL over HTTP as its specification says it (https://graphql.github.io/graphql-over-http/draft): POST with a
// JSON body, and GET for queries; event streams (stream.go) for those who ask for them. gqlgen's own transports answer 422, write "data": null into request errors, echo broken
// bodies and read them without a limit.
type transport struct {
	opts      Options
	presenter *presenter
	streams   streams
}

// Supports takes every request, so that each gets an answer of the same form.
func (t *transport) Supports(*http.Request) bool { return true }

// Do answers one request.
func (t *transport) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", allowedMethods)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if negotiate(r) == mediaStream {
		t.serveStream(w, r, exec)
		return
	}
	started := time.Now()
	ctx, cancel := context.WithTimeout(r.Context(), t.opts.Timeout)
	defer cancel()
	a := t.answer(ctx, w, r, exec)
	t.write(ctx, w, a)
	t.logAccess(ctx, r.Method, started, a)
}

// answer is a reply before it is written.
type answer struct {
	status    int
	media     string
	allow     string
	response  *graphql.Response
	operation *graphql.OperationContext // nil when there was no document
}

func (t *transport) answer(ctx context.Context, w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) (a *answer) {
	media := negotiate(r)
	defer func() { // a panic outside the resolvers, where gqlgen has its own recovery: in a rule, a scalar, an extension
		if panicked := recover(); panicked != nil {
			_ = t.presenter.recovered(ctx, panicked)
			a = t.refuse(ctx, media, &refusal{status: http.StatusInternalServerError, code: codeInternal, message: maskedMessage})
		}
	}()
	params, refused := t.params(w, r, media)
	if refused != nil {
		return t.refuse(ctx, media, refused)
	}
	params.Headers = r.Header
	op, errs := exec.CreateOperationContext(ctx, params)
	if len(errs) > 0 {
		return executed(media, op, exec.DispatchError(graphql.WithOperationContext(ctx, op), errs))
	}
	if refused = permitted(r.Method, op.Operation.Operation, media); refused != nil {
		a = t.refuse(ctx, media, refused)
		a.operation = op
		return a
	}
	return executed(media, op, execute(ctx, exec, op))
}

// params reads the request's parameters, or says why it is refused.
func (t *transport) params(w http.ResponseWriter, r *http.Request, media string) (*graphql.RawParams, *refusal) {
	if media == "" {
		return nil, &refusal{status: http.StatusNotAcceptable, code: codeNotAcceptable,
			message: "the Accept header must allow " + mediaResponse + ", " + mediaJSON + " or " + mediaStream}
	}
	switch r.Method {
	case http.MethodPost:
		return t.opts.Documents.decodePOST(w, r, t.opts.MaxBody)
	case http.MethodGet:
		return t.opts.Documents.decodeGET(r.URL, t.opts.MaxBody)
	}
	return nil, &refusal{status: http.StatusMethodNotAllowed, code: codeMethodNotAllowed, allow: allowedMethods,
		message: "use POST, or GET for queries and subscriptions"}
}

// permitted refuses what GET must not do, as links and images cause GETs, and subscriptions of which one answer alone would be read.
func permitted(method string, kind ast.Operation, media string) *refusal {
	switch {
	case kind == ast.Subscription && media != mediaStream:
		return &refusal{status: http.StatusNotAcceptable, code: codeNotAcceptable,
			message: "a subscription is answered by an event stream: send Accept: " + mediaStream}
	case method == http.MethodGet && kind == ast.Mutation:
		return &refusal{status: http.StatusMethodNotAllowed, code: codeMethodNotAllowed, allow: http.MethodPost,
			message: "GET changes nothing: send a mutation by POST"}
	}
	return nil
}

func execute(ctx context.Context, exec graphql.GraphExecutor, op *graphql.OperationContext) *graphql.Response {
	next, opCtx := exec.DispatchOperation(ctx, op)
	if response := next(opCtx); response != nil {
		return response
	}
	// gqlgen answers nothing at all when the context has ended before it began.
	return exec.DispatchError(opCtx, gqlerror.List{gqlerror.Wrap(context.Cause(ctx))})
}

// executed gives a response its status. One without data is a document that was not executed; clients of the older media type
// look for its errors in a 200, save where the status itself tells what to do.
func executed(media string, op *graphql.OperationContext, response *graphql.Response) *answer {
	a := &answer{status: http.StatusOK, media: media, operation: op, response: response}
	if response.Data == nil && len(response.Errors) > 0 {
		a.status = statusOf(codeOf(response.Errors[0]))
		if a.status == http.StatusBadRequest && media == mediaJSON {
			a.status = http.StatusOK
		}
	}
	return a
}

// RetryAfter is the extension of an error of code RATE_LIMITED that says for how many seconds to wait; the header says so too.
const RetryAfter = "retryAfter"

func statusOf(code string) int {
	switch code {
	case "UNAUTHENTICATED":
		return http.StatusUnauthorized
	case "FORBIDDEN":
		return http.StatusForbidden
	case "RATE_LIMITED":
		return http.StatusTooManyRequests
	case "UPSTREAM_UNAVAILABLE", codeTimeout:
		return http.StatusServiceUnavailable
	case codeInternal:
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

func (t *transport) refuse(ctx context.Context, media string, r *refusal) *answer {
	if media == "" {
		media = mediaJSON
	}
	var extra map[string]any
	if r.retryAfter > 0 {
		extra = map[string]any{RetryAfter: r.retryAfter}
	}
	err := &gqlerror.Error{Message: r.message, Extensions: extensions(ctx, r.code, extra)}
	return &answer{status: r.status, media: media, allow: r.allow, response: &graphql.Response{Errors: gqlerror.List{err}}}
}

// wire is the response as it is sent: graphql.Response would write "data": null where there is none.
type wire struct {
	Errors     gqlerror.List   `json:"errors,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	Extensions map[string]any  `json:"extensions,omitempty"`
}

func (t *transport) write(ctx context.Context, w http.ResponseWriter, a *answer) {
	body := t.encode(ctx, a)
	h := w.Header()
	h.Set("Content-Type", a.media+"; charset=utf-8")
	if a.allow != "" {
		h.Set("Allow", a.allow)
	}
	if a.status == http.StatusTooManyRequests {
		if seconds, ok := a.response.Errors[0].Extensions[RetryAfter].(int); ok {
			h.Set("Retry-After", strconv.Itoa(seconds))
		}
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // a client that has gone is no fault of ours
}

// encode writes the response of an answer as one line of JSON. What cannot be written becomes an internal error.
func (t *transport) encode(ctx context.Context, a *answer) []byte {
	body := wire{Errors: a.response.Errors, Data: a.response.Data, Extensions: a.response.Extensions}
	if omitted := len(body.Errors) - maxErrors; omitted > 0 {
		body.Errors = body.Errors[:maxErrors]
		body.Extensions["omittedErrors"] = omitted
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil { // a scalar that writes what is not JSON
		t.presenter.logMasked(ctx, err, nil)
		*a = *t.refuse(ctx, a.media, &refusal{status: http.StatusInternalServerError, code: codeInternal, message: maskedMessage})
		buf.Reset()
		_ = enc.Encode(wire{Errors: a.response.Errors}) // strings alone: it cannot fail
	}
	return buf.Bytes()
}
