package etl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
)

// Operator does what people ask of a replication, beside the replicator that runs it: telling how it fares, comparing both sides,
// mending rows, stopping and starting it. It has connections of its own; the two meet only in the stores.
type Operator struct {
	cfg Config
	log *slog.Logger
	pg  *pgx.Conn
}

// NewOperator connects to the system of record. Close it after use; it is for one goroutine.
func NewOperator(ctx context.Context, cfg Config) (*Operator, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	pg, err := connect(ctx, cfg.Postgres)
	if err != nil {
		return nil, err
	}
	if err := checkSource(ctx, pg); err != nil {
		_ = pg.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return &Operator{cfg: cfg, log: cfg.Logger, pg: pg}, nil
}

// Close ends the connection.
func (o *Operator) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	_ = o.pg.Close(ctx)
}

// Pause makes the active replicator store what it has and stand still until Resume, over restarts too. The slot keeps all WAL
// meanwhile.
func (o *Operator) Pause(ctx context.Context) error {
	if _, err := o.pg.Exec(ctx, "INSERT INTO etl.pause (pipeline) VALUES ($1) ON CONFLICT DO NOTHING", o.cfg.Pipeline); err != nil {
		return fmt.Errorf("pause: %w", err)
	}
	return nil
}

// Resume ends a pause. It reports whether there was one.
func (o *Operator) Resume(ctx context.Context) (bool, error) {
	tag, err := o.pg.Exec(ctx, "DELETE FROM etl.pause WHERE pipeline = $1", o.cfg.Pipeline)
	if err != nil {
		return false, fmt.Errorf("resume: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}

// paused reports whether the pipeline is to stand still.
func paused(ctx context.Context, pg *pgx.Conn, pipeline string) (bool, error) {
	var yes bool
	if err := pg.QueryRow(ctx, "SELECT EXISTS (SELECT FROM etl.pause WHERE pipeline = $1)", pipeline).Scan(&yes); err != nil {
		return false, fmt.Errorf("ask whether replication is paused: %w", err)
	}
	return yes, nil
}

// awaitApplied waits until the warehouse has everything up to position, which takes a replicator at work.
func (o *Operator) awaitApplied(ctx context.Context, position pglogrepl.LSN) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		c, err := readCheckpoint(ctx, o.cfg.ClickHouse, o.cfg.Pipeline)
		if err != nil || c.applied >= position {
			return err
		}
		if n%50 == 0 {
			if err := o.requireProgress(ctx); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until the warehouse, at %s, has %s: %w", c.applied, position, ctx.Err())
		case <-tick.C:
		}
	}
}

// requireProgress fails where waiting would never end.
func (o *Operator) requireProgress(ctx context.Context) error {
	stopped, err := paused(ctx, o.pg, o.cfg.Pipeline)
	if err != nil {
		return err
	}
	if stopped {
		return errors.New("the replication is paused: end that with `groundwork etl resume`")
	}
	who, err := readReplicators(ctx, o.pg, o.cfg.Slot)
	if err == nil && who.active == nil {
		err = errors.New("no replicator is active, so the warehouse does not catch up: start one with `groundwork etl` or `groundwork up`")
	}
	return err
}
