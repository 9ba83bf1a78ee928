package warehouse

import (
	"context"
	"fmt"

	"groundwork/warehouse/stats"
)

// ClosedWithoutCitizen is F2. Numbers: withoutCitizen, unconfirmed, againstDisagreement, handlerOnly (share), withdrawn (count, left out).
// n = closings except withdrawals.
func (m *Measures) ClosedWithoutCitizen(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "F2")
	if err != nil {
		return nil, err
	}
	if err := m.useBase(ctx, s, historyBase); err != nil {
		return nil, err
	}
	parts := s.historyParts(keptClosings, nil, (*scope).closingRows)
	found, err := m.tally(ctx, s, tally{parts: parts, sums: []string{
		"sumIf(w, NOT withdrawn)", "sumIf(w, NOT withdrawn AND (unconfirmed OR against OR handled))", "sumIf(w, unconfirmed)", "sumIf(w, against)", "sumIf(w, NOT withdrawn AND handled)", "sumIf(w, withdrawn)",
	}})
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{ranged("withoutCitizen", "share"), ranged("unconfirmed", "share"), ranged("againstDisagreement", "share"), ranged("handlerOnly", "share")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	for _, cell := range cells {
		v := cell.sums
		if err := c.shares(v[0], map[string]float64{"withoutCitizen": v[1], "unconfirmed": v[2], "againstDisagreement": v[3], "handlerOnly": v[4]}); err != nil {
			return nil, err
		}
		t.exclude("withdrawn", int64(v[5]))
		c.end(int64(v[0]), nil)
	}
	if len(cells) == 0 {
		t.Notes = append(t.Notes, "not computable: nothing was closed here in the window; a reply that was imported is a claim, not a closing")
	}
	return t, m.withReportersOf(ctx, s, t, (*scope).closingRows)
}

// closingRows has one row an issue that is closed, anchored at its closing, by historyMarks.
func (s *scope) closingRows() statement {
	rows := s.histories(records{ratings: true})
	rows.text = "SELECT * REPLACE (assumeNotNull(closed_at) AS anchor_at) FROM (" + rows.text + ")"
	return historyMarks.named(rows, "closed")
}

// keptClosings are those of the base added up.
var keptClosings = addedUp{sums: "by_area", columns: historyMarks.columns() + ", finalizeAggregation(" + sumWeight + ") AS w", settled: historyMarks.test("marks", "closed")}

// Claims that come too soon to be true, and the hours before the due time that are compared.
const (
	instantMinutes = 10 // of categories without an audited minimum, neither of their own nor from above
	lineHours      = 4  // working hours
)

// auditedMinimums leads from a category to its audited minimum, or that of the nearest one above that has one.
const auditedMinimums = `WITH RECURSIVE tree AS (SELECT id, parent_id, audited_minimum_minutes AS minutes FROM d_category FINAL WHERE _deleted = 0),
		road AS (SELECT id, parent_id, minutes FROM tree UNION ALL
			SELECT road.id AS id, tree.parent_id AS parent_id, tree.minutes AS minutes FROM road INNER JOIN tree ON tree.id = road.parent_id WHERE road.minutes IS NULL)
		SELECT toNullable(id) AS category, minutes FROM road WHERE minutes IS NOT NULL`

