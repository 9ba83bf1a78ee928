package warehouse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// sql writes rows into a mirror: (columns) and a SELECT, over numbers(n) as n.
func (h *house) sql(table, columns, values string, n int) {
	h.t.Helper()
	h.version++
	require.NoError(h.t, h.Exec(h.t.Context(), fmt.Sprintf("INSERT INTO %s (%s, _ver, _deleted) SELECT %s, bitShiftLeft(toUInt128(%d), 64), 0 FROM (SELECT number AS n FROM numbers(%d))", table, columns, values, h.version, n)))
}

const (
	issueID  = "toUUID(concat('00000000-0000-7000-8000-', leftPad(toString(n), 12, '0')))"
	letterID = "toUUID(concat('00000000-0000-7000-8000-', leftPad(toString(n + 100), 12, '0')))"
	siteID   = "toUUID('00000000-0000-7000-8000-0000000000aa')"
	atStart  = "toDateTime64('2026-03-01 00:00:00', 6, 'UTC')"
	noMoment = "CAST(NULL, 'Nullable(DateTime64(6, \\'UTC\\'))')"
)

var (
	begin = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	later = begin.AddDate(0, 6, 0)
)

// issues writes n issues that came in at the start.
func (h *house) issues(state, closure, columns, values string, n int) {
	h.t.Helper()
	h.sql("f_issue", "id, public_ref, severity, difficulty, kind, channel, state, closure_type, origin_at, updated_at, created_at, opinion_count, "+columns,
		issueID+", toString(n), 'NORMAL', 'ROUTINE', 'COMPLAINT', 'HOTLINE', "+state+", "+closure+", "+atStart+", "+atStart+", "+atStart+", 1, "+values, n)
}

func (h *house) one(code string, q warehouse.Question) *warehouse.Table {
	h.t.Helper()
	table, err := h.Ask(h.t.Context(), code, q)
	require.NoError(h.t, err)
	require.Len(h.t, table.N, 1, "%v", table.Notes)
	return table
}

// requireShare compares a number with its interval.
func requireShare(t *testing.T, table *warehouse.Table, name string, want ...float64) {
	t.Helper()
	for _, n := range table.Nums {
		if n.Name != name {
			continue
		}
		require.NotNil(t, n.Value[0], name)
		require.InDelta(t, want[0], *n.Value[0], 1e-9, name)
		if len(want) == 3 {
			require.InDelta(t, want[1], *n.Lo[0], 1e-9, name)
			require.InDelta(t, want[2], *n.Hi[0], 1e-9, name)
		}
		return
	}
	require.Fail(t, "no column "+name)
}

// The worked example: 50 closed in time, 10 late, 20 open and overdue, 20 not yet due.
func TestOnTime(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, later)
	due := "toNullable(if(n < 80, " + atStart + " + toIntervalDay(10), " + atStart + " + toIntervalDay(900)))"
	claimed := "if(n < 60, toNullable(" + atStart + " + toIntervalDay(if(n < 50, 10, 11))), " + noMoment + ")"
	h.issues("if(n < 60, 'CLOSED', 'IN_PROGRESS')", "if(n < 60, toNullable('CONFIRMED'), NULL)", "due_at, claimed_at, resolved_at, closed_at", due+", "+claimed+", "+claimed+", "+claimed, 100)
	table := h.one("T3", warehouse.Question{})
	require.EqualValues(t, 80, table.N[0])
	requireShare(t, table, "onTime", 0.625) // at exactly the due time is on time
	for name, want := range map[string]float64{"onTimeIssues": 50, "late": 10, "openOverdue": 20, "notYetDue": 20, "awaitingFeedback": 0} {
		requireShare(t, table, name, want)
	}
	from := begin.AddDate(0, 1, 0)
	none := h.one("T3", warehouse.Question{From: &from})
	require.Zero(t, none.N[0], "the window is one of due times")
}

