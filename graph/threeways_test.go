package graph_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/graph"
	"groundwork/graph/model"
	"groundwork/internal/embedded/embeddedtest"
	"groundwork/internal/embedded/replicatetest"
	"groundwork/internal/simulate"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
	"groundwork/warehouse"
)

// Every measure has three answers: that of the API, that of somebody who works it out from the published views, and that of the rows of the system of
// record, reckoned here straight from its definition. Whatever is asked of whichever province, as of whichever moment, the three are one.
func TestApiViewsAndRowsGiveOneAnswer(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2, 3} {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			w := newThreeWays(t, seed)
			compared, typed := map[string]int{}, 0
			for k := range 6 {
				q := w.someQuestion(k)
				if k >= 3 {
					q = w.ofThePractice(k - 3)
				}
				for _, code := range slices.Sorted(maps.Keys(threeWays)) {
					if m := threeWays[code]; m.admits(q) {
						t.Run(fmt.Sprintf("%s %d", code, k), func(t *testing.T) { compared[code] += w.compare(t, code, m, q) })
					}
				}
				t.Run(fmt.Sprintf("typed %d", k), func(t *testing.T) { typed += w.sameTyped(t, q) })
			}
			past := question{by: []string{"REGION"}, asOf: new(w.start.AddDate(0, 9, 0))}
			for _, code := range slices.Sorted(maps.Keys(threeWays)) {
				if m := threeWays[code]; m.splits != nil && m.admits(past) { // what compares regions is seldom asked of the past above
					t.Run(code+" of the past", func(t *testing.T) { compared[code] += w.compare(t, code, m, past) })
				}
			}
			w.namesWhatWasDone(t)
			require.Greater(t, typed, 100, "hardly a number of a typed field was compared")
			for code := range threeWays {
				require.Greater(t, compared[code], 10, "%s: hardly a number was compared", code)
			}
		})
	}
}

// way is a measure and how it is worked out twice more.
type way struct {
	n        string                // the number that rests on all units of the measure
	sql      func(question) string // nil = the published views do not tell enough for any of it
	reckon   func(*rows, question, time.Time) answer
	unseen   []string // numbers that the published views do not tell enough for, or that SQL would say once more as the rows do
	places   bool     // of what has a place and a time alone
	whole    bool     // is not asked of a window
	splits   []string // what it is split by, beside REGION, without which it is not asked; nil = anything
	level    string   // at which it is asked, whatever the question says
	among    bool     // is of all regions together: asked where others are split by REGION, but without that
	by       []string // what it is split by instead of what the question says
	anywhere bool     // knows nothing but time
}

