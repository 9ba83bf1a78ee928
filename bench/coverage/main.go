// Command coverage says how often the measures are right where the truth is known: how often intervals hold the effect of a policy or a campaign, how much of what the
// simulator plants the measures of places find, and how much of the planted formalism the detectors flag. Policies, campaigns and places need no database: issues are counted as the warehouse
// counts them. For the flags it starts engines of its own and runs all that `groundwork flags` runs.
//
//	make build && go run ./bench/coverage
//	go run ./bench/coverage -only flags -seeds 2
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"strings"

	"groundwork/warehouse/stats"
)

func main() {
	worlds := flag.Int("worlds", 1000, "simulated policies, and campaigns, for the coverage of intervals")
	seeds := flag.Int("seeds", 5, "simulated provinces for what is found")
	issues := flag.Int64("issues", 60_000, "issues of a province")
	only := flag.String("only", "policies,campaigns,places,flags", "comma-separated parts")
	binary := flag.String("binary", "bin/groundwork", "the program (make build), for the flags")
	flag.Parse()
	parts := map[string]func() error{
		"policies":  func() error { return reportPolicies(*worlds) },
		"campaigns": func() error { return reportCampaigns(*worlds) },
		"places":    func() error { return reportPlaces(*seeds, *issues) },
		"flags":     func() error { return reportFlags(context.Background(), *binary, *seeds, *issues) },
	}
	for _, name := range strings.Split(*only, ",") {
		part, known := parts[name]
		if !known {
			log.Fatalf("-only %q: there is no such part; choose from policies, campaigns, places, flags", name)
		}
		if err := part(); err != nil {
			log.Fatal(err)
		}
	}
}

func reportPolicies(worlds int) error {
	fmt.Printf("%d policies of each kind\n\n| regions under it | never | effect | held by 95 %% interval | whole path held by the band | found (0 outside) |\n|---:|---:|---:|---:|---:|---:|\n", worlds)
	for _, c := range []trial{{8, 8, 0}, {8, 8, -2}, {15, 27, 0}, {15, 27, -2}, {40, 60, -1}} {
		if err := c.report(worlds); err != nil {
			return err
		}
	}
	return nil
}

// trial is a kind of policy: in how many regions, and by how much it lowers a monthly rate of about 20.
type trial struct {
	treated, never int
	effect         float64
}

const months = 30

// panels draws regions of different size and level, with a common trend, months alike within a region, and a policy that comes in two waves
// and grows with time where it has an effect.
func (c trial) panels(seed uint64) (panels []stats.Panel, truth map[int]float64, overall float64) {
	rng := rand.New(rand.NewPCG(seed, 11))
	truth = map[int]float64{}
	var weight, sum float64
	for i := range c.treated + c.never {
		p := stats.Panel{Code: fmt.Sprint(i), Treated: -1, Weight: math.Exp(rng.NormFloat64() * 0.4)}
		if i < c.treated {
			p.Treated = 12 + 6*(i%2)
		}
		level, carried := 20+4*rng.NormFloat64(), 0.0
		for month := range months {
			carried = 0.5*carried + 1.5*rng.NormFloat64()
			y := level + 0.1*float64(month) + 2*math.Sin(float64(month)/2) + carried
			if p.Treated >= 0 && month >= p.Treated {
				effect := c.effect * (1 + 0.05*float64(month-p.Treated))
				y += effect
				truth[month-p.Treated] = effect
				weight, sum = weight+p.Weight, sum+p.Weight*effect
			}
			p.Outcome = append(p.Outcome, y)
		}
		panels = append(panels, p)
	}
	return panels, truth, sum / weight
}

func (c trial) report(worlds int) error {
	held, path, found := 0, 0, 0
	for seed := range worlds {
		panels, truth, overall := c.panels(uint64(seed))
		e, err := stats.DiD(panels, stats.DiDOptions{})
		if err != nil {
			return err
		}
		if in := e.Overall.Interval; in.Lo <= overall && overall <= in.Hi {
			held++
		}
		if e.Overall.Interval.Lo > 0 || e.Overall.Interval.Hi < 0 {
			found++
		}
		whole := true
		for _, v := range e.Events {
			want := truth[v.Relative] // 0 before
			whole = whole && v.BandLo <= want && want <= v.BandHi
		}
		if whole {
			path++
		}
	}
	share := func(n int) float64 { return 100 * float64(n) / float64(worlds) }
	fmt.Printf("| %d | %d | %g | %.1f %% | %.1f %% | %.1f %% |\n", c.treated, c.never, c.effect, share(held), share(path), share(found))
	return nil
}
