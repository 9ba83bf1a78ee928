package graph_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const about = ` n unstable provisional suppressed dimensions { dimension ids codes labels }
	about { measure definitionVersion anchor method asOf fresh truncated rowCount notes watermark { lsn committedAt } excluded { reason count } } `

func TestMeasures(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{warehouse: true})
	id := f.issue("A hole in the road")
	dispatch(f, id)
	claim(f, id)
	f.done("CLOSED", "CITIZEN", "recordFeedback", id, `resolved: YES`)
	f.issue("Another hole")
	last := f.as("SYSTEM").get(`mutation($r: ID!) { setPopulation(input: {regionId: $r, year: 2026, persons: 1000, source: "census"}) {
		region { populations { year persons source } } consistency } }`, map[string]any{"r": f.city})
	require.EqualValues(t, 1000, last.at(t, "setPopulation", "region", "populations", 0, "persons"))
	token := last.text(t, "setPopulation", "consistency")

	const number = " { unit values ciLow ciHigh } "
	all := func(names string) string { return strings.ReplaceAll(names, " ", number) + number }
	r := f.as("ANALYST").get(`query($token: String!, $city: ID!) {
		timeToResponse(query: {consistency: $token}) {`+about+all("responded24h responded7d responded30d medianDays p90Days responded")+`}
		timeToResolution(query: {consistency: $token, by: [REGION, CATEGORY, MONTH, CHANNEL, KIND], regionLevel: PREFECTURE,
			where: {region: {in: [$city]}, channel: {in: [HOTLINE]}}}) {`+about+
		all("confirmed30 confirmed30Lower confirmed30Upper confirmed60 confirmed60Lower confirmed60Upper confirmed90 confirmed90Lower confirmed90Upper")+
		all("medianDays p90Days rmst90Days open awaitingFeedback confirmed explainedOrReferred unconfirmed withdrawn")+`}
		backlog(query: {consistency: $token}) {`+about+
		all("open awaitingFeedback notObserved ageP50Days ageP90Days shareOver60Days shareOver90Days inflow28Days outflow28Days flowRatio")+`}
		hotspots(query: {by: [REGION], regionLevel: PREFECTURE, consistency: $token}) {`+about+" noPopulation "+all("issues repeats personYears rawRate rate weight rank")+`}
		watermark { lsn committedAt }
	}`, map[string]any{"token": token, "city": f.city})
	for _, measure := range []string{"timeToResponse", "timeToResolution", "backlog", "hotspots"} {
		require.Equal(t, true, r.at(t, measure, "about", "fresh"), "%s", measure)
		require.EqualValues(t, 1, r.at(t, measure, "about", "rowCount"), "%s %v", measure, r.at(t, measure, "about"))
	}
	require.EqualValues(t, 2, r.at(t, "timeToResolution", "n", 0))
	require.EqualValues(t, 1, r.at(t, "timeToResolution", "confirmed", "values", 0))
	require.EqualValues(t, 1, r.at(t, "timeToResolution", "open", "values", 0))
	require.EqualValues(t, 1, r.at(t, "backlog", "open", "values", 0))
	require.EqualValues(t, 2, r.at(t, "hotspots", "issues", "values", 0))
	require.Equal(t, f.city, r.at(t, "timeToResolution", "dimensions", 0, "ids", 0))
	require.Equal(t, "430100000000", r.at(t, "timeToResolution", "dimensions", 0, "codes", 0))
	require.Equal(t, f.category, r.at(t, "timeToResolution", "dimensions", 1, "ids", 0))
	require.Equal(t, "2026-03", r.at(t, "timeToResolution", "dimensions", 2, "codes", 0))
	require.Nil(t, r.at(t, "timeToResolution", "dimensions", 2, "ids", 0), "a month is no thing")

	t.Run("a write that never happened is not waited for longer than two seconds", func(t *testing.T) {
		r := f.as("ANALYST").get(`{ backlog(query: {consistency: "bHNuOkZGRkZGRkZGRkZGRg"}) { n about { fresh } } }`, nil)
		require.Equal(t, false, r.at(t, "backlog", "about", "fresh"))
		require.NotNil(t, r.at(t, "backlog", "n"), "what is there is answered")
	})
	for name, c := range map[string]struct{ query, field string }{
		"bad token":         {`backlog(query: {consistency: "x"}) { n }`, "query.consistency"},
		"bad zone":          {`backlog(query: {timezone: "Mars/Base"}) { n }`, "query.timezone"},
		"limit":             {`backlog(query: {limit: 0}) { n }`, "query.limit"},
		"dimension twice":   {`backlog(query: {by: [KIND, KIND]}) { n }`, "query.by"},
		"unknown code":      {`backlog(query: {where: {region: {codeIn: ["999999999999"]}}}) { n }`, "query.where.region"},
		"id of other type":  {`backlog(query: {where: {region: {in: ["` + f.category + `"]}}}) { n }`, "query.where.region.in.0"},
		"no choices":        {`backlog(query: {where: {kind: {in: []}}}) { n }`, "query.where.kind.in"},
		"hotspots by month": {`hotspots(query: {by: [REGION, MONTH]}) { n }`, "query.by"},
		"window backwards":  {`hotspots(from: "2026-02-01T00:00:00Z", to: "2026-01-01T00:00:00Z") { n }`, "to"},
	} {
		t.Run(name, func(t *testing.T) {
			r := f.as("ANALYST").ask("{ "+c.query+" }", nil)
			require.Len(t, r.Errors, 1)
			require.Equal(t, "BAD_USER_INPUT", r.Errors[0].Extensions.Code)
			require.Equal(t, c.field, r.Errors[0].Extensions.Field)
		})
	}
}

func TestWithoutWarehouseTheRestWorks(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	r := f.as("CITIZEN").ask(`{ regions(first: 1) { nodes { code } } watermark { lsn } backlog { n } }`, nil)
	require.Equal(t, "430000000000", r.text(t, "regions", "nodes", 0, "code"))
	require.Nil(t, r.at(t, "backlog"))
	require.Len(t, r.Errors, 2)
	require.Equal(t, "UPSTREAM_UNAVAILABLE", r.Errors[0].Extensions.Code)
}
