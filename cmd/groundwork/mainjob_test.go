package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork/etl"
	"groundwork/warehouse"
)

// The journey of a newcomer: start on an empty directory, ask, import, ask again, change a row by hand, stop, start again.
func TestUpFromNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := up(t, dir)

	t.Run("the sample answers at once", func(t *testing.T) {
		var answer struct {
			Issues           struct{ TotalCount struct{ Value int } }
			TimeToResponse   struct{ N []int }
			TimeToResolution struct {
				N     []int
				About struct{ Notes []string }
			}
			Hotspots struct{ N []int }
		}
		s.query(&answer, `{ issues(first: 1) { totalCount { value } }
			timeToResponse { n } timeToResolution { n about { notes } } hotspots { n } }`, nil)
		require.Greater(t, answer.Issues.TotalCount.Value, 300)
		require.Equal(t, []int{answer.Issues.TotalCount.Value}, answer.TimeToResponse.N)
		require.Contains(t, strings.Join(answer.TimeToResolution.About.Notes, " "), "no confirmations")
		require.NotEmpty(t, answer.Hotspots.N)
	})

	t.Run("health", func(t *testing.T) {
		for _, path := range []string{"/healthz", "/readyz", "/graphiql/"} {
			response, err := http.Get(s.http + path)
			require.NoError(t, err)
			response.Body.Close()
			require.Equal(t, http.StatusOK, response.StatusCode, path)
		}
	})

	t.Run("an import is seen and changes nothing when it is repeated", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "open.csv")
		require.NoError(t, os.WriteFile(file, []byte("id,user,subject,posted_at,text,opposed,supported\n"+
			"q1,u1,Q3区的路灯不亮,2019/4/25 9:32:09,Q市Q3区中山路的路灯坏了一个月,0,2\n"+
			"q2,u2,Q3区噪音扰民,2019-05-01 21:00:00,工地夜间施工,0,0\n"), 0o600))
		before := s.issuesIn("990000000000")
		out, code := s.run("import", "messages", "-q", file)
		require.Zero(t, code, out)
		require.Contains(t, out, "2 new")
		eventually(t, time.Minute, "the import in the warehouse", func() bool { return s.backlogIn("991703000000") == 2 })
		require.Equal(t, before+2, s.issuesIn("990000000000"))

		out, code = s.run("import", "messages", "-q", file)
		require.Zero(t, code, out)
		require.Contains(t, out, "opinions: 0 new, 0 changed, 2 known")
		require.Equal(t, before+2, s.issuesIn("990000000000"))
	})

	t.Run("service requests and populations", func(t *testing.T) {
		requests := filepath.Join(t.TempDir(), "requests.json")
		require.NoError(t, os.WriteFile(requests, []byte(`[
			{"service_request_id": "1", "status": "closed", "service_code": "033", "service_name": "Abandoned Vehicle", "requested_datetime": "2011-06-28T05:14:00Z", "updated_datetime": "2011-07-05T17:30:00Z", "lat": 37.7, "long": -122.4},
			{"service_request_id": "2", "status": "open", "service_code": "049", "service_name": "Graffiti", "requested_datetime": "2011-06-28T14:56:00Z", "lat": 0, "long": 0}]`), 0o600))
		for _, added := range []string{"2 new", "0 new"} {
			out, code := s.run("import", "open311", "-q", requests)
			require.Zero(t, code, out)
			require.Contains(t, out, "opinions: "+added)
		}
		populations := filepath.Join(t.TempDir(), "populations.csv")
		require.NoError(t, os.WriteFile(populations, []byte("code,name,year,persons,source\n991703000000,Q3区,2019,500000,census\n9917,Q市,2019,x,census\n"), 0o600))
		out, code := s.run("import", "populations", populations)
		require.Zero(t, code, out)
		require.Contains(t, out, "populations: 0 new, 1 changed, 0 known already")
		require.Contains(t, out, "line 3")
	})

	t.Run("a row changed with psql is in the warehouse in 2 seconds, a deleted one gone from the measures", func(t *testing.T) {
		s.psql(`UPDATE issue SET region_id = (SELECT id FROM region WHERE code = '991700000000') WHERE title = 'Q3区噪音扰民'`)
		eventually(t, time.Minute, "the changed row", func() bool { return s.backlogIn("991703000000") == 1 })
		s.psql(`DELETE FROM issue WHERE title = 'Q3区的路灯不亮'`)
		eventually(t, time.Minute, "the deleted row", func() bool { return s.backlogIn("991703000000") == 0 })
	})

	t.Run("it stops cleanly and goes on where it stopped", func(t *testing.T) {
		count := s.issuesIn("990000000000")
		children := s.children()
		require.Len(t, children, 2, "Postgres and the engine")
		require.NoError(t, s.stop(), s.output)
		for _, pid := range children {
			require.False(t, alive(pid), "child %d outlives the program", pid)
		}
		again := up(t, dir)
		require.NotContains(t, again.output.String(), "bundled sample")
		require.Equal(t, count, again.issuesIn("990000000000"))
		again.agree()
		require.NoError(t, again.stop())
	})
}

