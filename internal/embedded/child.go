package embedded

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// child is a running child process: it dies with its parent, its output goes to the log, and its end is announced.
type child struct {
	name     string
	cmd      *exec.Cmd
	output   *outputLog
	stop     []stopStep
	stopping atomic.Bool
	done     chan struct{}
	err      error // set before done is closed
}

// stopStep is one step of a stop: send the signal, then wait this long for the end before the next step.
type stopStep struct {
	signal   syscall.Signal
	patience time.Duration
}

// childConfig says what to start and how to end it.
type childConfig struct {
	// name is for the log and for errors.
	name string
	// command with its arguments, environment and input; startChild fills in the rest.
	command *exec.Cmd
	as      identity
	// parentDeath is the signal that the child gets when this process dies in any way.
	parentDeath syscall.Signal
	// stop is the sequence of an orderly stop; SIGKILL follows by itself.
	stop   []stopStep
	logger *slog.Logger
	// level grades one line of output.
	level func(line string) slog.Level
}

// startChild starts the process. It does not wait until the process is ready: that is awaitReady.
func startChild(cfg childConfig) (*child, error) {
	c := &child{
		name:   cfg.name,
		cmd:    cfg.command,
		output: &outputLog{logger: cfg.logger.With("child", cfg.name), level: cfg.level},
		stop:   cfg.stop,
		done:   make(chan struct{}),
	}
	// Never "our own directory": a user that the child switches to may have no right to be there.
	c.cmd.Dir = "/"
	c.cmd.SysProcAttr = cfg.as.attributes(cfg.parentDeath)
	c.cmd.Stdout, c.cmd.Stderr = c.output, c.output
	// The child's own children may hold its output open; do not wait for them for ever.
	c.cmd.WaitDelay = 2 * time.Second
	if err := startOnLastingThread(c.cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", cfg.name, err)
	}
	go c.wait()
	return c, nil
}

func (c *child) wait() {
	err := c.cmd.Wait()
	c.output.flush()
	if !c.stopping.Load() {
		if err == nil {
			err = fmt.Errorf("exit status 0")
		}
		c.err = fmt.Errorf("%s ended: %w%s", c.name, err, c.output.lastLines())
	}
	close(c.done)
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// awaitReady asks probe every 10 ms until it says yes. It fails when the child ends, when ctx ends, or when probe returns
// an error, which means: hopeless. The child is left as it is.
func (c *child) awaitReady(ctx context.Context, probe func(context.Context) (bool, error)) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	alive, cancel := context.WithCancel(ctx) // so that no probe waits for a child that is gone
	defer cancel()
	go func() {
		select {
		case <-c.done:
			cancel()
		case <-alive.Done():
		}
	}()
	for {
		if ready, err := probe(alive); err != nil || ready {
			return err
		}
		select {
		case <-c.done:
			return c.err
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w%s", c.name, context.Cause(ctx), c.output.lastLines())
		case <-tick.C:
		}
	}
}

// end stops the child by its stop sequence and returns when it is gone. When ctx ends, the remaining steps get a second
// each. Ending twice is safe. It reports an error only if nothing but SIGKILL helped.
func (c *child) end(ctx context.Context) error {
	c.stopping.Store(true)
	for _, step := range c.stop {
		_ = c.cmd.Process.Signal(step.signal) // fails only if the process is gone
		if c.gone(ctx, step.patience) {
			return nil
		}
	}
	_ = syscall.Kill(-c.pid(), syscall.SIGKILL)
	<-c.done
	return fmt.Errorf("stop %s: it did not end in time and was killed", c.name)
}

func (c *child) gone(ctx context.Context, patience time.Duration) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c.done:
		return true
	case <-timer.C:
		return false
	case <-ctx.Done():
	}
	select {
	case <-c.done:
		return true
	case <-time.After(min(patience, time.Second)):
		return false
	}
}

// lastingThread runs functions on a thread that never ends.
var lastingThread = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// startOnLastingThread starts cmd from a thread that never ends. The kernel ties a parent-death signal to the *thread* that
// made the child, and a Go thread does end when a goroutine that locked it returns: the child would be signalled at once.
func startOnLastingThread(cmd *exec.Cmd) error {
	result := make(chan error, 1)
	lastingThread() <- func() { result <- cmd.Start() }
	return <-result
}

// keptLines is how many lines of output an error shows.
const keptLines = 12

// outputLog is an io.Writer that passes lines to the log and remembers the last ones; of a Go panic the first ones, since
// they say what happened.
type outputLog struct {
	logger *slog.Logger
	level  func(line string) slog.Level

	mu      sync.Mutex
	partial []byte
	last    []string
	panics  bool
}

func (o *outputLog) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.partial = append(o.partial, p...)
	for {
		line, rest, found := bytes.Cut(o.partial, []byte("\n"))
		if !found {
			break
		}
		o.add(string(line))
		o.partial = rest
	}
	const longest = 64 << 10 // a child that never ends its line must not fill our memory
	if len(o.partial) > longest {
		o.add(string(o.partial))
		o.partial = nil
	}
	return len(p), nil
}

func (o *outputLog) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.partial) > 0 {
		o.add(string(o.partial))
		o.partial = nil
	}
}

func (o *outputLog) add(line string) {
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return
	}
	if !o.panics && (strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")) {
		o.panics, o.last = true, nil
	}
	switch {
	case len(o.last) < keptLines:
		o.last = append(o.last, line)
	case !o.panics:
		o.last = append(o.last[1:], line)
	}
	o.logger.Log(context.Background(), o.level(line), line)
}

// lastLines returns the end of the output for an error message, "" if there was none.
func (o *outputLog) lastLines() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.last) == 0 {
		return ""
	}
	return "; its output:\n  " + strings.Join(o.last, "\n  ")
}

func (o *outputLog) contains(text string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, line := range o.last {
		if strings.Contains(line, text) {
			return true
		}
	}
	return false
}

// runChild runs a command to its end. Its error shows the last output.
func runChild(ctx context.Context, cfg childConfig) error {
	c, err := startChild(cfg)
	if err != nil {
		return err
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		_ = c.end(ctx)
		return fmt.Errorf("%s: %w", c.name, context.Cause(ctx))
	}
	if c.cmd.ProcessState.Success() {
		return nil
	}
	return c.err
}
