package warehouse_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryPublishedColumnSaysWhatItIs(t *testing.T) {
	t.Parallel()
	db := open(t)
	rows, err := db.Query(t.Context(), `SELECT table, name, comment FROM system.columns WHERE database = currentDatabase() AND startsWith(table, 'pub_')`)
	require.NoError(t, err)
	defer rows.Close()
	seen := map[string]int{}
	for rows.Next() {
		var view, column, comment string
		require.NoError(t, rows.Scan(&view, &column, &comment))
		require.NotEmpty(t, comment, "%s.%s", view, column)
		require.NotContains(t, column, "reporter")
		require.NotContains(t, column, "public_ref")
		seen[view]++
	}
	require.NoError(t, rows.Err())
	for _, view := range []string{"pub_region", "pub_category", "pub_opinion", "pub_issue_opinion", "pub_issue", "pub_issue_event", "pub_watermark"} {
		require.NotZero(t, seen[view], view)
		var comment string
		require.NoError(t, db.QueryRow(t.Context(), `SELECT comment FROM system.tables WHERE database = currentDatabase() AND name = {v:String}`, named("v", view)).Scan(&comment))
		require.NotEmpty(t, comment, view)
		require.NoError(t, db.Exec(t.Context(), "SELECT * FROM "+view))
	}
}
