package auth_test

import (
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/auth"
	"groundwork/internal/embedded/embeddedtest"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

var now = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

func keyFile(t *testing.T, content []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "keys.json")
	require.NoError(t, os.WriteFile(name, content, 0o600))
	return name
}

func newKeys(t *testing.T) (*auth.Keys, jose.JSONWebKey) {
	t.Helper()
	text, err := auth.NewKey("one")
	require.NoError(t, err)
	keys, err := auth.ReadKeys(keyFile(t, text))
	require.NoError(t, err)
	var set jose.JSONWebKeySet
	require.NoError(t, json.Unmarshal(text, &set))
	return keys, set.Keys[0]
}

// forge signs whatever claims with whatever key.
func forge(t *testing.T, alg jose.SignatureAlgorithm, key any, kid string, claims any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", kid))
	require.NoError(t, err)
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	require.NoError(t, err)
	return token
}

func claims(change func(*jwt.Claims)) jwt.Claims {
	c := jwt.Claims{Issuer: auth.Issuer, Subject: "li", Audience: jwt.Audience{auth.DefaultAudience}, Expiry: jwt.NewNumericDate(now.Add(time.Hour))}
	if change != nil {
		change(&c)
	}
	return c
}

func TestTokensOfOwnKeys(t *testing.T) {
	t.Parallel()
	keys, private := newKeys(t)
	_, otherPrivate := newKeys(t)
	verify := keys.Verifier(auth.DefaultAudience, func() time.Time { return now })
	good, err := keys.Sign("li", auth.DefaultAudience, now, time.Hour)
	require.NoError(t, err)
	account, err := verify(t.Context(), good)
	require.NoError(t, err)
	require.Equal(t, "li", account)

	public, err := private.Public().MarshalJSON()
	require.NoError(t, err)
	at := func(d time.Duration) *jwt.NumericDate { return jwt.NewNumericDate(now.Add(d)) }
	for name, token := range map[string]string{
		"none":                           "eyJhbGciOiJub25lIn0.eyJzdWIiOiJsaSJ9.",
		"no token":                       "x",
		"another key by the same name":   forge(t, jose.ES256, otherPrivate.Key, "one", claims(nil)),
		"an unknown key":                 forge(t, jose.ES256, private.Key, "two", claims(nil)),
		"no key named":                   forge(t, jose.ES256, private.Key, "", claims(nil)),
		"the public key as a secret":     forge(t, jose.HS256, append(public, make([]byte, 32)...), "one", claims(nil)),
		"expired":                        forge(t, jose.ES256, private.Key, "one", claims(func(c *jwt.Claims) { c.Expiry = at(-2 * time.Minute) })),
		"never expires":                  forge(t, jose.ES256, private.Key, "one", claims(func(c *jwt.Claims) { c.Expiry = nil })),
		"not yet valid":                  forge(t, jose.ES256, private.Key, "one", claims(func(c *jwt.Claims) { c.NotBefore = at(2 * time.Minute) })),
		"issued in the future":           forge(t, jose.ES256, private.Key, "one", claims(func(c *jwt.Claims) { c.IssuedAt = at(2 * time.Minute) })),
		"of another issuer":              forge(t, jose.ES256, private.Key, "one", claims(func(c *jwt.Claims) { c.Issuer = "elsewhere" })),
		"for another audience":           forge(t, jose.ES256, private.Key, "one", claims(func(c *jwt.Claims) { c.Audience = jwt.Audience{"other"} })),
		"for nobody":                     forge(t, jose.ES256, private.Key, "one", claims(func(c *jwt.Claims) { c.Audience = nil })),
		"changed after it was signed":    good[:len(good)-4] + "AAAA",
		"the claims of another token":    strings.Split(good, ".")[0] + ".eyJzdWIiOiJhZG1pbiJ9." + strings.Split(good, ".")[2],
		"with a signature that is empty": strings.Join(strings.Split(good, ".")[:2], ".") + ".",
	} {
		_, err := verify(t.Context(), token)
		require.Error(t, err, name)
	}
	for name, change := range map[string]func(*jwt.Claims){
		"expired within the leeway":   func(c *jwt.Claims) { c.Expiry = at(-30 * time.Second) },
		"not yet valid, but nearly":   func(c *jwt.Claims) { c.NotBefore = at(30 * time.Second) },
		"for this and other services": func(c *jwt.Claims) { c.Audience = jwt.Audience{"other", auth.DefaultAudience} },
	} {
		_, err := verify(t.Context(), forge(t, jose.ES256, private.Key, "one", claims(change)))
		require.NoError(t, err, name)
	}
}

