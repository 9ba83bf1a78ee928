package graph_test

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// What policies and campaigns did, and the road from evidence to policy, twice more: P1, P2, P3.

// rolloutRow is a region in which a change of a policy takes effect.
type rolloutRow struct {
	Change, Measure      string
	Window, Anticipation int
	Region, Level        string // code
	From                 time.Time
}

// roadRow is how far a change of a policy came.
type roadRow struct {
	Proposed                            time.Time
	Adopted, Evaluated, Ended, Evidence *time.Time
}

// campaignRow is a campaign with one of its regions.
type campaignRow struct {
	Campaign, Matter, Region, Level, Role string
	Selected, Started, Ended              time.Time
}

const (
	campaigns = `SELECT c.id::text, coalesce(c.category_id::text, ''), r.code, r.level, a.role, c.selected_at, coalesce(c.started_at, '9999-01-01'), coalesce(c.ended_at, '9999-01-01')
		FROM campaign c JOIN campaign_region a ON a.campaign_id = c.id JOIN region r ON r.id = a.region_id ORDER BY c.selected_at, c.id, r.code`
	rollouts = `SELECT c.id::text, c.outcome_measure, c.window_days, c.anticipation_days, r.code, r.level, o.effective_from::timestamp AT TIME ZONE 'Asia/Shanghai'
		FROM policy_rollout o JOIN policy_change c ON c.id = o.policy_change_id JOIN region r ON r.id = o.region_id ORDER BY c.id, r.code`
	roads = `SELECT proposed_at, adopted_at, evaluated_at, ended_at, (SELECT min(evidence_at) FROM evidence_link l WHERE l.policy_change_id = c.id) FROM policy_change c`
)

// reformPolicies adds to the pilots that are simulated a change that took effect before there was any data in one county, and that people saw coming; and changes that came
// further: proposed, consulted on, adopted, evaluated, retained and dropped, with evidence before, after and without.
func reformPolicies(t *testing.T, dsn string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), `
		SET session_replication_role = replica;
		CREATE TEMP TABLE reformed AS
			SELECT md5('change ' || n)::uuid AS id, n, (ARRAY['ADOPTED', 'EVALUATED', 'RETAINED', 'PROPOSED', 'CONSULTED', 'DROPPED'])[1 + n % 6] AS state,
				timestamptz '2024-12-10 09:30:07+08' + make_interval(days => 17 * (n % 12)) AS at
			FROM generate_series(0, 17) AS n;
		INSERT INTO policy_version (id, policy_id, n, text, effective_from, policy_change_id)
			SELECT md5('version ' || r.n)::uuid, p.id, 2 + r.n, 'as tried', '2025-06-01'::date + r.n, r.id FROM reformed r CROSS JOIN (SELECT id FROM policy ORDER BY id LIMIT 1) p;
		INSERT INTO policy_change (id, policy_id, owner_unit_id, summary, state, version, proposed_at, consulted_at, outcome_measure, outcome_direction, minimal_effect,
				window_days, anticipation_days, pre_registered_at, pilot_at, adopted_at, policy_version_id, evaluated_at, ended_at)
			SELECT r.id, p.id, p.owner_unit_id, 'change ' || r.n, r.state, 1, r.at,
				CASE WHEN r.state <> 'PROPOSED' THEN r.at + interval '5 days' END, o.measure, o.direction, o.least, o.length, o.before,
				CASE WHEN o.measure IS NOT NULL THEN r.at + interval '6 days' END, CASE WHEN o.measure IS NOT NULL THEN r.at + interval '8 days' END,
				CASE WHEN o.measure IS NOT NULL THEN r.at + make_interval(days => 20 + 9 * (r.n % 7)) END, CASE WHEN o.measure IS NOT NULL THEN md5('version ' || r.n)::uuid END,
				CASE WHEN r.state IN ('EVALUATED', 'RETAINED') THEN r.at + make_interval(days => 100 + 40 * (r.n % 12)) END,
				CASE WHEN r.state = 'RETAINED' THEN r.at + interval '600 days' WHEN r.state = 'DROPPED' THEN r.at + interval '33 days' END
			FROM reformed r CROSS JOIN (SELECT id, owner_unit_id FROM policy ORDER BY id LIMIT 1) p
			LEFT JOIN (SELECT 'H1' AS measure, 'AT_MOST' AS direction, 0.1 AS least, 90 AS length, 40 AS before) o ON r.state IN ('ADOPTED', 'EVALUATED', 'RETAINED');
		INSERT INTO policy_rollout (policy_change_id, region_id, effective_from)
			SELECT md5('change 0')::uuid, r.id, (ARRAY['2024-06-01', '2025-05-20', '2025-05-20', '2025-08-05']::date[])[r.n]
			FROM (SELECT id, row_number() OVER (ORDER BY code) AS n FROM region WHERE level = 'COUNTY') r WHERE r.n <= 4;
		INSERT INTO evidence_link (id, policy_change_id, visit_id, evidence_at, linked_at)
			SELECT gen_random_uuid(), r.id, v.id, r.at + make_interval(days => (ARRAY[-30, 4, -3])[1 + r.n % 3], hours => -k), r.at + interval '10 days'
			FROM reformed r CROSS JOIN generate_series(0, 1) AS k
			CROSS JOIN LATERAL (SELECT id FROM visit ORDER BY id OFFSET r.n * 2 + k LIMIT 1) v WHERE r.n % 4 > 0 AND (r.n % 6 < 3 OR r.n % 3 = 0)`)
	require.NoError(t, err)
}

