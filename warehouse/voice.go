package warehouse

import (
	"context"
	"fmt"

	"groundwork/warehouse/stats"
)

// claimRows has one row a claim of the issues of the scope, anchored at the claim, with what became of the question: verdict and level (the latest verdict and
// rating that the handler did not collect, ” and NULL = none), answered, handlerOnly.
func (s *scope) claimRows() statement {
	rows := s.spells().with("claims_before", s.claimsDue.UnixMicro())
	rows.text = fmt.Sprintf(`SELECT s.* REPLACE (c.claimed_at AS anchor_at), c.claim AS claim_id, c.own_claim AS own_claim, f.verdict AS verdict, f.level AS level, f.own > 0 AS answered, f.handled > 0 AND f.own = 0 AS handlerOnly
		FROM (SELECT id AS claim, issue_id, claimed_at, source = 'groundwork' AS own_claim FROM f_claim FINAL WHERE _deleted = 0 AND claimed_at < fromUnixTimestamp64Micro({claims_before:Int64}, 'UTC')%[4]s) AS c
		INNER JOIN (%[2]s) AS s ON c.issue_id = s.id
		LEFT ANY JOIN (SELECT claim_id, argMaxIf(toString(resolved), %[3]s, collected_by != 'HANDLER') AS verdict, argMaxIf(satisfaction, %[3]s, collected_by != 'HANDLER') AS level,
			countIf(collected_by != 'HANDLER') AS own, countIf(collected_by = 'HANDLER') AS handled FROM f_feedback FINAL WHERE _deleted = 0 AND at <= %[1]s%[4]s GROUP BY claim_id SETTINGS max_rows_to_group_by = 0) AS f ON f.claim_id = c.claim
		WHERE s.state != 'MERGED' AND NOT ifNull(s.closure_type = 'WITHDRAWN', 0)`, asOf, rows.text, sequence("at", "id"), s.picked(" AND issue_id"))
	return rows
}

// soughtRows are claimRows with what was done for an answer: attempted, reached.
func (s *scope) soughtRows() statement {
	rows := s.claimRows()
	rows.text = fmt.Sprintf(`SELECT c.*, a.attempts > 0 OR c.answered AS attempted, a.reached > 0 OR c.answered AS reached FROM (%[2]s) AS c
		LEFT ANY JOIN (SELECT claim_id, count() AS attempts, countIf(outcome = 'ANSWERED') AS reached FROM f_callback_attempt FINAL
			WHERE _deleted = 0 AND at <= %[1]s GROUP BY claim_id SETTINGS max_rows_to_group_by = 0) AS a ON a.claim_id = c.claim_id`, asOf, rows.text)
	return rows
}

// feedbackDue settles which claims are due for a verdict: those made before a moment.
func (m *Measures) feedbackDue(ctx context.Context, s *scope) error {
	days, err := m.calendar(ctx)
	s.claimsDue = dueBefore(days, s.asOf, feedbackDays)
	return err
}

// Resolved is Q1. Numbers: resolved (share of answered), resolvedLower, resolvedUpper, partly (share of answered), answered (count).
// n = claims due for a verdict.
func (m *Measures) Resolved(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "Q1")
	if err != nil {
		return nil, err
	}
	if err := m.feedbackDue(ctx, s); err != nil {
		return nil, err
	}
	rows := s.claimRows()
	found, err := m.tally(ctx, s, tally{rows: rows, sums: []string{"countIf(answered)", "countIf(verdict = 'YES')", "countIf(verdict = 'PARTLY')"}})
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{shared("resolved"), plain("resolvedLower", "share"), plain("resolvedUpper", "share"), shared("partly"), plain("answered", "claims")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	silent := 0
	for _, cell := range cells {
		n, answered, yes := float64(cell.n), cell.sums[0], cell.sums[1]
		if err := c.shares(answered, map[string]float64{"resolved": yes, "partly": cell.sums[2]}); err != nil {
			return nil, err
		}
		c.number("resolvedLower", yes/n)
		c.number("resolvedUpper", (yes+n-answered)/n)
		c.number("answered", answered)
		c.end(cell.n, map[string]bool{"unstable": answered < stats.UnstableBelow})
		if answered == 0 {
			silent++
		}
	}
	t.noteNothing(len(cells), "not computable: no claim here is due for a verdict")
	t.noteSilence(silent, len(cells))
	return t, m.withReportersOf(ctx, s, t, (*scope).claimRows)
}

// ratingRows has one row a rating that the handler did not collect, anchored at the feedback.
func (s *scope) ratingRows() statement {
	rows := s.spells()
	rows.text = fmt.Sprintf(`SELECT s.* REPLACE (f.at AS anchor_at), assumeNotNull(f.satisfaction) AS level, f.resolved = 'YES' AS resolved
		FROM (SELECT issue_id, at, satisfaction, resolved FROM f_feedback FINAL WHERE _deleted = 0 AND at <= %s AND collected_by != 'HANDLER' AND satisfaction IS NOT NULL%s) AS f
		INNER JOIN (%s) AS s ON f.issue_id = s.id WHERE s.state != 'MERGED'`, asOf, s.picked(" AND issue_id"), rows.text)
	return rows
}