func TestKeySets(t *testing.T) {
	t.Parallel()
	keys, _ := newKeys(t)
	public, err := keys.Public()
	require.NoError(t, err)
	require.NotContains(t, string(public), `"d"`)
	verifying, err := auth.ReadKeys(keyFile(t, public))
	require.NoError(t, err)
	_, err = verifying.Sign("li", auth.DefaultAudience, now, time.Hour)
	require.ErrorContains(t, err, "public keys alone")
	token, err := keys.Sign("li", auth.DefaultAudience, now, time.Hour)
	require.NoError(t, err)
	_, err = verifying.Verifier(auth.DefaultAudience, func() time.Time { return now })(t.Context(), token)
	require.NoError(t, err)

	secret := func(alg, kid string, bytes int) string {
		raw := make([]byte, bytes)
		_, _ = rand.Read(raw)
		text, err := json.Marshal(jose.JSONWebKey{Key: raw, KeyID: kid, Algorithm: alg})
		require.NoError(t, err)
		return string(text)
	}
	shared, err := auth.ReadKeys(keyFile(t, []byte(`{"keys":[`+secret("HS256", "s", 32)+`]}`)))
	require.NoError(t, err)
	token, err = shared.Sign("li", auth.DefaultAudience, now, time.Hour)
	require.NoError(t, err)
	account, err := shared.Verifier(auth.DefaultAudience, func() time.Time { return now })(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, "li", account)
	_, err = shared.Public()
	require.ErrorContains(t, err, "no public half")

	for want, text := range map[string]string{
		"no JSON Web Key Set": "x",
		"has no keys":         `{"keys":[]}`,
		"at least 32":         `{"keys":[` + secret("HS256", "s", 31) + `]}`,
		"not for ES256":       `{"keys":[` + secret("ES256", "s", 32) + `]}`,
		`"alg" "" is unknown`: `{"keys":[` + secret("", "s", 32) + `]}`,
		`"kid" of its own`:    `{"keys":[` + secret("HS256", "s", 32) + `,` + secret("HS256", "s", 32) + `]}`,
	} {
		_, err := auth.ReadKeys(keyFile(t, []byte(text)))
		require.ErrorContains(t, err, want)
	}
}

// provider is an OpenID Connect provider that may change its key.
type provider struct {
	*httptest.Server
	key     atomic.Pointer[jose.JSONWebKey]
	fetched atomic.Int64
}

func newProvider(t *testing.T, key jose.JSONWebKey) *provider {
	t.Helper()
	p := &provider{}
	p.key.Store(&key)
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": p.URL, "jwks_uri": p.URL + "/keys", "authorization_endpoint": p.URL + "/auth",
			"token_endpoint": p.URL + "/token", "id_token_signing_alg_values_supported": []string{"ES256"}})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		p.fetched.Add(1)
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{p.key.Load().Public()}})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func TestTokensOfAProvider(t *testing.T) {
	t.Parallel()
	_, first := newKeys(t)
	p := newProvider(t, first)
	verify, err := auth.Discover(t.Context(), p.URL, auth.DefaultAudience, func() time.Time { return now })
	require.NoError(t, err)
	theirs := claims(func(c *jwt.Claims) { c.Issuer = p.URL })
	for range 3 {
		account, err := verify(t.Context(), forge(t, jose.ES256, first.Key, "one", theirs))
		require.NoError(t, err)
		require.Equal(t, "li", account)
	}
	require.EqualValues(t, 1, p.fetched.Load(), "the keys are remembered")

	_, second := newKeys(t)
	second.KeyID = "two"
	_, err = verify(t.Context(), forge(t, jose.ES256, second.Key, "two", theirs))
	require.Error(t, err, "nobody knows this key yet")
	p.key.Store(&second)
	// A question that comes while the look before is being put away is answered with what that one found.
	require.Eventually(t, func() bool {
		_, err := verify(t.Context(), forge(t, jose.ES256, second.Key, "two", theirs))
		return err == nil
	}, time.Minute, time.Millisecond, "the provider has changed its key")

	for name, change := range map[string]func(*jwt.Claims){
		"expired":      func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(now.Add(-time.Hour)) },
		"other issuer": func(c *jwt.Claims) { c.Issuer = auth.Issuer },
		"other aud":    func(c *jwt.Claims) { c.Audience = jwt.Audience{"other"} },
	} {
		c := theirs
		change(&c)
		_, err := verify(t.Context(), forge(t, jose.ES256, second.Key, "two", c))
		require.Error(t, err, name)
	}
	_, err = auth.Discover(t.Context(), p.URL+"/nothing", auth.DefaultAudience, time.Now)
	require.ErrorContains(t, err, "discover the OpenID Connect provider")
}

// desk is the way in, over a real system of record.
type desk struct {
	t    *testing.T
	db   *postgres.DB
	keys *auth.Keys
	h    http.Handler
	unit uuid.UUID
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, db: pgtest.NewDB(t)}
	d.keys, _ = newKeys(t)
	verify := d.keys.Verifier(auth.DefaultAudience, func() time.Time { return now })
	d.h = auth.Identify(verify, d.db, auth.Options{Remember: 10 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = json.NewEncoder(w).Encode(groundwork.ActorFrom(r.Context()))
		}))
	unit, _, err := d.db.CreateOrgUnit(t.Context(), groundwork.System, groundwork.OrgUnit{Name: "Roads", Kind: "GOVT"})
	require.NoError(t, err)
	d.unit = unit.ID
	return d
}

