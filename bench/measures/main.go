// Command measures times every measure of the registry over a simulated province: cold, as whoever works on issues and as the public (with
// what protects small numbers), and again from memory; and the two headline aggregates against the same asked of Postgres alone.
//
//	bin/groundwork up --demo=1000000        # in another terminal, until it says that it is ready
//	go run ./bench/measures -postgres URL -clickhouse URL -api http://127.0.0.1:8080/graphql
//
// Without -postgres nothing is compared with it. With -api the GraphQL API is asked too: what it adds, what it remembers, and six panels of a dashboard at once.
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
	"math"
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
	flag.DurationVar(&b.settle, "settle", 0, "with -rows: how long merges are given before anything is asked")
	flag.BoolVar(&b.cpu, "cpu", false, "with -rows: measure processor time in place of the clock, where others use the machine")
	flag.StringVar(&b.only, "only", "", "measures to time, separated by commas; empty = all, or with -rows those over issues alone")
	flag.StringVar(&b.api, "api", "", "URL of the program's GraphQL API over the same warehouse, to be asked in turns with it")
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
	binary, only, api    string
	patience, settle     time.Duration
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
		if b.settle > 0 {
			say("let merges settle for %s", b.settle)
		}
		select {
		case <-time.After(b.settle):
		case <-ctx.Done():
			return ctx.Err()
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

// overIssues are the measures that need nothing but issues, and the verdicts on them.
var overIssues = []string{"T1", "T2", "T3", "T4", "Q1", "Q2", "Q3", "H1", "H4", "E1"}

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
	var api *spoken
	if b.api != "" {
		said, err := b.speak(ctx, measures)
		if err != nil {
			return fmt.Errorf("ask %s: %w", b.api, err)
		}
		api = &said
	}
	if b.json {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"issues": issues, "measures": figures, "against_postgres": against, "api": api})
	}
	fmt.Printf("%d issues, medians of %d rounds, ms\n\n| measure | by | rows | cold | protected | again |\n|---|---|---:|---:|---:|---:|\n", issues, b.rounds)
	for _, f := range figures {
		fmt.Printf("| %s | %s | %d | %.0f | %.0f | %.1f |\n", f.Measure, f.By, f.Rows, f.Cold, f.Protected, f.Again)
	}
	if api != nil {
		fmt.Printf("\n| by GraphQL, as the public | ms | of the warehouse | ratio |\n|---|---:|---:|---:|\n| T2 by county | %.0f | %.0f | %.2f |\n| asked again | %.2f | | |\n| %s in one request, of the slowest alone | %.0f | %.0f | %.2f |\n",
			api.API, api.Direct, api.API/api.Direct, api.Again, strings.Join(panels, ", "), api.Together, api.Slowest, api.Together/api.Slowest)
	}
	if conn == nil {
		return nil
	}
	fmt.Print("\n| aggregate | warehouse | ClickHouse by hand | ratio | all that the measure says by hand | ratio | Postgres | ratio |\n|---|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, a := range against {
		same := "– | –"
		if a.Same > 0 {
			same = fmt.Sprintf("%.0f | %.2f", a.Same, a.Warehouse/a.Same)
		}
		fmt.Printf("| %s | %.0f | %.0f | %.2f | %s | %.0f | %.1f |\n", a.Name, a.Warehouse, a.Hand, a.Warehouse/a.Hand, same, a.Postgres, a.Postgres/a.Warehouse)
	}
	return nil
}

// time asks a measure by county, or where it cannot be split by region by what it can be split by first, if anything.
func (b bench) time(ctx context.Context, measures *warehouse.Measures, m warehouse.Measure) (f figure, err error) {
	f.Measure, f.By = m.Code, "–"
	var q warehouse.Question
	if slices.Contains(m.Dimensions, warehouse.ByRegion) {
		q.By, q.RegionLevel = []warehouse.Dimension{warehouse.ByRegion}, "COUNTY"
	} else if len(m.Dimensions) > 0 {
		q.By = m.Dimensions[:1]
	}
	if len(q.By) > 0 {
		f.By = string(q.By[0])
	}
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
	return middle(took), nil
}

// middle is the median, of an odd number the one in the middle.
func middle(took []float64) float64 {
	slices.Sort(took)
	return took[len(took)/2]
}

// comparison is an aggregate asked of both stores.
type comparison struct {
	Name      string  `json:"name"`
	Warehouse float64 `json:"warehouse_ms"`
	Hand      float64 `json:"by_hand_ms"`                // the best SQL of ours over the mirror
	Same      float64 `json:"same_by_hand_ms,omitempty"` // the same, of all that the measure says; 0 where that is no more
	Postgres  float64 `json:"postgres_ms"`
}

// countyOf leads from a region to its county.
const countyOf = `
		WITH c AS (SELECT m.id AS id, a.code AS county FROM (SELECT id, arrayJoin(splitByChar('.', path)) AS up FROM d_region FINAL) AS m INNER JOIN (SELECT code FROM d_region FINAL WHERE level = 'COUNTY') AS a ON a.code = m.up)`

