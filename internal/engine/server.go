// Package engine runs the ClickHouse engine library in this process and puts the ClickHouse HTTP interface in front of
// it, so that ClickHouse's own clients, curl and BI tools work against the embedded warehouse as against a server.
//
// A request's road: users.go (who asks), request.go (what is asked), sqlguard (may it run, and how), execute.go (run it
// on a connection of pool.go), output.go (the answer, or the exception). INSERT data goes through spool.go. It never
// stands inside of a statement.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"groundwork/internal/engine/chdb"
	"groundwork/internal/engine/sqlguard"

	"golang.org/x/sys/unix"
)

const displayName = "groundwork"

// Server answers the ClickHouse HTTP interface from the engine in this process. There is at most one at a time in a
// process: the engine works on one data directory.
type Server struct {
	config         Config
	files          engineFiles
	lock           *os.File
	pool           *pool
	version        string
	timezone       string
	tableFunctions map[string]bool
	statements     uint64

	closing   sync.Once
	controlMu sync.Mutex
	control   *chdb.Conn // keeps the engine running, and kills statements
}

// New starts the engine on the data directory. Its errors name the remedy: the missing library, a directory that cannot
// be written or belongs to another process.
func New(config Config) (s *Server, err error) {
	config, err = config.withDefaults()
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(config.DataDir)
	if err != nil {
		return nil, err
	}
	s = &Server{config: config, files: filesIn(config.DataDir), lock: lock}
	defer func(opened *Server) { // a failing return sets s to nil
		if err != nil {
			opened.Close()
		}
	}(s)
	library, control, err := startEngine(config)
	if err != nil {
		return nil, err
	}
	s.control = control
	s.pool = newPool(config.MaxStatements, func() (*chdb.Conn, error) { return library.Connect("--path=" + s.files.data) })
	return s, s.introduce()
}

// introduce makes the database and reads what never changes while the engine runs.
func (s *Server) introduce() error {
	h := &handle{conn: s.control}
	if _, _, err := s.control.Query("CREATE DATABASE IF NOT EXISTS "+quoteName(s.config.Database)+" ENGINE = Atomic", "Null"); err != nil {
		return fmt.Errorf("create the database %s: %w", s.config.Database, err)
	}
	facts, err := h.strings("SELECT version(), timezone()")
	if err != nil {
		return fmt.Errorf("ask the engine for its version: %w", err)
	}
	functions, err := h.strings("SELECT lower(name) FROM system.table_functions")
	if err != nil {
		return fmt.Errorf("ask the engine for its table functions: %w", err)
	}
	s.version, s.timezone, s.tableFunctions = facts[0], facts[1], asSet(functions)
	return nil
}

// Close waits for running statements and stops the engine. Close twice is safe.
func (s *Server) Close() {
	s.closing.Do(func() {
		if s.pool != nil {
			s.pool.close()
		}
		s.controlMu.Lock()
		defer s.controlMu.Unlock()
		if s.control != nil {
			s.control.Close()
			s.control = nil
		}
		s.lock.Close()
	})
}

// Run serves until ctx is done, then lets running statements end for a few seconds, cancels the rest, hangs up on clients that
// even then neither send nor read, and stops the engine.
func Run(ctx context.Context, config Config) error {
	config, err := config.withDefaults()
	if err != nil {
		return err
	}
	listener, err := listen(config.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	s, err := New(config)
	if err != nil {
		return err
	}
	defer s.Close()
	config.Logger.Info("engine: ready", "address", listener.Addr().String(), "version", s.version, "data_dir", config.DataDir)
	return s.serve(ctx, listener)
}

func listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, unix.EADDRINUSE) {
		return nil, fmt.Errorf("the address %s for the ClickHouse interface is in use: stop what listens there, or give another one by --clickhouse or GROUNDWORK_CLICKHOUSE", address)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s for the ClickHouse interface: %w: give another address by --clickhouse or GROUNDWORK_CLICKHOUSE", address, err)
	}
	return listener, nil
}

// stopGrace is how long statements may go on when the engine is told to stop, and then how long their clients may take to
// read that they were cancelled.
const stopGrace = 3 * time.Second

