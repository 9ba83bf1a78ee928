package graph_test

import (
	"fmt"
	"strings"
)

// The measures in SQL over the published views, as a researcher writes them (docs/research.md).
//
// The views do not tell of three things: legs, pauses as they stood in the past, and sites of issues; T5's pausedShare and Q4's recurred180 are so left
// out. Nor do they tell the working calendar: its exceptions are given.

const moment = "fromUnixTimestamp64Micro({as_of:Int64}, 'UTC')"

// seenIssues are the issues that the question looks at, as they were known: of the past, as the last event known then left them.
func (q question) seenIssues() string {
	const progress = "state, closure_type, origin_at, first_response_at, claimed_at, resolved_at, closed_at, return_count, dispute_count, opinion_count"
	known := "SELECT id, " + progress + " FROM pub_issue"
	if q.asOf != nil {
		known = "SELECT issue_id AS id, to_" + progress + " FROM pub_issue_event WHERE known_at <= " + moment + " ORDER BY issue_id, seq DESC LIMIT 1 BY issue_id"
		known = strings.Replace(known, "to_state", "to_state AS state", 1)
	}
	where := "known.state != 'MERGED'"
	if q.region != "" {
		where += " AND i.region_code IN (SELECT code FROM pub_region WHERE has(path_codes, '" + q.region + "'))"
	}
	if q.category != "" {
		where += " AND i.category_id IN (SELECT id FROM pub_category WHERE id = '" + q.category + "' OR parent_id = '" + q.category + "')"
	}
	if q.channels != nil {
		where += " AND i.channel IN ('" + strings.Join(q.channels, "', '") + "')"
	}
	if q.kinds != nil {
		where += " AND i.kind IN ('" + strings.Join(q.kinds, "', '") + "')"
	}
	if q.originFrom != nil {
		where += " AND known.origin_at >= fromUnixTimestamp64Micro({origin_from:Int64}, 'UTC') AND known.origin_at < fromUnixTimestamp64Micro({origin_to:Int64}, 'UTC')"
	}
	return "SELECT known.*, i.region_code AS region_code, i.county_code AS county_code, i.prefecture_code AS prefecture_code, i.category_code AS category_code," +
		" i.channel AS channel, i.kind AS kind, i.due_at AS due_at, i.source_visit_id AS source_visit_id, least(" + moment + ", ifNull(i.observed_until, " + moment + ")) AS seen_until" +
		" FROM (" + known + ") AS known INNER JOIN (SELECT id, region_code, county_code, prefecture_code, category_id, category_code, channel, kind, due_at, source_visit_id," +
		" observed_until FROM pub_issue) AS i ON known.id = i.id WHERE " + where
}

// cells adds to rows the cell that each is in, of those whose anchor lies in the window.
func (q question) cells(rows, anchor string) string {
	region := map[string]string{"": "region_code", "COUNTY": "county_code", "PREFECTURE": "prefecture_code",
		"TOWNSHIP": "if(substring(region_code, 7, 3) = '000', NULL, concat(substring(region_code, 1, 9), '000'))"}[q.level] // of a township the code alone tells
	parts := []string{}
	for _, d := range q.by {
		parts = append(parts, map[string]string{"REGION": "ifNull(toString(" + region + "), '')", "CATEGORY": "ifNull(toString(category_code), '')", "CHANNEL": "toString(channel)",
			"KIND": "toString(kind)", "URBAN_RURAL": "ifNull(transform(ifNull(region_code, ''), (SELECT groupArray(code) FROM pub_region), (SELECT groupArray(ifNull(toString(urban_rural), '')) FROM pub_region), ''), '')"}[d])
	}
	if q.grain == "MONTH" {
		parts = append(parts, "formatDateTime(assumeNotNull("+anchor+"), '%Y-%m', 'Asia/Shanghai')")
	}
	text := "SELECT *, arrayStringConcat(CAST([" + strings.Join(parts, ", ") + "], 'Array(String)'), '|') AS key FROM (" + rows + ")"
	if q.windowFrom != nil {
		text += " WHERE " + anchor + " >= fromUnixTimestamp64Micro({window_from:Int64}, 'UTC') AND " + anchor + " < fromUnixTimestamp64Micro({window_to:Int64}, 'UTC')"
	}
	return text
}

