package warehouse_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// responded is an issue whose response came after so many days, or, with event = 0, was last observed then.
func responded(after float64, event int) issue {
	i, at := someIssue(), start.Add(days(after))
	if event == 1 {
		i.FirstResponse = &at
	} else {
		i.ObservedUntil = &at
	}
	return i
}

func TestResponseIsKaplanMeier(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, o := range [][2]float64{{3, 1}, {5, 0}, {6, 1}, {7, 1}, {8, 0}, {10, 1}, {12, 1}, {12, 0}} {
		insert(h, "f_issue", responded(o[0], int(o[1])))
	}
	h.watermark(1, start.AddDate(1, 0, 0))
	got, err := h.TimeToResponse(t.Context(), warehouse.Query{})
	require.NoError(t, err)
	require.Equal(t, []int64{8}, got.N)
	require.InDelta(t, 1-0.5833333333333334, value(t, got, "responded7d", 0), 1e-12)
	require.Equal(t, 10.0, value(t, got, "medianDays", 0))
	require.Nil(t, num(t, got, "p90Days", 0), "not reached")
	require.Equal(t, 0.0, value(t, got, "responded24h", 0))
	require.Equal(t, 5.0, value(t, got, "responded", 0))
	require.Equal(t, []bool{true}, got.Flags["unstable"])
	require.Equal(t, start.AddDate(1, 0, 0), got.AsOf)
}

// resolved is an issue that ended after so many days by a cause of T2; cause 0 was last observed then.
func resolved(after float64, cause int) issue {
	i, at := someIssue(), start.Add(days(after))
	if cause == 0 {
		i.ObservedUntil = &at
		return i
	}
	i.State, i.Closed = "CLOSED", &at
	i.Closure = new([]string{"", "CONFIRMED", "EXPLAINED", "UNCONFIRMED", "WITHDRAWN"}[cause])
	if cause == 1 {
		later := at.Add(days(1))
		i.Claimed, i.Resolved, i.Closed = &at, &at, &later
	}
	return i
}

func TestResolutionIsAalenJohansen(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, o := range [][2]float64{{1, 1}, {2, 2}, {3, 1}, {3, 0}, {4, 2}, {5, 1}, {6, 0}, {60, 0}} { // the last stays to be seen at 30 days
		insert(h, "f_issue", resolved(o[0], int(o[1])))
	}
	h.watermark(1, start.AddDate(1, 0, 0))
	got, err := h.TimeToResolution(t.Context(), warehouse.Query{})
	require.NoError(t, err)
	require.InDelta(t, 0.40625, value(t, got, "confirmed30", 0), 1e-12, "0.514 would be 1−KM with the competitors censored")
	require.Nil(t, num(t, got, "confirmed90", 0), "nobody was observed so long")
	require.Equal(t, 3.0, value(t, got, "confirmed", 0))
	require.Equal(t, 2.0, value(t, got, "explainedOrReferred", 0))
	require.Equal(t, 3.0, value(t, got, "open", 0))
	require.Equal(t, []bool{false}, got.Flags["provisional"])
}

func TestClaimsAwaitingTheVerdictGiveBounds(t *testing.T) {
	t.Parallel()
	h := open(t)
	var all []issue
	for range 60 {
		all = append(all, resolved(2, 1))
	}
	for range 15 {
		all = append(all, resolved(2, 3))
	}
	for range 25 {
		i := resolved(2, 1)
		i.State, i.Resolved, i.Closed, i.Closure = "CLAIMED", nil, nil, nil
		all = append(all, i)
	}
	insert(h, "f_issue", all...)
	h.watermark(1, start.AddDate(0, 0, 40))
	got, err := h.TimeToResolution(t.Context(), warehouse.Query{})
	require.NoError(t, err)
	require.InDelta(t, 0.60, value(t, got, "confirmed30Lower", 0), 1e-12)
	require.InDelta(t, 0.85, value(t, got, "confirmed30Upper", 0), 1e-12)
	require.Equal(t, 25.0, value(t, got, "awaitingFeedback", 0))
	require.Equal(t, []bool{true}, got.Flags["provisional"], "the events are younger than 90 days")
	require.Equal(t, []bool{false}, got.Flags["unstable"])
}

func TestAClaimIsNotAResolution(t *testing.T) {
	t.Parallel()
	h := open(t)
	var all []issue
	for range 40 {
		i, at := someIssue(), start.Add(days(3))
		i.State, i.Claimed, i.FirstResponse, i.ObservedUntil = "CLAIMED", &at, &at, new(start.Add(days(120)))
		all = append(all, i)
	}
	insert(h, "f_issue", all...)
	h.watermark(1, start.AddDate(1, 0, 0))
	got, err := h.TimeToResolution(t.Context(), warehouse.Query{})
	require.NoError(t, err)
	require.Nil(t, num(t, got, "confirmed90", 0), "nobody was asked: null, not 0")
	require.Nil(t, num(t, got, "medianDays", 0))
	require.Equal(t, 0.0, value(t, got, "confirmed90Lower", 0))
	require.Equal(t, 1.0, value(t, got, "confirmed90Upper", 0))
	require.Contains(t, got.Notes[0], "a claim is not a resolution")

	disputed := someIssue()
	disputed.Claimed, disputed.Disputes = new(start.Add(days(3))), 1
	insert(h, "f_issue", disputed)
	got, err = h.TimeToResolution(t.Context(), warehouse.Query{})
	require.NoError(t, err)
	require.Equal(t, 0.0, value(t, got, "confirmed90", 0), "a citizen was asked and said no")
	require.Empty(t, got.Notes)
}

func TestHotspotsAreShrunk(t *testing.T) {
	t.Parallel()
	h := open(t)
	issues, persons := []int{2, 30, 45, 80, 3}, []int64{500, 20000, 25000, 30000, 6000}
	for i := range issues {
		r := region{ID: uuid.New(), Code: []string{"110101000000", "110102000000", "110103000000", "110104000000", "110105000000"}[i], Level: "COUNTY"}
		r.Path, r.Name = r.Code, "county"
		insert(h, "d_region", r)
		insert(h, "d_population", population{r.ID, 2025, persons[i]})
		for range issues[i] {
			one := someIssue()
			one.Region = &r.ID
			insert(h, "f_issue", one)
		}
	}
	merged, nowhere := someIssue(), someIssue()
	merged.State = "MERGED"
	insert(h, "f_issue", merged, nowhere)
	h.watermark(1, start.AddDate(2, 0, 0))
	china := time.FixedZone("", 8*3600)
	got, err := h.Hotspots(t.Context(), warehouse.HotspotQuery{From: time.Date(2025, 1, 1, 0, 0, 0, 0, china), To: time.Date(2026, 1, 1, 0, 0, 0, 0, china)})
	require.NoError(t, err)
	require.Len(t, got.N, 5)
	for i, want := range []float64{2.1102754366045198, 1.6126060342416804, 1.8333605502609558, 2.542597914905607, 1.2565574258014636} {
		require.InDelta(t, want, value(t, got, "rate", i), 1e-9)
		require.InDelta(t, float64(persons[i]), value(t, got, "personYears", i), 1e-6)
		require.Equal(t, []float64{2, 4, 3, 1, 5}[i], value(t, got, "rank", i), "the raw leader falls")
	}
	require.InDelta(t, 4.0, value(t, got, "rawRate", 0), 1e-9)
	require.Equal(t, map[string]int64{"merged": 1, "regionUnknown": 1}, got.Excluded)
}