// issuesIn counts the issues of a region and below in the system of record.
func (s *system) issuesIn(code string) int {
	s.t.Helper()
	var region struct{ Region struct{ ID string } }
	s.query(&region, `query($code: String) { region(code: $code) { id } }`, map[string]any{"code": code})
	var answer struct {
		Issues struct{ TotalCount struct{ Value int } }
	}
	s.query(&answer, `query($id: ID!) { issues(first: 1, filter: {region: {under: $id}}) { totalCount { value } } }`, map[string]any{"id": region.Region.ID})
	return answer.Issues.TotalCount.Value
}

// backlogIn counts the open issues of a region in the warehouse; -1 if the warehouse does not know the region yet.
func (s *system) backlogIn(code string) int {
	s.t.Helper()
	data, faults := s.ask(`query($code: String!) { backlog(query: {where: {region: {codeIn: [$code]}}}) { n } }`, map[string]any{"code": code}, inspector)
	if len(faults) > 0 {
		require.Contains(s.t, fmt.Sprint(faults), code, "%s", s.output)
		return -1
	}
	var answer struct{ Backlog struct{ N []int } }
	require.NoError(s.t, json.Unmarshal(data, &answer))
	total := 0
	for _, n := range answer.Backlog.N {
		total += n
	}
	return total
}

// agree waits until both stores hold the same rows and fails with the differences if they never do.
func (s *system) agree() {
	s.t.Helper()
	ctx := s.t.Context()
	conn, err := pgx.Connect(ctx, s.postgres)
	require.NoError(s.t, err)
	defer conn.Close(ctx)
	house := s.openWarehouse()
	var diffs []etl.Diff
	eventually(s.t, time.Minute, "agreement of both stores", func() bool {
		diffs, err = etl.Compare(ctx, conn, house)
		require.NoError(s.t, err)
		return len(diffs) == 0
	})
}

// openWarehouse opens the warehouse as the user who may do everything.
func (s *system) openWarehouse() *warehouse.DB {
	s.t.Helper()
	house, err := warehouse.Open(s.t.Context(), s.clickHouseDSN())
	require.NoError(s.t, err)
	s.t.Cleanup(func() { house.Close() })
	return house
}

// Whatever is killed, and whenever: after a new start and the import repeated, both stores agree row by row.
func TestKillAnyProcessDuringImport(t *testing.T) {
	t.Parallel()
	for _, victim := range []string{"program", "postgres", "engine", "all", "import"} {
		t.Run(victim, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := writeMessages(t, 3000)
			s := up(t, dir, "--no-sample")
			importing := make(chan struct{})
			s.importAndKill(victim, file, importing)
			<-importing
			pids := s.children()
			s.kill()
			eventually(t, time.Minute, "the children's end", func() bool { return !slices.ContainsFunc(pids, alive) })

			again := up(t, dir, "--no-sample")
			out, code := again.run("import", "messages", "-q", file)
			require.Zero(t, code, out)
			again.agree()
			require.Equal(t, 3000, again.opinions())
			require.NoError(t, again.stop(), again.output)
		})
	}
}

// writeMessages writes a file of n invented messages, two thirds of them answered.
func writeMessages(t *testing.T, n int) string {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	name := filepath.Join(t.TempDir(), "messages.csv")
	file, err := os.Create(name)
	require.NoError(t, err)
	out := csv.NewWriter(file)
	_ = out.Write([]string{"id", "user", "subject", "posted_at", "text", "reply", "replied_at"})
	start := time.Date(2019, 1, 1, 8, 0, 0, 0, time.UTC)
	for i := range n {
		at := start.Add(time.Duration(i) * 181 * time.Minute)
		place := fmt.Sprintf("%c%d区", 'A'+random.IntN(4), 1+random.IntN(9))
		row := []string{fmt.Sprint(i), fmt.Sprintf("user%d", i), fmt.Sprintf("%s第%d号路口的问题", place, i), at.Format("2006/1/2 15:04:05"), "路灯不亮，请处理。", "", ""}
		if i%3 != 0 {
			row[5], row[6] = "已处理。", at.Add(time.Duration(random.IntN(5000))*time.Minute).Format("2006/1/2 15:04:05")
		}
		_ = out.Write(row)
	}
	out.Flush()
	require.NoError(t, out.Error())
	require.NoError(t, file.Close())
	return name
}
