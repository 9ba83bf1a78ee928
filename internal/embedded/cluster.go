package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

var (
	errPortTaken  = errors.New("the port was taken")
	errStillInUse = errors.New("processes of an earlier Postgres still end")
)

// cluster is a data directory that is ready to be served.
type cluster struct {
	cfg      PostgresConfig
	binDir   string
	as       identity
	password string
}

// openCluster makes the cluster if there is none, clears what an earlier run left, and settles user and password.
func openCluster(ctx context.Context, cfg PostgresConfig) (*cluster, error) {
	parent := filepath.Dir(cfg.DataDir)
	as := chooseIdentity(parent)
	if as.how == userNamespace {
		cfg.Logger.Warn("the user nobody cannot reach the data directory: Postgres runs in a user namespace",
			"data_dir", cfg.DataDir, "blocked_at", nobodyIdentity().blockedAt(parent))
	}
	binDir, err := usableBinaries(cfg.BinDir, as)
	if err != nil {
		return nil, err
	}
	c := &cluster{cfg: cfg, binDir: binDir, as: as}
	removeAll(cfg.DataDir + ".tmp-*") // of an initdb that was killed
	switch made, err := c.exists(); {
	case err != nil:
		return nil, err
	case !made:
		err = c.create(ctx)
		return c, err
	}
	return c, c.reopen(ctx)
}

// exists says whether the data directory holds a cluster; something else in it is an error.
func (c *cluster) exists() (bool, error) {
	entries, err := os.ReadDir(c.cfg.DataDir)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0:
		return false, nil
	case errors.Is(err, fs.ErrPermission):
		return false, notWritable(c.cfg.DataDir, err)
	case err != nil:
		return false, fmt.Errorf("data directory of Postgres: %w", err)
	}
	if !isFile(filepath.Join(c.cfg.DataDir, "PG_VERSION")) {
		return false, fmt.Errorf("data directory %s holds files but no Postgres cluster: choose another directory (--data-dir or GROUNDWORK_DATA), or empty it",
			c.cfg.DataDir)
	}
	return true, nil
}

// create runs initdb beside the data directory and renames the result, so that a kill never leaves half a cluster.
func (c *cluster) create(ctx context.Context) (err error) {
	if c.password, err = keepSecret(c.secretFile(), c.cfg.Password); err != nil {
		return err
	}
	temporary, err := os.MkdirTemp(filepath.Dir(c.cfg.DataDir), filepath.Base(c.cfg.DataDir)+".tmp-")
	if err != nil {
		return notWritable(c.cfg.DataDir, err)
	}
	defer os.RemoveAll(temporary)
	passwordFile, data := filepath.Join(temporary, "password"), filepath.Join(temporary, "data")
	if err := os.WriteFile(passwordFile, []byte(c.password+"\n"), 0o600); err != nil {
		return notWritable(c.cfg.DataDir, err)
	}
	if err := c.as.own(temporary); err != nil {
		return err
	}
	args := []string{"-D", data, "-U", postgresUser, "-E", "UTF8", "--locale=C",
		"--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile=" + passwordFile}
	if c.cfg.Fast {
		args = append(args, "--no-sync")
	}
	if err := c.run(ctx, "initdb", "", args...); err != nil {
		return fmt.Errorf("make the Postgres cluster: %w", err)
	}
	if err := os.Rename(data, c.cfg.DataDir); err != nil {
		return fmt.Errorf("make the Postgres cluster: %w", err)
	}
	return nil
}

// reopen prepares a cluster that exists.
func (c *cluster) reopen(ctx context.Context) error {
	ended, err := clearPostmaster(c.cfg.DataDir)
	if err != nil {
		return err
	}
	if ended != 0 {
		c.cfg.Logger.Warn("ended a Postgres that an earlier run left behind", "pid", ended)
	}
	if err := c.as.own(c.cfg.DataDir); err != nil {
		return err
	}
	stored, err := readSecret(c.secretFile())
	if err != nil {
		return err
	}
	c.password = stored
	if stored != "" && (c.cfg.Password == "" || c.cfg.Password == stored) {
		return nil
	}
	return c.changePassword(ctx)
}

// changePassword sets the configured password, or a new one if the file was lost.
func (c *cluster) changePassword(ctx context.Context) error {
	// Away with the old one first: after a kill in between, the next start changes it again.
	if err := os.Remove(c.secretFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return notWritable(c.cfg.DataDir, err)
	}
	c.password = c.cfg.Password
	if c.password == "" {
		c.password = newSecret()
	}
	literal := "'" + strings.ReplaceAll(c.password, "'", "''") + "'"
	err := c.run(ctx, "postgres", "ALTER USER "+postgresUser+" PASSWORD "+literal+"\n",
		"--single", "-D", c.cfg.DataDir, "-c", "exit_on_error=on", "-c", "log_min_messages=log", "-c", "log_min_error_statement=panic", "postgres")
	if err != nil {
		return fmt.Errorf("set the password of Postgres: %w", err)
	}
	return replaceFile(c.secretFile(), c.password+"\n")
}

func (c *cluster) secretFile() string { return c.cfg.DataDir + ".password" }

