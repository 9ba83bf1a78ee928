// Command measures times every measure of the registry over a simulated province: cold, as whoever works on issues and as the public (with
// what protects small numbers), and again from memory; and the two headline aggregates against the same asked of Postgres alone.
//
//	bin/groundwork up --demo=1000000        # in another terminal, until it says that it is ready
//	go run ./bench/measures -postgres URL -clickhouse URL
//
// Without -postgres nothing is compared with it.
//
// With -rows N it makes N issues by SQL in engines of its own (of bin/groundwork), without histories or verdicts, and times the measures over issues:
//
//	go run ./bench/measures -rows 10000000        # -cpu where others use the machine, -alone without a copy in Postgres
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"groundwork/warehouse"
)

func main() {
	var b bench
	flag.StringVar(&b.postgres, "postgres", "", "URL of the system of record")
	flag.StringVar(&b.clickHouse, "clickhouse", "", "URL of the warehouse, replicated from it")
	flag.IntVar(&b.rounds, "rounds", 3, "rounds, of which the median counts")
	flag.Int64Var(&b.rows, "rows", 0, "make so many issues, in engines of its own")
	flag.DurationVar(&b.patience, "patience", time.Minute, "how long a question may take")
	flag.StringVar(&b.binary, "binary", "bin/groundwork", "the program that is the engine, for -rows")
	flag.BoolVar(&b.alone, "alone", false, "with -rows: compare nothing with Postgres, which takes most of the time to fill")
	flag.BoolVar(&b.cpu, "cpu", false, "with -rows: measure processor time in place of the clock, where others use the machine")
	flag.StringVar(&b.only, "only", "", "measures to time, separated by commas; empty = all, or with -rows those over issues alone")
	flag.BoolVar(&b.json, "json", false, "print the figures as JSON")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := b.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "measures:", err)
		os.Exit(1)
	}
}

type bench struct {
	postgres, clickHouse string
	rows                 int64
	binary, only         string
	patience             time.Duration
	rounds               int
	json, cpu, alone     bool
	engine, server       int // processes whose time is measured; 0 = the clock is
}

// figure is a measure's times in milliseconds, the medians of the rounds.
type figure struct {
	Measure   string  `json:"measure"`
	By        string  `json:"by"`
	Rows      int     `json:"rows"`
	Cold      float64 `json:"cold_ms"`
	Protected float64 `json:"protected_ms"`
	Again     float64 `json:"again_ms"`
}

func (b bench) run(ctx context.Context) error {
	if b.rows > 0 {
		g, err := generate(ctx, b.binary, b.rows, b.alone)
		if err != nil {
			return err
		}
		defer g.close()
		b.engine = g.engine.PID()
		if !b.alone {
			b.server = g.postgres.PID()
		}
		return b.measure(ctx, g.ch, g.conn)
	}
	db, err := warehouse.Open(ctx, b.clickHouse)
	if err != nil {
		return err
	}
	defer db.Close()
	if b.postgres == "" {
		return b.measure(ctx, db, nil)
	}
	conn, err := pgx.Connect(ctx, b.postgres)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return b.measure(ctx, db, conn)
}

// overIssues are the measures that need nothing but issues.
var overIssues = []string{"T1", "T2", "T3", "T4", "H1", "H4", "E1"}

// measure times all; conn may be nil, for nothing to compare with.
func (b bench) measure(ctx context.Context, db *warehouse.DB, conn *pgx.Conn) error {
	var issues uint64
	if err := db.QueryRow(ctx, "SELECT count() FROM f_issue FINAL WHERE _deleted = 0").Scan(&issues); err != nil {
		return err
	}
	measures := warehouse.NewMeasures(db).Patient(b.patience)
	var figures []figure
	for _, m := range warehouse.Registry() {
		if b.only != "" && !slices.Contains(strings.Split(b.only, ","), m.Code) || b.only == "" && b.rows > 0 && !slices.Contains(overIssues, m.Code) {
			continue
		}
		f, err := b.time(ctx, measures, m)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Code, err)
		}
		figures = append(figures, f)
	}
	var against []comparison
	if conn != nil {
		var err error
		if against, err = b.against(ctx, measures, db, conn); err != nil {
			return err
		}
	}
	if b.json {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"issues": issues, "measures": figures, "against_postgres": against})
	}
	fmt.Printf("%d issues, medians of %d rounds, ms\n\n| measure | by | rows | cold | protected | again |\n|---|---|---:|---:|---:|---:|\n", issues, b.rounds)
	for _, f := range figures {
		fmt.Printf("| %s | %s | %d | %.0f | %.0f | %.1f |\n", f.Measure, f.By, f.Rows, f.Cold, f.Protected, f.Again)
	}
	if conn == nil {
		return nil
	}
	fmt.Print("\n| aggregate | warehouse | ClickHouse by hand | ratio | Postgres | ratio |\n|---|---:|---:|---:|---:|---:|\n")
	for _, a := range against {
		fmt.Printf("| %s | %.0f | %.0f | %.2f | %.0f | %.1f |\n", a.Name, a.Warehouse, a.Hand, a.Warehouse/a.Hand, a.Postgres, a.Postgres/a.Warehouse)
	}
	return nil
}