// survival is the curves of exits (key, began, until, cause), one a key, step by step: how many confirmed (cause 1) and ended, the survival before and after.
func survival(exits string) string {
	return "exits AS (" + exits + `),
	steps AS (SELECT key, intDiv(toUnixTimestamp64Micro(until) - toUnixTimestamp64Micro(began) + 999999, 1000000) / 86400 AS days,
		countIf(cause = 1) AS confirmed, countIf(cause > 0) AS ended, count() AS leaving FROM exits GROUP BY key, days),
	risk AS (SELECT *, sum(leaving) OVER (PARTITION BY key ORDER BY days ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS at_risk FROM steps),
	curve AS (SELECT *, exp(sum(log(1 - ended / at_risk)) OVER upto) AS after,
		exp(sum(log(1 - ended / at_risk)) OVER (PARTITION BY key ORDER BY days ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS before,
		lagInFrame(days) OVER upto AS earlier FROM risk WINDOW upto AS (PARTITION BY key ORDER BY days ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))`
}

// within is the share confirmed within so many days; unknown where observation ends earlier with somebody left.
func within(days int) string {
	return fmt.Sprintf("if(max(days) >= %[1]d OR min(after) = 0, sumIf(before * confirmed / at_risk, days <= %[1]d), NULL)", days)
}

// firstBy is the time by which a share had ended.
func firstBy(share string) string { return "minOrNullIf(days, after <= 1 - " + share + " + 1e-12)" }

func responseInViews(q question) string {
	return "WITH " + survival(`SELECT key, origin_at AS began, toUInt8(first_response_at IS NOT NULL) AS cause,
			assumeNotNull(multiIf(cause = 1, first_response_at, closure_type = 'WITHDRAWN', closed_at, seen_until)) AS until FROM (`+q.cells(q.seenIssues(), "origin_at")+")") +
		" SELECT key, sum(leaving) AS n, sum(confirmed) AS responded, " + within(1) + " AS responded24h, " + within(7) + " AS responded7d, " + within(30) + " AS responded30d, " +
		firstBy("0.5") + " AS medianDays, " + firstBy("0.9") + " AS p90Days FROM curve GROUP BY key"
}

// endings are how issues ended: 1 confirmed, 2 explained or referred, 3 unconfirmed, 4 withdrawn, 0 not yet.
const endings = `multiIf(resolved_at IS NOT NULL, 1, state != 'CLOSED', 0, closure_type = 'CONFIRMED', 1, closure_type IN ('EXPLAINED', 'REFERRED_OUT'), 2, closure_type = 'UNCONFIRMED', 3, 4) AS ending,
	ending = 0 AND state = 'CLAIMED' AS awaiting,
	assumeNotNull(multiIf(resolved_at IS NOT NULL, resolved_at, ending > 0, closed_at, awaiting, claimed_at, seen_until)) AS until`

