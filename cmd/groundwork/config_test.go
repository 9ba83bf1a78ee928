package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// The command line goes before the environment, that before the file, that before the default.
func TestOptionsComeFromFlagsEnvironmentAndFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "groundwork.yaml")
	require.NoError(t, os.WriteFile(file, []byte("http: 127.0.0.1:1\npostgres: 127.0.0.1:1\nclickhouse: 127.0.0.1:1\nlog-level: debug\n"), 0o600))
	t.Setenv("GROUNDWORK_HTTP", "127.0.0.1:2")
	t.Setenv("GROUNDWORK_POSTGRES", "127.0.0.1:2")
	var cli CLI
	parser, err := kong.New(&cli, kong.Configuration(configuration, file))
	require.NoError(t, err)
	_, err = parser.Parse([]string{"up", "--http", "127.0.0.1:3"})
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:3", cli.HTTP, "flag")
	require.Equal(t, "127.0.0.1:2", cli.Postgres, "environment")
	require.Equal(t, "127.0.0.1:1", cli.ClickHouse, "file")
	require.Equal(t, "debug", cli.LogLevel, "file")
	require.Equal(t, "text", cli.LogFormat, "default")
}
