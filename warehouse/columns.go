package warehouse

import (
	"math"

	"groundwork/warehouse/stats"
)

// columns gathers the numbers of a table, one call of each name a row.
type columns struct {
	table *Table
	index map[string]int
}

func newColumns(t *Table, specs []Num) *columns {
	c := &columns{table: t, index: map[string]int{}}
	for i, spec := range specs {
		c.index[spec.Name] = i
		n := Num{Name: spec.Name, Unit: spec.Unit, Value: []*float64{}, Of: spec.Of}
		if spec.Lo != nil {
			n.Lo, n.Hi = []*float64{}, []*float64{}
		}
		t.Nums = append(t.Nums, n)
	}
	return c
}

// plain specifies a number without an interval, ranged one with.
func plain(name, unit string) Num { return Num{Name: name, Unit: unit} }
func ranged(name, unit string) Num {
	return Num{Name: name, Unit: unit, Lo: []*float64{}, Hi: []*float64{}}
}

func (c *columns) put(name string, value, lo, hi *float64) {
	n := &c.table.Nums[c.index[name]]
	n.Value = append(n.Value, value)
	if n.Lo != nil {
		n.Lo, n.Hi = append(n.Lo, lo), append(n.Hi, hi)
	}
}

func (c *columns) missing(names ...string) {
	for _, name := range names {
		c.put(name, nil, nil, nil)
	}
}

func (c *columns) number(name string, v float64) { c.put(name, finite(v), nil, nil) }

// estimate puts an estimate and its interval times scale. What is unknown is nil, and so is an end that lies at infinity.
func (c *columns) estimate(name string, e stats.Estimate, scale float64) {
	if !e.Known {
		c.missing(name)
		return
	}
	if !e.Interval.OK {
		c.put(name, finite(e.Value*scale), nil, nil)
		return
	}
	c.put(name, finite(e.Value*scale), finite(e.Interval.Lo*scale), finite(e.Interval.Hi*scale))
}

func (c *columns) quantile(name string, q stats.Quantile) {
	c.put(name, moment(q.Value), moment(q.Lo), moment(q.Hi))
}

func moment(m stats.Moment) *float64 {
	if !m.Reached {
		return nil
	}
	return &m.Days
}

func finite(v float64) *float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return nil
	}
	return &v
}

// flag appends a row's flags; those not named are false.
func (t *Table) flag(set map[string]bool) {
	for name := range t.Flags {
		t.Flags[name] = append(t.Flags[name], set[name])
	}
}
