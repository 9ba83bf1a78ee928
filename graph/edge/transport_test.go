package edge_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/graph/edge"
	"groundwork/graph/edge/edgetest"
)

func openToAll(o *edge.Options) { o.Introspection = everybody }

func TestAudits(t *testing.T) {
	t.Parallel()
	edgetest.Audit(t, setup(t, openToAll).url)
}

func TestAuditsWithoutIntrospection(t *testing.T) {
	t.Parallel()
	edgetest.Audit(t, setup(t).url, edgetest.NeedIntrospection...)
}

const (
	newForm = "application/graphql-response+json"
	oldForm = "application/json"
)

func TestAccept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for accept, want := range map[string]string{
		"*/*":                                oldForm,
		"application/*":                      oldForm,
		oldForm:                              oldForm,
		newForm:                              newForm,
		newForm + ", " + oldForm + ";q=0.9":  newForm,
		newForm + ";q=0.5, " + oldForm:       oldForm,
		"application/json, multipart/mixed":  oldForm, // GraphiQL
		"text/html, */*;q=0.1":               oldForm,
		newForm + "; charset=utf-8":          newForm,
		newForm + "; charset=utf-16":         "",
		"text/html":                          "",
		"application/json;q=0":               "",
		"application/json;q=nonsense":        "",
		"a broken header, application/json;": oldForm,
	} {
		r := b.send(t, http.MethodPost, b.url, `{"query":"{hello}"}`, "Content-Type", oldForm, "Accept", accept)
		if want == "" {
			require.Equal(t, http.StatusNotAcceptable, r.status, accept)
			require.Equal(t, []string{"NOT_ACCEPTABLE"}, r.codes(), accept)
			continue
		}
		require.Equal(t, http.StatusOK, r.status, accept)
		require.Equal(t, want+"; charset=utf-8", r.header.Get("Content-Type"), accept)
	}
}

// API.md §4 row 4: no page is shown to a browser that asks the API itself.
func TestRow4NoPageForBrowsers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.send(t, http.MethodGet, b.url, "", "Accept", "text/html")
	require.Equal(t, http.StatusNotAcceptable, r.status)
	require.NotContains(t, r.text, "<html")
}

// Rows 6, 11, 12 and 15: batches, forms and broken bodies.
func TestRefusedBodies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const secret = "tok-51ab"
	for name, c := range map[string]struct {
		media, body string
		status      int
		code        string
	}{
		"row 6 array batch":        {oldForm, `[` + strings.Repeat(`{"query":"{hello}"},`, 9) + `{"query":"{hello}"}]`, 400, "BAD_REQUEST"},
		"row 11 form":              {"application/x-www-form-urlencoded", "query={hello}", 415, "UNSUPPORTED_MEDIA_TYPE"},
		"row 12 text":              {"text/plain", `{"query":"{hello}"}`, 415, "UNSUPPORTED_MEDIA_TYPE"},
		"row 12 multipart":         {"multipart/form-data; boundary=x", "--x--", 415, "UNSUPPORTED_MEDIA_TYPE"},
		"row 12 none":              {"", `{"query":"{hello}"}`, 415, "UNSUPPORTED_MEDIA_TYPE"},
		"charset":                  {"application/json; charset=gbk", `{"query":"{hello}"}`, 415, "UNSUPPORTED_MEDIA_TYPE"},
		"row 15 broken JSON":       {oldForm, `{"query":"{hello}","variables":{"token":"` + secret + `"`, 400, "BAD_REQUEST"},
		"row 15 trailing":          {oldForm, `{"query":"{hello}"} ` + secret, 400, "BAD_REQUEST"},
		"row 15 bad UTF-8":         {oldForm, `{"query":"{hello}","variables":{"token":"` + secret + "\xff\"}}", 400, "BAD_REQUEST"},
		"row 15 wrong type":        {oldForm, `{"query":"{hello}","variables":"` + secret + `"}`, 400, "BAD_REQUEST"},
		"not an object":            {oldForm, `"` + secret + `"`, 400, "BAD_REQUEST"},
		"empty":                    {oldForm, ` `, 400, "BAD_REQUEST"},
		"query missing":            {oldForm, `{"QUERY":"{hello}"}`, 400, "BAD_REQUEST"},
		"query of another type":    {oldForm, `{"query":["` + secret + `"]}`, 400, "BAD_REQUEST"},
		"persisted query (row 35)": {oldForm, `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}}}`, 400, "BAD_REQUEST"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := []string{}
			if c.media != "" {
				header = append(header, "Content-Type", c.media)
			}
			r := b.send(t, http.MethodPost, b.url, c.body, header...)
			require.Equal(t, c.status, r.status, r.text)
			require.Equal(t, []string{c.code}, r.codes())
			require.NotContains(t, r.text, secret)
			require.NotContains(t, r.text, `"data"`)
			require.NotContains(t, b.journal.String(), secret)
		})
	}
}

func TestCompressedBodyIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.send(t, http.MethodPost, b.url, "\x1f\x8b", "Content-Type", oldForm, "Content-Encoding", "gzip")
	require.Equal(t, http.StatusUnsupportedMediaType, r.status)
}

