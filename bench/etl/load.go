package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"groundwork/internal/embedded"
	"groundwork/internal/engine/chdb"
	"groundwork/warehouse"
)

// bulk are the mirrors that hold nearly all rows, and whose types postgresql() can read.
var bulk = []string{
	"visit", "opinion", "issue", "issue_opinion", "issue_event", "claim", "callback_attempt", "feedback", "dispatch_leg", "clock_spell",
}

// filled is one initial load.
type filled struct {
	took       time.Duration
	cpu        [3]time.Duration // of the replication, the warehouse and Postgres
	peak, idle float64          // MiB
}

// fill loads the province into an empty warehouse and leaves the replication running.
func (r *rig) fill(ctx context.Context) (f filled, err error) {
	if err := r.stop(); err != nil {
		return f, err
	}
	if _, err := r.pg.Exec(ctx, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1", slot); err != nil {
		return f, err
	}
	if r.running != nil || r.loads > 1 || !r.fresh(ctx) {
		if err := r.newWarehouse(ctx); err != nil {
			return f, err
		}
	}
	before, err := r.serverCPU()
	if err != nil {
		return f, err
	}
	started := time.Now()
	if err := r.start(ctx); err != nil {
		return f, err
	}
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		applied, err := r.chNumber(ctx, "SELECT toFloat64(argMax(applied_lsn, (epoch, seq))) FROM etl_checkpoint")
		if err != nil {
			return f, err
		}
		if applied > 0 {
			break
		}
		select {
		case <-ctx.Done():
			return f, ctx.Err()
		case <-tick.C:
		}
	}
	f.took = time.Since(started)
	if f.cpu, err = r.used(before); err != nil {
		return f, err
	}
	if f.peak, err = r.running.peak(); err != nil {
		return f, err
	}
	// What the same process needs at rest: started again, with nothing to load.
	if err := r.stop(); err != nil {
		return f, err
	}
	if err := r.start(ctx); err != nil {
		return f, err
	}
	if _, err := r.catchUp(ctx); err != nil {
		return f, err
	}
	f.idle, err = r.running.rss()
	return f, err
}

// serverCPU is the processor time that warehouse and Postgres have used.
func (r *rig) serverCPU() (used [2]time.Duration, err error) {
	for i, pid := range []int{r.engine.PID(), r.postgres.PID()} {
		if used[i], err = cpuOf(pid); err != nil {
			return used, err
		}
	}
	return used, nil
}

// used is the processor time that the replication has had, and that warehouse and Postgres have had since before.
func (r *rig) used(before [2]time.Duration) (cpu [3]time.Duration, err error) {
	after, err := r.serverCPU()
	if err != nil {
		return cpu, err
	}
	cpu[1], cpu[2] = after[0]-before[0], after[1]-before[1]
	cpu[0], err = r.running.cpu()
	return cpu, err
}

// fresh reports whether nothing has been loaded yet.
func (r *rig) fresh(ctx context.Context) bool {
	n, err := r.chNumber(ctx, "SELECT toFloat64(count()) FROM etl_checkpoint")
	return err == nil && n == 0
}

