package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"groundwork/internal/embedded"
	"groundwork/warehouse"
)

// patience bounds every single wait for the replication.
const patience = time.Hour

const (
	database = "groundwork"
	slot     = "groundwork_etl"
)

//go:embed source.sql
var sourceSQL string

// rig is a Postgres with a simulated province, an engine, and the tools to run the replication between them as a process of its own.
type rig struct {
	bench
	dir      string
	postgres *embedded.Postgres
	engine   *embedded.Engine
	pg       *pgxpool.Pool
	ch       *warehouse.DB
	log      *os.File
	loads    int      // engines so far
	running  *process // the replication, if it runs
}

func newRig(ctx context.Context, b bench) (r *rig, err error) {
	r = &rig{bench: b}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.binary, err = filepath.Abs(b.binary); err != nil {
		return r, err
	}
	if r.dir, err = os.MkdirTemp("", "bench-etl"); err != nil {
		return r, err
	}
	if err := os.Chmod(r.dir, 0o711); err != nil { // Postgres runs as another user where this runs as root
		return r, err
	}
	if r.log, err = os.Create(filepath.Join(r.dir, "log")); err != nil {
		return r, err
	}
	if r.postgres, err = embedded.StartPostgres(ctx, embedded.PostgresConfig{DataDir: filepath.Join(r.dir, "postgres"),
		Settings: map[string]string{"max_wal_size": "8GB", "shared_buffers": "512MB"}}); err != nil {
		return r, err
	}
	if err := r.exec(ctx, "postgres", "CREATE DATABASE "+database); err != nil {
		return r, err
	}
	if err := r.newWarehouse(ctx); err != nil {
		return r, err
	}
	r.say("simulate %d issues", b.issues)
	if err := r.groundwork(ctx, "simulate", "--issues", strconv.Itoa(b.issues), "--quiet", "--out", filepath.Join(r.dir, "truth.json")); err != nil {
		return r, err
	}
	config, err := pgxpool.ParseConfig(r.postgres.DSN(database))
	if err != nil {
		return r, err
	}
	config.ConnConfig.RuntimeParams["session_replication_role"] = "replica"
	if r.pg, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return r, err
	}
	return r, r.prepare(ctx)
}

// prepare makes the tables and procedures of the loads.
func (r *rig) prepare(ctx context.Context) error {
	var columns string
	if err := r.pg.QueryRow(ctx, `SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
		WHERE attrelid = 'issue_event'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attname <> 'issue_id'`).Scan(&columns); err != nil {
		return err
	}
	for _, s := range []string{strings.ReplaceAll(sourceSQL, "{{columns}}", columns), "VACUUM ANALYZE", "CHECKPOINT"} {
		if _, err := r.pg.Exec(ctx, s, pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("prepare the source: %w", err)
		}
	}
	return os.WriteFile(r.script("transaction"), []byte(fmt.Sprintf(`\set n random(1, %d)
\set e random(1, 900)
BEGIN;
INSERT INTO issue_event (issue_id, %[2]s) SELECT uuidv7(), %[2]s FROM bench.event WHERE bench_n = :e;
UPDATE issue SET opinion_count = opinion_count + 1, updated_at = clock_timestamp() WHERE id = (SELECT id FROM bench.issue WHERE n = :n);
COMMIT;
`, r.issues, columns)), 0o600)
}

func (r *rig) script(name string) string { return filepath.Join(r.dir, name+".pgbench") }

// newWarehouse starts an empty engine in place of the one before, and migrates both stores.
func (r *rig) newWarehouse(ctx context.Context) error {
	if err := r.closeWarehouse(); err != nil {
		return err
	}
	r.loads++
	if err := r.startEngine(ctx); err != nil {
		return err
	}
	return r.groundwork(ctx, "migrate")
}

// startEngine starts the engine of the current load, where it stopped.
func (r *rig) startEngine(ctx context.Context) (err error) {
	config := embedded.EngineConfig{DataDir: filepath.Join(r.dir, "clickhouse"+strconv.Itoa(r.loads)), Executable: r.binary}
	if r.engine != nil {
		config.Addr = strings.TrimPrefix(r.engine.URL(), "http://")
	}
	if r.engine, err = embedded.StartEngine(ctx, config); err != nil {
		return err
	}
	r.ch, err = warehouse.Open(ctx, r.engine.DSN(database))
	return err
}

