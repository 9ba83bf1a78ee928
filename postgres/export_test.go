package postgres

import (
	"context"
	"fmt"
	"io/fs"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"groundwork"
)

// MakeRole is for tests in which the roles are missing.
var MakeRole = makeRole

// MigrateAs migrates as a release did that had only the migrations that has says.
func MigrateAs(ctx context.Context, dsn string, has func(number int) bool) error {
	released := fstest.MapFS{}
	entries, err := fs.ReadDir(migrations, "migrations")
	if err != nil {
		return err
	}
	for _, e := range entries {
		var number int
		if _, err := fmt.Sscanf(e.Name(), "%d", &number); err != nil {
			return err
		}
		if has(number) {
			text, err := migrations.ReadFile("migrations/" + e.Name())
			if err != nil {
				return err
			}
			released[e.Name()] = &fstest.MapFile{Data: text}
		}
	}
	return withFiles(ctx, dsn, released, func(p *goose.Provider) error {
		_, err := p.Up(ctx)
		return err
	})
}

// Identify is for tests that ask by SQL as somebody.
var Identify = identify

// OpinionsQuery is what the list of opinions asks of the database.
func OpinionsQuery(f groundwork.OpinionFilter, p groundwork.PageRequest) (sql string, args []any) {
	_, _ = opinions(context.Background(), queried(func(s string, a []any) { sql, args = s, a }), f, p)
	return sql, args
}

// queried hears what is asked, and answers nothing.
type queried func(sql string, args []any)

func (q queried) Query(_ context.Context, sql string, args ...any) (pgx.Rows, error) {
	q(sql, args)
	return nil, pgx.ErrNoRows
}