func resolutionInViews(q question) string {
	ended := "ended_issues AS (SELECT *, origin_at AS began, " + endings + " FROM (" + q.cells(q.seenIssues(), "origin_at") + "))"
	// three curves a cell: as it is, with no waiting claim confirmed, and with all
	curves := survival(`SELECT (key, bound.1) AS key, began, until, bound.2 AS cause FROM ended_issues
		ARRAY JOIN [('', toUInt8(ending)), ('Lower', toUInt8(if(awaiting, 3, ending))), ('Upper', toUInt8(if(awaiting, 1, ending)))] AS bound`)
	var shares, columns []string
	for _, days := range []int{30, 60, 90} {
		shares = append(shares, within(days)+fmt.Sprintf(" AS c%d", days))
		columns = append(columns, fmt.Sprintf("if(claimed > 0 AND judged = 0, NULL, anyIf(c%[1]d, bound = '')) AS confirmed%[1]d, anyIf(c%[1]d, bound = 'Lower') AS confirmed%[1]dLower, anyIf(c%[1]d, bound = 'Upper') AS confirmed%[1]dUpper", days))
	}
	return "WITH " + ended + ", " + curves + `,
		numbers AS (SELECT key.1 AS cell, key.2 AS bound, ` + strings.Join(shares, ", ") + ", " + firstBy("0.5") + " AS median, " + firstBy("0.9") + ` AS p90,
			if(max(days) >= 90 OR min(after) = 0, sum(before * (least(days, 90) - least(earlier, 90))), NULL) AS mean FROM curve GROUP BY key),
		counts AS (SELECT key AS cell, count() AS n, countIf(ending = 0 AND NOT awaiting) AS open, countIf(awaiting) AS awaitingFeedback, countIf(ending = 1) AS confirmed,
			countIf(ending = 2) AS explainedOrReferred, countIf(ending = 3) AS unconfirmed, countIf(ending = 4) AS withdrawn,
			countIf(claimed_at IS NOT NULL) AS claimed, countIf(resolved_at IS NOT NULL OR dispute_count > 0) AS judged FROM ended_issues GROUP BY key)
		SELECT cell AS key, any(n) AS n, any(open) AS open, any(awaitingFeedback) AS awaitingFeedback, any(confirmed) AS confirmed, any(explainedOrReferred) AS explainedOrReferred,
			any(unconfirmed) AS unconfirmed, any(withdrawn) AS withdrawn, ` + strings.ReplaceAll(strings.Join(columns, ", "), "claimed > 0 AND judged = 0", "any(claimed) > 0 AND any(judged) = 0") + `,
			anyIf(median, bound = '') AS medianDays, anyIf(p90, bound = '') AS p90Days, anyIf(mean, bound = '') AS rmst90Days
		FROM numbers INNER JOIN counts USING (cell) GROUP BY cell`
}

func onTimeInViews(q question) string {
	return `WITH stands AS (SELECT key, due_at <= ` + moment + ` AS due, state = 'CLOSED' AS closed, ifNull(claimed_at <= due_at, 0) AS in_time, ifNull(closure_type, '') AS how,
			due AND how != 'WITHDRAWN' AS counts, ifNull(resolved_at <= due_at, 0) OR how = 'EXPLAINED' AND in_time AS held,
			NOT held AND state = 'CLAIMED' AND in_time AS waits, closed OR resolved_at IS NOT NULL OR dispute_count > 0 AS judged
			FROM (` + q.cells("SELECT * FROM ("+q.seenIssues()+") WHERE due_at IS NOT NULL", "due_at") + `))
		SELECT key, countIf(counts) AS n, countIf(counts AND held) AS onTimeIssues, countIf(counts AND closed AND NOT held) AS late, countIf(counts AND waits) AS awaitingFeedback,
			n - onTimeIssues - late - awaitingFeedback AS openOverdue, countIf(NOT due) AS notYetDue,
			if(awaitingFeedback > 0 AND countIf(counts AND judged) = 0, NULL, onTimeIssues / n) AS onTime, (onTimeIssues + awaitingFeedback) / n AS onTimeUpper
		FROM stands GROUP BY key`
}

func backlogInViews(q question) string {
	return `WITH stock AS (SELECT *, state != 'CLOSED' AS in_stock, intDiv(toUnixTimestamp64Micro(seen_until) - toUnixTimestamp64Micro(origin_at) + 999999, 1000000) / 86400 AS age,
			` + moment + ` - INTERVAL 28 DAY AS since FROM (` + q.cells(q.seenIssues(), "origin_at") + `))
		SELECT * EXCEPT ages FROM (SELECT key, countIf(in_stock) AS n, n AS open, countIf(state = 'CLAIMED') AS awaitingFeedback, arraySort(groupArrayIf(age, in_stock)) AS ages,
			if(n = 0, NULL, ages[toUInt64(ceil(0.5 * n - 1e-9))]) AS ageP50Days, if(n = 0, NULL, ages[toUInt64(ceil(0.9 * n - 1e-9))]) AS ageP90Days,
			countIf(in_stock AND age > 60) / n AS shareOver60Days, countIf(in_stock AND age > 90) / n AS shareOver90Days,
			countIf(origin_at > since) AS inflow28Days, countIf(NOT in_stock AND closed_at > since) AS outflow28Days, inflow28Days / outflow28Days AS flowRatio
		FROM stock GROUP BY key HAVING n + inflow28Days + outflow28Days > 0)`
}

