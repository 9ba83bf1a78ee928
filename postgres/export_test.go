package postgres

import (
	"context"
	"fmt"
	"io/fs"
	"testing/fstest"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"groundwork"
)

// MakeRole is for tests in which the roles are missing.
var MakeRole = makeRole

// InsertSQL is for tests of the text itself.
var InsertSQL = insertSQL

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

// SayingQuery is what a search for issues asks of the database.
func SayingQuery(text string) (sql string, args []any) {
	_, _ = issuesSaying(context.Background(), queried(func(s string, a []any) { sql, args = s, a }), text)
	return sql, args
}

// CommonQuery is what a list of issues asks of the database when more say a text than are looked up.
func CommonQuery(text string) (sql string, args []any, err error) {
	c := where()
	c.saying = func(string) ([]uuid.UUID, error) { return nil, nil }
	if err := c.issue(groundwork.IssueFilter{Text: text}, 0, new(int)); err != nil {
		return "", nil, err
	}
	_, _ = pageFrom(context.Background(), queried(func(s string, a []any) { sql, args = s, a }), issueColumns, "issue", c,
		issueOrders[groundwork.OrderOriginDesc], groundwork.PageRequest{First: 50})
	return sql, args, nil
}

// MaxFound is how many issues a search looks up at most.
const MaxFound = maxFound

// queried hears what is asked, and answers nothing.
type queried func(sql string, args []any)

func (q queried) Query(_ context.Context, sql string, args ...any) (pgx.Rows, error) {
	q(sql, args)
	return nil, pgx.ErrNoRows
}
