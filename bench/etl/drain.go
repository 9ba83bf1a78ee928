package main

import (
	"context"
	"fmt"
	"time"
)

// changesPerTransaction is what bench.mixed and bench.narrow make.
const changesPerTransaction = 100

const baselineSlot = "bench_drain"

// drain compares the replication with pg_recvlogical, each taking the same backlog from a slot of its own.
func (r *rig) drain(ctx context.Context) ([]figure, error) {
	if _, err := r.pg.Exec(ctx, "SELECT pg_create_logical_replication_slot($1, 'pgoutput')", baselineSlot); err != nil {
		return nil, err
	}
	defer func() {
		_, _ = r.pg.Exec(context.WithoutCancel(ctx), "SELECT pg_drop_replication_slot($1)", baselineSlot)
	}()
	mixed, cpu, note, err := r.drainRounds(ctx, "mixed")
	if err != nil {
		return nil, err
	}
	narrow, _, narrowNote, err := r.drainRounds(ctx, "narrow")
	if err != nil {
		return nil, err
	}
	return []figure{
		atLeast("backlog, mixed changes: rate / pg_recvlogical", 0.70, 0.85, 0.95, mixed...).because("%s", note),
		atLeast("backlog, narrow rows: rate / pg_recvlogical", 0.70, 0.85, 0.95, narrow...).because("%s", narrowNote),
		atMost("processor time of the replication per million changes", 6, 4, 2.5, cpu...).in("s").because("with everything that it sends to the warehouse"),
	}, nil
}

// drainRounds lets both drain backlogs of a kind, in turns first.
func (r *rig) drainRounds(ctx context.Context, kind string) (ratios, cpu []float64, note string, err error) {
	var ours, theirs float64
	var total [3]float64
	changes := float64(r.transactions * changesPerTransaction)
	for round := range r.rounds {
		if _, err := r.catchUp(ctx); err != nil {
			return nil, nil, "", err
		}
		if err := r.stop(); err != nil {
			return nil, nil, "", err
		}
		if _, err := r.pg.Exec(ctx, fmt.Sprintf("CALL bench.%s(%d)", kind, r.transactions)); err != nil {
			return nil, nil, "", err
		}
		end, err := r.position(ctx)
		if err != nil {
			return nil, nil, "", err
		}
		var replicated, received time.Duration
		var used [3]time.Duration
		steps := []func() error{
			func() (err error) { received, err = r.receive(ctx, end); return err },
			func() (err error) { replicated, used, err = r.replicate(ctx, end); return err },
		}
		for i := range steps {
			if err := steps[(i+round)%2](); err != nil {
				return nil, nil, "", err
			}
		}
		r.say("%s, round %d: pg_recvlogical %.1f s, replication %.1f s", kind, round+1, received.Seconds(), replicated.Seconds())
		ratios = append(ratios, received.Seconds()/replicated.Seconds())
		cpu = append(cpu, used[0].Seconds()/changes*1e6)
		for i := range total {
			total[i] += used[i].Seconds()
		}
		ours, theirs = ours+replicated.Seconds(), theirs+received.Seconds()
	}
	return ratios, cpu, fmt.Sprintf("%.0f k changes; replication %.0f k/s, pg_recvlogical %.0f k/s; processor time: replication %.1f s, warehouse %.1f s, Postgres %.1f s", changes/1000,
		changes*float64(r.rounds)/ours/1000, changes*float64(r.rounds)/theirs/1000, total[0], total[1], total[2]), nil
}

// receive drains the baseline's slot to the end, into nothing.
func (r *rig) receive(ctx context.Context, end string) (time.Duration, error) {
	c := r.tool(ctx, "pg_recvlogical", "-d", r.postgres.DSN(database), "--slot", baselineSlot, "--start", "--no-loop", "--endpos", end,
		"-o", "proto_version=1", "-o", "publication_names=groundwork", "-o", "binary=true", "-f", "/dev/null")
	c.Stdout, c.Stderr = r.log, r.log
	started := time.Now()
	err := r.explain(c.Run(), "pg_recvlogical")
	return time.Since(started), err
}

// replicate starts the replication and waits until the warehouse has everything up to the end. cpu is of the replication, the warehouse and Postgres.
func (r *rig) replicate(ctx context.Context, end string) (took time.Duration, cpu [3]time.Duration, err error) {
	before, err := r.serverCPU()
	if err != nil {
		return 0, cpu, err
	}
	started := time.Now()
	if err := r.start(ctx); err != nil {
		return 0, cpu, err
	}
	if err := r.reached(ctx, end); err != nil {
		return 0, cpu, err
	}
	took = time.Since(started)
	cpu, err = r.used(before)
	return took, cpu, err
}
