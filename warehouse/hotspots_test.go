package warehouse_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// personYears of the counties by the world's own knowledge: every year counts 1, and all populations are of 2025.
func (w *world) personYears(years float64) map[string]float64 {
	exposure := map[string]float64{}
	for _, r := range w.regions {
		if r.Level != "COUNTY" {
			continue
		}
		if persons, ok := w.people[r.Code]; ok {
			exposure[r.Code] = float64(persons) * years
			continue
		}
		sum, all := 0.0, true
		for _, town := range w.regions {
			if town.Level == "TOWNSHIP" && strings.Contains(town.Path, r.Code) {
				persons, ok := w.people[town.Code]
				sum, all = sum+float64(persons), all && ok
			}
		}
		if all {
			exposure[r.Code] = sum * years
		}
	}
	return exposure
}

// shrunken is Marshall's estimate straight from its formulas, rates per person-year.
func shrunken(issues, exposure map[string]float64) map[string]float64 {
	var o, p, spread float64
	for code, e := range exposure {
		o, p = o+issues[code], p+e
	}
	mu := o / p
	for code, e := range exposure {
		spread += e * (issues[code]/e - mu) * (issues[code]/e - mu)
	}
	between := max(0, spread/p-mu/(p/float64(len(exposure))))
	rates := map[string]float64{}
	for code, e := range exposure {
		weight := 0.0
		if between > 0 {
			weight = between / (between + mu/e)
		}
		rates[code] = weight*issues[code]/e + (1-weight)*mu
	}
	return rates
}

func TestHotspotsAgreeWithTheirDefinition(t *testing.T) {
	t.Parallel()
	w := newWorld(7, 600)
	h := open(t)
	w.load(h, nil)
	from, to := time.Date(2025, 4, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 4, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 73) // a fifth of 2025
	for _, by := range [][]warehouse.Dimension{nil, {warehouse.ByCategory, warehouse.ByRegion}} {
		for _, asOf := range []*time.Time{nil, new(to.AddDate(0, 0, 5))} {
			q := warehouse.HotspotQuery{From: from, To: to, Query: warehouse.Query{By: by, AsOf: asOf, Timezone: "UTC"}}
			got, err := h.Hotspots(t.Context(), q)
			require.NoError(t, err)
			w.checkHotspots(t, got, q)
		}
	}
}

func (w *world) checkHotspots(t *testing.T, got *warehouse.Table, q warehouse.HotspotQuery) {
	t.Helper()
	inner := q.Query
	inner.RegionLevel = "COUNTY"
	inner.Where.OriginFrom, inner.Where.OriginTo = &q.From, &q.To
	if inner.By == nil {
		inner.By = []warehouse.Dimension{warehouse.ByRegion}
	}
	region := slices.Index(inner.By, warehouse.ByRegion)
	cells, merged := w.cells(inner)
	require.Equal(t, merged, got.Excluded["merged"])
	exposure := w.personYears(0.2)
	byCategory := map[string]map[string]float64{}
	for row, n := range got.N {
		parts := strings.Split(rowKey(got, row), "|")
		category := ""
		if len(parts) == 2 {
			category = parts[1-region]
		}
		if byCategory[category] == nil {
			byCategory[category] = map[string]float64{}
		}
		byCategory[category][parts[region]] = float64(len(cells[rowKey(got, row)]))
		require.EqualValues(t, len(cells[rowKey(got, row)]), n)
		repeats := 0.0
		for _, i := range cells[rowKey(got, row)] {
			repeats += float64(i.Opinions - 1)
		}
		same(t, got, "repeats", row, repeats, true)
	}
	for row := range got.N {
		parts := strings.Split(rowKey(got, row), "|")
		category := ""
		if len(parts) == 2 {
			category = parts[1-region]
		}
		code := parts[region]
		want := shrunken(byCategory[category], exposure)
		p, known := exposure[code]
		require.Equal(t, !known, got.Flags["noPopulation"][row], code)
		same(t, got, "personYears", row, p, known)
		same(t, got, "rate", row, want[code]*1000, known)
		same(t, got, "rawRate", row, byCategory[category][code]/p*1000, known)
		if rank := num(t, got, "rank", row); rank != nil {
			higher := 1
			for _, other := range want {
				if other > want[code]+1e-12 {
					higher++
				}
			}
			require.Equal(t, float64(higher), *rank)
		}
	}
}

func TestHotspotsWithoutPopulations(t *testing.T) {
	t.Parallel()
	w := newWorld(8, 100)
	w.people = nil
	h := open(t)
	w.load(h, nil)
	got, err := h.Hotspots(t.Context(), warehouse.HotspotQuery{})
	require.NoError(t, err)
	require.NotEmpty(t, got.N)
	for row := range got.N {
		require.True(t, got.Flags["noPopulation"][row])
		require.Nil(t, num(t, got, "rate", row))
		require.Nil(t, num(t, got, "rank", row))
	}
	require.Contains(t, strings.Join(got.Notes, "\n"), "groundwork import populations FILE")
}

func TestPopulationsAreInterpolated(t *testing.T) {
	t.Parallel()
	h := open(t)
	r := region{ID: someIssue().ID, Code: "110101000000", Level: "COUNTY", Path: "110101000000", Name: "county"}
	one := someIssue()
	one.Region = &r.ID
	insert(h, "d_region", r)
	insert(h, "f_issue", one)
	insert(h, "d_population", population{r.ID, 2020, 1000}, population{r.ID, 2030, 2000})
	h.watermark(1, start.AddDate(20, 0, 0))
	for year, want := range map[int]float64{2015: 1000, 2020: 1000, 2025: 1500, 2029: 1900, 2033: 2000} {
		from := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		got, err := h.Hotspots(t.Context(), warehouse.HotspotQuery{From: from, To: from.AddDate(1, 0, 0), Query: warehouse.Query{Timezone: "UTC"}})
		require.NoError(t, err)
		require.InDelta(t, want, value(t, got, "personYears", 0), 0.5, year)
		require.Contains(t, strings.Join(got.Notes, "\n"), "no between-area signal")
	}
}
