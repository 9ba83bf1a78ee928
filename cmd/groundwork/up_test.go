package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork/internal/embedded"
)

// program is the binary under test, built once.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "groundwork-program-")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "groundwork")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("build groundwork: %v\n%s", err, out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// system is a running "groundwork up".
type system struct {
	t       *testing.T
	dataDir string
	cmd     *exec.Cmd
	output  *syncBuffer
	exited  chan error

	http, postgres, clickHouse string // addresses
}

// syncBuffer collects output that several goroutines write and read.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// up starts the system on dataDir and waits until it says that it is ready.
func up(t *testing.T, dataDir string, args ...string) *system {
	t.Helper()
	s := &system{t: t, dataDir: dataDir, output: &syncBuffer{}, exited: make(chan error, 1)}
	args = append([]string{"up", "--data-dir", dataDir, "--http", "127.0.0.1:0", "--postgres", "127.0.0.1:0", "--clickhouse", "127.0.0.1:0"}, args...)
	s.cmd = exec.Command(program, args...)
	s.cmd.Dir = t.TempDir() // no groundwork.yaml, no ./data
	s.cmd.Env = append(os.Environ(), "GROUNDWORK_NODE_MODULES="+nodeModules(t))
	stdout, err := s.cmd.StdoutPipe()
	require.NoError(t, err)
	s.cmd.Stderr = s.output
	require.NoError(t, s.cmd.Start())
	t.Cleanup(func() { // the directory can go only when nobody writes into it any more
		pids := s.children()
		s.kill()
		eventually(t, time.Minute, "the children's end", func() bool { return !slices.ContainsFunc(pids, alive) })
	})
	ready := make(chan struct{})
	go s.follow(stdout, ready)
	select {
	case <-ready:
	case err := <-s.exited:
		s.exited <- err
		t.Fatalf("groundwork up ended: %v\n%s", err, s.output)
	case <-time.After(2 * time.Minute):
		t.Fatalf("groundwork up is not ready after 2 minutes\n%s", s.output)
	}
	return s
}

// follow reads the announcement of the addresses off the program's output.
func (s *system) follow(stdout io.Reader, ready chan<- struct{}) {
	lines := bufio.NewScanner(io.TeeReader(stdout, s.output))
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		rest = strings.TrimSpace(rest)
		switch word {
		case "GraphQL":
			s.http = strings.TrimSuffix(strings.Fields(rest)[0], "/graphql")
		case "Postgres":
			s.postgres = strings.Trim(strings.TrimPrefix(rest, "psql "), "'")
		case "ClickHouse":
			s.clickHouse = strings.TrimPrefix(strings.Fields(rest)[0], "http://")
		case "Data":
			close(ready)
		}
	}
	s.exited <- s.cmd.Wait()
}

// kill ends the program the hard way, as kill -9 does; its children end by themselves.
func (s *system) kill() {
	_ = s.cmd.Process.Kill()
	err := <-s.exited
	s.exited <- err
}

// stop ends the program as Ctrl-C does and returns how it ended.
func (s *system) stop() error {
	require.NoError(s.t, s.cmd.Process.Signal(os.Interrupt))
	select {
	case err := <-s.exited:
		s.exited <- err
		return err
	case <-time.After(time.Minute):
		s.t.Fatalf("groundwork up does not stop\n%s", s.output)
		return nil
	}
}

// run runs another command of the program against the system and returns its output and exit code.
func (s *system) run(args ...string) (string, int) {
	s.t.Helper()
	return groundwork(s.t, append(args, "--data-dir", s.dataDir, "--postgres", s.postgresAddress(), "--clickhouse", s.clickHouse)...)
}

func (s *system) postgresAddress() string {
	config, err := pgx.ParseConfig(s.postgres)
	require.NoError(s.t, err)
	return fmt.Sprintf("%s:%d", config.Host, config.Port)
}

// groundwork runs one command to its end.
func groundwork(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "GROUNDWORK_NODE_MODULES="+nodeModules(t))
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

func nodeModules(t *testing.T) string {
	dir, err := filepath.Abs("../../node_modules")
	require.NoError(t, err)
	return dir
}

// inspector sees all figures as they are.
var inspector = map[string]string{"Groundwork-Actor": "inspector", "Groundwork-Role": "SUPERVISOR"}

// query asks GraphQL as an inspector and fails on errors; the answer's data is decoded into out.
func (s *system) query(out any, document string, variables map[string]any) {
	s.t.Helper()
	data, faults := s.ask(document, variables, inspector)
	require.Empty(s.t, faults, "errors of %s", document)
	require.NoError(s.t, json.Unmarshal(data, out))
}

func (s *system) ask(document string, variables map[string]any, headers map[string]string) (json.RawMessage, []map[string]any) {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	require.NoError(s.t, err)
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.http+"/graphql", bytes.NewReader(body))
	require.NoError(s.t, err)
	request.Header.Set("Content-Type", "application/json")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	var answer struct {
		Data   json.RawMessage
		Errors []map[string]any
	}
	require.NoError(s.t, json.NewDecoder(response.Body).Decode(&answer))
	return answer.Data, answer.Errors
}

// psql runs a statement as somebody at the database's own prompt would.
func (s *system) psql(statement string, args ...any) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.postgres)
	require.NoError(s.t, err)
	defer conn.Close(context.WithoutCancel(s.t.Context()))
	_, err = conn.Exec(s.t.Context(), statement, args...)
	require.NoError(s.t, err)
}

// opinions counts the opinions in the system of record.
func (s *system) opinions() (n int) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.postgres)
	require.NoError(s.t, err)
	defer conn.Close(context.WithoutCancel(s.t.Context()))
	require.NoError(s.t, conn.QueryRow(s.t.Context(), "SELECT count(*) FROM opinion").Scan(&n))
	return n
}

// children returns the pids of the processes whose parent is the program.
func (s *system) children() []int {
	var pids []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has just ended
		}
		var pid, parent int
		after := text[bytes.LastIndexByte(text, ')')+1:]
		var state string
		_, _ = fmt.Sscan(string(after), &state, &parent)
		_, _ = fmt.Sscan(string(text), &pid)
		if parent == s.cmd.Process.Pid {
			pids = append(pids, pid)
		}
	}
	return pids
}

// alive reports whether a process runs; one that has ended and only waits to be collected does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(text[bytes.LastIndexByte(text, ')')+1:][:3], []byte("Z"))
}

// eventually waits for a condition that the system itself brings about.
func eventually(t *testing.T, within time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for deadline := start.Add(within); ; {
		if ok() {
			return time.Since(start)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, within)
		}
		time.Sleep(10 * time.Millisecond) // a poll of another process: there is no signal to wait on
	}
}

func (s *system) clickHouseDSN() string {
	dsn, err := embedded.EngineDSN(filepath.Join(s.dataDir, "clickhouse"), s.clickHouse, "groundwork")
	require.NoError(s.t, err)
	return dsn
}

func passwordOf(t *testing.T, dsn string) string {
	config, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	return config.Password
}
