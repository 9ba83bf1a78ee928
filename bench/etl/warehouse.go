package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// smallRows are those of the transaction that the big one is compared with.
const smallRows = 50_000

// bigTransaction compares the memory that one very large transaction needs with that of a moderate one.
func (r *rig) bigTransaction(ctx context.Context) ([]figure, error) {
	var ratios []float64
	var note string
	for range r.rounds {
		small, err := r.peakOf(ctx, smallRows)
		if err != nil {
			return nil, err
		}
		big, err := r.peakOf(ctx, r.bigRows)
		if err != nil {
			return nil, err
		}
		ratios, note = append(ratios, big/small), fmt.Sprintf("%.0f MiB for %d rows, %.0f MiB for %d", small, smallRows, big, r.bigRows)
	}
	return []figure{atMost("peak memory: one big transaction / one of 50,000 rows", 1.5, 1.2, 1.0, ratios...).because("%s", note)}, nil
}

// peakOf is the peak memory of a fresh process that takes one transaction of so many rows.
func (r *rig) peakOf(ctx context.Context, rows int) (float64, error) {
	if err := r.stop(); err != nil {
		return 0, err
	}
	if err := r.start(ctx); err != nil {
		return 0, err
	}
	if _, err := r.catchUp(ctx); err != nil {
		return 0, err
	}
	if err := r.running.forget(); err != nil {
		return 0, err
	}
	if _, err := r.pg.Exec(ctx, "CALL bench.big($1)", rows); err != nil {
		return 0, err
	}
	if _, err := r.catchUp(ctx); err != nil {
		return 0, err
	}
	return r.running.peak()
}

// warehouse times FINAL at rest and under updates, compares both sides, and weighs what they store.
func (r *rig) warehouse(ctx context.Context) ([]figure, error) {
	if err := r.ensureRunning(ctx); err != nil {
		return nil, err
	}
	if _, err := r.catchUp(ctx); err != nil {
		return nil, err
	}
	r.say("letting merges settle for %s", r.settle)
	if err := r.pause(ctx, r.settle); err != nil {
		return nil, err
	}
	rest, err := r.finalRatios(ctx)
	if err != nil {
		return nil, err
	}
	busy, updates, err := r.finalUnderUpdates(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := r.catchUp(ctx); err != nil {
		return nil, err
	}
	compared, differing, note, err := r.verify(ctx)
	if err != nil {
		return nil, err
	}
	storage, storageNote, err := r.storage(ctx)
	if err != nil {
		return nil, err
	}
	return []figure{
		atMost("FINAL / without, after the load", 2.5, 1.5, 1.1, rest...).because("issues by state, %s after the last change", r.settle),
		atMost("FINAL / without, during updates", 8, 3, 2, busy...).because("%.0f updates of issues a second", updates),
		atLeast("comparing both sides: rows/s / draining COPY", 0.3, 0.6, 0.8, compared).because("%s", note),
		atMost("bytes in the warehouse / in Postgres with indexes", 0.5, 0.3, 0.2, storage).because("%s", storageNote),
		atMost("rows that differ at the end of all this", 0, 0, 0, differing).in("rows"),
	}, nil
}

// pairs of a query without and with FINAL: each takes some milliseconds, of which one says nothing.
const pairs = 25

// finalRatios asks the same question with and without FINAL, in turns.
func (r *rig) finalRatios(ctx context.Context) (ratios []float64, err error) {
	for range pairs {
		var took [2]float64
		for i, final := range []string{"", "FINAL"} {
			started := time.Now()
			if err := r.ch.Exec(ctx, "SELECT state, count(), avg(opinion_count) FROM f_issue "+final+" WHERE _deleted = 0 GROUP BY state FORMAT Null"); err != nil {
				return nil, err
			}
			took[i] = time.Since(started).Seconds()
		}
		ratios = append(ratios, took[1]/took[0])
	}
	return ratios, nil
}

// finalUnderUpdates does that while issues are updated, some 2,000 a second if Postgres can.
func (r *rig) finalUnderUpdates(ctx context.Context) (ratios []float64, updates float64, err error) {
	const batch, perSecond, seconds = 50, 40, 20
	updating := make(chan error, 1)
	started := time.Now()
	go func() {
		tick := time.NewTicker(time.Second / perSecond)
		defer tick.Stop()
		for range perSecond * seconds {
			if _, err := r.pg.Exec(ctx, `UPDATE issue SET opinion_count = opinion_count + 1 WHERE id IN
				(SELECT id FROM bench.issue WHERE n = ANY(ARRAY(SELECT 1 + floor(random() * $1)::int FROM generate_series(1, $2::int))))`, r.issues, batch); err != nil {
				updating <- err
				return
			}
			updates += batch
			<-tick.C
		}
		updating <- nil
	}()
	for {
		more, err := r.finalRatios(ctx)
		if err != nil {
			return nil, 0, err
		}
		ratios = append(ratios, more...)
		select {
		case err := <-updating:
			return ratios, updates / time.Since(started).Seconds(), err
		default:
		}
	}
}

// verify compares both sides with the program's own command.
func (r *rig) verify(ctx context.Context) (ratio, differing float64, note string, err error) {
	drained, rows, err := r.drainCopy(ctx)
	if err != nil {
		return 0, 0, "", err
	}
	c := r.command(ctx, append([]string{"etl", "verify", "--json"}, tableFlags()...)...)
	var out bytes.Buffer
	c.Stdout = &out
	started := time.Now()
	failed := c.Run() // differences make it fail, and are counted here
	took := time.Since(started)
	var found []struct {
		Rows      float64 `json:"rows"`
		Differing []any   `json:"differing"`
		Unsettled float64 `json:"unsettled"`
	}
	if err := json.Unmarshal(out.Bytes(), &found); err != nil {
		return 0, 0, "", r.explain(failed, "etl verify")
	}
	var compared float64
	for _, v := range found {
		compared += v.Rows
		differing += float64(len(v.Differing)) + v.Unsettled
	}
	ours, theirs := compared/took.Seconds(), rows/drained.Seconds()
	return ours / theirs, differing, fmt.Sprintf("%.0f k rows/s against %.0f k", ours/1000, theirs/1000), nil
}

func tableFlags() []string { return append([]string(nil), bulk...) }

// storage weighs the mirrors against their sources.
func (r *rig) storage(ctx context.Context) (ratio float64, note string, err error) {
	for _, table := range bulk {
		if err := r.ch.Exec(ctx, "OPTIMIZE TABLE "+mirror(table)+" FINAL"); err != nil {
			return 0, "", err
		}
	}
	var mirrors []string
	for _, table := range bulk {
		mirrors = append(mirrors, "'"+mirror(table)+"'")
	}
	theirs, err := r.number(ctx, "SELECT sum(pg_total_relation_size(t::regclass))::float8 FROM unnest($1::text[]) t", bulk)
	if err != nil {
		return 0, "", err
	}
	ours, err := r.chNumber(ctx, "SELECT toFloat64(sum(bytes_on_disk)) FROM system.parts WHERE active AND database = currentDatabase() AND table IN ("+strings.Join(mirrors, ", ")+")")
	return ours / theirs, fmt.Sprintf("%.0f MiB against %.0f MiB", ours/(1<<20), theirs/(1<<20)), err
}
