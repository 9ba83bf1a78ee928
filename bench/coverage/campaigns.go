package main

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"groundwork/warehouse/stats"
)

// effort is a kind of campaign: in the third of the regions whose shrunk rate was the highest over the year before, a region having so many issues a year; by how much the
// rates of regions differ of themselves (standard deviation of the logarithm), and by which factor the campaign changes them.
type effort struct {
	regions           int
	issues            float64
	differ, factor    float64
	lasting, lookedAt int // months of the campaign with its review, which count neither as before nor as after, and months after it
}

// reportCampaigns compares what P2 says of campaigns with what they did, with the plain difference of after and before, and with what P1 would say of them.
func reportCampaigns(worlds int) error {
	fmt.Printf("%d campaigns of each kind, effects as a share of the rate before\n\n| regions | issues a year each | differ | effect | after less before | expected to fall by itself | as P1 | held | P2 | held by 95 %% interval | found (0 outside) |\n|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n", worlds)
	for _, e := range []effort{
		{24, 24, 0.1, 1, 6, 12}, {24, 24, 0.3, 1, 6, 12}, {24, 24, 0.3, 0.7, 6, 12}, {42, 120, 0.3, 1, 6, 12}, {42, 120, 0.3, 0.7, 6, 12}, {100, 60, 0.3, 0.7, 6, 12}, {42, 120, 0.3, 0.7, 6, 3},
	} {
		if err := e.report(worlds); err != nil {
			return err
		}
	}
	return nil
}

// outcome is what one campaign looks like afterwards; all but the estimates as shares of the rate of its regions before.
type outcome struct {
	plain, expected, truth float64
	before                 float64
	asP1, p2               stats.Estimate
}

// judged adds up what an estimator said.
type judged struct{ mean, held, found float64 }

func (j *judged) add(e stats.Estimate, o outcome) {
	j.mean += e.Value / o.before
	if want := o.truth * o.before; e.Interval.Lo <= want && want <= e.Interval.Hi {
		j.held++
	}
	if e.Interval.Lo > 0 || e.Interval.Hi < 0 {
		j.found++
	}
}

func (e effort) report(worlds int) error {
	var plain, expected, truth, known float64
	var asP1, p2 judged
	for seed := range worlds {
		o, err := e.campaign(uint64(seed))
		if err != nil {
			return err
		}
		if !o.asP1.Known || !o.p2.Known {
			continue
		}
		plain, expected, truth, known = plain+o.plain, expected+o.expected, truth+o.truth, known+1
		asP1.add(o.asP1, o)
		p2.add(o.p2, o)
	}
	share := func(x float64) string { return fmt.Sprintf("%.1f %%", 100*x/known) }
	fmt.Printf("| %d | %g | %g | %s | %s | %s | %s | %s | %s | %s | %s |\n", e.regions, e.issues, e.differ, share(truth), share(plain), share(expected),
		share(asP1.mean), share(asP1.held), share(p2.mean), share(p2.held), share(p2.found))
	return nil
}

// campaign draws regions with rates of their own, under seasons, growth and chance; chooses, and compares.
func (e effort) campaign(seed uint64) (outcome, error) {
	rng := rand.New(rand.NewPCG(seed, 13))
	const year = 12
	people, rate := make([]float64, e.regions), make([]float64, e.regions)
	counts := make([][]float64, e.regions)
	areas := make([]stats.Area, e.regions)
	for i := range e.regions {
		people[i], rate[i] = math.Exp(0.4*rng.NormFloat64()), e.issues/year*math.Exp(e.differ*rng.NormFloat64()-e.differ*e.differ/2)
		areas[i] = stats.Area{Code: fmt.Sprintf("%03d", i), PersonYears: people[i]}
		for m := range year {
			counts[i] = append(counts[i], drawn(rng, people[i]*rate[i]*season(m)))
			areas[i].Issues += counts[i][m]
		}
	}
	shrunk, err := stats.Shrink(areas)
	if err != nil {
		return outcome{}, err
	}
	order := make([]int, e.regions)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(shrunk.Areas[b].Value, shrunk.Areas[a].Value), cmp.Compare(shrunk.Areas[b].Raw, shrunk.Areas[a].Raw))
	})
	treated, rates, chosen := map[string]bool{}, map[string]float64{}, []string{}
	for _, i := range order[:e.regions/3] {
		treated[areas[i].Code], chosen = true, append(chosen, areas[i].Code)
	}
	for _, a := range shrunk.Areas {
		rates[a.Code] = a.Value
	}
	controls := stats.NearestRates(rates, chosen, treated, stats.MinClusters)
	var o outcome
	var weight, before, after float64
	var panels []stats.Panel
	var regions []stats.BeforeAfter
	for i := range e.regions {
		p := stats.Panel{Code: areas[i].Code, Treated: -1, Weight: people[i]}
		factor := 1.0
		if treated[p.Code] {
			p.Treated, factor = year, e.factor
		}
		for m := range e.lookedAt {
			expected := rate[i] * season(year+e.lasting+m)
			counts[i] = append(counts[i], drawn(rng, people[i]*factor*expected))
			if treated[p.Code] {
				o.truth += people[i] * expected * (factor - 1)
			}
		}
		for _, n := range counts[i] {
			p.Outcome = append(p.Outcome, n/people[i])
		}
		if treated[p.Code] {
			weight += people[i]
			before += areas[i].Issues / year
			o.expected += people[i] * (shrunk.Areas[i].Value - shrunk.Areas[i].Raw) / year
		}
		b := stats.BeforeAfter{Code: p.Code, Treated: treated[p.Code], Before: rates[p.Code] / year, Weight: people[i]}
		for _, n := range counts[i][year:] {
			b.After += n / people[i] / float64(e.lookedAt)
			if b.Treated {
				after += n
			}
		}
		if treated[p.Code] || slices.Contains(controls, p.Code) {
			panels, regions = append(panels, p), append(regions, b)
		}
	}
	months := float64(e.lookedAt)
	o.before = before / weight
	o.plain, o.expected, o.truth = (after/months-before)/before, o.expected/before, o.truth/months/before
	did, err := stats.DiD(panels, stats.DiDOptions{})
	if err != nil {
		return o, err
	}
	p2, err := stats.ExpectedEffect(regions)
	o.asP1, o.p2 = did.Overall, p2.Overall
	return o, err
}

// season is how much is raised in a month: more in summer, and 8 % more every year.
func season(month int) float64 {
	return (1 + 0.3*math.Cos(2*math.Pi*float64(month)/12)) * math.Pow(1.08, float64(month)/12)
}

func drawn(rng *rand.Rand, expected float64) float64 {
	return distuv.Poisson{Lambda: expected, Src: rng}.Rand()
}
