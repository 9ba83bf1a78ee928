package app

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"time"

	"groundwork"
	"groundwork/internal/simulate"
	"groundwork/postgres"
)

// DemoIssues is how many issues the demo has, unless another number is given.
const DemoIssues = 20_000

// demoSeed is the seed of the demo's province.
const demoSeed = 1

// loadDemo loads the simulated province into an empty system of record, or finishes a load that was interrupted.
func loadDemo(ctx context.Context, cfg Config, store *postgres.DB, out io.Writer) error {
	simulation := simulate.DefaultConfig(cfg.Demo, demoSeed, time.Now())
	begun, err := store.UnfinishedBulk(ctx)
	if err != nil {
		return err
	}
	if begun != nil {
		if simulation, err = configOf(begun); err != nil {
			return err
		}
	} else if count, err := store.CountIssues(ctx, groundwork.IssueFilter{}, 1); err != nil || count.Value > 0 {
		return err
	}
	truth := filepath.Join(cfg.DataDir, "truth.json")
	job := SimulateJob{Config: cfg, Simulation: simulation, Truth: truth, Quiet: true, Out: io.Discard, ErrOut: io.Discard}
	s, err := job.prepare()
	if err != nil {
		return err
	}
	if err := job.load(ctx, store, s); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	fmt.Fprintf(out, "The system of record was empty: a simulated province with %d issues is in it now; what is planted stands in %s.\n", simulation.Issues, truth)
	return nil
}

// configOf reads the options of a simulation off the parameters of its load.
func configOf(parameters map[string]string) (cfg simulate.Config, err error) {
	if cfg.Issues, err = strconv.ParseInt(parameters["issues"], 10, 64); err != nil {
		return cfg, fmt.Errorf("the unfinished load is no simulation: %w", err)
	}
	if cfg.Seed, err = strconv.ParseUint(parameters["seed"], 10, 64); err != nil {
		return cfg, fmt.Errorf("the unfinished load is no simulation: %w", err)
	}
	if cfg.From, err = simulate.ParseDay(parameters["from"]); err != nil {
		return cfg, fmt.Errorf("the unfinished load is no simulation: %w", err)
	}
	cfg.To, err = simulate.ParseDay(parameters["to"])
	return cfg, err
}

// loadFirst gives an empty system something to show: the demo, if it was asked for, else the bundled sample.
func loadFirst(ctx context.Context, cfg Config, store *postgres.DB, out io.Writer) error {
	if cfg.Demo > 0 {
		return loadDemo(ctx, cfg, store, out)
	}
	begun, err := store.UnfinishedBulk(ctx)
	if err != nil {
		return err
	}
	if begun != nil {
		cfg.Logger.Warn("a load of a simulated province is unfinished and its indexes are missing; repeat its command to finish it", "parameters", begun)
		return nil
	}
	if cfg.NoSample {
		return nil
	}
	return loadSample(ctx, cfg, store, out)
}