// incidence is the best SQL of ours over the mirror for what T2 says, but for its intervals: by county the share confirmed within 30, 60 and 90 days (Aalen–Johansen), median and
// p90 of the time to any end (Kaplan–Meier), and the mean time within 90 days, by hours.
const incidence = countyOf + `, e AS (
		SELECT c.county AS county, intDiv(micros + 3599999999, 3600000000) AS t, countIf(cause BETWEEN 1 AND 4) AS ended, countIf(cause = 1) AS confirmed, count() AS n
		FROM (SELECT region_id, multiIf(resolved_at IS NOT NULL, 1, state = 'CLAIMED', 5, state != 'CLOSED' OR closed_at IS NULL, 0, closure_type = 'CONFIRMED', 1, 2) AS cause,
				toUnixTimestamp64Micro(coalesce(resolved_at, if(state = 'CLAIMED', claimed_at, NULL), if(state = 'CLOSED', closed_at, NULL), now64(6))) - toUnixTimestamp64Micro(origin_at) AS micros
			FROM f_issue FINAL WHERE _deleted = 0 AND state != 'MERGED') AS i INNER JOIN c ON c.id = i.region_id GROUP BY county, t),
	r AS (SELECT *, sum(n) OVER (PARTITION BY county ORDER BY t DESC) AS risk FROM e),
	s AS (SELECT *, exp(sum(log(1 - ended / risk)) OVER (PARTITION BY county ORDER BY t)) AS s FROM r),
	k AS (SELECT *, lagInFrame(s, 1, 1.) OVER (PARTITION BY county ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before,
			lagInFrame(t, 1, 0) OVER (PARTITION BY county ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS since FROM s)
	SELECT county, sum(n), sumIf(confirmed / risk * before, t <= 720), sumIf(confirmed / risk * before, t <= 1440), sumIf(confirmed / risk * before, t <= 2160), minIf(t, s <= 0.5) / 24, minIf(t, s <= 0.1) / 24,
		sum(before * (least(t, 2160) - least(since, 2160))) / 24 FROM k GROUP BY county`

// headline are the aggregates that Postgres is asked for as well: how long until an end, by county, and issues by county, each over all issues.
var headline = []struct{ name, measure, same, sql, hand string }{
	{"T2: time to any end, median and p90 by county", "T2", incidence, `
		SELECT c.code, count(*), percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM coalesce(i.closed_at, now()) - i.origin_at))
		FROM issue i JOIN region r ON r.id = i.region_id JOIN region c ON c.level = 'COUNTY' AND r.path <@ c.path WHERE i.state <> 'MERGED' GROUP BY c.code`, countyOf + `
		SELECT c.county, count(), quantilesExact(0.5, 0.9)(dateDiff('second', i.origin_at, ifNull(i.closed_at, now())))
		FROM (SELECT region_id, origin_at, closed_at FROM f_issue FINAL WHERE _deleted = 0 AND state != 'MERGED') AS i INNER JOIN c ON c.id = i.region_id GROUP BY c.county`},
	{"H1: issues and opinions by county", "H1", "", `
		SELECT c.code, count(*), sum(i.opinion_count) FROM issue i JOIN region r ON r.id = i.region_id JOIN region c ON c.level = 'COUNTY' AND r.path <@ c.path
		WHERE i.state <> 'MERGED' GROUP BY c.code`, countyOf + `
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
		if h.same != "" {
			if err := agree(ctx, measures, db, h.measure, q, h.same); err != nil {
				return nil, err
			}
			if c.Same, err = b.median(func() error { return drain(ctx, db, h.same) }); err != nil {
				return nil, err
			}
		}
		if c.Postgres, err = b.medianOf(b.server, func() error { _, err := conn.Exec(ctx, h.sql); return err }); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// agree fails if a statement says something else than the measure does, which beyond 30 days goes by days.
func agree(ctx context.Context, measures *warehouse.Measures, db *warehouse.DB, measure string, q warehouse.Question, sql string) error {
	table, err := measures.Ask(ctx, measure, q)
	if err != nil {
		return err
	}
	rows, err := db.Query(ctx, sql)
	if err != nil {
		return err
	}
	defer rows.Close()
	byCode := map[string]int{}
	for i, key := range table.Dims[0].Keys {
		byCode[key.Code] = i
	}
	for rows.Next() {
		var county string
		var n uint64
		said := make([]float64, 6)
		if err := rows.Scan(&county, &n, &said[0], &said[1], &said[2], &said[3], &said[4], &said[5]); err != nil {
			return err
		}
		at, known := byCode[county]
		if !known {
			return fmt.Errorf("%s: by hand there is county %s, by the measure none", measure, county)
		}
		delete(byCode, county)
		for i, name := range []string{"confirmed30", "confirmed60", "confirmed90", "medianDays", "p90Days", "rmst90Days"} {
			c := slices.IndexFunc(table.Nums, func(n warehouse.Num) bool { return n.Name == name })
			off := 0.01 * max(1, said[i])
			if i >= 3 { // in days
				off = max(1, off)
			}
			if v := table.Nums[c].Value[at]; v != nil && math.Abs(*v-said[i]) > off || n != uint64(table.N[at]) {
				return fmt.Errorf("%s of county %s: %s is not %g of %d as by hand, but of %d", measure, county, name, said[i], n, table.N[at])
			}
		}
	}
	if rows.Err() == nil && len(byCode) > 0 {
		return fmt.Errorf("%s: %d counties of the measure are not there by hand", measure, len(byCode))
	}
	return rows.Err()
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
