package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"groundwork/warehouse/stats"
)

// maxPatterns bounds how many kinds of issues are drawn anew in one answer.
const maxPatterns = 50_000

// pattern is what a composite knows of an issue, and how many issues are like that.
type pattern struct {
	waits, event               uint8
	hours                      uint8 // until the response or the end of observation, rounded up; 25 = more than 24
	answered, yes, rated, high uint32
	n                          int64
}

// threeRates are the parts of the composite; nil = unknown.
type threeRates struct{ responded, resolved, satisfied *float64 }

// ratesOf counts every pattern as often as weights say.
func ratesOf(patterns []pattern, weights []float64) (r threeRates) {
	var events, gone [26]float64
	var answered, yes, rated, high, waiting float64
	for i, p := range patterns {
		w := weights[i]
		if p.waits == 1 {
			waiting += w
			if p.event == 1 {
				events[p.hours] += w
			} else {
				gone[p.hours] += w
			}
		}
		answered, yes = answered+w*float64(p.answered), yes+w*float64(p.yes)
		rated, high = rated+w*float64(p.rated), high+w*float64(p.high)
	}
	if survival, atRisk := 1.0, waiting; atRisk > 0 {
		for hour := range 25 {
			if atRisk > 0 {
				survival *= 1 - events[hour]/atRisk
			}
			atRisk -= events[hour] + gone[hour]
		}
		if survival <= 0 || gone[25]+events[25]+gone[24] > 0 { // somebody was seen for 24 hours
			r.responded = new(1 - survival)
		}
	}
	if answered > 0 {
		r.resolved = new(yes / answered)
	}
	if rated > 0 {
		r.satisfied = new(high / rated)
	}
	return r
}

// weighted is the composite; known only where all parts are.
func (r threeRates) weighted(weights map[string]float64) (value float64, known bool) {
	if r.responded == nil || r.resolved == nil || r.satisfied == nil {
		return 0, false
	}
	return weights["T1"]**r.responded + weights["Q1"]**r.resolved + weights["Q2"]**r.satisfied, true
}

// compositeRows has one row an issue that any of the three rates counts: the response of those that came in within the window, the verdicts on claims made in
// it, the ratings given in it.
func (s *scope) compositeRows() statement {
	part := func(rows statement, sums string) string {
		b := &builder{}
		b.write("SELECT id AS issue, ", sums, " FROM (", rows.text, ")")
		s.window(b)
		b.write(" GROUP BY issue SETTINGS max_rows_to_group_by = 0")
		return b.text.String()
	}
	within := &builder{}
	within.write("SELECT id FROM (", s.spells().text, ")")
	s.window(within)
	rows := s.spells()
	for name, value := range s.claimRows().values {
		rows = rows.with(name, value)
	}
	for name, value := range s.windowValues() {
		rows = rows.with(name, value)
	}
	rows.text = fmt.Sprintf(`SELECT *, toUInt8(id IN (%[1]s) AND response_end < 8) AS waits, toUInt8(waits * least(25, intDiv(micros + 3599999999, 3600000000))) AS hours, toUInt8(waits = 1 AND response_end = 1 AND hours <= 24) AS event FROM (
			SELECT s.*, toUInt32(c.told) AS answered, toUInt32(c.agreed) AS yes, toUInt32(f.ratings) AS rated, toUInt32(f.best) AS high
			FROM (SELECT *, %[2]s AS micros FROM (%[3]s) WHERE state != 'MERGED') AS s
			LEFT ANY JOIN (%[4]s) AS c ON c.issue = s.id LEFT ANY JOIN (%[5]s) AS f ON f.issue = s.id)
		WHERE waits + answered + rated > 0`, within.text.String(), responseSpell.took(), rows.text,
		part(s.claimRows(), "countIf(answered) AS told, countIf(yes) AS agreed"), part(s.ratingRows(), "count() AS ratings, countIf(high) AS best"))
	return rows
}

func (s *scope) windowValues() map[string]any {
	b := &builder{}
	s.window(b)
	return b.values
}

