package main

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/stretchr/testify/require"
)

// The three ways of docs/bi.md into the published views.
func TestBI(t *testing.T) {
	t.Parallel()
	s := up(t, t.TempDir())
	secret, err := os.ReadFile(filepath.Join(s.dataDir, "clickhouse.bi.password"))
	require.NoError(t, err)
	password := strings.TrimSpace(string(secret))

	t.Run("HTTP, as curl does", func(t *testing.T) {
		answer, status := s.overHTTP(password, "SELECT state, count() AS issues FROM pub_issue GROUP BY state ORDER BY issues DESC")
		require.Equal(t, http.StatusOK, status, answer)
		require.Contains(t, answer, "CLAIMED")
	})

	t.Run("reads nothing else and writes nothing", func(t *testing.T) {
		for _, statement := range []string{"SELECT * FROM f_opinion", "DROP TABLE f_issue", "SELECT * FROM etl_checkpoint", "SELECT * FROM url('http://127.0.0.1/', 'CSV')"} {
			answer, status := s.overHTTP(password, statement)
			require.NotEqual(t, http.StatusOK, status, "%s answered %s", statement, answer)
		}
		_, status := s.overHTTP("wrong", "SELECT 1")
		require.Contains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, status)
	})

	t.Run("clickhouse-go", func(t *testing.T) {
		conn, err := clickhouse.Open(&clickhouse.Options{
			Protocol: clickhouse.HTTP, Addr: []string{s.clickHouse},
			Auth: clickhouse.Auth{Database: "groundwork", Username: "bi", Password: password},
		})
		require.NoError(t, err)
		defer conn.Close()
		rows, err := conn.Query(t.Context(), "SELECT region_name, count() FROM pub_issue GROUP BY region_name")
		require.NoError(t, err)
		n := 0
		for rows.Next() {
			var name *string
			var count uint64
			require.NoError(t, rows.Scan(&name, &count))
			n++
		}
		require.NoError(t, rows.Err())
		require.Greater(t, n, 5)
	})

	t.Run("@clickhouse/client", func(t *testing.T) {
		out, err := exec.CommandContext(t.Context(), "node", "testdata/bi.mjs", s.clickHouse, password).CombinedOutput()
		require.NoError(t, err, string(out))
		require.Regexp(t, `regions [1-9]\d`, string(out))
	})
}

func (s *system) overHTTP(password, statement string) (string, int) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://"+s.clickHouse+"/?database=groundwork", strings.NewReader(statement))
	require.NoError(s.t, err)
	request.SetBasicAuth("bi", password)
	response, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	var body bytes.Buffer
	_, err = body.ReadFrom(response.Body)
	require.NoError(s.t, err)
	return body.String(), response.StatusCode
}
