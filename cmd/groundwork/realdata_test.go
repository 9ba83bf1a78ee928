package main

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// realMessages is where a checkout beside the real messages finds them; they are never part of the project.
const realMessages = "../../../shared/data/messages"

// The real messages: in the warehouse at once, and counted by region as the files themselves count.
func TestRealMessages(t *testing.T) {
	t.Parallel()
	answered, open := filepath.Join(realMessages, "answered.csv"), filepath.Join(realMessages, "open.csv")
	if _, err := os.Stat(answered); err != nil {
		t.Skip("the real messages are not beside this checkout: nothing to import")
	}
	s := up(t, t.TempDir(), "--no-sample")
	absolute := func(name string) string { p, _ := filepath.Abs(name); return p }

	start := time.Now()
	out, code := s.run("import", "messages", "-q", absolute(answered), absolute(open))
	require.Zero(t, code, out)
	took := time.Since(start)

	require.Equal(t, 3571, s.opinions())
	var issues struct {
		Issues struct{ TotalCount struct{ Value int } }
	}
	s.query(&issues, `{ issues(first: 1) { totalCount { value } } }`, nil)
	seen := eventually(t, time.Minute, "the import in the warehouse", func() bool {
		var answer struct{ TimeToResponse struct{ N []int } }
		s.query(&answer, `{ timeToResponse { n } }`, nil)
		return len(answer.TimeToResponse.N) == 1 && answer.TimeToResponse.N[0] == issues.Issues.TotalCount.Value
	})
	t.Logf("import %s, in the warehouse %s later", took.Round(time.Millisecond), seen.Round(time.Millisecond))

	s.opinionsByRegionAgree(answered, open)
	s.agree()

	again, code := s.run("import", "messages", "-q", absolute(answered), absolute(open))
	require.Zero(t, code, again)
	require.Contains(t, again, "opinions: 0 new, 0 changed, 1408 known")
	require.Contains(t, again, "opinions: 0 new, 0 changed, 2163 known")
	require.NoError(t, s.stop())
}

// county is the finest kind of place that the files name in a way a plain recount can follow.
var county = regexp.MustCompile(`[A-Z][0-9]{1,2}[区县市州]`)

// opinionsByRegionAgree counts the rows whose subject and text name exactly one county, and none besides, straight off the files, and
// asks the published view for opinions of the same counties: at least those must be there.
func (s *system) opinionsByRegionAgree(files ...string) {
	s.t.Helper()
	var byName []struct {
		Name string `ch:"name"`
		N    uint64 `ch:"n"`
	}
	house := s.openWarehouse()
	require.NoError(s.t, house.Select(s.t.Context(), &byName, "SELECT ifNull(region_name, '') AS name, count() AS n FROM pub_opinion GROUP BY name"))
	have := map[string]uint64{}
	for _, row := range byName {
		have[row.Name] = row.N
	}
	only, any := map[string]uint64{}, map[string]uint64{}
	for _, name := range files {
		file, err := os.Open(name)
		require.NoError(s.t, err)
		rows, err := csv.NewReader(file).ReadAll()
		require.NoError(s.t, err)
		require.NoError(s.t, file.Close())
		for _, row := range rows[1:] {
			named := map[string]bool{}
			for _, place := range county.FindAllString(row[2]+"\n"+row[4], -1) {
				named[place] = true
			}
			for place := range named {
				any[place]++
				if len(named) == 1 {
					only[place]++
				}
			}
		}
	}
	require.Greater(s.t, len(only), 50)
	off := 0.0
	for place, n := range only {
		// Rows that name two counties go to one of them, so the truth lies between both counts; a few look-alikes are no places.
		if have[place] < n || have[place] > any[place] {
			off += math.Abs(float64(have[place]) - float64(n))
			s.t.Logf("%s: %d in the warehouse, %d rows name only it, %d name it", place, have[place], n, any[place])
		}
	}
	require.LessOrEqual(s.t, off, 10.0, "opinions by county")
}
