package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// process reads what the kernel accounts to a running process.
type process struct{ *exec.Cmd }

// clockTick is Linux' USER_HZ, which is 100 on every architecture that Go has.
const clockTick = 10 * time.Millisecond

// cpu is the user and system time so far.
func (p *process) cpu() (time.Duration, error) { return cpuOf(p.Process.Pid) }

// cpuOf is the user and system time of a process so far, and of its children that have ended.
func cpuOf(pid int) (time.Duration, error) {
	said, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	var ticks int
	for _, field := range strings.Fields(string(said[strings.LastIndexByte(string(said), ')')+1:]))[11:15] {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// rss is the memory in use now, in MiB; peak is the highest since the start or the last forget.
func (p *process) rss() (float64, error)  { return p.status("VmRSS") }
func (p *process) peak() (float64, error) { return p.status("VmHWM") }

func (p *process) status(name string) (float64, error) {
	said, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(said)) {
		if after, ok := strings.CutPrefix(line, name+":"); ok {
			kilobytes, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
			return kilobytes / 1024, err
		}
	}
	return 0, fmt.Errorf("process %d has no %s", p.Process.Pid, name)
}

// forget makes the peak begin anew.
func (p *process) forget() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.Process.Pid), []byte("5"), 0)
}
