package etl

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// rangeBytes is how much of a table one range takes: enough to be worth a statement, little enough that several connections share a
// large table and that one which is repeated costs seconds. verify reads in the same ranges.
const rangeBytes = 64 << 20

// extent is how large a table is, all its partitions together.
type extent struct {
	bytes  int64 // of the heap
	blocks int64 // of the largest partition
	heap   bool  // all of it is addressed by block and line
}

// extents reads how large the tables of the plans are, by source. A table that grows meanwhile grows into its last range.
func extents(ctx context.Context, pg *pgx.Conn, plans []*plan) (map[string]extent, error) {
	var schemas, names []string
	for _, p := range plans {
		schemas, names = append(schemas, p.source.schema), append(names, p.source.name)
	}
	rows, err := pg.Query(ctx, `
		SELECT t.name, coalesce(sum(pg_relation_size(leaf.oid)), 0)::bigint,
			coalesce(max(pg_relation_size(leaf.oid) / current_setting('block_size')::bigint), 0), coalesce(bool_and(leaf.relkind = 'r'), false)
		FROM unnest($1::text[], $2::text[]) AS t (schema, name)
		JOIN pg_class c ON c.oid = format('%I.%I', t.schema, t.name)::regclass
		LEFT JOIN LATERAL (
			SELECT c.oid, c.relkind WHERE c.relkind <> 'p'
			UNION ALL SELECT l.oid, l.relkind FROM pg_partition_tree(c.oid) tree JOIN pg_class l ON l.oid = tree.relid WHERE c.relkind = 'p' AND tree.isleaf
		) AS leaf ON true
		GROUP BY t.name`, schemas, names)
	if err != nil {
		return nil, fmt.Errorf("measure the tables: %w", err)
	}
	sizes := map[string]extent{}
	var name string
	var e extent
	if _, err := pgx.ForEachRow(rows, []any{&name, &e.bytes, &e.blocks, &e.heap}, func() error { sizes[name] = e; return nil }); err != nil {
		return nil, fmt.Errorf("measure the tables: %w", err)
	}
	return sizes, nil
}

// ranges cuts a table into conditions on the place of a row. Of a partitioned table each takes the same blocks of every partition. The
// last one is open, so that together they are the whole table whatever its size has become.
func (e extent) ranges(size int64) []string {
	n := min((e.bytes+size-1)/size, e.blocks)
	if !e.heap || n < 2 {
		return []string{"true"}
	}
	conditions := make([]string, 0, n)
	for i := range n {
		from, to := e.blocks*i/n, e.blocks*(i+1)/n
		switch i {
		case 0:
			conditions = append(conditions, fmt.Sprintf("ctid < '(%d,0)'", to))
		case n - 1:
			conditions = append(conditions, fmt.Sprintf("ctid >= '(%d,0)'", from))
		default:
			conditions = append(conditions, fmt.Sprintf("ctid >= '(%d,0)' AND ctid < '(%d,0)'", from, to))
		}
	}
	return conditions
}
