package warehouse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"groundwork"
)

// claimBase is a copy of the claims, and of the ratings that the handler did not collect, each beside its issue.
var claimBase = &baseKind{
	table: "f_claim_base", name: "the base of claims", mirrors: []string{"f_issue", "f_claim", "f_callback_attempt", "f_feedback"}, columns: claimColumns, anchor: "at",
	moved: changedIDs + " UNION ALL SELECT issue_id AS id FROM f_claim WHERE " + sincePosition + " UNION ALL SELECT issue_id AS id FROM f_feedback WHERE " + sincePosition +
		" UNION ALL SELECT c.issue_id AS id FROM f_claim AS c WHERE c.id IN (SELECT claim_id FROM f_callback_attempt WHERE " + sincePosition + ")",
	lost: []string{"f_claim", "f_callback_attempt", "f_feedback"},
	late: "told_until > " + asOf,
	now:  claimsNow,
	mark: "'', " + noID + ", " + noID + ", " + never + ", " + never + ", 0, NULL, NULL, '', '', '', '', NULL, NULL, NULL, '', " + never + ", 0, 0",

	projections: []string{"by_area", "by_stratum"},
}

const (
	// ofClaimed is what the base of claims has of an issue, but for its places and category, which it has as texts.
	ofClaimed    = "severity, kind, channel, source_visit_id, due_at, observed_until, state, origin_at, dispute_count, opinion_count"
	claimColumns = "record, id, claim_id, at, told_until, marks, category_id, region_id, area_id, " + ofClaimed
)

// marks are the names of what is told of a row, each a bit, from the lowest on.
type marks []string

// claimMarks are those of a claim, or of a rating (schema/00400_claim_base.sql).
var claimMarks = marks{"own_claim", "answered", "handler_only", "attempted", "reached", "yes", "partly", "rated", "middle", "high", "counts"}

// strataMarks are those by which strata are told apart.
var strataMarks = claimMarks.bits("answered", "rated", "high", "counts")

func (m marks) bits(names ...string) (all int) {
	for _, name := range names {
		all |= 1 << slices.Index(m, name)
	}
	return all
}

// of is SQL of marks: each that is named, by its condition.
func (m marks) of(conditions map[string]string) string {
	sum := "toUInt16(0"
	for i, name := range m {
		if condition := conditions[name]; condition != "" {
			sum += fmt.Sprintf(" + %d * (%s)", 1<<i, condition)
		}
	}
	return sum + ")"
}

// test is SQL of whether a column of marks has one.
func (m marks) test(column, name string) string {
	return fmt.Sprintf("bitTest(%s, %d)", column, slices.Index(m, name))
}

// columns are SQL of marks as columns: of those that are named, or of all.
func (m marks) columns(names ...string) string {
	if len(names) == 0 {
		names = m
	}
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = m.test("marks", name) + " AS " + name
	}
	return strings.Join(all, ", ")
}

// named has marks of rows as columns, of those that have some.
func (m marks) named(rows statement, some string, names ...string) statement {
	rows.text = "SELECT *, " + m.columns(names...) + " FROM (" + rows.text + ") WHERE " + some
	return rows
}

// counted has the marks of claims and ratings as columns, of those that count.
func counted(rows statement) statement { return claimMarks.named(rows, "counts") }

// records of the base of claims that somebody asks for, or what of histories.
type records struct {
	claims   bool
	attempts bool // with what was done for an answer
	ratings  bool // of histories: all feedback
	legs     bool // and pauses
	closings bool
	heard    bool
}

var allRecords = records{true, true, true, true, true, true}

// condition is that by which rows are of these records; claims must be due for a verdict.
func (r records) condition() string {
	if r.ratings {
		return "record = 'RATING'"
	}
	return "record = 'CLAIM' AND at < " + claimsBefore
}

const claimsBefore = "fromUnixTimestamp64Micro({claims_before:Int64}, 'UTC')"

// claimsNow are the claims and ratings of the issues whose ids meet a condition, as they are known at a moment ("" = now).
func claimsNow(what records, of func(column string) string, until string) string {
	issues := "SELECT id, toString(f.category_id) AS category_id, toString(f.region_id) AS region_id, " + ofClaimed + ", closure_type FROM f_issue AS f FINAL PREWHERE " + of("id") + " WHERE _deleted = 0"
	columns := strings.Replace(claimColumns, "area_id, ", "", 1)
	var parts []string
	if what.claims {
		parts = append(parts, "SELECT "+columns+" FROM ("+claimsBeside(issues, of, until, "", what.attempts)+")")
	}
	if what.ratings {
		parts = append(parts, "SELECT "+columns+" FROM ("+ratingsBeside(issues, of, until)+")")
	}
	return strings.Join(parts, " UNION ALL ")
}