// campaign holds three campaigns: one on whatever is raised in ten counties, with four frozen to compare with, one on a matter in three of them and others, and one in
// regions of two levels.
func campaign(t *testing.T, dsn string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), `
		SET session_replication_role = replica;
		INSERT INTO campaign (id, topic, category_id, origin, selection_rule, lead_unit_id, evidence, evidence_sha256, evidence_as_of, period_from, period_to, state, version,
				reviewer_unit_id, nominated_at, selected_at, started_at, review_at, ended_at)
			SELECT md5('campaign ' || v.n)::uuid, 'what people wait for', c.id, 'H2', 'the highest rates', u.id, e.text, encode(sha256(convert_to(e.text, 'UTF8')), 'hex'), v.started - interval '9 days',
				v.started::date, v.ended::date, 'EXITED', 5, u.id, v.started - interval '20 days', v.started - interval '8 days', v.started, v.ended - interval '3 days', v.ended
			FROM (VALUES (1, timestamptz '2025-07-03 09:00+08', timestamptz '2025-08-20 17:00+08', NULL), (2, '2025-06-10 09:00+08', '2025-07-01 17:00+08', 0), (3, '2025-05-10 09:00+08', '2025-06-01 17:00+08', 1))
				AS v (n, started, ended, matter)
			CROSS JOIN (SELECT id FROM org_unit ORDER BY id LIMIT 1) u CROSS JOIN (SELECT '{"cells":[{"region":"as frozen"}]}' AS text) e
			LEFT JOIN (SELECT id, row_number() OVER (ORDER BY code) - 1 AS n FROM category WHERE parent_id IS NULL) c ON c.n = v.matter;
		INSERT INTO campaign_region (campaign_id, region_id, role)
			SELECT md5('campaign ' || v.n)::uuid, r.id, v.role
			FROM (VALUES (1, 5, 14, 'COUNTY', 'TREATED'), (1, 15, 18, 'COUNTY', 'COMPARISON'), (2, 12, 16, 'COUNTY', 'TREATED'), (3, 1, 2, 'COUNTY', 'TREATED'), (3, 1, 1, 'TOWNSHIP', 'TREATED'))
				AS v (n, first, last, level, role)
			JOIN (SELECT id, level, row_number() OVER (PARTITION BY level ORDER BY code) AS n FROM region) r ON r.level = v.level AND r.n BETWEEN v.first AND v.last`)
	require.NoError(t, err)
}

// panel is a region by month: its rate or share, and its issues.
type panel struct {
	from    int // the month from which it is under the policy; or untreated
	people  float64
	outcome []float64
	issues  []float64
}

const untreated = math.MaxInt

func month(t time.Time) time.Time {
	t = t.In(shanghai)
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, shanghai)
}

func monthsFrom(a, b time.Time) int { return 12*(b.Year()-a.Year()) + int(b.Month()) - int(a.Month()) }

