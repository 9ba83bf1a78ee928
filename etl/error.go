package etl

import (
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/jackc/pgx/v5/pgconn"
)

// fatalError is a condition that trying again does not cure; Run returns it.
type fatalError struct{ error }

func (e fatalError) Unwrap() error { return e.error }

func fatalf(format string, args ...any) error {
	return fatalError{fmt.Errorf("etl: "+format, args...)}
}

// gapError says that changes cannot be had any more, found while streaming; a fresh load heals it.
type gapError struct{ reason string }

func (e *gapError) Error() string { return e.reason }

// isFatal reports whether a new attempt is pointless: the error says so, or Postgres refuses the user or the set-up.
func isFatal(err error) bool {
	if _, ok := errors.AsType[fatalError](err); ok {
		return true
	}
	if errors.Is(err, clickhouse.ErrFormatNativeUnsupported) {
		return true
	}
	if ch, ok := errors.AsType[*clickhouse.Exception](err); ok && (ch.Code == 516 || ch.Code == 497) { // wrong password, no right
		return true
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch pg.Code {
	case "28000", "28P01", // wrong user or password
		"3D000", // no such database
		"42501": // no right
		return true
	}
	return false
}

func named(name string, value any) driver.NamedValue { return clickhouse.Named(name, value) }
