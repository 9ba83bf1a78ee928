package warehouse

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"groundwork/warehouse/stats"
)

// Months before the first region came under a policy that are looked at, and how many policies one answer judges.
const (
	monthsBefore  = 12
	effectDraws   = 999
	maxPolicies   = 100
	daysInAMonth  = 30
	fewestClosing = 1 // issues in a month of a region below which its share is unknown
)

// policyChange is a change of a policy with where and when it took effect.
type policyChange struct {
	id, measure        string
	window, anticipate int
	regions            map[string]time.Time // first day, by code
	level              string
}

// anticipation is how many months before its beginning may show it already.
func (c *policyChange) anticipation() int {
	return int(math.Ceil(float64(c.anticipate) / daysInAMonth))
}

// effectCell is what is said of a policy, or of one month since it took effect.
type effectCell struct {
	n      int64
	policy *policyEffect
	event  *stats.EventTime
}

// policyEffect is the estimate with what it rests on.
type policyEffect struct {
	all, apart *stats.Effect // apart: without the controls that touch a treated region, or against the areas frozen at a campaign's selection
	scale      float64
	months     int
	preTrend   bool // a period before lies off 0 by more than the uniform band
}

// PolicyEffect is P1, by policy change: effect (average over treated regions and months), effectApart (without controls that touch a treated region),
// treated, controls (regions), months; by EVENT_MONTH as well: effect with its pointwise interval, bandLow and bandHigh. Flags descriptive and preTrend.
// n = issues in the regions treated.
func (m *Measures) PolicyEffect(ctx context.Context, q Question) (*Table, error) {
	split := q.By
	s, t, err := m.beginEffect(ctx, q, "P1")
	if err != nil {
		return nil, err
	}
	changes, err := m.policyChanges(ctx, s)
	if err != nil {
		return nil, err
	}
	cells := map[cellKey]*effectCell{}
	for _, change := range changes {
		if err := m.judge(ctx, s, t, change, slices.Contains(split, ByEventMonth), cells); err != nil {
			return nil, err
		}
	}
	s.By = []Dimension{ByPolicyChange}
	if slices.Contains(split, ByEventMonth) {
		s.By = append(s.By, ByEventMonth)
	}
	c := newColumns(t, []Num{ranged("effect", "of the outcome"), plain("bandLow", "of the outcome"), plain("bandHigh", "of the outcome"), ranged("effectApart", "of the outcome"),
		plain("treated", "regions"), plain("controls", "regions"), plain("months", "months")})
	found, err := arrange(ctx, m, s, cells, t)
	if err != nil {
		return nil, err
	}
	for _, cell := range found {
		c.effect(cell)
	}
	if len(changes) == 0 {
		t.Notes = append(t.Notes, "not computable: no change of a policy with a registered outcome took effect in any region")
	}
	s.ownUnits(t)
	return t, nil
}

// beginEffect is the scope and the empty answer of a measure of effects, which takes its windows and regions from what it judges.
func (m *Measures) beginEffect(ctx context.Context, q Question, code string) (*scope, *Table, error) {
	q.By, q.From, q.To = nil, nil, nil
	s, t, err := m.begin(ctx, q, code)
	if err != nil {
		return nil, nil, err
	}
	t.Flags["descriptive"], t.Flags["preTrend"] = []bool{}, []bool{}
	return s, t, nil
}

// effect estimates what happened to the regions of a panel that were treated, against the others, and once more on other panels, which may be too few for that. It is
// nil if nothing can be compared.
func (p *policyPanel) effect(t *Table, s *scope, id string, anticipation, months int, others []stats.Panel) (*policyEffect, error) {
	o := stats.DiDOptions{Anticipation: anticipation, LargeSample: s.version < 2, Draws: effectDraws, Seed: seed(t.Measure+" "+id, t.DefinitionVersion, span{p.first, p.last})}
	all, err := stats.DiD(p.panels, o)
	if err != nil || !all.Overall.Known {
		return nil, err
	}
	e := &policyEffect{all: all, scale: p.scale, months: months}
	for _, v := range all.Events {
		e.preTrend = e.preTrend || v.Relative < -anticipation && (v.BandLo > 0 || v.BandHi < 0)
	}
	if len(others) > 1 {
		e.apart, err = stats.DiD(others, o)
	}
	return e, err
}