func (d *desk) token(account string) string {
	d.t.Helper()
	token, err := d.keys.Sign(account, auth.DefaultAudience, now, time.Hour)
	require.NoError(d.t, err)
	return "Bearer " + token
}

func (d *desk) ask(headers ...string) (status int, actor groundwork.Actor, body string, answer http.Header) {
	d.t.Helper()
	r := httptest.NewRequestWithContext(d.t.Context(), http.MethodPost, "/graphql", nil)
	for n := 0; n < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
	}
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, r)
	if w.Code == http.StatusOK {
		require.NoError(d.t, json.Unmarshal(w.Body.Bytes(), &actor))
	}
	return w.Code, actor, w.Body.String(), w.Header()
}

func TestWhoAsks(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	grant, err := d.db.GrantRole(t.Context(), groundwork.System, groundwork.RoleGrant{Account: "li", Role: groundwork.RoleHandler, Unit: "Roads"})
	require.NoError(t, err)

	status, actor, _, _ := d.ask()
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, groundwork.Anonymous, actor)

	_, actor, _, _ = d.ask("Authorization", d.token("wang"))
	require.Equal(t, groundwork.Actor{ID: "wang", Role: groundwork.RoleCitizen}, actor, "an account without roles is a citizen")

	_, actor, _, _ = d.ask("Authorization", d.token("li"))
	require.Equal(t, groundwork.RoleHandler, actor.Role)
	require.Equal(t, &d.unit, actor.UnitID)

	_, actor, _, _ = d.ask("Authorization", d.token("li"), auth.HeaderRole, "CITIZEN")
	require.Equal(t, groundwork.RoleCitizen, actor.Role)
	require.Nil(t, actor.UnitID)

	_, err = d.db.RevokeRole(t.Context(), groundwork.System, grant.ID)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, actor, _, _ := d.ask("Authorization", d.token("li"))
		return actor.Role == groundwork.RoleCitizen
	}, time.Minute, time.Millisecond, "a revoked role is gone though the token is valid")
}

func TestWhoIsNotLetIn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, err := d.db.GrantRole(t.Context(), groundwork.System, groundwork.RoleGrant{Account: "li", Role: groundwork.RoleHandler, Unit: d.unit.String()})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		headers []string
		status  int
		code    groundwork.Code
	}{
		"a role by header alone":          {[]string{auth.HeaderRole, "SUPERVISOR"}, 401, groundwork.CodeUnauthenticated},
		"no bearer":                       {[]string{"Authorization", "Basic bGk6bGk="}, 401, groundwork.CodeUnauthenticated},
		"bearer of nothing":               {[]string{"Authorization", "Bearer "}, 401, groundwork.CodeUnauthenticated},
		"a token that proves nothing":     {[]string{"Authorization", "Bearer secret-text"}, 401, groundwork.CodeUnauthenticated},
		"a token as long as a book":       {[]string{"Authorization", "Bearer " + strings.Repeat("x", 9<<10)}, 401, groundwork.CodeUnauthenticated},
		"the anonymous with a token":      {[]string{"Authorization", d.token("anonymous")}, 401, groundwork.CodeUnauthenticated},
		"the system with a token":         {[]string{"Authorization", d.token("system")}, 401, groundwork.CodeUnauthenticated},
		"a role that it does not have":    {[]string{"Authorization", d.token("li"), auth.HeaderRole, "SUPERVISOR"}, 403, groundwork.CodeForbidden},
		"a role that nobody has":          {[]string{"Authorization", d.token("li"), auth.HeaderRole, "SYSTEM"}, 403, groundwork.CodeForbidden},
		"a unit that it does not act for": {[]string{"Authorization", d.token("li"), auth.HeaderUnit, uuid.NewString()}, 403, groundwork.CodeForbidden},
		"a unit that is none":             {[]string{"Authorization", d.token("li"), auth.HeaderUnit, "roads"}, 400, groundwork.CodeInvalid},
	} {
		status, _, body, header := d.ask(c.headers...)
		require.Equal(t, c.status, status, "%s: %s", name, body)
		require.Contains(t, body, `"code":"`+string(c.code)+`"`, name)
		require.NotContains(t, body, "secret-text", "what was sent is not said back")
		require.Equal(t, c.status == 401, header.Get("WWW-Authenticate") != "", name)
		require.Equal(t, "no-store", header.Get("Cache-Control"))
	}
}

func TestAStoreThatIsAway(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.db.Close()
	status, _, body, _ := d.ask("Authorization", d.token("li"))
	require.Equal(t, http.StatusServiceUnavailable, status, "%s", body)
	require.NotContains(t, body, "closed pool")
}
