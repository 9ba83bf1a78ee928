package graph_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCallsDoNotGrowWithThePage is the guard against N+1.
func TestCallsDoNotGrowWithThePage(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	for i := range 50 {
		f.issue(fmt.Sprintf("Hole %d", i))
	}
	nested := `{ title region { name parent { name } } category { name } site { name } leadUnit { name }
		events(first: 5) { kind } opinions(first: 2) { text site { region { name } } } claims(first: 1) { n } }`
	for name, c := range map[string]struct {
		query string
		want  map[string]int
	}{
		"nodes": {"nodes " + nested, map[string]int{"Issues": 1, "RegionsByID": 2, "CategoriesByID": 1, "SitesByID": 2, "EventsOf": 1, "OpinionsOf": 1, "ClaimsOf": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{2, 50} {
				f.store.take()
				r := f.as("INTAKE").get(fmt.Sprintf(`{ issues(first: %d) { %s } }`, size, c.query), nil)
				require.Len(t, r.at(t, "issues", "nodes"), size)
				calls := f.store.take()
				for method, most := range c.want {
					require.LessOrEqual(t, calls[method], most+slack(method), "%s for a page of %d: %v", method, size, calls)
				}
				require.Zero(t, calls["OrgUnitsByID"], "nobody is responsible yet")
			}
		})
	}
	t.Run("page of 50 in four calls", func(t *testing.T) {
		f.store.take()
		r := f.as("CITIZEN").get(`{ issues(first: 50) { nodes { title region { name } category { name } events { kind } } } }`, nil)
		require.Equal(t, "A市", r.text(t, "issues", "nodes", 49, "region", "name"))
		require.Equal(t, map[string]int{"Issues": 1, "RegionsByID": 1, "CategoriesByID": 1, "EventsOf": 1}, f.store.take())
	})
	t.Run("the tree of regions in one call a level", func(t *testing.T) {
		f.store.take()
		r := f.as("CITIZEN").get(`{ regions(first: 50) { nodes { name children(first: 5) { name } } } }`, nil)
		require.Equal(t, "A市", r.text(t, "regions", "nodes", 0, "children", 0, "name"))
		require.Equal(t, map[string]int{"Regions": 1, "ChildrenOf": 1}, f.store.take())
	})
	t.Run("nodes by id in one call a type", func(t *testing.T) {
		f.store.take()
		f.as("CITIZEN").get(`query($a: ID!, $b: ID!, $c: ID!) { nodes(ids: [$a, $b, $c, $a]) { id } }`,
			map[string]any{"a": f.city, "b": f.province, "c": f.category})
		require.Equal(t, map[string]int{"RegionsByID": 1, "CategoriesByID": 1}, f.store.take())
	})
}

// slack allows for windows that a busy machine closes early, where lists wait for each other; far below one call a row.
func slack(method string) int {
	if method == "SitesByID" || method == "RegionsByID" {
		return 10
	}
	return 0
}

func TestAfterAWriteTheRequestReadsItsOwnWrite(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	id := f.issue("Hole")
	r := f.as("DISPATCHER").get(`mutation($i: ID!, $u: ID!, $o: ID!) {
		a: linkOpinion(input: {issueId: $i, opinionId: $o}) { issue { events { kind } } }
		b: dispatchIssue(input: {issueId: $i, unitId: $u}) { issue { events { kind } } userErrors { message } } }`,
		map[string]any{"i": id, "u": f.bureau, "o": f.opinion("Same hole")})
	require.Len(t, r.at(t, "a", "issue", "events"), 2)
	require.Len(t, r.at(t, "b", "issue", "events"), 3)
}