// Composite is C1: the three rates weighted as the definition says. Numbers: composite (bootstrap by issue), responded24h, resolved, satisfied (shares).
// n = issues.
func (m *Measures) Composite(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "C1")
	if err != nil {
		return nil, err
	}
	if err := m.feedbackDue(ctx, s); err != nil {
		return nil, err
	}
	rows := s.compositeRows()
	found, err := m.patterns(ctx, s, rows)
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{ranged("composite", "share"), plain("responded24h", "share"), plain("resolved", "share"), plain("satisfied", "share")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	lacking := 0
	for row, patterns := range cells {
		if !c.composite(patterns, definition("C1").Weights, seed("C1 "+strings.Join(t.keys(row), " "), t.DefinitionVersion, span{at(s.from), at(s.to)})) {
			lacking++
		}
	}
	t.noteNothing(len(cells), "not computable: no issue here counts in any of the three rates")
	if lacking > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("not computable in %d of %d cells: one of the three rates is not known there", lacking, len(cells)))
	}
	unbounded := *s // every row counts, whatever brought it into the window
	unbounded.from, unbounded.to = nil, nil
	return t, m.withReporters(ctx, &unbounded, t, voicesOf(rows))
}

// at is a moment that may be open.
func at(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func (m *Measures) patterns(ctx context.Context, s *scope, rows statement) (map[cellKey][]pattern, error) {
	found := map[cellKey][]pattern{}
	targets, key := s.scanKeys()
	var p pattern
	targets = append(targets, &p.waits, &p.event, &p.hours, &p.answered, &p.yes, &p.rated, &p.high, &p.n)
	total := 0
	const columns = "waits, event, hours, answered, yes, rated, high"
	err := m.each(ctx, "count issues by what is known of them", s.byCell(&builder{}, rows, nil, columns+", toInt64(count())", strings.Split(columns, ", ")...), func(scan func(...any) error) error {
		if err := scan(targets...); err != nil {
			return err
		}
		total++
		found[key()] = append(found[key()], p)
		return nil
	})
	if err == nil && total > maxPatterns {
		err = invalid("By", "the split gives more cells than can be drawn anew for their intervals; split by less, roll regions up to a level, or narrow the filter")
	}
	return found, err
}

// composite ends a row and reports whether all parts are known.
func (c *columns) composite(patterns []pattern, weights map[string]float64, seed uint64) (known bool) {
	slices.SortFunc(patterns, func(a, b pattern) int {
		return cmp.Or(cmp.Compare(a.waits, b.waits), cmp.Compare(a.event, b.event), cmp.Compare(a.hours, b.hours), cmp.Compare(a.answered, b.answered),
			cmp.Compare(a.yes, b.yes), cmp.Compare(a.rated, b.rated), cmp.Compare(a.high, b.high))
	})
	counts, n := make([]float64, len(patterns)), int64(0)
	for i, p := range patterns {
		counts[i], n = float64(p.n), n+p.n
	}
	rates := ratesOf(patterns, counts)
	value, known := rates.weighted(weights)
	e := stats.Estimate{Value: value, Known: known}
	if known {
		e.Interval = redrawn(patterns, counts, weights, value, seed)
	}
	c.estimate("composite", e, 1)
	for name, part := range map[string]*float64{"responded24h": rates.responded, "resolved": rates.resolved, "satisfied": rates.satisfied} {
		c.put(name, part, nil, nil)
	}
	c.end(n, nil)
	return known
}

// redrawn is the percentile bootstrap by issue: how often each pattern is drawn is multinomial.
func redrawn(patterns []pattern, counts []float64, weights map[string]float64, value float64, seed uint64) stats.Interval {
	rng := rand.NewPCG(seed, 1)
	var total float64
	for _, n := range counts {
		total += n
	}
	drawn, values := make([]float64, len(counts)), []float64{}
	for range resamples {
		left, of := total, total
		for i, n := range counts {
			switch {
			case left == 0:
				drawn[i] = 0
			case n >= of:
				drawn[i] = left
			default:
				drawn[i] = distuv.Binomial{N: left, P: n / of, Src: rng}.Rand()
			}
			left, of = left-drawn[i], of-n
		}
		if v, known := ratesOf(patterns, drawn).weighted(weights); known {
			values = append(values, v)
		}
	}
	return middle(values, value)
}
