package stats

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// goldenOf reads one part of the golden answers.
func goldenOf[T any](t *testing.T, file, part string) (v T) {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + file)
	require.NoError(t, err)
	if part == "" {
		require.NoError(t, json.Unmarshal(raw, &v))
		return v
	}
	parts := map[string]json.RawMessage{}
	require.NoError(t, json.Unmarshal(raw, &parts))
	require.NoError(t, json.Unmarshal(parts[part], &v))
	return v
}

// table reads a CSV file of numbers into columns by name.
func table(t *testing.T, file string) map[string][]float64 {
	t.Helper()
	f, err := os.Open("testdata/" + file)
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	columns := map[string][]float64{}
	for _, row := range rows[1:] {
		for i, text := range row {
			v, err := strconv.ParseFloat(text, 64)
			require.NoError(t, err)
			columns[rows[0][i]] = append(columns[rows[0][i]], v)
		}
	}
	return columns
}

// within lists the others no farther than a distance.
func within(x, y []float64, distance float64) [][]int {
	near := make([][]int, len(x))
	for i := range x {
		for j := range x {
			if i != j && math.Hypot(x[i]-x[j], y[i]-y[j]) <= distance {
				near[i] = append(near[i], j)
			}
		}
	}
	return near
}

// queen lists the neighbours on a square grid, corners included.
func queen(side int) [][]int {
	x, y := make([]float64, side*side), make([]float64, side*side)
	for i := range x {
		x[i], y[i] = float64(i%side), float64(i/side)
	}
	return within(x, y, 1.5)
}

func TestGiStarGolden(t *testing.T) {
	t.Parallel()
	g := goldenOf[struct{ Grid, Z []float64 }](t, "golden.json", "gi_star")
	z, err := GiZ(g.Grid, queen(4))
	require.NoError(t, err)
	require.InDeltaSlice(t, g.Z, z, 1e-6)
}

func TestGiStarPublished(t *testing.T) {
	t.Parallel()
	p := goldenOf[struct {
		Points [][2]float64
		Y      []float64
		Z      []float64 `json:"Gistar_z"`
	}](t, "gistar_points.json", "")
	x, y := make([]float64, len(p.Points)), make([]float64, len(p.Points))
	for i, at := range p.Points {
		x[i], y[i] = at[0], at[1]
	}
	z, err := GiZ(p.Y, within(x, y, 15))
	require.NoError(t, err)
	require.InDeltaSlice(t, p.Z, z, 1e-6)

	grid := table(t, "gistar_grid.csv")
	for _, d := range []string{"30", "60", "90", "120", "150"} {
		distance, _ := strconv.ParseFloat(d, 64)
		z, err := GiZ(grid["val"], within(grid["x"], grid["y"], distance))
		require.NoError(t, err)
		require.InDeltaSlice(t, grid["Gstar"+d], z, 1e-9, d)
	}
}

// The mean of equal values rounds: what is left of their differences is none.
func TestGiStarOfEqualValues(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		values := slices.Repeat([]float64{rng.Float64() / 100}, 49)
		g, err := GiStar(values, queen(7), 99, 1)
		require.NoError(t, err)
		require.Equal(t, slices.Repeat([]LocalG{{Z: 0, P: 1, Q: 1}}, 49), g)
	}
}

func TestGiStarPermutations(t *testing.T) {
	t.Parallel()
	values := make([]float64, 100)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range values {
		values[i] = rng.NormFloat64()
	}
	for _, i := range []int{44, 45, 54, 55, 43, 53} {
		values[i] += 6
	}
	first, err := GiStar(values, queen(10), 999, 7)
	require.NoError(t, err)
	again, err := GiStar(values, queen(10), 999, 7)
	require.NoError(t, err)
	require.Equal(t, first, again, "the seed alone decides")
	require.Less(t, first[44].Q, 0.05)
	require.Greater(t, first[44].Z, 3.0)
	require.Greater(t, first[9].P, 0.05, "a corner far from it is no hotspot")
	for i, a := range first {
		require.GreaterOrEqual(t, a.P, 1.0/1000, i)
		require.GreaterOrEqual(t, a.Q, a.P, i)
	}
	_, err = GiStar(values[:25], queen(5), 999, 7)
	require.ErrorIs(t, err, ErrTooFewAreas)
}

