package warehouse_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

func TestWrongQuestionsAreToldWhatIsWrong(t *testing.T) {
	t.Parallel()
	h := open(t)
	w := newWorld(3, 5)
	w.load(h, nil)
	early, late := start, start.AddDate(0, 1, 0)
	for message, q := range map[string]warehouse.Query{
		`Where.Regions: there is no region with code "999999999999"`:       {Where: warehouse.Filter{Regions: []string{"350000000000", "999999999999"}}},
		`Where.Categories: there is no category with id "nonsense"`:        {Where: warehouse.Filter{Categories: []string{"nonsense"}}},
		`Where.Categories: there is no category with id "00000000-`:        {Where: warehouse.Filter{Categories: []string{"00000000-0000-0000-0000-000000000000"}}},
		`Timezone: "Mars/Olympus" is no time zone`:                         {Timezone: "Mars/Olympus"},
		`By: "PERSON" is no dimension`:                                     {By: []warehouse.Dimension{"PERSON"}},
		`By: MONTH is given twice`:                                         {By: []warehouse.Dimension{"MONTH", "MONTH"}},
		`RegionLevel: "GALAXY" is no level`:                                {RegionLevel: "GALAXY"},
		`Limit: -1 cells are impossible`:                                   {Limit: -1},
		`lies after the watermark ` + w.end().Format(time.RFC3339Nano):     {AsOf: new(w.end().Add(time.Microsecond))},
		`Where.OriginTo: 2025-03-01T00:00:00Z lies before OriginFrom 2025`: {Where: warehouse.Filter{OriginFrom: &late, OriginTo: &early}},
	} {
		for _, ask := range h.asks() {
			_, err := ask(t.Context(), q)
			require.ErrorContains(t, err, message)
			require.ErrorAs(t, err, new(*warehouse.InputError))
		}
	}
	for message, q := range map[string]warehouse.HotspotQuery{
		"hotspots cannot be split by MONTH":                           {Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByMonth}}},
		"hotspots compare regions; add REGION":                        {Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByCategory}}},
		"region 350101000000 is a COUNTY, below the level PREFECTURE": {Query: warehouse.Query{RegionLevel: "PREFECTURE", Where: warehouse.Filter{Regions: []string{"350101000000"}}}},
		"does not lie after From":                                     {From: late, To: early},
	} {
		_, err := h.Hotspots(t.Context(), q)
		require.ErrorContains(t, err, message)
		require.ErrorAs(t, err, new(*warehouse.InputError))
	}
}

type ask = func(context.Context, warehouse.Query) (*warehouse.Table, error)

func (h *house) asks() []ask {
	return []ask{h.TimeToResponse, h.TimeToResolution, h.Backlog}
}

func TestValuesCannotBecomeSQL(t *testing.T) {
	t.Parallel()
	h := open(t)
	newWorld(4, 50).load(h, nil)
	for _, evil := range []string{`'`, `\`, `\'`, `') OR 1=1 --`, `HOTLINE' OR '1'='1`, "{as_of:Int64}", "\x00", "a\tb\nc", "]", "['HOTLINE']", "回复"} {
		for _, f := range []warehouse.Filter{{Channels: []string{evil}}, {Kinds: []string{evil}}, {Severities: []string{evil, evil}}} {
			for _, ask := range h.asks() {
				got, err := ask(t.Context(), warehouse.Query{Where: f})
				require.NoError(t, err, "%q", evil)
				require.Empty(t, got.N, "%q matches nothing", evil)
			}
		}
		for _, f := range []warehouse.Filter{{Regions: []string{evil}}, {Categories: []string{evil}}} {
			_, err := h.Backlog(t.Context(), warehouse.Query{Where: f})
			require.ErrorAs(t, err, new(*warehouse.InputError), "%q", evil)
		}
	}
	got, err := h.Backlog(t.Context(), warehouse.Query{Where: warehouse.Filter{Channels: []string{"HOTLINE", `'`}}})
	require.NoError(t, err)
	require.NotEmpty(t, got.N, "the good value still matches")
}

func TestNothingGivesAnEmptyTable(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(3, start)
	for _, ask := range h.asks() {
		got, err := ask(t.Context(), warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}})
		require.NoError(t, err)
		require.Empty(t, got.N)
		require.Len(t, got.Dims, 1)
		require.Equal(t, warehouse.Watermark{LSN: 3, CommittedAt: start}, got.Watermark)
		for _, n := range got.Nums {
			require.Empty(t, n.Value)
			require.NotEmpty(t, n.Unit)
		}
	}
	got, err := h.Hotspots(t.Context(), warehouse.HotspotQuery{})
	require.NoError(t, err)
	require.Empty(t, got.N)
}

func TestCellsAreCutAtTheLimit(t *testing.T) {
	t.Parallel()
	h := open(t)
	newWorld(5, 200).load(h, nil)
	q := warehouse.Query{By: []warehouse.Dimension{warehouse.ByMonth, warehouse.ByChannel}}
	whole, err := h.TimeToResponse(t.Context(), q)
	require.NoError(t, err)
	q.Limit = 4
	cut, err := h.TimeToResponse(t.Context(), q)
	require.NoError(t, err)
	require.True(t, cut.Truncated)
	require.Equal(t, whole.N[:4], cut.N)
	require.Equal(t, whole.Dims[0].Keys[:4], cut.Dims[0].Keys)
	require.Len(t, cut.Nums[0].Value, 4)
	require.Len(t, cut.Flags["unstable"], 4)
}

