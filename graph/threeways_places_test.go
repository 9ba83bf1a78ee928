package graph_test

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Measures of places, twice more: H4 and H5 of issues, F6 and I2 of visits to sites.

// siteRow is a place that visits go to.
type siteRow struct {
	ID, Region    string
	Eligible      time.Time  // since when
	EligibleUntil *time.Time // the first midnight after
}

// atSiteRow is a visit that was held.
type atSiteRow struct {
	Site string
	Over time.Time
}

const (
	sites  = `SELECT id::text, region_id::text, coalesce(eligible_from::timestamp AT TIME ZONE 'Asia/Shanghai', created_at), eligible_to::timestamp AT TIME ZONE 'Asia/Shanghai' FROM site`
	heldAt = `SELECT site_id::text, coalesce(ended_at, started_at) FROM visit WHERE state IN ('HELD', 'RECORDED', 'CLOSED_OUT')`
)

// toVisit are the sites of the question that are eligible at as-of.
func (r *rows) toVisit(q question, asOf time.Time) (all []siteRow) {
	for _, s := range r.sites {
		if r.inRegion(q, s.Region) && !s.Eligible.After(asOf) && (s.EligibleUntil == nil || s.EligibleUntil.After(asOf)) {
			all = append(all, s)
		}
	}
	return all
}

func (r *rows) visitsOf(site string) (over []time.Time) {
	for _, v := range r.atSites {
		if v.Site == site {
			over = append(over, v.Over)
		}
	}
	slices.SortFunc(over, time.Time.Compare)
	return over
}

// hoursAt is an exit after whole hours, rounded up.
func hoursAt(from, to time.Time, cause int) exit {
	return exit{3600 * int64(math.Ceil(float64(to.Sub(from).Microseconds())/3600e6)), cause}
}

func reckonCoverage(r *rows, q question, asOf time.Time) answer {
	type gap struct {
		site siteRow
		from time.Time
		exit exit
	}
	var gaps []gap
	visited := map[string]bool{}
	all := r.toVisit(q, asOf)
	for _, s := range all {
		from := s.Eligible
		for _, over := range r.visitsOf(s.ID) {
			if over.Before(s.Eligible) || over.After(asOf) {
				continue
			}
			gaps = append(gaps, gap{s, from, hoursAt(from, over, 1)})
			from, visited[s.ID] = over, visited[s.ID] || over.After(asOf.AddDate(0, 0, -365))
		}
		gaps = append(gaps, gap{s, from, hoursAt(from, asOf, 0)})
	}
	between := cells(r, q, gaps, func(g gap) (issueRow, time.Time) { return issueRow{Region: &g.site.Region}, g.from })
	got := answer{}
	for key, cell := range cells(r, q, all, func(s siteRow) (issueRow, time.Time) { return issueRow{Region: &s.Region}, asOf }) {
		var n float64
		for _, s := range cell {
			if visited[s.ID] {
				n++
			}
		}
		var exits []exit
		for _, g := range between[key] {
			exits = append(exits, g.exit)
		}
		got[key] = figures{"n": float64(len(cell)), "covered": n / float64(len(cell)), "visitedSites": n, "gapP50Days": quantile(exits, 0.5), "gapP90Days": quantile(exits, 0.9)}
	}
	return got
}

// coverageInViews: of some sites the views do not tell since when they are to be visited, so gaps are left out.
func coverageInViews(q question) string {
	eligible := "SELECT *, " + moment + " AS at FROM pub_site WHERE ifNull(toDateTime64(eligible_from, 6, 'Asia/Shanghai') <= at, 1) AND ifNull(eligible_to > toDate32(toTimeZone(at, 'Asia/Shanghai')), 1)" + q.prefecture()
	return `WITH held AS (SELECT site_id, max(ifNull(ended_at, started_at)) AS last FROM pub_visit WHERE state IN ('HELD', 'RECORDED', 'CLOSED_OUT') AND ifNull(ended_at, started_at) <= ` + moment + ` GROUP BY site_id)
		SELECT key, count() AS n, countIf(held.last > ` + moment + ` - INTERVAL 365 DAY) AS visitedSites, visitedSites / n AS covered
		FROM (` + q.cells(eligible, "at") + `) AS s LEFT JOIN held ON held.site_id = s.id GROUP BY key`
}

// routeOf is the year that F6 looks at.
func (q question) routeOf(asOf time.Time) (from, to time.Time) {
	if q.windowTo != nil && q.windowTo.Before(asOf) {
		asOf = *q.windowTo
	}
	return asOf.AddDate(-1, 0, 0), asOf
}

