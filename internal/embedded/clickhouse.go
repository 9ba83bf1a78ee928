package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Users of the embedded ClickHouse engine.
const (
	// EngineUser may do everything.
	EngineUser = "groundwork"
	// EngineReadOnlyUser is for BI tools: it may only read.
	EngineReadOnlyUser = "bi"
)

// Environment variables by which the child gets its passwords: arguments are visible to every user of the machine.
const (
	EnginePasswordVariable         = "GROUNDWORK_ENGINE_PASSWORD"
	EngineReadOnlyPasswordVariable = "GROUNDWORK_ENGINE_BI_PASSWORD"
)

// EngineConfig configures the child ClickHouse engine. Only DataDir is required.
type EngineConfig struct {
	// DataDir is the engine's directory; it is made if missing. Beside it lie DataDir+".password", DataDir+".bi.password",
	// DataDir+".lock" and DataDir+".pid".
	DataDir string
	// Addr is the loopback address host:port to listen at; port 0 picks a free one. Default 127.0.0.1:0.
	Addr string
	// Executable has the subcommand `engine`. Default: the running program.
	Executable string
	// Library is the path of libchdb.so. Default: where SearchFromEnvironment finds it.
	Library string
	// Environment is added to the environment of the child, as NAME=value.
	Environment []string
	// Password of EngineUser and ReadOnlyPassword of EngineReadOnlyUser. Default: those of the last start, at the first
	// start random ones.
	Password, ReadOnlyPassword string
	// StartTimeout bounds a start. Default 1 minute.
	StartTimeout time.Duration
	// Logger gets the engine's log. Default: none is kept.
	Logger *slog.Logger
}

func (cfg *EngineConfig) validate() (addr address, err error) {
	var faults []error
	if cfg.DataDir == "" {
		faults = append(faults, errors.New("DataDir is empty: name the engine's directory"))
	}
	addr, err = parseAddress(cfg.Addr, "--clickhouse", "GROUNDWORK_CLICKHOUSE")
	faults = append(faults, err)
	if cfg.StartTimeout == 0 {
		cfg.StartTimeout = time.Minute
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Executable == "" {
		cfg.Executable, err = os.Executable()
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return addr, fmt.Errorf("embedded ClickHouse engine: %w", err)
	}
	if cfg.DataDir, err = filepath.Abs(cfg.DataDir); err != nil {
		return addr, fmt.Errorf("embedded ClickHouse engine: data directory: %w", err)
	}
	return addr, nil
}

// Engine is a child ClickHouse engine that is started again when it ends unexpectedly.
type Engine struct {
	cfg    EngineConfig
	addr   address
	unlock func()

	mu    sync.Mutex // guards child
	child *child

	stopOnce sync.Once
	stopping chan struct{}
	done     chan struct{}
	err      error // set before done is closed
}

// StartEngine starts `groundwork engine` on cfg.DataDir and returns when it answers. ctx bounds the start only. Among its
// errors are *MissingError, *LockedError and *BusyAddressError.
func StartEngine(ctx context.Context, cfg EngineConfig) (*Engine, error) {
	addr, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	if cfg.Library == "" {
		if cfg.Library, err = SearchFromEnvironment().Chdb(); err != nil {
			return nil, err
		}
	}
	if err := makeDirs(filepath.Dir(cfg.DataDir)); err != nil {
		return nil, err
	}
	unlock, err := lockFile(cfg.DataDir+".lock", cfg.DataDir)
	if err != nil {
		return nil, err
	}
	e := &Engine{cfg: cfg, addr: addr, unlock: unlock, stopping: make(chan struct{}), done: make(chan struct{})}
	if err := e.open(ctx); err != nil {
		_ = os.Remove(engineNoteFile(cfg.DataDir))
		unlock()
		return nil, err
	}
	go e.supervise()
	return e, nil
}

// open settles the passwords, ends an engine of an earlier run, and starts the first child.
func (e *Engine) open(ctx context.Context) (err error) {
	if e.cfg.Password, err = keepSecret(e.cfg.DataDir+".password", e.cfg.Password); err != nil {
		return err
	}
	if e.cfg.ReadOnlyPassword, err = keepSecret(e.cfg.DataDir+".bi.password", e.cfg.ReadOnlyPassword); err != nil {
		return err
	}
	if err := os.MkdirAll(e.cfg.DataDir, 0o700); err != nil {
		return notWritable(e.cfg.DataDir, err)
	}
	if err := e.endOrphan(); err != nil {
		return err
	}
	wanted := e.addr
	for attempt := 1; ; attempt++ {
		if e.addr, err = wanted.free(); err != nil {
			return err
		}
		err := e.launch(ctx)
		const attempts = 10
		if err == nil || attempt == attempts || !errors.Is(err, errPortTaken) {
			return err
		}
		if !wanted.automatic() {
			return wanted.busy()
		}
	}
}

// launch starts one child and returns when it answers.
func (e *Engine) launch(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, e.cfg.StartTimeout, fmt.Errorf("no answer within %s", e.cfg.StartTimeout))
	defer cancel()
	cmd := exec.Command(e.cfg.Executable, "engine",
		"--data-dir", e.cfg.DataDir, "--listen", e.addr.String(), "--chdb-lib", e.cfg.Library)
	cmd.Env = append(os.Environ(), e.cfg.Environment...)
	cmd.Env = append(cmd.Env,
		EnginePasswordVariable+"="+e.cfg.Password, EngineReadOnlyPasswordVariable+"="+e.cfg.ReadOnlyPassword)
	server, err := startChild(childConfig{
		name:        "clickhouse",
		command:     cmd,
		as:          identity{uid: os.Geteuid(), gid: os.Getegid(), how: sameUser},
		parentDeath: syscall.SIGTERM,
		stop:        []stopStep{{syscall.SIGTERM, 90 * time.Second}},
		logger:      e.cfg.Logger,
		level:       engineLevel,
	})
	if err != nil {
		return err
	}
	err = e.writeNote(server.pid())
	if err == nil {
		err = server.awaitReady(ctx, e.answers)
	}
	if err != nil {
		_ = server.end(ctx)
		if server.output.contains("in use") && server.output.contains(e.addr.String()) {
			return fmt.Errorf("%w: %w", errPortTaken, err)
		}
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.child = server
	return nil
}

// answers is the readiness probe: /ping, then a query with the password, which no other server on the port could answer.
func (e *Engine) answers(ctx context.Context) (bool, error) {
	if _, body := e.get(ctx, "/ping"); body != "Ok.\n" {
		return false, nil
	}
	status, _ := e.get(ctx, "/?query=SELECT+1")
	return status == http.StatusOK, nil
}

func (e *Engine) get(ctx context.Context, path string) (status int, body string) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL()+path, nil)
	if err != nil {
		return 0, ""
	}
	request.Header.Set("X-ClickHouse-User", EngineUser)
	request.Header.Set("X-ClickHouse-Key", e.cfg.Password)
	response, err := probeClient.Do(request)
	if err != nil {
		return 0, "" // not up yet
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err != nil {
		return 0, ""
	}
	return response.StatusCode, string(text)
}

