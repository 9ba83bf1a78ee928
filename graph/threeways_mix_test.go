package graph_test

import (
	"math"
	"slices"
	"time"
)

// C1, which mixes three measures, and what is standardised to the mix of matters of all together, once more: E1, E1B.

// reckonComposite: hours are whole ones, rounded up.
func reckonComposite(r *rows, q question, asOf time.Time) answer {
	type part struct {
		issues                       map[string]bool
		exits                        []exit
		answered, yes, rated, highly float64
	}
	parts := map[string]*part{}
	of := func(key, issue string) *part {
		if parts[key] == nil {
			parts[key] = &part{issues: map[string]bool{}}
		}
		parts[key].issues[issue] = true
		return parts[key]
	}
	seen := map[string]issueRow{}
	for _, i := range r.seen(q) {
		seen[i.ID] = i
	}
	for key, cell := range cells(r, q, r.seen(q), byOrigin) {
		for _, i := range cell {
			x := hoursAt(i.Origin, i.seenUntil(asOf), 0)
			switch {
			case i.Response != nil:
				x = hoursAt(i.Origin, *i.Response, 1)
			case i.Closure != nil && *i.Closure == "WITHDRAWN":
				x = hoursAt(i.Origin, *i.Closed, 0)
			}
			p := of(key, i.ID)
			p.exits = append(p.exits, x)
		}
	}
	for key, cell := range cells(r, q, r.due(q, asOf), atClaim) {
		for _, a := range cell {
			if a.verdict != "" {
				p := of(key, a.issue.ID)
				p.answered++
				if a.verdict == "YES" {
					p.yes++
				}
			}
		}
	}
	for key, cell := range cells(r, q, r.verdicts, func(v verdictRow) (issueRow, time.Time) { return seen[v.Issue], v.At }) {
		for _, v := range cell {
			if _, has := seen[v.Issue]; has && v.By != "HANDLER" && v.Satisfaction != nil && !v.At.After(asOf) {
				p := of(key, v.Issue)
				p.rated++
				if *v.Satisfaction >= 4 {
					p.highly++
				}
			}
		}
	}
	got := answer{}
	for key, p := range parts {
		f := figures{"n": float64(len(p.issues)), "responded24h": math.NaN(), "resolved": ratio(p.yes, p.answered), "satisfied": ratio(p.highly, p.rated)}
		if len(p.exits) > 0 {
			f["responded24h"], _ = incidence(p.exits, 0, 1)
		}
		f["composite"] = 0.2*f["responded24h"] + 0.4*f["resolved"] + 0.4*f["satisfied"]
		got[key] = f
	}
	return got
}

func compositeInViews(q question) string {
	return dueClaims(q) + `,
		came AS (SELECT *, origin_at AS began, toUInt8(first_response_at IS NOT NULL) AS cause,
			assumeNotNull(multiIf(cause = 1, first_response_at, closure_type = 'WITHDRAWN', closed_at, seen_until)) AS gone_at FROM (` + q.cells("SELECT * FROM seen", "origin_at") + `)),
		rated AS (` + q.cells(`SELECT s.*, f.issue_id AS issue, f.at AS rated_at, assumeNotNull(f.satisfaction) AS rating FROM pub_feedback AS f INNER JOIN seen AS s ON f.issue_id = s.id
			WHERE f.collected_by != 'HANDLER' AND f.satisfaction IS NOT NULL AND f.at <= `+moment, "rated_at") + `),
		` + survival(`SELECT key, began, addHours(began, intDiv(toUnixTimestamp64Micro(gone_at) - toUnixTimestamp64Micro(began) + 3599999999, 3600000000)) AS until, cause FROM came`) + `,
		waits AS (SELECT key, ` + within(1) + ` AS share FROM curve GROUP BY key),
		counted AS (SELECT key, id AS issue, 0 AS answers, 0 AS yes, 0 AS ratings, 0 AS high FROM came
			UNION ALL SELECT key, id, 1, toUInt8(verdict = 'YES'), 0, 0 FROM due WHERE own UNION ALL SELECT key, issue, 0, 0, 1, toUInt8(rating >= 4) FROM rated)
		SELECT c.key AS key, uniqExact(c.issue) AS n, any(w.share) AS responded24h, sum(yes) / sum(answers) AS resolved, sum(high) / sum(ratings) AS satisfied,
			0.2 * responded24h + 0.4 * resolved + 0.4 * satisfied AS composite
		FROM counted AS c LEFT JOIN (SELECT toNullable(key) AS key, toNullable(share) AS share FROM waits) AS w ON w.key = c.key GROUP BY c.key`
}

// uncertain is the variance of a cumulative incidence (Marubini–Valsecchi).
func uncertain(exits []exit, cause int, days float64) (variance float64) {
	share, _ := incidence(exits, cause, days)
	type step struct{ at, atRisk, ended, of float64 }
	steps := map[int64]*step{}
	for _, x := range exits {
		if steps[x.seconds] == nil {
			steps[x.seconds] = &step{at: float64(x.seconds) / 86400}
		}
		if x.cause > 0 {
			steps[x.seconds].ended++
		}
		if x.cause == cause {
			steps[x.seconds].of++
		}
	}
	for seconds, s := range steps {
		for _, x := range exits {
			if x.seconds >= seconds {
				s.atRisk++
			}
		}
		if s.at > days || s.ended == 0 {
			continue
		}
		upTo, _ := incidence(exits, cause, s.at)
		before := survivalBefore(exits, seconds)
		left := share - upTo
		if s.atRisk > s.ended {
			variance += left * left * s.ended / s.atRisk / (s.atRisk - s.ended)
		}
		variance += before * before * (s.atRisk - s.of) / s.atRisk * s.of / s.atRisk / s.atRisk
		variance -= 2 * left * before * s.of / s.atRisk / s.atRisk
	}
	return variance
}

