package edge

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Streams bounds the event streams that the handler holds open. A zero field means its default.
type Streams struct {
	PerCaller int           // of one caller; 10
	Total     int           // of all; 1000
	KeepAlive time.Duration // between signs of life while nothing happens; 15 s
	// Lifetime is how long one stays open; 10 min. Then the connection ends without "complete" and the client comes back with its Last-Event-ID, so
	// that who it is and what it may see are asked anew.
	Lifetime time.Duration
	// Caller names who asks, to count by; nil counts all as one.
	Caller func(context.Context) string
	// Opened is told of each stream that begins (1) and ends (-1); nil: nobody is.
	Opened func(delta int)
	// Stop ends all streams when it is closed, so that a server can stop; nil never is.
	Stop <-chan struct{}
}

func (s Streams) withDefaults() Streams {
	s.PerCaller = orDefault(s.PerCaller, 10)
	s.Total = orDefault(s.Total, 1000)
	s.KeepAlive = orDefault(s.KeepAlive, 15*time.Second)
	s.Lifetime = orDefault(s.Lifetime, 10*time.Minute)
	if s.Caller == nil {
		s.Caller = func(context.Context) string { return "" }
	}
	if s.Opened == nil {
		s.Opened = func(int) {}
	}
	return s
}

// writePatience is how long a client may take to take an event: one that does not read is cut off, and comes back where it stopped.
const writePatience = 10 * time.Second

// retryStreams is for how many seconds a caller with too many streams is sent away.
const retryStreams = 5

// streams counts the open streams.
type streams struct {
	mu    sync.Mutex
	total int
	of    map[string]int
}

// take counts one more of a caller, if it may have one.
func (s *streams) take(caller string, limits Streams) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total >= limits.Total || s.of[caller] >= limits.PerCaller {
		return false
	}
	s.total++
	s.of[caller]++
	return true
}

func (s *streams) give(caller string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if s.of[caller]--; s.of[caller] == 0 {
		delete(s.of, caller)
	}
}

type streamKey struct{}

// stream is what a resolver and its event stream tell each other. Resolvers run ahead of the wire by an event or two, so the ids of events stand in a
// queue, in the order of the events.
type stream struct {
	lastEventID string
	mu          sync.Mutex
	marks       []mark
	err         error
}

// mark is the id of an event, or of a moment between events.
type mark struct {
	id    string
	event bool
}

// LastEventID returns the id of the last event that the client of an event stream had before it came back; "" if it begins.
func LastEventID(ctx context.Context) string {
	if s, ok := ctx.Value(streamKey{}).(*stream); ok {
		return s.lastEventID
	}
	return ""
}

// MarkEvent gives the next event of the stream its id. A resolver calls it once for each value, before it sends it.
func MarkEvent(ctx context.Context, id string) { setMark(ctx, mark{id, true}) }

// MarkPosition says that a client which has had all events up to now may come back with this id.
func MarkPosition(ctx context.Context, id string) { setMark(ctx, mark{id, false}) }

func setMark(ctx context.Context, m mark) {
	if s, ok := ctx.Value(streamKey{}).(*stream); ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		if last := len(s.marks) - 1; last >= 0 && !m.event && !s.marks[last].event {
			s.marks = s.marks[:last] // the later position stands for both
		}
		s.marks = append(s.marks, m)
	}
}

// EndStream says why a subscription ends, before its resolver closes the channel. Without it the connection ends and the client comes back.
func EndStream(ctx context.Context, err error) {
	if s, ok := ctx.Value(streamKey{}).(*stream); ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.err = err
	}
}

// position takes the marks up to the next event, and returns the last of them.
func (s *stream) position() (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.marks) > 0 && !s.marks[0].event {
		id, s.marks = s.marks[0].id, s.marks[1:]
	}
	return id
}

// eventID takes the id of the next event.
func (s *stream) eventID() (id string) {
	s.position()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.marks) > 0 {
		id, s.marks = s.marks[0].id, s.marks[1:]
	}
	return id
}

func (s *stream) fault() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// serveStream answers as an event stream, in the "distinct connections mode" of graphql-sse: one operation a connection, each response an event "next",
// then "complete". A request that is refused by its form or its number is answered as any other; what is wrong with its document is told in the
// stream, since the EventSource of a browser shows no other answer.
func (t *transport) serveStream(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	started, ctx := time.Now(), r.Context()
	params, refused := t.params(w, r, mediaStream)
	caller := t.opts.Streams.Caller(ctx)
	if refused == nil && !t.streams.take(caller, t.opts.Streams) {
		refused = &refusal{status: http.StatusTooManyRequests, code: codeRateLimited, retryAfter: retryStreams,
			message: "too many event streams are open: close one, or follow several things by one stream"}
	}
	if refused != nil {
		a := t.refuse(ctx, mediaJSON, refused)
		t.write(ctx, w, a)
		t.logAccess(ctx, r.Method, started, a)
		return
	}
	t.opts.Streams.Opened(1)
	defer t.opts.Streams.Opened(-1)
	defer t.streams.give(caller)
	params.Headers = r.Header
	s := &stream{lastEventID: r.Header.Get("Last-Event-ID")}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, streamKey{}, s), t.opts.Streams.Lifetime)
	defer cancel()
	a := &answer{status: http.StatusOK, media: mediaStream, response: &graphql.Response{}}
	events := &eventWriter{w: w, control: http.NewResponseController(w)}
	if events.open() {
		responses := t.responses(ctx, r.Method, exec, params, a)
		t.pump(ctx, events, s, a, responses)
		cancel()
		for range responses { // nothing of the request is in use when it is over
		}
	}
	t.logAccess(ctx, r.Method, started, a)
}

