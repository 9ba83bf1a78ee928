package graph_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork"
)

const readContact = `mutation($o: ID, $i: ID, $why: String!) { r: readContact(input: {opinionId: $o, issueId: $i, purpose: $why}) {
	contacts { reporter name phone email idNumber address } userErrors { code message field } } }`

// Who reported is given once, is nowhere to be read by the way, and is read for a purpose by those who handle it.
func TestContactsThroughTheAPI(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	said := f.as("INTAKE").get(`mutation($r: ID!) { s: submitOpinion(input: {channel: HOTLINE, kind: HELP, text: "The roof leaks", regionId: $r,
		contact: {name: "李梅", phone: "13800000000", idNumber: "110101199003070000"}}) { opinion { id } userErrors { message } } }`, map[string]any{"r": f.city})
	opinion := said.text(t, "s", "opinion", "id")
	issue := f.as("INTAKE").get(`mutation($o: ID!, $c: ID!) { registerIssue(input: {opinionIds: [$o], categoryId: $c}) { issue { id } userErrors { message } } }`,
		map[string]any{"o": opinion, "c": f.category}).text(t, "registerIssue", "issue", "id")
	ask := func(role string) reply {
		return f.as(role).get(readContact, map[string]any{"i": issue, "why": "to see the roof together"})
	}
	require.Equal(t, "FORBIDDEN", ask("HANDLER").text(t, "r", "userErrors", 0, "code"), "the unit does not have it yet")
	f.done("DISPATCHED", "DISPATCHER", "dispatchIssue", issue, `unitId: "`+f.bureau+`"`)
	read := ask("HANDLER").at(t, "r", "contacts", 0).(map[string]any)
	require.Equal(t, []any{"李梅", "13800000000", nil, nil, nil}, []any{read["name"], read["phone"], read["email"], read["idNumber"], read["address"]})
	require.Equal(t, "110101199003070000", f.as("PRIVACY_OFFICER").get(readContact, map[string]any{"o": opinion, "why": "the reporter asks"}).text(t, "r", "contacts", 0, "idNumber"))
	require.Equal(t, "FORBIDDEN", ask("CALLER").text(t, "r", "userErrors", 0, "code"))
	r := f.as("HANDLER").get(readContact, map[string]any{"i": issue, "why": "why"})
	require.Equal(t, "purpose", r.text(t, "r", "userErrors", 0, "field"))
	r = f.as("HANDLER").get(readContact, map[string]any{"why": "to see the roof together"})
	require.Equal(t, "BAD_USER_INPUT", r.text(t, "r", "userErrors", 0, "code"))
	for _, role := range []string{"SUPERVISOR", "CITIZEN", "ANALYST", "DISPATCHER"} {
		r := f.as(role).ask(readContact, map[string]any{"i": issue, "why": "to see the roof together"})
		require.Equal(t, "FORBIDDEN", r.Errors[0].Extensions.Code, role)
	}

	official := f.create("createOfficial", "official", `pseudonym: "o-7"`)
	named := f.as("SYSTEM").get(`mutation { n: nameOfficial(input: {officialId: "`+official+`", name: "王强"}) { userErrors { message } } }`, nil)
	require.Empty(t, named.at(t, "n", "userErrors"))
	names := f.as("SUPERVISOR").get(`mutation { n: readOfficialNames(input: {officialIds: ["`+official+`"], purpose: "who led the visit"}) { names { officialId name } userErrors { message } } }`, nil)
	require.Equal(t, map[string]any{"officialId": official, "name": "王强"}, names.at(t, "n", "names", 0))
	none := f.as("SUPERVISOR").get(`mutation { n: readOfficialNames(input: {officialIds: [], purpose: "who led the visit"}) { names { name } userErrors { field } } }`, nil)
	require.Equal(t, "officialIds", none.text(t, "n", "userErrors", 0, "field"))
}

