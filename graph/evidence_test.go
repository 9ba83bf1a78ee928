package graph_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Left to the server, the evidence of a campaign is what hotspots answers for all regions of the level.
func TestEvidenceIsMeasured(t *testing.T) {
	t.Parallel()
	e := newOffice(t, options{warehouse: true}).campaign()
	for i := range 6 {
		e.issue(fmt.Sprintf("Hole %d", i))
	}
	var token string
	for _, region := range []string{e.city, e.other} {
		token = e.as("SYSTEM").get(`mutation($r: ID!) { setPopulation(input: {regionId: $r, year: 2026, persons: 1000, source: "census"}) { consistency } }`,
			map[string]any{"r": region}).text(t, "setPopulation", "consistency")
	}
	fresh := e.as("ANALYST").get(`query($t: String!) { hotspots(query: {by: [REGION], regionLevel: PREFECTURE, consistency: $t}, from: "2026-01-01T00:00:00Z") {
		about { fresh } } }`, map[string]any{"t": token})
	require.Equal(t, true, fresh.at(t, "hotspots", "about", "fresh"))
	const plan = `periodFrom: "2026-03-03", periodTo: "2026-09-01", comparisonRegionIds: ["%s"], evidenceFrom: "2026-01-01T00:00:00Z",
		exitCriteria: [{measure: "H1", direction: AT_MOST, threshold: 2.5, windowDays: 90}]`
	counties := e.step("CAMPAIGN_LEAD", "selectCampaign", fmt.Sprintf(plan, e.other))
	require.Equal(t, "evidence.cells", counties.text(t, "s", "userErrors", 0, "field"), "no county is a region of the campaign")
	e.goes("SELECTED", "CAMPAIGN_LEAD", "selectCampaign", fmt.Sprintf(plan, e.other)+`, evidenceLevel: PREFECTURE`)

	r := e.as("SUPERVISOR").get(`query($id: ID!) { campaign(id: $id) { selectedAt evidence { definitionVersion from to asOf
		cells { issues personYears rawRate rate weight commonRate rank region { name } } } } }`, map[string]any{"id": e.id})
	require.Equal(t, r.at(t, "campaign", "selectedAt"), r.at(t, "campaign", "evidence", "asOf"))
	require.Equal(t, "2026-01-01T00:00:00Z", r.text(t, "campaign", "evidence", "from"))
	require.Len(t, r.at(t, "campaign", "evidence", "cells"), 2)
	cells := map[string]map[string]any{}
	for _, c := range r.at(t, "campaign", "evidence", "cells").([]any) {
		cell := c.(map[string]any)
		cells[cell["region"].(map[string]any)["name"].(string)] = cell
	}
	require.EqualValues(t, 6, cells["A市"]["issues"])
	require.EqualValues(t, 0, cells["B市"]["issues"])
	require.InDelta(t, cells["A市"]["rawRate"].(float64)/2, cells["A市"]["commonRate"], 1e-9, "half of the people have all the issues")
	require.Equal(t, cells["A市"]["commonRate"], cells["B市"]["commonRate"])
}

// The warehouse lags behind the system of record: its evidence is as of its watermark, never of a moment that it does not know yet.
func TestEvidenceIsOfWhatIsKnown(t *testing.T) {
	t.Parallel()
	e := newOffice(t, options{warehouse: true}).campaign()
	e.issue("Hole")
	var token string
	for _, region := range []string{e.city, e.other} {
		token = e.as("SYSTEM").get(`mutation($r: ID!) { setPopulation(input: {regionId: $r, year: 2026, persons: 1000, source: "census"}) { consistency } }`,
			map[string]any{"r": region}).text(t, "setPopulation", "consistency")
	}
	e.as("ANALYST").get(`query($t: String!) { hotspots(query: {by: [REGION], regionLevel: PREFECTURE, consistency: $t}) { about { fresh } } }`, map[string]any{"t": token})
	e.clock.advance(-time.Until(e.clock.Now()) + time.Hour)                                                                // ahead of any watermark
	from, to := e.clock.Now().AddDate(0, 0, 1).Format(time.DateOnly), e.clock.Now().AddDate(0, 6, 0).Format(time.DateOnly) // UTC's next day is not over in China
	e.goes("SELECTED", "CAMPAIGN_LEAD", "selectCampaign", fmt.Sprintf(`periodFrom: "%s", periodTo: "%s", comparisonRegionIds: ["%s"], evidenceLevel: PREFECTURE,
		exitCriteria: [{measure: "H1", direction: AT_MOST, threshold: 2.5, windowDays: 90}]`, from, to, e.other))
	r := e.as("SUPERVISOR").get(`query($id: ID!) { campaign(id: $id) { evidence { asOf cells { region { name } } } } }`, map[string]any{"id": e.id})
	asOf, err := time.Parse(time.RFC3339, r.text(t, "campaign", "evidence", "asOf"))
	require.NoError(t, err)
	require.True(t, asOf.Before(e.clock.Now()), "%s", asOf)
	require.Len(t, r.at(t, "campaign", "evidence", "cells"), 2)
}

func TestWithoutWarehouseEvidenceIsGiven(t *testing.T) {
	t.Parallel()
	e := newOffice(t, options{}).campaign()
	c := e.as("CAMPAIGN_LEAD")
	r := c.ask(`mutation { selectCampaign(input: {campaignId: "`+e.id+`", periodFrom: "2026-03-03", periodTo: "2026-09-01", comparisonRegionIds: [],
		exitCriteria: []}) { campaign { id } } }`, nil)
	require.Equal(t, "UPSTREAM_UNAVAILABLE", r.Errors[0].Extensions.Code)
	e.goes("SELECTED", "CAMPAIGN_LEAD", "selectCampaign", e.selection())
}
