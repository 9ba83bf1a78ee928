package edge

import (
	"context"
	"crypto/rand"
	"net/http"
	"regexp"
	"sync/atomic"
)

const requestIDHeader = "X-Request-Id"

// A proxy's id is kept so that logs can be joined, but only in this form: it is written to the log and to the reply.
var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

type requestKey struct{}

// request is what the edge remembers of one HTTP request while it is served.
type request struct {
	id     string
	logged atomic.Int32 // masked errors written to the log so far
}

// RequestID returns the id of the request that ctx belongs to, as in the reply's X-Request-Id and in every error's
// extensions.requestId; outside a request it is empty.
func RequestID(ctx context.Context) string {
	if r := requestOf(ctx); r != nil {
		return r.id
	}
	return ""
}

func requestOf(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

func withRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if !requestIDForm.MatchString(id) {
			id = rand.Text()
		}
		w.Header().Set(requestIDHeader, id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, &request{id: id})))
	})
}
