package postgres

import (
	"context"
	"fmt"
	"io/fs"
	"testing/fstest"

	"github.com/pressly/goose/v3"
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
