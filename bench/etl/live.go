package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// clients of pgbench, so many that the processors are busy while some wait for the disk; each transaction inserts an event and updates an issue.
const clients = 16

// pgbench loads Postgres for a while, at a rate if it is positive.
func (r *rig) pgbench(ctx context.Context, duration time.Duration, rate float64) *exec.Cmd {
	args := []string{"-n", "-M", "prepared", "-c", strconv.Itoa(clients), "-j", "2", "-T", strconv.Itoa(int(duration.Seconds())), "-f", r.script("transaction")}
	if rate > 0 {
		args = append(args, "-R", strconv.FormatFloat(rate, 'f', 1, 64))
	}
	c := r.tool(ctx, "pgbench", append(args, r.postgres.DSN(database))...)
	c.Env = append(c.Environ(), "PGOPTIONS=-c session_replication_role=replica")
	return c
}

var tpsLine = regexp.MustCompile(`tps = ([0-9.]+)`)

// throughput runs pgbench to its end and returns its transactions a second.
func (r *rig) throughput(ctx context.Context, duration time.Duration, rate float64) (float64, error) {
	said, err := r.pgbench(ctx, duration, rate).CombinedOutput()
	found := tpsLine.FindSubmatch(said)
	if err != nil || found == nil {
		return 0, fmt.Errorf("pgbench: %w: %s", err, bytes.TrimSpace(said))
	}
	return strconv.ParseFloat(string(found[1]), 64)
}

// underLoad measures what the replication costs the source, and how far behind it is.
func (r *rig) underLoad(ctx context.Context) ([]figure, error) {
	var cost, full, third []float64
	var alone, with float64
	for round := range r.rounds {
		if err := r.stop(); err != nil {
			return nil, err
		}
		base, err := r.throughput(ctx, r.live, 0)
		if err != nil {
			return nil, err
		}
		if err := r.start(ctx); err != nil {
			return nil, err
		}
		if _, err := r.catchUp(ctx); err != nil {
			return nil, err
		}
		tps, err := r.throughput(ctx, r.live, 0)
		if err != nil {
			return nil, err
		}
		if _, err := r.catchUp(ctx); err != nil {
			return nil, err
		}
		saturated, err := r.lag(ctx, 0)
		if err != nil {
			return nil, err
		}
		if _, err := r.catchUp(ctx); err != nil {
			return nil, err
		}
		calm, err := r.lag(ctx, 0.3*base)
		if err != nil {
			return nil, err
		}
		r.say("round %d: %.0f tps alone, %.0f with the replication; lag p99 %.3f s, at 30 %% %.3f s", round+1, base, tps, saturated, calm)
		cost, full, third = append(cost, tps/base), append(full, saturated), append(third, calm)
		alone, with = alone+base, with+tps
	}
	n := float64(r.rounds)
	return []figure{
		atMost("lag p99 at 30 % of the source's maximum", 1, 0.5, 0.3, third...).in("s").because("from the commit until Postgres is told that the warehouse has it"),
		atMost("lag p99 at the source's maximum", 2, 1, 0.35, full...).in("s"),
		atLeast("source's maximum with the replication / without", 0.75, 0.85, 0.90, cost...).because("pgbench %.0f tps alone, %.0f with it", alone/n, with/n),
	}, nil
}

// lag commits a probe ten times a second while pgbench runs, and returns the 99th percentile of the seconds until it was acknowledged.
func (r *rig) lag(ctx context.Context, rate float64) (p99 float64, err error) {
	done := make(chan struct{})
	var failed error
	go func() {
		defer close(done)
		_, failed = r.throughput(ctx, r.live, rate)
	}()
	var lags []float64
	for running := true; running; {
		took, err := r.catchUp(ctx)
		if err != nil {
			return 0, err
		}
		lags = append(lags, took.Seconds())
		select {
		case <-done:
			running = false
		case <-time.After(max(0, 100*time.Millisecond-took)):
		}
	}
	slices.Sort(lags)
	at := func(p float64) float64 { return lags[int(p*float64(len(lags)-1))] }
	r.say("lag of %d commits: p50 %.3f, p90 %.3f, p99 %.3f, most %.3f s", len(lags), at(0.5), at(0.9), at(0.99), at(1))
	return at(0.99), failed
}

