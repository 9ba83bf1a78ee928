package graph_test

import (
	"slices"
	"strings"
	"time"
)

// D1, twice more.

// mergers are the issues that were merged, each with that which it was merged into.
func (r *rows) mergers(q question) map[string]string {
	into := map[string]string{}
	for _, i := range r.all(q) {
		if i.State == "MERGED" {
			into[i.ID] = *i.MergedInto
		}
	}
	return into
}

func standsFor(mergedInto map[string]string, issue string) string {
	for mergedInto[issue] != "" {
		issue = mergedInto[issue]
	}
	return issue
}

func reckonToldAgain(r *rows, q question, asOf time.Time) answer {
	everything := q
	everything.channels, everything.kinds = nil, nil // of opinions, not of matters
	matters, mergedInto := map[string]issueRow{}, r.mergers(q)
	for _, i := range r.seen(everything) {
		matters[i.ID] = i
	}
	type told struct {
		opinionRow
		of                    issueRow
		again, bySame, missed bool
	}
	var all []told
	first, reporters := map[string]string{}, map[[2]string]bool{}
	for _, o := range r.opinions { // in the order in which they came
		if o.Received.After(asOf) || o.Linked.After(asOf) {
			continue
		}
		matter := standsFor(mergedInto, o.Issue)
		issue, again := first[matter]
		this := told{opinionRow: o, again: again, missed: again && issue != o.Issue}
		if !again {
			first[matter] = o.Issue
		}
		if o.Reporter != nil {
			of := [2]string{matter, *o.Reporter}
			this.bySame = reporters[of]
			reporters[of] = true
		}
		if seen, has := matters[matter]; has && (q.channels == nil || slices.Contains(q.channels, o.Channel)) && (q.kinds == nil || slices.Contains(q.kinds, o.Kind)) {
			this.of = seen
			this.of.Channel, this.of.Kind = o.Channel, o.Kind
			all = append(all, this)
		}
	}
	got := answer{}
	for key, cell := range cells(r, q, all, func(o told) (issueRow, time.Time) { return o.of, o.Received }) {
		var again, same, missed float64
		for _, o := range cell {
			for sum, is := range map[*float64]bool{&again: o.again, &same: o.bySame, &missed: o.missed} {
				if is {
					*sum++
				}
			}
		}
		n := float64(len(cell))
		got[key] = figures{"n": n, "repeated": again / n, "sameReporter": same / n, "foundLater": missed / n}
	}
	return got
}

func (q question) mergersInViews() string {
	stands := "SELECT id, state, merged_into_id FROM pub_issue"
	if q.asOf != nil {
		stands = "SELECT issue_id AS id, to_state AS state, merged_into_id FROM pub_issue_event WHERE known_at <= " + moment + " ORDER BY issue_id, seq DESC LIMIT 1 BY issue_id"
	}
	return "SELECT id, assumeNotNull(merged_into_id) AS target FROM (" + stands + ") WHERE state = 'MERGED' ORDER BY id"
}

// matterOf follows mergers over four steps, which is more than there are.
func matterOf(issue string) string {
	issue = "toString(" + issue + ")"
	for range 4 {
		issue = "transform(" + issue + ", (SELECT groupArray(toString(id)) FROM mergers), (SELECT groupArray(toString(target)) FROM mergers))"
	}
	return issue
}

// toldAgainInViews: the views do not tell who reported.
func toldAgainInViews(q question) string {
	everything := q
	everything.channels, everything.kinds = nil, nil
	where := "1"
	if q.channels != nil {
		where += " AND o.channel IN ('" + strings.Join(q.channels, "', '") + "')"
	}
	if q.kinds != nil {
		where += " AND o.kind IN ('" + strings.Join(q.kinds, "', '") + "')"
	}
	return `WITH mergers AS (` + q.mergersInViews() + `),
		told AS (SELECT opinion_id, issue_id, received_at, channel, kind, toUUID(` + matterOf("issue_id") + `) AS matter FROM pub_issue_opinion AS l INNER JOIN pub_opinion AS o ON o.id = l.opinion_id
			WHERE received_at <= ` + moment + ` AND linked_at <= ` + moment + `),
		numbered AS (SELECT *, row_number() OVER (PARTITION BY matter ORDER BY received_at, toString(opinion_id)) AS nth, first_value(issue_id) OVER (PARTITION BY matter ORDER BY received_at, toString(opinion_id)) AS opened FROM told)
		SELECT key, count() AS n, countIf(nth > 1) / n AS repeated, countIf(issue_id != opened) / n AS foundLater
		FROM (` + q.cells(`SELECT o.received_at AS received_at, o.channel AS channel, o.kind AS kind, o.nth AS nth, o.issue_id AS issue_id, o.opened AS opened, s.region_code AS region_code,
			s.county_code AS county_code, s.prefecture_code AS prefecture_code, s.category_code AS category_code
			FROM numbered AS o INNER JOIN (`+everything.seenIssues()+`) AS s ON s.id = o.matter WHERE `+where, "received_at") + `) GROUP BY key`
}
