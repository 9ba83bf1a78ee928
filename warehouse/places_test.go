package warehouse_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// byWeek writes issues of n weeks from the Monday after the start on, counts[w] of them in week w.
func (h *house) byWeek(counts []int, columns, values string) {
	h.t.Helper()
	for week, n := range counts {
		h.sql("f_issue", "id, public_ref, severity, difficulty, kind, channel, state, origin_at, updated_at, created_at, opinion_count"+columns,
			"generateUUIDv4(n), toString(n), 'NORMAL', 'ROUTINE', 'COMPLAINT', 'HOTLINE', 'REGISTERED', "+atStart+fmt.Sprintf(" + toIntervalDay(%d)", 1+7*week)+", "+atStart+", "+atStart+", 1"+values, n)
	}
}

// The worked example: 12 weeks with 60 issues, then 14 in one.
func TestSurprise(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, begin.AddDate(0, 0, 1+7*13+2))
	h.byWeek([]int{4, 6, 5, 3, 7, 5, 4, 6, 5, 5, 8, 2, 14, 3}, "", "") // the last week is not over
	table := h.one("H4", warehouse.Question{})
	requireShare(t, table, "observed", 14)
	requireShare(t, table, "expected", 5.041666666666667) // (60 + ½) / 12
	requireShare(t, table, "bits", 9.576489293791944)
	requireShare(t, table, "p", 0.0013097532036806525)
	require.True(t, table.Flags["alarm"][0])

	quiet := h.one("H4", warehouse.Question{To: new(begin.AddDate(0, 0, 1+7*12))})
	requireShare(t, quiet, "observed", 2)
	require.False(t, quiet.Flags["alarm"][0])
	short := h.one("H4", warehouse.Question{From: new(begin.AddDate(0, 0, 1+7*9))})
	require.Nil(t, num(t, short, "bits", 0), "three weeks before are too few")
}

// regions of one county each.
func (h *house) counties(n int) []uuid.UUID {
	h.t.Helper()
	ids := make([]uuid.UUID, n)
	for i := range ids {
		ids[i] = uuid.New()
		code := fmt.Sprintf("99010%d000000", i+1)
		insert(h, "d_region", region{ID: ids[i], Code: code, Level: "COUNTY", Path: code, Name: code})
	}
	return ids
}

// The worked example: of the first region 9 of 10 road and 1 of 10 noise issues are resolved, of the second 80 of 100 and 5 of 10.
func TestEquityIsStandardised(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, later)
	places := h.counties(2)
	road, noise := uuid.New(), uuid.New()
	insert(h, "d_category", category{ID: road, Code: "r", Name: "road"}, category{ID: noise, Code: "n", Name: "noise"})
	fill := func(place, matter uuid.UUID, resolved, n int) {
		at := "if(n < " + fmt.Sprint(resolved) + ", toNullable(" + atStart + " + toIntervalDay(10)), " + noMoment + ")"
		h.sql("f_issue", "id, public_ref, severity, difficulty, kind, channel, state, closure_type, claimed_at, resolved_at, closed_at, origin_at, updated_at, created_at, opinion_count, region_id, category_id",
			"generateUUIDv4(n), toString(n), 'NORMAL', 'ROUTINE', 'COMPLAINT', 'HOTLINE', if(n < "+fmt.Sprint(resolved)+", 'CLOSED', 'IN_PROGRESS'), if(n < "+fmt.Sprint(resolved)+", toNullable('CONFIRMED'), NULL), "+
				at+", "+at+", "+at+", "+atStart+", "+atStart+", "+atStart+", 1, toNullable(toUUID('"+place.String()+"')), toNullable(toUUID('"+matter.String()+"'))", n)
	}
	fill(places[0], road, 9, 10)
	fill(places[0], noise, 1, 10)
	fill(places[1], road, 80, 100)
	fill(places[1], noise, 5, 10)
	table, err := h.Ask(t.Context(), "E1", warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}}})
	require.NoError(t, err)
	for row, want := range []struct{ crude, standardised float64 }{{0.5, 0.7769230769230769}, {0.7727272727272727, 0.7538461538461538}} {
		require.InDelta(t, want.crude, *num(t, table, "crude", row), 1e-9)
		require.InDelta(t, want.standardised, *num(t, table, "standardised", row), 1e-9)
		require.InDelta(t, 95.0/130, *num(t, table, "target", row), 1e-9)
		require.False(t, table.Flags["above"][row] || table.Flags["below"][row])
		require.InDelta(t, 1, *num(t, table, "covered", row), 1e-9)
	}

	silent := open(t)
	silent.watermark(1, later)
	silent.issues("'CLAIMED'", "NULL", "claimed_at", "toNullable("+atStart+")", 12)
	none, err := silent.Ask(t.Context(), "E1", warehouse.Question{})
	require.NoError(t, err)
	require.Nil(t, num(t, none, "standardised", 0))
	require.Contains(t, none.Notes[0], "not computable")
}

