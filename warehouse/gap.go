package warehouse

import (
	"context"
	"slices"

	"groundwork/warehouse/stats"
)

// Kinds of places that issues are told apart by.
const (
	ByUrbanRural Dimension = "URBAN_RURAL" // of the region
	BySiteKind   Dimension = "SITE_KIND"   // of the site
)

// gapDays is during how many days the time open is counted.
const gapDays = 90

// comparedWith is the kind that others are compared with; "" = all issues together.
var comparedWith = map[Dimension]string{ByUrbanRural: "URBAN"}

// TimeGap is E1(b). Numbers: rmst90Days (mean time open during the first 90 days, with the mix of categories of all), gapDays (to urban places; of kinds of
// sites to all issues), crudeDays (as it is), covered (share of the standard mix that the kind has). n = issues.
func (m *Measures) TimeGap(ctx context.Context, q Question) (*Table, error) {
	if len(q.By) != 1 {
		return nil, invalid("By", "E1B compares kinds of one sort; give URBAN_RURAL or SITE_KIND")
	}
	kind := q.By[0]
	q.Query = q.byOrigin()
	q.By = []Dimension{kind, ByCategory}
	s, err := m.scope(ctx, q.Query)
	if err != nil {
		return nil, err
	}
	t := s.table(definition("E1B"))
	found, err := m.lifeTables(ctx, s, t, confirmedWithin(gapDays), m.grids)
	if err != nil {
		return nil, err
	}
	s.By = q.By[:1]
	c := newColumns(t, []Num{ranged("rmst90Days", "d"), ranged("gapDays", "d"), plain("crudeDays", "d"), plain("covered", "ratio")})
	mix := mixOf(found)
	kinds, err := arrange(ctx, m, s, mix.regions, t)
	if err != nil {
		return nil, err
	}
	if !mix.ended {
		for _, of := range kinds {
			c.missing("rmst90Days", "gapDays", "crudeDays", "covered")
			c.end(of.n, nil)
		}
		t.Notes = append(t.Notes, "not computable: no issue here has ended, so there is no time that it took; a claim is not an end")
		return t, nil
	}
	return t, c.timeGaps(t, mix, kinds, comparedWith[kind])
}

func (c *columns) timeGaps(t *Table, mix caseMix, kinds []*regionMix, reference string) error {
	open := make([]stats.Estimate, len(kinds))
	covered := make([]float64, len(kinds))
	to, err := shareOpen(mix.pooled.rows)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(t.Dims[0].Keys, func(k Key) bool { return reference != "" && k.ID == reference })
	for i, of := range kinds {
		if open[i], covered[i], err = mix.standardisedBy(of, shareOpen); err != nil {
			return err
		}
	}
	switch {
	case reference != "" && at < 0:
		to = stats.Estimate{}
		t.Notes = append(t.Notes, "gapDays is not computable: no issue here lies in a region that is known to be "+reference)
	case reference != "":
		to = open[at]
	default: // all issues hold the kind itself: the gap has no variance of its own
		to.SE = 0
	}
	for i, of := range kinds {
		open[i].Interval.OK = open[i].Interval.OK && comparable(open[i])
		c.estimate("rmst90Days", open[i], gapDays)
		if i == at || t.Dims[0].Keys[i].ID == "" {
			c.missing("gapDays")
		} else {
			c.estimate("gapDays", stats.Difference(open[i], to), gapDays)
		}
		crude, err := shareOpen(of.all.rows)
		if err != nil {
			return err
		}
		crude.Interval.OK = false
		c.estimate("crudeDays", crude, gapDays)
		c.number("covered", covered[i])
		c.end(of.n, nil)
	}
	return nil
}

// shareOpen is the part of the first 90 days that issues are open on average: the restricted mean as a share.
func shareOpen(rows []stats.LifeRow) (stats.Estimate, error) {
	curve, err := stats.Fit(rows)
	if err != nil {
		return stats.Estimate{}, err
	}
	e, err := curve.RMST(gapDays)
	e.Value, e.SE = e.Value/gapDays, e.SE/gapDays
	e.Interval.Lo, e.Interval.Hi = e.Interval.Lo/gapDays, e.Interval.Hi/gapDays
	return e, err
}
