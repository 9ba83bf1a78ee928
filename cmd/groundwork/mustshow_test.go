package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// realRequests is where a checkout beside the real data finds the service requests.
const realRequests = "../../../shared/data/open311/requests.json"

// untold are numbers that imports do not tell of: there a 0 would be made up.
var untold = map[string][]string{"T3": {"onTime"}, "T5": {"pausedShare", "returnedLegs", "returnedTwice"}, "Q1": {"resolved"}, "Q2": {"satisfied"}, "Q3": {"attempted"},
	"Q4": {"reopened30"}, "F2": {"withoutCitizen"}, "C1": {"composite"}}

// Every measure, over real messages, real service requests and a simulated province, shows numbers or says why it cannot.
func TestEveryMeasureShowsOrSaysWhyNot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		start, load []string
		needs       string
		imported    bool
	}{
		"messages":  {[]string{"--no-sample"}, []string{"messages", filepath.Join(realMessages, "answered.csv"), filepath.Join(realMessages, "open.csv")}, filepath.Join(realMessages, "answered.csv"), true},
		"requests":  {[]string{"--no-sample"}, []string{"open311", realRequests}, realRequests, true},
		"simulated": {start: []string{"--demo=2000"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat(c.needs); c.needs != "" && err != nil {
				t.Skipf("the real data are not beside this checkout: no %s", c.needs)
			}
			s := up(t, t.TempDir(), c.start...)
			if c.load != nil {
				args := []string{"import", c.load[0], "-q"}
				for _, file := range c.load[1:] {
					absolute, err := filepath.Abs(file)
					require.NoError(t, err)
					args = append(args, absolute)
				}
				out, code := s.run(args...)
				require.Zero(t, code, out)
			}
			house := s.openWarehouse()
			var all struct {
				Issues struct{ TotalCount struct{ Value int } }
			}
			s.query(&all, `{ issues(first: 1) { totalCount { value } } }`, nil)
			eventually(t, time.Minute, "the issues in the warehouse", func() bool { // notes are still being compared, so the stores need not agree
				var n uint64
				require.NoError(t, house.QueryRow(t.Context(), "SELECT count() FROM pub_issue").Scan(&n))
				return int(n) == all.Issues.TotalCount.Value
			})
			m := warehouse.NewMeasures(house).Patient(time.Minute)
			for _, measure := range warehouse.Registry() {
				table, err := m.Ask(t.Context(), measure.Code, warehouse.Question{})
				require.NoError(t, err, measure.Code)
				showsOrSaysWhyNot(t, measure, table)
				if c.imported {
					for _, number := range untold[measure.Code] {
						for _, v := range column(t, table, number) {
							require.Nil(t, v, "%s %s: imports do not tell of it", measure.Code, number)
						}
					}
				}
			}
		})
	}
}

func showsOrSaysWhyNot(t *testing.T, measure warehouse.Measure, table *warehouse.Table) {
	t.Helper()
	shown := false
	for _, n := range table.Nums {
		for _, values := range [][]*float64{n.Value, n.Lo, n.Hi} {
			for _, v := range values {
				require.False(t, v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)), "%s %s", measure.Code, n.Name)
			}
		}
	}
	for _, v := range column(t, table, measure.Headline) {
		shown = shown || v != nil
	}
	says := false
	for _, note := range table.Notes {
		for _, reason := range []string{"not computable", "not reported", "no confirmations are recorded", "no known population", "no region has a known population"} {
			says = says || strings.Contains(note, reason)
		}
	}
	require.True(t, shown || says, "%s shows nothing of %s and does not say why: %q", measure.Code, measure.Headline, table.Notes)
}

func column(t *testing.T, table *warehouse.Table, name string) []*float64 {
	t.Helper()
	for _, n := range table.Nums {
		if n.Name == name {
			return n.Value
		}
	}
	t.Fatalf("%s has no number %s", table.Measure, name)
	return nil
}