func (s *Server) serve(ctx context.Context, listener net.Listener) error {
	requests, cancelRequests := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelRequests()
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    2 << 20, // the address may hold a statement
		BaseContext:       func(net.Listener) context.Context { return requests },
		ErrorLog:          slog.NewLogLogger(s.config.Logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	background, stopBackground := context.WithCancel(requests)
	reloads := make(chan struct{})
	go func() { defer close(reloads); s.reloadDictionaries(background) }()

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stopBackground()
	s.hangUp(server, cancelRequests)
	<-reloads
	return err
}

// hangUp ends all requests: those that end by themselves, then those that can be cancelled, then those whose client does not
// move. Afterwards no statement runs for long.
func (s *Server) hangUp(server *http.Server, cancelRequests func()) {
	within := func(d time.Duration) error {
		ctx, cancel := context.WithTimeout(context.Background(), d)
		defer cancel()
		return server.Shutdown(ctx)
	}
	if within(stopGrace) == nil {
		return
	}
	cancelRequests()
	s.stopMerges()
	if err := within(stopGrace); err != nil {
		s.config.Logger.Warn("engine: hangs up on clients that neither send nor read", "error", err)
		_ = server.Close() // it only tells that a connection was closed already
	}
}

// stopMerges ends the merges and mutations that run and lets none begin, until the process ends. KILL QUERY does not reach
// them: an OPTIMIZE would hold up the stop until its table is written anew.
func (s *Server) stopMerges() {
	if err := s.command("SYSTEM STOP MERGES"); err != nil {
		s.config.Logger.Warn("engine: stop merges", "error", err)
	}
}

// reloadDictionaries refreshes the dictionaries now and then: in the embedded engine their LIFETIME does nothing.
func (s *Server) reloadDictionaries(ctx context.Context) {
	ticker := time.NewTicker(s.config.ReloadInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := s.reloadOnce(ctx); err != nil && ctx.Err() == nil {
			s.config.Logger.Warn("engine: reload dictionaries", "error", err)
		}
	}
}

// reloadOnce reloads one dictionary after the other, since nothing cuts off a reload: a stop waits for one of them at most.
func (s *Server) reloadOnce(ctx context.Context) error {
	h, err := s.pool.acquire(ctx)
	if err != nil {
		return err
	}
	defer s.pool.release(h, false)
	names, err := h.strings("SELECT database, name FROM system.dictionaries WHERE database != ''")
	for name := range slices.Chunk(names, 2) {
		if ctx.Err() != nil {
			break
		}
		_, _, reloadErr := h.conn.Query("SYSTEM RELOAD DICTIONARY "+quoteName(name[0])+"."+quoteName(name[1]), "Null")
		err = errors.Join(err, reloadErr)
	}
	return err
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-ClickHouse-Server-Display-Name", displayName)
	header.Set("X-ClickHouse-Timezone", s.timezone)
	hasQuery := r.URL.Query().Has("query")
	switch {
	case r.URL.Path == "/ping", r.URL.Path == "/replicas_status", r.URL.Path == "/" && r.Method != http.MethodPost && !hasQuery:
		header.Set("Content-Type", "text/html; charset=UTF-8")
		_, _ = w.Write([]byte("Ok.\n")) // a client that is gone hears nothing
	case r.URL.Path == "/" || r.URL.Path == "/query":
		s.serveQuery(w, r)
	default:
		http.Error(w, "There is no handle "+r.URL.Path+"\n\nUse / or /ping for health checks, or POST / with a statement.", http.StatusNotFound)
	}
}

func (s *Server) serveQuery(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	u, err := s.authenticate(r)
	if err != nil {
		writeException(w, asException(err), s.version)
		return
	}
	q, err := readRequest(r, u)
	if err != nil {
		writeException(w, asException(err), s.version)
		return
	}
	w.Header().Set("X-ClickHouse-Query-Id", q.id)
	out := &output{w: w, request: q, started: started}
	stats, err := s.answer(r.Context(), q, out)
	if err == nil {
		err = out.finish(stats)
	}
	if err != nil {
		out.fail(asException(err), s.version)
	}
}

// answer decides what the request's text is, whether its user may run it, and runs it.
func (s *Server) answer(ctx context.Context, q *request, out *output) (stats chdb.Stats, err error) {
	out.format = firstOf(q.format, "TabSeparated")
	if isHello(q) {
		return stats, s.answerHello(q, out)
	}
	statement, err := sqlguard.Parse(q.sql)
	switch {
	case !q.end && (err != nil || statement.Kind != sqlguard.Insert):
		return stats, tooLarge()
	case err != nil:
		return stats, err
	case q.readOnly && statement.Kind != sqlguard.Query:
		return stats, throw(codeReadonly, "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries")
	}
	if statement.Kind == sqlguard.Query {
		out.format = firstOf(statement.Format, out.format)
	}
	if q.user == reader {
		if err := q.restrict(s.config); err != nil {
			return stats, err
		}
	}
	return s.run(ctx, q, statement, out)
}