// The worked example: 60 yes, 15 no, 25 without an answer.
func TestResolvedSatisfiedReached(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, later)
	h.issues("'CLAIMED'", "NULL", "claimed_at", "toNullable("+atStart+" + toIntervalDay(1))", 100)
	h.sql("f_claim", "id, issue_id, n, kind, source, claimed_at, claimed_precision, created_at",
		issueID+", "+issueID+", 1, 'FIXED', 'groundwork', "+atStart+" + toIntervalDay(1), 'SECOND', "+atStart, 100)
	feedback := "id, claim_id, issue_id, resolved, satisfaction, pressured, collected_by, at, created_at"
	// Verdicts of the citizens, and 5 that only the handler collected. Of the 75, 30 are very satisfied, 20 satisfied, 10 basically.
	h.sql("f_feedback", feedback, issueID+", "+issueID+", "+issueID+", if(n < 60, 'YES', 'NO'), toNullable(toInt32(multiIf(n < 30, 5, n < 50, 4, n < 60, 3, 1))), 'UNSAID', if(n < 75, 'INDEPENDENT', 'HANDLER'), "+atStart+" + toIntervalDay(3), "+atStart, 80)
	h.sql("f_callback_attempt", "id, claim_id, at, method, outcome, created_at", issueID+", "+issueID+", "+atStart+" + toIntervalDay(2), 'PHONE', if(n < 85, 'ANSWERED', 'NO_ANSWER'), "+atStart, 90)

	h.HandOver(20) // what bounds the cells of an answer does not bound the claims behind them
	resolved := h.one("Q1", warehouse.Question{})
	require.EqualValues(t, 100, resolved.N[0])
	requireShare(t, resolved, "resolved", 0.8, 0.6958871716522836, 0.8748785228580329)
	requireShare(t, resolved, "resolvedLower", 0.6)
	requireShare(t, resolved, "resolvedUpper", 0.85)
	early := begin.AddDate(0, 0, 10)
	require.Empty(t, ask1(t, h, "Q1", warehouse.Question{Query: warehouse.Query{AsOf: &early}}).N, "the claims are not yet due for a verdict")

	satisfied := h.one("Q2", warehouse.Question{})
	require.EqualValues(t, 75, satisfied.N[0])
	requireShare(t, satisfied, "satisfied", 50.0/75)
	requireShare(t, satisfied, "basically", 10.0/75)
	requireShare(t, satisfied, "satisfiedCompat", 60.0/75)
	requireShare(t, satisfied, "satisfiedResolved", 50.0/60)
	requireShare(t, satisfied, "satisfiedUnresolved", 0)
	requireShare(t, satisfied, "satisfiedWeighted", 50.0/75) // one stratum
	requireShare(t, satisfied, "reach", 0.75)
	require.False(t, satisfied.Flags["unstable"][0])

	reach := h.one("Q3", warehouse.Question{})
	requireShare(t, reach, "attempted", 0.9)
	requireShare(t, reach, "reached", 85.0/90)
	requireShare(t, reach, "answered", 80.0/85)
	requireShare(t, reach, "independent", 75.0/80)
}

func ask1(t *testing.T, h *house, code string, q warehouse.Question) *warehouse.Table {
	t.Helper()
	table, err := h.Ask(t.Context(), code, q)
	require.NoError(t, err)
	return table
}

// Two strata that answer unequally: 90 of 100 by telephone, all satisfied; 10 of 100 on paper, none. Weighted, it is half.
func TestSatisfactionIsWeightedForWhoAnswers(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, later)
	h.issues("'CLAIMED'", "NULL", "claimed_at", "toNullable("+atStart+")", 200)
	h.sql("f_issue", "id, public_ref, severity, difficulty, kind, channel, state, origin_at, updated_at, created_at, opinion_count",
		letterID+", toString(n), 'NORMAL', 'ROUTINE', 'COMPLAINT', 'LETTER', 'CLAIMED', "+atStart+", "+atStart+", "+atStart+", 1", 100)
	h.sql("f_claim", "id, issue_id, n, source, claimed_at, claimed_precision, created_at", issueID+", "+issueID+", 1, 'groundwork', "+atStart+", 'SECOND', "+atStart, 200)
	h.sql("f_feedback", "id, claim_id, issue_id, resolved, satisfaction, pressured, collected_by, at, created_at",
		issueID+", "+issueID+", "+issueID+", 'YES', toNullable(toInt32(if(n < 90, 5, 1))), 'UNSAID', 'SELF', "+atStart+" + toIntervalDay(3), "+atStart, 90)
	h.sql("f_feedback", "id, claim_id, issue_id, resolved, satisfaction, pressured, collected_by, at, created_at",
		letterID+", "+letterID+", "+letterID+", 'NO', toNullable(toInt32(1)), 'UNSAID', 'SELF', "+atStart+" + toIntervalDay(3), "+atStart, 10)
	table := h.one("Q2", warehouse.Question{})
	require.EqualValues(t, 100, table.N[0])
	requireShare(t, table, "satisfied", 0.9)
	requireShare(t, table, "satisfiedWeighted", 0.5)
}

