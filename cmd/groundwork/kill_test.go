package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// importAndKill starts an import in a process of its own and kills the victim once some of its rows are in. ended is closed when
// the import has come to its end, whichever it is.
func (s *system) importAndKill(victim, file string, ended chan<- struct{}) {
	s.t.Helper()
	cmd := exec.Command(program, "import", "messages", "-q", "--data-dir", s.dataDir, "--postgres", s.postgresAddress(), "--clickhouse", s.clickHouse, file)
	cmd.Dir = s.t.TempDir()
	require.NoError(s.t, cmd.Start())
	s.awaitOpinions()
	switch victim {
	case "import":
		require.NoError(s.t, cmd.Process.Kill())
	case "program":
		s.kill()
	case "all":
		pids := s.children()
		require.NoError(s.t, cmd.Process.Kill())
		s.kill()
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have gone with its parent already
		}
	default:
		pid := s.child(victim)
		require.NoError(s.t, syscall.Kill(pid, syscall.SIGKILL))
	}
	go func() {
		_ = cmd.Wait() // it fails or not, by what it lost
		close(ended)
	}()
}

// awaitOpinions waits until a first part of the import is durable.
func (s *system) awaitOpinions() {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.postgres)
	require.NoError(s.t, err)
	defer conn.Close(s.t.Context())
	eventually(s.t, time.Minute, "the first rows of the import", func() bool {
		var some bool
		require.NoError(s.t, conn.QueryRow(s.t.Context(), "SELECT EXISTS (SELECT FROM opinion)").Scan(&some))
		return some
	})
}

// child returns the pid of the child of the name: "postgres" or "engine".
func (s *system) child(name string) int {
	s.t.Helper()
	for _, pid := range s.children() {
		command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil {
			continue // it has just ended
		}
		words := bytes.Split(command, []byte{0})
		isEngine := len(words) > 1 && string(words[1]) == "engine"
		if isEngine == (name == "engine") {
			return pid
		}
	}
	s.t.Fatalf("the program has no child %s", name)
	return 0
}