// panels are the regions of a level in the months [first, last), as far as there are data of them.
func (r *rows) panels(q question, asOf time.Time, measure, level string, anticipation int, first, last time.Time, under map[string]time.Time) (all map[string]*panel, months int) {
	begin := time.Time{}
	for _, i := range r.all(q) {
		if (q.region == "" || i.Region != nil && r.inRegion(q, *i.Region)) && (begin.IsZero() || i.Origin.Before(begin)) {
			begin = i.Origin
		}
	}
	if begin.After(first) {
		if first = month(begin); begin.After(first) {
			first = first.AddDate(0, 1, 0)
		}
	}
	if months = monthsFrom(first, last); months < 2 {
		return nil, months
	}
	q.by, q.grain, q.level = []string{"REGION"}, "MONTH", level
	q.originFrom, q.originTo = &first, &last
	all = map[string]*panel{}
	for _, region := range r.regions {
		if region.Level != level || !r.inRegion(q, region.ID) {
			continue
		}
		persons, known := r.people(region.ID, first.Add(last.Sub(first)/2))
		if !known || persons <= 0 {
			continue
		}
		p := &panel{from: untreated, people: persons * years(first, last), outcome: make([]float64, months), issues: make([]float64, months)}
		if day, has := under[region.Code]; has {
			if p.from = monthsFrom(first, month(day)); p.from <= anticipation {
				continue // of what was before nothing is known, and it is no control either
			}
		}
		for m := range p.outcome {
			if measure == "T2" {
				p.outcome[m] = math.NaN()
			}
		}
		all[region.Code] = p
	}
	cell := func(key string) (*panel, int) {
		code, at, _ := strings.Cut(key, "|")
		day, _ := time.ParseInLocation("2006-01", at, shanghai)
		return all[code], monthsFrom(first, day)
	}
	if measure == "T2" {
		for key, f := range reckonResolution(r, q, asOf) {
			if p, m := cell(key); p != nil && !math.IsNaN(f["confirmed60"]) {
				p.outcome[m], p.issues[m] = f["confirmed60"], f["n"]
			}
		}
		return all, months
	}
	for key, issues := range cells(r, q, r.seen(q), byOrigin) {
		if p, m := cell(key); p != nil {
			p.issues[m] = float64(len(issues))
			p.outcome[m] = p.issues[m] / (p.people / float64(months))
		}
	}
	return all, months
}

// effectOf is by how much the outcome of regions changed from the month before they came under a policy, but for so many months in which people saw it coming, to each
// month since, beyond that of regions not yet under it: the mean over regions and months, each month of a region as heavy as its group has people.
func effectOf(all map[string]*panel, months, anticipation int) (effect float64) {
	var sum, weights float64
	for group := range months {
		base := group - 1 - anticipation
		size := 0.0
		for _, p := range all {
			if p.from == group {
				size += p.people
			}
		}
		for m := group; size > 0 && m < months; m++ {
			var change, people [2]float64 // of the group, of regions not yet under it
			for _, p := range all {
				by := p.outcome[m] - p.outcome[base]
				switch {
				case math.IsNaN(by):
				case p.from == group:
					change[0], people[0] = change[0]+p.people*by, people[0]+p.people
				case p.from == untreated || p.from > m+anticipation:
					change[1], people[1] = change[1]+p.people*by, people[1]+p.people
				}
			}
			if people[0] > 0 && people[1] > 0 {
				sum, weights = sum+size*(change[0]/people[0]-change[1]/people[1]), weights+size
			}
		}
	}
	return ratio(sum, weights)
}

func reckonPolicyEffect(r *rows, q question, asOf time.Time) answer {
	type change struct {
		rolloutRow
		under       map[string]time.Time
		first, last time.Time
	}
	changes := map[string]*change{}
	for _, o := range r.rollouts {
		if o.From.After(asOf) {
			continue
		}
		c := changes[o.Change]
		if c == nil {
			c = &change{rolloutRow: o, under: map[string]time.Time{}, first: o.From, last: o.From}
			changes[o.Change] = c
		}
		c.under[o.Region] = o.From
		if o.From.Before(c.first) {
			c.first = o.From
		}
		if o.From.After(c.last) {
			c.last = o.From
		}
	}
	got := answer{}
	for id, c := range changes {
		seen, scale := asOf.In(shanghai), 1000.0
		if c.Measure == "T2" {
			seen, scale = seen.AddDate(0, 0, -60), 1
		}
		end := c.last.In(shanghai).AddDate(0, 0, c.Window).AddDate(0, 1, 0)
		if seen.Before(end) {
			end = seen
		}
		anticipation := (c.Anticipation + 29) / 30
		all, months := r.panels(q, asOf, c.Measure, c.Level, anticipation, month(c.first).AddDate(0, -12, 0), month(end), c.under)
		if months < 2 {
			continue
		}
		f := figures{"n": 0, "effect": scale * effectOf(all, months, anticipation), "treated": 0, "controls": 0, "months": float64(months), "effectApart": math.NaN()}
		apart := r.apart(all, month(end))
		f.count(all)
		if len(apart) < len(all) && len(apart) > 1 {
			f["effectApart"] = scale * effectOf(apart, months, anticipation)
		}
		if !math.IsNaN(f["effect"]) {
			got[id] = f
		}
	}
	return got
}