// Under the null the permutation p-values are uniform: about as many below a level as the level says.
func TestGiStarKeepsItsLevel(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	low, all := 0, 0
	for round := range 20 {
		values := make([]float64, 49)
		for i := range values {
			values[i] = rng.ExpFloat64()
		}
		g, err := GiStar(values, queen(7), 199, uint64(round))
		require.NoError(t, err)
		for _, a := range g {
			all++
			if a.P <= 0.1 {
				low++
			}
		}
	}
	require.InDelta(t, 0.1, float64(low)/float64(all), 0.05)
}

func TestGiStarRefuses(t *testing.T) {
	t.Parallel()
	_, err := GiZ([]float64{1, math.NaN()}, [][]int{{1}, {0}})
	require.ErrorContains(t, err, "value 1 is NaN")
	_, err = GiZ([]float64{1, 2}, [][]int{{1}, {1}})
	require.ErrorContains(t, err, "area 1 has neighbour 1")
	_, err = GiZ([]float64{1}, [][]int{{}})
	require.ErrorContains(t, err, "at least two areas")
	_, err = GiStar(make([]float64, 40), make([][]int, 40), 5, 1)
	require.ErrorContains(t, err, "at least 99")
	z, err := GiZ([]float64{3, 3}, [][]int{{1}, {0}})
	require.NoError(t, err)
	require.Equal(t, []float64{0, 0}, z, "nothing varies")
}

func TestLLRGolden(t *testing.T) {
	t.Parallel()
	g := goldenOf[struct{ Zone, Expected, Total, LLR float64 }](t, "golden.json", "scan")
	require.InDelta(t, g.LLR, LLR(g.Zone, g.Expected, g.Total), 1e-12)
	require.Zero(t, LLR(15, 30, 200))
	require.Zero(t, LLR(0, 0, 0))
}

func TestScanOfNewYorkLeukemia(t *testing.T) {
	t.Parallel()
	want := goldenOf[struct {
		Clusters []struct {
			Rank          int
			LLR, Cases    float64
			Pop, Expected float64
			RR            float64
			IDs           []int
		}
	}](t, "scan_ny.json", "")
	columns := table(t, "scan_ny.csv")
	areas := make([]ScanArea, len(columns["cases"]))
	for i := range areas {
		areas[i] = ScanArea{Code: strconv.Itoa(1000 + i), X: columns["longitude"][i], Y: columns["latitude"][i], Population: columns["population"][i],
			Observed: []float64{math.Floor(columns["cases"][i])}, Expected: []float64{columns["population"][i]}}
	}
	found, err := Scan(areas, ScanOptions{MaxShare: 0.1, Replicas: 199, Seed: 1})
	require.NoError(t, err)
	for _, w := range want.Clusters[:2] {
		c := found[w.Rank-1]
		ids := make([]int, len(c.Areas))
		for k, i := range c.Areas {
			ids[k] = i + 1
		}
		require.ElementsMatch(t, w.IDs, ids)
		require.InDelta(t, w.LLR, c.LLR, 1e-6)
		require.InDelta(t, w.Cases, c.Observed, 0)
		require.InDelta(t, w.Expected, c.Expected, 0.01)
		require.InDelta(t, w.RR, c.RelativeRisk, 0.01)
		require.InDelta(t, w.Pop, c.Population, 0)
	}
	require.Less(t, found[0].P, 0.02)
	require.Less(t, found[1].P, 0.06)
	require.Greater(t, found[len(found)-1].P, 0.5)
	again, err := Scan(areas, ScanOptions{MaxShare: 0.1, Replicas: 199, Seed: 1})
	require.NoError(t, err)
	require.Equal(t, found, again)
}