// ofIssues is a PREWHERE by which rows of a mirror are of the issues whose ids meet a condition: looked for in a column without FINAL, they are picked by key. "" = all are.
func ofIssues(table string, of func(column string) string) string {
	if of("issue_id") == "" {
		return ""
	}
	return " PREWHERE id IN (SELECT id FROM " + table + " WHERE " + of("issue_id") + ")"
}

// toldUntil is a further condition by which something was told until a moment; "" = ever.
func toldUntil(until string) string {
	if until == "" {
		return ""
	}
	return " AND at <= " + until
}

// claimsBeside is SQL of the claims of issues, each beside its issue, with marks: what of it is known at a moment, by the latest verdict and rating that the handler did not
// collect; due is a further condition on them. Where nobody asks what was done for an answer (sought), marks do not tell.
func claimsBeside(issues string, of func(column string) string, until, due string, sought bool) string {
	attempts, last := "", "greatest(c.claimed_at, f.last)"
	said := map[string]string{
		"own_claim": "c.own_claim", "answered": "f.own > 0", "handler_only": "f.handled > 0 AND f.own = 0", "yes": "f.verdict = 'YES'", "partly": "f.verdict = 'PARTLY'",
		"rated": "isNotNull(f.level)", "middle": "ifNull(f.level = 3, 0)", "high": "ifNull(f.level >= 4, 0)", "counts": "s.state != 'MERGED' AND NOT ifNull(s.closure_type = 'WITHDRAWN', 0)",
	}
	if sought {
		picked := ""
		if of("issue_id") != "" {
			picked = " PREWHERE id IN (SELECT id FROM f_callback_attempt WHERE claim_id IN (SELECT id FROM f_claim WHERE " + of("issue_id") + "))"
		}
		attempts = " LEFT ANY JOIN (SELECT claim_id, count() AS attempts, countIf(outcome = 'ANSWERED') AS got, max(at) AS last FROM f_callback_attempt FINAL" + picked +
			" WHERE _deleted = 0" + toldUntil(until) + " GROUP BY claim_id SETTINGS max_rows_to_group_by = 0) AS a ON a.claim_id = c.claim"
		said["attempted"], said["reached"], last = "a.attempts > 0 OR f.own > 0", "a.got > 0 OR f.own > 0", "greatest(c.claimed_at, f.last, a.last)"
	}
	return "SELECT s.*, 'CLAIM' AS record, c.claim AS claim_id, c.claimed_at AS at, " + last + " AS told_until, " + claimMarks.of(said) + " AS marks" +
		" FROM (SELECT id AS claim, issue_id, claimed_at, source = 'groundwork' AS own_claim FROM f_claim FINAL" + ofIssues("f_claim", of) + " WHERE _deleted = 0" + due + ") AS c" +
		" INNER JOIN (" + issues + ") AS s ON c.issue_id = s.id" +
		" LEFT ANY JOIN (" + verdicts(of, until) + ") AS f ON f.claim_id = c.claim" + attempts
}

// verdicts is SQL of what reporters said of claims of issues until a moment: the latest verdict and level that the handler did not collect, how many are such (own) and how many are not
// (handled), and when the last was given.
func verdicts(of func(column string) string, until string) string {
	latest := sequence("at", "id")
	return "SELECT claim_id, argMaxIf(toString(resolved), " + latest + ", " + ownWord + ") AS verdict, argMaxIf(satisfaction, " + latest + ", " + ownWord + ") AS level, countIf(" + ownWord + ") AS own," +
		" countIf(NOT " + ownWord + ") AS handled, max(at) AS last FROM f_feedback FINAL" + ofIssues("f_feedback", of) + " WHERE _deleted = 0" + toldUntil(until) + " GROUP BY claim_id SETTINGS max_rows_to_group_by = 0"
}

// ownWord is a condition by which feedback is what a reporter says, rather than what the handler reports of it.
const ownWord = "collected_by != 'HANDLER'"

// ratingsBeside is SQL of the ratings of issues that the handler did not collect, each beside its issue, with marks: yes = it is resolved.
func ratingsBeside(issues string, of func(column string) string, until string) string {
	return "SELECT s.*, 'RATING' AS record, f.claim_id AS claim_id, f.at AS at, f.at AS told_until, " +
		claimMarks.of(map[string]string{"yes": "f.resolved = 'YES'", "rated": "1", "middle": "f.level = 3", "high": "f.level >= 4", "counts": "s.state != 'MERGED'"}) + " AS marks" +
		" FROM (SELECT issue_id, claim_id, at, assumeNotNull(satisfaction) AS level, toString(resolved) AS resolved FROM f_feedback FINAL" + ofIssues("f_feedback", of) +
		" WHERE _deleted = 0 AND " + ownWord + " AND satisfaction IS NOT NULL" + toldUntil(until) + ") AS f INNER JOIN (" + issues + ") AS s ON f.issue_id = s.id"
}

