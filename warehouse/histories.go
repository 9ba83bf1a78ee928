package warehouse

import (
	"fmt"
	"strings"
)

// historyBase is a copy of the issues, each with what is told of it and what became of it.
var historyBase = &baseKind{
	table: "f_history_base", name: "the base of histories", mirrors: []string{"f_issue", "f_claim", "f_feedback", "f_dispatch_leg", "f_issue_event", "f_issue_opinion", "f_opinion"}, columns: historyColumns, anchor: "origin_at",
	moved: changedIDs + changedOf("f_claim") + changedOf("f_feedback") + changedOf("f_dispatch_leg") + changedOf("f_issue_event") + changedOf("f_issue_opinion") +
		" UNION ALL SELECT l.issue_id AS id FROM f_issue_opinion AS l WHERE l.opinion_id IN (SELECT id FROM f_opinion WHERE " + sincePosition + ")",
	lost: []string{"f_claim", "f_feedback"},
	late: "told_until > " + asOf,
	now:  historiesNow,
	mark: noID + ", " + never + ", 0, [], [], [], [], 0, 0, " + never + ", " + never + ", 0, NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, '', '', '', '', NULL, NULL, NULL, '', " + never + ", 0, 0",

	projections: []string{"by_area", "by_pattern", "by_clock"},
}

// changedOf adds the ids of the issues of which something changed in a mirror.
func changedOf(mirror string) string {
	return " UNION ALL SELECT issue_id AS id FROM " + mirror + " WHERE " + sincePosition
}

const (
	ofHistory      = "told_until, marks, claims, ratings, begun, heard, legs, returned, closed_first, reopened_first, paused_seconds, paused_since, response_end, response_micros, claimed_at, closed_at, merged_into_id"
	historyColumns = "id, " + ofHistory + ", category_id, region_id, area_id, " + ofClaimed
)

// historyMarks are those of how an issue ended (schema/00410_history_base.sql). against: it was explained, and a reporter said that it is not resolved; handled: only the handler told of
// feedback; ended, reopened: at any time.
var historyMarks = marks{"closed", "withdrawn", "unconfirmed", "against", "handled", "ended", "reopened", "returned_twice", "counts"}

// saidMarks are those of a claim among the claims of an issue: what the reporters said of it, and whether it is one of a remedy that was made here.
var saidMarks = marks{"answered", "yes", "fixed"}

// historiesNow are the histories of the issues whose ids meet a condition, as they are known at a moment ("" = now).
func historiesNow(what records, of func(column string) string, until string) string {
	issues := "SELECT *, " + responseEnds + " FROM (SELECT id, toString(f.category_id) AS category_id, toString(f.region_id) AS region_id, " + basePlain +
		", paused_seconds, paused_since, return_count, merged_into_id FROM f_issue AS f FINAL PREWHERE " + of("id") + " WHERE _deleted = 0)"
	return "SELECT " + strings.Replace(historyColumns, "area_id, ", "", 1) + " FROM (" + historiesBeside(issues, of, until, what) + ")"
}

