package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Wrong use of each kind gets one clear message that names the remedy.
func TestWrongUse(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { busy.Close() })
	file := func(content string) string {
		name := filepath.Join(t.TempDir(), "file.csv")
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
		return name
	}
	free := []string{"--http", "127.0.0.1:0", "--postgres", "127.0.0.1:0", "--clickhouse", "127.0.0.1:0"}

	tests := map[string]struct {
		args []string
		says []string // all of these
	}{
		"no command":              {nil, []string{"--help"}},
		"unknown command":         {[]string{"upp"}, []string{"upp"}},
		"bad address":             {[]string{"up", "--http", "8080", "--data-dir", t.TempDir()}, []string{"--http", "8080", "host:port"}},
		"open to the world":       {[]string{"up", "--http", "0.0.0.0:8080", "--data-dir", t.TempDir()}, []string{"--allow-unauthenticated"}},
		"busy HTTP port":          {append([]string{"up", "--data-dir", t.TempDir()}, "--http", busy.Addr().String(), "--postgres", "127.0.0.1:0", "--clickhouse", "127.0.0.1:0"), []string{busy.Addr().String(), "GROUNDWORK_HTTP"}},
		"busy Postgres port":      {append([]string{"up", "--data-dir", t.TempDir()}, "--http", "127.0.0.1:0", "--postgres", busy.Addr().String(), "--clickhouse", "127.0.0.1:0"), []string{busy.Addr().String(), "GROUNDWORK_POSTGRES"}},
		"busy ClickHouse port":    {append([]string{"up", "--data-dir", t.TempDir()}, "--http", "127.0.0.1:0", "--postgres", "127.0.0.1:0", "--clickhouse", busy.Addr().String()), []string{busy.Addr().String(), "GROUNDWORK_CLICKHOUSE"}},
		"wrong scheme":            {append([]string{"up", "--data-dir", t.TempDir()}, "--postgres", "mysql://x"), []string{"--postgres", "postgres://"}},
		"unreachable Postgres":    {[]string{"migrate", "--postgres", "postgres://u:secret@127.0.0.1:1/db", "--clickhouse", "http://u:secret@127.0.0.1:1/db"}, []string{"127.0.0.1:1", "GROUNDWORK_"}},
		"import without a system": {append([]string{"import", "messages", file("id,user,subject,posted_at,text\n1,u,s,2019/1/1 8:00:00,t\n"), "--data-dir", t.TempDir()}, free[2:]...), []string{"make up"}},
		"import of no file":       {[]string{"import", "messages", "/does/not/exist.csv"}, []string{"/does/not/exist.csv"}},
		"missing column":          {[]string{"import", "messages", file("id,user,posted_at,text\n"), "--data-dir", t.TempDir()}, []string{"subject"}},
		"bad time zone":           {[]string{"import", "messages", "--timezone", "Mars/Base", file("id\n")}, []string{"Mars/Base", "Asia/Shanghai"}},
		"bad observed-until":      {[]string{"import", "messages", "--observed-until", "soon", file("id\n")}, []string{"soon", "2020-01-31"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, code := groundwork(t, test.args...)
			require.NotZero(t, code, out)
			for _, words := range test.says {
				require.Contains(t, out, words)
			}
			require.NotContains(t, out, "secret")
			require.NotContains(t, out, "goroutine ")
		})
	}
}

func TestMissingLibraryAndReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	out, code := groundwork(t, "engine", "--data-dir", t.TempDir(), "--listen", "127.0.0.1:0", "--chdb-lib", "/does/not/exist/libchdb.so")
	require.NotZero(t, code)
	require.Contains(t, out, "make engines")

	readOnly := "/proc/groundwork" // nobody, not even root, can make a directory there
	out, code = groundwork(t, "up", "--data-dir", readOnly, "--http", "127.0.0.1:0", "--postgres", "127.0.0.1:0", "--clickhouse", "127.0.0.1:0")
	require.NotZero(t, code)
	require.Contains(t, out, readOnly)
	require.Contains(t, out, "--data-dir")
}

// Wrong questions and wrong steps on a running system.
func TestWrongQuestions(t *testing.T) {
	t.Parallel()
	s := up(t, t.TempDir())
	code := func(document string) string {
		data, faults := s.ask(document, nil, nil)
		require.NotEmpty(t, faults, string(data))
		extensions, _ := json.Marshal(faults[0]["extensions"])
		return string(extensions)
	}
	require.Contains(t, code(`{ issues(first: 1) { nodes { id }`), "GRAPHQL_PARSE_FAILED")
	require.Contains(t, code(`{ nothing }`), "GRAPHQL_VALIDATION_FAILED")
	require.Contains(t, code(`{ backlog(query: {where: {region: {codeIn: ["000000000001"]}}}) { n } }`), "BAD_USER_INPUT")
	require.Contains(t, code(`{ node(id: "nonsense") { id } }`), "BAD_USER_INPUT")
	require.Contains(t, code(`{ issues(first: 100000) { nodes { id } } }`), "BAD_USER_INPUT")

	t.Run("illegal transition", func(t *testing.T) {
		var issue struct {
			Issues struct{ Nodes []struct{ ID string } }
		}
		s.query(&issue, `{ issues(first: 1, filter: {state: {in: [CLAIMED]}}) { nodes { id } } }`, nil)
		data, faults := s.ask(`mutation($id: ID!) { dispatchIssue(input: {issueId: $id, unitId: "T3JnVW5pdDowMTkzMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDA", overrideReason: "x"}) { issue { id } userErrors { code message } } }`,
			map[string]any{"id": issue.Issues.Nodes[0].ID}, map[string]string{"Groundwork-Role": "DISPATCHER", "Groundwork-Actor": "d1"})
		require.Empty(t, faults)
		require.Contains(t, string(data), "CLAIMED")
		require.Contains(t, string(data), "ILLEGAL_TRANSITION")
	})

	t.Run("wrong password", func(t *testing.T) {
		wrong := strings.Replace(s.postgres, ":"+passwordOf(t, s.postgres)+"@", ":wrong@", 1)
		out, exit := groundwork(t, "migrate", "--postgres", wrong, "--clickhouse", "http://groundwork:wrong@"+s.clickHouse+"/groundwork")
		require.NotZero(t, exit)
		require.Contains(t, out, "password")
		require.Contains(t, out, "GROUNDWORK_")
		require.NotContains(t, out, ":wrong@")
	})

	t.Run("a second start on the same directory", func(t *testing.T) {
		out, exit := groundwork(t, "up", "--data-dir", s.dataDir, "--http", "127.0.0.1:0", "--postgres", "127.0.0.1:0", "--clickhouse", "127.0.0.1:0")
		require.NotZero(t, exit)
		require.Contains(t, out, s.dataDir)
	})
}