func TestReopeningAndRecurrence(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, later)
	closed := "toNullable(" + atStart + " + toIntervalDay(5))"
	category := "toNullable(toUUID('00000000-0000-7000-8000-0000000000cc'))"
	h.issues("if(n = 0, 'IN_PROGRESS', 'CLOSED')", "if(n = 0, NULL, toNullable('CONFIRMED'))", "claimed_at, resolved_at, closed_at, site_id, category_id",
		closed+", "+closed+", "+closed+", toNullable("+siteID+"), "+category, 4)
	events := "issue_id, seq, kind, to_state, at, known_at, recorded_at, actor_role, origin_at"
	h.sql("f_issue_event", events, issueID+", 1, 'CONFIRMED', 'CLOSED', "+atStart+" + toIntervalDay(5), "+atStart+" + toIntervalDay(5), "+atStart+", 'CITIZEN', "+atStart, 4)
	h.sql("f_issue_event", events, issueID+", 2, 'REOPENED', 'IN_PROGRESS', "+atStart+" + toIntervalDay(45), "+atStart+" + toIntervalDay(45), "+atStart+", 'CITIZEN', "+atStart, 1)
	// One more of the same matter at the same site, 20 days after the three were confirmed.
	h.sql("f_issue", "id, public_ref, severity, difficulty, kind, channel, state, origin_at, updated_at, created_at, opinion_count, site_id, category_id",
		"toUUID('00000000-0000-7000-8000-0000000000ee'), 'x', 'NORMAL', 'ROUTINE', 'COMPLAINT', 'HOTLINE', 'REGISTERED', "+atStart+" + toIntervalDay(25), "+atStart+", "+atStart+", 1, toNullable("+siteID+"), "+category, 1)
	table := h.one("Q4", warehouse.Question{})
	require.EqualValues(t, 4, table.N[0])
	requireShare(t, table, "reopened30", 0)
	requireShare(t, table, "reopened90", 0.25)
	requireShare(t, table, "recurred180", 1)
	requireShare(t, table, "reopened", 1)
}

// The benchmark: 12 of 86 on the spot.
func TestOnTheSpot(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, later)
	visit := "toUUID('00000000-0000-7000-8000-0000000000bb')"
	h.sql("f_visit", "id, activity_kind, notice, site_id, lead_id, started_at, ended_at, state, created_at", visit+", 'RECEPTION', 'ANNOUNCED', "+siteID+", "+siteID+", "+atStart+" - toIntervalHour(2), toNullable("+atStart+"), 'HELD', "+atStart, 1)
	resolved := "multiIf(n < 12, toNullable(" + atStart + " + toIntervalHour(24)), n < 80, toNullable(" + atStart + " + toIntervalDay(20)), " + noMoment + ")"
	h.issues("if(n < 80, 'CLOSED', 'IN_PROGRESS')", "if(n < 80, toNullable('CONFIRMED'), NULL)", "claimed_at, resolved_at, closed_at, source_visit_id", resolved+", "+resolved+", "+resolved+", toNullable("+visit+")", 86)
	table := h.one("Q5", warehouse.Question{})
	require.EqualValues(t, 86, table.N[0])
	requireShare(t, table, "onTheSpot", 12.0/86)
	requireShare(t, table, "within30", 80.0/86)
}

func TestClockIntegrity(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, later)
	closed := "toNullable(" + atStart + " + toIntervalDay(10))"
	h.issues("'CLOSED'", "toNullable('CONFIRMED')", "claimed_at, resolved_at, closed_at, paused_seconds, return_count", closed+", "+closed+", "+closed+", if(n = 0, 432000, 0), if(n = 1, 2, 0)", 4)
	h.sql("f_dispatch_leg", "issue_id, n, unit_id, role, sent_at, returned_at", "toUUID('00000000-0000-7000-8000-000000000001'), toInt32(n), "+siteID+", 'LEAD', "+atStart+", if(n < 2, toNullable("+atStart+" + toIntervalDay(1)), "+noMoment+")", 3)
	table := h.one("T5", warehouse.Question{})
	requireShare(t, table, "pausedShare", 5.0/40)
	requireShare(t, table, "returnedLegs", 2.0/3)
	requireShare(t, table, "returnedTwice", 0.25)
	requireShare(t, table, "legs", 3)
}