// apart are the regions under a policy and those of the others that touch none of them.
func (r *rows) apart(all map[string]*panel, day time.Time) map[string]*panel {
	kept := map[string]*panel{}
	var areas []*area
	for _, region := range r.regions {
		if all[region.Code] != nil {
			areas = append(areas, &area{region: region})
		}
	}
	for _, a := range areas {
		touches := slices.ContainsFunc(r.around(areas, a, day), func(near *area) bool { return all[near.region.Code].from != untreated })
		if p := all[a.region.Code]; p.from != untreated || !touches {
			kept[a.region.Code] = p
		}
	}
	return kept
}

// policyEffectInViews: the views do not tell which regions touch.
func policyEffectInViews(q question) string {
	q.originFrom, q.originTo = nil, nil
	q.by, q.grain, q.level = []string{"REGION"}, "MONTH", "COUNTY"
	within := ""
	if q.region != "" {
		within = " AND has(path_codes, '" + q.region + "')"
	}
	ofRegion := q
	ofRegion.category, ofRegion.channels, ofRegion.kinds = "", nil, nil
	number := func(t string) string { return "toInt32(toYear(" + t + ") * 12 + toMonth(" + t + "))" }
	local := func(t string) string { return "toTimeZone(" + t + ", 'Asia/Shanghai')" }
	date := func(months string) string {
		return "makeDateTime64(intDiv(" + months + " - 1, 12), (" + months + " - 1) % 12 + 1, 1, 0, 0, 0, 0, 6, 'Asia/Shanghai')"
	}
	year := func(t string) string {
		return "(toYear(" + t + ") + (toUnixTimestamp64Micro(" + t + ") / 1e6 - toUnixTimestamp(toStartOfYear(" + t + "))) / (toUnixTimestamp(toStartOfYear(" + t + " + INTERVAL 1 YEAR)) - toUnixTimestamp(toStartOfYear(" + t + "))))"
	}
	seen := strings.ReplaceAll(ofRegion.seenIssues(), "known.state != 'MERGED'", "1")
	return `WITH under AS (SELECT o.policy_change_id AS change, c.outcome_measure AS measure, intDiv(c.anticipation_days + 29, 30) AS early, c.window_days AS window, o.region_code AS region, o.effective_from AS day,
			` + number("o.effective_from") + ` AS since FROM pub_policy_rollout AS o INNER JOIN pub_policy_change AS c ON c.id = o.policy_change_id
			WHERE toDateTime64(toString(o.effective_from), 6, 'Asia/Shanghai') <= ` + moment + `),
		begun AS (SELECT min(origin_at) AS at FROM (` + seen + `)),
		changes AS (SELECT change, any(assumeNotNull(measure)) AS of_measure, any(early) AS ahead, greatest(min(since) - 12, (SELECT ` + number(local("at")) + ` + if(toStartOfMonth(` + local("at") + `) < at, 1, 0) FROM begun)) AS first,
			least(` + number(local("("+moment+" - toIntervalDay(if(of_measure = 'T2', 60, 0)))")) + `, ` + number("(max(day) + toIntervalDay(any(window)) + INTERVAL 1 MONTH)") + `) AS last, last - first AS months
			FROM under GROUP BY change HAVING months >= 2),
		counted AS (SELECT key, 'H1' AS measure, toFloat64(count()) AS value, count() AS issues FROM (` + q.cells(q.seenIssues(), "origin_at") + `) GROUP BY key),
		shares AS (SELECT key, 'T2' AS measure, confirmed60 AS value, n AS issues FROM (` + resolutionInViews(q) + `) WHERE confirmed60 IS NOT NULL),
		outcomes AS (SELECT splitByChar('|', key)[1] AS region, toInt32(substring(splitByChar('|', key)[2], 1, 4)) * 12 + toInt32(substring(splitByChar('|', key)[2], 6, 2)) AS at, measure, value, issues
			FROM (SELECT key, measure, toNullable(value) AS value, issues FROM counted UNION ALL SELECT key, measure, toNullable(value), issues FROM shares)),
		people AS (SELECT code AS region, assumeNotNull(population) AS persons FROM pub_region WHERE level = 'COUNTY' AND population > 0` + within + `),
		panels AS (SELECT c.change AS change, c.of_measure AS of_measure, c.ahead AS ahead, c.first AS first, c.months AS months, c.region AS region, ifNull(toNullable(u.since) - c.first, 1000000) AS since,
			c.persons * (` + year(date("(c.first + c.months)")) + ` - ` + year(date("c.first")) + `) AS exposed
			FROM (SELECT * FROM changes CROSS JOIN people) AS c LEFT JOIN (SELECT change, region, toNullable(since) AS since FROM under) AS u ON u.change = c.change AND u.region = c.region WHERE since > c.ahead),
		monthly AS (SELECT p.*, m, if(of_measure = 'H1', ifNull(o.value, 0) / (exposed / months), o.value) AS outcome, ifNull(o.issues, 0) AS issues
			FROM (SELECT *, arrayJoin(range(toUInt32(months))) AS m FROM panels) AS p
			LEFT JOIN (SELECT region, at, measure, value, toNullable(issues) AS issues FROM outcomes) AS o ON o.region = p.region AND o.measure = p.of_measure AND o.at = p.first + p.m),
		groups AS (SELECT change, since AS group_since, ahead AS group_ahead, sum(exposed) AS size FROM panels WHERE since < months GROUP BY change, since, ahead),
		changed AS (SELECT n.change AS change, n.group_since AS group_since, n.size AS size, n.m AS m, n.exposed AS exposed, n.outcome - b.outcome AS by_how_much, n.since = n.group_since AS treated
			FROM (SELECT * FROM groups AS g INNER JOIN monthly AS w ON w.change = g.change WHERE w.m >= g.group_since AND (w.since = g.group_since OR w.since > w.m + g.group_ahead)) AS n
			INNER JOIN (SELECT change, region, m, outcome FROM monthly) AS b ON b.change = n.change AND b.region = n.region WHERE b.m = n.group_since - 1 - n.group_ahead AND by_how_much IS NOT NULL),
		cells AS (SELECT change, group_since, m, any(size) AS size, sumIf(exposed * by_how_much, treated) / sumIf(exposed, treated) - sumIf(exposed * by_how_much, NOT treated) / sumIf(exposed, NOT treated) AS att
			FROM changed GROUP BY change, group_since, m HAVING isFinite(att)),
		effects AS (SELECT change, sum(size * att) / sum(size) AS att FROM cells GROUP BY change)
		SELECT toString(e.change) AS key, any(e.att * if(p.of_measure = 'H1', 1000, 1)) AS effect, uniqIf(p.region, p.since = 1000000) AS controls, uniqIf(p.region, p.since != 1000000) AS treated,
			any(p.months) AS months, sumIf(p.issues, p.since != 1000000) AS n FROM effects AS e INNER JOIN monthly AS p ON p.change = e.change GROUP BY e.change`
}