// time asks a measure by region, at the level of counties.
func (b bench) time(ctx context.Context, measures *warehouse.Measures, m warehouse.Measure) (f figure, err error) {
	q := warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}, RegionLevel: "COUNTY"}}
	f.Measure, f.By = m.Code, "REGION"
	if f.Cold, err = b.median(func() error {
		table, err := measures.Ask(ctx, m.Code, q)
		if err == nil {
			f.Rows = len(table.N)
		}
		return err
	}); err != nil {
		return f, err
	}
	protected := q
	protected.Protect = true
	if f.Protected, err = b.median(func() error { _, err := measures.Ask(ctx, m.Code, protected); return err }); err != nil {
		return f, err
	}
	cache := warehouse.NewCache(measures)
	if _, err := cache.Ask(ctx, m.Code, q); err != nil {
		return f, err
	}
	f.Again, err = b.median(func() error { _, err := cache.Ask(ctx, m.Code, q); return err })
	return f, err
}

func (b bench) median(do func() error) (milliseconds float64, err error) {
	return b.medianOf(b.engine, do)
}

// medianOf is that of the processor time of a process if -cpu asks for it, else of the clock.
func (b bench) medianOf(pid int, do func() error) (milliseconds float64, err error) {
	var took []float64
	for range b.rounds {
		started, before := time.Now(), int64(0)
		if b.cpu {
			before = used(pid) + used(os.Getpid())
		}
		if err := do(); err != nil {
			return 0, err
		}
		if b.cpu {
			took = append(took, float64(used(pid)+used(os.Getpid())-before))
			continue
		}
		took = append(took, float64(time.Since(started).Microseconds())/1000)
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// comparison is an aggregate asked of both stores.
type comparison struct {
	Name      string  `json:"name"`
	Warehouse float64 `json:"warehouse_ms"`
	Hand      float64 `json:"by_hand_ms"` // the best SQL of ours over the mirror
	Postgres  float64 `json:"postgres_ms"`
}

// headline are the aggregates that Postgres is asked for as well: how long until an end, by county, and issues by county, each over all issues.
var headline = []struct{ name, measure, sql, hand string }{
	{"T2: time to any end, median and p90 by county", "T2", `
		SELECT c.code, count(*), percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM coalesce(i.closed_at, now()) - i.origin_at))
		FROM issue i JOIN region r ON r.id = i.region_id JOIN region c ON c.level = 'COUNTY' AND r.path <@ c.path WHERE i.state <> 'MERGED' GROUP BY c.code`, `
		WITH c AS (SELECT m.id AS id, a.code AS county FROM (SELECT id, arrayJoin(splitByChar('.', path)) AS up FROM d_region FINAL) AS m INNER JOIN (SELECT code FROM d_region FINAL WHERE level = 'COUNTY') AS a ON a.code = m.up)
		SELECT c.county, count(), quantilesExact(0.5, 0.9)(dateDiff('second', i.origin_at, ifNull(i.closed_at, now())))
		FROM (SELECT region_id, origin_at, closed_at FROM f_issue FINAL WHERE _deleted = 0 AND state != 'MERGED') AS i INNER JOIN c ON c.id = i.region_id GROUP BY c.county`},
	{"H1: issues and opinions by county", "H1", `
		SELECT c.code, count(*), sum(i.opinion_count) FROM issue i JOIN region r ON r.id = i.region_id JOIN region c ON c.level = 'COUNTY' AND r.path <@ c.path
		WHERE i.state <> 'MERGED' GROUP BY c.code`, `
		WITH c AS (SELECT m.id AS id, a.code AS county FROM (SELECT id, arrayJoin(splitByChar('.', path)) AS up FROM d_region FINAL) AS m INNER JOIN (SELECT code FROM d_region FINAL WHERE level = 'COUNTY') AS a ON a.code = m.up)
		SELECT c.county, count(), sum(i.opinion_count) FROM (SELECT region_id, opinion_count FROM f_issue FINAL WHERE _deleted = 0 AND state != 'MERGED') AS i
		INNER JOIN c ON c.id = i.region_id GROUP BY c.county`},
}

func (b bench) against(ctx context.Context, measures *warehouse.Measures, db *warehouse.DB, conn *pgx.Conn) (all []comparison, err error) {
	for _, h := range headline {
		c := comparison{Name: h.name}
		q := warehouse.Question{Query: warehouse.Query{By: []warehouse.Dimension{warehouse.ByRegion}, RegionLevel: "COUNTY"}}
		if c.Warehouse, err = b.median(func() error { _, err := measures.Ask(ctx, h.measure, q); return err }); err != nil {
			return nil, err
		}
		if c.Hand, err = b.median(func() error { return drain(ctx, db, h.hand) }); err != nil {
			return nil, err
		}
		if c.Postgres, err = b.medianOf(b.server, func() error { _, err := conn.Exec(ctx, h.sql); return err }); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// drain reads an answer to its end.
func drain(ctx context.Context, db *warehouse.DB, sql string) error {
	rows, err := db.Query(ctx, sql)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}