// The worked example: 60 visits in a quarter of 91 days, 18 of them in its last 7.
func TestVisits(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, later)
	h.sql("d_site", "id, region_id, kind, name, eligible_from, created_at", "if(n = 0, "+siteID+", "+issueID+"), "+siteID+", 'FACTORY', 'X', toNullable(toDate32('2026-04-01')), "+atStart, 4)
	ended := "toDateTime64('2026-04-02 04:00:00', 6, 'UTC') + toIntervalDay(if(n < 18, 83 + n % 6, n))"
	h.sql("f_visit", "id, activity_kind, notice, site_id, lead_id, started_at, ended_at, state, created_at", issueID+", 'RESEARCH', 'ANNOUNCED', "+siteID+", "+siteID+", "+ended+", toNullable("+ended+"), if(n % 2 = 0, 'HELD', 'CLOSED_OUT'), "+atStart, 60)
	h.sql("f_visit", "id, activity_kind, notice, site_id, lead_id, started_at, state, created_at", "toUUID('00000000-0000-7000-8000-0000000000dd'), 'RESEARCH', 'ANNOUNCED', "+siteID+", "+siteID+", "+atStart+" + toIntervalDay(40), 'CANCELLED', "+atStart, 1)
	golden := func(bunched *warehouse.Table) {
		t.Helper()
		require.EqualValues(t, 60, bunched.N[0])
		requireShare(t, bunched, "ratio", 5.142857142857143)
		requireShare(t, bunched, "excessShare", 0.24166666666666667)
		requireShare(t, bunched, "p", 3.4839401907387226e-07)
		require.True(t, bunched.Flags["bunched"][0])
	}
	golden(h.one("F4", warehouse.Question{Version: "1"}))
	turn := func(first, past string) {
		h.sql("f_slot", "id, plan_id, post_id, activity_kind, region_id, window_from, window_to, state, version, created_at", issueID+", "+siteID+", "+siteID+", 'RESEARCH', "+siteID+", toDate32('"+first+"'), toDate32('"+past+"'), 'OPEN', 1, "+atStart, 1)
	}
	// Without a turn the month is the cycle: of 22, 21 and 22 weekdays the last five, of each, are their ends. On weekdays April has 9 visits, 5 of them at its end, May 21 and 5, June 12, all at its end.
	months := h.one("F4", warehouse.Question{})
	require.EqualValues(t, 42, months.N[0])
	requireShare(t, months, "inWindow", 22)
	requireShare(t, months, "expected", (9+12)*5./22+21*5./21)
	turn("2026-04-01", "2026-07-01")
	// Of 65 weekdays the last seven begin on 22 June: three visits on each of four of them, thirty on the others; eighteen on days off.
	weekdays := h.one("F4", warehouse.Question{})
	require.EqualValues(t, 42, weekdays.N[0])
	require.EqualValues(t, 18, weekdays.Excluded["onDaysOff"])
	requireShare(t, weekdays, "inWindow", 12)
	requireShare(t, weekdays, "expected", 42*7./65)
	requireShare(t, weekdays, "ratio", (12./7)/(30./58))
	requireShare(t, weekdays, "issuesInside", 0)
	requireShare(t, weekdays, "tracelessInside", 1)
	requireShare(t, h.one("F4", warehouse.Question{Version: "2"}), "ratio", (12./7)/(30./58))
	// Those who can visit from 1 June on only have 22 days at risk; version 2 counted what they are said to have held before.
	h.sql("d_post_holding", "id, official_id, org_unit_id, rank, title, held_from, created_at", siteID+", "+siteID+", "+siteID+", 'COUNTY', '', toDate32('2026-06-01'), "+atStart, 1)
	byPost := warehouse.Question{Reviewer: true, Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByPost}}}
	one, err := h.Ask(t.Context(), "F4", byPost)
	require.NoError(t, err)
	require.EqualValues(t, 12, one.N[0])
	require.EqualValues(t, 48, one.Excluded["onDaysOff"])
	byPost.Version = "2"
	one, err = h.Ask(t.Context(), "F4", byPost)
	require.NoError(t, err)
	requireShare(t, one, "expected", 42*7./22)
	h.sql("d_calendar_day", "day, is_workday", "toInt32(toYYYYMMDD(toDate('2026-04-01') + n)), true", 91)
	golden(h.one("F4", warehouse.Question{}))

	h.sql("f_opinion", "id, source, channel, kind, received_at, received_precision, visit_id, confidentiality, supported, opposed, created_at",
		issueID+", 'groundwork', 'VISIT', 'HELP', toDateTime64('2026-07-01 00:00:00', 6, 'UTC'), 'SECOND', toNullable(toUUID(concat('00000000-0000-7000-8000-', leftPad(toString(n + 12), 12, '0')))), 'PUBLIC', 0, 0, "+atStart, 6)
	traces := h.one("F1", warehouse.Question{})
	requireShare(t, traces, "traceless", 54.0/60) // the visits 12 to 17 were in the last two weeks before those opinions

	// Of the visits 30 to 39: an answered question, an unanswered one, a word that nothing was raised, that word too late.
	visit := func(n int) string { return fmt.Sprintf("toUUID('00000000-0000-7000-8000-%012d')", n) }
	item := func(n, asked, answered int) {
		h.sql("f_visit_policy_item", "id, visit_id, policy_version_id, questions_asked, answered, created_at", visit(n)+", "+visit(n)+", "+siteID+fmt.Sprintf(", %d, %d, ", asked, answered)+atStart+fmt.Sprintf(" + toIntervalDay(%d)", map[bool]int{true: 70, false: 40}[n < 70]), 1)
	}
	word := func(n int, days int) {
		h.sql("f_attestation", "id, visit_id, voice, says, nothing_raised, at, created_at", visit(n)+", "+visit(n)+fmt.Sprintf(", 'HOST', 'HELD_AS_RECORDED', true, %[1]s + toIntervalDay(%[2]d), %[1]s", atStart, days), 1)
	}
	item(30, 1, 1)
	item(31, 1, 0)
	word(32, 70)
	word(33, 90)
	requireShare(t, h.one("F1", warehouse.Question{}), "tracelessVisits", 52)

	// Policy that is propagated needs an audience that asks; an answer or a word that nothing was raised is not enough by itself.
	h.sql("f_visit", "id, activity_kind, notice, site_id, lead_id, started_at, ended_at, citizens_met, state, created_at",
		"toUUID(concat('00000000-0000-7000-8000-', leftPad(toString(n + 70), 12, '0'))), 'PROPAGATION', 'ANNOUNCED', "+siteID+", "+siteID+", "+atStart+" + toIntervalDay(35), toNullable("+atStart+" + toIntervalDay(35)), if(n < 2, toNullable(0), toNullable(20)), 'HELD', "+atStart, 5)
	item(71, 3, 3) // nobody was there
	item(72, 3, 0) // asked
	item(73, 0, 0) // nobody asked
	word(74, 40)
	requireShare(t, h.one("F1", warehouse.Question{}), "tracelessVisits", 52+4)

	covered := h.one("I2", warehouse.Question{})
	require.EqualValues(t, 4, covered.N[0])
	requireShare(t, covered, "covered", 0.25)
	requireShare(t, covered, "visitedSites", 1)
}

