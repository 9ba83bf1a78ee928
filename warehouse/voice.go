package warehouse

import (
	"context"
	"maps"
	"slices"

	"groundwork/warehouse/stats"
)

// feedbackDue settles which claims are due for a verdict: those made before a moment.
func (m *Measures) feedbackDue(ctx context.Context, s *scope) error {
	days, err := m.calendar(ctx)
	s.claimsDue = dueBefore(days, s.asOf, feedbackDays)
	return err
}

// useClaims settles as well whether the base of claims is read.
func (m *Measures) useClaims(ctx context.Context, s *scope) error {
	if err := m.feedbackDue(ctx, s); err != nil {
		return err
	}
	return m.useBase(ctx, s, claimBase)
}

// Resolved is Q1. Numbers: resolved (share of answered), resolvedLower, resolvedUpper, partly (share of answered), answered (count).
// n = claims due for a verdict.
func (m *Measures) Resolved(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "Q1")
	if err != nil {
		return nil, err
	}
	if err := m.useClaims(ctx, s); err != nil {
		return nil, err
	}
	parts := s.claimParts(records{claims: true}, "by_area")
	found, err := m.tally(ctx, s, tally{parts: parts, sums: []string{"sumIf(w, answered)", "sumIf(w, yes)", "sumIf(w, partly)"}})
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

// Satisfaction is Q2. Numbers, all shares: satisfied, basically, satisfiedCompat (of n), satisfiedResolved (of the resolved),
// satisfiedUnresolved (of the others), satisfiedWeighted, reach (claims with a verdict of all claims due). n = ratings.
func (m *Measures) Satisfaction(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "Q2")
	if err != nil {
		return nil, err
	}
	if err := m.useClaims(ctx, s); err != nil {
		return nil, err
	}
	parts := s.claimParts(records{ratings: true}, "by_area")
	var found map[cellKey]*tallied
	var strata map[cellKey]answers
	err = together(func() (err error) {
		found, err = m.tally(ctx, s, tally{parts: parts, sums: []string{"sumIf(w, high)", "sumIf(w, middle)", "sumIf(w, yes)", "sumIf(w, yes AND high)"}})
		return err
	}, func() (err error) {
		strata, err = m.answerStrata(ctx, s)
		return err
	})
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{
		ranged("satisfied", "share"), ranged("basically", "share"), ranged("satisfiedCompat", "share"), shared("satisfiedResolved"), shared("satisfiedUnresolved"),
		ranged("satisfiedWeighted", "share"), shared("reach"),
	})
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
	type counted struct{ due, told, rated, high float64 }
	found := map[cellKey]map[string]counted{}
	var parts []statement
	for _, rows := range s.claimParts(records{claims: true}, "by_stratum", ByCategory, ByChannel) {
		part := s.gathered(&builder{}, rows, s.window, "sumMap([toString(of_channel) || '/' || ifNull(toString(of_matter), '')], [due], [told], [rated], [high]) AS sums",
			`channel AS of_channel, category_id AS of_matter, toFloat64(sum(w)) AS due, toFloat64(sumIf(w, answered)) AS told, toFloat64(sumIf(w, rated AND answered)) AS rated,
			toFloat64(sumIf(w, high AND answered)) AS high`, nil, "of_channel", "of_matter")
		part.text, part.maxGroups = "SELECT * EXCEPT sums, sums.1, sums.2, sums.3, sums.4, sums.5 FROM ("+part.text+")", m.maxCounts
		parts = append(parts, part)
	}
	err := m.eachOf(ctx, "count answers", parts, func() ([]any, func()) {
		targets, key := s.scanKeys()
		var names []string
		var due, told, rated, high []float64
		return append(targets, &names, &due, &told, &rated, &high), func() {
			cell := found[key()]
			if cell == nil {
				cell = map[string]counted{}
				found[key()] = cell
			}
			for i, name := range names {
				had := cell[name]
				cell[name] = counted{had.due + due[i], had.told + told[i], had.rated + rated[i], had.high + high[i]}
			}
		}
	})
	all := make(map[cellKey]answers, len(found))
	for key, cell := range found {
		var a answers
		for _, name := range slices.Sorted(maps.Keys(cell)) {
			n := cell[name]
			if n.due == 0 { // what came and went again
				continue
			}
			a.due, a.answered = a.due+n.due, a.answered+n.told
			stratum := stats.Stratum{Weight: n.due, Known: n.rated > 0}
			if stratum.Known {
				stratum.Value = n.high / n.rated
				stratum.Variance = stratum.Value * (1 - stratum.Value) / n.rated
			}
			a.strata = append(a.strata, stratum)
		}
		all[key] = a
	}
	return all, err
}

// FeedbackReach is Q3. Numbers, each a share of the one before: attempted, reached, answered, independent. n = claims due for a verdict.
func (m *Measures) FeedbackReach(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "Q3")
	if err != nil {
		return nil, err
	}
	if err := m.useClaims(ctx, s); err != nil {
		return nil, err
	}
	parts := s.claimParts(records{claims: true, attempts: true}, "by_area")
	found, err := m.tally(ctx, s, tally{parts: parts, sums: []string{
		"sumIf(w, attempted OR handler_only)", "sumIf(w, reached OR handler_only)", "sumIf(w, answered OR handler_only)", "sumIf(w, answered)", "sumIf(w, own_claim)",
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
