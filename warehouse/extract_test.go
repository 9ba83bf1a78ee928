package warehouse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

type extracted struct {
	opinion
	Kind            string    `ch:"kind"`
	Region          uuid.UUID `ch:"region_id"`
	Confidentiality string    `ch:"confidentiality"`
}

// Random opinions: whatever comes out is k-anonymous and diverse, and every row is either there or left out for a reason.
func TestNobodyStandsOutInAnExtract(t *testing.T) {
	t.Parallel()
	h := open(t)
	w := newWorld(6, 10)
	w.load(h, nil)
	require.NoError(t, h.Exec(t.Context(), "TRUNCATE TABLE f_opinion"))
	var said []extracted
	month := time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC)
	for n := range 3000 {
		region := w.regions[w.rnd.IntN(len(w.regions))]
		var reporter *uuid.UUID
		if w.rnd.IntN(4) > 0 {
			reporter = new(uuid.MustParse(fmt.Sprintf("00000000-0000-7000-8000-%012d", w.rnd.IntN(40))))
		}
		kind := []string{"HELP", "COMPLAINT", "REPORT"}[w.rnd.IntN(3)]
		if n%11 == 0 {
			kind = "THANKS"
		}
		said = append(said, extracted{opinion{w.uuid(), reporter, []string{"HOTLINE", "ONLINE", "LETTER"}[w.rnd.IntN(3)], month.AddDate(0, w.rnd.IntN(3), w.rnd.IntN(20))},
			kind, region.ID, []string{"PUBLIC", "NAME_HIDDEN", "CONFIDENTIAL"}[w.rnd.IntN(3)]})
	}
	insert(h, "f_opinion", said...)
	x, err := h.Extract(t.Context(), warehouse.ExtractQuery{RegionLevel: "COUNTY"})
	require.NoError(t, err)
	require.NotEmpty(t, x.Rows)
	all := len(x.Rows)
	for why, n := range x.LeftOut {
		require.Positive(t, n, why)
		all += int(n)
	}
	require.Len(t, said, all, "every opinion is there or accounted for: %v", x.LeftOut)
	type group struct{ region, month, category, channel string }
	persons, kinds := map[group]map[uuid.UUID]bool{}, map[group]map[string]bool{}
	for _, r := range x.Rows {
		g := group{r.RegionCode, r.Month, r.CategoryCode, r.Channel}
		if persons[g] == nil {
			persons[g], kinds[g] = map[uuid.UUID]bool{}, map[string]bool{}
		}
		who := uuid.Nil // all unknown ones may be one
		if r.Reporter != nil {
			who = *r.Reporter
		}
		persons[g][who], kinds[g][r.Kind] = true, true
		require.NotEqual(t, "REPORT", r.Kind)
	}
	for g := range persons {
		require.GreaterOrEqual(t, len(persons[g]), warehouse.ExtractPersons, "%v", g)
		require.GreaterOrEqual(t, len(kinds[g]), warehouse.ExtractKinds, "%v", g)
	}
	few, err := h.Extract(t.Context(), warehouse.ExtractQuery{RegionLevel: "COUNTY", From: new(month), To: new(month.AddDate(0, 1, 0))})
	require.NoError(t, err)
	for _, r := range few.Rows {
		require.Equal(t, "2025-05", r.Month)
	}
	require.Less(t, len(few.Rows), len(x.Rows))
}