// claimRows has one row a claim that is due for a verdict, anchored at the claim, with what became of the question, by claimMarks.
func (s *scope) claimRows() statement { return counted(s.claimsOf(records{claims: true})) }

// soughtRows are claimRows with what was done for an answer: attempted, reached.
func (s *scope) soughtRows() statement {
	return counted(s.claimsOf(records{claims: true, attempts: true}))
}

// ratingRows has one row a rating that the handler did not collect, anchored at the feedback: rated, middle, high, yes (resolved).
func (s *scope) ratingRows() statement { return counted(s.claimsOf(records{ratings: true})) }

// claimsOf has the rows of records, with their weights and marks.
func (s *scope) claimsOf(what records) statement {
	if s.base != nil {
		return s.claimsIn(s.base, what, "")
	}
	rows := s.spells()
	if what.claims {
		rows = rows.with("claims_before", s.claimsDue.UnixMicro())
		rows.text = claimsBeside(rows.text, s.picked, asOf, " AND claimed_at < "+claimsBefore, what.attempts)
	} else {
		rows.text = ratingsBeside(rows.text, s.picked, asOf)
	}
	rows.text = "SELECT * REPLACE (at AS anchor_at) FROM (" + rows.text + ")"
	return rows
}

// claimsIn has those of a base; more is a further condition on its rows.
func (s *scope) claimsIn(b *base, what records, more string) statement {
	of, own := *s, *b
	own.only, own.what, of.base = own.only+" AND "+what.condition()+more, what, &own
	rows := of.spells()
	rows.text = "SELECT * FROM (" + rows.text + ") WHERE " + what.condition()
	if what.claims {
		return rows.with("claims_before", s.claimsDue.UnixMicro())
	}
	return rows
}

// claimSums are the columns of sums of the base of claims, by their names, and what marks are called in them.
var claimSums = map[string]struct{ columns, marks string }{
	"by_area":    {"area_id", "marks"},
	"by_stratum": {"area_id, category_id, channel", fmt.Sprintf("`bitAnd(marks, %d)`", strataMarks)},
}

// claimParts has the rows of records in parts: by sums that the engine keeps, where they tell all that is asked, those of the month that a part of is due, and what changed since; else one by one. Cells may
// be split by regions, and by further dimensions that the sums know.
func (s *scope) claimParts(what records, sums string, further ...Dimension) []statement {
	if !s.wholly(further...) || s.from != nil || s.to != nil {
		return s.inParts(func(part *scope) statement { return counted(part.claimsOf(what)) })
	}
	kept, b := claimSums[sums], &builder{}
	b.write("SELECT i.*")
	if s.split(ByRegion) {
		b.write(", ", s.regionPlace(b, "i"), " AS region_place")
	}
	b.write(" FROM (SELECT ", kept.columns, ", ", kept.marks, " AS marks, finalizeAggregation(", sumWeight, ") AS w FROM ", sumsOf(claimBase, sums), " WHERE ", ofSums)
	s.base.bind(b.value)
	due := s.claimsDue.In(groundwork.China)
	if what.claims {
		b.write(" AND record = 'CLAIM' AND month < {month_due:UInt32}")
		b.value("month_due", due.Year()*100+int(due.Month()))
	} else {
		b.write(" AND record = 'RATING'")
	}
	b.write(") AS i")
	parts := s.andChanged(func(changed *scope) statement { return changed.claimsOf(what) }, b.statement())
	if what.claims {
		begun, own := time.Date(due.Year(), due.Month(), 1, 0, 0, 0, 0, groundwork.China), *s.base
		own.tail = 0
		parts = append(parts, s.claimsIn(&own, what, " AND at >= fromUnixTimestamp64Micro({month_from:Int64}, 'UTC')").with("month_from", begun.UnixMicro()))
	}
	for i := range parts {
		parts[i] = counted(parts[i])
	}
	return parts
}

// speakers is where the reporters behind claims or ratings are looked for.
func (m *Measures) speakers(ctx context.Context, s *scope, rows func(*scope) statement) (voices, error) {
	if s.base == nil {
		return m.sampled(ctx, s, rows)
	}
	of := func(b *base) statement {
		other := *s
		other.base = b
		return rows(&other)
	}
	picked := func(among string) statement {
		own := *s.base
		if among == amongFew {
			own.only = " AND " + inBase("SELECT arrayJoin({ids:Array(UUID)}) AS id")
		}
		return of(&own)
	}
	return voices{rows: picked, near: rows(s), first: of(s.base.some()), partial: true, weighted: true}, nil
}