var threeWays = map[string]way{
	"T1":  {n: "responded", sql: responseInViews, reckon: reckonResponse},
	"T2":  {n: "open", sql: resolutionInViews, reckon: reckonResolution},
	"T3":  {n: "late", sql: onTimeInViews, reckon: reckonOnTime},
	"T4":  {n: "open", sql: backlogInViews, reckon: reckonBacklog},
	"T5":  {n: "legs", sql: clockInViews, reckon: reckonClock, unseen: []string{"pausedShare"}},
	"Q1":  {n: "answered", sql: confirmedInViews, reckon: reckonConfirmed},
	"Q2":  {n: "satisfied", sql: satisfactionInViews, reckon: reckonSatisfaction},
	"Q3":  {n: "attempted", sql: reachInViews, reckon: reckonReach},
	"Q4":  {n: "reopened", sql: reopeningInViews, reckon: reckonReopening, unseen: []string{"recurred180"}},
	"Q5":  {n: "resolved", sql: onTheSpotInViews, reckon: reckonOnTheSpot},
	"D1":  {n: "repeated", sql: toldAgainInViews, reckon: reckonToldAgain, unseen: []string{"sameReporter"}},
	"H1":  {n: "issues", sql: hotspotsInViews, reckon: reckonHotspots, splits: []string{"CATEGORY"}, unseen: []string{"localRate"}},
	"H2":  {n: "rate", sql: clustersInViews, reckon: reckonClusters, splits: []string{}, level: "TOWNSHIP", unseen: []string{"neighbours", "z"}},
	"H3":  {n: "observed", sql: scanInViews, reckon: reckonScan, splits: []string{}, whole: true, unseen: []string{"expected", "cluster", "weeks", "clusterObserved", "clusterExpected", "relativeRisk", "personShare", "llr"}},
	"H4":  {n: "observed", sql: surpriseInViews, reckon: reckonSurprise, splits: []string{"CATEGORY"}, whole: true, unseen: []string{"bits", "p"}},
	"H5":  {n: "index", sql: reportingInViews, reckon: reckonReporting, splits: []string{}},
	"E1C": {n: "theil", sql: inequalityInViews, reckon: reckonInequality, splits: []string{"CATEGORY"}, among: true},
	"E1":  {n: "crude", sql: equityInViews, reckon: reckonEquity, splits: []string{}, unseen: []string{"low95", "high95", "low998", "high998"}},
	"E1B": {n: "crudeDays", sql: timeGapInViews, reckon: reckonTimeGap, splits: []string{}, by: []string{"URBAN_RURAL"}},
	"C1":  {n: "composite", sql: compositeInViews, reckon: reckonComposite, splits: []string{"CATEGORY", "CHANNEL", "KIND"}},
	"L1":  {n: "kept", reckon: reckonGrowth, splits: []string{}, whole: true, anywhere: true, by: []string{"ABILITY"}},
	"F1":  {n: "traceless", sql: tracesInViews, reckon: reckonTraces, places: true, unseen: []string{"traceless", "tracelessVisits"}},
	"F2":  {n: "withoutCitizen", sql: closingsInViews, reckon: reckonClosings},
	"F3":  {n: "copied", reckon: reckonCopies, places: true},
	"F4":  {n: "inWindow", reckon: reckonBunching, places: true, splits: []string{}},
	"F5":  {n: "instant", sql: instantInViews, reckon: reckonInstant, unseen: []string{"instant", "instantClaims"}},
	"F6":  {n: "effectiveShare", sql: routesInViews, reckon: reckonRoutes, places: true, splits: []string{}, unseen: []string{"siteMonthP95"}},
	"F7":  {n: "implausible", sql: plausibilityInViews, reckon: reckonPlausibility, places: true, unseen: []string{"implausible", "overlapping", "tooFast", "noteByOthers"}},
	"P1":  {n: "effect", sql: policyEffectInViews, reckon: reckonPolicyEffect, whole: true, by: []string{"POLICY_CHANGE"}, unseen: []string{"effectApart"}},
	"P2":  {n: "effect", reckon: reckonCampaignEffect, whole: true, by: []string{"CAMPAIGN"}},
	"P3":  {n: "adopted", sql: roadInViews, reckon: reckonRoad, anywhere: true, by: []string{}},
	"I1":  {n: "fulfilled", sql: turnsInViews, reckon: reckonTurns, places: true},
	"I3":  {n: "concentration", sql: alignmentInViews, reckon: reckonAlignment, places: true, splits: []string{}, level: "COUNTY", among: true},
	"I2":  {n: "covered", sql: coverageInViews, reckon: reckonCoverage, places: true, splits: []string{}, unseen: []string{"gapP50Days", "gapP90Days"}},
}

// admits: what a measure cannot be asked is left to others.
func (m way) admits(q question) bool {
	if m.places != q.practice || m.whole && (q.windowFrom != nil || q.originFrom != nil) {
		return false
	}
	return m.splits == nil || q.grain == "" && slices.Contains(q.by, "REGION") &&
		!slices.ContainsFunc(q.by, func(d string) bool { return d != "REGION" && !slices.Contains(m.splits, d) })
}

// of is the question as the measure can be asked it.
func (m way) of(q question) question {
	if m.level != "" {
		q.level = m.level
	}
	if m.by != nil {
		q.by, q.grain = m.by, ""
	}
	if m.anywhere {
		q = question{by: q.by, asOf: q.asOf}
	}
	if m.among {
		q.by = slices.DeleteFunc(slices.Clone(q.by), func(d string) bool { return d == "REGION" })
	}
	return q
}

// figures are the numbers of a cell, and n, NaN where it is to be unknown; an answer has them by the codes of the cell, as region|category|channel|kind|month.
type (
	figures map[string]float64
	answer  map[string]figures
)

// question is one that any measure can be asked.
type question struct {
	asOf                 *time.Time // nil = now
	by                   []string
	grain, level         string
	region               string // code; with everything below
	category             string // id; with everything below
	channels, kinds      []string
	originFrom, originTo *time.Time
	windowFrom, windowTo *time.Time // of the anchor
	practice             bool       // one for visits and turns
}

func (q question) String() string {
	text, _ := json.Marshal(map[string]any{"by": q.by, "grain": q.grain, "level": q.level, "region": q.region, "category": q.category, "channels": q.channels, "kinds": q.kinds,
		"origin": []*time.Time{q.originFrom, q.originTo}, "window": []*time.Time{q.windowFrom, q.windowTo}, "past": q.asOf != nil})
	return string(text)
}