// reckonRoutes leaves what chance gives to the tests of the statistics.
func reckonRoutes(r *rows, q question, asOf time.Time) answer {
	from, to := q.routeOf(asOf)
	q.windowFrom, q.windowTo = nil, nil
	got := answer{}
	for key, cell := range cells(r, q, r.toVisit(q, asOf), func(s siteRow) (issueRow, time.Time) { return issueRow{Region: &s.Region}, asOf }) {
		var perSite, perMonth []float64
		var n, squares, top5 float64
		for _, s := range cell {
			months := make([]float64, 12)
			var of float64
			for _, over := range r.visitsOf(s.ID) {
				if over.Before(from) || !over.Before(to) {
					continue
				}
				of++
				month := 0
				for month < 11 && !over.Before(from.AddDate(0, month+1, 0)) {
					month++
				}
				months[month]++
			}
			n, squares = n+of, squares+of*of
			perSite, perMonth = append(perSite, of), append(perMonth, months...)
		}
		if n == 0 {
			continue
		}
		slices.SortFunc(perSite, func(a, b float64) int { return int(b - a) })
		for _, of := range perSite[:min(5, len(perSite))] {
			top5 += of
		}
		slices.Sort(perMonth)
		got[key] = figures{"n": n, "effectiveSites": n * n / squares, "effectiveShare": n * n / squares / float64(len(cell)), "eligibleSites": float64(len(cell)), "top5Share": top5 / n,
			"siteMonthP95": perMonth[int(math.Ceil(float64(len(perMonth))*0.95-1e-9))-1]}
	}
	return got
}

func routesInViews(q question) string {
	to := moment
	if q.windowTo != nil {
		to = "least(" + moment + ", fromUnixTimestamp64Micro({window_to:Int64}, 'UTC'))"
	}
	q.windowFrom, q.windowTo = nil, nil
	eligible := "SELECT *, " + moment + " AS at FROM pub_site WHERE ifNull(toDateTime64(eligible_from, 6, 'Asia/Shanghai') <= at, 1) AND ifNull(eligible_to > toDate32(toTimeZone(at, 'Asia/Shanghai')), 1)" + q.prefecture()
	return `WITH held AS (SELECT site_id, count() AS times FROM (SELECT *, ifNull(ended_at, started_at) AS over_at FROM pub_visit WHERE state IN ('HELD', 'RECORDED', 'CLOSED_OUT') AND over_at <= ` + moment + `)
			WHERE over_at >= ` + to + ` - INTERVAL 1 YEAR AND over_at < ` + to + ` GROUP BY site_id)
		SELECT key, sum(times) AS n, n * n / sum(times * times) AS effectiveSites, effectiveSites / count() AS effectiveShare, count() AS eligibleSites,
			arraySum(arraySlice(arrayReverseSort(groupArray(times)), 1, 5)) / n AS top5Share
		FROM (` + q.cells(eligible, "at") + `) AS s LEFT JOIN held ON held.site_id = s.id GROUP BY key HAVING n > 0`
}

// reckonReporting counts what came again within 30 days and before the claim, as it was known.
func reckonReporting(r *rows, q question, asOf time.Time) answer {
	type told struct{ repeats, days float64 }
	by, all := map[string]map[string]told{}, map[string]told{} // by cell and category, and of all by category
	issues := map[string]map[string]float64{}
	mergedInto := r.mergers(q)
	for key, cell := range cells(r, q, r.seen(q), byOrigin) {
		by[key], issues[key] = map[string]told{}, map[string]float64{}
		for _, i := range cell {
			if i.Category == nil {
				continue
			}
			until := i.seenUntil(asOf)
			if i.Claimed != nil && i.Claimed.Before(until) {
				until = *i.Claimed
			}
			if last := i.Origin.AddDate(0, 0, 30); last.Before(until) {
				until = last
			}
			this := told{days: max(0, float64(until.Unix()-i.Origin.Unix())) / 86400}
			for _, o := range r.opinions {
				if standsFor(mergedInto, o.Issue) == i.ID && o.Received.After(i.Origin) && !o.Received.After(asOf) && !o.Linked.After(asOf) && !o.Received.After(i.Origin.AddDate(0, 0, 30)) && (i.Claimed == nil || !o.Received.After(*i.Claimed)) {
					this.repeats++
				}
			}
			for _, sums := range []map[string]told{by[key], all} {
				sums[*i.Category] = told{sums[*i.Category].repeats + this.repeats, sums[*i.Category].days + this.days}
			}
			issues[key][*i.Category]++
		}
	}
	got := answer{}
	for key, categories := range by {
		var n, expected float64
		var sum told
		for category, t := range categories {
			if of := all[category]; of.repeats >= 20 && of.days > 0 {
				n, expected = n+issues[key][category], expected+of.repeats/of.days*t.days
				sum.repeats, sum.days = sum.repeats+t.repeats, sum.days+t.days
			}
		}
		if n == 0 {
			continue
		}
		got[key] = figures{"n": n, "repeats": sum.repeats, "expected": expected, "days": sum.days, "delayDays": math.NaN(), "index": math.NaN()}
		if sum.repeats > 0 {
			got[key]["delayDays"] = sum.days / sum.repeats
		}
		if expected >= 1 {
			got[key]["index"] = sum.repeats / expected
		}
	}
	return got
}

