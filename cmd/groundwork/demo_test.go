package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// An empty system that is started with --demo shows the simulated province, replicated; started again, it stays as it is.
func TestUpDemo(t *testing.T) {
	t.Parallel()
	dataDir := t.TempDir()
	for range 2 {
		s := up(t, dataDir, "--demo=700")
		var answer struct {
			Issues struct{ TotalCount struct{ Value int } }
		}
		s.query(&answer, `{ issues(first: 1) { totalCount { value } } }`, nil)
		require.Equal(t, 700, answer.Issues.TotalCount.Value)
		_, err := os.Stat(filepath.Join(dataDir, "truth.json"))
		require.NoError(t, err)
		require.NoError(t, s.stop())
	}
}

func TestDemoNeedsNoNumber(t *testing.T) {
	for text, want := range map[string]demoSize{"--demo": 20_000, "--demo=50000": 50_000, "--demo=true": 20_000, "--demo=no": 0} {
		var cli CLI
		parser, err := kong.New(&cli)
		require.NoError(t, err)
		_, err = parser.Parse([]string{"up", text})
		require.NoError(t, err)
		require.Equal(t, want, cli.Up.Demo, text)
	}
	t.Setenv("GROUNDWORK_DEMO", "300")
	var cli CLI
	parser, err := kong.New(&cli)
	require.NoError(t, err)
	_, err = parser.Parse([]string{"up"})
	require.NoError(t, err)
	require.Equal(t, demoSize(300), cli.Up.Demo)
	_, err = parser.Parse([]string{"up", "--demo=many"})
	require.ErrorContains(t, err, `"many" is no number of issues`)
}