// Satisfaction is Q2. Numbers, all shares: satisfied, basically, satisfiedCompat (of n), satisfiedResolved (of the resolved),
// satisfiedUnresolved (of the others), satisfiedWeighted, reach (claims with a verdict of all claims due). n = ratings.
func (m *Measures) Satisfaction(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "Q2")
	if err != nil {
		return nil, err
	}
	rows := s.ratingRows()
	found, err := m.tally(ctx, s, tally{rows: rows, sums: []string{
		"countIf(level >= 4)", "countIf(level = 3)", "countIf(resolved)", "countIf(resolved AND level >= 4)",
	}})
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{
		ranged("satisfied", "share"), ranged("basically", "share"), ranged("satisfiedCompat", "share"), shared("satisfiedResolved"), shared("satisfiedUnresolved"),
		ranged("satisfiedWeighted", "share"), shared("reach"),
	})
	if err := m.feedbackDue(ctx, s); err != nil {
		return nil, err
	}
	strata, err := m.answerStrata(ctx, s)
	if err != nil {
		return nil, err
	}
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	for row, cell := range cells {
		n, high, middle, resolved, resolvedHigh := float64(cell.n), cell.sums[0], cell.sums[1], cell.sums[2], cell.sums[3]
		if err := c.shares(n, map[string]float64{"satisfied": high, "basically": middle, "satisfiedCompat": high + middle}); err != nil {
			return nil, err
		}
		if err := c.share("satisfiedResolved", resolvedHigh, resolved); err != nil {
			return nil, err
		}
		if err := c.share("satisfiedUnresolved", high-resolvedHigh, n-resolved); err != nil {
			return nil, err
		}
		of := strata[t.cell(row)]
		if err := c.weighted(of, n); err != nil {
			return nil, err
		}
		if err := c.share("reach", of.answered, of.due); err != nil {
			return nil, err
		}
		c.end(cell.n, map[string]bool{"unstable": of.due > 0 && of.answered < of.due/2})
	}
	t.noteNothing(len(cells), "not computable: no citizen gave a rating here that the handler did not collect")
	return t, m.withReportersOf(ctx, s, t, (*scope).ratingRows)
}

// answers are the claims due for a verdict in a cell, and how their strata of channel and category answered.
type answers struct {
	due, answered float64
	strata        []stats.Stratum
}

// weighted puts the share of satisfied with every stratum counted by its claims rather than by its answers.
func (c *columns) weighted(of answers, n float64) error {
	if of.answered == 0 {
		c.missing("satisfiedWeighted")
		return nil
	}
	e, _, err := stats.Standardise(of.strata, n)
	if err != nil {
		return err
	}
	c.estimate("satisfiedWeighted", e, 1)
	return nil
}

// answerStrata counts claims and answers by cell, channel and category. Cells and window are those of the claims.
func (m *Measures) answerStrata(ctx context.Context, s *scope) (map[cellKey]answers, error) {
	rows := s.claimRows()
	rows.text = "SELECT *, toString(channel) || '/' || ifNull(toString(category_id), '') AS stratum FROM (" + rows.text + ")"
	all := map[cellKey]answers{}
	targets, key := s.scanKeys()
	var due, answered, rated, high []float64
	statement := s.gathered(&builder{}, rows, s.window, "sumMap([stratum], [due], [told], [rated], [high]) AS sums", `stratum, toFloat64(count()) AS due, toFloat64(countIf(answered)) AS told,
		toFloat64(countIf(isNotNull(level) AND answered)) AS rated, toFloat64(countIf(ifNull(level >= 4, 0) AND answered)) AS high`, nil, "stratum")
	statement.text, statement.maxGroups = "SELECT * EXCEPT sums, sums.2, sums.3, sums.4, sums.5 FROM ("+statement.text+")", m.maxCounts
	targets = append(targets, &due, &answered, &rated, &high)
	err := m.each(ctx, "count answers", statement, func(scan func(...any) error) error {
		if err := scan(targets...); err != nil {
			return err
		}
		var a answers
		for i := range due {
			a.due, a.answered = a.due+due[i], a.answered+answered[i]
			stratum := stats.Stratum{Weight: due[i], Known: rated[i] > 0}
			if stratum.Known {
				stratum.Value = high[i] / rated[i]
				stratum.Variance = stratum.Value * (1 - stratum.Value) / rated[i]
			}
			a.strata = append(a.strata, stratum)
		}
		all[key()] = a
		return nil
	})
	return all, err
}

// FeedbackReach is Q3. Numbers, each a share of the one before: attempted, reached, answered, independent. n = claims due for a verdict.
func (m *Measures) FeedbackReach(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "Q3")
	if err != nil {
		return nil, err
	}
	if err := m.feedbackDue(ctx, s); err != nil {
		return nil, err
	}
	rows := s.soughtRows()
	found, err := m.tally(ctx, s, tally{rows: rows, sums: []string{
		"countIf(attempted OR handlerOnly)", "countIf(reached OR handlerOnly)", "countIf(answered OR handlerOnly)", "countIf(answered)", "countIf(own_claim)",
	}})
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{ranged("attempted", "share"), shared("reached"), shared("answered"), shared("independent")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	imported := 0
	for _, cell := range cells {
		if cell.sums[0] == 0 && cell.sums[4] == 0 {
			imported++
			c.missing("attempted")
			for _, name := range []string{"reached", "answered", "independent"} {
				c.none(name)
			}
			c.end(cell.n, nil)
			continue
		}
		before := float64(cell.n)
		for i, name := range []string{"attempted", "reached", "answered", "independent"} {
			if err := c.share(name, cell.sums[i], before); err != nil {
				return nil, err
			}
			before = cell.sums[i]
		}
		c.end(cell.n, nil)
	}
	t.noteNothing(len(cells), "not computable: no claim here is due for a verdict")
	t.noteImports(imported, len(cells), "no attempt to reach anybody")
	return t, m.withReportersOf(ctx, s, t, (*scope).claimRows)
}
