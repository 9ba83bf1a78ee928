package warehouse_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// every asks each measure of the registry by each of its dimensions.
func every(t *testing.T, ask func(m warehouse.Measure, by []warehouse.Dimension)) {
	t.Helper()
	for _, m := range warehouse.Registry() {
		if m.Code != "H1" { // which compares regions
			ask(m, nil)
		}
		for _, d := range m.Dimensions {
			if m.Code[0] == 'H' && m.Code < "H4" && d != warehouse.ByRegion {
				ask(m, []warehouse.Dimension{warehouse.ByRegion, d})
				continue
			}
			ask(m, []warehouse.Dimension{d})
		}
	}
}

// wellFormed: columns as the registry says, all of the same length, nothing that is no number, ends around what they belong to.
func wellFormed(t *testing.T, m warehouse.Measure, table *warehouse.Table) {
	t.Helper()
	require.Equal(t, m.Code, table.Measure)
	require.Len(t, table.Nums, len(m.Columns), m.Code)
	headline := false
	for i, n := range table.Nums {
		name := m.Code + " " + n.Name
		require.Equal(t, m.Columns[i].Name, n.Name)
		require.Equal(t, m.Columns[i].Unit, n.Unit, name)
		headline = headline || n.Name == m.Headline
		require.Len(t, n.Value, len(table.N), name)
		for row, v := range n.Value {
			if n.Of != nil {
				require.Len(t, n.Of, len(table.N), name)
			}
			if v == nil || n.Lo == nil {
				continue
			}
			if lo, hi := n.Lo[row], n.Hi[row]; lo != nil && hi != nil {
				require.LessOrEqual(t, *lo, *hi+1e-12, name)
				require.LessOrEqual(t, *lo, *v+1e-9, name)
				require.GreaterOrEqual(t, *hi, *v-1e-9, name)
			}
			if n.Unit == "share" {
				require.GreaterOrEqual(t, *v, 0.0, name)
				require.LessOrEqual(t, *v, 1.0, name)
			}
		}
	}
	require.True(t, headline, "%s has no column %s", m.Code, m.Headline)
	for name, flags := range table.Flags {
		require.Len(t, flags, len(table.N), "%s %s", m.Code, name)
	}
}

func TestEveryMeasureAnswersEveryQuestion(t *testing.T) {
	t.Parallel()
	w := newWorld(5, 300)
	h := open(t)
	w.load(h, nil)
	past := w.end().Add(-40 * 24 * time.Hour)
	every(t, func(m warehouse.Measure, by []warehouse.Dimension) {
		ask := func(asOf *time.Time, protect bool) {
			q := warehouse.Question{Query: warehouse.Query{By: by, RegionLevel: "COUNTY", AsOf: asOf, Protect: protect}}
			table, err := h.Ask(t.Context(), m.Code, q)
			require.NoError(t, err, "%s by %v", m.Code, by)
			wellFormed(t, m, table)
		}
		ask(nil, false)
		ask(nil, true)
		if len(by) == 1 && by[0] == warehouse.ByRegion {
			ask(&past, false)
		}
		if len(by) == 0 { // as whoever asks for nothing but the measure
			table, err := h.Ask(t.Context(), m.Code, warehouse.Question{Query: warehouse.Query{Protect: true}})
			require.NoError(t, err, m.Code)
			wellFormed(t, m, table)
		}
	})
}

func TestMeasuresOfAnEmptyWarehouse(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, start)
	every(t, func(m warehouse.Measure, by []warehouse.Dimension) {
		for _, protect := range []bool{false, true} {
			table, err := h.Ask(t.Context(), m.Code, warehouse.Question{Query: warehouse.Query{By: by, RegionLevel: "COUNTY", Protect: protect}})
			require.NoError(t, err, "%s by %v", m.Code, by)
			require.Empty(t, table.N, m.Code)
		}
	})
}

func TestTheRegistryIsComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, m := range warehouse.Registry() {
		require.False(t, seen[m.Code], m.Code)
		seen[m.Code] = true
		for _, text := range []string{m.Version, m.Name, m.ChineseName, m.Meaning, m.Numerator, m.Denominator, m.Anchor, m.Censoring, m.Interval, m.Source, m.Method} {
			require.NotEmpty(t, strings.TrimSpace(text), m.Code)
		}
		require.NotEmpty(t, m.Caveats, m.Code)
		names := map[string]bool{}
		for _, c := range m.Columns {
			require.False(t, names[c.Name], "%s %s", m.Code, c.Name)
			names[c.Name] = true
			require.NotEmpty(t, c.English)
			require.NotEmpty(t, c.Chinese)
		}
	}
}

func TestWrongQuestionsToTheRegistry(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, start)
	later := start.Add(time.Hour)
	for want, ask := range map[string]func() error{
		`Measure: "X9" is no measure`: func() error { _, err := h.Ask(t.Context(), "X9", warehouse.Question{}); return err },
		"F1 cannot be split by CHANNEL": func() error {
			_, err := h.Ask(t.Context(), "F1", warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByChannel}}})
			return err
		},
		"does not lie after From": func() error {
			_, err := h.Ask(t.Context(), "Q1", warehouse.Question{From: &later, To: &start})
			return err
		},
		"MONTH is a second dimension of": func() error {
			_, err := h.Ask(t.Context(), "Q1", warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByWeek, warehouse.ByMonth}}})
			return err
		},
		`"BEST" is no segment`: func() error {
			_, err := h.Ask(t.Context(), "Q1", warehouse.Question{Query: warehouse.Query{Where: warehouse.Filter{Segments: []warehouse.Segment{"BEST"}}}})
			return err
		},
		"visits have a place and a time, no": func() error {
			_, err := h.Ask(t.Context(), "F1", warehouse.Question{Query: warehouse.Query{Where: warehouse.Filter{Kinds: []string{"HELP"}}}})
			return err
		},
	} {
		err := ask()
		require.ErrorContains(t, err, want)
		require.ErrorAs(t, err, new(*warehouse.InputError))
	}
}
