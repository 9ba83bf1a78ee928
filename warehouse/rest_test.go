package warehouse_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// A mirror to which nothing comes is merged to one part, and then FINAL need not merge.
func TestMirrorsAtRestBecomeOnePart(t *testing.T) {
	t.Parallel()
	h := open(t)
	require.Equal(t, uint64(12), h.count("SELECT count() FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%Replacing%'"+
		" AND endsWith(engine_full, '"+warehouse.Layout{}.AtRest()+"')"))
	require.NoError(t, h.Exec(t.Context(), "ALTER TABLE f_issue MODIFY SETTING min_age_to_force_merge_seconds = 1"))
	for range 3 {
		insert(h, "f_issue", someIssue(), someIssue())
	}
	require.Eventually(t, func() bool {
		return h.count("SELECT count() FROM system.parts WHERE active AND database = currentDatabase() AND table = 'f_issue'") == 1
	}, time.Minute, 50*time.Millisecond, "one part")
	require.Equal(t, uint64(6), h.count("SELECT count() FROM f_issue FINAL"))
}
