package postgres

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// JobsSchema is the schema of the queue of chores.
const JobsSchema = "jobs"

// queueLock is the key of the advisory lock under which the queue's tables are migrated.
const queueLock = 0x71756575

// migrateQueue brings the tables of the queue up to date and says how many migrations that took. Others wait for it.
func migrateQueue(ctx context.Context, dsn string) (applied int, err error) {
	err = withQueue(ctx, dsn, func(pool *pgxpool.Pool, m *rivermigrate.Migrator[pgx.Tx]) error {
		lock, err := pool.Acquire(ctx)
		if err != nil {
			return unreachable(err)
		}
		defer lock.Release()
		if _, err := lock.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(queueLock)); err != nil {
			return fmt.Errorf("lock for the queue's migrations: %w", err)
		}
		defer func() {
			_, _ = lock.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(queueLock))
		}()
		done, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil)
		if err != nil {
			return fmt.Errorf("migrate the queue of chores: %w", err)
		}
		applied = len(done.Versions)
		return nil
	})
	return applied, err
}

// pendingQueue lists what migrateQueue would apply.
func pendingQueue(ctx context.Context, dsn string) (names []string, err error) {
	err = withQueue(ctx, dsn, func(_ *pgxpool.Pool, m *rivermigrate.Migrator[pgx.Tx]) error {
		done, err := m.ExistingVersions(ctx)
		if err != nil {
			return fmt.Errorf("read the migrations of the queue of chores: %w", err)
		}
		for _, v := range m.AllVersions()[len(done):] {
			names = append(names, fmt.Sprintf("queue of chores %03d %s", v.Version, v.Name))
		}
		return nil
	})
	return names, err
}

func withQueue(ctx context.Context, dsn string, use func(*pgxpool.Pool, *rivermigrate.Migrator[pgx.Tx]) error) error {
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return badDSN(err)
	}
	defer pool.Close()
	m, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: JobsSchema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("read the queue's migrations: %w", err)
	}
	return use(pool, m)
}