// instantRows has one row a claim of a remedy that was made here, anchored at it: whether it was instant, and in which stretch of four working hours before the due time of its issue it came
// (0 = the last; -1 = none).
func (s *scope) instantRows() statement {
	rows := s.histories(records{claims: true, legs: s.version >= 3})
	before, days := "dateDiff('second', s.claim_at, s.due_at)", ""
	if s.version >= 2 {
		before = workedBefore("assumeNotNull(s.due_at)", "due") + " - " + workedBefore("s.claim_at", "claimed")
		days = fmt.Sprintf(" LEFT ANY JOIN (%[1]s) AS due ON due.day = %[2]s LEFT ANY JOIN (%[1]s) AS claimed ON claimed.day = %[3]s", workingDays, dayInChina("assumeNotNull(s.due_at)"), dayInChina("s.claim_at"))
	}
	minimum := fmt.Sprint(instantMinutes)
	if s.version >= 4 {
		of := func(column string) string {
			return "(SELECT groupArray(" + column + ") FROM (SELECT toString(category) AS matter, toInt64(minutes) AS least FROM (" + auditedMinimums + ") ORDER BY matter))"
		}
		minimum = fmt.Sprintf("transform(ifNull(toString(s.category_id), ''), %s, %s, toInt64(%d))", of("matter"), of("least"), instantMinutes)
	}
	inHand, legs := "arrayFilter(at -> at <= s.claim_at, s.begun)", ""
	if s.version < 3 { // the first dispatch counted alone
		inHand = "if(l.first = toDateTime64(0, 6, 'UTC'), [], [l.first])"
		legs = " LEFT ANY JOIN (SELECT issue_id, min(sent_at) AS first FROM f_dispatch_leg FINAL WHERE _deleted = 0 GROUP BY issue_id SETTINGS max_rows_to_group_by = 0) AS l ON l.issue_id = s.id"
	}
	rows.text = fmt.Sprintf(`SELECT s.* REPLACE (s.claim_at AS anchor_at), %[4]s AS in_hand, s.claim_at < addMinutes(if(empty(in_hand), s.origin_at, arrayMax(in_hand)), %[1]s) AS instant,
			ifNull(s.claim_at <= s.due_at, 0) AS claimed_before_due, if(claimed_before_due, intDiv(%[5]s, %[2]d), -1) AS bin
		FROM (SELECT * EXCEPT claims, arrayJoin(arrayFilter(told -> %[6]s, claims)).1 AS claim_at FROM (%[3]s) WHERE state != 'MERGED') AS s%[7]s%[8]s`,
		minimum, lineHours*3600, rows.text, inHand, before, saidMarks.test("told.2", "fixed"), legs, days)
	return rows
}

// InstantClaims is F5. Until version 4 ten minutes held for all categories. Numbers: instant (share), instantClaims, onTheLine (claims in the last 4 working hours
// before their due time), before (mean of the two times 4 working hours before), lineRatio, lineShare (of the claims in all three, those in the last). n = FIXED claims.
func (m *Measures) InstantClaims(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "F5")
	if err != nil {
		return nil, err
	}
	if s.version >= 3 {
		err = m.useBase(ctx, s, historyBase)
	}
	if err != nil {
		return nil, err
	}
	found, err := m.tally(ctx, s, tally{parts: s.inParts((*scope).instantRows), sums: []string{"sumIf(w, instant)", "sumIf(w, bin = 0)", "sumIf(w, bin IN (1, 2))"}})
	if err != nil {
		return nil, err
	}
	var lineShare []Num
	if s.version >= 3 {
		lineShare = []Num{shared("lineShare")}
	}
	c := newColumns(t, append([]Num{ranged("instant", "share"), plain("instantClaims", "claims"), plain("onTheLine", "claims"), plain("before", "claims"), ranged("lineRatio", "ratio")}, lineShare...))
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	for _, cell := range cells {
		if err := c.share("instant", cell.sums[0], float64(cell.n)); err != nil {
			return nil, err
		}
		c.number("instantClaims", cell.sums[0])
		c.number("onTheLine", cell.sums[1])
		c.number("before", cell.sums[2]/2)
		ratio, err := stats.PoissonRatio(cell.sums[1], cell.sums[2])
		if err != nil {
			return nil, err
		}
		c.estimate("lineRatio", ratio, 2)
		if lineShare != nil {
			if err := c.share("lineShare", cell.sums[1], cell.sums[1]+cell.sums[2]); err != nil {
				return nil, err
			}
		}
		c.end(cell.n, nil)
	}
	if len(cells) == 0 {
		t.Notes = append(t.Notes, "not computable: no claim of a remedy was made here; imported replies do not say what they claim")
	}
	return t, m.withReportersOf(ctx, s, t, (*scope).instantRows)
}
