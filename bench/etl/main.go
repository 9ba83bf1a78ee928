// Command etl measures the replication against what the machine can do, everything in one run: draining COPY, ClickHouse's own
// postgresql(), pg_recvlogical on the same backlog, and pgbench alone. It starts engines and data of its own, fills them with a simulated
// province, and prints ratios with what has to be reached. Rounds are interleaved and the median counts.
//
//	make build && go run ./bench/etl -issues 200000
//	go run ./bench/etl -issues 1000000 -only load,drain -json
//
// It needs pgbench and pg_recvlogical (Debian: postgresql-client and postgresql-contrib, any version from 15 on).
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	var b bench
	var only string
	flag.StringVar(&b.binary, "binary", "bin/groundwork", "the program (make build)")
	flag.StringVar(&b.tools, "pg-tools", "", "directory of pgbench and pg_recvlogical; default is the search path")
	flag.IntVar(&b.issues, "issues", 200_000, "issues of the simulated province")
	flag.IntVar(&b.transactions, "transactions", 10_000, "transactions of the backlog, of 100 changes each")
	flag.IntVar(&b.bigRows, "big-rows", 1_000_000, "rows of the one big transaction")
	flag.IntVar(&b.rounds, "rounds", 3, "rounds, of which the median counts")
	flag.DurationVar(&b.live, "live", 30*time.Second, "how long each load of pgbench lasts")
	flag.DurationVar(&b.outage, "outage", time.Minute, "how long the warehouse is away")
	flag.DurationVar(&b.settle, "settle", 2*time.Minute, "how long merges are given before FINAL is timed at rest")
	flag.StringVar(&only, "only", "", "comma-separated parts: "+strings.Join(partNames(), ", ")+"; default is all")
	flag.BoolVar(&b.json, "json", false, "print the figures as JSON")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := b.run(ctx, only); err != nil {
		fmt.Fprintln(os.Stderr, "bench/etl:", err)
		os.Exit(1)
	}
}

type bench struct {
	binary, tools                 string
	issues, transactions, bigRows int
	rounds                        int
	live, outage, settle          time.Duration
	json                          bool
}

// part is a group of figures that are measured together.
type part struct {
	name string
	run  func(*rig, context.Context) ([]figure, error)
}

// parts run in this order: the load first, since it is what puts the province into the warehouse.
var parts = []part{
	{"load", (*rig).load}, {"drain", (*rig).drain}, {"live", (*rig).underLoad}, {"outage", (*rig).sinkOutage},
	{"kill", (*rig).kill}, {"takeover", (*rig).takeover}, {"transaction", (*rig).bigTransaction}, {"warehouse", (*rig).warehouse},
}

func partNames() []string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

func (b bench) run(ctx context.Context, only string) error {
	chosen := partNames()
	if only != "" {
		chosen = strings.Split(only, ",")
	}
	for _, c := range chosen {
		if !slices.Contains(partNames(), c) {
			return fmt.Errorf("-only %q: there is no such part; choose from %s", c, strings.Join(partNames(), ", "))
		}
	}
	r, err := newRig(ctx, b)
	if err != nil {
		return err
	}
	defer r.close()
	var all []figure
	for _, p := range parts {
		if !slices.Contains(chosen, p.name) {
			if p.name == "load" { // the others need the province in the warehouse
				if _, err := r.fill(ctx); err != nil {
					return err
				}
			}
			continue
		}
		r.say("%s", p.name)
		figures, err := p.run(r, ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		all = append(all, figures...)
	}
	return b.print(all)
}

// figure is one goal and what was measured.
type figure struct {
	Goal   string    `json:"goal"`
	Value  float64   `json:"value"`
	Unit   string    `json:"unit,omitempty"` // a ratio has none
	Must   float64   `json:"must"`
	Good   float64   `json:"good"`
	Best   float64   `json:"best"`
	AtMost bool      `json:"at_most"` // the goals are bounds from above
	Rounds []float64 `json:"rounds"`
	Note   string    `json:"note,omitempty"` // the seconds and rates behind it
}

// atMost and atLeast make a figure of the rounds, whose median counts.
func atMost(goal string, must, good, best float64, rounds ...float64) figure {
	return figure{Goal: goal, Must: must, Good: good, Best: best, AtMost: true, Rounds: rounds, Value: median(rounds)}
}

func atLeast(goal string, must, good, best float64, rounds ...float64) figure {
	f := atMost(goal, must, good, best, rounds...)
	f.AtMost = false
	return f
}

func (f figure) in(unit string) figure { f.Unit = unit; return f }

func (f figure) because(format string, args ...any) figure {
	f.Note = fmt.Sprintf(format, args...)
	return f
}

// reached names the highest goal that the value reaches.
func (f figure) reached() string {
	within := func(goal float64) bool { return f.AtMost && f.Value <= goal || !f.AtMost && f.Value >= goal }
	switch {
	case within(f.Best):
		return "best"
	case within(f.Good):
		return "good"
	case within(f.Must):
		return "must"
	}
	return "NOT REACHED"
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

func (b bench) print(all []figure) error {
	if b.json {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"issues": b.issues, "load_average": loadAverage(), "figures": all})
	}
	fmt.Printf("%d issues, medians of %d rounds; load average %s\n\n", b.issues, b.rounds, loadAverage())
	fmt.Print("| goal | measured | must | good | best in class | reached | behind it |\n|---|---:|---:|---:|---:|---|---|\n")
	for _, f := range all {
		sign := "≥"
		if f.AtMost {
			sign = "≤"
		}
		fmt.Printf("| %s | %.2f %s | %s %g | %s %g | %s %g | %s | %s |\n", f.Goal, f.Value, f.Unit, sign, f.Must, sign, f.Good, sign, f.Best, f.reached(), f.Note)
	}
	return nil
}

func loadAverage() string {
	said, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(said))[:3], " ")
}
