package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"groundwork/warehouse/stats"
)

// asked gathers our answers and the tables that R gets.
type asked struct {
	rng     *rand.Rand
	figures map[string]float64
	tables  map[string][][]string
}

// questions invents the data and answers from package stats.
func questions(seed uint64) (figures map[string]float64, tables map[string][][]string, err error) {
	a := &asked{rng: rand.New(rand.NewPCG(seed, 0)), figures: map[string]float64{}, tables: map[string][][]string{}}
	for _, f := range []func() error{a.lives, a.proportions, a.rates, a.falseDiscoveries, a.grid, a.weeks, a.panel} {
		if err := f(); err != nil {
			return nil, nil, err
		}
	}
	return a.figures, a.tables, nil
}

func (a *asked) table(name string, columns ...string) { a.tables[name] = [][]string{columns} }

func (a *asked) row(name string, values ...float64) {
	row := make([]string, len(values))
	for i, v := range values {
		row[i] = strconv.FormatFloat(v, 'g', -1, 64)
	}
	a.tables[name] = append(a.tables[name], row)
}

// lives are 400 issues with whole days, so that there are ties, and one in three comes under observation late.
func (a *asked) lives() error {
	a.table("lives", "entry", "time", "cause")
	var plain, late []stats.LifeRow
	for range 400 {
		entry, time, cause := 0.0, 1+math.Floor(a.rng.ExpFloat64()*60), a.rng.IntN(5)
		if a.rng.IntN(3) == 0 {
			entry = math.Floor(a.rng.Float64() * 25)
			time += entry
		}
		a.row("lives", entry, time, float64(cause))
		exit := stats.LifeRow{Time: time}
		exit.Events[cause] = 1
		plain = append(plain, exit)
		late = append(late, exit, stats.LifeRow{Time: entry, Entered: 1})
	}
	curve, err := stats.Fit(plain)
	if err != nil {
		return err
	}
	delayed, err := stats.Fit(late)
	if err != nil {
		return err
	}
	for _, t := range []float64{30, 60, 90} {
		for name, c := range map[string]*stats.Curve{"km": curve, "entry": delayed} {
			e := c.Survival(t)
			a.figures[fmt.Sprintf("%s S(%g)", name, t)] = e.Value
			a.figures[fmt.Sprintf("%s S(%g) low", name, t)], a.figures[fmt.Sprintf("%s S(%g) high", name, t)] = e.Interval.Lo, e.Interval.Hi
		}
		for cause := stats.Confirmed; cause <= stats.Withdrawn; cause++ {
			e, err := curve.CIF(cause, t)
			if err != nil {
				return err
			}
			a.figures[fmt.Sprintf("CIF%d(%g)", cause, t)] = e.Value
		}
	}
	q, err := curve.Quantile(0.5)
	if err != nil {
		return err
	}
	a.figures["km median"], a.figures["km median low"], a.figures["km median high"] = q.Value.Days, q.Lo.Days, q.Hi.Days
	mean, err := curve.RMST(90)
	a.figures["km RMST(90)"], a.figures["km RMST(90) se"] = mean.Value, mean.SE
	return err
}

func (a *asked) proportions() error {
	a.table("proportions", "x", "n")
	for _, p := range [][2]float64{{0, 12}, {1, 30}, {12, 86}, {97, 100}, {50, 50}, {7, 1000}} {
		a.row("proportions", p[0], p[1])
		w, err := stats.Wilson(p[0], p[1])
		if err != nil {
			return err
		}
		c, err := stats.ClopperPearson(p[0], p[1])
		if err != nil {
			return err
		}
		g, err := stats.Garwood(p[0])
		if err != nil {
			return err
		}
		a.interval(fmt.Sprintf("Wilson %g of %g", p[0], p[1]), w.Interval)
		a.interval(fmt.Sprintf("Clopper-Pearson %g of %g", p[0], p[1]), c.Interval)
		a.interval(fmt.Sprintf("Garwood %g", p[0]), g.Interval)
	}
	return nil
}

