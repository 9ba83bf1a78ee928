package etl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// identity is what Postgres sends of a row that an update or a delete finds. A mirror is right only if its key is part of it.
type identity struct {
	table   string // itself, or a partition
	kind    string // relreplident
	columns []string
}

// identityKinds are the words of ALTER TABLE … REPLICA IDENTITY.
var identityKinds = map[string]string{"d": "DEFAULT", "i": "USING INDEX", "f": "FULL", "n": "NOTHING"}

func (i identity) String() string {
	return strings.TrimSuffix(fmt.Sprintf("%s (%s)", identityKinds[i.kind], strings.Join(i.columns, ", ")), " ()")
}

// check refuses an identity that does not hold the key of the plan's mirror.
func (i identity) check(p *plan) error {
	for _, k := range p.mirror.Key {
		if !slices.Contains(i.columns, k) {
			return fatalf("table %s: column %s is the key of %s, but not part of the replica identity, which is %s: give the table a primary key with it and run ALTER TABLE %[5]s REPLICA IDENTITY DEFAULT, or run ALTER TABLE %[5]s REPLICA IDENTITY FULL",
				i.table, k, p.mirror.Table, i, quotePG(p.source.schema)+"."+quotePG(i.table))
		}
	}
	return nil
}

// checkIdentities refuses published tables whose updates and deletes would not say which row they mean.
func (c *catalog) checkIdentities(ctx context.Context, pg *pgx.Conn, publication string) error {
	rows, err := pg.Query(ctx, `
		SELECT p.tablename, leaf.relname, leaf.relreplident::text, coalesce((
			SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
			WHERE a.attrelid = leaf.oid AND a.attnum > 0 AND NOT a.attisdropped AND (leaf.relreplident = 'f' OR EXISTS (
				SELECT FROM pg_index i WHERE i.indrelid = leaf.oid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
				AND (leaf.relreplident = 'd' AND i.indisprimary OR leaf.relreplident = 'i' AND i.indisreplident)))), '{}')
		FROM pg_publication_tables p
		JOIN pg_namespace n ON n.nspname = p.schemaname JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
		JOIN LATERAL (SELECT c.oid WHERE c.relkind <> 'p' UNION ALL SELECT t.relid FROM pg_partition_tree(c.oid) t WHERE c.relkind = 'p' AND t.isleaf) AS l ON true
		JOIN pg_class leaf ON leaf.oid = l.oid
		WHERE p.pubname = $1 ORDER BY leaf.relname`, publication)
	if err != nil {
		return fmt.Errorf("read the replica identities: %w", err)
	}
	var source string
	var i identity
	var faults []error
	if _, err := pgx.ForEachRow(rows, []any{&source, &i.table, &i.kind, &i.columns}, func() error {
		if p := c.planned(source); p != nil {
			faults = append(faults, i.check(p))
		}
		return nil
	}); err != nil {
		return fmt.Errorf("read the replica identities: %w", err)
	}
	return errors.Join(faults...)
}
