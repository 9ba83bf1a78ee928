package warehouse

import (
	"context"

	"groundwork/warehouse/stats"
)

// fewestOfAPerson is on how many cases a share of one post rests at least.
const fewestOfAPerson = 10

// shareOf is a share of a measure and how a cell gives it: so many of so many.
type shareOf struct {
	name string
	of   func(v []float64, n float64) stats.Counted
}

// of is a share of sums: sum x of sum n, or of all units where n is negative.
func of(name string, x, n int) shareOf {
	return shareOf{name, func(v []float64, units float64) stats.Counted {
		if n >= 0 {
			units = v[n]
		}
		return stats.Counted{X: v[x], N: units}
	}}
}

const ofUnits = -1

// crowd says, for each share, how it is distributed over all posts. Of posts no other share is published than one drawn towards it. A nil crowd is for places
// and units.
type crowd map[string]stats.SharePrior

// shrunkSince is the version of a measure from which on its shares of posts are drawn towards that of all.
var shrunkSince = map[string]int{"F1": 3, "F3": 2, "F4": 2, "F7": 2}

// crowd looks at all posts of the regions of the question and of its window, whichever of them are asked about. count makes what is tallied of a scope.
func (m *Measures) crowd(ctx context.Context, code string, s *scope, shares []shareOf, count func(*scope) (tally, error)) (crowd, error) {
	if s.version < shrunkSince[code] || !s.ofPosts() {
		return nil, nil
	}
	all := *s
	all.By, all.Where.Posts, all.Where.Units, all.units = []Dimension{ByPost}, nil, nil, nil
	how, err := count(&all)
	if err != nil {
		return nil, err
	}
	found, err := m.tally(ctx, &all, how)
	if err != nil {
		return nil, err
	}
	among := crowd{}
	for _, share := range shares {
		var each []stats.Counted
		for _, cell := range inOrder(found) {
			each = append(each, share.of(cell.sums, float64(cell.n)))
		}
		if among[share.name], err = stats.SharesOf(each); err != nil {
			return nil, err
		}
	}
	return among, nil
}

// sharesOf puts the shares of a cell, of posts those drawn towards the share of all.
func (c *columns) sharesOf(shares []shareOf, v []float64, n float64, among crowd) error {
	for _, share := range shares {
		counted := share.of(v, n)
		if among == nil {
			if err := c.share(share.name, counted.X, counted.N); err != nil {
				return err
			}
			continue
		}
		c.person(share.name, counted, among)
	}
	return nil
}

// person puts a share of one post.
func (c *columns) person(name string, counted stats.Counted, among crowd) {
	if num := &c.table.Nums[c.index[name]]; num.Of != nil {
		num.Of = append(num.Of, int64(counted.N))
	}
	if counted.N < fewestOfAPerson {
		c.missing(name)
		return
	}
	c.estimate(name, among[name].Shrink(counted), 1)
}

// notePeople says what is not said of posts.
func (t *Table) notePeople(among crowd) {
	if among != nil && len(t.N) > 0 {
		t.Notes = append(t.Notes, "shares of posts are drawn towards that of all posts (empirical Bayes), and null below 10 cases")
	}
}
