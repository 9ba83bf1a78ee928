package embeddedtest

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"groundwork/internal/embedded"
	"groundwork/internal/engine"
)

// playEngineVariable makes the test binary play `groundwork engine`, since the test binary has no subcommands.
const playEngineVariable = "GROUNDWORK_TEST_ENGINE"

var databases atomic.Int64

// ClickHouse returns the URL of a database of the test's own (made by whoever opens it first, as warehouse.Open does) in a shared
// ClickHouse engine, for the user who may do everything. The database goes with the test: each of its tables costs the engine
// work in the background as long as it is there, and a millisecond of a processor at the stop.
func ClickHouse(t testing.TB) (url string) {
	t.Helper()
	engine, name := Engine(t), databaseName(t, int(databases.Add(1)))
	t.Cleanup(func() {
		if err := drop(engine, name); err != nil {
			t.Errorf("drop the test's ClickHouse database: %v", err)
		}
	})
	return engine.DSN(name)
}

func drop(engine *embedded.Engine, database string) error {
	response, err := http.Post(engine.DSN(""), "text/plain", strings.NewReader("DROP DATABASE IF EXISTS "+database+" SYNC"))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", answer)
	}
	return err
}

// Engine returns the shared ClickHouse engine itself.
func Engine(t testing.TB) *embedded.Engine {
	t.Helper()
	running.mu.Lock()
	defer running.mu.Unlock()
	if running.engine == nil {
		cfg := EngineConfig(filepath.Join(directory(t), "clickhouse"))
		started, err := embedded.StartEngine(t.Context(), cfg)
		if err != nil {
			t.Fatalf("ClickHouse engine for the tests: %v", err)
		}
		running.engine = started
	}
	return running.engine
}

// EngineConfig returns the configuration of an engine that this test binary plays, for tests that start one of their own.
func EngineConfig(dataDir string) embedded.EngineConfig {
	return embedded.EngineConfig{DataDir: dataDir, Environment: []string{playEngineVariable + "=1"}}
}

// playEngine does what `groundwork engine` does.
func playEngine() int {
	cfg := engine.Config{
		Password:   os.Getenv(embedded.EnginePasswordVariable),
		BIPassword: os.Getenv(embedded.EngineReadOnlyPasswordVariable),
	}
	flags := flag.NewFlagSet("engine", flag.ExitOnError)
	flags.StringVar(&cfg.DataDir, "data-dir", "", "")
	flags.StringVar(&cfg.Listen, "listen", "", "")
	flags.StringVar(&cfg.Library, "chdb-lib", "", "")
	_ = flags.Parse(os.Args[2:]) // exits on error
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	if err := engine.Run(ctx, cfg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