func (a *asked) interval(name string, i stats.Interval) {
	a.figures[name+" 1"], a.figures[name+" 2"] = i.Lo, i.Hi
}

func (a *asked) falseDiscoveries() error {
	a.table("p", "p")
	var p []float64
	for range 40 {
		p = append(p, math.Pow(a.rng.Float64(), 3))
		a.row("p", p[len(p)-1])
	}
	q, err := stats.BenjaminiHochberg(p)
	for i, v := range q {
		a.figures[fmt.Sprintf("BH %d", i+1)] = v
	}
	return err
}

func (a *asked) rates() error {
	a.table("areas", "issues", "exposure")
	var areas []stats.Area
	for i := range 50 {
		exposure := math.Floor(200 + 20_000*a.rng.Float64())
		issues := math.Floor(exposure * 0.01 * a.rng.ExpFloat64())
		a.row("areas", issues, exposure)
		areas = append(areas, stats.Area{Code: strconv.Itoa(i), Issues: issues, PersonYears: exposure})
	}
	s, err := stats.Shrink(areas)
	for i, r := range s.Areas {
		a.figures[fmt.Sprintf("EB %d", i+1)] = r.Value
	}
	return err
}

func (a *asked) grid() error {
	const rows, columns = 7, 9
	a.table("grid", "x")
	a.table("near", "area", "neighbour")
	var x []float64
	var neighbours [][]int
	for r := range rows {
		for c := range columns {
			x = append(x, a.rng.NormFloat64()+float64(r*c)/20)
			a.row("grid", x[len(x)-1])
			var near []int
			for dr := max(r-1, 0); dr <= min(r+1, rows-1); dr++ {
				for dc := max(c-1, 0); dc <= min(c+1, columns-1); dc++ {
					if dr != r || dc != c {
						near = append(near, dr*columns+dc)
						a.row("near", float64(len(x)), float64(dr*columns+dc+1))
					}
				}
			}
			neighbours = append(neighbours, near)
		}
	}
	z, err := stats.GiZ(x, neighbours)
	for i, v := range z {
		a.figures[fmt.Sprintf("Gi* %d", i+1)] = v
	}
	return err
}

func (a *asked) weeks() error {
	a.table("weeks", "series", "count")
	for series := 1; series <= 5; series++ {
		var weeks []float64
		for w := range 5*52 + 10 {
			mean := 20 * math.Exp(0.3*math.Sin(2*math.Pi*float64(w)/52)+0.001*float64(w)) * (0.6 + 0.8*a.rng.Float64())
			weeks = append(weeks, a.poisson(mean))
			a.row("weeks", float64(series), weeks[w])
		}
		o, err := stats.Farrington(weeks)
		if err != nil {
			return err
		}
		a.figures[fmt.Sprintf("Farrington %d limit", series)], a.figures[fmt.Sprintf("Farrington %d expected", series)] = o.Upper, o.Expected
	}
	return nil
}

func (a *asked) poisson(mean float64) float64 {
	n, sum := 0.0, a.rng.ExpFloat64()
	for ; sum < mean; n++ {
		sum += a.rng.ExpFloat64()
	}
	return n
}

func (a *asked) panel() error {
	const regions, periods = 24, 8
	a.table("panel", "region", "treated", "t", "y")
	var panels []stats.Panel
	for r := range regions {
		p := stats.Panel{Code: strconv.Itoa(r), Treated: []int{-1, 3, 5}[r%3]}
		for t := range periods {
			p.Outcome = append(p.Outcome, a.rng.NormFloat64()+float64(r)/10+float64(t)/5)
			a.row("panel", float64(r+1), float64(p.Treated), float64(t), p.Outcome[t])
		}
		panels = append(panels, p)
	}
	e, err := stats.DiD(panels, stats.DiDOptions{})
	if err != nil {
		return err
	}
	for _, g := range e.GroupTimes {
		a.figures[fmt.Sprintf("ATT(%d,%d)", g.Group, g.Time)] = g.Estimate
	}
	return nil
}
