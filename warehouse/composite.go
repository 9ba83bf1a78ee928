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

	"groundwork"
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
// it that are due, the ratings given in it.
func (s *scope) compositeRows() statement {
	rows := s.histories(records{claims: true, ratings: true}).with("claims_before", s.claimsDue.UnixMicro())
	within := func(column string) (conditions []string) {
		if s.from != nil {
			rows = rows.with("window_from", ceilMicro(*s.from))
			conditions = append(conditions, column+" >= fromUnixTimestamp64Micro({window_from:Int64}, 'UTC')")
		}
		if s.to != nil {
			rows = rows.with("window_to", ceilMicro(*s.to))
			conditions = append(conditions, column+" < fromUnixTimestamp64Micro({window_to:Int64}, 'UTC')")
		}
		return conditions
	}
	told := within("told.1")
	due := append([]string{"told.1 < " + claimsBefore, "NOT withdrawn"}, told...)
	rows = historyMarks.named(rows, "counts")
	rows.text = "SELECT * EXCEPT withdrawn, toUInt8(" + strings.Join(append(within("origin_at"), "response_end < 8"), " AND ") + ") AS waits, " +
		"toUInt8(waits * least(25, intDiv(" + responseSpell.took() + " + 3599999999, 3600000000))) AS hours, toUInt8(waits = 1 AND response_end = 1 AND hours <= 24) AS event, " +
		saidOf("claims", append(due, saidMarks.test("told.2", "answered"))...) + " AS answered, " + saidOf("claims", append(due, saidMarks.test("told.2", "yes"))...) + " AS yes, " +
		saidOf("ratings", append(told, "1")...) + " AS rated, " + saidOf("ratings", append(told, "told.2 = 1")...) + " AS high FROM (" + rows.text + ") WHERE waits + answered + rated > 0"
	return rows
}

// keptPatterns are those of the base added up, of issues whose last claim is due, and that nobody waits for any more within 24 hours (schema/00410_history_base.sql).
var keptPatterns = addedUp{
	sums: "by_pattern", settled: "month < {month_due:UInt32} AND pattern > 0", open: "month >= {month_due:UInt32}",
	columns: "toUInt8(bitAnd(pattern, 1)) AS waits, toUInt8(bitAnd(bitShiftRight(pattern, 1), 1)) AS event, toUInt8(bitAnd(bitShiftRight(pattern, 2), 31)) AS hours, " + packed(7, "answered") + ", " + packed(21, "yes") + ", " +
		packed(35, "rated") + ", " + packed(49, "high") + ", finalizeAggregation(" + sumWeight + ") AS w",
}

func packed(from int, name string) string {
	return fmt.Sprintf("toUInt32(bitAnd(bitShiftRight(pattern, %d), 16383)) AS %s", from, name)
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
	if err := m.useBase(ctx, s, historyBase); err != nil {
		return nil, err
	}
	due := s.claimsDue.In(groundwork.China)
	found, err := m.patterns(ctx, s, s.historyParts(keptPatterns, map[string]any{"month_due": due.Year()*100 + int(due.Month())}, (*scope).compositeRows))
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{ranged("composite", "share"), plain("responded24h", "share"), plain("resolved", "share"), plain("satisfied", "share")})
	cells, err := arrange(ctx, m, s, found, t)
	if err != nil {
		return nil, err
	}
	composites, err := beside(len(cells), func(row int) (composite, error) {
		return compositeOf(cells[row], definition("C1").Weights, seed("C1 "+strings.Join(t.keys(row), " "), t.DefinitionVersion, span{at(s.from), at(s.to)})), nil
	})
	if err != nil {
		return nil, err
	}
	lacking := 0
	for _, of := range composites {
		c.composite(of)
		if !of.Known {
			lacking++
		}
	}
	t.noteNothing(len(cells), "not computable: no issue here counts in any of the three rates")
	if lacking > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("not computable in %d of %d cells: one of the three rates is not known there", lacking, len(cells)))
	}
	unbounded := *s // every row counts, whatever brought it into the window
	unbounded.from, unbounded.to = nil, nil
	return t, m.withReportersOf(ctx, &unbounded, t, func(of *scope) statement {
		bounded := *of
		bounded.from, bounded.to = s.from, s.to
		return bounded.compositeRows()
	})
}

// at is a moment that may be open.
func at(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// patterns counts the issues of each cell by what is known of them; parts of rows are counted together.
func (m *Measures) patterns(ctx context.Context, s *scope, parts []statement) (map[cellKey][]pattern, error) {
	counted := map[cellKey]map[pattern]int64{}
	const columns = "waits, event, hours, answered, yes, rated, high"
	counts := make([]statement, len(parts))
	for i, rows := range parts {
		counts[i] = s.byCell(&builder{}, rows, nil, columns+", toInt64(sum(w))", strings.Split(columns, ", ")...)
	}
	err := m.eachOf(ctx, "count issues by what is known of them", counts, func() ([]any, func()) {
		targets, key := s.scanKeys()
		var p pattern
		var n int64
		return append(targets, &p.waits, &p.event, &p.hours, &p.answered, &p.yes, &p.rated, &p.high, &n), func() {
			k := key()
			if counted[k] == nil {
				counted[k] = map[pattern]int64{}
			}
			counted[k][p] += n
		}
	})
	found, total := map[cellKey][]pattern{}, 0
	for k, cell := range counted {
		for p, n := range cell {
			if n != 0 { // and else it came and went again
				p.n = n
				found[k] = append(found[k], p)
				total++
			}
		}
	}
	if err == nil && total > maxPatterns {
		err = invalid("By", "the split gives more cells than can be drawn anew for their intervals; split by less, roll regions up to a level, or narrow the filter")
	}
	return found, err
}

// composite is what C1 says of a cell.
type composite struct {
	stats.Estimate
	rates threeRates
	n     int64
}

// compositeOf is that of issues; known only if all parts are.
func compositeOf(patterns []pattern, weights map[string]float64, seed uint64) composite {
	slices.SortFunc(patterns, func(a, b pattern) int {
		return cmp.Or(cmp.Compare(a.waits, b.waits), cmp.Compare(a.event, b.event), cmp.Compare(a.hours, b.hours), cmp.Compare(a.answered, b.answered),
			cmp.Compare(a.yes, b.yes), cmp.Compare(a.rated, b.rated), cmp.Compare(a.high, b.high))
	})
	counts, n := make([]float64, len(patterns)), int64(0)
	for i, p := range patterns {
		counts[i], n = float64(p.n), n+p.n
	}
	of := composite{rates: ratesOf(patterns, counts), n: n}
	of.Value, of.Known = of.rates.weighted(weights)
	if of.Known {
		of.Interval = redrawn(patterns, counts, weights, of.Value, seed)
	}
	return of
}

// composite ends a row.
func (c *columns) composite(of composite) {
	c.estimate("composite", of.Estimate, 1)
	for name, part := range map[string]*float64{"responded24h": of.rates.responded, "resolved": of.rates.resolved, "satisfied": of.rates.satisfied} {
		c.put(name, part, nil, nil)
	}
	c.end(of.n, nil)
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
