package stats

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// golden are hand-sized inputs with their right answers.
type golden struct {
	KM struct {
		Obs  [][2]float64
		Rows []struct {
			T      float64
			AtRisk float64 `json:"at_risk"`
			D      float64
			S      float64
			Lo, Hi float64
		}
		Median float64
		RMST12 float64 `json:"rmst_12"`
	}
	NotReached struct {
		Obs   [][2]float64
		SLast float64 `json:"S_last"`
	} `json:"km_not_reached"`
	AJ struct {
		Obs       [][2]float64
		Confirmed float64 `json:"cif_confirmed_at_6"`
		Other     float64 `json:"cif_other_at_6"`
		Naive     float64 `json:"one_minus_km_censoring_competitors_at_6"`
	} `json:"aalen_johansen"`
	Wilson map[string][2]float64
	Bounds struct {
		Yes, No         float64
		AnsweredWilson  [2]float64 `json:"answered_wilson"`
		ObservedPortion float64    `json:"answered_only"`
	} `json:"resolution_bounds"`
	EB struct {
		O, P       []float64
		Mu, Sigma2 float64
		Raw        []float64 `json:"raw_per_1000"`
		W          []float64
		EB         []float64 `json:"eb_per_1000"`
	}
}

func loadGolden(t *testing.T) golden {
	t.Helper()
	raw, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	var g golden
	require.NoError(t, json.Unmarshal(raw, &g))
	return g
}

// fromObs makes one life-table row a subject; merging them is Fit's work.
func fromObs(obs [][2]float64) []LifeRow {
	rows := make([]LifeRow, len(obs))
	for i, o := range obs {
		rows[i].Time = o[0]
		rows[i].Events[int(o[1])] = 1
	}
	return rows
}

func mustFit(t require.TestingT, rows []LifeRow) *Curve {
	c, err := Fit(rows)
	require.NoError(t, err)
	return c
}

func TestKaplanMeierGolden(t *testing.T) {
	t.Parallel()
	g := loadGolden(t).KM
	c := mustFit(t, fromObs(g.Obs))
	require.NotEmpty(t, g.Rows)
	for _, want := range g.Rows {
		p, known := c.at(want.T)
		require.True(t, known)
		require.Equal(t, want.AtRisk, p.AtRisk)
		require.Equal(t, want.D, p.Events[1])
		e := c.Survival(want.T)
		require.InDelta(t, want.S, e.Value, 1e-12)
		require.InDelta(t, want.Lo, e.Interval.Lo, 1e-12)
		require.InDelta(t, want.Hi, e.Interval.Hi, 1e-12)
		f := c.Failure(want.T)
		require.InDelta(t, 1-want.S, f.Value, 1e-12)
		require.InDelta(t, 1-want.Hi, f.Interval.Lo, 1e-12)
		require.InDelta(t, 1-want.Lo, f.Interval.Hi, 1e-12)
	}
	q, err := c.Quantile(0.5)
	require.NoError(t, err)
	require.Equal(t, Moment{Days: g.Median, Reached: true}, q.Value)
	mean, err := c.RMST(12)
	require.NoError(t, err)
	require.InDelta(t, g.RMST12, mean.Value, 1e-12)
	require.Equal(t, 8.0, mean.N)
	require.True(t, mean.Unstable)
}

func TestQuantileNotReached(t *testing.T) {
	t.Parallel()
	g := loadGolden(t).NotReached
	c := mustFit(t, fromObs(g.Obs))
	require.InDelta(t, g.SLast, c.Survival(9).Value, 1e-12)
	q, err := c.Quantile(0.5)
	require.NoError(t, err)
	require.False(t, q.Value.Reached)
	require.False(t, q.Hi.Reached)
}

func TestAalenJohansenGolden(t *testing.T) {
	t.Parallel()
	g := loadGolden(t).AJ
	c := mustFit(t, fromObs(g.Obs))
	for cause, want := range map[Cause]float64{Confirmed: g.Confirmed, Referred: g.Other} {
		e, err := c.CIF(cause, 6)
		require.NoError(t, err)
		require.True(t, e.Known)
		require.InDelta(t, want, e.Value, 1e-12)
		require.Less(t, e.Interval.Lo, want)
		require.Greater(t, e.Interval.Hi, want)
	}
	naive := mustFit(t, censorCompetitors(fromObs(g.Obs)))
	require.InDelta(t, g.Naive, naive.Failure(6).Value, 1e-12)
}

