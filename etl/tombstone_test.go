package etl

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// TRUNCATE and repairs end rows by tombstones that hold the key and nothing else. Nothing shows of such a row, whatever is asked for,
// merged or not, and what is derived of the mirrors loses it too.
func TestTombstonesOfKeysAloneEndWholeRows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed()
	run := r.start()
	run.catchUp()
	r.requireKeysSort()
	require.Positive(t, r.base())

	var all []string
	for _, m := range warehouse.Mirrors {
		all = append(all, m.Source)
	}
	r.replica("TRUNCATE " + strings.Join(all, ", ") + " CASCADE")
	run.agree()
	r.requireNothingShows()
	require.Zero(t, r.base())

	// Ghosts: rows that Postgres does not have, above the tombstones.
	ghosts := run.Status().Applied
	for _, m := range warehouse.Mirrors {
		r.chExec(fmt.Sprintf("INSERT INTO %[1]s SELECT * REPLACE(%[2]s AS _ver) FROM %[1]s WHERE _deleted = 0 LIMIT 1 BY %[3]s", m.Table, version{commit: ghosts}.sql(), strings.Join(m.Key, ", ")))
		require.Positive(t, r.chCount("SELECT count() FROM "+m.Table+" FINAL WHERE _deleted = 0"), m.Table)
	}
	r.verify(VerifyOptions{Repair: true})
	r.requireNothingShows()
	require.Zero(t, r.base())
	for _, m := range warehouse.Mirrors {
		r.chExec("OPTIMIZE TABLE " + m.Table + " FINAL")
		require.Zero(t, r.chCount("SELECT count() FROM "+m.Table+" WHERE _deleted = 0"), "what %s had is gone from the disk", m.Table)
	}
	run.agree()
}

// requireKeysSort holds what such tombstones rest on: rows of a key meet, so a mirror is sorted by its key and partitioned by no other column.
func (r *rig) requireKeysSort() {
	r.t.Helper()
	for _, m := range warehouse.Mirrors {
		var sorting, partition string
		require.NoError(r.t, r.ch.QueryRow(context.Background(), "SELECT sorting_key, partition_key FROM system.tables WHERE database = currentDatabase() AND name = '"+m.Table+"'").Scan(&sorting, &partition))
		require.ElementsMatch(r.t, m.Key, strings.Split(sorting, ", "), m.Table)
		require.Empty(r.t, partition, m.Table)
	}
}

// requireNothingShows asks every mirror for every value that it ever had in a column.
func (r *rig) requireNothingShows() {
	r.t.Helper()
	for _, m := range warehouse.Mirrors {
		columns, err := targetColumns(context.Background(), r.ch, m.Table)
		require.NoError(r.t, err)
		var asked []string
		for _, c := range columns { // each by itself, as a condition on one column may be moved before FINAL or answered by an index
			asked = append(asked, fmt.Sprintf("SELECT count() AS shown FROM %[1]s FINAL WHERE _deleted = 0 AND %[2]s IN (SELECT %[2]s FROM %[1]s)", quote(m.Table), quote(c.name)))
		}
		require.Zero(r.t, r.chCount("SELECT sum(shown) FROM ("+strings.Join(asked, " UNION ALL ")+")"), m.Table)
	}
}

// base brings the bases of the measures up to date and returns how many issues and claims they have; each is there once or not at all, and each claim that it is for is.
func (r *rig) base() (rows uint64) {
	r.t.Helper()
	keeper := warehouse.Keeper{DB: r.ch, Logger: slog.New(slog.DiscardHandler)}
	_, err := keeper.Once(context.Background())
	require.NoError(r.t, err)
	const log = " FROM f_issue_base WHERE w != 0 AND gen = (SELECT max(gen) FROM f_issue_base) GROUP BY id HAVING sum(w) "
	require.Zero(r.t, r.chCount("SELECT count() FROM (SELECT id"+log+"NOT IN (0, 1))"))
	const claims = " FROM f_claim_base WHERE record = 'CLAIM' AND gen = (SELECT max(gen) FROM f_claim_base) GROUP BY claim_id HAVING sum(w) "
	require.Zero(r.t, r.chCount("SELECT count() FROM (SELECT claim_id"+claims+"NOT IN (0, 1))"))
	kept := r.chCount("SELECT count() FROM (SELECT claim_id" + claims + "= 1)")
	require.Equal(r.t, r.chCount("SELECT count() FROM f_claim FINAL WHERE _deleted = 0 AND issue_id IN (SELECT id FROM f_issue FINAL WHERE _deleted = 0)"), kept)
	return r.chCount("SELECT count() FROM (SELECT id"+log+"= 1)") + kept
}
