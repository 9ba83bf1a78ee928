package warehouse_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/internal/embedded/embeddedtest"
	"groundwork/warehouse"
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
	for _, view := range []string{"pub_region", "pub_category", "pub_opinion", "pub_issue_opinion", "pub_issue", "pub_issue_event", "pub_watermark",
		"pub_site", "pub_visit", "pub_slot", "pub_claim", "pub_callback", "pub_feedback", "pub_policy_change", "pub_policy_rollout", "pub_policy_evaluation", "pub_campaign", "pub_campaign_region"} {
		require.NotZero(t, seen[view], view)
		var comment string
		require.NoError(t, db.QueryRow(t.Context(), `SELECT comment FROM system.tables WHERE database = currentDatabase() AND name = {v:String}`, named("v", view)).Scan(&comment))
		require.NotEmpty(t, comment, view)
		require.NoError(t, db.Exec(t.Context(), "SELECT * FROM "+view))
	}
}

func TestViewsResolvePlacesAndLeaveTheUnknownNull(t *testing.T) {
	t.Parallel()
	h := open(t)
	w := newWorld(9, 60)
	w.load(h, nil)
	for _, setting := range []string{"join_use_nulls = 0", "join_use_nulls = 1"} {
		var n, open, unknown, blank uint64
		require.NoError(t, h.QueryRow(t.Context(), `SELECT count(), countIf(is_open), countIf(region_code IS NULL AND county_name IS NULL AND province_code IS NULL),
			countIf(region_code = '' OR category_code = '' OR lead_unit_name = '' OR county_code = '') FROM pub_issue SETTINGS `+setting).Scan(&n, &open, &unknown, &blank))
		var wantOpen, wantUnknown uint64
		for _, i := range w.issues {
			if i.State != "CLOSED" && i.State != "MERGED" {
				wantOpen++
			}
			if i.Region == nil {
				wantUnknown++
			}
		}
		require.EqualValues(t, len(w.issues), n, "neither deleted rows nor old versions")
		require.Equal(t, wantOpen, open)
		require.Equal(t, wantUnknown, unknown)
		require.Zero(t, blank)
	}
	for _, i := range w.issues {
		if i.Region == nil {
			continue
		}
		var code string
		var county, prefecture, province *string
		require.NoError(t, h.QueryRow(t.Context(), `SELECT ifNull(region_code, ''), county_code, prefecture_code, province_code FROM pub_issue WHERE id = {id:UUID}`,
			named("id", i.ID.String())).Scan(&code, &county, &prefecture, &province))
		for level, got := range map[string]*string{"": &code, "COUNTY": county, "PREFECTURE": prefecture, "PROVINCE": province} {
			if want := w.regionCode(i, level); want == "" {
				require.Nil(t, got, level)
			} else {
				require.Equal(t, want, *got, level)
			}
		}
		break
	}
	var events, opened uint64
	require.NoError(t, h.QueryRow(t.Context(), `SELECT count(), countIf(seq = 1) FROM pub_issue_event`).Scan(&events, &opened))
	require.EqualValues(t, len(w.issues), opened)
	var names, codes []string
	var persons *int64
	require.NoError(t, h.QueryRow(t.Context(), `SELECT path_names, path_codes, population FROM pub_region WHERE code = '350101000000'`).Scan(&names, &codes, &persons))
	require.Equal(t, []string{"R350000000000", "R350100000000", "R350101000000"}, names)
	require.Equal(t, []string{"350000000000", "350100000000", "350101000000"}, codes)
	require.Equal(t, w.people["350101000000"], *persons)
	var parent *string
	require.NoError(t, h.QueryRow(t.Context(), `SELECT parent_code, population FROM pub_region WHERE code = '350000000000'`).Scan(&parent, &persons))
	require.Nil(t, parent)
	require.Nil(t, persons)
	var lsn uint64
	require.NoError(t, h.QueryRow(t.Context(), `SELECT lsn FROM pub_watermark`).Scan(&lsn))
	require.EqualValues(t, 7, lsn)
}

func TestPendingMigrations(t *testing.T) {
	t.Parallel()
	db, err := warehouse.Open(t.Context(), embeddedtest.ClickHouse(t))
	require.NoError(t, err)
	defer db.Close()
	before, err := warehouse.Pending(t.Context(), db, warehouse.Layout{})
	require.NoError(t, err)
	require.Contains(t, before, "00003_views.sql")
	applied, err := warehouse.Migrate(t.Context(), db, warehouse.Layout{})
	require.NoError(t, err)
	require.Len(t, before, applied)
	after, err := warehouse.Pending(t.Context(), db, warehouse.Layout{})
	require.NoError(t, err)
	require.Empty(t, after)
}

// Why somebody withdraws or returns an issue is in their own words, which no published view shows; the system gives codes.
func TestViewsHideReasonsInOwnWords(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.sql("f_issue_event", "issue_id, seq, kind, to_state, at, known_at, actor_role, reason_code, origin_at", issueID+", 1, 'CLOSED', 'CLOSED', "+atStart+", "+atStart+
		", if(n = 0, 'SYSTEM', 'CITIZEN'), if(n = 0, 'NO_ANSWER', 'my neighbour Li has mended it'), "+atStart, 2)
	var shown []string
	require.NoError(t, h.QueryRow(t.Context(), "SELECT groupArray(ifNull(reason_code, '')) FROM (SELECT reason_code FROM pub_issue_event ORDER BY issue_id)").Scan(&shown))
	require.Equal(t, []string{"NO_ANSWER", ""}, shown)
}
