// Package embeddedtest gives tests the real databases: one Postgres and one ClickHouse engine per test binary, started when
// the first test asks. A package that uses it says
//
//	func TestMain(m *testing.M) { embeddedtest.Main(m) }
package embeddedtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"groundwork/internal/embedded"
)

// directoryPattern of the data of one test binary, below os.TempDir.
const directoryPattern = "groundwork-test-*"

// running is what the test binary has started.
var running struct {
	mu       sync.Mutex
	prepared bool
	dir      string
	unlock   func()
	postgres *embedded.Postgres
	engine   *embedded.Engine
}

// Main runs the tests, stops the databases, removes their data and exits.
func Main(m *testing.M) {
	if os.Getenv(playEngineVariable) != "" {
		os.Exit(playEngine())
	}
	running.prepared = true
	code := m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, "embeddedtest:", err) // no verdict on what was tested: that engines stop in order is for the tests of packages embedded and engine
	}
	os.Exit(code)
}

// Postgres returns the URL of the database "postgres" of a shared Postgres 18, as superuser and with wal_level=logical. Tests
// that write make databases of their own; postgres/pgtest does.
func Postgres(t testing.TB) (dsn string) {
	t.Helper()
	running.mu.Lock()
	defer running.mu.Unlock()
	if running.postgres == nil {
		postgres, err := embedded.StartPostgres(t.Context(), embedded.PostgresConfig{
			DataDir:  filepath.Join(directory(t), "postgres"),
			Settings: map[string]string{"max_connections": "200"},
			Fast:     true,
		})
		if err != nil {
			t.Fatalf("Postgres for the tests: %v", err)
		}
		running.postgres = postgres
	}
	return running.postgres.DSN("postgres")
}

// directory returns the data directory of this test binary; the caller holds running.mu.
func directory(t testing.TB) string {
	t.Helper()
	if !running.prepared {
		t.Fatal("embeddedtest needs `func TestMain(m *testing.M) { embeddedtest.Main(m) }` in this package, which stops the databases")
	}
	if running.dir != "" {
		return running.dir
	}
	removeLeftovers()
	dir, err := os.MkdirTemp("", directoryPattern)
	if err == nil {
		err = os.Chmod(dir, 0o711) // as root, Postgres runs as nobody, who must pass through
	}
	if err == nil {
		running.unlock, err = embedded.LockDataDir(dir)
	}
	if err != nil {
		t.Fatalf("directory for the tests' databases: %v", err)
	}
	running.dir = dir
	return dir
}

// removeLeftovers removes the data of test binaries that were killed: nobody holds its lock. The young ones may not be locked yet.
func removeLeftovers() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), directoryPattern))
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		if unlock, err := embedded.LockDataDir(dir); err == nil {
			_ = os.RemoveAll(dir)
			unlock()
		}
	}
}

func stop() error {
	running.mu.Lock()
	defer running.mu.Unlock()
	ctx := context.Background() // how long they may take is theirs to say
	var faults []error
	if running.postgres != nil {
		faults = append(faults, running.postgres.Stop(ctx))
	}
	if running.engine != nil {
		faults = append(faults, running.engine.Stop(ctx))
	}
	if running.dir != "" {
		faults = append(faults, os.RemoveAll(running.dir))
		running.unlock()
	}
	return errors.Join(faults...)
}

// databaseName makes the name of a test's own database.
func databaseName(t testing.TB, n int) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(t.Name()))
	return fmt.Sprintf("t%d_%.60s", n, name)
}
