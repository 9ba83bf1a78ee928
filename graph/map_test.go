package graph_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

// Where regions lie, which touch, and a measure drawn on them.
func TestBoundariesNeighboursAndMaps(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{warehouse: true})
	f.create("createRegion", "region", `code: "430200000000", level: PREFECTURE, name: "B市", parentId: "`+f.province+`"`)
	f.issue("A hole in the road")
	owner := pgtest.Open(t, f.dsn, postgres.Options{Now: f.clock.Now})
	clerk := groundwork.Actor{ID: "import", Role: groundwork.RoleSystem}
	outline := `{"type":"Polygon","coordinates":[[[112,28],[113,28],[113,29],[112,28]]]}`
	_, err := owner.ImportBoundaries(t.Context(), clerk, []groundwork.BoundaryRow{{Line: 1, Code: "430100000000", Boundary: groundwork.Boundary{
		GeoJSON: outline, South: 28, West: 112, North: 29, East: 113, Latitude: 28.3, Longitude: 112.6, Source: "survey"}}}, groundwork.ReferenceOptions{})
	require.NoError(t, err)
	_, err = owner.ImportNeighbours(t.Context(), clerk, []groundwork.NeighbourRow{{Codes: [2]string{"430200000000", "430100000000"}, Source: groundwork.ListedPair}}, groundwork.ReferenceOptions{})
	require.NoError(t, err)

	f.store.take()
	r := f.as("SUPERVISOR").get(`{ regions(first: 10) { nodes { code neighbours { code } boundary { geometry source south centroid { latitude longitude } } } } }`, nil)
	nodes := r.at(t, "regions", "nodes").([]any)
	require.Equal(t, []any{map[string]any{"code": "430200000000"}}, nodes[1].(map[string]any)["neighbours"])
	require.Equal(t, []any{map[string]any{"code": "430100000000"}}, nodes[2].(map[string]any)["neighbours"])
	require.Nil(t, nodes[0].(map[string]any)["boundary"])
	require.Equal(t, "Polygon", r.at(t, "regions", "nodes", 1, "boundary", "geometry", "type"))
	require.Equal(t, 28.3, r.at(t, "regions", "nodes", 1, "boundary", "centroid", "latitude"))
	calls := f.store.take()
	require.Equal(t, []int{1, 1}, []int{calls["BoundariesOf"], calls["NeighboursOf"]}, "once for all regions of a list")

	last := f.as("SYSTEM").get(`mutation($r: ID!) { setPopulation(input: {regionId: $r, year: 2026, persons: 1000, source: "census"}) { consistency } }`, map[string]any{"r": f.city})
	token := map[string]any{"token": last.text(t, "setPopulation", "consistency")}
	const ask = `query($token: String!) { measureMap(measure: T4, query: {regionLevel: PREFECTURE, columns: ["open", "ageP50Days"], consistency: $token}) {
		count withoutOutline truncated features about { measure fresh } } }`
	r = f.as("SUPERVISOR").get(ask, token)
	require.Equal(t, true, r.at(t, "measureMap", "about", "fresh"))
	require.EqualValues(t, 1, r.at(t, "measureMap", "count"))
	require.EqualValues(t, 0, r.at(t, "measureMap", "withoutOutline"))
	require.Equal(t, "Polygon", r.at(t, "measureMap", "features", "features", 0, "geometry", "type"))
	require.EqualValues(t, 1, r.at(t, "measureMap", "features", "features", 0, "properties", "open"))
	require.NotContains(t, r.at(t, "measureMap", "features", "features", 0, "properties"), "awaitingFeedback")

	r = f.as("ANALYST").get(ask, token)
	require.Nil(t, r.at(t, "measureMap", "features", "features", 0, "properties", "open"), "a small number is hidden on a map too")
	require.Contains(t, r.at(t, "measureMap", "features", "features", 0, "properties", "flags"), "suppressed")

	for query, field := range map[string]string{`measureMap(measure: T4, query: {columns: ["nope"]}) { count }`: "query.columns", `measureMap(measure: T4, query: {limit: 0}) { count }`: "query.limit"} {
		r := f.as("SUPERVISOR").ask("{"+query+"}", nil)
		require.NotEmpty(t, r.Errors)
		require.Equal(t, field, r.Errors[0].Extensions.Field)
	}
}
