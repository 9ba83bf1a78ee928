package warehouse

import (
	"context"

	"groundwork/warehouse/stats"
)

// equityDays is within how many days an issue should be resolved where places are compared.
const equityDays = 60

// Equity is E1(a): a funnel of regions. Numbers: crude, standardised (share confirmed within 60 days), target, low95, high95, low998, high998
// (limits), covered (share of the standard mix that the region has). Flags above and below. n = issues.
func (m *Measures) Equity(ctx context.Context, q Question) (*Table, error) {
	q.Query = q.byOrigin()
	q.By = []Dimension{ByRegion, ByCategory}
	s, err := m.scope(ctx, q.Query)
	if err != nil {
		return nil, err
	}
	t := s.table(definition("E1"))
	t.Flags["above"], t.Flags["below"] = []bool{}, []bool{}
	found, err := m.lifeTables(ctx, s, t, confirmedWithin(equityDays), m.gridsOfShares)
	if err != nil {
		return nil, err
	}
	s.By = q.By[:1]
	c := newColumns(t, []Num{plain("crude", "share"), ranged("standardised", "share"), plain("target", "share"), plain("low95", "limit"), plain("high95", "limit"),
		plain("low998", "limit"), plain("high998", "limit"), plain("covered", "ratio")})
	mix := mixOf(found)
	regions, err := arrange(ctx, m, s, mix.regions, t)
	if err != nil {
		return nil, err
	}
	if !mix.verdicts {
		for _, r := range regions {
			c.missing("crude", "standardised", "target", "low95", "high95", "low998", "high998", "covered")
			c.end(r.n, nil)
		}
		t.Notes = append(t.Notes, "not computable: no confirmations are recorded, so no region has a rate of resolution")
		return t, nil
	}
	return t, c.funnel(mix, regions)
}

// caseMix is the life tables of regions by category, with the pooled mix as the standard.
type caseMix struct {
	regions  map[cellKey]*regionMix
	weights  map[string]float64
	pooled   pool
	verdicts bool
	ended    bool // an issue came to an end of some kind
}

type regionMix struct {
	n          int64
	all        pool
	categories map[string][]stats.LifeRow
}

// pool is a life table of several together, a row for each time.
type pool struct {
	rows []stats.LifeRow
	at   map[float64]int
}

func (p *pool) add(rows []stats.LifeRow) {
	if p.at == nil {
		p.at = map[float64]int{}
	}
	for _, r := range rows {
		at, has := p.at[r.Time]
		if !has {
			p.at[r.Time] = len(p.rows)
			p.rows = append(p.rows, r)
			continue
		}
		for cause, n := range r.Events {
			p.rows[at].Events[cause] += n
		}
	}
}

func mixOf(found map[cellKey]*cell) caseMix {
	mix := caseMix{regions: map[cellKey]*regionMix{}, weights: map[string]float64{}}
	for key, cell := range found {
		category := key[1]
		key[1] = ""
		r := mix.regions[key]
		if r == nil {
			r = &regionMix{categories: map[string][]stats.LifeRow{}}
			mix.regions[key] = r
		}
		r.n += cell.n
		r.all.add(cell.rows)
		r.categories[category] = cell.rows
		mix.weights[category] += float64(cell.n)
		mix.pooled.add(cell.rows)
		mix.verdicts = mix.verdicts || cell.verdicts > 0
		for cause := stats.Confirmed; cause <= stats.Withdrawn; cause++ {
			mix.ended = mix.ended || cell.total(cause) > 0
		}
	}
	return mix
}

// within is the share confirmed in time of some issues.
func within(rows []stats.LifeRow) (stats.Estimate, error) {
	curve, err := stats.Fit(rows)
	if err != nil {
		return stats.Estimate{}, err
	}
	return curve.CIF(stats.Confirmed, equityDays)
}

// standardised weights a region's categories as the pooled mix has them.
func (mix caseMix) standardised(r *regionMix) (e stats.Estimate, covered float64, err error) {
	return mix.standardisedBy(r, within)
}

func (mix caseMix) standardisedBy(r *regionMix, of func([]stats.LifeRow) (stats.Estimate, error)) (e stats.Estimate, covered float64, err error) {
	var strata []stats.Stratum
	for _, category := range sortedCodes(mix.weights) { // the sum is the same each time, to the last bit
		stratum := stats.Stratum{Weight: mix.weights[category]}
		if rows := r.categories[category]; len(rows) > 0 {
			found, err := of(rows)
			if err != nil {
				return e, 0, err
			}
			stratum.Known, stratum.Value, stratum.Variance = found.Known, found.Value, found.SE*found.SE
		}
		strata = append(strata, stratum)
	}
	return stats.Standardise(strata, float64(r.n))
}

// standardised is the share of a region as if it had the standard mix, of which it has the part covered.
type standardised struct {
	stats.Estimate
	covered float64
}

func (c *columns) funnel(mix caseMix, regions []*regionMix) error {
	target, err := within(mix.pooled.rows)
	if err != nil {
		return err
	}
	standard, err := beside(len(regions), func(i int) (s standardised, err error) {
		s.Estimate, s.covered, err = mix.standardised(regions[i])
		return s, err
	})
	if err != nil {
		return err
	}
	var units []stats.Unit
	for _, s := range standard {
		if comparable(s.Estimate) && target.Known {
			units = append(units, stats.Unit{Value: s.Value, SE: s.SE})
		}
	}
	places, _, err := stats.Funnel(units, target.Value)
	if err != nil {
		return err
	}
	for i, r := range regions {
		crude, err := within(r.all.rows)
		if err != nil {
			return err
		}
		crude.Interval.OK = false
		c.estimate("crude", crude, 1)
		share := standard[i].Estimate
		share.Interval.OK = share.Interval.OK && comparable(share) // a variance of 0 is that of few, not certainty
		c.estimate("standardised", share, 1)
		target.Interval.OK = false
		c.estimate("target", target, 1)
		c.number("covered", standard[i].covered)
		if !comparable(share) || !target.Known {
			c.missing("low95", "high95", "low998", "high998")
			c.end(r.n, nil)
			continue
		}
		place := places[0]
		places = places[1:]
		for name, v := range map[string]float64{"low95": place.Lo95, "high95": place.Hi95, "low998": place.Lo998, "high998": place.Hi998} {
			c.number(name, min(max(v, 0), 1))
		}
		c.end(r.n, map[string]bool{"above": place.Within == stats.FunnelAbove, "below": place.Within == stats.FunnelBelow})
	}
	return nil
}

// comparable: a share without variance, such as 0 of few, has no place in a funnel. Below roundedSE is none: it would outweigh all others.
func comparable(e stats.Estimate) bool { return e.Known && e.SE > roundedSE }

// roundedSE is a standard error that rounding alone leaves of none.
const roundedSE = 1e-6
