package graph_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/graph/edge"
	"groundwork/graph/edge/edgetest"
	"groundwork/graph/model"
)

// TestEverythingIsDescribed reads the schema as a client sees it: descriptions are the documentation of the API.
func TestEverythingIsDescribed(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{introspection: true})
	r := f.as("CITIZEN").get(`{ __schema { types { name description kind
		fields(includeDeprecated: true) { name description args { name description } }
		inputFields { name description } enumValues(includeDeprecated: true) { name description } } } }`, nil)
	types := r.at(t, "__schema", "types").([]any)
	require.Greater(t, len(types), 150)
	for _, v := range types {
		typ := v.(map[string]any)
		name := typ["name"].(string)
		if strings.HasPrefix(name, "__") {
			continue
		}
		described(t, name, typ)
		for _, list := range []string{"fields", "inputFields", "enumValues"} {
			members, _ := typ[list].([]any)
			for _, m := range members {
				member := m.(map[string]any)
				described(t, name+"."+member["name"].(string), member)
				args, _ := member["args"].([]any)
				for _, a := range args {
					described(t, name+"."+member["name"].(string)+"(…)", a.(map[string]any))
				}
			}
		}
	}
}

func described(t *testing.T, what string, thing map[string]any) {
	t.Helper()
	if text, _ := thing["description"].(string); strings.TrimSpace(text) == "" {
		t.Errorf("%s has no description", what)
	}
}

func TestConformsToGraphQLOverHTTP(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{introspection: true})
	edgetest.Audit(t, f.url)
}

func TestLimits(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	f.issue("Hole")
	deep := "{ issues(first: 1) { nodes " + strings.Repeat("{ mergedInto ", 11) + "{ title }" + strings.Repeat(" }", 12) + " }"
	for name, c := range map[string]struct{ query, code string }{
		"cost":          {`{ issues(first: 100) { nodes { opinions(first: 100) { text } } } }`, "COMPLEXITY_LIMIT_EXCEEDED"},
		"depth":         {deep, "DOCUMENT_LIMIT_EXCEEDED"},
		"introspection": {`{ __schema { types { name } } }`, "INTROSPECTION_DISABLED"},
		"children":      {`{ regions(first: 100) { nodes { children(first: 100) { name } } } }`, "COMPLEXITY_LIMIT_EXCEEDED"},
		"a negative page hides no cost": {`{ regions(first: 100) { nodes { children(first: -5) { children(first: 100) { name } } } } }`,
			"COMPLEXITY_LIMIT_EXCEEDED"},
		"measures": {"{" + strings.Repeat(" ", 1) + many(60, "backlog { n }") + "}", "DOCUMENT_LIMIT_EXCEEDED"},
	} {
		t.Run(name, func(t *testing.T) {
			f.store.take()
			r := f.as("CITIZEN").ask(c.query, nil)
			require.Len(t, r.Errors, 1, "%s", r.body)
			require.Equal(t, c.code, r.Errors[0].Extensions.Code, "%s", r.body)
			require.Empty(t, f.store.take(), "refused before any question to the store")
		})
	}
	t.Run("the page that every list shows is well below the limit", func(t *testing.T) {
		f.as("CITIZEN").get(`{ issues(first: 50) { edges { cursor node { id publicRef title state severity originAt dueAt
			region { name } category { name } leadUnit { name } events(first: 5) { kind at } } } pageInfo { hasNextPage endCursor } totalCount { value } } }`, nil)
	})
	t.Run("limits can be set", func(t *testing.T) {
		tight := newOffice(t, options{limits: edge.Limits{Complexity: 40}})
		r := tight.as("CITIZEN").ask(`{ issues(first: 50) { nodes { title } } }`, nil)
		require.Equal(t, "COMPLEXITY_LIMIT_EXCEEDED", r.Errors[0].Extensions.Code)
	})
}

// many repeats a field under different aliases.
func many(n int, field string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("a" + strings.Repeat("x", i) + ": " + field + " ")
	}
	return b.String()
}

// What an id names may not be there: the answer says which field, though the database keeps the value to itself where rows are narrowed.
func TestThingsThatAreNotThereAreNamed(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	nowhere := func(kind string) string { return model.ID{Type: kind, UUID: uuid.New()}.String() }
	for name, c := range map[string]struct{ role, mutation, input, field string }{
		"site":    {"SYSTEM", "createSite", `regionId: "` + nowhere(model.TypeRegion) + `", kind: SCHOOL, name: "x"`, "regionId"},
		"unit":    {"SYSTEM", "createOrgUnit", `regionId: "` + nowhere(model.TypeRegion) + `", kind: GOVT, name: "x"`, "regionId"},
		"plan":    {"SUPERVISOR", "publishRotaPlan", `name: "x", rank: COUNTY, activityKind: RESEARCH, cadence: MONTHLY, periodFrom: "2026-04-01", periodTo: "2026-05-01", regionId: "` + nowhere(model.TypeRegion) + `"`, "regionId"},
		"opinion": {"INTAKE", "submitOpinion", `channel: HOTLINE, kind: HELP, text: "x", siteId: "` + nowhere(model.TypeSite) + `"`, "siteId"},
		"holding": {"SYSTEM", "createPostHolding", `officialId: "` + nowhere(model.TypeOfficial) + `", orgUnitId: "` + f.bureau + `", rank: COUNTY, title: "x", heldFrom: "2026-01-01"`, "officialId"},
	} {
		r := f.as(c.role).get(`mutation { s: `+c.mutation+`(input: {`+c.input+`}) { userErrors { code message field } } }`, nil)
		require.Equal(t, []any{map[string]any{"code": "BAD_USER_INPUT", "field": c.field, "message": r.text(t, "s", "userErrors", 0, "message")}}, r.at(t, "s", "userErrors"), name)
		require.Contains(t, r.text(t, "s", "userErrors", 0, "message"), "does not exist", name)
	}
}