func (c *columns) effect(cell *effectCell) {
	p := cell.policy
	if cell.event != nil {
		e := cell.event
		c.put("effect", finite(e.Estimate*p.scale), finite(e.Lo*p.scale), finite(e.Hi*p.scale))
		c.number("bandLow", e.BandLo*p.scale)
		c.number("bandHigh", e.BandHi*p.scale)
		c.missing("effectApart")
	} else {
		c.estimate("effect", p.all.Overall, p.scale)
		c.missing("bandLow", "bandHigh")
		if p.apart == nil {
			c.missing("effectApart")
		} else {
			c.estimate("effectApart", p.apart.Overall, p.scale)
		}
	}
	c.number("treated", float64(p.all.Treated))
	c.number("controls", float64(p.all.Controls))
	c.number("months", float64(p.months))
	c.end(cell.n, map[string]bool{"descriptive": p.all.Descriptive, "preTrend": p.preTrend})
}

// policyChanges reads the changes that took effect somewhere by as-of and whose outcome was registered.
func (m *Measures) policyChanges(ctx context.Context, s *scope) ([]*policyChange, error) {
	text := statement{text: `SELECT toString(c.id), assumeNotNull(c.outcome_measure), ifNull(c.window_days, 0), ifNull(c.anticipation_days, 0), r.code, toString(r.level), toDateTime64(toString(o.effective_from), 6, {timezone:String})
		FROM (SELECT * FROM f_policy_change FINAL WHERE _deleted = 0 AND outcome_measure IS NOT NULL) AS c
		INNER JOIN (SELECT * FROM f_policy_rollout FINAL WHERE _deleted = 0) AS o ON o.policy_change_id = c.id
		INNER JOIN (SELECT id, code, level FROM d_region FINAL WHERE _deleted = 0) AS r ON r.id = o.region_id
		ORDER BY c.pre_registered_at, c.id, r.code`}.with("timezone", s.Timezone)
	var changes []*policyChange
	err := m.each(ctx, "read changes of policies", text, func(scan func(...any) error) error {
		var id, measure, code, level string
		var window, anticipation int32
		var from time.Time
		if err := scan(&id, &measure, &window, &anticipation, &code, &level, &from); err != nil {
			return err
		}
		if from.After(s.asOf) {
			return nil
		}
		if len(changes) == 0 || changes[len(changes)-1].id != id {
			changes = append(changes, &policyChange{id: id, measure: measure, window: int(window), anticipate: int(anticipation), regions: map[string]time.Time{}, level: level})
		}
		c := changes[len(changes)-1]
		c.regions[code] = from.In(s.location)
		if c.level != level {
			c.level = ""
		}
		return nil
	})
	if len(changes) > maxPolicies {
		return nil, invalid("By", "%d changes of policies are too many for one answer; ask as of an earlier moment", len(changes))
	}
	return changes, err
}

// judge estimates the effect of a change, or notes why that cannot be.
func (m *Measures) judge(ctx context.Context, s *scope, t *Table, change *policyChange, byMonth bool, cells map[cellKey]*effectCell) error {
	because := func(format string, args ...any) error {
		t.Notes = append(t.Notes, "policy change "+change.id+": not computable: "+fmt.Sprintf(format, args...))
		return nil
	}
	if change.level == "" {
		return because("it took effect in regions of different levels, which cannot be compared with one kind of region")
	}
	if change.measure != "H1" && change.measure != "T2" {
		return because("its outcome %s is no monthly rate of regions; H1 and T2 are", change.measure)
	}
	p, err := m.policyPanel(ctx, s, change)
	if err != nil {
		return err
	}
	if reason := p.lacks(); reason != "" {
		return because("%s", reason)
	}
	around, err := m.surroundings(ctx, change.level, p.last)
	if err != nil {
		return err
	}
	apart := p.apart(around)
	if len(apart) == len(p.panels) {
		apart = nil
	}
	e, err := p.effect(t, s, change.id, change.anticipation(), p.months(), apart)
	if err != nil {
		return err
	}
	if e == nil {
		return because("no month with it has both treated regions and regions without it to compare with, and months before")
	}
	if n := change.anticipation(); n > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("policy change %s: compared with the month before %d months of anticipation", change.id, n))
	}
	if p.already > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("policy change %s: %d regions are left out, in which it took effect before there are data to compare with", change.id, p.already))
	}
	p.cells(change, e, byMonth, cells)
	return nil
}

// cells enters a row for the policy, or one for each month since it took effect.
func (p *policyPanel) cells(change *policyChange, e *policyEffect, byMonth bool, cells map[cellKey]*effectCell) {
	if !byMonth {
		cells[cellKey{change.id}] = &effectCell{n: p.issues(func(int) bool { return true }), policy: e}
		return
	}
	for i, v := range e.all.Events {
		n := p.issues(func(relative int) bool { return relative == v.Relative })
		cells[cellKey{change.id, fmt.Sprintf("%+04d", v.Relative)}] = &effectCell{n: n, policy: e, event: &e.all.Events[i]}
	}
}
