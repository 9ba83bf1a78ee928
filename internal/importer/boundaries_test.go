package importer

import (
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork"
)

const twoCounties = `{"type":"FeatureCollection","features":[
	{"type":"Feature","properties":{"adcode":990101,"name":"A1区"},"geometry":{"type":"Polygon","coordinates":[[[112,28],[113,28],[113,29],[112,29],[112,28]]]}},
	{"type":"Feature","properties":{"code":"990102000000"},"geometry":{"type":"MultiPolygon","coordinates":[[[[113,28],[114,28],[114,29],[113,29],[113,28]]]]}},
	{"type":"Feature","properties":{"code":"990102"},"geometry":{"type":"Polygon","coordinates":[[[113,28],[114,28],[114,29],[113,29],[113,28]]]}},
	{"type":"Feature","properties":{"code":"990101"},"geometry":{"type":"Polygon","coordinates":[[[113,28],[114,28],[114,29],[113,28]]]}},
	{"type":"Feature","properties":{"name":"x"},"geometry":{"type":"Polygon","coordinates":[]}},
	{"type":"Feature","properties":{"code":"99010x"},"geometry":null},
	{"type":"Feature","properties":{"code":"990103"},"geometry":null},
	{"type":"Feature","properties":{"code":"990104"},"geometry":{"type":"Polygon","coordinates":[[[113,28],[114,28],[114,29],[113,29]]]}}]}`

func TestReadBoundaries(t *testing.T) {
	t.Parallel()
	table, err := ReadBoundaries([]byte(twoCounties), "c.geojson", "", "survey")
	require.NoError(t, err)
	require.Equal(t, 8, table.Read)
	require.Equal(t, 1, table.Duplicates)
	require.Len(t, table.Rows, 2)
	require.Equal(t, groundwork.BoundaryRow{Line: 1, Code: "990101000000", Boundary: groundwork.Boundary{
		GeoJSON: `{"coordinates":[[[112,28],[113,28],[113,29],[112,29],[112,28]]],"type":"Polygon"}`, South: 28, West: 112, North: 29, East: 113,
		Latitude: 28.5, Longitude: 112.5, Source: "survey"}}, table.Rows[0])
	require.NoError(t, table.Rows[1].Boundary.Validate())
	var refused [][3]string
	for _, r := range table.Rejects {
		refused = append(refused, [3]string{r.Field, r.Value, r.Reason})
	}
	require.Len(t, refused, 5)
	require.Equal(t, [2]string{"code", "990101000000"}, [2]string(refused[0][:2]))
	require.Contains(t, refused[1][2], "--code-property")
	require.Equal(t, [2]string{"code", "99010x"}, [2]string(refused[2][:2]))
	require.Contains(t, refused[3][2], "no geometry")
	require.Contains(t, refused[4][2], "close the ring")

	named, err := ReadBoundaries([]byte(twoCounties), "c.geojson", "name", "survey")
	require.NoError(t, err)
	require.Empty(t, named.Rows, "the property named is the only one that is looked at")
	for text, want := range map[string]string{`{"type":"Feature"}`: "FeatureCollection", `<svg/>`: "FeatureCollection of GeoJSON"} {
		_, err := ReadBoundaries([]byte(text), "x", "", "")
		require.ErrorContains(t, err, want)
	}

	pairs, err := BorderPairs([]groundwork.Outline{{Code: "a", GeoJSON: table.Rows[0].Boundary.GeoJSON}, {Code: "b", GeoJSON: table.Rows[1].Boundary.GeoJSON}})
	require.NoError(t, err)
	require.Equal(t, []groundwork.NeighbourRow{{Codes: [2]string{"a", "b"}, Source: groundwork.SharedBorder}}, pairs)
	_, err = BorderPairs([]groundwork.Outline{{Code: "a", GeoJSON: "{}"}})
	require.ErrorContains(t, err, "outline of region a")
}

func TestReadNeighbours(t *testing.T) {
	t.Parallel()
	table, err := ReadNeighbours([]byte("区划代码,相邻区划代码,生效日期\n990101000000,990102000000,2020-01-01\n990102000000,990101000000,\n990101000000,99,\n"), "n.csv")
	require.NoError(t, err)
	require.Equal(t, []groundwork.NeighbourRow{{Line: 2, Codes: [2]string{"990101000000", "990102000000"}, Source: groundwork.ListedPair, From: new(day("2020-01-01"))}}, table.Rows)
	require.Len(t, table.Rejects, 2, "the same pair the other way round says something else; and 99 is no code")
}