// clockInViews takes dispatches for legs, which is right where none names a second unit.
func clockInViews(q question) string {
	return `WITH sent AS (SELECT issue_id, countIf(kind = 'DISPATCHED') AS legs, countIf(kind = 'RETURNED') AS returned FROM pub_issue_event WHERE known_at <= ` + moment + ` GROUP BY issue_id)
		SELECT key, count() AS n, sum(sent.legs) AS legs, sum(sent.returned) / legs AS returnedLegs, countIf(return_count >= 2) / n AS returnedTwice
		FROM (` + q.cells(q.seenIssues(), "origin_at") + `) AS i LEFT JOIN sent ON sent.issue_id = i.id GROUP BY key`
}

const workingDays = `(SELECT groupArray(day) FROM (SELECT toDate('2024-11-01') + number AS day FROM numbers(900) ORDER BY day)
			WHERE has({days_on:Array(String)}, toString(day)) OR toDayOfWeek(day) < 6 AND NOT has({days_off:Array(String)}, toString(day)))`

// dueClaims are the claims whose tenth working day is over, with what became of the question.
func dueClaims(q question) string {
	return `WITH ` + workingDays + ` AS working_days,
		seen AS (` + q.seenIssues() + `),
		verdicts AS (SELECT claim_id, argMaxIf(toString(resolved), (at, toString(id)), collected_by != 'HANDLER') AS verdict, argMaxIf(ifNull(satisfaction, 0), (at, toString(id)), collected_by != 'HANDLER') AS level,
			countIf(collected_by = 'HANDLER') AS by_handler, count() AS any_verdict FROM pub_feedback WHERE at <= ` + moment + ` GROUP BY claim_id),
		calls AS (SELECT claim_id, count() AS tries, countIf(outcome = 'ANSWERED') AS answers FROM pub_callback WHERE at <= ` + moment + ` GROUP BY claim_id),
		made AS (SELECT id AS claim, issue_id, claimed_at AS made_at FROM pub_claim
			WHERE toDateTime(arrayElement(arrayFilter(x -> x > toDate(claimed_at, 'Asia/Shanghai'), working_days), 10) + 1, 'Asia/Shanghai') <= ` + moment + `),
		due AS (` + q.cells(`SELECT s.*, m.made_at AS made_at, v.verdict AS verdict, v.level AS level, v.verdict != '' AS own, v.any_verdict > 0 AS told, c.tries > 0 OR told AS was_tried, c.answers > 0 OR told AS was_reached
			FROM made AS m INNER JOIN seen AS s ON m.issue_id = s.id LEFT JOIN verdicts AS v ON v.claim_id = m.claim LEFT JOIN calls AS c ON c.claim_id = m.claim
			WHERE ifNull(s.closure_type, '') != 'WITHDRAWN'`, "made_at") + `)`
}

func confirmedInViews(q question) string {
	return dueClaims(q) + ` SELECT key, count() AS n, countIf(own) AS answered, countIf(verdict = 'YES') / answered AS resolved, countIf(verdict = 'PARTLY') / answered AS partly,
		countIf(verdict = 'YES') / n AS resolvedLower, (countIf(verdict = 'YES') + n - answered) / n AS resolvedUpper FROM due GROUP BY key`
}

func reachInViews(q question) string {
	return dueClaims(q) + ` SELECT key, count() AS n, countIf(was_tried) / n AS attempted, countIf(was_reached) / countIf(was_tried) AS reached, countIf(told) / countIf(was_reached) AS answered,
		countIf(own) / countIf(told) AS independent FROM due GROUP BY key`
}