func TestRotaAdherence(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, later)
	state := "multiIf(n < 6, 'FULFILLED', n < 8, 'LATE', n < 9, 'MISSED', n < 10, 'EXCUSED', n < 12, 'SWAPPED', 'OPEN')"
	window := "if(n < 12, toDate32('2026-04-01'), toDate32('2027-04-01'))"
	h.sql("f_slot", "id, plan_id, post_id, activity_kind, region_id, window_from, window_to, state, version, created_at", issueID+", "+siteID+", "+issueID+", 'RESEARCH', "+siteID+", toDate32('2026-03-01'), "+window+", "+state+", 1, "+atStart, 20)
	table := h.one("I1", warehouse.Question{})
	require.EqualValues(t, 10, table.N[0])
	requireShare(t, table, "fulfilled", 0.6)
	requireShare(t, table, "done", 0.8)
	for name, want := range map[string]float64{"late": 2, "missed": 1, "excused": 1} {
		requireShare(t, table, name, want)
	}
	require.False(t, table.Flags["provisional"][0])
}

func TestFormalityOfClosingsAndClaims(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, later)
	closed := "toNullable(" + atStart + " + toIntervalDay(5))"
	h.issues("'CLOSED'", "toNullable(multiIf(n < 40, 'CONFIRMED', n < 50, 'UNCONFIRMED', n < 60, 'EXPLAINED', 'WITHDRAWN'))", "claimed_at, closed_at, due_at",
		closed+", "+closed+", toNullable("+atStart+" + toIntervalDay(5) + toIntervalHour(2))", 64)
	feedback := "id, claim_id, issue_id, resolved, pressured, collected_by, at, created_at"
	h.sql("f_feedback", feedback, issueID+", "+issueID+", "+issueID+", if(n < 40, 'YES', 'NO'), 'UNSAID', if(n >= 55, 'HANDLER', 'SELF'), "+atStart+" + toIntervalDay(5), "+atStart, 57)
	h.HandOver(20)
	table := h.one("F2", warehouse.Question{})
	require.EqualValues(t, 60, table.N[0])
	require.EqualValues(t, 4, table.Excluded["withdrawn"])
	requireShare(t, table, "unconfirmed", 10.0/60)
	requireShare(t, table, "againstDisagreement", 5.0/60)
	requireShare(t, table, "handlerOnly", 2.0/60)
	requireShare(t, table, "withoutCitizen", 17.0/60)

	h.sql("f_claim", "id, issue_id, n, kind, source, claimed_at, claimed_precision, created_at",
		issueID+", "+issueID+", 1, 'FIXED', if(n = 63, 'import', 'groundwork'), multiIf(n < 3, "+atStart+" + toIntervalMinute(5), n < 33, "+atStart+" + toIntervalDay(5), "+atStart+" + toIntervalDay(5) - toIntervalHour(4)), 'SECOND', "+atStart, 64)
	claims := h.one("F5", warehouse.Question{Version: "1"})
	require.EqualValues(t, 63, claims.N[0])
	requireShare(t, claims, "instant", 3.0/63)
	requireShare(t, claims, "onTheLine", 30)
	requireShare(t, claims, "before", 15)
	requireShare(t, claims, "lineRatio", 2)
	// Due on a Friday at ten, so that all came within its first hour; what came on Thursday at noon came 6.5 working hours before, if Thursday was worked.
	requireShare(t, h.one("F5", warehouse.Question{}), "onTheLine", 60)
	h.sql("f_claim", "id, issue_id, n, kind, source, claimed_at, claimed_precision, created_at",
		"toUUID(concat('00000000-0000-7000-8000-', leftPad(toString(n + 100), 12, '0'))), "+issueID+", 2, 'FIXED', 'groundwork', "+atStart+" + toIntervalDay(5) - toIntervalHour(20), 'SECOND', "+atStart, 20)
	claims = h.one("F5", warehouse.Question{})
	requireShare(t, claims, "onTheLine", 60)
	requireShare(t, claims, "before", 10)
	requireShare(t, claims, "lineRatio", 6)
	requireShare(t, claims, "lineShare", 60./80)
	h.sql("d_calendar_day", "day, is_workday", "toInt32(20260305), false", 1)
	requireShare(t, h.one("F5", warehouse.Question{}), "onTheLine", 80)
	requireShare(t, h.one("F5", warehouse.Question{}), "lineShare", 1)

	// Sent at first; the first two accepted four hours before they were claimed for the second time, and the next eight five minutes before. What was accepted later, or by who only helps, does not count.
	again := atStart + " + toIntervalDay(5) - toIntervalHour(20)"
	h.sql("f_dispatch_leg", "issue_id, n, unit_id, role, sent_at, accepted_at", issueID+", 1, "+siteID+", 'LEAD', "+atStart+" + toIntervalDay(1), toNullable("+again+" - if(n < 2, toIntervalMinute(240), toIntervalMinute(5)))", 10)
	h.sql("f_dispatch_leg", "issue_id, n, unit_id, role, sent_at, accepted_at", issueID+", 2, "+siteID+", 'LEAD', "+again+" + toIntervalHour(1), toNullable("+again+" + toIntervalHour(2))", 10)
	h.sql("f_dispatch_leg", "issue_id, n, unit_id, role, sent_at, accepted_at", issueID+", 3, "+siteID+", 'SUPPORT', "+again+", toNullable("+again+" - toIntervalMinute(1))", 10)
	requireShare(t, h.one("F5", warehouse.Question{}), "instantClaims", 3+8)
	requireShare(t, h.one("F5", warehouse.Question{Version: "2"}), "instantClaims", 3)
}

