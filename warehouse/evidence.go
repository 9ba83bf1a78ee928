package warehouse

import (
	"context"
	"time"

	"groundwork/warehouse/stats"
)

// EvidenceToPolicy is P3, of changes adopted in the window. Numbers: evidenceBefore, evaluated (share), toAdoptionP50Days (d), adopted, pending (changes).
// n = changes with evidence that were proposed by as-of.
func (m *Measures) EvidenceToPolicy(ctx context.Context, q Question) (*Table, error) {
	s, t, err := m.begin(ctx, q, "P3")
	if err != nil {
		return nil, err
	}
	road, err := m.roads(ctx, s)
	if err != nil {
		return nil, err
	}
	c := newColumns(t, []Num{shared("evidenceBefore"), ranged("toAdoptionP50Days", "d"), shared("evaluated"), plain("adopted", "changes"), plain("pending", "changes")})
	s.ownUnits(t)
	if road.n == 0 {
		t.Notes = append(t.Notes, "not computable: no change of a policy was proposed")
		return t, nil
	}
	if err := c.share("evidenceBefore", road.before, road.adopted); err != nil {
		return nil, err
	}
	if err := c.share("evaluated", road.evaluated, road.mature); err != nil {
		return nil, err
	}
	curve, err := stats.Fit(road.rows)
	if err != nil {
		return nil, err
	}
	c.failures("adopted", curve)
	median, err := curve.Quantile(0.5)
	if err != nil {
		return nil, err
	}
	c.quantile("toAdoptionP50Days", median)
	c.number("adopted", road.adopted)
	c.number("pending", road.pending)
	c.end(road.n, nil)
	s.ownUnits(t)
	switch {
	case road.adopted == 0:
		t.Notes = append(t.Notes, "evidenceBefore and evaluated are not computable: no change of a policy has been adopted")
	case road.mature == 0:
		t.Notes = append(t.Notes, "evaluated is not computable: no change of a policy was adopted a year ago")
	}
	return t, nil
}

// roads are how far changes of policies came.
type roads struct {
	n                                           int64
	before, adopted, evaluated, mature, pending float64
	rows                                        []stats.LifeRow
}

func (m *Measures) roads(ctx context.Context, s *scope) (r roads, err error) {
	text := statement{text: `SELECT c.proposed_at, ifNull(c.adopted_at, toDateTime64(0, 6, 'UTC')), ifNull(c.evaluated_at, toDateTime64(0, 6, 'UTC')), ifNull(c.ended_at, toDateTime64(0, 6, 'UTC')), e.first
		FROM (SELECT * FROM f_policy_change FINAL WHERE _deleted = 0 AND proposed_at <= ` + asOf + `) AS c
		LEFT ANY JOIN (SELECT policy_change_id, min(evidence_at) AS first FROM f_evidence_link FINAL WHERE _deleted = 0 GROUP BY policy_change_id) AS e ON e.policy_change_id = c.id`}
	err = m.each(ctx, "read changes of policies", text.with("as_of", s.asOf.UnixMicro()), func(scan func(...any) error) error {
		var proposed, adopted, evaluated, ended, first time.Time
		if err := scan(&proposed, &adopted, &evaluated, &ended, &first); err != nil {
			return err
		}
		r.add(s, change{proposed, known(adopted, s.asOf), known(evaluated, s.asOf), known(ended, s.asOf), known(first, s.asOf)})
		return nil
	})
	return r, err
}

// change has the moments of a change of a policy; nil is not yet.
type change struct {
	proposed                            time.Time
	adopted, evaluated, ended, evidence *time.Time
}

// known is a moment that had come by as-of.
func known(t, asOf time.Time) *time.Time {
	if t.Unix() <= 0 || t.After(asOf) {
		return nil
	}
	return &t
}

func (r *roads) add(s *scope, c change) {
	if c.adopted != nil && (s.from != nil && c.adopted.Before(*s.from) || s.to != nil && !c.adopted.Before(*s.to)) {
		return
	}
	r.n++
	if c.adopted == nil && c.ended == nil {
		r.pending++
	}
	if c.adopted != nil {
		r.adopted++
		if c.evidence != nil && c.evidence.Before(c.proposed) {
			r.before++
		}
		if year := c.adopted.AddDate(1, 0, 0); !year.After(s.asOf) {
			r.mature++
			if c.evaluated != nil && !c.evaluated.After(year) {
				r.evaluated++
			}
		}
	}
	if c.evidence == nil {
		return
	}
	row, exit := stats.LifeRow{}, s.asOf
	switch {
	case c.adopted != nil:
		exit, row.Events[stats.Confirmed] = *c.adopted, 1
	case c.ended != nil:
		exit, row.Events[stats.Censored] = *c.ended, 1
	default:
		row.Events[stats.Censored] = 1
	}
	if row.Time = exit.Sub(*c.evidence).Hours() / 24; row.Time >= 0 { // evidence after the adoption is no road to it
		r.rows = append(r.rows, row)
	}
}
