package graph_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/graph"
	"groundwork/graph/edge"
	"groundwork/internal/embedded/embeddedtest"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// office is the API over a real system of record with one province, one city, one category and two units, at a time of its own:
// Monday, 2 March 2026, 09:00 in China.
type office struct {
	t                                               testing.TB
	url, dsn                                        string
	store                                           *counting
	clock                                           *clock
	deps                                            graph.Deps
	province, city, category, site, bureau, callers string // ids
}

// options change what newOffice makes.
type options struct {
	introspection bool
	limits        edge.Limits
	meter         groundwork.Meter
	warehouse     bool // replicate into a warehouse, for the measures
}

func newOffice(t testing.TB, o options) *office {
	t.Helper()
	key, err := groundwork.NewVaultKey(bytes.Repeat([]byte{1}, 32))
	require.NoError(t, err)
	c := &clock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, groundwork.China)}
	dsn := pgtest.New(t)
	db := pgtest.Open(t, dsn, postgres.Options{Now: c.Now, Role: postgres.RoleApp, SecretKey: []byte("key of the secrets"), VaultKeys: groundwork.VaultKeys{key}})
	f := &office{t: t, dsn: dsn, clock: c, store: &counting{Store: db}}
	deps := graph.Deps{FeedEvery: 5 * time.Millisecond, Store: f.store, Logger: slog.New(slog.DiscardHandler), Introspection: o.introspection, Limits: o.limits, Now: c.Now, Meter: o.meter}
	// On a busy machine a write may take longer to arrive than a user would wait.
	deps.ConsistencyWait, deps.Timeout = time.Minute, 2*time.Minute
	if o.warehouse {
		deps.Measures = replicate(t, dsn)
		keepDefinitions(t, dsn)
	}
	f.serve(deps)
	f.furnish()
	return f
}

func (f *office) serve(deps graph.Deps) {
	srv := httptest.NewServer(graph.NewHandler(deps))
	f.t.Cleanup(srv.Close)
	f.url, f.deps = srv.URL, deps
}

// inProduction is the office served with the times that users have.
func (f *office) inProduction() *office {
	f = new(*f)
	deps := f.deps
	deps.ConsistencyWait, deps.Timeout = 0, 0
	f.serve(deps)
	return f
}

func (f *office) furnish() {
	f.province = f.create("createRegion", "region", `code: "430000000000", level: PROVINCE, name: "西地省"`)
	f.city = f.create("createRegion", "region", `code: "430100000000", level: PREFECTURE, name: "A市", parentId: "`+f.province+`"`)
	f.category = f.create("createCategory", "category", `code: "roads", name: "Roads", auditedMinimumMinutes: 45, validFrom: "2020-01-01"`)
	f.site = f.create("createSite", "site", `regionId: "`+f.city+`", kind: SCHOOL, name: "School 5"`)
	f.bureau = f.create("createOrgUnit", "orgUnit", `name: "Road bureau", kind: GOVT, regionId: "`+f.city+`"`)
	f.callers = f.create("createOrgUnit", "orgUnit", `name: "Call centre", kind: GOVT`)
	f.create("createDispatchRule", "dispatchRule", `categoryId: "`+f.category+`", regionLevel: PREFECTURE, orgUnitId: "`+f.bureau+
		`", basis: "duty list 3", validFrom: "2020-01-01"`)
}

// create asks as the system for one thing to be made and returns its id.
func (f *office) create(mutation, field, input string) string {
	f.t.Helper()
	return f.as("SYSTEM").create(mutation, field, input)
}

// caller asks in a role.
type caller struct {
	f       *office
	headers map[string]string
}

func (f *office) as(role string) caller {
	h := map[string]string{"Groundwork-Actor": "the-" + role, "Groundwork-Role": role}
	switch role {
	case "HANDLER", "UNIT_HEAD":
		h["Groundwork-Unit"] = f.bureau
	case "CALLER":
		h["Groundwork-Unit"] = f.callers
	}
	return caller{f, h}
}

// reply is what the API answers.
type reply struct {
	Data   map[string]any
	Errors []struct {
		Message    string
		Path       []any
		Extensions struct{ Code, Field, RequestID string }
	}
	status int
	header http.Header
	body   []byte
}