type province struct {
	seed  uint64
	rnd   *rand.Rand
	db    *warehouse.DB
	rows  *rows
	f     *office
	start time.Time
	days  int
}

// newThreeWays simulates a small province and keeps a warehouse in step with it.
func newThreeWays(t *testing.T, seed uint64) *province {
	t.Helper()
	t.Logf("seed %d", seed)
	cfg := simulate.Config{Issues: 700, Seed: seed, From: simulate.Day(2024, time.December, 1), To: simulate.Day(2026, time.January, 1),
		Calendar: groundwork.Calendar{"2025-02-12": false, "2025-02-16": true}}
	s, err := simulate.New(cfg)
	require.NoError(t, err)
	dsn := pgtest.New(t)
	store := pgtest.Open(t, dsn, postgres.Options{})
	bulk, err := store.OpenBulk(t.Context(), s.Job(), s.Foundation())
	require.NoError(t, err)
	defer bulk.Close(t.Context())
	for n := range s.Job().Parts {
		part, err := s.Part(n)
		require.NoError(t, err)
		require.NoError(t, bulk.Load(t.Context(), n, part))
	}
	require.NoError(t, bulk.Finish(t.Context(), func(string) {}))
	audit(t, dsn)
	assess(t, dsn)
	reformPolicies(t, dsn)
	campaign(t, dsn)
	compareNotes(t, pgtest.Open(t, dsn, postgres.Options{Role: postgres.RoleJobs}))

	address := embeddedtest.ClickHouse(t)
	measures := warehouse.NewMeasures(replicatetest.Start(t, dsn, address, replicatetest.AtRest))
	db, err := warehouse.Open(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	kept, err := (&warehouse.Keeper{DB: db, Logger: slog.New(slog.DiscardHandler)}).Once(t.Context())
	require.NoError(t, err)
	require.True(t, kept.Built, "what is asked of now is answered from the bases")
	f := &office{t: t, dsn: dsn}
	f.serve(graph.Deps{Store: store, Logger: slog.New(slog.DiscardHandler), Measures: measures, Timeout: 2 * time.Minute})
	return &province{seed: seed, rnd: rand.New(rand.NewPCG(seed, 3)), db: db, rows: readRows(t, dsn), f: f, start: cfg.From, days: 396}
}

// someQuestion makes a random question; each second one is of the past.
func (w *province) someQuestion(k int) question {
	day := func(from, to int) *time.Time {
		return new(w.start.Add(time.Duration(from)*24*time.Hour + time.Duration(w.rnd.IntN((to-from)*86400))*time.Second).UTC())
	}
	q := question{level: []string{"", "COUNTY", "PREFECTURE"}[w.rnd.IntN(3)]}
	for _, d := range []string{"REGION", "CATEGORY", "CHANNEL", "KIND"} {
		if w.rnd.IntN(3) == 0 {
			q.by = append(q.by, d)
		}
	}
	if k == 0 { // of everything, so that there is much of every number
		q.by = []string{"REGION"}
		return q
	}
	if w.rnd.IntN(3) == 0 {
		q.grain = "MONTH"
	}
	if k%2 == 1 {
		q.asOf = day(100, w.days)
	}
	if w.rnd.IntN(3) == 0 {
		r := w.rows.regions[w.rnd.IntN(29)] // down to counties
		q.region = r.Code
	}
	if w.rnd.IntN(4) == 0 {
		q.category = w.rows.categories[w.rnd.IntN(len(w.rows.categories))].ID
	}
	if w.rnd.IntN(4) == 0 {
		q.channels = []string{"HOTLINE", "VISIT", "ONLINE"}
	}
	if w.rnd.IntN(4) == 0 {
		q.kinds = []string{"COMPLAINT", "HELP"}
	}
	if w.rnd.IntN(4) == 0 {
		q.originFrom, q.originTo = day(0, 100), day(200, w.days)
	}
	if w.rnd.IntN(4) == 0 {
		q.windowFrom, q.windowTo = day(20, 120), day(220, w.days)
	}
	return q
}

// compare asks three times and returns how many numbers were known.
func (w *province) compare(t *testing.T, code string, m way, q question) (known int) {
	t.Helper()
	q = m.of(q)
	asked, asOf := w.askGraph(t, code, m, q)
	reckoned := m.reckon(w.rows, q, asOf)
	name := fmt.Sprintf("%s of %s as of %s, seed %d", code, q, asOf.Format(time.RFC3339Nano), w.seed)
	agree(t, reckoned, asked, nil, "rows, API: "+name)
	if m.sql != nil {
		agree(t, reckoned, w.askViews(t, m, q, asOf), m.unseen, "rows, views: "+name)
	}
	for _, f := range reckoned {
		for _, v := range f {
			if !math.IsNaN(v) {
				known++
			}
		}
	}
	return known
}

// agree requires the same cells with the same numbers, to 1e-9 of them or of 1, which for counts is exactly. Numbers beyond those expected are of no concern.
func agree(t *testing.T, want, got answer, but []string, name string) {
	t.Helper()
	require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)), "%s", name)
	for cell, numbers := range want {
		for number, v := range numbers {
			if slices.Contains(but, number) {
				continue
			}
			have, has := got[cell][number]
			if math.IsNaN(v) {
				require.False(t, has, "%s\n%s of %q: unknown, not %v", name, number, cell, have)
				continue
			}
			require.True(t, has, "%s\n%s of %q: %v is missing", name, number, cell, v)
			require.InDelta(t, v, have, 1e-9*max(1, math.Abs(v)), "%s\n%s of %q", name, number, cell)
		}
	}
}

