package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// postgresUser is the superuser of the embedded cluster.
const postgresUser = "postgres"

// PostgresConfig configures the child Postgres. Only DataDir is required.
type PostgresConfig struct {
	// DataDir is the directory of the cluster; it is made if missing. Beside it lie DataDir+".password" and DataDir+".lock".
	DataDir string
	// Addr is the loopback address host:port to listen at; port 0 picks a free one. Default 127.0.0.1:0.
	Addr string
	// BinDir is the directory of initdb and postgres. Default: where SearchFromEnvironment finds them.
	BinDir string
	// Password of the user postgres. Default: the one of the last start, at the first start a random one.
	Password string
	// Settings are further server settings, which win over ours. Listening addresses and sockets cannot be set.
	Settings map[string]string
	// Fast gives up the safety of the data in a power failure for speed: for tests.
	Fast bool
	// StartTimeout bounds a start, crash recovery included. Default 2 minutes.
	StartTimeout time.Duration
	// Logger gets the server's log. Default: none is kept.
	Logger *slog.Logger
}

var settingName = regexp.MustCompile(`^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$`)

// validate fills in the defaults and reports all faults.
func (cfg *PostgresConfig) validate() (address, error) {
	var faults []error
	if cfg.DataDir == "" {
		faults = append(faults, errors.New("DataDir is empty: name the directory of the cluster"))
	}
	addr, err := parseAddress(cfg.Addr, "--postgres", "GROUNDWORK_POSTGRES")
	faults = append(faults, err)
	for name := range cfg.Settings {
		switch name {
		case "listen_addresses", "port", "unix_socket_directories":
			faults = append(faults, fmt.Errorf("setting %s: it follows from Addr and DataDir: set those", name))
		}
		if !settingName.MatchString(name) {
			faults = append(faults, fmt.Errorf("setting %q is not the name of a server setting", name))
		}
	}
	if strings.ContainsFunc(cfg.Password, unicode.IsControl) {
		faults = append(faults, errors.New("Password holds a control character: choose another password"))
	}
	if cfg.StartTimeout == 0 {
		cfg.StartTimeout = 2 * time.Minute
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := errors.Join(faults...); err != nil {
		return addr, fmt.Errorf("embedded Postgres: %w", err)
	}
	if cfg.DataDir, err = filepath.Abs(cfg.DataDir); err != nil {
		return addr, fmt.Errorf("embedded Postgres: data directory: %w", err)
	}
	return addr, nil
}

// Postgres is a running child Postgres.
type Postgres struct {
	child     *child
	addr      address
	password  string
	socketDir string
	done      chan struct{}
}

// StartPostgres starts Postgres on cfg.DataDir, makes the cluster if there is none, and returns when it answers. ctx bounds
// the start only. Among its errors are *MissingError, *LockedError and *BusyAddressError.
func StartPostgres(ctx context.Context, cfg PostgresConfig) (*Postgres, error) {
	addr, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.StartTimeout,
		fmt.Errorf("no answer within %s", cfg.StartTimeout))
	defer cancel()
	if cfg.BinDir == "" {
		if cfg.BinDir, err = SearchFromEnvironment().Postgres(); err != nil {
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
	p, err := startLocked(ctx, cfg, addr)
	if err != nil {
		unlock()
		return nil, err
	}
	go func() {
		<-p.child.done
		unlock()
		close(p.done)
	}()
	return p, nil
}

// startLocked does the work of StartPostgres under the lock of the data directory.
func startLocked(ctx context.Context, cfg PostgresConfig, addr address) (*Postgres, error) {
	c, err := openCluster(ctx, cfg)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		try, err := addr.free()
		if err != nil {
			return nil, err
		}
		server, err := c.serve(ctx, try)
		if err == nil {
			return &Postgres{child: server, addr: try, password: c.password, socketDir: c.socketDir(try), done: make(chan struct{})}, nil
		}
		const attempts = 50
		switch {
		case attempt == attempts || ctx.Err() != nil:
			return nil, err
		case errors.Is(err, errPortTaken) && addr.automatic():
		case errors.Is(err, errPortTaken):
			return nil, addr.busy()
		case errors.Is(err, errStillInUse):
			// Backends of a killed postmaster notice when they next wait for something; one that is busy with a long statement does not.
			if err := endBackends(cfg.DataDir); err != nil {
				return nil, err
			}
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
		default:
			return nil, err
		}
	}
}

// Addr returns host:port where Postgres listens.
func (p *Postgres) Addr() string { return p.addr.String() }

// Password returns the password of the user postgres.
func (p *Postgres) Password() string { return p.password }

// DSN returns the URL of a database over TCP, with the password.
func (p *Postgres) DSN(database string) string {
	return (&url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(postgresUser, p.password),
		Host:     p.addr.String(),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}).String()
}

// SocketDSN returns the URL of a database over the Unix socket, which needs no password but the right to enter the data
// directory. It is "" if the path of the data directory is too long for a socket.
func (p *Postgres) SocketDSN(database string) string {
	if p.socketDir == "" {
		return ""
	}
	query := url.Values{"host": {p.socketDir}, "port": {strconv.Itoa(p.addr.port)}}
	return "postgres://" + postgresUser + "@/" + url.PathEscape(database) + "?" + query.Encode()
}

// PID returns the process id of the postmaster, for diagnosis.
func (p *Postgres) PID() int { return p.child.pid() }

// Done is closed when Postgres has ended, asked or not.
func (p *Postgres) Done() <-chan struct{} { return p.done }

// Err returns why Postgres ended by itself; nil while it runs and after Stop.
func (p *Postgres) Err() error {
	select {
	case <-p.done:
		return p.child.err
	default:
		return nil
	}
}

// Stop ends Postgres in order (sessions are rolled back, data is checkpointed) and returns when it is gone. After 10 seconds,
// or when ctx ends, it ends Postgres at once; the next start then recovers. Stopping twice is safe.
func (p *Postgres) Stop(ctx context.Context) error {
	err := p.child.end(ctx)
	<-p.done
	return err
}