// What is confidential opens to whoever breaks the glass, for a day, under the eyes of the privacy officer.
func TestBrokenGlassThroughTheAPI(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	opinion := f.as("INTAKE").get(`mutation($r: ID!) { s: submitOpinion(input: {channel: HOTLINE, kind: REPORT, text: "told in confidence", regionId: $r, confidentiality: CONFIDENTIAL}) {
		opinion { id } userErrors { message } } }`, map[string]any{"r": f.city}).text(t, "s", "opinion", "id")
	words := func() any {
		r := f.as("ANALYST").get(`query($o: ID!) { opinion(id: $o) { text } }`, map[string]any{"o": opinion})
		if r.at(t, "opinion") == nil {
			return nil
		}
		return r.at(t, "opinion", "text")
	}
	require.Nil(t, words())
	f.clock.advance(time.Since(f.clock.Now())) // the rows are shown by the clock of the database
	broken := f.as("ANALYST").get(`mutation($o: ID!) { g: breakGlass(input: {opinionId: $o, reason: "a court order of today"}) {
		glass { id account role reason expiresAt revokedAt } userErrors { code message } } }`, map[string]any{"o": opinion})
	require.Empty(t, broken.at(t, "g", "userErrors"), "%s", broken.body)
	require.Equal(t, "told in confidence", words())

	told := f.as("PRIVACY_OFFICER").get(`{ viewer { notifications(first: 5) { nodes { kind issue { id } } } }
		brokenGlasses(first: 5, openOnly: true) { nodes { id account role reason } } }`, nil)
	require.Equal(t, map[string]any{"kind": "GLASS_BROKEN", "issue": nil}, told.at(t, "viewer", "notifications", "nodes", 0))
	require.Equal(t, "the-ANALYST", told.text(t, "brokenGlasses", "nodes", 0, "account"))
	glass := told.text(t, "brokenGlasses", "nodes", 0, "id")
	require.Equal(t, "FORBIDDEN", f.as("ANALYST").ask(`{ brokenGlasses(first: 5) { nodes { id } } }`, nil).Errors[0].Extensions.Code)

	f.clock.advance(time.Minute)
	revoked := f.as("PRIVACY_OFFICER").get(`mutation { g: revokeGlass(input: {id: "`+glass+`"}) { glass { revokedAt } userErrors { message } } }`, nil)
	require.NotEmpty(t, revoked.text(t, "g", "glass", "revokedAt"))
	require.Nil(t, words())
	require.Equal(t, "FORBIDDEN", f.as("CITIZEN").ask(`mutation($o: ID!) { g: breakGlass(input: {opinionId: $o, reason: "I want to know"}) { glass { id } } }`, map[string]any{"o": opinion}).Errors[0].Extensions.Code)
}

// purse is a meter with so many points, and notes what was charged.
type purse struct {
	mu      sync.Mutex
	points  int
	charged []groundwork.Charge
}

func (p *purse) Admit(_ context.Context, c groundwork.Charge) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.charged = append(p.charged, c)
	if c.Points > p.points {
		return &groundwork.Error{Code: groundwork.CodeRateLimited, Message: "too much was asked lately", RetryAfter: 2500 * time.Millisecond}
	}
	p.points -= c.Points
	return nil
}

func (p *purse) Left(context.Context) (groundwork.Allowance, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return groundwork.Allowance{Limit: 1_000_000, Remaining: p.points, ResetAt: time.Unix(0, 0).UTC()}, true
}

func (p *purse) last() groundwork.Charge {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.charged[len(p.charged)-1]
}

// Checklist row 27: a document costs its cost, before anything is done; 429 with Retry-After and a code when the points are used up.
func TestRow27RateLimits(t *testing.T) {
	t.Parallel()
	p := &purse{points: 1_000_000}
	f := newOffice(t, options{meter: p})
	f.as("CITIZEN").get(`{ issues(first: 50) { nodes { id title } } }`, nil)
	require.Equal(t, groundwork.Charge{Points: 151}, p.last(), "1, and fifty rows of nodes, id and title")
	nobody := caller{f: f, headers: map[string]string{}}
	nobody.get(`mutation { a: submitOpinion(input: {kind: HELP, text: "x"}) { userErrors { message } } ...more }
		fragment more on Mutation { b: submitOpinion(input: {kind: HELP, text: "y"}) { userErrors { message } } }`, nil)
	require.Equal(t, 2, p.last().Submissions)
	left := nobody.get(`{ rateLimit { limit remaining resetAt } }`, nil)
	require.Equal(t, map[string]any{"limit": 1e6, "remaining": float64(p.points), "resetAt": "1970-01-01T00:00:00Z"}, left.at(t, "rateLimit"))

	p.points = 3
	r := f.as("SYSTEM").ask(`mutation { createOrgUnit(input: {name: "Never", kind: GOVT}) { orgUnit { id name kind } } }`, nil)
	require.Equal(t, http.StatusTooManyRequests, r.status, "%s", r.body)
	require.Equal(t, "3", r.header.Get("Retry-After"))
	require.Equal(t, "RATE_LIMITED", r.Errors[0].Extensions.Code)
	require.Contains(t, string(r.body), `"retryAfter":3`)
	p.points = 1000
	require.NotContains(t, string(f.as("CITIZEN").get(`{ orgUnits(first: 10) { nodes { name } } }`, nil).body), "Never")
}

// Without a meter nobody counts, and the API says so.
func TestWithoutAMeter(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	require.Nil(t, f.as("CITIZEN").get(`{ rateLimit { limit } }`, nil).at(t, "rateLimit"))
}
