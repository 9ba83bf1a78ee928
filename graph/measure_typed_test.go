package graph_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The typed fields answer, and say why where there is nothing; behind a figure stand its issues, for those who work on issues.
func TestTypedMeasuresAndTheIssuesBehindThem(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{warehouse: true})
	closed := f.issue("A hole in the road")
	dispatch(f, closed)
	claim(f, closed)
	f.done("CLOSED", "CITIZEN", "recordFeedback", closed, `resolved: YES, satisfaction: 5`)
	open := f.issue("Another hole")
	last := f.as("SYSTEM").get(`mutation($r: ID!) { setPopulation(input: {regionId: $r, year: 2026, persons: 1000, source: "census"}) { consistency } }`, map[string]any{"r": f.city})
	token := last.text(t, "setPopulation", "consistency")
	const columns = ` dimensions { dimension codes } n unstable provisional suppressed about { measure notes } `
	r := f.as("SUPERVISOR").get(`query($token: String!) {
		satisfaction(query: {consistency: $token}, range: {gte: "2026-01-01T00:00:00Z"}) {`+columns+` satisfied { values ciLow ciHigh } satisfiedWeighted { values } reach { values } }
		coverage(query: {consistency: $token}) {`+columns+` covered { values } gapP50Days { values } visitedSites { values } }
		equityFunnel(query: {by: [REGION], regionLevel: PREFECTURE, consistency: $token}) {`+columns+` standardised { values } low998 { values } above below }
		policyEffect(query: {consistency: $token}) {`+columns+` effect { values } descriptive preTrend }
		formalism(query: {consistency: $token}) { rowCount about { measure notes } numbers(names: ["traceless", "copied", "implausible"]) { measure name label(lang: ZH) values n } flags { measure name values } }
	}`, map[string]any{"token": token})
	require.EqualValues(t, 1, r.at(t, "satisfaction", "satisfied", "values", 0))
	require.EqualValues(t, 0, r.at(t, "coverage", "covered", "values", 0), "there is a site, and nobody was there")
	require.Equal(t, "430100000000", r.at(t, "equityFunnel", "dimensions", 0, "codes", 0))
	require.Contains(t, r.text(t, "policyEffect", "about", "notes", 0), "not computable")
	for i := range 7 {
		if code := r.text(t, "formalism", "about", i, "measure"); code != "F2" && code != "F5" { // something was closed, and claimed
			require.Contains(t, r.text(t, "formalism", "about", i, "notes", 0), "not computable", code)
		}
	}
	fault := f.as("SUPERVISOR").ask(`{ formalism(indicators: [T1]) { rowCount } }`, nil)
	require.Equal(t, "indicators", fault.Errors[0].Extensions.Field)

	behind := func(role, query string) reply {
		return f.as(role).ask(`query($token: String!) { measureIssues(query: {consistency: $token, `+query+`}, first: 1) { total nodes { id } endCursor asOf } }`, map[string]any{"token": token})
	}
	for query, want := range map[string]string{
		`measure: T4`:                      open,
		`measure: T2, number: "confirmed"`: closed,
		`measure: T1, number: "responded", cell: [{dimension: REGION, value: "430100000000"}, {dimension: MONTH, value: "2026-03"}]`: closed,
		`measure: Q2, number: "satisfied"`: closed,
		`measure: H1, regionLevel: PREFECTURE, cell: [{dimension: REGION, value: "430100000000"}], where: {region: {codeIn: ["430100000000"]}}`: "",
		`measure: T4, cell: [{dimension: CHANNEL, value: "LETTER"}]`:                                                                            "none",
		`measure: T4, cell: [{dimension: CATEGORY, value: null}]`:                                                                               "none",
	} {
		r := behind("SUPERVISOR", query)
		require.Empty(t, r.Errors, "%s: %s", query, r.body)
		switch want {
		case "none":
			require.EqualValues(t, 0, r.at(t, "measureIssues", "total"), query)
			require.Nil(t, r.at(t, "measureIssues", "endCursor"))
		case "":
			require.EqualValues(t, 2, r.at(t, "measureIssues", "total"), query)
			next := f.as("SUPERVISOR").get(`query($after: ID!) { measureIssues(query: {measure: H1}, after: $after) { total nodes { id } endCursor } }`,
				map[string]any{"after": r.text(t, "measureIssues", "endCursor")})
			require.Len(t, next.at(t, "measureIssues", "nodes"), 1)
			require.NotEqual(t, r.text(t, "measureIssues", "nodes", 0, "id"), next.text(t, "measureIssues", "nodes", 0, "id"))
			require.Nil(t, next.at(t, "measureIssues", "endCursor"))
		default:
			require.EqualValues(t, 1, r.at(t, "measureIssues", "total"), query)
			require.Equal(t, want, r.text(t, "measureIssues", "nodes", 0, "id"), query)
		}
	}
	for _, role := range []string{"ANALYST", "RESEARCHER", "CITIZEN"} {
		r := behind(role, `measure: T4`)
		require.Equal(t, "FORBIDDEN", r.Errors[0].Extensions.Code, role)
	}
	for field, query := range map[string]string{"query.measures": `measure: F1`, "query.number": `measure: T3, number: "best"`, "query.by": `measure: T1, cell: [{dimension: POLICY_CHANGE, value: "x"}]`} {
		require.Equal(t, field, behind("SUPERVISOR", query).Errors[0].Extensions.Field, query)
	}
}
