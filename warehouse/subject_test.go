package warehouse_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

type unitRow struct {
	ID     uuid.UUID  `ch:"id"`
	Parent *uuid.UUID `ch:"parent_id"`
	Name   string     `ch:"name"`
}

type postRow struct {
	ID   uuid.UUID `ch:"id"`
	Unit uuid.UUID `ch:"org_unit_id"`
}

type visitRow struct {
	ID      uuid.UUID `ch:"id"`
	Lead    uuid.UUID `ch:"lead_id"`
	Started time.Time `ch:"started_at"`
	State   string    `ch:"state"`
}

type leadRow struct {
	issue
	Unit *uuid.UUID `ch:"lead_unit_id"`
}

func id() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// A bureau with a section below it and a post in each: three visits were held by the one, two by the other; each leads an issue.
func TestSubjects(t *testing.T) {
	t.Parallel()
	h := open(t)
	bureau, section, head, clerk := id(), id(), id(), id()
	insert(h, "d_org_unit", unitRow{ID: bureau, Name: "Bureau"}, unitRow{ID: section, Parent: &bureau, Name: "Section"})
	insert(h, "d_post_holding", postRow{head, bureau}, postRow{clerk, section})
	for i, lead := range []uuid.UUID{head, head, head, clerk, clerk} {
		insert(h, "f_visit", visitRow{id(), lead, start.Add(time.Duration(i) * time.Hour), "HELD"})
	}
	for _, unit := range []uuid.UUID{bureau, section} {
		row := issue{ID: id(), Channel: "HOTLINE", Kind: "HELP", Severity: "NORMAL", State: "IN_PROGRESS", progress: progress{Origin: start, Opinions: 1}}
		insert(h, "f_issue", leadRow{row, &unit})
	}
	now := start.AddDate(0, 1, 0)
	h.watermark(1, now)
	ask := func(code string, by warehouse.Dimension, where warehouse.Filter) map[string]int64 {
		table, err := h.Ask(t.Context(), code, warehouse.Question{Reviewer: true, Query: warehouse.Query{By: []warehouse.Dimension{by}, Where: where}})
		require.NoError(t, err)
		found := map[string]int64{}
		for i, key := range table.Dims[0].Keys {
			found[key.ID] = table.N[i]
		}
		return found
	}
	none := warehouse.Filter{}
	require.Equal(t, map[string]int64{head.String(): 3, clerk.String(): 2}, ask("F1", warehouse.ByPost, none))
	require.Equal(t, map[string]int64{bureau.String(): 3, section.String(): 2}, ask("F1", warehouse.ByUnit, none))
	require.Equal(t, map[string]int64{clerk.String(): 2}, ask("F1", warehouse.ByPost, warehouse.Filter{Posts: []string{clerk.String()}}))
	require.Equal(t, map[string]int64{head.String(): 3, clerk.String(): 2}, ask("F1", warehouse.ByPost, warehouse.Filter{Units: []string{bureau.String()}}), "with those below")
	require.Equal(t, map[string]int64{clerk.String(): 2}, ask("F1", warehouse.ByPost, warehouse.Filter{Units: []string{section.String()}}))
	require.Equal(t, map[string]int64{bureau.String(): 1, section.String(): 1}, ask("T4", warehouse.ByUnit, none))
	require.Equal(t, map[string]int64{section.String(): 1}, ask("T4", warehouse.ByUnit, warehouse.Filter{Units: []string{section.String()}}))

	for _, q := range []warehouse.Question{
		{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByPost}}},
		{Query: warehouse.Query{Where: warehouse.Filter{Posts: []string{head.String()}}}},
		{Reviewer: true, Query: warehouse.Query{Where: warehouse.Filter{Posts: []string{"x"}}}},
	} {
		_, err := h.Ask(t.Context(), "F1", q)
		require.Error(t, err, "posts are told apart for reviewers only")
	}
	_, err := h.Ask(t.Context(), "H1", warehouse.Question{Reviewer: true, Query: warehouse.Query{Where: warehouse.Filter{Units: []string{bureau.String()}}}})
	require.ErrorContains(t, err, "cannot be asked for a UNIT")
}

// Whatever can be asked for subjects is answered, now and as of a past moment, and the same text comes of the same question.
func TestEveryMeasureOfSubjectsAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(7, 200)
	h := open(t)
	w.load(h, nil)
	past := w.end().Add(-30 * 24 * time.Hour)
	unit, post := id().String(), id().String()
	for _, m := range warehouse.Registry() {
		for _, d := range m.Subjects() {
			where := warehouse.Filter{Units: []string{unit}}
			if d == warehouse.ByPost {
				where = warehouse.Filter{Posts: []string{post}}
			}
			for _, asOf := range []*time.Time{nil, &past} {
				q := warehouse.Question{Reviewer: true, Query: warehouse.Query{By: []warehouse.Dimension{d}, AsOf: asOf}}
				first, err := h.Ask(t.Context(), m.Code, q)
				require.NoError(t, err, "%s by %s", m.Code, d)
				again, err := h.Ask(t.Context(), m.Code, q)
				require.NoError(t, err)
				one, err := first.Canonical()
				require.NoError(t, err)
				two, err := again.Canonical()
				require.NoError(t, err)
				require.Equal(t, one, two)
				q.Where = where
				table, err := h.Ask(t.Context(), m.Code, q)
				require.NoError(t, err, "%s of a %s", m.Code, d)
				require.Empty(t, table.N)
			}
		}
	}
}

func TestCanonicalNumbers(t *testing.T) {
	t.Parallel()
	value := func(v float64) []*float64 { return []*float64{&v, nil} }
	text := func(v float64) string {
		table := warehouse.Table{Measure: "T1", N: []int64{3, 0}, Nums: []warehouse.Num{{Name: "x", Value: value(v)}}, Flags: map[string][]bool{"b": {true}, "a": {false}}}
		s, err := table.Canonical()
		require.NoError(t, err)
		return s
	}
	require.Equal(t, text(0.1+0.2), text(0.3), "the last bits of a sum do not show")
	require.Equal(t, text(0), text(math.Copysign(0, -1)))
	require.NotEqual(t, text(0.3), text(0.30000001))
	require.Equal(t, `{"measure":"T1","definitionVersion":"","anchor":"","asOf":"0001-01-01T00:00:00Z","dimensions":[],"n":[3,0],`+
		`"numbers":[{"name":"x","unit":"","value":[0.3,null]}],"flags":{"a":[false],"b":[true]},"excluded":null,"truncated":false}`, text(0.3))
}