func TestWilsonGolden(t *testing.T) {
	t.Parallel()
	g := loadGolden(t)
	for _, c := range [][2]float64{{8, 10}, {10, 10}, {0, 5}, {97, 100}, {1658, 1699}} {
		e, err := Wilson(c[0], c[1])
		require.NoError(t, err)
		want := g.Wilson[strconv.Itoa(int(c[0]))+"/"+strconv.Itoa(int(c[1]))]
		require.InDelta(t, want[0], e.Interval.Lo, 1e-12)
		require.InDelta(t, want[1], e.Interval.Hi, 1e-12)
	}
	e, err := Wilson(g.Bounds.Yes, g.Bounds.Yes+g.Bounds.No)
	require.NoError(t, err)
	require.InDelta(t, g.Bounds.ObservedPortion, e.Value, 1e-12)
	require.InDelta(t, g.Bounds.AnsweredWilson[0], e.Interval.Lo, 1e-12)
	require.InDelta(t, g.Bounds.AnsweredWilson[1], e.Interval.Hi, 1e-12)
	require.False(t, e.Unstable)
}

// TestWilsonPublished uses the worked examples of Public Health England.
func TestWilsonPublished(t *testing.T) {
	t.Parallel()
	for _, row := range readCSV(t, "testdata/wilson.csv") {
		e, err := WilsonAt(num(t, row[0]), num(t, row[1]), num(t, row[4]))
		require.NoError(t, err)
		require.InDelta(t, num(t, row[2]), e.Interval.Lo, 1e-12)
		require.InDelta(t, num(t, row[3]), e.Interval.Hi, 1e-12)
	}
}

func TestShrinkGolden(t *testing.T) {
	t.Parallel()
	g := loadGolden(t).EB
	areas := []Area{{Code: "empty", Issues: 4}}
	for i := range g.O {
		areas = append(areas, Area{Code: strconv.Itoa(i), Issues: g.O[i], PersonYears: g.P[i]})
	}
	s, err := Shrink(areas)
	require.NoError(t, err)
	require.Equal(t, []Area{{Code: "empty", Issues: 4}}, s.Excluded)
	require.False(t, s.NoSignal)
	require.InDelta(t, g.Mu, s.Mu, 1e-15)
	require.InDelta(t, g.Sigma2, s.Sigma2, 1e-18)
	require.Len(t, s.Areas, len(g.O))
	higher := 0
	for i, a := range s.Areas {
		require.Equal(t, strconv.Itoa(i), a.Code)
		require.InDelta(t, g.Raw[i], 1000*a.Raw, 1e-12)
		require.InDelta(t, g.W[i], a.Weight, 1e-12)
		require.InDelta(t, g.EB[i], 1000*a.Value, 1e-12)
		require.Less(t, a.Interval.Lo, a.Value)
		require.Greater(t, a.Interval.Hi, a.Value)
		require.Equal(t, g.O[i] < UnstableBelow, a.Unstable)
		if a.Value > s.Areas[0].Value {
			higher++
		}
	}
	require.Equal(t, 1, higher, "500 people with 2 issues lead by raw rate and are second of the shrunk")
}

// TestAMLAgainstSurvfit compares with R's survival on its data set aml.
func TestAMLAgainstSurvfit(t *testing.T) {
	t.Parallel()
	curves := amlCurves(t)
	for _, row := range readCSV(t, "testdata/aml_survfit.csv") {
		c := curves[row[0][len("x="):]]
		p, known := c.at(num(t, row[1]))
		require.True(t, known)
		require.Equal(t, num(t, row[2]), p.AtRisk)
		require.Equal(t, num(t, row[3]), p.Events[1])
		e := c.Survival(num(t, row[1]))
		require.InDelta(t, num(t, row[4]), e.Value, 1e-12)
		if row[5] == "NA" {
			require.Zero(t, e.Value)
			require.False(t, e.Interval.OK)
			continue
		}
		require.InDelta(t, num(t, row[5]), e.SE, 1e-12)
	}
	for group, want := range map[string][3]Moment{
		"Maintained":    {{31, true}, {13, true}, {}},
		"Nonmaintained": {{23, true}, {5, true}, {33, true}},
	} {
		q, err := curves[group].Quantile(0.5)
		require.NoError(t, err)
		require.Equal(t, want, [3]Moment{q.Value, q.Lo, q.Hi}, group)
	}
	q, err := curves["all"].Quantile(0.5)
	require.NoError(t, err)
	require.Equal(t, Moment{27, true}, q.Value)
}

func amlCurves(t *testing.T) map[string]*Curve {
	t.Helper()
	obs := map[string][][2]float64{}
	for _, row := range readCSV(t, "testdata/aml.csv") {
		o := [2]float64{num(t, row[0]), num(t, row[1])}
		obs[row[2]] = append(obs[row[2]], o)
		obs["all"] = append(obs["all"], o)
	}
	curves := map[string]*Curve{}
	for group, o := range obs {
		curves[group] = mustFit(t, fromObs(o))
	}
	return curves
}

// readCSV gives the rows of a test file without its header.
func readCSV(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	require.Greater(t, len(rows), 1)
	return rows[1:]
}

func num(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	require.NoError(t, err)
	return v
}