// count enters how many regions there are of either side, and the issues of those under it.
func (f figures) count(all map[string]*panel) {
	for _, p := range all {
		if p.from == untreated {
			f["controls"]++
			continue
		}
		f["treated"]++
		for _, n := range p.issues {
			f["n"] += n
		}
	}
}

// reckonCampaignEffect compares the months after a campaign with what was to be expected by the shrunk rates of before.
func reckonCampaignEffect(r *rows, q question, asOf time.Time) answer {
	type held struct {
		campaignRow
		under    map[string]time.Time // where it is
		compared map[string]bool      // and what was frozen to compare with
		levels   map[string]bool
	}
	var all []*held
	for _, c := range r.campaigns {
		if c.Selected.After(asOf) {
			continue
		}
		if len(all) == 0 || all[len(all)-1].Campaign != c.Campaign {
			all = append(all, &held{c, map[string]time.Time{}, map[string]bool{}, map[string]bool{}})
		}
		of := all[len(all)-1]
		of.levels[c.Level] = true
		if c.Role == "TREATED" {
			of.under[c.Region] = c.Started
		} else {
			of.compared[c.Region] = true
		}
	}
	got := answer{}
	for _, c := range all {
		if len(c.levels) > 1 || c.Started.After(asOf) || c.Ended.After(asOf) || asOf.Before(c.Ended.AddDate(0, 0, 90)) {
			continue
		}
		of := q
		if c.Matter != "" {
			of.category = c.Matter
		}
		end := c.Started.In(shanghai).AddDate(0, 0, int(c.Ended.Sub(c.Started).Hours()/24)+31*12).AddDate(0, 1, 0)
		if asOf.Before(end) {
			end = asOf.In(shanghai)
		}
		panels, months := r.panels(of, asOf, "H1", c.Level, 0, month(c.Started).AddDate(0, -12, 0), month(end), c.under)
		begin := month(end).AddDate(0, -months, 0)
		before, until := monthsFrom(begin, month(c.Started)), monthsFrom(begin, month(c.Ended))+1
		if months < 2 || before < 1 || until >= months {
			continue
		}
		for _, p := range panels { // as if the campaign had taken no time
			p.outcome, p.issues = slices.Delete(p.outcome, before, until), slices.Delete(p.issues, before, until)
		}
		taken := map[string]bool{}
		for _, other := range all {
			for code := range other.under {
				taken[code] = taken[code] || other.Matter == c.Matter || other.Matter == "" || c.Matter == ""
			}
		}
		of.region, of.by, of.grain, of.level = "", []string{"REGION"}, "", c.Level
		since := c.Selected.AddDate(0, -12, 0)
		if begins := r.begins(of); begins.After(since) {
			since = begins
		}
		of.windowFrom, of.windowTo = &since, &c.Selected
		rates := r.areas(of, asOf)[""]
		controls := matched(rates, c.under, taken)
		pick := func(more map[string]bool) map[string]*panel {
			kept := map[string]*panel{}
			for code, p := range panels {
				if p.from != untreated || more[code] {
					kept[code] = p
				}
			}
			return kept
		}
		with, frozen := pick(controls), pick(c.compared)
		after := months - until
		f := figures{"n": 0, "effect": 1000 * beyondExpected(with, rates, after), "regressionToMean": 0, "effectCompared": math.NaN(), "treated": 0, "controls": 0, "months": float64(after)}
		f.count(with)
		if len(frozen) > len(c.under) {
			f["effectCompared"] = 1000 * beyondExpected(frozen, rates, after)
		}
		people := 0.0
		for _, a := range rates {
			if _, in := c.under[a.region.Code]; in {
				f["regressionToMean"], people = f["regressionToMean"]+1000*a.years*(a.rate-a.issues/a.years), people+a.years
			}
		}
		f["regressionToMean"] /= people
		if !math.IsNaN(f["effect"]) {
			got[c.Campaign] = f
		}
	}
	return got
}

