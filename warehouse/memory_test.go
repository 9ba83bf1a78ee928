package warehouse_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// What answers remember of regions and categories is what somebody finds who remembers nothing, whatever happens to these tables in between.
func TestWhatIsRememberedIsAsTheTablesAre(t *testing.T) {
	t.Parallel()
	w := newWorld(17, 120)
	h := open(t)
	w.load(h, nil)
	h.position(w.end())
	h.keep()
	same := func() (hotspots, resolution *warehouse.Table) {
		t.Helper()
		for _, asked := range []struct {
			code string
			by   warehouse.Dimension
			of   **warehouse.Table
		}{{"H1", warehouse.ByRegion, &hotspots}, {"T2", warehouse.ByCategory, &resolution}} {
			q := warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{asked.by}, RegionLevel: "COUNTY"}}
			for range 2 { // read, and remembered
				stranger := warehouse.NewMeasures(h.DB)
				want, err := stranger.Ask(t.Context(), asked.code, q)
				require.NoError(t, err)
				got, err := h.Ask(t.Context(), asked.code, q)
				require.NoError(t, err)
				require.Equal(t, want, got, asked.code)
				*asked.of = got
			}
		}
		return hotspots, resolution
	}
	hotspots, resolution := same()
	for _, what := range []string{"regions", "the base of issues", "the span of the data", "names of categories"} {
		require.True(t, h.Remembers(what), what)
	}
	county := w.regions[0]
	for _, r := range w.regions {
		if r.Level == "COUNTY" && w.people[r.Code] > 0 && r.Code == hotspots.Dims[0].Keys[0].Code {
			county = r
		}
	}
	require.Equal(t, hotspots.Dims[0].Keys[0].Code, county.Code)
	years := value(t, hotspots, "personYears", 0)

	county.Name = "renamed"
	insert(h, "d_region", county)
	hotspots, _ = same()
	require.Equal(t, "renamed", hotspots.Dims[0].Keys[0].Label)

	insert(h, "d_population", population{county.ID, 2025, 2 * w.people[county.Code]})
	hotspots, _ = same()
	require.InDelta(t, 2*years, value(t, hotspots, "personYears", 0), 1e-6*years)

	for _, r := range w.regions {
		if r.Level == "COUNTY" && r.ID != county.ID {
			insert(h, "d_region_neighbour", neighbours{county.ID, r.ID})
			break
		}
	}
	same()
	require.NoError(t, h.Exec(t.Context(), "ALTER TABLE d_population DELETE WHERE region_id = {r:UUID} SETTINGS mutations_sync = 2", named("r", county.ID.String())))
	same()

	known := slices.IndexFunc(resolution.Dims[0].Keys, func(k warehouse.Key) bool { return k.Code != "" })
	for _, c := range w.categories {
		if c.Code == resolution.Dims[0].Keys[known].Code {
			c.Path = []string{"called something else"}
			insert(h, "d_category", c)
		}
	}
	_, resolution = same()
	require.Equal(t, "called something else", resolution.Dims[0].Keys[known].Label)

	// As a load does: another table in the place of a mirror, with as many parts of the same numbers.
	exec := func(statement string) { require.NoError(t, h.Exec(t.Context(), statement), statement) }
	exec("OPTIMIZE TABLE d_category FINAL")
	for _, label := range []string{"before", "swapped"} {
		exec("CREATE TABLE beside AS d_category")
		exec("INSERT INTO beside SELECT * REPLACE (['" + label + "'] AS path) FROM d_category FINAL")
		exec("EXCHANGE TABLES d_category AND beside")
		exec("DROP TABLE beside SYNC")
		_, resolution = same()
		require.Equal(t, label, resolution.Dims[0].Keys[known].Label)
	}

	arrived := someIssue()
	arrived.Region = &county.ID
	insert(h, "f_issue", arrived)
	h.position(w.end())
	same()
	h.keep()
	same()
}
