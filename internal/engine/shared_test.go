package engine

import (
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// shared is the engine of all tests that only run statements. Each test works in a database of its own.
var shared sharedEngine

type sharedEngine struct {
	once    sync.Once
	process *process
	dir     string
	err     error
	made    atomic.Int64
}

const (
	ownerPassword = "owner's secret"
	biPassword    = "bi's secret"
)

func (s *sharedEngine) start(t *testing.T) *process {
	t.Helper()
	path := library(t)
	s.once.Do(func() {
		if s.dir, s.err = os.MkdirTemp("", "groundwork-engine-*"); s.err == nil {
			s.process, s.err = launch(Config{Library: path, DataDir: s.dir, Listen: "127.0.0.1:0"})
		}
	})
	require.NoError(t, s.err)
	return s.process
}

func (s *sharedEngine) stop() {
	s.process.stop()
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// fixture is the shared engine with a fresh database.
type fixture struct {
	*process
	database string
}

func setup(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{process: shared.start(t), database: fmt.Sprintf("test_%d", shared.made.Add(1))}
	f.process.query(t, "CREATE DATABASE "+f.database+" ENGINE = Atomic")
	return f
}

func (f *fixture) send(t testing.TB, sql string, params ...string) answer {
	t.Helper()
	return f.process.send(t, sql, append([]string{"database", f.database}, params...)...)
}

func (f *fixture) query(t testing.TB, sql string, params ...string) string {
	t.Helper()
	return f.process.query(t, sql, append([]string{"database", f.database}, params...)...)
}

// insert sends data with the INSERT in the address.
func (f *fixture) insert(t testing.TB, sql, data string, params ...string) answer {
	t.Helper()
	return f.process.send(t, data, append([]string{"database", f.database, "query", sql}, params...)...)
}

func (a answer) ok(t testing.TB) answer {
	t.Helper()
	require.Equal(t, http.StatusOK, a.status, a.body)
	return a
}