func reportingInViews(q question) string {
	return `WITH mergers AS (` + q.mergersInViews() + `),
		told AS (SELECT ` + matterOf("l.issue_id") + ` AS issue, groupArray(o.received_at) AS at FROM (SELECT * FROM pub_issue_opinion WHERE linked_at <= ` + moment + `) AS l
			INNER JOIN (SELECT * FROM pub_opinion WHERE received_at <= ` + moment + `) AS o ON o.id = l.opinion_id GROUP BY issue),
		each AS (SELECT key, category_code, arrayCount(x -> x > origin_at AND x <= least(origin_at + INTERVAL 30 DAY, ifNull(claimed_at, toDateTime64('2200-01-01', 6, 'UTC'))), told.at) AS again,
				greatest(0, toUnixTimestamp(least(origin_at + INTERVAL 30 DAY, least(ifNull(claimed_at, seen_until), seen_until))) - toUnixTimestamp(origin_at)) / 86400 AS exposed
			FROM (` + q.cells(q.seenIssues(), "origin_at") + `) AS i LEFT JOIN told ON told.issue = toString(i.id) WHERE category_code IS NOT NULL),
		rates AS (SELECT category_code, sum(again) AS of_all, of_all / sum(exposed) AS rate FROM each GROUP BY category_code HAVING of_all >= 20)
		SELECT key, count() AS n, sum(again) AS repeats, sum(rate * exposed) AS expected, sum(exposed) AS days, days / nullIf(repeats, 0) AS delayDays, if(expected >= 1, repeats / expected, NULL) AS index
		FROM each INNER JOIN rates ON rates.category_code = each.category_code GROUP BY key`
}

// reckonSurprise judges the last whole week by the weeks before: of less than two years, by the gamma–Poisson predictive.
func reckonSurprise(r *rows, q question, asOf time.Time) answer {
	week := func(at time.Time) int {
		return int(math.Floor(at.In(shanghai).Sub(time.Date(2024, 1, 1, 0, 0, 0, 0, shanghai)).Hours() / 24 / 7))
	} // of a Monday
	last, first := week(asOf)-1, math.MaxInt
	all := slices.DeleteFunc(r.seen(q), func(i issueRow) bool { return week(i.Origin) > last })
	for _, i := range all {
		first = min(first, week(i.Origin))
	}
	got := answer{}
	for key, cell := range cells(r, q, all, byOrigin) {
		counts := make([]float64, last-first+1)
		for _, i := range cell {
			counts[week(i.Origin)-first]++
		}
		f := figures{"n": float64(len(cell)), "observed": counts[last-first], "lastFourWeeks": 0, "expected": math.NaN(), "bits": math.NaN(), "p": math.NaN()}
		for _, n := range counts[max(0, len(counts)-4):] {
			f["lastFourWeeks"] += n
		}
		if weeks := float64(len(counts) - 1); weeks >= 8 {
			shape := 0.5
			for _, n := range counts[:len(counts)-1] {
				shape += n
			}
			f["expected"] = shape / weeks
			below := 0.0 // P(Y < y), of the negative binomial, a term at a time
			term := math.Pow(weeks/(weeks+1), shape)
			for k := range int(counts[last-first]) {
				below += term
				term *= (shape + float64(k)) / float64(k+1) / (weeks + 1)
			}
			f["p"] = 1 - below
			f["bits"] = -math.Log2(1 - below)
		}
		got[key] = f
	}
	return got
}

func surpriseInViews(q question) string {
	rows := "SELECT *, toMonday(origin_at, 'Asia/Shanghai') AS week FROM (" + q.cells(q.seenIssues(), "origin_at") + ")"
	last := "(toMonday(" + moment + ", 'Asia/Shanghai') - 7)"
	return strings.ReplaceAll(`SELECT key, count() AS n, countIf(week = LAST) AS observed, countIf(week > LAST - 28) AS lastFourWeeks,
		if((LAST - any(first)) / 7 >= 8, (0.5 + n - observed) / ((LAST - any(first)) / 7), NULL) AS expected
		FROM (SELECT *, min(week) OVER () AS first FROM (`+rows+`) WHERE week <= LAST) GROUP BY key`, "LAST", last)
}
