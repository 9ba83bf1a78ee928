package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema up to date, gives the roles of the database their privileges, and says how many migrations it applied. Only
// one runs at a time; others wait for it.
func Migrate(ctx context.Context, dsn string) (applied int, err error) {
	err = withProvider(ctx, dsn, func(p *goose.Provider) error {
		results, err := p.Up(ctx)
		applied = len(results)
		if err != nil {
			return fmt.Errorf("migrate Postgres (a superuser or owner of the database is needed): %w", err)
		}
		return nil
	})
	if err != nil {
		return applied, err
	}
	queue, err := migrateQueue(ctx, dsn)
	if err != nil {
		return applied + queue, err
	}
	return applied + queue, migrateRoles(ctx, dsn)
}

// Pending lists the migrations that Migrate would apply, by file name in their order. It changes nothing.
func Pending(ctx context.Context, dsn string) (names []string, err error) {
	err = withProvider(ctx, dsn, func(p *goose.Provider) error {
		statuses, err := p.Status(ctx)
		if err != nil {
			return fmt.Errorf("read the migrations of Postgres: %w", err)
		}
		for _, s := range statuses {
			if s.State == goose.StatePending {
				names = append(names, path.Base(s.Source.Path))
			}
		}
		return nil
	})
	if err != nil {
		return names, err
	}
	queue, err := pendingQueue(ctx, dsn)
	return append(names, queue...), err
}

// CreateDatabase makes the database if it is not there. dsn names another database of the same server, such as "postgres".
func CreateDatabase(ctx context.Context, dsn, name string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return connectFailed(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" TEMPLATE template0 ENCODING 'UTF8'")
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "42P04" { // it is there
		return nil
	}
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

func withProvider(ctx context.Context, dsn string, use func(*goose.Provider) error) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read the embedded migrations: %w", err)
	}
	return withFiles(ctx, dsn, files, use)
}

func withFiles(ctx context.Context, dsn string, files fs.FS, use func(*goose.Provider) error) error {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return badDSN(err)
	}
	db := stdlib.OpenDB(*cfg)
	defer db.Close()
	if err := db.PingContext(ctx); err != nil {
		return unreachable(err)
	}
	p, err := provider(db, files)
	if err != nil {
		return err
	}
	return use(p)
}

func provider(db *sql.DB, files fs.FS) (*goose.Provider, error) {
	// Probing every second for five minutes: whoever waits for another's migration goes on soon after it.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, fmt.Errorf("lock for the migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true),
		goose.WithAllowOutofOrder(true)) // numbers belong to nouns: a database that has later ones gets those that came after
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return p, nil
}

func connectFailed(err error) error {
	if _, ok := errors.AsType[*pgconn.ParseConfigError](err); ok {
		return badDSN(err)
	}
	return unreachable(err)
}
