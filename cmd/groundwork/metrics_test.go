package main

import (
	"io"
	"net/http"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// figures scrapes the program under test, which has said in its log where.
func (s *system) figures() string {
	s.t.Helper()
	said := regexp.MustCompile(`url=(http://127\.0\.0\.1:\d+/metrics)`)
	eventually(s.t, time.Minute, "the address of the metrics", func() bool { return said.MatchString(s.output.String()) })
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, said.FindStringSubmatch(s.output.String())[1], nil)
	require.NoError(s.t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, response.StatusCode, string(body))
	return string(body)
}

// A running system shows its figures, and the rules for alerts and their explanation speak of no other.
func TestMetricsOfARunningSystem(t *testing.T) {
	t.Parallel()
	s := up(t, t.TempDir(), "--no-sample", "--metrics", "127.0.0.1:0")
	var answer any
	s.query(&answer, `query Mine { __typename measureCatalog { code } }`, nil)
	s.query(&answer, `query Mine { measureCatalog { code } }`, nil)
	s.ask(`{ nonsense }`, nil, inspector)
	text := s.figures()
	require.Regexp(t, `groundwork_etl_state\{slot="groundwork_etl",state="streaming"\} 1`, text)
	require.Contains(t, text, `groundwork_graphql_request_seconds_count{kind="query",operation="measureCatalog"} 1`)
	require.Contains(t, text, `groundwork_graphql_request_seconds_count{kind="query",operation="several"} 1`)
	require.Regexp(t, `groundwork_graphql_errors_total\{code="[A-Z_]+",kind="none",operation="refused"\} 1`, text)
	require.Regexp(t, `groundwork_http_request_seconds_count\{code="200",part="graphql"\} 3`, text)
	require.Contains(t, text, "go_goroutines")
	require.NotContains(t, text, "Mine", "what callers call their operations makes no series")
	rules, err := os.ReadFile("../../docs/alerts.yaml")
	require.NoError(t, err)
	names := regexp.MustCompile(`groundwork_[a-z_]+`).FindAllString(string(rules), -1)
	require.NotEmpty(t, names)
	for _, name := range names {
		require.Contains(t, text, "\n# TYPE "+name+" ", "docs/alerts.yaml")
	}
}

func TestMetricsStayOnThisMachine(t *testing.T) {
	t.Parallel()
	out, code := groundwork(t, "etl", "--metrics", "0.0.0.0:9464")
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "reaches beyond this machine")
}