// historiesBeside is SQL of issues, each with what is told of it until a moment ("" = ever) of what is asked for; the rest is as if nothing were told.
func historiesBeside(issues string, of func(column string) string, until string, what records) string {
	const limits = " GROUP BY issue_id SETTINGS max_rows_to_group_by = 0"
	ofKey := of("issue_id")
	if ofKey != "" {
		ofKey = " PREWHERE " + ofKey
	}
	known := func(column string) string {
		if until == "" {
			return "1"
		}
		return "ifNull(" + column + " <= " + until + ", 0)"
	}
	closing := map[string]string{
		"closed": "s.state = 'CLOSED' AND s.closed_at IS NOT NULL", "withdrawn": "ifNull(s.closure_type = 'WITHDRAWN', 0)", "unconfirmed": "ifNull(s.closure_type = 'UNCONFIRMED', 0)",
		"counts": "s.state != 'MERGED'",
	}
	columns, last, joins := "", []string{never}, ""
	beside := func(name, none string, asked bool, told, from string) {
		if !asked {
			columns += ", " + none
			return
		}
		columns += ", " + told
		last = append(last, name+".last")
		joins += " LEFT ANY JOIN (" + from + ") AS " + name + " ON " + name + ".issue_id = s.id"
	}
	beside("c", "[] AS claims", what.claims, "c.claims AS claims",
		"SELECT issue_id, arraySort(groupArray((claimed_at, toUInt8("+saidMarks.of(map[string]string{"answered": "f.own > 0", "yes": "f.verdict = 'YES'", "fixed": "fixed"})+")))) AS claims,"+
			" max(greatest(claimed_at, f.last)) AS last FROM (SELECT id AS claim, issue_id, claimed_at, ifNull(kind = 'FIXED', 0) AND source = 'groundwork' AS fixed FROM f_claim FINAL"+ofIssues("f_claim", of)+
			" WHERE _deleted = 0 AND "+known("claimed_at")+") AS c LEFT ANY JOIN ("+verdicts(of, until)+") AS f ON f.claim_id = c.claim"+limits)
	beside("f", "[] AS ratings", what.ratings, "f.ratings AS ratings",
		"SELECT issue_id, countIf("+ownWord+") AS own, countIf(NOT "+ownWord+") AS handled, countIf("+ownWord+" AND resolved != 'YES') AS against,"+
			" arraySort(groupArrayIf((at, toUInt8(ifNull(satisfaction >= 4, 0))), "+ownWord+" AND satisfaction IS NOT NULL)) AS ratings, max(at) AS last FROM f_feedback FINAL"+ofIssues("f_feedback", of)+
			" WHERE _deleted = 0"+toldUntil(until)+limits)
	beside("l", "[] AS begun, 0 AS legs, 0 AS returned", what.legs, "l.begun AS begun, l.legs AS legs, l.returned AS returned",
		"SELECT issue_id, arraySort(groupArrayIf(ifNull(accepted_at, sent_at), role = 'LEAD')) AS begun, toUInt32(countIf("+known("sent_at")+")) AS legs,"+
			" toUInt32(countIf(returned_at IS NOT NULL AND "+known("sent_at")+" AND "+known("returned_at")+")) AS returned,"+
			" max(greatest(sent_at, ifNull(accepted_at, sent_at), ifNull(returned_at, sent_at))) AS last FROM f_dispatch_leg FINAL"+ofKey+" WHERE _deleted = 0"+limits)
	beside("e", never+" AS closed_first, "+never+" AS reopened_first", what.closings, "e.closed_first AS closed_first, e.reopened_first AS reopened_first",
		"SELECT issue_id, minIf(at, kind != 'REOPENED') AS closed_first, minIf(at, kind = 'REOPENED') AS reopened_first, countIf(kind != 'REOPENED') AS closings, countIf(kind = 'REOPENED') AS reopenings,"+
			" max(known_at) AS last FROM f_issue_event FINAL"+ofKey+" WHERE _deleted = 0 AND "+known("known_at")+" AND kind IN ('CONFIRMED', 'CLOSED', 'WITHDRAWN', 'REOPENED')"+limits)
	ofLinks := ""
	if ofKey != "" {
		ofLinks = " PREWHERE id IN (SELECT opinion_id FROM f_issue_opinion WHERE " + of("issue_id") + ")"
	}
	beside("o", "[] AS heard", what.heard, "o.heard AS heard",
		"SELECT k.issue_id AS issue_id, arraySort(groupArray(told.received_at)) AS heard, max(greatest(k.linked_at, told.received_at)) AS last FROM (SELECT issue_id, opinion_id, linked_at FROM f_issue_opinion FINAL"+ofKey+
			" WHERE _deleted = 0 AND "+known("linked_at")+") AS k INNER JOIN (SELECT id, received_at FROM f_opinion FINAL"+ofLinks+" WHERE _deleted = 0 AND "+known("received_at")+") AS told ON told.id = k.opinion_id"+limits)
	if what.ratings {
		closing["against"], closing["handled"] = "ifNull(s.closure_type = 'EXPLAINED', 0) AND f.against > 0", "f.handled > 0 AND f.own = 0"
	}
	if what.legs {
		closing["returned_twice"] = "s.return_count >= 2"
	}
	if what.closings {
		closing["ended"], closing["reopened"] = "e.closings > 0", "e.reopenings > 0"
	}
	return "SELECT s.*" + columns + ", greatest(" + strings.Join(last, ", ") + ") AS told_until, " + historyMarks.of(closing) + " AS marks FROM (" + issues + ") AS s" + joins
}

// histories has one row an issue with what is asked for of its history.
func (s *scope) histories(what records) statement {
	of := *s
	if s.base != nil {
		own := *s.base
		own.what, of.base = what, &own
		return of.spells()
	}
	of.deep = true
	rows := of.spells()
	rows.text = historiesBeside(rows.text, s.picked, asOf, what)
	return rows
}

// addedUp is how the base of histories has rows added up by area.
type addedUp struct {
	sums    string // by which name
	columns string // of a sum, as rows would have them
	settled string // a condition on sums
	open    string // one on the rows that sums do not tell of; "" = none
}

// historyParts has rows of histories in parts: those that the engine keeps added up, where these tell all that is asked, those that they do not tell of, and what changed since; else all one by one.
func (s *scope) historyParts(k addedUp, values map[string]any, rows func(*scope) statement) []statement {
	if !s.wholly() || s.from != nil || s.to != nil {
		return s.inParts(rows)
	}
	b := &builder{}
	b.write("SELECT i.*")
	if s.split(ByRegion) {
		b.write(", ", s.regionPlace(b, "i"), " AS region_place")
	}
	b.write(" FROM (SELECT area_id, ", k.columns, " FROM ", sumsOf(historyBase, k.sums), " WHERE ", ofSums, " AND ", k.settled, ") AS i")
	s.base.bind(b.value)
	parts := s.andChanged(rows, b.statement())
	if k.open != "" {
		of, own := *s, *s.base
		own.tail, own.only, of.base = 0, own.only+" AND "+k.open, &own
		parts = append(parts, rows(&of))
	}
	for i := range parts {
		for name, value := range values {
			parts[i] = parts[i].with(name, value)
		}
	}
	return parts
}

// saidOf is SQL of how many of the claims or ratings of an issue meet a condition on one (its moment is told.1, its marks told.2).
func saidOf(list string, conditions ...string) string {
	return fmt.Sprintf("toUInt32(arrayCount(told -> %s, %s))", strings.Join(conditions, " AND "), list)
}