// probeClient asks the child directly, never by way of a proxy, and keeps no connection.
var probeClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// URL returns the address of the ClickHouse HTTP interface, without user and password.
func (e *Engine) URL() string { return "http://" + e.addr.String() }

// DSN returns the URL of a database for EngineUser, with the password, as warehouse.Open takes it.
func (e *Engine) DSN(database string) string { return e.dsn(EngineUser, e.cfg.Password, database) }

// ReadOnlyDSN returns the same for EngineReadOnlyUser.
func (e *Engine) ReadOnlyDSN(database string) string {
	return e.dsn(EngineReadOnlyUser, e.cfg.ReadOnlyPassword, database)
}

func (e *Engine) dsn(user, password, database string) string {
	return (&url.URL{Scheme: "http", User: url.UserPassword(user, password), Host: e.addr.String(), Path: "/" + database}).String()
}

// Password returns the password of EngineUser.
func (e *Engine) Password() string { return e.cfg.Password }

// ReadOnlyPassword returns the password of EngineReadOnlyUser.
func (e *Engine) ReadOnlyPassword() string { return e.cfg.ReadOnlyPassword }

// PID returns the process id of the present child, for diagnosis. It changes with every restart.
func (e *Engine) PID() int { return e.current().pid() }

// Done is closed when the engine has ended for good, asked or not.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Err returns why the engine was given up; nil while it runs and after Stop.
func (e *Engine) Err() error {
	select {
	case <-e.done:
		return e.err
	default:
		return nil
	}
}

// Stop ends the engine in order and returns when it is gone. After 90 seconds, or when ctx ends, it is killed, which loses
// nothing that was acknowledged. Stopping twice is safe.
func (e *Engine) Stop(ctx context.Context) error {
	e.stopOnce.Do(func() { close(e.stopping) })
	err := e.current().end(ctx)
	<-e.done
	return err
}

func (e *Engine) current() *child {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.child
}

// engineLevel grades a line of the engine's log by the words that slog's handlers write.
func engineLevel(line string) slog.Level {
	for _, grade := range []slog.Level{slog.LevelError, slog.LevelWarn} {
		for _, form := range []string{" %s ", "level=%s", `"level":"%s"`} {
			if strings.Contains(line, fmt.Sprintf(form, grade)) {
				return grade
			}
		}
	}
	if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
		return slog.LevelError
	}
	return slog.LevelDebug
}

// endOrphan ends an engine of an earlier run that has outlived its parent, or is about to end with it.
func (e *Engine) endOrphan() error {
	note, err := readEngineNote(e.cfg.DataDir)
	if err != nil {
		return nil // no earlier run, or one that ended in order
	}
	orphan := findProcess(note.pid)
	if orphan == nil || orphan.started != note.started {
		return nil
	}
	e.cfg.Logger.Warn("ending a ClickHouse engine that an earlier run left behind", "pid", orphan.pid)
	return orphan.end(stopStep{syscall.SIGTERM, 10 * time.Second}, stopStep{syscall.SIGKILL, 5 * time.Second})
}
