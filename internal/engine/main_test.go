package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The engine takes a process for itself, so tests start this test binary again as an engine: one for all tests that
// can share it, and more where a test is about starting, stopping or dying.

const childConfig = "GROUNDWORK_TEST_ENGINE"

func TestMain(m *testing.M) {
	if text := os.Getenv(childConfig); text != "" {
		os.Exit(runChild(text))
	}
	code := m.Run()
	shared.stop()
	os.Exit(code)
}

// runChild is the engine process. It tells its address on standard output.
func runChild(text string) int {
	var config Config
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	config.Logger = slog.New(slog.NewTextHandler(os.Stdout, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := Run(ctx, config); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// process is an engine in a process of its own.
type process struct {
	cmd  *exec.Cmd
	URL  string
	dir  string
	exit chan error
}

// start runs an engine on a free port of the loopback until the test ends.
func start(t *testing.T, config Config) *process {
	t.Helper()
	config.Library = firstOf(config.Library, library(t))
	config.DataDir = firstOf(config.DataDir, t.TempDir())
	config.Listen = firstOf(config.Listen, "127.0.0.1:0")
	p, err := launch(config)
	require.NoError(t, err)
	t.Cleanup(p.stop)
	return p
}

func launch(config Config) (*process, error) {
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(binary), dir: config.DataDir, exit: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), childConfig+"="+string(text))
	var errors strings.Builder
	p.cmd.Stderr = &errors
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(stdout)
	for p.URL == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			waitErr := p.cmd.Wait()
			return nil, fmt.Errorf("the engine did not start: %s (%w)", errors.String(), waitErr)
		}
		if _, rest, ok := strings.Cut(line, "address="); ok {
			address, _, _ := strings.Cut(rest, " ")
			p.URL = "http://" + address
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		p.exit <- p.cmd.Wait()
		close(p.exit)
	}()
	return p, nil
}

func (p *process) stop() {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exit: //nolint:errcheck // how it ends does not matter here
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.exit //nolint:errcheck // the same
	}
}

func (p *process) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Kill())
	<-p.exit //nolint:errcheck // killed is how it ends
}

// library finds the engine as the root's package.json installs it.
func library(t *testing.T) string {
	t.Helper()
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	dir, err := os.Getwd()
	require.NoError(t, err)
	for ; dir != "/"; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "node_modules", "@chdb", "lib-"+runtime.GOOS+"-"+arch+"-gnu", "libchdb.so")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	require.Fail(t, "the ClickHouse engine library is missing: `make engines` installs it")
	return ""
}

// answer is what came back from a request.
type answer struct {
	status int
	header http.Header
	body   string
}

// send makes a request with the statement in the body and the address's parameters in pairs.
func (p *process) send(t testing.TB, sql string, params ...string) answer {
	t.Helper()
	return p.request(t, http.MethodPost, strings.NewReader(sql), nil, params...)
}

func (p *process) request(t testing.TB, method string, body io.Reader, header http.Header, params ...string) answer {
	t.Helper()
	args := url.Values{}
	for i := 0; i < len(params); i += 2 {
		args.Set(params[i], params[i+1])
	}
	r, err := http.NewRequestWithContext(t.Context(), method, p.URL+"/?"+args.Encode(), body)
	require.NoError(t, err)
	for name, values := range header {
		r.Header[name] = values
	}
	client := http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	response, err := client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{status: response.StatusCode, header: response.Header, body: string(text)}
}

// query returns the rows of a statement that must succeed.
func (p *process) query(t testing.TB, sql string, params ...string) string {
	t.Helper()
	a := p.send(t, sql, params...)
	require.Equal(t, http.StatusOK, a.status, "%s: %s", sql, a.body)
	require.NotContains(t, a.body, "__exception__", sql)
	return strings.TrimSuffix(a.body, "\n")
}