// With too many distinct times, they are counted in coarser units, and thresholds stay exact.
func TestCoarserTimesKeepTheThresholds(t *testing.T) {
	t.Parallel()
	h := open(t)
	newWorld(6, 2000).load(h, nil)
	fine, err := h.TimeToResponse(t.Context(), warehouse.Query{})
	require.NoError(t, err)
	require.Empty(t, fine.Notes)
	h.HandOver(1300) // in seconds, nearly every issue has a time of its own
	coarse, err := h.TimeToResponse(t.Context(), warehouse.Query{})
	require.NoError(t, err)
	require.Contains(t, coarse.Notes[0], "whole hours")
	require.Equal(t, fine.N, coarse.N)
	require.InDelta(t, value(t, fine, "medianDays", 0), value(t, coarse, "medianDays", 0), 1.0/24)
	require.InDelta(t, value(t, fine, "responded24h", 0), value(t, coarse, "responded24h", 0), 0.005)
	past, err := h.TimeToResponse(t.Context(), warehouse.Query{AsOf: new(fine.AsOf)})
	require.NoError(t, err, "the guard is for the answer, not for the issues that it is made of")
	require.Equal(t, coarse.Nums, past.Nums)
	h.HandOver(1)
	_, err = h.TimeToResponse(t.Context(), warehouse.Query{})
	require.ErrorContains(t, err, "split by less")
}

// Shares within 60 days of many cells are counted by day in the end, and are those by second but for the order within a day.
func TestSharesOfManyCellsAreCountedByDay(t *testing.T) {
	t.Parallel()
	h := open(t)
	newWorld(16, 4000).load(h, nil)
	q := warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}, RegionLevel: "PREFECTURE"}}
	fine, err := h.Ask(t.Context(), "E1", q)
	require.NoError(t, err)
	require.Empty(t, fine.Notes)
	h.HandOver(1300) // 3 places with 7 kinds of matter on 61 days are fewer
	h.Arrays(20_000) // and have as many counts by day, not by hour
	coarse, err := h.Ask(t.Context(), "E1", q)
	require.NoError(t, err)
	require.Contains(t, coarse.Notes[0], "whole days")
	require.Equal(t, fine.N, coarse.N)
	require.Equal(t, fine.Excluded, coarse.Excluded)
	for _, name := range []string{"crude", "standardised", "target", "covered", "low95", "high998"} {
		for row := range fine.N {
			require.InDelta(t, value(t, fine, name, row), value(t, coarse, name, row), 0.01, "%s of row %d", name, row)
		}
	}
	_, err = h.Ask(t.Context(), "E1B", warehouse.Question{})
	require.ErrorContains(t, err, "split by less", "mean times are not counted by day")
}

func TestReadYourWrites(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, err := h.Watermark(t.Context())
	require.ErrorIs(t, err, warehouse.ErrUnavailable)
	require.ErrorContains(t, err, "groundwork etl")
	h.watermark(100, start)
	late, err := h.Backlog(t.Context(), warehouse.Query{MinLSN: 200, Wait: 30 * time.Millisecond})
	require.NoError(t, err)
	require.False(t, late.Fresh)
	require.EqualValues(t, 100, late.Watermark.LSN)

	done := make(chan *warehouse.Table, 1)
	go func() {
		got, err := h.Backlog(t.Context(), warehouse.Query{MinLSN: 200, Wait: time.Minute})
		if err != nil {
			t.Error(err)
		}
		done <- got
	}()
	h.watermark(200, start.Add(time.Second))
	got := <-done
	require.True(t, got.Fresh)
	require.EqualValues(t, 200, got.Watermark.LSN)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = h.Backlog(ctx, warehouse.Query{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestWithoutAWarehouse(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, start)
	require.NoError(t, h.Exec(t.Context(), "DROP TABLE f_issue"))
	_, err := h.Backlog(t.Context(), warehouse.Query{})
	require.ErrorIs(t, err, warehouse.ErrUnavailable)
	require.ErrorContains(t, err, "groundwork migrate")
	require.NoError(t, h.Close())
	_, err = h.Backlog(t.Context(), warehouse.Query{})
	require.ErrorIs(t, err, warehouse.ErrUnavailable)

	h = open(t)
	h.watermark(1, start)
	require.NoError(t, h.Exec(t.Context(), "ALTER TABLE f_issue RENAME COLUMN closed_at TO closed"))
	_, err = h.Backlog(t.Context(), warehouse.Query{})
	require.ErrorContains(t, err, "ClickHouse refuses the statement", "waiting mends no statement")
	require.NotErrorIs(t, err, warehouse.ErrUnavailable)

	for code, remedy := range map[int]string{159: "narrow the filter", 241: "split by less", 202: "as many queries at once", 210: "", 497: "may not read"} {
		err := h.Refused(t.Context(), code)
		require.ErrorIs(t, err, warehouse.ErrUnavailable)
		require.ErrorContains(t, err, remedy)
	}
	for _, code := range []int{47, 62, 6, 395} { // unknown identifier, syntax, a text that is no number, throwIf
		err := h.Refused(t.Context(), code)
		require.ErrorContains(t, err, "ClickHouse refuses the statement")
		require.NotErrorIs(t, err, warehouse.ErrUnavailable)
	}
}

// A name that two parts of a statement use for different things is an error, not the other's value.
func TestParametersHaveOneValue(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, err := h.AskOf(t.Context(), 1, 2)
	require.ErrorContains(t, err, "parameter n different values")
	n, err := h.AskOf(t.Context(), 3, 3)
	require.NoError(t, err)
	require.EqualValues(t, 3, n)
}