// as asks in a role, and fails the test that asks.
func (w *province) as(t *testing.T, role string) caller {
	f := *w.f
	f.t = t
	return f.as(role)
}

func between(from, to *time.Time) map[string]any { return map[string]any{"gte": from, "lt": to} }

// input is the question as the API takes it, but for the measure.
func (q question) input() map[string]any {
	where, input := map[string]any{}, map[string]any{"by": append([]string{}, q.by...), "limit": 10000}
	in := func(name string, values ...string) {
		if len(values) > 0 {
			where[name] = map[string]any{"in": values}
		}
	}
	if q.category != "" {
		in("category", model.ID{Type: model.TypeCategory, UUID: uuid.MustParse(q.category)}.String())
	}
	in("channel", q.channels...)
	in("kind", q.kinds...)
	if q.region != "" {
		where["region"] = map[string]any{"codeIn": []string{q.region}}
	}
	if q.originFrom != nil {
		where["originAt"] = between(q.originFrom, q.originTo)
	}
	if q.windowFrom != nil {
		input["range"] = between(q.windowFrom, q.windowTo)
	}
	if q.asOf != nil {
		input["asOf"] = q.asOf
	}
	if q.grain != "" {
		input["grain"] = q.grain
	}
	if q.level != "" {
		input["regionLevel"] = q.level
	}
	input["where"] = where
	return input
}

// askGraph asks the API in a role from which nothing is hidden.
func (w *province) askGraph(t *testing.T, code string, m way, q question) (answer, time.Time) {
	t.Helper()
	input := q.input()
	input["measures"] = []string{code}
	r := w.as(t, "SUPERVISOR").get(`query($q: MeasuresQuery!) { measures(query: $q) { rowCount truncated dimensions { codes } numbers { name n values } about { asOf } } }`,
		map[string]any{"q": input})
	require.Equal(t, false, r.at(t, "measures", "truncated"))
	asOf, err := time.Parse(time.RFC3339Nano, r.text(t, "measures", "about", 0, "asOf"))
	require.NoError(t, err)
	got := answer{}
	dims := r.at(t, "measures", "dimensions").([]any)
	for row := range int(r.at(t, "measures", "rowCount").(float64)) {
		var key []string
		for d := range dims {
			code, _ := r.at(t, "measures", "dimensions", d, "codes", row).(string)
			key = append(key, code)
		}
		cell := figures{}
		for i := range r.at(t, "measures", "numbers").([]any) {
			number := r.text(t, "measures", "numbers", i, "name")
			if v, known := r.at(t, "measures", "numbers", i, "values", row).(float64); known {
				cell[number] = v
			}
			if number == m.n {
				cell["n"] = r.at(t, "measures", "numbers", i, "n", row).(float64)
			}
		}
		got[strings.Join(key, "|")] = cell
	}
	return got, asOf
}

