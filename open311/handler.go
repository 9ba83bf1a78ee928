package open311

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"groundwork"
)

// Store is what the API needs of the system of record.
type Store interface {
	groundwork.ServiceStore
	Authenticate(ctx context.Context, key string, scope groundwork.APIScope) (*groundwork.APIKey, error)
	RegionByCode(ctx context.Context, code string) (*groundwork.Region, error)
}

// Deps are what the handler works with.
type Deps struct {
	Store  Store
	Logger *slog.Logger
	Now    func() time.Time // nil = time.Now
	Meter  groundwork.Meter // counts what is asked for; nil: nobody does
}

// The costs of a request, in the points of a GraphQL document that does as much.
const (
	readPoints = 50 // of the address
	keyPoints  = 5  // of the address: looking at the form and at the key of the application
	filePoints = 50 // of the application
)

// maxBody bounds the body of a POST.
const maxBody = 64 << 10

// NewHandler serves /discovery, /v2/services, /v2/requests and /v2/tokens below where it is mounted.
func NewHandler(d Deps) http.Handler {
	a := &api{Deps: d}
	if a.Now == nil {
		a.Now = time.Now
	}
	if a.Meter == nil {
		a.Meter = groundwork.Unlimited{}
	}
	mux := http.NewServeMux()
	mux.Handle("/{resource}", a.resource(map[string]method{"discovery": {get: a.discovery}}))
	mux.Handle("/v2/{resource}", a.resource(map[string]method{
		"services": {get: a.services},
		"requests": {get: a.requests, post: a.file},
	}))
	mux.Handle("/v2/{resource}/{id}", a.resource(map[string]method{
		"services": {get: a.definition},
		"requests": {get: a.request},
		"tokens":   {get: a.token},
	}))
	mux.Handle("/", a.resource(nil))
	return mux
}

type api struct{ Deps }

// answer makes the document that answers a request for a resource; id is that of the path, empty if it has none.
type answer func(r *http.Request, id string) (any, error)

// method is what a resource answers to; a nil one is not allowed.
type method struct{ get, post answer }

// resource answers with the resource that the path names, in the format that its ending or the header Accept asks for.
func (a *api) resource(known map[string]method) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, id := r.PathValue("resource"), r.PathValue("id")
		last := &name
		if id != "" {
			last = &id
		}
		out := formatOf(r, last)
		m, ok := known[name]
		if !ok {
			a.refuse(w, r, out, groundwork.Errorf(groundwork.CodeNotFound, "there is no such resource; see discovery, v2/services and v2/requests"))
			return
		}
		respond := m.get
		if r.Method == http.MethodPost {
			respond = m.post
		}
		if respond == nil || r.Method != http.MethodPost && r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", m.allowed())
			out.write(w, http.StatusMethodNotAllowed, faults(http.StatusMethodNotAllowed, "this resource answers to "+m.allowed()))
			return
		}
		points := readPoints
		if r.Method == http.MethodPost {
			points = keyPoints
		}
		if err := a.Meter.Admit(r.Context(), groundwork.Charge{Points: points}); err != nil {
			a.refuse(w, r, out, err)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		document, err := respond(r, id)
		if err != nil {
			a.refuse(w, r, out, err)
			return
		}
		out.write(w, http.StatusOK, document)
	})
}

func (m method) allowed() string {
	if m.post != nil {
		return "GET, HEAD, POST"
	}
	return "GET, HEAD"
}

// formatOf cuts the format off the last part of the path; without one the header Accept decides, and XML is the default.
func formatOf(r *http.Request, last *string) format {
	for _, f := range []format{asJSON, asXML} {
		if rest, ok := strings.CutSuffix(*last, f.ending); ok && rest != "" {
			*last = rest
			return f
		}
	}
	accept := r.Header.Get("Accept")
	json, xml := strings.Index(accept, "json"), strings.Index(accept, "xml")
	if json >= 0 && (xml < 0 || json < xml) {
		return asJSON
	}
	return asXML
}

// jurisdiction is the region that a request is about: jurisdiction_id is the code of one. Empty = all.
func (a *api) jurisdiction(r *http.Request) (string, error) {
	code := r.FormValue("jurisdiction_id")
	if code == "" {
		return "", nil
	}
	region, err := a.Store.RegionByCode(r.Context(), code)
	if err == nil && region == nil {
		err = groundwork.Errorf(groundwork.CodeNotFound, "jurisdiction_id %.40q was not found; give the 12-digit code of a region, or leave it out", code)
	}
	return code, err
}
