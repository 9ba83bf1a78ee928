package open311_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/internal/embedded/embeddedtest"
	"groundwork/open311"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

// now is the moment at which the tests live.
var now = time.Date(2026, 11, 20, 15, 30, 45, 0, groundwork.China)

// bundle is an API over real Postgres, with a region, two services and a key.
type bundle struct {
	*testing.T
	db     *postgres.DB
	dsn    string
	url    string
	key    string
	region *groundwork.Region
	meter  *meter
}

// meter refuses what the test says, and notes who was charged last.
type meter struct {
	groundwork.Unlimited
	mu      sync.Mutex
	full    map[string]bool // accounts that have nothing left
	charged string
}

func (m *meter) Admit(ctx context.Context, _ groundwork.Charge) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.charged = groundwork.ActorFrom(ctx).ID
	if m.full[m.charged] {
		return &groundwork.Error{Code: groundwork.CodeRateLimited, Message: "too much", RetryAfter: 1500 * time.Millisecond}
	}
	return nil
}

func (m *meter) exhaust(accounts ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full = map[string]bool{}
	for _, a := range accounts {
		m.full[a] = true
	}
}

func setup(t *testing.T) *bundle {
	dsn := pgtest.New(t)
	db := pgtest.Open(t, dsn, postgres.Options{Now: func() time.Time { return now }, SecretKey: []byte("key of the secrets")})
	b := &bundle{T: t, db: db, dsn: dsn}
	ctx, by := t.Context(), groundwork.Actor{ID: "admin", Role: groundwork.RoleSystem}
	province, _, err := db.CreateRegion(ctx, by, groundwork.Region{Code: "990000000000", Level: groundwork.Province, Name: "Z省"})
	require.NoError(t, err)
	b.region, _, err = db.CreateRegion(ctx, by, groundwork.Region{Code: "990100000000", Level: groundwork.Prefecture, Name: "A市", ParentID: &province.ID, UrbanRural: new("URBAN")})
	require.NoError(t, err)
	since := now.AddDate(-1, 0, 0)
	roads, _, err := db.CreateCategory(ctx, by, groundwork.Category{Code: "02", Name: "城乡建设", ValidFrom: since})
	require.NoError(t, err)
	for code, name := range map[string]string{"0201": "路灯", "0202": "道路 & 井盖"} {
		_, _, err = db.CreateCategory(ctx, by, groundwork.Category{Code: code, Name: name, ParentID: &roads.ID, ValidFrom: since})
		require.NoError(t, err)
	}
	_, _, err = db.CreateCategory(ctx, by, groundwork.Category{Code: "0203", Name: "旧", ParentID: &roads.ID, ValidFrom: since, ValidTo: new(now.AddDate(0, -1, 0))})
	require.NoError(t, err)
	_, b.key, err = db.CreateAPIKey(ctx, by, groundwork.APIKey{Account: "city-app", Scopes: []groundwork.APIScope{groundwork.ScopeOpen311}})
	require.NoError(t, err)
	b.meter = &meter{}
	handler := open311.NewHandler(open311.Deps{Store: db, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }, Meter: b.meter})
	server := httptest.NewServer(http.StripPrefix("/open311", handler))
	t.Cleanup(server.Close)
	b.url = server.URL + "/open311"
	return b
}

// get asks for a path and returns the answer with its body.
func (b *bundle) get(path string) (reply, string) {
	b.Helper()
	response, err := http.Get(b.url + path)
	require.NoError(b, err)
	return b.read(response)
}

// reply is what an answer says beside its body.
type reply struct {
	StatusCode int
	Header     http.Header
}

func (b *bundle) read(response *http.Response) (reply, string) {
	b.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(b, err)
	return reply{response.StatusCode, response.Header}, string(body)
}

// post files a request; fields override those of a good one, and an empty value removes a field.
func (b *bundle) post(path string, fields map[string]string) (reply, string) {
	b.Helper()
	form := url.Values{"api_key": {b.key}, "service_code": {"0201"}, "lat": {"28.2345678"}, "long": {"112.9456789"}, "description": {"路灯坏了\n一个月"}}
	for name, value := range fields {
		form.Set(name, value)
		if value == "" {
			form.Del(name)
		}
	}
	response, err := http.PostForm(b.url+path, form)
	require.NoError(b, err)
	return b.read(response)
}

// file files a request that must be taken and returns its number.
func (b *bundle) file(fields map[string]string) string {
	b.Helper()
	response, body := b.post("/v2/requests.json", fields)
	require.Equal(b, http.StatusOK, response.StatusCode, body)
	var filed []map[string]any
	require.NoError(b, json.Unmarshal([]byte(body), &filed))
	require.Len(b, filed, 1)
	return filed[0]["service_request_id"].(string)
}

// requests reads a list of requests.
func (b *bundle) requests(query string) []map[string]any {
	b.Helper()
	response, body := b.get("/v2/requests.json" + query)
	require.Equal(b, http.StatusOK, response.StatusCode, body)
	var list []map[string]any
	require.NoError(b, json.Unmarshal([]byte(body), &list))
	return list
}

func ids(list []map[string]any) (all []string) {
	for _, r := range list {
		all = append(all, r["service_request_id"].(string))
	}
	return all
}

// scalar reads one value from the database.
func scalar[T any](b *bundle, sql string, args ...any) (value T) {
	b.Helper()
	ctx := context.WithoutCancel(b.Context())
	conn, err := pgx.Connect(ctx, b.dsn)
	require.NoError(b, err)
	defer conn.Close(ctx)
	require.NoError(b, conn.QueryRow(ctx, sql, args...).Scan(&value), sql)
	return value
}

func lines(parts ...string) string { return strings.Join(parts, "\n") }