func (c caller) ask(query string, variables map[string]any) reply {
	c.f.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	require.NoError(c.f.t, err)
	req, err := http.NewRequestWithContext(c.f.t.Context(), http.MethodPost, c.f.url, bytes.NewReader(body))
	require.NoError(c.f.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/graphql-response+json")
	for k, v := range c.headers {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(c.f.t, err)
	defer res.Body.Close()
	var raw bytes.Buffer
	_, err = raw.ReadFrom(res.Body)
	require.NoError(c.f.t, err)
	r := reply{status: res.StatusCode, header: res.Header, body: raw.Bytes()}
	require.NoError(c.f.t, json.Unmarshal(r.body, &r), "%s", r.body)
	require.NotRegexp(c.f.t, `"message":"[^"]*[0-9a-f]{8}-[0-9a-f]{4}-`, raw.String(), "messages name things by ids that callers know")
	return r
}

// get asks for data that must come.
func (c caller) get(query string, variables map[string]any) reply {
	c.f.t.Helper()
	r := c.ask(query, variables)
	require.Empty(c.f.t, r.Errors, "%s", r.body)
	return r
}

// at walks into the data by names and list positions.
func (r reply) at(t testing.TB, path ...any) any {
	t.Helper()
	var v any = r.Data
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, ok := v.(map[string]any)
			require.True(t, ok, "no object before %q in %s", p, r.body)
			v = m[p]
		case int:
			l, ok := v.([]any)
			require.True(t, ok && len(l) > p, "no element %d in %s", p, r.body)
			v = l[p]
		}
	}
	return v
}

func (r reply) text(t testing.TB, path ...any) string {
	t.Helper()
	s, ok := r.at(t, path...).(string)
	require.True(t, ok, "no text at %v in %s", path, r.body)
	return s
}

// opinion has somebody say something and returns the opinion's id.
func (f *office) opinion(text string) string {
	f.t.Helper()
	r := f.as("CITIZEN").get(`mutation($r: ID!, $s: ID!, $text: String!) { submitOpinion(input: {
		channel: HOTLINE, kind: COMPLAINT, subject: $text, text: $text, regionId: $r, siteId: $s}) { opinion { id } userErrors { message } consistency } }`,
		map[string]any{"r": f.city, "s": f.site, "text": text})
	require.NotEmpty(f.t, r.text(f.t, "submitOpinion", "consistency"))
	return r.text(f.t, "submitOpinion", "opinion", "id")
}

// issue opens an issue on a new opinion and returns the issue's id.
func (f *office) issue(title string) string {
	f.t.Helper()
	r := f.as("INTAKE").get(`mutation($o: ID!, $c: ID!) { registerIssue(input: {opinionIds: [$o], categoryId: $c}) { issue { id } userErrors { message } } }`,
		map[string]any{"o": f.opinion(title), "c": f.category})
	return r.text(f.t, "registerIssue", "issue", "id")
}

const stepReply = ` { issue { id version state closureType resolvedAt disputeCount } userErrors { code message field } consistency clientMutationId } }`

// step asks for a step of an issue; input is what it needs beside the issue.
func (f *office) step(role, mutation, issue, input string) reply {
	f.t.Helper()
	f.clock.advance(time.Minute)
	return f.as(role).get(`mutation { s: `+mutation+`(input: {issueId: "`+issue+`", `+input+`})`+stepReply, nil)
}

// done is a step that must be taken; it leaves the issue at state.
func (f *office) done(state, role, mutation, issue, input string) reply {
	f.t.Helper()
	r := f.step(role, mutation, issue, input)
	require.Empty(f.t, r.at(f.t, "s", "userErrors"), "%s by %s", mutation, role)
	require.Equal(f.t, state, r.text(f.t, "s", "issue", "state"), "%s by %s", mutation, role)
	require.NotEmpty(f.t, r.text(f.t, "s", "consistency"))
	return r
}

// create asks for one thing to be made and returns its id.
func (c caller) create(mutation, field, input string) string {
	c.f.t.Helper()
	r := c.get(`mutation { `+mutation+`(input: {`+input+`}) { `+field+` { id } userErrors { code message field } } }`, nil)
	require.Empty(c.f.t, r.at(c.f.t, mutation, "userErrors"))
	return r.text(c.f.t, mutation, field, "id")
}
