package graph_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestActorHeaders(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	const steps = `{ issues(first: 1) { nodes { permittedSteps } } }`
	f.issue("Hole")
	for name, c := range map[string]struct {
		headers map[string]string
		field   string // of the refusal, empty if accepted
	}{
		"none":              {map[string]string{}, ""},
		"unit by API id":    {map[string]string{"Groundwork-Actor": "h", "Groundwork-Role": "HANDLER", "Groundwork-Unit": f.bureau}, ""},
		"unit by UUID":      {map[string]string{"Groundwork-Unit": "01900000-0000-7000-8000-000000000000"}, ""},
		"unknown role":      {map[string]string{"Groundwork-Actor": "h", "Groundwork-Role": "KING"}, "Groundwork-Role"},
		"anonymous handler": {map[string]string{"Groundwork-Role": "HANDLER"}, "Groundwork-Actor"},
		"unit of a region":  {map[string]string{"Groundwork-Unit": f.city}, "Groundwork-Unit"},
		"unit of nonsense":  {map[string]string{"Groundwork-Unit": "x"}, "Groundwork-Unit"},
	} {
		t.Run(name, func(t *testing.T) {
			r := caller{f, c.headers}.ask(steps, nil)
			if c.field == "" {
				require.Equal(t, 200, r.status, "%s", r.body)
				return
			}
			require.Equal(t, 400, r.status)
			require.Equal(t, "BAD_USER_INPUT", r.Errors[0].Extensions.Code)
			require.Equal(t, c.field, r.Errors[0].Extensions.Field)
		})
	}
}

func TestConfidentialWordsAreForThoseWhoWorkOnThem(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	r := f.as("CITIZEN").get(`mutation { submitOpinion(input: {kind: REPORT, subject: "Bribes", text: "He took it", latitude: 1, longitude: 2,
		confidentiality: CONFIDENTIAL}) { opinion { id } userErrors { message } } }`, nil)
	id := map[string]any{"id": r.text(t, "submitOpinion", "opinion", "id")}
	const read = `query($id: ID!) { opinion(id: $id) { subject text latitude longitude } node(id: $id) { ... on Opinion { text } } }`
	reporter := f.as("CITIZEN").get(read, id)
	require.Equal(t, map[string]any{"subject": nil, "text": nil, "latitude": nil, "longitude": nil}, reporter.at(t, "opinion"), "its own, without the words")
	stranger := caller{f, map[string]string{"Groundwork-Actor": "a-stranger", "Groundwork-Role": "CITIZEN"}}
	for _, other := range []caller{stranger, {f, nil}, f.as("ANALYST"), f.as("RESEARCHER")} {
		r := other.get(read, id)
		require.Nil(t, r.at(t, "opinion"), "as if it were not there")
		require.Nil(t, r.at(t, "node"))
	}
	made := f.as("INTAKE").get(`mutation($id: ID!) { registerIssue(input: {opinionIds: [$id]}) { issue { title } userErrors { message } } }`, id)
	require.Empty(t, made.text(t, "registerIssue", "issue", "title"), "its subject is no title for everybody")
	require.Equal(t, "He took it", f.as("HANDLER").get(read, id).text(t, "opinion", "text"))
}

func TestIdsOfLookUps(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	issue := f.issue("Hole")
	r := f.as("CITIZEN").get(`query($i: ID!, $r: ID!) { issue(id: $i) { publicRef id } node(id: $r) { id ... on Region { code } }
		region(code: "430100000000") { id parent { code } children(first: 1) { code } } }`, map[string]any{"i": issue, "r": f.city})
	require.Equal(t, f.city, r.text(t, "region", "id"))
	require.Equal(t, "430100000000", r.text(t, "node", "code"))
	byRef := f.as("CITIZEN").get(`query($r: String!) { issue(ref: $r) { id } }`, map[string]any{"r": r.text(t, "issue", "publicRef")})
	require.Equal(t, issue, byRef.text(t, "issue", "id"))

	const nobody = "SXNzdWU6MDE5MDAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAw" // Issue:01900000-0000-7000-8000-000000000000
	r = f.as("CITIZEN").get(`{ issue(id: "`+nobody+`") { id } region(code: "000000000000") { id } node(id: "`+nobody+`") { id } }`, nil)
	require.Equal(t, map[string]any{"issue": nil, "region": nil, "node": nil}, r.Data, "what is not there is null")

	for name, query := range map[string]string{
		"malformed":       `{ issue(id: "x") { id } }`,
		"of another type": `{ issue(id: "` + f.city + `") { id } }`,
		"unknown type":    `{ node(id: "S2luZzowMTkwMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDA") { id } }`,
		"both keys":       `{ region(id: "` + f.city + `", code: "1") { id } }`,
		"no key":          `{ issue { id } }`,
	} {
		t.Run(name, func(t *testing.T) {
			r := f.as("CITIZEN").ask(query, nil)
			require.Len(t, r.Errors, 1)
			require.Equal(t, "BAD_USER_INPUT", r.Errors[0].Extensions.Code, "%s", r.body)
		})
	}
}