// run runs one of the binaries to its end.
func (c *cluster) run(ctx context.Context, name, input string, args ...string) error {
	cmd := c.command(name, args...)
	cmd.Stdin = strings.NewReader(input)
	err := runChild(ctx, childConfig{
		name: name, command: cmd, as: c.as, parentDeath: syscall.SIGKILL,
		logger: c.cfg.Logger, level: func(string) slog.Level { return slog.LevelDebug },
	})
	return c.as.explain(filepath.Dir(c.cfg.DataDir), err)
}

// command has an environment of its own: PG* variables, locales and time zones of the caller stay outside.
func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.binDir, name), args...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	return cmd
}

// serve starts the server at addr and returns when it answers to the password. Its errors match errPortTaken and
// errStillInUse.
func (c *cluster) serve(ctx context.Context, addr address) (*child, error) {
	server, err := startChild(childConfig{
		name:    "postgres",
		command: c.command("postgres", c.arguments(addr)...),
		as:      c.as,
		// An orderly shutdown: with SIGKILL the next start would have to recover.
		parentDeath: syscall.SIGINT,
		stop:        []stopStep{{syscall.SIGINT, 10 * time.Second}, {syscall.SIGQUIT, 5 * time.Second}},
		logger:      c.cfg.Logger,
		level:       postgresLevel,
	})
	if err != nil {
		return nil, c.as.explain(filepath.Dir(c.cfg.DataDir), err)
	}
	err = server.awaitReady(ctx, c.readyProbe(server))
	if err == nil {
		err = c.tryConnect(ctx, addr)
	}
	if err != nil {
		_ = server.end(ctx)
		return nil, c.diagnose(server, err)
	}
	return server, nil
}

// readyProbe reads what the postmaster itself writes down. Unlike a connection it cannot be fooled by another server on the port.
func (c *cluster) readyProbe(server *child) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) {
		file, err := readPostmasterFile(c.cfg.DataDir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("read the state of Postgres: %w", err)
		}
		return file.pid == server.pid() && file.status == "ready", nil
	}
}

func (c *cluster) tryConnect(ctx context.Context, addr address) error {
	p := &Postgres{addr: addr, password: c.password}
	conn, err := pgconn.Connect(ctx, p.DSN("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the embedded Postgres: %w: if its password was changed by hand, remove %s and start again",
			err, c.secretFile())
	}
	return conn.Close(ctx)
}

// diagnose tells the failures of a start apart by what the server said.
func (c *cluster) diagnose(server *child, err error) error {
	switch {
	case server.output.contains("could not bind"):
		return fmt.Errorf("%w: %w", errPortTaken, err)
	case server.output.contains("pre-existing shared memory block"):
		return fmt.Errorf("%w: %w", errStillInUse, err)
	case server.output.contains("database files are incompatible with server"):
		version, _ := os.ReadFile(filepath.Join(c.cfg.DataDir, "PG_VERSION"))
		return fmt.Errorf("the data in %s is of Postgres %s, the binaries in %s are not: set GROUNDWORK_POSTGRES_BIN to those of that version, or choose another directory (--data-dir or GROUNDWORK_DATA): %w",
			c.cfg.DataDir, strings.TrimSpace(string(version)), c.cfg.BinDir, err)
	}
	return err
}

// arguments of the server. Settings of the configuration come last: the last one wins.
func (c *cluster) arguments(addr address) []string {
	settings := []string{
		"listen_addresses=" + addr.host,
		"unix_socket_directories=" + c.socketDir(addr),
		"timezone=UTC",
		"logging_collector=off",
		// Change data capture; a slot and a sender each for the ETL, its rebuild, and tools.
		"wal_level=logical",
		"max_wal_senders=16",
		"max_replication_slots=16",
		// Statements and values stay out of the log, they hold what people wrote: errors go to the client alone.
		"log_min_messages=log",
		"log_min_error_statement=panic",
		"log_error_verbosity=terse",
		"log_line_prefix=",
	}
	if c.cfg.Fast {
		// synchronous_commit stays on: what is committed survives kill -9 of Postgres.
		settings = append(settings, "fsync=off", "full_page_writes=off")
	}
	names := make([]string, 0, len(c.cfg.Settings))
	for name := range c.cfg.Settings {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		settings = append(settings, name+"="+c.cfg.Settings[name])
	}
	args := []string{"-D", c.cfg.DataDir, "-p", fmt.Sprint(addr.port)}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return args
}

// socketDir is the data directory: only the owner may enter it, which matters because local connections are trusted. It is
// "", no socket, if the path would be longer than the kernel allows.
func (c *cluster) socketDir(addr address) string {
	const longest = 107
	if len(c.cfg.DataDir)+len(fmt.Sprintf("/.s.PGSQL.%d", addr.port)) > longest || strings.Contains(c.cfg.DataDir, ",") {
		return ""
	}
	return c.cfg.DataDir
}

// postgresLevel grades a line of the server's log.
func postgresLevel(line string) slog.Level {
	switch {
	case strings.HasPrefix(line, "PANIC:"):
		return slog.LevelError
	case strings.HasPrefix(line, "FATAL:"):
		return slog.LevelWarn
	}
	return slog.LevelDebug
}