// begins is the first origin that is known.
func (r *rows) begins(q question) (begins time.Time) {
	for _, i := range r.all(q) {
		if begins.IsZero() || i.Origin.Before(begins) {
			begins = i.Origin
		}
	}
	return begins
}

// beyondExpected is the rate of the last months in the regions under a campaign, beyond their shrunk rate of before times the change of the others from theirs.
func beyondExpected(all map[string]*panel, rates []*area, months int) float64 {
	var before, after, people [2]float64 // of the others, of those under it
	for _, a := range rates {
		if p := all[a.region.Code]; p != nil {
			side := 0
			if p.from != untreated {
				side = 1
			}
			people[side], before[side] = people[side]+p.people, before[side]+p.people*a.rate
			for _, rate := range p.outcome[len(p.outcome)-months:] {
				after[side] += p.people * rate / float64(months)
			}
		}
	}
	return after[1]/people[1] - before[1]/people[1]*after[0]/before[0]
}

// matched are the regions whose rate is nearest to that of one of those under a campaign: for the highest first, one each in turn, until there are as many, and 8.
func matched(rates []*area, under map[string]time.Time, taken map[string]bool) map[string]bool {
	var chosen, free []*area
	for _, a := range rates {
		if _, in := under[a.region.Code]; in {
			chosen = append(chosen, a)
		} else if !taken[a.region.Code] {
			free = append(free, a)
		}
	}
	slices.SortStableFunc(chosen, func(a, b *area) int { return cmp.Compare(b.rate, a.rate) })
	controls := map[string]bool{}
	for turn := 0; len(free) > 0 && len(controls) < max(8, len(chosen)); turn++ {
		own := chosen[turn%len(chosen)].rate
		nearest := slices.MinFunc(free, func(a, b *area) int {
			return cmp.Or(cmp.Compare(math.Abs(a.rate-own), math.Abs(b.rate-own)), cmp.Compare(a.region.Code, b.region.Code))
		})
		controls[nearest.region.Code] = true
		free = slices.DeleteFunc(free, func(a *area) bool { return a == nearest })
	}
	return controls
}

