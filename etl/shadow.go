package etl

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"groundwork/warehouse"
)

// A mirror with rows is filled anew beside itself, in a shadow of the same shape, and the two change places at once: readers see the
// old one, then the new one. The name of a shadow has the epoch of its session, so that one that stalled and wakes up finds nothing to
// exchange: its successor has dropped it.
const shadowMark = "__new_"

func (s *session) shadowOf(p *plan) string {
	return p.mirror.Table + shadowMark + strconv.FormatUint(s.epoch, 10)
}

func makeSQL(l warehouse.Layout, mirror, shadow string) string {
	return fmt.Sprintf("CREATE TABLE %s%s AS %s", quote(shadow), l.OnCluster(), quote(mirror))
}

func exchangeSQL(l warehouse.Layout, mirror, shadow string) string {
	return fmt.Sprintf("EXCHANGE TABLES %s AND %s%s", quote(mirror), quote(shadow), l.OnCluster())
}

func dropSQL(l warehouse.Layout, table string) string {
	return fmt.Sprintf("DROP TABLE IF EXISTS %s%s", quote(table), l.OnCluster())
}

// makeShadow makes an empty table like the mirror.
func (s *session) makeShadow(ctx context.Context, p *plan) (string, error) {
	name := s.shadowOf(p)
	if err := s.cfg.ClickHouse.Exec(ctx, makeSQL(s.cfg.Layout, p.mirror.Table, name)); err != nil {
		return "", fmt.Errorf("make a table beside %s: %w", p.mirror.Table, err)
	}
	return name, nil
}

func (s *session) dropTable(ctx context.Context, name string) error {
	if err := s.cfg.ClickHouse.Exec(ctx, dropSQL(s.cfg.Layout, name)); err != nil {
		return fmt.Errorf("drop %s: %w", name, err)
	}
	return nil
}

// exchange puts the shadow in the mirror's place, and the other way round.
func (s *session) exchange(ctx context.Context, p *plan, shadow string) error {
	before, err := targetColumns(ctx, s.cfg.ClickHouse, p.mirror.Table)
	if err != nil {
		return err
	}
	after, err := targetColumns(ctx, s.cfg.ClickHouse, shadow)
	if err != nil {
		return err
	}
	if !slices.Equal(before, after) {
		return fmt.Errorf("%s was altered while it was built anew; it has to be built again", p.mirror.Table)
	}
	failpoint(failBeforeSwap)
	if err := s.cfg.ClickHouse.Exec(ctx, exchangeSQL(s.cfg.Layout, p.mirror.Table, shadow)); err != nil {
		return fmt.Errorf("put %s in the place of %s (the database must have the engine Atomic): %w", shadow, p.mirror.Table, err)
	}
	failpoint(failAfterSwap)
	return nil
}

// dropShadows drops what an earlier session left: shadows that were not finished, and old mirrors.
func (s *session) dropShadows(ctx context.Context) error {
	names, err := shadows(ctx, s.cfg.ClickHouse, s.catalog.mirrors)
	if err != nil {
		return err
	}
	for _, name := range names {
		s.log.InfoContext(ctx, "dropping what a load that was cut off left", "table", name)
		if err := s.dropTable(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// shadows lists the tables that were made beside mirrors.
func shadows(ctx context.Context, ch driver.Conn, mirrors []warehouse.Mirror) ([]string, error) {
	rows, err := ch.Query(ctx, "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND match(name, {pattern:String})", named("pattern", shadowMark+"[0-9]+$"))
	if err != nil {
		return nil, fmt.Errorf("look for tables: %w", err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("look for tables: %w", err)
		}
		of := name[:strings.LastIndex(name, shadowMark)]
		if slices.ContainsFunc(mirrors, func(m warehouse.Mirror) bool { return m.Table == of }) {
			names = append(names, name)
		}
	}
	return names, rows.Err()
}

// filledMirrors tells which tables of the warehouse have rows.
func filledMirrors(ctx context.Context, ch driver.Conn) (map[string]bool, error) {
	rows, err := ch.Query(ctx, "SELECT DISTINCT table FROM system.parts WHERE database = currentDatabase() AND active AND rows > 0")
	if err != nil {
		return nil, fmt.Errorf("look for rows in the mirrors: %w", err)
	}
	defer rows.Close()
	filled := map[string]bool{}
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			return nil, fmt.Errorf("look for rows in the mirrors: %w", err)
		}
		filled[table] = true
	}
	return filled, rows.Err()
}

// hasRows reports whether a table of the warehouse has any row that the condition names.
func hasRows(ctx context.Context, ch driver.Conn, table, condition string) (bool, error) {
	var n uint64
	if err := ch.QueryRow(ctx, fmt.Sprintf("SELECT count() FROM (SELECT 1 FROM %s WHERE %s LIMIT 1)", quote(table), condition)).Scan(&n); err != nil {
		return false, fmt.Errorf("look for rows in %s: %w", table, err)
	}
	return n > 0, nil
}
