package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is what /proc says about a living process.
type process struct {
	pid int
	// started tells it from a later process with the same id (clock ticks since boot).
	started string
	args    []string
}

// findProcess returns nil if the process is gone or a zombie: where nobody reaps orphans, as in most containers, a killed
// process stays a zombie for ever, and kill(pid, 0) takes it for alive. A zombie of which other threads still run is not
// gone: it holds its files, and their locks, until the last of them has ended.
func findProcess(pid int) *process {
	if pid <= 0 {
		return nil
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	// The name in the second field may hold anything; the fields are counted after its last parenthesis.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const state, threads, started = 0, 17, 19
	if len(fields) <= started || fields[state] == "X" || fields[state] == "Z" && fields[threads] == "1" {
		return nil
	}
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return nil
	}
	args := strings.Split(strings.TrimRight(string(cmdline), "\x00"), "\x00")
	return &process{pid: pid, started: fields[started], args: args}
}

// alive says whether it is still the same process.
func (p *process) alive() bool {
	now := findProcess(p.pid)
	return now != nil && now.started == p.started
}

// end sends the signals in turn until the process is gone.
func (p *process) end(steps ...stopStep) error {
	for _, step := range steps {
		if err := syscall.Kill(p.pid, step.signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("end process %d of an earlier run: %w: end it by hand", p.pid, err)
		}
		for deadline := time.Now().Add(step.patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if !p.alive() {
				return nil
			}
		}
	}
	return fmt.Errorf("process %d of an earlier run does not end: end it by hand (kill -9 %d)", p.pid, p.pid)
}

// postmasterFile is what Postgres writes into postmaster.pid, as far as we use it.
type postmasterFile struct {
	pid int
	// port is 0 when not written yet.
	port int
	// status is "starting", "ready", "stopping" or "" when not written yet.
	status string
}

func readPostmasterFile(dataDir string) (postmasterFile, error) {
	text, err := os.ReadFile(filepath.Join(dataDir, "postmaster.pid"))
	if err != nil {
		return postmasterFile{}, err
	}
	lines := strings.Split(string(text), "\n")
	var file postmasterFile
	file.pid, _ = strconv.Atoi(strings.TrimSpace(lines[0]))
	const portLine, statusLine = 3, 7
	if len(lines) > portLine {
		file.port, _ = strconv.Atoi(strings.TrimSpace(lines[portLine]))
	}
	if len(lines) > statusLine {
		file.status = strings.TrimSpace(lines[statusLine])
	}
	return file, nil
}

// clearPostmaster makes way for a new Postgres after a run that ended badly: it ends a Postgres of an earlier run that still
// works on dataDir, and removes the lock files of one that is gone. Postgres itself does the latter only if no process, not
// even a zombie or a stranger, has the id in the file. The caller holds the lock of the directory, so that the Postgres
// found here is nobody's.
func clearPostmaster(dataDir string) (ended int, err error) {
	file, err := readPostmasterFile(dataDir)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the state of Postgres: %w", err)
	}
	if p := findProcess(file.pid); p != nil && isPostgresOn(p, dataDir) {
		ended = p.pid
		if err := p.end(stopStep{syscall.SIGINT, 10 * time.Second}, stopStep{syscall.SIGQUIT, 5 * time.Second}); err != nil {
			return 0, err
		}
	}
	stale, _ := filepath.Glob(filepath.Join(dataDir, ".s.PGSQL.*"))
	for _, path := range append(stale, filepath.Join(dataDir, "postmaster.pid")) {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return ended, fmt.Errorf("remove a stale lock file of Postgres: %w", err)
		}
	}
	return ended, nil
}

func isPostgresOn(p *process, dataDir string) bool {
	if filepath.Base(p.args[0]) != "postgres" {
		return false
	}
	at := slices.Index(p.args, "-D")
	if at < 0 || at+1 >= len(p.args) {
		// Not started by us. When in doubt it is: Postgres then refuses to start rather than losing its lock file.
		cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", p.pid))
		return err != nil || cwd == dataDir
	}
	return p.args[at+1] == dataDir
}

// endBackends asks the processes of a postmaster that is gone to end what they do: they work in its data directory. The caller holds the lock of the
// directory and no postmaster of its own lives in it. Their transactions are rolled back, as after any crash.
func endBackends(dataDir string) error {
	home, err := os.Stat(dataDir)
	if err != nil {
		return fmt.Errorf("look for processes of an earlier Postgres: %w", err)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return fmt.Errorf("look for processes of an earlier Postgres: %w", err)
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		at, err := os.Stat(filepath.Join("/proc", entry.Name(), "cwd"))
		if err != nil || !os.SameFile(at, home) { // gone, or of somebody else
			continue
		}
		if exe, _ := os.Readlink(filepath.Join("/proc", entry.Name(), "exe")); filepath.Base(exe) != "postgres" {
			continue
		}
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("end process %d of an earlier Postgres: %w: end it by hand (kill %d)", pid, err, pid)
		}
	}
	return nil
}