// Of each category one claim comes just before its audited minimum after acceptance, and one after just so long: that is not too soon.
func TestAuditedMinimums(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, later)
	of := func(code string, above *category, minutes *int32) *category {
		c := &category{ID: uuid.New(), Code: code, Name: code, AuditedMinimum: minutes}
		if above != nil {
			c.Parent = &above.ID
		}
		insert(h, "d_category", *c)
		return c
	}
	accepted := begin.Add(time.Hour)
	twoClaims := func(c *category, minimum time.Duration) {
		for _, after := range []time.Duration{minimum - time.Microsecond, minimum} {
			i := issue{ID: uuid.New(), Channel: "HOTLINE", Kind: "COMPLAINT", Severity: "NORMAL", State: "CLAIMED", progress: progress{Origin: begin}}
			if c != nil {
				i.Category = &c.ID
			}
			insert(h, "f_issue", i)
			insert(h, "f_dispatch_leg", leg{Issue: i.ID, Role: "LEAD", Sent: begin, Accepted: &accepted})
			insert(h, "f_claim", claimOf{uuid.New(), i.ID, "groundwork", accepted.Add(after), new("FIXED")})
		}
	}
	roads := of("roads", nil, new(int32(60)))
	potholes := of("potholes", roads, nil)
	deep := of("deep potholes", potholes, nil)
	lamps := of("lamps", roads, new(int32(2)))
	parks := of("parks", nil, nil)
	benches := of("benches", parks, nil)
	for c, minimum := range map[*category]time.Duration{roads: 60, potholes: 60, deep: 60, lamps: 2, parks: 10, benches: 10, nil: 10} {
		twoClaims(c, minimum*time.Minute)
	}
	requireInstant := func(version string, want map[string]float64) {
		t.Helper()
		table, err := h.Ask(t.Context(), "F5", warehouse.Question{Version: version, Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByCategory}}})
		require.NoError(t, err)
		got := map[string]float64{}
		for row, k := range table.Dims[0].Keys {
			require.EqualValues(t, 2, table.N[row], k.Code)
			got[k.Code] = *num(t, table, "instantClaims", row)
		}
		require.Equal(t, want, got)
	}
	requireInstant("", map[string]float64{"roads": 1, "potholes": 1, "deep potholes": 1, "lamps": 1, "parks": 1, "benches": 1, "": 1})
	tenForAll := map[string]float64{"roads": 0, "potholes": 0, "deep potholes": 0, "lamps": 2, "parks": 1, "benches": 1, "": 1}
	requireInstant("3", tenForAll)

	parks.AuditedMinimum = new(int32(30))
	insert(h, "d_category", *parks)
	requireInstant("", map[string]float64{"roads": 1, "potholes": 1, "deep potholes": 1, "lamps": 1, "parks": 2, "benches": 2, "": 1})
	requireInstant("3", tenForAll)
}

// Ids as text lie in the order of their entry, of one moment; moments may lie before 1970.
func TestSequenceIsByMomentThenByEntry(t *testing.T) {
	t.Parallel()
	h := open(t)
	var same uint8
	var moments, rows uint64
	require.NoError(t, h.QueryRow(t.Context(), `SELECT arraySort(x -> (x.1, toString(x.2)), rows) = arraySort(x -> `+warehouse.Sequence("x.1", "x.2")+`, rows), length(arrayDistinct(rows.1)), length(rows)
		FROM (SELECT groupArray((fromUnixTimestamp64Micro(toInt64(number % 5) - 2, 'UTC'), if(number % 2 = 0, generateUUIDv4(number), generateUUIDv7(number)))) AS rows FROM numbers(10000))`).Scan(&same, &moments, &rows))
	require.Equal(t, []uint64{1, 5, 10_000}, []uint64{uint64(same), moments, rows})
}