// reckonRoad counts changes that were proposed by as-of.
func reckonRoad(r *rows, _ question, asOf time.Time) answer {
	come := func(t *time.Time) bool { return t != nil && !t.After(asOf) }
	var exits []exit
	var n, before, adopted, evaluated, mature, pending float64
	for _, c := range r.roads {
		if c.Proposed.After(asOf) {
			continue
		}
		n++
		until, cause := asOf, 0
		switch {
		case come(c.Adopted):
			adopted++
			until, cause = *c.Adopted, 1
			if come(c.Evidence) && c.Evidence.Before(c.Proposed) {
				before++
			}
			if year := c.Adopted.AddDate(1, 0, 0); !year.After(asOf) {
				mature++
				if come(c.Evaluated) && !c.Evaluated.After(year) {
					evaluated++
				}
			}
		case come(c.Ended):
			until = *c.Ended
		default:
			pending++
		}
		if come(c.Evidence) && !until.Before(*c.Evidence) {
			exits = append(exits, exitAt(*c.Evidence, until, cause))
		}
	}
	if n == 0 {
		return answer{}
	}
	return answer{"": figures{"n": n, "evidenceBefore": ratio(before, adopted), "evaluated": ratio(evaluated, mature), "adopted": adopted, "pending": pending, "toAdoptionP50Days": quantile(exits, 0.5)}}
}

func roadInViews(question) string {
	come := func(name string) string {
		return "if(" + name + " <= " + moment + ", " + name + ", NULL) AS known_" + name
	}
	return "WITH roads AS (SELECT proposed_at, " + come("adopted_at") + ", " + come("evaluated_at") + ", " + come("ended_at") + ", " + come("first_evidence_at") + `, known_adopted_at + INTERVAL 1 YEAR AS year_on
			FROM pub_policy_change WHERE proposed_at <= ` + moment + "), " +
		survival("SELECT '' AS key, assumeNotNull(known_first_evidence_at) AS began, coalesce(known_adopted_at, known_ended_at, "+moment+") AS until, toUInt8(known_adopted_at IS NOT NULL) AS cause FROM roads WHERE known_first_evidence_at IS NOT NULL AND until >= began") +
		` SELECT '' AS key, count() AS n, countIf(known_adopted_at IS NOT NULL) AS adopted, countIf(known_adopted_at IS NOT NULL AND known_first_evidence_at < proposed_at) / adopted AS evidenceBefore,
			countIf(year_on <= ` + moment + ` AND known_evaluated_at <= year_on) / countIf(year_on <= ` + moment + `) AS evaluated, countIf(known_adopted_at IS NULL AND known_ended_at IS NULL) AS pending,
			(SELECT ` + firstBy("0.5") + ` FROM curve) AS toAdoptionP50Days FROM roads HAVING n > 0`
}

// namesWhatWasDone looks at the labels of changes of policy and campaigns: they are called as in the system of record, by the ids with which it is asked for them.
func (w *province) namesWhatWasDone(t *testing.T) {
	t.Helper()
	r := w.as(t, "SUPERVISOR").get(`{ p: measures(query: {measures: [P1], by: [POLICY_CHANGE]}) { dimensions { ids labels } } c: measures(query: {measures: [P2], by: [CAMPAIGN]}) { dimensions { ids labels } }
		policyChanges(first: 50) { nodes { id summary } } campaigns(first: 50) { nodes { id topic } } }`, nil)
	names := map[string]string{}
	for list, name := range map[string]string{"policyChanges": "summary", "campaigns": "topic"} {
		for i := range r.at(t, list, "nodes").([]any) {
			names[r.text(t, list, "nodes", i, "id")] = r.text(t, list, "nodes", i, name)
		}
	}
	for _, answer := range []string{"p", "c"} {
		ids := r.at(t, answer, "dimensions", 0, "ids").([]any)
		require.GreaterOrEqual(t, len(ids), 2)
		for i := range ids {
			require.Equal(t, names[r.text(t, answer, "dimensions", 0, "ids", i)], r.text(t, answer, "dimensions", 0, "labels", i))
		}
	}
}