// sinkOutage takes the warehouse away under load, and measures how fast what was missed is made up for.
func (r *rig) sinkOutage(ctx context.Context) ([]figure, error) {
	if err := r.ensureRunning(ctx); err != nil {
		return nil, err
	}
	base, err := r.throughput(ctx, r.live, 0)
	if err != nil {
		return nil, err
	}
	if _, err := r.catchUp(ctx); err != nil {
		return nil, err
	}
	load := r.pgbench(ctx, r.outage+10*time.Minute, 0.3*base)
	if err := load.Start(); err != nil {
		return nil, err
	}
	defer func() { _ = load.Process.Kill(); _ = load.Wait() }()
	_ = r.ch.Close()
	if err := r.engine.Stop(ctx); err != nil {
		return nil, err
	}
	if err := r.pause(ctx, r.outage); err != nil {
		return nil, err
	}
	if err := r.startEngine(ctx); err != nil {
		return nil, err
	}
	took, err := r.catchUp(ctx)
	if err != nil {
		return nil, err
	}
	return []figure{atLeast("after an outage of the warehouse: rate of catching up / arrival", 2, 4, 8, (r.outage+took).Seconds()/took.Seconds()).
		because("%.0f s away at 30 %% load, caught up %.1f s after its return", r.outage.Seconds(), took.Seconds())}, nil
}

func (r *rig) ensureRunning(ctx context.Context) error {
	if r.running != nil {
		return nil
	}
	return r.start(ctx)
}

func (r *rig) pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// loaded starts pgbench at 30 % of what the source can with the replication; end stops it.
func (r *rig) loaded(ctx context.Context) (end func(), err error) {
	if err := r.ensureRunning(ctx); err != nil {
		return nil, err
	}
	base, err := r.throughput(ctx, r.live, 0)
	if err != nil {
		return nil, err
	}
	load := r.pgbench(ctx, 10*time.Minute, 0.3*base)
	if err := load.Start(); err != nil {
		return nil, err
	}
	return func() { _ = load.Process.Kill(); _ = load.Wait() }, nil
}

// takeover has a second replicator wait, ends the first by SIGKILL under load, and measures until the second has stored what is committed then.
func (r *rig) takeover(ctx context.Context) ([]figure, error) {
	end, err := r.loaded(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var took []float64
	for round := range r.rounds {
		if _, err := r.catchUp(ctx); err != nil {
			return nil, err
		}
		active := r.running
		if err := r.start(ctx); err != nil {
			return nil, err
		}
		err := r.pause(ctx, 5*time.Second+time.Duration(round)*77*time.Millisecond) // it starts, and waits
		_ = active.Process.Kill()
		_ = active.Wait()
		if err != nil {
			return nil, err
		}
		lag, err := r.catchUp(ctx)
		if err != nil {
			return nil, err
		}
		took = append(took, lag.Seconds())
	}
	return []figure{atMost("takeover by a standby after kill -9, until a commit of then is in the warehouse", 10, 5, 2, took...).in("s")}, nil
}

// kill ends the replication by SIGKILL under load, and measures its return and what it stores a second time.
func (r *rig) kill(ctx context.Context) ([]figure, error) {
	end, err := r.loaded(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var back, again []float64
	for round := range r.rounds {
		if _, err := r.catchUp(ctx); err != nil {
			return nil, err
		}
		if err := r.pause(ctx, 2*time.Second+time.Duration(round)*77*time.Millisecond); err != nil {
			return nil, err
		}
		_ = r.running.Process.Kill()
		_ = r.running.Wait()
		r.running = nil
		beyond, flush, err := r.uncheckpointed(ctx)
		if err != nil {
			return nil, err
		}
		started := time.Now()
		if err := r.start(ctx); err != nil {
			return nil, err
		}
		if _, err := r.catchUp(ctx); err != nil {
			return nil, err
		}
		back, again = append(back, time.Since(started).Seconds()), append(again, beyond/flush)
	}
	return []figure{
		atMost("restart after kill -9, until the first new row is in the warehouse", 10, 5, 2, back...).in("s"),
		atMost("rows stored again after a kill / rows of a flush", 2, 1, 0, again...).because("each stands once all the same: it has the version that it had"),
	}, nil
}

// uncheckpointed counts the rows of the loads' tables beyond the checkpoint, and those of a usual flush.
func (r *rig) uncheckpointed(ctx context.Context) (beyond, flush float64, err error) {
	const rows = "(SELECT _ver FROM f_issue UNION ALL SELECT _ver FROM f_issue_event)"
	beyond, err = r.chNumber(ctx, `WITH (SELECT argMax(applied_lsn, (epoch, seq)) FROM etl_checkpoint) AS applied
		SELECT toFloat64(count()) FROM `+rows+` WHERE bitShiftRight(_ver, 64) > applied`)
	if err != nil {
		return 0, 0, err
	}
	flush, err = r.chNumber(ctx, `WITH (SELECT groupArray(applied_lsn) FROM (SELECT DISTINCT applied_lsn FROM etl_checkpoint ORDER BY applied_lsn DESC LIMIT 6)) AS ends
		SELECT toFloat64(count()) / 5 FROM `+rows+` WHERE bitShiftRight(_ver, 64) <= ends[1] AND bitShiftRight(_ver, 64) > ends[-1]`)
	return beyond, max(flush, 1), err
}
