package embedded

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ErrNotRunning says that no server runs on a data directory.
var ErrNotRunning = errors.New("is not running")

// PostgresDSN returns the URL of a database in the Postgres that another process of ours (`groundwork up`) runs on dataDir. The
// port is the one it really listens at; addr tells the host, and may be empty. The error matches ErrNotRunning if there is none.
func PostgresDSN(dataDir, addr, database string) (string, error) {
	at, err := parseAddress(addr, "--postgres", "GROUNDWORK_POSTGRES")
	if err != nil {
		return "", err
	}
	file, err := readPostmasterFile(dataDir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the state of Postgres on %s: %w: run this as the user who started it", dataDir, err)
	}
	if err != nil || findProcess(file.pid) == nil || file.port == 0 {
		return "", fmt.Errorf("Postgres on %s %w", dataDir, ErrNotRunning)
	}
	at.port = file.port
	password, err := existingSecret(dataDir + ".password")
	if err != nil {
		return "", err
	}
	return (&Postgres{addr: at, password: password}).DSN(database), nil
}

// EngineDSN returns the same for the ClickHouse engine on dataDir and EngineUser.
func EngineDSN(dataDir, addr, database string) (string, error) {
	if _, err := parseAddress(addr, "--clickhouse", "GROUNDWORK_CLICKHOUSE"); err != nil {
		return "", err
	}
	note, err := readEngineNote(dataDir)
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("the ClickHouse engine on %s %w", dataDir, ErrNotRunning)
	}
	if err != nil {
		return "", fmt.Errorf("read the state of the ClickHouse engine on %s: %w: run this as the user who started it", dataDir, err)
	}
	password, err := existingSecret(dataDir + ".password")
	if err != nil {
		return "", err
	}
	return (&Engine{addr: note.addr, cfg: EngineConfig{Password: password}}).DSN(database), nil
}

func existingSecret(path string) (string, error) {
	secret, err := readSecret(path)
	if err == nil && secret == "" {
		err = fmt.Errorf("%s is missing: start Groundwork again, which makes it anew", path)
	}
	return secret, err
}

// engineNote is what a running engine's file DataDir+".pid" says: the child, by its start time known again, and its address.
// An orderly stop removes the file.
type engineNote struct {
	pid     int
	started string
	addr    address
}

func readEngineNote(dataDir string) (note engineNote, err error) {
	text, err := os.ReadFile(engineNoteFile(dataDir))
	if err != nil {
		return note, err
	}
	fields := strings.Fields(string(text))
	if len(fields) != 3 {
		return note, fmt.Errorf("%s is not of Groundwork: remove it", engineNoteFile(dataDir))
	}
	note.started = fields[1]
	if note.pid, err = strconv.Atoi(fields[0]); err != nil {
		return note, err
	}
	note.addr, err = parseAddress(fields[2], "--clickhouse", "GROUNDWORK_CLICKHOUSE")
	return note, err
}

func engineNoteFile(dataDir string) string { return dataDir + ".pid" }

// writeNote notes the child pid, if it still runs.
func (e *Engine) writeNote(pid int) error {
	p := findProcess(pid)
	if p == nil {
		return nil // awaitReady tells why
	}
	return replaceFile(engineNoteFile(e.cfg.DataDir), fmt.Sprintf("%d %s %s\n", pid, p.started, e.addr))
}