// responses executes the operation and returns its responses as they come; the channel is closed after the last. a is told what the operation is.
func (t *transport) responses(ctx context.Context, method string, exec graphql.GraphExecutor, params *graphql.RawParams, a *answer) <-chan *graphql.Response {
	op, errs := exec.CreateOperationContext(ctx, params)
	a.operation = op
	end := func() {}
	if op.Operation != nil && op.Operation.Operation != ast.Subscription {
		ctx, end = context.WithTimeout(ctx, t.opts.Timeout)
	}
	next, opCtx := t.dispatch(ctx, method, exec, op, errs)
	responses := make(chan *graphql.Response)
	go func() {
		defer close(responses)
		defer end()
		defer func() {
			if panicked := recover(); panicked != nil {
				EndStream(ctx, t.presenter.recovered(ctx, panicked))
			}
		}()
		for response := next(opCtx); response != nil; response = next(opCtx) {
			response.Data = bytes.Clone(response.Data) // the executor writes the next one into the same buffer, while this one is on its way
			select {
			case responses <- response:
			case <-ctx.Done():
				return
			}
		}
	}()
	return responses
}

// dispatch begins an operation, or answers once why it does not.
func (t *transport) dispatch(ctx context.Context, method string, exec graphql.GraphExecutor, op *graphql.OperationContext, errs gqlerror.List) (graphql.ResponseHandler, context.Context) {
	opCtx := graphql.WithOperationContext(ctx, op)
	if len(errs) > 0 {
		return graphql.OneShot(exec.DispatchError(opCtx, errs)), opCtx
	}
	if refused := permitted(method, op.Operation.Operation, mediaStream); refused != nil {
		return graphql.OneShot(t.refuse(ctx, mediaStream, refused).response), opCtx
	}
	if op.Operation.Operation == ast.Subscription {
		if n := len(graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Subscription"})); n != 1 {
			return graphql.OneShot(t.refuse(ctx, mediaStream, &refusal{code: errcode.ValidationFailed,
				message: fmt.Sprintf("the subscription has %d root fields: follow one by each stream", n)}).response), opCtx
		}
	}
	return exec.DispatchOperation(ctx, op)
}

// pump writes responses as they come, and signs of life between, until the operation, the client, the time or the server ends it.
func (t *transport) pump(ctx context.Context, events *eventWriter, s *stream, a *answer, responses <-chan *graphql.Response) {
	alive := time.NewTicker(t.opts.Streams.KeepAlive)
	defer alive.Stop()
	if id := s.position(); id != "" && !events.position(id) { // from where it begins, before anything happens
		return
	}
	for {
		select {
		case response, ok := <-responses:
			if !ok {
				t.end(ctx, events, s, a)
				return
			}
			a.response = response
			if !events.next(s.eventID(), t.encode(ctx, a)) {
				return
			}
		case <-alive.C:
			if !events.position(s.position()) {
				return
			}
		case <-t.opts.Streams.Stop:
			return
		case <-ctx.Done():
			return
		}
	}
}

// end says why the operation ended. A subscription that ends without a reason is cut off: its client comes back.
func (t *transport) end(ctx context.Context, events *eventWriter, s *stream, a *answer) {
	if err := s.fault(); err != nil {
		opCtx := graphql.WithOperationContext(ctx, a.operation)
		a.response = &graphql.Response{Errors: gqlerror.List{t.presenter.present(opCtx, err)}}
		events.next("", t.encode(ctx, a))
	} else if op := a.operation.Operation; op != nil && op.Operation == ast.Subscription && len(a.response.Errors) == 0 {
		return
	}
	events.complete()
}

// eventWriter writes the events of one stream; each method reports whether the client took it.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (e *eventWriter) open() bool {
	h := e.w.Header()
	h.Set("Content-Type", mediaStream+"; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events back
	_ = e.control.SetReadDeadline(time.Time{})
	e.w.WriteHeader(http.StatusOK)
	return e.send(":\n\n")
}

func (e *eventWriter) next(id string, data []byte) bool {
	text := "event: next\n"
	if id != "" {
		text += "id: " + id + "\n"
	}
	return e.send(text + "data: " + string(data) + "\n") // encoded JSON ends its line
}

// position is a sign of life, with the id to come back with if there is a new one. An event without data is told to nobody, but its id counts.
func (e *eventWriter) position(id string) bool {
	if id == "" {
		return e.send(":\n\n")
	}
	return e.send("id: " + id + "\n\n")
}

func (e *eventWriter) complete() { e.send("event: complete\ndata:\n\n") }

func (e *eventWriter) send(text string) bool {
	_ = e.control.SetWriteDeadline(time.Now().Add(writePatience)) // a writer without deadlines has no client that could be slow
	if _, err := e.w.Write([]byte(text)); err != nil {
		return false
	}
	return e.control.Flush() == nil
}