// survivalBefore is the share that has not ended before a time.
func survivalBefore(exits []exit, seconds int64) float64 {
	survival := 1.0
	var times []int64
	for _, x := range exits {
		if x.cause > 0 && x.seconds < seconds {
			times = append(times, x.seconds)
		}
	}
	slices.Sort(times)
	for _, at := range slices.Compact(times) {
		var ended, atRisk float64
		for _, x := range exits {
			if x.seconds >= at {
				atRisk++
			}
			if x.seconds == at && x.cause > 0 {
				ended++
			}
		}
		survival *= 1 - ended/atRisk
	}
	return survival
}

// funnel adds the limits within which chance leaves regions whose standardised shares have these variances, widened by what it leaves unexplained.
func funnel(got answer, variances map[string]float64, target float64) {
	var scores, weights []float64
	for key, variance := range variances {
		scores, weights = append(scores, (got[key]["standardised"]-target)/math.Sqrt(variance)), append(weights, 1/variance)
	}
	n := float64(len(scores))
	slices.Sort(scores)
	var squares, sum, sum2 float64
	for _, z := range scores {
		z = min(max(z, scores[len(scores)/10]), scores[len(scores)-1-len(scores)/10])
		squares += z * z
	}
	for _, w := range weights {
		sum, sum2 = sum+w, sum2+w*w
	}
	between := 0.0
	if n >= 10 {
		between = max(0, (squares-n+1)/(sum-sum2/sum))
	}
	for key, f := range got {
		for name, level := range map[string]float64{"low95": -0.95, "high95": 0.95, "low998": -0.998, "high998": 0.998} {
			f[name] = math.NaN()
			if variance, has := variances[key]; has {
				f[name] = min(max(target+math.Sqrt2*math.Erfinv(level)*math.Sqrt(variance+between), 0), 1)
			}
		}
	}
}

// reckonTimeGap compares the mean time open during 90 days in places of country and town, were their matters those of all.
func reckonTimeGap(r *rows, q question, asOf time.Time) answer {
	kinds, mix := map[string]map[string][]exit{}, map[string]float64{}
	total, ended := 0.0, false
	for key, cell := range cells(r, q, r.seen(q), byOrigin) {
		kinds[key] = map[string][]exit{}
		for _, i := range cell {
			category := i.matter()
			x, _ := i.ending(asOf)
			kinds[key][category] = append(kinds[key][category], x)
			mix[category]++
			total++
			ended = ended || x.cause > 0
		}
	}
	got := answer{}
	for key, of := range kinds {
		var own []exit
		var sum, there float64
		for category, exits := range of {
			own = append(own, exits...)
			if _, mean := incidence(exits, 0, 90); !math.IsNaN(mean) {
				sum, there = sum+mix[category]*mean, there+mix[category]
			}
		}
		f := figures{"n": float64(len(own)), "rmst90Days": ratio(sum, there), "covered": there / total, "gapDays": math.NaN()}
		_, f["crudeDays"] = incidence(own, 0, 90)
		if !ended {
			f = figures{"n": f["n"], "rmst90Days": math.NaN(), "covered": math.NaN(), "crudeDays": math.NaN(), "gapDays": math.NaN()}
		}
		got[key] = f
	}
	for key, f := range got {
		if town, has := got["URBAN"]; has && key != "URBAN" && key != "" {
			f["gapDays"] = f["rmst90Days"] - town["rmst90Days"]
		}
	}
	return got
}

func timeGapInViews(q question) string {
	return "WITH ended_issues AS (SELECT *, origin_at AS began, " + endings + " FROM (" + q.cells(q.seenIssues(), "origin_at") + ")), " +
		survival(`SELECT arrayJoin([(key, 'category ' || ifNull(category_code, '')), (key, 'crude')]) AS key, began, until, toUInt8(ending) AS cause FROM ended_issues`) +
		`, means AS (SELECT key.1 AS kind, key.2 AS part, sum(leaving) AS issues, if(max(days) >= 90 OR min(after) = 0, sum(before * (least(days, 90) - least(earlier, 90))), NULL) AS mean FROM curve GROUP BY key),
		mix AS (SELECT part, sum(issues) AS weight FROM means WHERE startsWith(part, 'category ') GROUP BY part),
		standard AS (SELECT s.kind AS kind, sumIf(m.weight, s.mean IS NOT NULL) AS there, sumIf(m.weight * s.mean, s.mean IS NOT NULL) / there AS days
			FROM means AS s INNER JOIN mix AS m ON s.part = m.part GROUP BY s.kind),
		gaps AS (SELECT c.kind AS kind, c.issues AS issues, c.mean AS mean, d.days AS days, d.there AS there FROM means AS c INNER JOIN standard AS d ON c.kind = d.kind WHERE c.part = 'crude')
		SELECT kind AS key, issues AS n, mean AS crudeDays, days AS rmst90Days, there / (SELECT sum(weight) FROM mix) AS covered,
			if(kind IN ('URBAN', ''), NULL, days - (SELECT any(toNullable(days)) FROM gaps WHERE kind = 'URBAN')) AS gapDays FROM gaps`
}