func (r *rig) closeWarehouse() error {
	if r.ch == nil {
		return nil
	}
	err := errors.Join(r.ch.Close(), r.engine.Stop(context.Background()), os.RemoveAll(filepath.Join(r.dir, "clickhouse"+strconv.Itoa(r.loads))))
	r.ch, r.engine = nil, nil
	return err
}

func (r *rig) close() {
	_ = r.stop()
	if r.pg != nil {
		r.pg.Close()
	}
	_ = r.closeWarehouse()
	if r.postgres != nil {
		_ = r.postgres.Stop(context.Background())
	}
	_ = os.RemoveAll(r.dir)
}

// say tells on standard error what is under way.
func (r *rig) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format(time.TimeOnly)+" "+format+"\n", args...)
}

func (r *rig) exec(ctx context.Context, database, statement string) error {
	conn, err := pgx.Connect(ctx, r.postgres.DSN(database))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// command is the program on both stores.
func (r *rig) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, r.binary, append(args, "--postgres", r.postgres.DSN(database), "--clickhouse", r.engine.DSN(database))...)
	c.Stdout, c.Stderr = r.log, r.log
	return c
}

func (r *rig) groundwork(ctx context.Context, args ...string) error {
	return r.explain(r.command(ctx, args...).Run(), args[0])
}

// explain adds the end of the log to an error.
func (r *rig) explain(err error, what string) error {
	if err == nil {
		return nil
	}
	said, _ := os.ReadFile(r.log.Name())
	return fmt.Errorf("%s: %w; the log ends with:\n%s", what, err, said[max(0, len(said)-3000):])
}

// tool is a client program of Postgres.
func (r *rig) tool(ctx context.Context, name string, args ...string) *exec.Cmd {
	if r.tools != "" {
		name = filepath.Join(r.tools, name)
	}
	return exec.CommandContext(ctx, name, args...)
}

// start runs the replication.
func (r *rig) start(ctx context.Context) error {
	c := r.command(ctx, "etl", "run")
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	if err := c.Start(); err != nil {
		return err
	}
	r.running = &process{c}
	return nil
}

// stop ends it in order; what it has received is stored.
func (r *rig) stop() error {
	if r.running == nil {
		return nil
	}
	p := r.running
	r.running = nil
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return r.explain(p.Wait(), "etl")
}

// position makes a commit of its own and returns where the WAL stands after it.
func (r *rig) position(ctx context.Context) (lsn string, err error) {
	if _, err := r.pg.Exec(ctx, "SELECT pg_logical_emit_message(true, 'bench', '')"); err != nil {
		return "", err
	}
	return lsn, r.pg.QueryRow(ctx, "SELECT pg_current_wal_insert_lsn()::text").Scan(&lsn)
}

// reached waits until Postgres has been told that the warehouse holds everything up to a position.
func (r *rig) reached(ctx context.Context, lsn string) error {
	return r.until(ctx, 10*time.Millisecond, "SELECT confirmed_flush_lsn >= $2::text::pg_lsn FROM pg_replication_slots WHERE slot_name = $1", slot, lsn)
}

// until asks a question of Postgres until its answer is true.
func (r *rig) until(ctx context.Context, pause time.Duration, question string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		var yes bool
		if err := r.pg.QueryRow(ctx, question, args...).Scan(&yes); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if yes {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain for %s: %w", question, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// catchUp waits until everything committed so far is in the warehouse.
func (r *rig) catchUp(ctx context.Context) (time.Duration, error) {
	started := time.Now()
	lsn, err := r.position(ctx)
	if err != nil {
		return 0, err
	}
	err = r.reached(ctx, lsn)
	return time.Since(started), err
}

func (r *rig) number(ctx context.Context, query string, args ...any) (n float64, err error) {
	return n, r.pg.QueryRow(ctx, query, args...).Scan(&n)
}

func (r *rig) chNumber(ctx context.Context, query string, args ...any) (n float64, err error) {
	return n, r.ch.QueryRow(ctx, query, args...).Scan(&n)
}
