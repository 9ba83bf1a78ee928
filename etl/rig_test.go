package etl

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"groundwork/internal/embedded/embeddedtest"
	"groundwork/warehouse"
)

// patience bounds every wait of the tests.
const patience = 3 * time.Minute

// rig is a migrated Postgres database and a migrated warehouse of the test's own.
type rig struct {
	t          *testing.T
	pg         *pgxpool.Pool
	dsn, chURL string
	ch         *warehouse.DB
	slot       string
	log        *logBook

	oldCheckpoint checkpoint // set by tests that restore it
}

var (
	rigs         atomic.Int64
	templateOnce sync.Once
)

const template = "etl_template"

func newRig(t *testing.T) *rig {
	t.Helper()
	admin := embeddedtest.Postgres(t)
	templateOnce.Do(func() { makeTemplate(t, admin) })
	return newRigFrom(t, admin, template, embeddedtest.ClickHouse(t))
}

// newRigOn is a rig on a Postgres of the test's own.
func newRigOn(t *testing.T, admin string) *rig {
	t.Helper()
	makeTemplate(t, admin)
	return newRigFrom(t, admin, template, embeddedtest.ClickHouse(t))
}

func newRigFrom(t *testing.T, admin, template, chURL string) *rig {
	t.Helper()
	name := fmt.Sprintf("etl_%d", rigs.Add(1))
	execOn(t, admin, "CREATE DATABASE "+name+" TEMPLATE "+template)
	r := &rig{t: t, dsn: withDatabase(t, admin, name), chURL: chURL, slot: name, log: &logBook{}}
	var err error
	r.pg, err = pgxpool.New(t.Context(), r.dsn)
	require.NoError(t, err)
	t.Cleanup(func() {
		r.pg.Close()
		dropSlot(t, admin, name)
		execOn(t, admin, "DROP DATABASE "+name+" WITH (FORCE)")
	})
	r.ch, err = warehouse.Open(t.Context(), r.chURL)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.ch.Close() })
	_, err = warehouse.Migrate(t.Context(), r.ch, warehouse.Layout{})
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() || os.Getenv("GROUNDWORK_ETL_LOG") != "" {
			t.Log(r.log.String())
		}
	})
	return r
}

// makeTemplate applies the migrations once.
func makeTemplate(t *testing.T, admin string) {
	t.Helper()
	execOn(t, admin, "CREATE DATABASE "+template)
	config, err := pgx.ParseConfig(withDatabase(t, admin, template))
	require.NoError(t, err)
	db := stdlib.OpenDB(*config)
	defer db.Close()
	_, err = migrations(t, db).Up(t.Context())
	require.NoError(t, err)
}

func migrations(t *testing.T, db *sql.DB) *goose.Provider {
	t.Helper()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, os.DirFS("../postgres/migrations"), goose.WithAllowOutofOrder(true))
	require.NoError(t, err)
	return provider
}

func withDatabase(t testing.TB, dsn, name string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}

func execOn(t testing.TB, dsn, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	require.NoError(t, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	require.NoError(t, err, statement)
}

// dropSlot ends whoever uses the slot and drops it, if it is there.
func dropSlot(t testing.TB, dsn, slot string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	require.NoError(t, err)
	defer conn.Close(ctx)
	require.Eventually(t, func() bool {
		_, err := conn.Exec(ctx, `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active`, slot)
		if err == nil {
			_, err = conn.Exec(ctx, `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1`, slot)
		}
		return err == nil
	}, patience, 20*time.Millisecond)
}

func (r *rig) config() Config {
	return Config{Postgres: r.dsn, ClickHouse: r.ch, Slot: r.slot, FlushInterval: 20 * time.Millisecond, RetryInterval: 20 * time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
}

// running is a replicator at work.
type running struct {
	*Replicator
	rig  *rig
	stop func() // cleanly; returns when Run has
}

// start runs a replicator until the test ends or stop is called.
func (r *rig) start(change ...func(*Config)) *running {
	r.t.Helper()
	cfg := r.config()
	for _, f := range change {
		f(&cfg)
	}
	replicator, err := New(cfg)
	require.NoError(r.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- replicator.Run(ctx) }()
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-done:
				require.NoError(r.t, err)
			case <-time.After(patience):
				require.Fail(r.t, "the replicator does not stop")
			}
		})
	}
	r.t.Cleanup(stop)
	return &running{Replicator: replicator, rig: r, stop: stop}
}