// Times of any length are added up to the same sum whichever thread reads which of them first: a snapshot is calculated anew bit by bit.
func TestSumsOfTimesAreExact(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, later)
	places := h.counties(3)
	numbered := func(k string) string { return strings.ReplaceAll(issueID, "toString(n)", "toString("+k+")") }
	place := "[toUUID('" + places[0].String() + "'), toUUID('" + places[1].String() + "'), toUUID('" + places[2].String() + "')][n % 3 + 1]"
	for k := range 6 {
		matter := uuid.New()
		insert(h, "d_category", category{ID: matter, Code: matter.String(), Name: "road"})
		of := strconv.Itoa(20000 * k)
		h.sql("f_issue", "id, public_ref, severity, difficulty, kind, channel, state, claimed_at, paused_seconds, origin_at, updated_at, created_at, opinion_count, region_id, category_id",
			numbered("n + "+of)+", toString(n), 'NORMAL', 'ROUTINE', 'COMPLAINT', 'HOTLINE', 'CLAIMED', toNullable("+atStart+" + toIntervalSecond(n * 7919 % 4000003)), n % 86399, "+
				atStart+", "+atStart+", "+atStart+", 1, toNullable("+place+"), toNullable(toUUID('"+matter.String()+"'))", 20000)
		h.sql("f_opinion", "id, source, channel, kind, received_at, received_precision, confidentiality, supported, opposed, created_at",
			"toUUID('"+matter.String()+"'), 'groundwork', 'ONLINE', 'HELP', "+atStart+" + toIntervalSecond(1), 'SECOND', 'PUBLIC', 0, 0, "+atStart, 1)
		h.sql("f_issue_opinion", "issue_id, opinion_id, linked_at", numbered("n * 97 + 1 + "+of)+", toUUID('"+matter.String()+"'), "+atStart, 200)
	}
	for _, code := range []string{"T5", "H5"} {
		first := h.answer(code, warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}}})
		require.Len(t, first.N, 3)
		for range 5 {
			require.Equal(t, first.Nums, h.answer(code, warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}}}).Nums, code)
		}
	}
}

// Two places with the same matter: one tells of it again after five days on average, the other never.
func TestReportingRate(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, later)
	places := h.counties(2)
	matter := uuid.New()
	insert(h, "d_category", category{ID: matter, Code: "r", Name: "road"})
	claimed := "toNullable(" + atStart + " + toIntervalDay(10))"
	h.issues("'CLAIMED'", "NULL", "claimed_at, category_id, region_id", claimed+", toNullable(toUUID('"+matter.String()+"')), toNullable(if(n < 20, toUUID('"+places[0].String()+"'), toUUID('"+places[1].String()+"')))", 40)
	opinion := "id, source, channel, kind, received_at, received_precision, confidentiality, supported, opposed, created_at"
	// Of each of the first 20 two more within the exposure, and one after the claim, which is none.
	h.sql("f_opinion", opinion, issueID+", 'groundwork', 'ONLINE', 'HELP', "+atStart+" + toIntervalDay(multiIf(n < 40, 5, 12)), 'SECOND', 'PUBLIC', 0, 0, "+atStart, 60)
	h.sql("f_issue_opinion", "issue_id, opinion_id, linked_at", "toUUID(concat('00000000-0000-7000-8000-', leftPad(toString(n % 20), 12, '0'))), "+issueID+", "+atStart, 60)
	h.HandOver(10)
	table, err := h.Ask(t.Context(), "H5", warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}}})
	require.NoError(t, err)
	require.Len(t, table.N, 2)
	require.InDelta(t, 40, *num(t, table, "repeats", 0), 1e-9)
	require.InDelta(t, 200, *num(t, table, "days", 0), 1e-9)
	require.InDelta(t, 5, *num(t, table, "delayDays", 0), 1e-9)
	require.InDelta(t, 2, *num(t, table, "index", 0), 1e-9, "40 where 20 are expected")
	require.False(t, table.Flags["silent"][0])
	require.InDelta(t, 0, *num(t, table, "index", 1), 1e-9)
	require.Nil(t, num(t, table, "delayDays", 1))
	require.True(t, table.Flags["silent"][1])
}

// What was an issue of its own until it was merged is the same matter told again. Of twenty holes one is told of twice more within its exposure: once as an issue that was merged by way of another,
// once directly; of the others once each.
func TestReportingRateFollowsMergers(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, later)
	places := h.counties(1)
	matter := uuid.New()
	insert(h, "d_category", category{ID: matter, Code: "r", Name: "road"})
	hole := func() issue {
		i := someIssue()
		i.Region, i.Category = &places[0], &matter
		return i
	}
	first := hole()
	insert(h, "f_issue", first)
	h.tell(first.ID, 1, 0, "HOTLINE")
	h.tell(first.ID, 2, 1, "HOTLINE")
	for range 19 {
		other := hole()
		insert(h, "f_issue", other)
		h.tell(other.ID, 3, 1, "HOTLINE")
	}
	between, copied := hole(), hole()
	between.State, copied.State = "MERGED", "MERGED"
	insert(h, "f_issue", mergedIssue{copied, &between.ID}, mergedIssue{between, &first.ID})
	h.tell(copied.ID, 4, 2, "ONLINE")
	h.tell(copied.ID, 5, 31, "ONLINE")
	byRegion := warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}}}
	require.InDelta(t, 21, *num(t, h.answer("H5", byRegion), "repeats", 0), 1e-9)
	byRegion.Version = "1"
	require.InDelta(t, 20, *num(t, h.answer("H5", byRegion), "repeats", 0), 1e-9)
}
