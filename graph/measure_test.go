package graph_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/graph"
	"groundwork/graph/model"
	"groundwork/warehouse"
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
	r := f.as("SUPERVISOR").get(`query($token: String!, $city: ID!) {
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

	t.Run("small numbers are hidden from who does not work on issues", func(t *testing.T) {
		for _, role := range []string{"ANALYST", "CITIZEN"} {
			r := f.as(role).get(`query($token: String!) { backlog(query: {consistency: $token}) { n suppressed unstable open { values } }
				measures(query: {measures: [T4], consistency: $token}) { numbers { name n values suppressed } } }`, map[string]any{"token": token})
			require.Nil(t, r.at(t, "backlog", "n", 0), "%s", role)
			require.Nil(t, r.at(t, "backlog", "open", "values", 0), "%s", role)
			require.Equal(t, true, r.at(t, "backlog", "suppressed", 0), "%s", role)
			require.Nil(t, r.at(t, "measures", "numbers", 0, "n", 0), "%s", role)
			require.Equal(t, true, r.at(t, "measures", "numbers", 0, "suppressed", 0), "%s", role)
		}
	})
	t.Run("several measures in one question", func(t *testing.T) { askTogether(f, t, token) })
	t.Run("a write that never happened is not waited for longer than two seconds", func(t *testing.T) {
		r := f.inProduction().as("ANALYST").get(`{ backlog(query: {consistency: "bHNuOkZGRkZGRkZGRkZGRg"}) { n about { fresh } } }`, nil)
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

func askTogether(f *office, t *testing.T, token string) {
	r := f.as("SUPERVISOR").get(`query($token: String!) { measures(query: {measures: [T4, T2, Q1], by: [KIND], grain: MONTH, orderBy: {measure: T4}, consistency: $token}) {
		rowCount truncated dimensions { dimension codes } about { measure definitionVersion }
		numbers { measure name label(lang: ZH) headline unit n values ciLow ciHigh previous suppressed unstable provisional } } }`, map[string]any{"token": token})
	require.EqualValues(t, 1, r.at(t, "measures", "rowCount"))
	require.Equal(t, "MONTH", r.at(t, "measures", "dimensions", 1, "dimension"))
	require.Equal(t, "2026-03", r.at(t, "measures", "dimensions", 1, "codes", 0))
	require.Equal(t, "T2", r.at(t, "measures", "about", 1, "measure"))
	require.Equal(t, "T4", r.at(t, "measures", "numbers", 0, "measure"))
	require.Equal(t, "在办", r.at(t, "measures", "numbers", 0, "label"))
	require.Equal(t, true, r.at(t, "measures", "numbers", 0, "headline"))
	require.EqualValues(t, 1, r.at(t, "measures", "numbers", 0, "values", 0))
	require.Nil(t, r.at(t, "measures", "numbers", 0, "previous"))

	r = f.as("SUPERVISOR").get(`query($token: String!) { measures(query: {measures: [T1], segments: [DISPUTED], consistency: $token,
		range: {gte: "2026-03-01T00:00:00+08:00"}, compareTo: {gte: "2026-02-01T00:00:00+08:00", lt: "2026-03-01T00:00:00+08:00"}}) {
		rowCount numbers { name values previous } } }`, map[string]any{"token": token})
	require.EqualValues(t, 0, r.at(t, "measures", "rowCount"), "nothing was disputed")
	r = f.as("SUPERVISOR").get(`query($token: String!) { measures(query: {measures: [T1, T4, T2], curves: true, consistency: $token}) {
		rowCount curves { measure name label(lang: ZH) days rows { values ciLow ciHigh atRisk } } } }`, map[string]any{"token": token})
	require.Len(t, r.at(t, "measures", "curves"), 3, "T4 has none")
	require.Equal(t, "responded", r.at(t, "measures", "curves", 0, "name"))
	require.Equal(t, "累计响应率", r.at(t, "measures", "curves", 0, "label"))
	require.EqualValues(t, 0, r.at(t, "measures", "curves", 0, "days", 0))
	require.Len(t, r.at(t, "measures", "curves", 0, "rows"), 1)
	require.Len(t, r.at(t, "measures", "curves", 0, "rows", 0, "atRisk"), len(r.at(t, "measures", "curves", 0, "days").([]any)))
	r = f.as("CITIZEN").get(`query($token: String!) { measures(query: {measures: [T1], curves: true, consistency: $token}) { curves { days rows { values } } } }`, map[string]any{"token": token})
	require.Nil(t, r.at(t, "measures", "curves", 0, "rows", 0), "of so few issues no curve is shown")
	for name, c := range map[string]struct{ query, field string }{
		"no measures":            {`measures: []`, "query.measures"},
		"too many":               {`measures: [T1, T2, T3, T4, T5, Q1, Q2]`, "query.measures"},
		"compared by month":      {`measures: [T1], grain: MONTH, compareTo: {lt: "2026-01-01T00:00:00Z"}`, "query.compareTo"},
		"order by another":       {`measures: [T1], orderBy: {measure: T2}`, "query.orderBy.measure"},
		"order by nothing":       {`measures: [T1], orderBy: {measure: T1, column: "x"}`, "query.orderBy.column"},
		"visits by channel":      {`measures: [F1], by: [CHANNEL]`, "query.by"},
		"two dimensions of time": {`measures: [T1], by: [DAY], grain: MONTH`, "query.by"},
		"range backwards":        {`measures: [T1], range: {gte: "2026-02-01T00:00:00Z", lt: "2026-01-01T00:00:00Z"}`, "query.range"},
	} {
		r := f.as("SUPERVISOR").ask("{ measures(query: {"+c.query+"}) { rowCount } }", nil)
		require.Len(t, r.Errors, 1, name)
		require.Equal(t, "BAD_USER_INPUT", r.Errors[0].Extensions.Code, name)
		require.Equal(t, c.field, r.Errors[0].Extensions.Field, name)
	}
}

func TestTheCatalogue(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	r := f.as("CITIZEN").get(`{ measureCatalog { code version name zh: name(lang: ZH) meaning numerator denominator anchor censoring interval source method dimensions caveats
		columns { name label zh: label(lang: ZH) unit headline } } }`, nil)
	all := r.at(t, "measureCatalog").([]any)
	require.Len(t, all, len(model.AllMeasureCode), "the codes of the schema are those of the registry")
	for i, m := range warehouse.Registry() {
		require.Equal(t, m.Code, r.at(t, "measureCatalog", i, "code"))
		require.Equal(t, m.ChineseName, r.at(t, "measureCatalog", i, "zh"))
	}
	one := f.as("CITIZEN").get(`{ measureCatalog(codes: [Q2]) { code } }`, nil)
	require.Len(t, one.at(t, "measureCatalog").([]any), 1)
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

// broken answers every question with the same error.
type broken struct {
	graph.Measures
	err error
}

func (b broken) Ask(context.Context, string, warehouse.Question) (*warehouse.Table, error) {
	return nil, b.err
}

// A statement that is wrong stays wrong: nobody is told to try again later.
func TestAFaultOfAMeasureIsNoOutage(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	for code, err := range map[string]error{
		"INTERNAL":             errors.New("count: ClickHouse refuses the statement: code: 47, unknown identifier"),
		"UPSTREAM_UNAVAILABLE": fmt.Errorf("count: %w: connection refused", warehouse.ErrUnavailable),
	} {
		var log bytes.Buffer
		f.serve(graph.Deps{Store: f.store, Logger: slog.New(slog.NewTextHandler(&log, nil)), Measures: broken{err: err}})
		r := f.as("SUPERVISOR").ask(`{ measures(query: {measures: [T4]}) { rowCount } }`, nil)
		require.Len(t, r.Errors, 1)
		require.Equal(t, code, r.Errors[0].Extensions.Code)
		require.NotContains(t, r.Errors[0].Message, "count:")
		require.Contains(t, log.String(), err.Error(), "the cause is in the log")
	}
}