// askViews asks the published views.
func (w *province) askViews(t *testing.T, m way, q question, asOf time.Time) answer {
	t.Helper()
	text := "SELECT key, * EXCEPT key APPLY(toFloat64) APPLY(toNullable) FROM (" + m.sql(q) + ")"
	args := []any{clickhouse.Named("as_of", fmt.Sprint(asOf.UnixMicro()))}
	for name, at := range map[string]*time.Time{"origin_from": q.originFrom, "origin_to": q.originTo, "window_from": q.windowFrom, "window_to": q.windowTo} {
		if at != nil {
			args = append(args, clickhouse.Named(name, fmt.Sprint(at.UnixMicro())))
		}
	}
	args = append(args, clickhouse.Named("days_off", w.rows.daysOff()), clickhouse.Named("days_on", w.rows.daysOn()))
	found, err := w.db.Query(t.Context(), text, args...)
	require.NoError(t, err, "%s", text)
	defer found.Close()
	got := answer{}
	for found.Next() {
		columns := found.Columns()[1:]
		var key string
		values, targets := make([]*float64, len(columns)), []any{&key}
		for i := range values {
			targets = append(targets, &values[i])
		}
		require.NoError(t, found.Scan(targets...))
		cell := figures{}
		for i, v := range values {
			if v != nil && !math.IsNaN(*v) && !math.IsInf(*v, 0) {
				name := columns[i][strings.LastIndex(columns[i], "(")+1:]
				cell[strings.TrimRight(name, ")")] = *v
			}
		}
		got[key] = cell
	}
	require.NoError(t, found.Err(), "%s", text)
	return got
}

// readRows reads from the system of record what the measures are of.
func readRows(t *testing.T, dsn string) *rows {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	const progress = "closure_type, origin_at, first_response_at, claimed_at, resolved_at, closed_at, return_count, dispute_count, opinion_count, paused_since, paused_seconds, merged_into_id::text"
	return &rows{
		regions:    collect[regionRow](t, conn, "SELECT id::text, code, level, path::text, urban_rural FROM region ORDER BY nlevel(path), code"),
		categories: collect[categoryRow](t, conn, "SELECT id::text, code, parent_id::text, audited_minimum_minutes FROM category ORDER BY code"),
		issues: collect[issueRow](t, conn, "SELECT id::text, region_id::text, category_id::text, channel, kind, site_id::text, source_visit_id::text, due_at, observed_until, state, "+
			progress+" FROM issue"),
		events:    collect[eventRow](t, conn, "SELECT issue_id::text, kind, at, known_at, to_state, "+progress+" FROM issue_event ORDER BY issue_id, seq"),
		claims:    collect[claimRow](t, conn, "SELECT id::text, issue_id::text, kind, source, claimed_at FROM claim"),
		verdicts:  collect[verdictRow](t, conn, "SELECT id::text, claim_id::text, issue_id::text, resolved, satisfaction, collected_by, at FROM feedback ORDER BY at, id"),
		calls:     collect[callRow](t, conn, "SELECT claim_id::text, outcome, at FROM callback_attempt"),
		legs:      collect[legRow](t, conn, "SELECT issue_id::text, role, sent_at, accepted_at, returned_at FROM dispatch_leg"),
		held:      collect[heldRow](t, conn, heldVisits),
		turns:     collect[turnRow](t, conn, turnsDue),
		tours:     collect[tourRow](t, conn, tours),
		sites:     collect[siteRow](t, conn, sites),
		atSites:   collect[atSiteRow](t, conn, heldAt),
		notes:     collect[noteRow](t, conn, notes),
		cycles:    collect[cycleRow](t, conn, cycles),
		traces:    collect[traceRow](t, conn, tracesLeft),
		opinions:  collect[opinionRow](t, conn, "SELECT o.id::text, l.issue_id::text, o.channel, o.kind, o.reporter_pid::text, o.received_at, l.linked_at FROM issue_opinion l JOIN opinion o ON o.id = l.opinion_id ORDER BY o.received_at, o.id"),
		visits:    collect[visitRow](t, conn, "SELECT id::text, started_at, ended_at FROM visit"),
		persons:   collect[personsRow](t, conn, populations),
		skills:    collect[skillRow](t, conn, skills),
		holdings:  collect[holdingRow](t, conn, holdings),
		places:    collect[placeRow](t, conn, places),
		touching:  collect[touchRow](t, conn, touching),
		campaigns: collect[campaignRow](t, conn, campaigns),
		rollouts:  collect[rolloutRow](t, conn, rollouts),
		roads:     collect[roadRow](t, conn, roads),
		calendar:  collect[dayRow](t, conn, "SELECT date::text, is_workday FROM calendar_day"),
	}
}

func collect[T any](t *testing.T, conn *pgx.Conn, sql string) []T {
	t.Helper()
	found, err := conn.Query(t.Context(), sql)
	require.NoError(t, err)
	all, err := pgx.CollectRows(found, pgx.RowToStructByPos[T])
	require.NoError(t, err)
	return all
}
