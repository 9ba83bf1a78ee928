package etl

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
)

// Report is how the replication fares, seen from outside.
type Report struct {
	State       string           `json:"state"` // streaming, catching up, loading, paused, stopped
	Active      *Process         `json:"active"`
	Standbys    int              `json:"standbys"`
	Position    string           `json:"postgres_lsn"`
	Applied     string           `json:"applied_lsn"`
	LagBytes    int64            `json:"lag_bytes"`
	LagSeconds  float64          `json:"lag_seconds"` // 0 when the warehouse has everything
	Watermark   *time.Time       `json:"watermark"`   // commit time of the newest transaction in the warehouse
	WrittenRate float64          `json:"postgres_bytes_per_second"`
	AppliedRate float64          `json:"applied_bytes_per_second"`
	Epoch       uint64           `json:"epoch"` // how many sessions there have been
	Slot        SlotHealth       `json:"slot"`
	DeadLetters map[string]int64 `json:"dead_letters"` // rows set aside and not yet settled, by table
	Load        []LoadReport     `json:"load"`         // mirrors being filled
	Stopped     []string         `json:"stopped"`      // tables that the replication leaves out, since too many of their rows were set aside
	Problems    []string         `json:"problems"`     // what a person should look at, each with its remedy
}

// sight is one look at both sides.
type sight struct {
	at       time.Time
	position pglogrepl.LSN
	check    checkpoint
}

// Report looks at both sides twice, interval apart, for the rates.
func (o *Operator) Report(ctx context.Context, interval time.Duration) (Report, error) {
	first, err := o.look(ctx)
	if err != nil {
		return Report{}, err
	}
	select {
	case <-ctx.Done():
		return Report{}, ctx.Err()
	case <-time.After(interval):
	}
	second, err := o.look(ctx)
	if err != nil {
		return Report{}, err
	}
	r := Report{Position: second.position.String(), Applied: second.check.applied.String(), Epoch: second.check.epoch, DeadLetters: map[string]int64{}, Problems: []string{}}
	r.lag(first, second)
	if r.Slot, err = readHealth(ctx, o.pg, o.cfg.Slot); err != nil {
		return r, err
	}
	who, err := readReplicators(ctx, o.pg, o.cfg.Slot)
	if err != nil {
		return r, err
	}
	r.Active, r.Standbys = who.active, who.standbys
	if err := o.countDeadLetters(ctx, r.DeadLetters); err != nil {
		return r, err
	}
	if r.Load, r.Stopped, err = o.loads(ctx); err != nil {
		return r, err
	}
	r.judge(second.check, o.cfg.MaxKeptWAL)
	return r, nil
}

func (o *Operator) look(ctx context.Context) (s sight, err error) {
	if s.at, s.position, err = readPosition(ctx, o.pg); err != nil {
		return s, err
	}
	s.check, err = readCheckpoint(ctx, o.cfg.ClickHouse, o.cfg.Pipeline)
	return s, err
}

func (r *Report) lag(first, second sight) {
	took := second.at.Sub(first.at).Seconds()
	if took > 0 {
		r.WrittenRate = float64(second.position-first.position) / took
	}
	if !second.check.exists() {
		r.LagBytes = int64(second.position)
		return
	}
	if took > 0 && first.check.exists() && second.check.applied >= first.check.applied {
		r.AppliedRate = float64(second.check.applied-first.check.applied) / took
	}
	watermark := second.check.commitTime.UTC()
	r.Watermark = &watermark
	if second.position > second.check.applied {
		r.LagBytes = int64(second.position - second.check.applied)
		var clock lagClock
		clock.look(mark{first.at, first.position}, second.check.applied, watermark)
		r.LagSeconds = clock.look(mark{second.at, second.position}, second.check.applied, watermark).Seconds()
	}
}

func (o *Operator) countDeadLetters(ctx context.Context, counts map[string]int64) error {
	rows, err := o.pg.Query(ctx, "SELECT source, count(*) FROM etl.dead_letter WHERE pipeline = $1 AND settled_at IS NULL GROUP BY source", o.cfg.Pipeline)
	if err != nil {
		return fmt.Errorf("count dead letters: %w", err)
	}
	var source string
	var n int64
	if _, err := pgx.ForEachRow(rows, []any{&source, &n}, func() error { counts[source] = n; return nil }); err != nil {
		return fmt.Errorf("count dead letters: %w", err)
	}
	return nil
}

// laggingAfter is how old the watermark may be while there is something to bring over.
const laggingAfter = 10 * time.Second

func (r *Report) judge(c checkpoint, maxKept int64) {
	problem := func(format string, args ...any) { r.Problems = append(r.Problems, fmt.Sprintf(format, args...)) }
	switch {
	case r.Active == nil:
		r.State = "stopped"
		problem("no replicator is active: start one with `groundwork etl` or `groundwork up`")
	case r.Active.Paused:
		r.State = "paused"
		problem("replication is paused and the slot keeps all WAL: end that with `groundwork etl resume`")
	case !c.exists():
		r.State = "loading"
	case r.LagSeconds > laggingAfter.Seconds():
		r.State = "catching up"
		problem("the warehouse lags by %.0f s: look at the replicator's log and the load of both stores", r.LagSeconds)
	default:
		r.State = "streaming"
	}
	if c.exists() && !r.Slot.Exists {
		problem("replication slot %s is missing: the next start of the replicator loads afresh by itself", r.Slot.Name)
	}
	if text := r.Slot.alarm(maxKept); text != "" {
		problem("%s", text)
	}
	for _, source := range r.Stopped {
		problem("table %s is stopped, its mirror no longer follows: see etl.dead_letter for the reason, take it away, then `groundwork etl rebuild --table %[1]s --yes`", source)
	}
	for source, n := range r.DeadLetters {
		problem("%d rows of %s are set aside in etl.dead_letter: correct them in Postgres, then `groundwork etl replay`", n, source)
	}
}
