package engine

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Config says where the engine lives and who may use it. Library and DataDir are required; the zero value of everything
// else is the default.
type Config struct {
	// Library is the path of libchdb.so.
	Library string
	// DataDir holds everything the engine stores: data, its own log and the configuration written for it at each start.
	// It is made when absent. One process at a time may use it.
	DataDir string
	// Listen is the address of the HTTP interface; default 127.0.0.1:8123.
	Listen string
	// Database is made at start and is the default of requests; default groundwork.
	Database string

	// Password of the user groundwork, who may do everything that the engine allows. Empty: no password is asked for.
	Password string
	// BIPassword of the user bi, who may only read tables and views named pub_*. Empty: no password is asked for.
	BIPassword string

	// MaxMemory bounds what the engine's statements allocate, in bytes; default half of the machine's (or container's)
	// memory.
	MaxMemory uint64
	// MaxStatements run at once, further requests wait; default twice the number of cores, at least four.
	MaxStatements int
	// MaxInsertBytes bounds the data of one INSERT, which is held in memory or on disk until it is complete; default 16 GiB.
	MaxInsertBytes int64
	// ReloadInterval is the time between two reloads of all dictionaries; default 30 s.
	ReloadInterval time.Duration

	// Logger gets what an operator should know; default slog.Default().
	Logger *slog.Logger
}

const (
	defaultListen = "127.0.0.1:8123"
	gibibyte      = 1 << 30
)

var databaseName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Validate reports all faults of the configuration at once.
func (c Config) Validate() error {
	var faults []error
	if c.Library == "" {
		faults = append(faults, errors.New("Library is empty: give the path of libchdb.so (`make engines` installs it)"))
	}
	if c.DataDir == "" {
		faults = append(faults, errors.New("DataDir is empty: give the directory for the engine's data"))
	}
	if c.Listen != "" {
		if _, _, err := net.SplitHostPort(c.Listen); err != nil {
			faults = append(faults, fmt.Errorf("Listen is %q, want host:port: %w", c.Listen, err))
		}
	}
	if c.Database != "" && !databaseName.MatchString(c.Database) {
		faults = append(faults, fmt.Errorf("Database is %q, want letters, digits and underscores", c.Database))
	}
	if c.ReloadInterval < 0 {
		faults = append(faults, fmt.Errorf("ReloadInterval is %s, want no negative time", c.ReloadInterval))
	}
	if c.MaxStatements < 0 || c.MaxInsertBytes < 0 {
		faults = append(faults, fmt.Errorf("MaxStatements is %d and MaxInsertBytes %d, want no negative numbers", c.MaxStatements, c.MaxInsertBytes))
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("engine configuration: %w", err)
	}
	return nil
}

func (c Config) withDefaults() (Config, error) {
	if err := c.Validate(); err != nil {
		return c, err
	}
	c.Listen = cmp.Or(c.Listen, defaultListen)
	c.Database = cmp.Or(c.Database, "groundwork")
	c.MaxMemory = cmp.Or(c.MaxMemory, machineMemory()/2)
	c.MaxStatements = cmp.Or(c.MaxStatements, max(4, 2*runtime.NumCPU()))
	c.MaxInsertBytes = cmp.Or(c.MaxInsertBytes, 16*gibibyte)
	c.ReloadInterval = cmp.Or(c.ReloadInterval, 30*time.Second)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	var err error
	c.DataDir, err = filepath.Abs(c.DataDir)
	return c, err
}

// machineMemory is the machine's memory in bytes, or the container's where that is less.
func machineMemory() uint64 {
	memory := uint64(4 * gibibyte)
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		memory = info.Totalram * uint64(info.Unit)
	}
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if limit, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
			memory = min(memory, limit)
		}
	}
	return memory
}
