package app

import (
	"context"

	"groundwork/internal/jobs"
	"groundwork/postgres"
)

// Jobs runs the chores alone.
func Jobs(ctx context.Context, cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	store, err := cfg.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	runner, err := newRunner(ctx, cfg, store)
	if err != nil {
		return err
	}
	return ignoreStop(runner.Run(ctx))
}

func newRunner(ctx context.Context, cfg Config, store *postgres.DB) (*jobs.Runner, error) {
	dsn, err := cfg.postgresDSN()
	if err != nil {
		return nil, err
	}
	return jobs.New(ctx, jobs.Config{Postgres: dsn, Chores: store.Chores(), Logger: cfg.Logger})
}