func satisfactionInViews(q question) string {
	return dueClaims(q) + `,
		strata AS (SELECT key, channel, category_code, count() AS claims, countIf(own) AS answers, countIf(level > 0) AS rated, countIf(level >= 4) AS high FROM due GROUP BY key, channel, category_code),
		weighted AS (SELECT key, sum(answers) / sum(claims) AS reach, sumIf(claims * high / rated, rated > 0) / sumIf(claims, rated > 0) AS satisfied FROM strata GROUP BY key),
		ratings AS (` + q.cells(`SELECT s.*, f.at AS rated_at, assumeNotNull(f.satisfaction) AS rating, f.resolved = 'YES' AS solved FROM pub_feedback AS f INNER JOIN seen AS s ON f.issue_id = s.id
			WHERE f.collected_by != 'HANDLER' AND f.satisfaction IS NOT NULL AND f.at <= `+moment, "rated_at") + `)
		SELECT key, count() AS n, countIf(rating >= 4) / n AS satisfied, countIf(rating = 3) / n AS basically, countIf(rating >= 3) / n AS satisfiedCompat,
			countIf(rating >= 4 AND solved) / countIf(solved) AS satisfiedResolved, countIf(rating >= 4 AND NOT solved) / countIf(NOT solved) AS satisfiedUnresolved,
			any(w.satisfied) AS satisfiedWeighted, any(w.reach) AS reach
		FROM ratings AS r LEFT JOIN (SELECT key, toNullable(satisfied) AS satisfied, toNullable(reach) AS reach FROM weighted) AS w ON r.key = w.key GROUP BY key`
}

func reopeningInViews(q question) string {
	return `WITH closings AS (SELECT issue_id, minIf(at, kind != 'REOPENED') AS over, minIf(at, kind = 'REOPENED') AS again, countIf(kind != 'REOPENED') AS closed, countIf(kind = 'REOPENED') AS reopened
			FROM pub_issue_event WHERE known_at <= ` + moment + ` AND kind IN ('CONFIRMED', 'CLOSED', 'WITHDRAWN', 'REOPENED') GROUP BY issue_id HAVING closed > 0), ` +
		survival(`SELECT key, over AS began, toUInt8(reopened > 0) AS cause, if(cause = 1, again, seen_until) AS until FROM (`+
			q.cells("SELECT s.*, c.over AS over, c.again AS again, c.reopened AS reopened FROM ("+q.seenIssues()+") AS s INNER JOIN closings AS c ON c.issue_id = s.id", "over")+")") +
		" SELECT key, sum(leaving) AS n, sum(confirmed) AS reopened, " + within(30) + " AS reopened30, " + within(90) + " AS reopened90 FROM curve GROUP BY key"
}

func onTheSpotInViews(q question) string {
	return `WITH raised AS (` + q.cells(`SELECT s.*, v.over AS over FROM (`+q.seenIssues()+`) AS s INNER JOIN (SELECT id, ifNull(ended_at, started_at) AS over FROM pub_visit) AS v ON s.source_visit_id = v.id
			WHERE v.over <= `+moment+` - INTERVAL 30 DAY`, "over") + `)
		SELECT key, count() AS n, countIf(resolved_at <= over + INTERVAL 24 HOUR) AS resolved, resolved / n AS onTheSpot, countIf(resolved_at <= origin_at + INTERVAL 30 DAY) / n AS within30
		FROM raised GROUP BY key`
}

// equityInViews standardises the share confirmed within 60 days to the mix of categories of all regions together. The limits, which rest on variances of
// all these curves, are left to the rows.
func equityInViews(q question) string {
	return "WITH ended_issues AS (SELECT *, origin_at AS began, " + endings + " FROM (" + q.cells(q.seenIssues(), "origin_at") + ")), " +
		survival(`SELECT arrayJoin([(key, 'category ' || ifNull(category_code, '')), (key, 'crude'), ('', 'all')]) AS key, began, until, toUInt8(ending) AS cause FROM ended_issues`) +
		", shares AS (SELECT key.1 AS region, key.2 AS part, sum(leaving) AS issues, " + within(60) + ` AS share FROM curve GROUP BY key),
		mix AS (SELECT part, sum(issues) AS weight FROM shares WHERE startsWith(part, 'category ') GROUP BY part),
		standard AS (SELECT s.region AS region, sumIf(m.weight, s.share IS NOT NULL) AS there, sumIf(m.weight * s.share, s.share IS NOT NULL) / there AS standardised
			FROM shares AS s INNER JOIN mix AS m ON s.part = m.part GROUP BY s.region)
		SELECT c.region AS key, c.issues AS n, c.share AS crude, d.standardised AS standardised, d.there / (SELECT sum(weight) FROM mix) AS covered,
			(SELECT share FROM shares WHERE part = 'all') AS target
		FROM shares AS c INNER JOIN standard AS d ON c.region = d.region WHERE c.part = 'crude'`
}