// startThrough runs a replicator that reaches the warehouse through a proxy.
func (r *rig) startThrough(p *proxy, change ...func(*Config)) *running {
	r.t.Helper()
	ch := r.openThrough(p)
	return r.start(append(change, func(c *Config) { c.ClickHouse = ch })...)
}

func (r *rig) openThrough(p *proxy) *warehouse.DB {
	r.t.Helper()
	ch, err := warehouse.Open(context.Background(), p.url)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = ch.Close() })
	return ch
}

// await waits for a status.
func (run *running) await(ok func(Status) bool) {
	run.rig.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(run.rig.t, run.tracker.await(ctx, ok), "status %+v", run.Status())
}

// catchUp waits until everything committed so far is in the warehouse.
func (run *running) catchUp() {
	run.rig.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(run.rig.t, run.Wait(ctx, run.rig.position()))
}

// agree waits for the warehouse and requires that both sides are equal, row by row.
func (run *running) agree() {
	run.rig.t.Helper()
	run.catchUp()
	run.rig.requireEqual()
}

func (r *rig) requireEqual() {
	r.t.Helper()
	diffs, err := Compare(context.Background(), r.pg, r.ch)
	require.NoError(r.t, err)
	require.Empty(r.t, diffs)
}

// position makes a commit of its own and returns where it ended, so that it is sure to be reached.
func (r *rig) position() pglogrepl.LSN {
	r.t.Helper()
	var text string
	r.exec("SELECT pg_logical_emit_message(true, 'test', '')")
	require.NoError(r.t, r.pg.QueryRow(context.Background(), "SELECT pg_current_wal_flush_lsn()::text").Scan(&text))
	p, err := pglogrepl.ParseLSN(text)
	require.NoError(r.t, err)
	return p
}

// insertPosition is where the next record of the WAL would start.
func (r *rig) insertPosition() pglogrepl.LSN {
	r.t.Helper()
	var text string
	require.NoError(r.t, r.pg.QueryRow(context.Background(), "SELECT pg_current_wal_insert_lsn()::text").Scan(&text))
	p, err := pglogrepl.ParseLSN(text)
	require.NoError(r.t, err)
	return p
}

// editCheckpoint writes a changed checkpoint over the current one.
func (r *rig) editCheckpoint(change func(*checkpoint)) {
	r.t.Helper()
	c, err := readCheckpoint(context.Background(), r.ch, "main")
	require.NoError(r.t, err)
	change(&c)
	_, err = c.write(context.Background(), r.ch, "main", time.Now())
	require.NoError(r.t, err)
}

func (r *rig) exec(statement string, args ...any) {
	r.t.Helper()
	_, err := r.pg.Exec(context.Background(), statement, args...)
	require.NoError(r.t, err, statement)
}

func (r *rig) chExec(statement string) {
	r.t.Helper()
	require.NoError(r.t, r.ch.Exec(context.Background(), statement), statement)
}

func (r *rig) chCount(query string) uint64 {
	r.t.Helper()
	var n uint64
	require.NoError(r.t, r.ch.QueryRow(context.Background(), query).Scan(&n), query)
	return n
}

func (r *rig) pgCount(query string) int {
	r.t.Helper()
	var n int
	require.NoError(r.t, r.pg.QueryRow(context.Background(), query).Scan(&n), query)
	return n
}

// logBook keeps what was logged, for the tests to read.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logBook) contains(text string) bool { return strings.Contains(l.String(), text) }
