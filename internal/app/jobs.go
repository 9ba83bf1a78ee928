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
	store, err := cfg.openForJobs(ctx)
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

// openForJobs opens the system of record for the chores.
func (c Config) openForJobs(ctx context.Context) (*postgres.DB, error) {
	key, err := c.auditKey()
	if err != nil {
		return nil, err
	}
	if key == nil {
		c.Logger.Warn("the audit is written but not sealed: name the file of a key by --security-key (GROUNDWORK_SECURITY_KEY)")
	}
	o := postgres.Options{AuditKey: key}
	if c.Retention {
		if o.Evidence, err = c.openFiles(ctx); err != nil {
			return nil, err
		}
	}
	return c.openAs(ctx, postgres.RoleJobs, o)
}

func newRunner(ctx context.Context, cfg Config, store *postgres.DB) (*jobs.Runner, error) {
	dsn, err := cfg.postgresAs(postgres.RoleJobs)
	if err != nil {
		return nil, err
	}
	chores := store.Chores()
	if cfg.Retention {
		chores = append(chores, store.RetentionChore())
	}
	return jobs.New(ctx, jobs.Config{Postgres: dsn, Chores: chores, Logger: cfg.Logger})
}
