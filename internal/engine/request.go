package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"groundwork/internal/engine/chdb"

	"github.com/google/uuid"
)

// maxQueryBytes bounds the text of a statement, without the data of an INSERT.
const maxQueryBytes = 1 << 20

// request is what a client asks for, taken out of address, headers and the beginning of the body.
type request struct {
	id       string
	user     user
	readOnly bool // by its method
	database string
	format   string // for statements without FORMAT
	settings []setting
	params   []chdb.Param

	sql  string    // the statement, and as much of what follows it as was read
	rest io.Reader // what follows sql
	end  bool      // nothing does

	protocolVersion string
	blockFrames     bool // compress=1
	frameMethod     string
	acceptEncoding  string // "" unless the client enabled compression
	waitForEnd      bool
}

type setting struct{ name, value string }

// addressParams are the parameters of the address that are no settings of the engine. Those without a meaning here have
// none in the embedded engine either: they tune what a server writes to the wire or to its logs.
var addressParams = []string{
	"query", "default_format", "database", "user", "password", "quota_key", "query_id", "compress", "decompress",
	"buffer_size", "wait_end_of_query", "client_protocol_version", "enable_http_compression", "http_zlib_compression_level",
	"network_compression_method", "network_zstd_compression_level", "log_comment", "stacktrace", "add_http_cors_header",
	"send_progress_in_http_headers", "http_headers_progress_interval_ms", "cancel_http_readonly_queries_on_client_close",
	"http_response_buffer_size", "http_wait_end_of_query", "http_write_exception_in_output_format", "close_session",
	// The embedded engine would wait for ever: see sqlguard.
	"database_atomic_wait_for_drop_and_detach_synchronously",
}

var (
	settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	formatName  = regexp.MustCompile(`^[A-Za-z0-9_]*$`)
)

// readRequest takes a request apart. The user is known already.
func readRequest(r *http.Request, u user) (*request, error) {
	args := r.URL.Query()
	q := &request{user: u, readOnly: r.Method != http.MethodPost && r.Method != http.MethodPut}
	body, err := openBody(r, args)
	if err != nil {
		return nil, err
	}
	if err := q.readParams(args); err != nil {
		return nil, err
	}
	q.id = args.Get("query_id")
	if q.id == "" {
		q.id = uuid.NewString()
	}
	q.database = firstOf(args.Get("database"), r.Header.Get("X-ClickHouse-Database"))
	q.format = firstOf(args.Get("default_format"), r.Header.Get("X-ClickHouse-Format"))
	if !formatName.MatchString(q.format) {
		return nil, throw(codeUnknownFormat, "default_format is %q, want the name of a format such as JSONEachRow", q.format)
	}
	q.protocolVersion = args.Get("client_protocol_version")
	q.blockFrames, q.frameMethod = args.Get("compress") == "1", args.Get("network_compression_method")
	if isOn(args.Get("enable_http_compression")) {
		q.acceptEncoding = r.Header.Get("Accept-Encoding")
	}
	q.waitForEnd = isOn(args.Get("wait_end_of_query"))
	return q, q.readHead(args.Get("query"), body)
}

// readHead reads the statement: the parameter `query`, a line end, and the body, as ClickHouse joins them.
func (q *request) readHead(query string, body io.Reader) error {
	head, err := io.ReadAll(io.LimitReader(body, maxQueryBytes))
	if err != nil {
		return bodyError(err)
	}
	q.sql, q.rest, q.end = string(head), body, len(head) < maxQueryBytes
	if q.end {
		q.rest = bytes.NewReader(nil) // some decoders say other things when they are read beyond their end
	}
	if query != "" {
		q.sql = query + "\n" + q.sql
	}
	return nil
}

func (q *request) readParams(args url.Values) error {
	for _, unsupported := range []string{"session_id", "role"} {
		if args.Get(unsupported) != "" {
			return throw(48, "%s is set, but sessions are not supported by the embedded engine, nor are roles: send what the statement needs with each request", unsupported)
		}
	}
	for name, values := range args {
		value := values[len(values)-1]
		if parameter, is := strings.CutPrefix(name, "param_"); is {
			q.params = append(q.params, chdb.Param{Name: parameter, Value: value})
			continue
		}
		if slices.Contains(addressParams, name) || name == "session_timeout" || name == "session_check" {
			continue
		}
		if !settingName.MatchString(name) {
			return throw(115, "Unknown setting '%.80s'", name)
		}
		q.settings = append(q.settings, setting{name, value})
	}
	slices.SortFunc(q.settings, func(a, b setting) int { return strings.Compare(a.name, b.name) })
	return nil
}

// openBody undoes what the client did to the body: content encoding, ClickHouse's own framing, a form around it. The
// fields of a form are added to args.
func openBody(r *http.Request, args url.Values) (io.Reader, error) {
	body, err := decodeContent(r.Header.Get("Content-Encoding"), r.Body)
	if err != nil {
		return nil, bodyError(err)
	}
	kind, kindParams, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case kind == "multipart/form-data":
		return bytes.NewReader(nil), readForm(multipart.NewReader(body, kindParams["boundary"]), args)
	case args.Get("decompress") == "1":
		return newBlockReader(body), nil
	}
	return body, nil
}

// readForm takes statement and parameters out of a form. Tables cannot come with it.
func readForm(form *multipart.Reader, args url.Values) error {
	for total := 0; ; {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return bodyError(err)
		}
		name := part.FormName()
		if name != "query" && !strings.HasPrefix(name, "param_") {
			return throw(48, "the form field %.80q is a table sent with the query, which the embedded engine does not support: insert it into a table first", name)
		}
		value, err := io.ReadAll(io.LimitReader(part, maxQueryBytes+1))
		if err != nil {
			return bodyError(err)
		}
		if total += len(value); total > maxQueryBytes {
			return tooLarge()
		}
		args.Set(name, args.Get(name)+string(value))
	}
}

func tooLarge() error {
	return throw(62, "Max query size exceeded: the text of a statement may have %d bytes; data belongs after FORMAT of an INSERT", maxQueryBytes)
}

func bodyError(err error) error {
	return throw(codeCannotInflate, "cannot read the request's body: %v", err)
}

// settingsSQL is the statement that sets the request's settings, with the id by which the statement can be found and stopped.
func (q *request) settingsSQL(id string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SET log_comment = %s", quote(id))
	for _, s := range q.settings {
		fmt.Fprintf(&b, ", %s = %s", s.name, quote(s.value))
	}
	return b.String()
}

func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

func isOn(value string) bool { return value == "1" || strings.EqualFold(value, "true") }

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