// load compares the initial load with draining COPY and with postgresql().
func (r *rig) load(ctx context.Context) ([]figure, error) {
	var overCopy, overFunction, memory []float64
	var rows, copies, fills, functions float64
	var cpu [3]float64
	for round := range r.rounds {
		drained, n, err := r.drainCopy(ctx)
		if err != nil {
			return nil, err
		}
		f, err := r.fill(ctx)
		if err != nil {
			return nil, err
		}
		if err := r.stop(); err != nil {
			return nil, err
		}
		function, err := r.function(ctx)
		if err != nil {
			return nil, fmt.Errorf("postgresql(): %w", err)
		}
		r.say("round %d: COPY %.1f s, load %.1f s, postgresql() %.1f s", round+1, drained.Seconds(), f.took.Seconds(), function.Seconds())
		overCopy = append(overCopy, f.took.Seconds()/drained.Seconds())
		overFunction = append(overFunction, function.Seconds()/f.took.Seconds())
		memory = append(memory, f.peak-f.idle)
		for i, used := range f.cpu {
			cpu[i] += used.Seconds() / float64(r.rounds)
		}
		rows, copies, fills, functions = n, copies+drained.Seconds(), fills+f.took.Seconds(), functions+function.Seconds()
	}
	per := func(seconds float64) float64 { return rows * float64(r.rounds) / seconds / 1000 }
	return []figure{
		atMost("initial load / draining binary COPY", 2.2, 1.7, 1.35, overCopy...).because("%.1f M rows; COPY %.0f k rows/s, load %.0f k rows/s; processor time: replication %.1f s, warehouse %.1f s, Postgres %.1f s",
			rows/1e6, per(copies), per(fills), cpu[0], cpu[1], cpu[2]),
		atLeast("postgresql() / initial load", 1.1, 1.4, 2.0, overFunction...).because("postgresql() %.0f k rows/s", per(functions)),
		atMost("memory of the load above idle", 512, 256, 128, memory...).in("MiB"),
	}, r.start(ctx)
}

// drainCopy reads the published columns of all bulk tables by binary COPY over one connection, into nothing. The connection is a new
// one, as those of the load are: a process that has yet to map Postgres' shared memory reads more slowly.
func (r *rig) drainCopy(ctx context.Context) (took time.Duration, rows float64, err error) {
	conn, err := pgx.Connect(ctx, r.postgres.DSN(database))
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	started := time.Now()
	for _, table := range bulk {
		columns, err := r.published(ctx, table)
		if err != nil {
			return 0, 0, err
		}
		tag, err := conn.PgConn().CopyTo(ctx, io.Discard, fmt.Sprintf("COPY (SELECT %s FROM %s) TO STDOUT (FORMAT binary)", strings.Join(columns, ", "), table))
		if err != nil {
			return 0, 0, err
		}
		rows += float64(tag.RowsAffected())
	}
	return time.Since(started), rows, nil
}

func (r *rig) published(ctx context.Context, table string) ([]string, error) {
	rows, err := r.pg.Query(ctx, "SELECT unnest(attnames)::text FROM pg_publication_tables WHERE pubname = 'groundwork' AND schemaname = 'public' AND tablename = $1", table)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// function fills copies of the mirrors by ClickHouse's own INSERT … SELECT FROM postgresql(…), in an engine within this process: the one
// behind HTTP lets nobody reach out to other servers.
func (r *rig) function(ctx context.Context) (took time.Duration, err error) {
	path, err := embedded.SearchFromEnvironment().Chdb()
	if err != nil {
		return 0, err
	}
	library, err := chdb.Open(path)
	if err != nil {
		return 0, err
	}
	dir := filepath.Join(r.dir, "function")
	defer func() { _ = os.RemoveAll(dir) }()
	conn, err := library.Connect("--path=" + dir)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	do := func(statement string) error { _, _, err := conn.Query(statement, "Null"); return err }
	if err := do("CREATE DATABASE " + database + " ENGINE = Atomic"); err != nil {
		return 0, err
	}
	for _, table := range bulk {
		var made string
		if err := r.ch.QueryRow(ctx, "SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = $1", mirror(table)).Scan(&made); err != nil {
			return 0, err
		}
		columns, err := r.published(ctx, table)
		if err == nil {
			err = do(made)
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", table, err)
		}
		list := strings.Join(columns, ", ")
		started := time.Now()
		if err := do(fmt.Sprintf("INSERT INTO %s.%s (%s, _ver, _deleted) SELECT %[3]s, 0, 0 FROM postgresql('%[4]s', '%[1]s', '%[5]s', 'postgres', '%[6]s')",
			database, mirror(table), list, r.postgres.Addr(), table, r.postgres.Password())); err != nil {
			return took, fmt.Errorf("%s: %w", table, err)
		}
		took += time.Since(started)
	}
	return took, ctx.Err()
}

func mirror(source string) string {
	for _, m := range warehouse.Mirrors {
		if m.Source == source {
			return m.Table
		}
	}
	return source
}