func TestScanFindsTheLastWeeks(t *testing.T) {
	t.Parallel()
	areas := make([]ScanArea, 25)
	for i := range areas {
		a := ScanArea{Code: strconv.Itoa(100 + i), X: float64(i % 5), Y: float64(i / 5), Population: 1000}
		for range 8 {
			a.Observed, a.Expected = append(a.Observed, 4), append(a.Expected, 1)
		}
		areas[i] = a
	}
	for _, i := range []int{12, 13} {
		areas[i].Observed[6], areas[i].Observed[7] = 20, 20
	}
	areas[13].X = 2.5 // the two lie close together
	found, err := Scan(areas, ScanOptions{Replicas: 99, Seed: 5})
	require.NoError(t, err)
	require.ElementsMatch(t, []int{12, 13}, found[0].Areas)
	require.Equal(t, 2, found[0].Periods)
	require.InDelta(t, 0.01, found[0].P, 1e-9)
}

func TestScanProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "areas")
		areas := make([]ScanArea, n)
		for i := range areas {
			areas[i] = ScanArea{Code: strconv.Itoa(i), X: rapid.Float64Range(0, 10).Draw(t, "x"), Y: rapid.Float64Range(0, 10).Draw(t, "y"),
				Population: float64(rapid.IntRange(1, 50).Draw(t, "people")), Expected: []float64{1, 1},
				Observed: []float64{float64(rapid.IntRange(0, 9).Draw(t, "before")), float64(rapid.IntRange(0, 9).Draw(t, "now"))}}
		}
		found, err := Scan(areas, ScanOptions{MaxShare: 0.5, Replicas: 9, Seed: 1})
		require.NoError(t, err)
		seen := map[int]bool{}
		for k, c := range found {
			require.Greater(t, c.Observed, c.Expected)
			require.True(t, k == 0 || c.LLR <= found[k-1].LLR+1e-9)
			for _, i := range c.Areas {
				require.False(t, seen[i], "clusters do not overlap")
				seen[i] = true
			}
		}
	})
}

func TestScanRefuses(t *testing.T) {
	t.Parallel()
	one := ScanArea{Code: "a", Population: 1, Observed: []float64{1}, Expected: []float64{1}}
	for want, in := range map[string]struct {
		areas []ScanArea
		o     ScanOptions
	}{
		"at least one":     {nil, ScanOptions{}},
		"at most 0.5":      {[]ScanArea{one}, ScanOptions{MaxShare: 0.8}},
		"nothing expected": {[]ScanArea{{Code: "a", Observed: []float64{1}, Expected: []float64{0}}}, ScanOptions{}},
		"give 1 of both":   {[]ScanArea{one, {Code: "b", Observed: []float64{1, 2}, Expected: []float64{1}}}, ScanOptions{}},
	} {
		_, err := Scan(in.areas, in.o)
		require.ErrorContains(t, err, want)
	}
}

func TestBenjaminiHochberg(t *testing.T) {
	t.Parallel()
	// R: p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "BH") is 0.05 five times; and of the second, as below.
	q, err := BenjaminiHochberg([]float64{0.05, 0.01, 0.03, 0.02, 0.04})
	require.NoError(t, err)
	require.InDeltaSlice(t, []float64{0.05, 0.05, 0.05, 0.05, 0.05}, q, 1e-12)
	q, err = BenjaminiHochberg([]float64{0.001, 0.5, 0.04, 0.9})
	require.NoError(t, err)
	require.InDeltaSlice(t, []float64{0.004, 2.0 / 3, 0.08, 0.9}, q, 1e-12)
	_, err = BenjaminiHochberg([]float64{1.2})
	require.ErrorContains(t, err, "p-value 0 is 1.2")
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 20).Draw(t, "p")
		q, err := BenjaminiHochberg(p)
		require.NoError(t, err)
		for i := range p {
			require.GreaterOrEqual(t, q[i], p[i])
			for j := range p {
				require.False(t, p[i] < p[j] && q[i] > q[j]+1e-15, "the order stays")
			}
		}
		require.True(t, slices.Max(q) <= 1)
	})
}
