package edge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
)

// Codes of requests that are refused before there is a document.
const (
	codeBadRequest       = "BAD_REQUEST"
	codeMethodNotAllowed = "METHOD_NOT_ALLOWED"
	codeNotAcceptable    = "NOT_ACCEPTABLE"
	codeTooLarge         = "PAYLOAD_TOO_LARGE"
	codeMediaType        = "UNSUPPORTED_MEDIA_TYPE"
	codeRateLimited      = "RATE_LIMITED"
)

// refusal is a request that the transport turns away by its form. Its message never quotes the request, whose variables may
// hold secrets that would then stand in the logs of everybody on the way.
type refusal struct {
	status  int
	code    string
	message string
	allow   string // the Allow header of a 405

	retryAfter int // seconds, of a 429
}

func badRequest(format string, args ...any) *refusal {
	return &refusal{status: http.StatusBadRequest, code: codeBadRequest, message: fmt.Sprintf(format, args...)}
}

// decodePOST reads the parameters from a JSON body. Nothing but JSON is taken: forms, text and multipart are what a browser
// sends across sites without asking first.
func (d Documents) decodePOST(w http.ResponseWriter, r *http.Request, maxBody int64) (*graphql.RawParams, *refusal) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != mediaJSON || !isUTF8(params) {
		return nil, &refusal{status: http.StatusUnsupportedMediaType, code: codeMediaType,
			message: "the request's Content-Type must be application/json, in UTF-8"}
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, &refusal{status: http.StatusUnsupportedMediaType, code: codeMediaType,
			message: "compressed requests are not taken: leave out Content-Encoding"}
	}
	tooLarge := &refusal{status: http.StatusRequestEntityTooLarge, code: codeTooLarge,
		message: fmt.Sprintf("the request body is larger than %d bytes", maxBody)}
	if r.ContentLength > maxBody {
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, tooLarge
	}
	if err != nil {
		return nil, badRequest("the request body could not be read to its end")
	}
	return d.decodeBody(body)
}

func (d Documents) decodeBody(body []byte) (*graphql.RawParams, *refusal) {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(trimmed) == 0:
		return nil, badRequest("the request body is empty: send a JSON object with a query")
	case !utf8.Valid(body):
		return nil, badRequest("the request body is not UTF-8")
	case trimmed[0] == '[':
		return nil, badRequest("batches are not taken: send one operation a request")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return nil, badRequest("the request body is not valid JSON: it goes wrong at byte %d", syntax.Offset)
		}
		return nil, badRequest("the request body must be a JSON object")
	}
	return d.decodeParams(fields)
}

// decodeGET reads the parameters from the URL, where variables and extensions are JSON texts.
func (d Documents) decodeGET(u *url.URL, maxQuery int64) (*graphql.RawParams, *refusal) {
	if int64(len(u.RawQuery)) > maxQuery {
		return nil, &refusal{status: http.StatusRequestURITooLong, code: codeTooLarge,
			message: fmt.Sprintf("the query string is longer than %d bytes: send a POST request", maxQuery)}
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, badRequest("the query string is not well-formed")
	}
	fields := map[string]json.RawMessage{}
	for _, name := range []string{"query", "operationName", "documentId"} {
		if !utf8.ValidString(values.Get(name)) {
			return nil, badRequest("%s is not UTF-8", name)
		}
		if values.Has(name) {
			fields[name], _ = json.Marshal(values.Get(name)) // a valid string always has a JSON form
		}
	}
	for _, name := range []string{"variables", "extensions"} {
		text := values.Get(name)
		if text == "" {
			continue
		}
		if !utf8.ValidString(text) || !json.Valid([]byte(text)) {
			return nil, badRequest("%s must be a JSON object", name)
		}
		fields[name] = json.RawMessage(text)
	}
	return d.decodeParams(fields)
}

// decodeParams checks the type of each parameter. Names are exact (encoding/json alone would take "QUERY"), others ignored.
func (d Documents) decodeParams(fields map[string]json.RawMessage) (*graphql.RawParams, *refusal) {
	p, id := &graphql.RawParams{}, ""
	for _, f := range []struct {
		name, kind string
		into       any
	}{
		{"query", "a string", &p.Query},
		{"operationName", "a string", &p.OperationName},
		{"documentId", "a string", &id},
		{"variables", "an object", &p.Variables},
		{"extensions", "an object", &p.Extensions},
	} {
		raw, ok := fields[f.name]
		if !ok || string(raw) == "null" {
			continue
		}
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber() // the schema, not the decoder, decides what a number is
		if err := dec.Decode(f.into); err != nil {
			return nil, badRequest("%s must be %s", f.name, f.kind)
		}
	}
	return d.resolve(p, id)
}
