package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork/etl"
)

// An operator looks after the replication of a running system by the command line alone.
func TestETLCommands(t *testing.T) {
	t.Parallel()
	s := up(t, t.TempDir())
	out, code := s.run("etl", "status", "--interval", "10ms")
	require.Zero(t, code, out)
	require.Contains(t, out, "streaming")
	require.Contains(t, out, "groundwork_etl (reserved, in use")
	out, code = s.run("etl", "verify", "-q")
	require.Zero(t, code, out)
	require.Contains(t, out, "issue_event")

	out, code = s.run("etl", "pause")
	require.Zero(t, code, out)
	eventually(t, time.Minute, "the pause", func() bool { return s.etlReport().State == "paused" })
	out, code = s.run("etl", "verify", "-q")
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "groundwork etl resume")
	out, code = s.run("etl", "resume")
	require.Zero(t, code, out)
	eventually(t, time.Minute, "the end of the pause", func() bool { return s.etlReport().State == "streaming" })
	out, code = s.run("etl", "rebuild", "--table", "region")
	require.NotZero(t, code, "not without --yes")
	require.Contains(t, out, "add --yes")
	require.Contains(t, out, "d_region")
	out, code = s.run("etl", "rebuild", "--table", "region", "--dry-run")
	require.Zero(t, code, out)
	require.Contains(t, out, "planned")
	out, code = s.run("etl", "rebuild", "--table", "nonsense", "--yes")
	require.NotZero(t, code)
	require.Contains(t, out, `table "nonsense" is not replicated`)
	out, code = s.run("etl", "rebuild", "--table", "region", "--yes")
	require.Zero(t, code, out)
	require.Contains(t, out, "1 of 1 tables")
	require.Contains(t, out, "done")
	out, code = s.run("etl", "replay", "--dry-run")
	require.Zero(t, code, out)
	require.Contains(t, out, "No rows are set aside.")
}

func (s *system) etlReport() (r etl.Report) {
	s.t.Helper()
	out, code := s.run("etl", "status", "--json", "--interval", "1ms", "--log-level", "error")
	require.Zero(s.t, code, out)
	require.NoError(s.t, json.Unmarshal([]byte(out), &r), out)
	return r
}
