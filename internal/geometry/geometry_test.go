package geometry

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
	"github.com/stretchr/testify/require"
)

func TestNeighboursShareABorderOrACorner(t *testing.T) {
	t.Parallel()
	shapes := []Shape{
		Box(0, 0, 1, 1),                // 0
		Box(0, 1, 1, 2),                // 1: beside 0
		Box(1, 1, 2, 2),                // 2: above 1, at the corner of 0
		Box(1, -0.5, 1.5, 0.5),         // 3: its corners lie on the line of 0
		Box(5, 5, 6, 6),                // 4: an island
		Box(0, 2.000005, 1, 3),         // 5: half a metre from 1
		Box(0, 3.001, 1, 4),            // 6: a hundred metres from 5
		Box(0.5, 3.5, 0.6, 3.6),        // 7: within 6, touching nothing
		Box(-0.5, 0.2, 0.5, 0.4),       // 8: drawn over the border of 0
		Box(-1, -1, -0.000001, -1e-06), // 9: near the corner of 0 only
	}
	require.Equal(t, [][2]int{{0, 1}, {0, 2}, {0, 3}, {0, 8}, {0, 9}, {1, 2}, {1, 5}, {2, 5}}, Neighbours(shapes))
	require.Empty(t, Neighbours(nil))
}

// A grid has its queen neighbours, whatever the size of its cells: 8 in the middle, 5 at the edge, 3 in the corner.
func TestNeighboursOfAGrid(t *testing.T) {
	t.Parallel()
	const size = 12
	var shapes []Shape
	for row := range size {
		for column := range size {
			shapes = append(shapes, Box(float64(row)/3, float64(column)/7, float64(row+1)/3, float64(column+1)/7))
		}
	}
	degree := map[int]int{}
	for _, p := range Neighbours(shapes) {
		degree[p[0]]++
		degree[p[1]]++
	}
	counts := map[int]int{}
	for _, d := range degree {
		counts[d]++
	}
	require.Equal(t, map[int]int{3: 4, 5: 4 * (size - 2), 8: (size - 2) * (size - 2)}, counts)
}

func TestShapesAreExamined(t *testing.T) {
	t.Parallel()
	for want, text := range map[string]string{
		"3 positions make no ring":   `{"type":"Polygon","coordinates":[[[0,0],[1,0],[0,0]]]}`,
		"close the ring":             `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}`,
		"lies on no map":             `{"type":"Polygon","coordinates":[[[500000,3000000],[500001,3000000],[500001,3000001],[500000,3000000]]]}`,
		"crosses itself":             `{"type":"Polygon","coordinates":[[[0,0],[2,2],[2,0],[0,3],[0,0]]]}`,
		"encloses no area":           `{"type":"Polygon","coordinates":[[[0,0],[1,0],[2,0],[0,0]]]}`,
		"a Point is no outline":      `{"type":"Point","coordinates":[0,0]}`,
		"it has no ring":             `{"type":"MultiPolygon","coordinates":[]}`,
		"part 1 has no ring":         `{"type":"Polygon","coordinates":[]}`,
		"ring 2 of part 1: encloses": "",
		"read the outline":           `{"type":"Polygon","coordinates":"x"}`,
	} {
		if text == "" {
			want, text = "ring 2 of part 1", `{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,0]],[[1,1],[1,1],[1,1],[1,1]]]}`
		}
		_, err := Parse([]byte(text))
		require.ErrorContains(t, err, want)
	}
	_, err := New(nil)
	require.ErrorContains(t, err, "no geometry")
	_, err = New(orb.Polygon{{{0, 0}, {math.NaN(), 0}, {1, 1}, {0, 0}}})
	require.ErrorContains(t, err, "on no map")
}

func TestShapesAreRounded(t *testing.T) {
	t.Parallel()
	s, err := Parse([]byte(`{"type":"MultiPolygon","coordinates":[[[[112.00000049,28],[113,28],[113.0000001,28],[113,30],[112,30],[112.00000049,28]]]]}`))
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"Polygon","coordinates":[[[112,28],[113,28],[113,30],[112,30],[112,28]]]}`, s.GeoJSON())
	require.InDelta(t, 29, s.Centroid.Lat(), 1e-9)
	require.InDelta(t, 112.5, s.Centroid.Lon(), 1e-9)
	again, err := Parse([]byte(s.GeoJSON()))
	require.NoError(t, err)
	require.Equal(t, s, again)
}