// Row 16: 5 MiB are refused, with a length told in advance and without.
func TestRow16HugeBody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := `{"query":"{hello}","variables":{"x":"` + strings.Repeat("x", 5<<20) + `"}}`
	w := b.serveChunked(t, body)
	require.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
	require.Contains(t, w.Body.String(), "262144 bytes")

	r := b.send(t, http.MethodPost, b.url, body[:300<<10], "Content-Type", oldForm)
	require.Equal(t, http.StatusRequestEntityTooLarge, r.status)
	require.Equal(t, []string{"PAYLOAD_TOO_LARGE"}, r.codes())

	small := setup(t, func(o *edge.Options) { o.MaxBody = 32 })
	r = small.send(t, http.MethodGet, small.url+"?query="+strings.Repeat("a", 33), "")
	require.Equal(t, http.StatusRequestURITooLong, r.status)
}

// Rows 9 and 10: GET runs queries, with variables as JSON, and never a mutation.
func TestRow10MutationOverGET(t *testing.T) {
	t.Parallel()
	b := setup(t)
	get := func(params url.Values) reply {
		return b.send(t, http.MethodGet, b.url+"?"+params.Encode(), "", "Accept", newForm)
	}
	r := get(url.Values{"query": {"query Q($n: String!) { hello(name: $n) }"}, "variables": {`{"n":"区"}`}, "operationName": {"Q"}})
	require.Equal(t, http.StatusOK, r.status)
	require.Equal(t, "hello 区", r.body.Data["hello"])

	r = get(url.Values{"query": {"mutation { touch }"}})
	require.Equal(t, http.StatusMethodNotAllowed, r.status)
	require.Equal(t, http.MethodPost, r.header.Get("Allow"))
	require.Equal(t, []string{"METHOD_NOT_ALLOWED"}, r.codes())
	require.Zero(t, b.touched.Load(), "it must not have run")

	r = get(url.Values{"query": {"query A { hello } mutation B { touch }"}, "operationName": {"B"}})
	require.Equal(t, http.StatusMethodNotAllowed, r.status)

	for _, bad := range []url.Values{
		{"query": {"{hello}"}, "variables": {"{"}}, {"query": {"{hello}"}, "variables": {"[]"}}, {"query": {"\xff"}}, {},
		{"query": {"{hello}"}, "extensions": {"\"x\""}},
	} {
		require.Equal(t, http.StatusBadRequest, get(bad).status, bad)
	}
	require.Equal(t, http.StatusBadRequest, b.send(t, http.MethodGet, b.url+"?query=%zz", "").status)

	r = b.query(t, "mutation { touch }", nil)
	require.Equal(t, http.StatusOK, r.status)
	require.EqualValues(t, 1, b.touched.Load())
}

func TestOtherMethods(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodHead} {
		r := b.send(t, method, b.url, "")
		require.Equal(t, http.StatusMethodNotAllowed, r.status, method)
		require.Equal(t, "GET, POST, OPTIONS", r.header.Get("Allow"), method)
	}
	r := b.send(t, http.MethodOptions, b.url, "")
	require.Equal(t, http.StatusNoContent, r.status)
	require.Equal(t, "GET, POST, OPTIONS", r.header.Get("Allow"))
}

// Row 32: origins of the allow-list, exactly; no wildcard, no credentials.
func TestRow32CORS(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *edge.Options) { o.AllowedOrigins = []string{"https://board.example"} })
	preflight := func(origin string) reply {
		return b.send(t, http.MethodOptions, b.url, "", "Origin", origin, "Access-Control-Request-Method", "POST")
	}
	r := preflight("https://board.example")
	require.Equal(t, "https://board.example", r.header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, r.header.Get("Access-Control-Allow-Headers"), "Content-Type")
	for _, origin := range []string{"https://evil.example", "https://board.example.evil.example", "http://board.example", "null", "*"} {
		require.Empty(t, preflight(origin).header.Get("Access-Control-Allow-Origin"), origin)
		require.Empty(t, b.query(t, "{hello}", nil, "Origin", origin).header.Get("Access-Control-Allow-Origin"), origin)
	}
	r = b.query(t, "{hello}", nil, "Origin", "https://board.example")
	require.Equal(t, "https://board.example", r.header.Get("Access-Control-Allow-Origin"))
	require.Empty(t, r.header.Get("Access-Control-Allow-Credentials"))
	require.Contains(t, r.header.Values("Vary"), "Origin")
}

// Row 33: the headers of every reply, refused ones included.
func TestRow33Headers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, r := range []reply{b.query(t, "{hello}", nil), b.send(t, http.MethodPut, b.url, "")} {
		require.Equal(t, "nosniff", r.header.Get("X-Content-Type-Options"))
		require.Equal(t, "no-store", r.header.Get("Cache-Control"))
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Equal(t, "proxy-4711.a", b.query(t, "{hello}", nil, "X-Request-Id", "proxy-4711.a").header.Get("X-Request-Id"))
	for _, bad := range []string{"short", "with space in it", strings.Repeat("x", 65), `quote"quote`} {
		got := b.query(t, "{hello}", nil, "X-Request-Id", bad).header.Get("X-Request-Id")
		require.NotEqual(t, bad, got)
		require.Len(t, got, 26)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	require.NoError(t, edge.Options{AllowedOrigins: []string{"http://localhost:3000"}}.Validate())
	err := edge.Options{AllowedOrigins: []string{"*", "https://a.example/"}, Timeout: -1, Limits: edge.Limits{Depth: -1}}.Validate()
	for _, part := range []string{`"*"`, `"https://a.example/"`, "Timeout", "Depth"} {
		require.ErrorContains(t, err, part)
	}
	require.Panics(t, func() { edge.NewHandler(nil, edge.Options{MaxBody: -1}) })
}
