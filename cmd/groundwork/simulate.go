package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/alecthomas/kong"

	"groundwork/internal/app"
	"groundwork/internal/simulate"
)

type simulateCommand struct {
	Issues  int64  `help:"How many issues." default:"20000" placeholder:"N"`
	Seed    uint64 `help:"The same seed, number and days give the same province." default:"1" placeholder:"S"`
	From    string `help:"First day; default is three years before --to." placeholder:"DAY"`
	To      string `help:"The day after the last, the present of the province; default is today." placeholder:"DAY"`
	Out     string `help:"File that the truth is written to." default:"truth.json" type:"path" placeholder:"FILE"`
	DryRun  bool   `help:"Generate everything, load nothing, write no truth."`
	Append  bool   `help:"Add to what is in the system of record, row by row under all its rules: slower."`
	Workers int    `help:"How many parts are made and loaded at once; default is the number of processors." placeholder:"N"`
	Quiet   bool   `short:"q" help:"No progress bar."`
}

func (simulateCommand) Help() string {
	return `Loads an invented province whose truth is known: hot spots, silent regions, copied notes, bunched visits, careless units and
the effects of policies are planted and written to --out, so that measures can be judged by whether they find them. Every step of
every issue is one that the rules allow. Interrupted, the same command goes on where it stopped. docs/simulator.md tells more.

Examples:
  groundwork simulate
  groundwork simulate --issues 1000000 --seed 7 --out truth.json
  groundwork simulate --issues 100000 --from 2023-01-01 --to 2026-01-01 --dry-run`
}

func (s simulateCommand) Run(ctx context.Context, c *Common) error {
	cfg, err := s.config()
	if err != nil {
		return err
	}
	job := app.SimulateJob{Config: c.config(), Simulation: cfg, Truth: s.Out, Append: s.Append, DryRun: s.DryRun, Workers: s.Workers,
		Quiet: s.Quiet, Out: os.Stdout, ErrOut: os.Stderr}
	return job.Run(ctx)
}

func (s simulateCommand) config() (simulate.Config, error) {
	cfg := simulate.DefaultConfig(s.Issues, s.Seed, time.Now())
	for _, day := range []struct {
		flag, text string
		into       *time.Time
	}{{"--to", s.To, &cfg.To}, {"--from", s.From, &cfg.From}} {
		if day.text == "" {
			continue
		}
		t, err := simulate.ParseDay(day.text)
		if err != nil {
			return cfg, fmt.Errorf("%s %q is no day: write 2026-01-31", day.flag, day.text)
		}
		*day.into = t
		if day.flag == "--to" {
			cfg.From = t.AddDate(-3, 0, 0)
		}
	}
	return cfg, nil
}

// demoSize is an option whose value may be left out: --demo, --demo=50000.
type demoSize int64

// IsBool tells kong that the option needs no value.
func (demoSize) IsBool() bool { return true }

// Decode implements kong.MapperValue.
func (d *demoSize) Decode(ctx *kong.DecodeContext) error {
	*d = app.DemoIssues
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		return nil
	}
	switch text := fmt.Sprint(ctx.Scan.Pop().Value); text {
	case "true", "yes", "1":
	case "false", "no", "0", "":
		*d = 0
	default:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number of issues: write --demo or --demo=50000", text)
		}
		*d = demoSize(n)
	}
	return nil
}
