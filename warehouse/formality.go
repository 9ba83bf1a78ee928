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
	rows := s.spells()
	rows.text = fmt.Sprintf(`SELECT s.* REPLACE (assumeNotNull(s.closed_at) AS anchor_at), ifNull(s.closure_type = 'WITHDRAWN', 0) AS withdrawn,
			ifNull(s.closure_type = 'UNCONFIRMED', 0) AS unconfirmed, ifNull(s.closure_type = 'EXPLAINED', 0) AND f.against > 0 AS against, f.handled > 0 AND f.own = 0 AS handled
		FROM (%s) AS s LEFT ANY JOIN (SELECT issue_id, countIf(collected_by != 'HANDLER') AS own, countIf(collected_by = 'HANDLER') AS handled,
			countIf(collected_by != 'HANDLER' AND resolved != 'YES') AS against FROM f_feedback FINAL WHERE _deleted = 0 AND at <= %s GROUP BY issue_id SETTINGS max_rows_to_group_by = 0) AS f ON f.issue_id = s.id
		WHERE s.state = 'CLOSED' AND s.closed_at IS NOT NULL`, rows.text, asOf)
	found, err := m.tally(ctx, s, tally{rows: rows, sums: []string{
		"countIf(NOT withdrawn)", "countIf(NOT withdrawn AND (unconfirmed OR against OR handled))", "countIf(unconfirmed)", "countIf(against)", "countIf(NOT withdrawn AND handled)", "countIf(withdrawn)",
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
	return t, m.withReporters(ctx, s, t, voicesOf(rows))
}

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

// legsBegun are, by issue, the moments at which a leading unit had it in hand: accepted it, or where that is unknown was sent it. Until version 3 of F5 the first dispatch counted alone.
func (s *scope) legsBegun() string {
	if s.version < 3 {
		return "SELECT issue_id, [min(sent_at)] AS begun FROM f_dispatch_leg FINAL WHERE _deleted = 0 GROUP BY issue_id SETTINGS max_rows_to_group_by = 0"
	}
	return "SELECT issue_id, groupArray(ifNull(accepted_at, sent_at)) AS begun FROM f_dispatch_leg FINAL WHERE _deleted = 0 AND role = 'LEAD' GROUP BY issue_id SETTINGS max_rows_to_group_by = 0"
}

// InstantClaims is F5. Until version 4 ten minutes held for all categories. Numbers: instant (share), instantClaims, onTheLine (claims in the last 4 working hours
// before their due time), before (mean of the two times 4 working hours before), lineRatio, lineShare (of the claims in all three, those in the last). n = FIXED claims.
func (m *Measures) InstantClaims(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "F5")
	if err != nil {
		return nil, err
	}
	rows := s.spells()
	before, days := "dateDiff('second', c.claimed_at, s.due_at)", ""
	if s.version >= 2 {
		before = workedBefore("assumeNotNull(s.due_at)", "due") + " - " + workedBefore("c.claimed_at", "claimed")
		days = fmt.Sprintf(" LEFT ANY JOIN (%[1]s) AS due ON due.day = %[2]s LEFT ANY JOIN (%[1]s) AS claimed ON claimed.day = %[3]s", workingDays, dayInChina("assumeNotNull(s.due_at)"), dayInChina("c.claimed_at"))
	}
	minimum, minimums := fmt.Sprint(instantMinutes), ""
	if s.version >= 4 {
		minimum, minimums = fmt.Sprintf("ifNull(m.minutes, %d)", instantMinutes), " LEFT ANY JOIN ("+auditedMinimums+") AS m ON m.category = s.category_id"
	}
	inHand, lineShare := "at <= c.claimed_at", []Num{shared("lineShare")}
	if s.version < 3 {
		inHand, lineShare = "1", nil
	}
	rows.text = fmt.Sprintf(`SELECT s.* REPLACE (c.claimed_at AS anchor_at), arrayFilter(at -> %[7]s, l.begun) AS begun, c.claimed_at < addMinutes(if(empty(begun), s.origin_at, arrayMax(begun)), %[1]s) AS instant,
			ifNull(c.claimed_at <= s.due_at, 0) AS claimed_before_due, if(claimed_before_due, intDiv(%[6]s, %[2]d), -1) AS bin
		FROM (SELECT issue_id, claimed_at FROM f_claim FINAL WHERE _deleted = 0 AND kind = 'FIXED' AND source = 'groundwork' AND claimed_at <= %[3]s) AS c
		INNER JOIN (%[4]s) AS s ON c.issue_id = s.id
		LEFT ANY JOIN (%[8]s) AS l ON l.issue_id = s.id%[5]s%[9]s
		WHERE s.state != 'MERGED'`, minimum, lineHours*3600, asOf, rows.text, days, before, inHand, s.legsBegun(), minimums)
	found, err := m.tally(ctx, s, tally{rows: rows, sums: []string{
		"countIf(instant)", "countIf(bin = 0)", "countIf(bin IN (1, 2))",
	}})
	if err != nil {
		return nil, err
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
	return t, m.withReporters(ctx, s, t, voicesOf(rows))
}
