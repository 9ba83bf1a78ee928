package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const (
	defaultWait = 2 * time.Second
	pollEvery   = 20 * time.Millisecond
)

var errNotLoaded = fmt.Errorf("%w yet: the first load from the system of record is not done (`groundwork etl` does it)", ErrUnavailable)

// Watermark returns how far the warehouse has the system of record. Before the first load is done the error wraps ErrUnavailable.
func (m *Measures) Watermark(ctx context.Context) (Watermark, error) {
	var w Watermark
	err := m.db.QueryRow(ctx, "SELECT lsn, committed_at FROM pub_watermark").Scan(&w.LSN, &w.CommittedAt)
	if errors.Is(err, sql.ErrNoRows) || err == nil && w.LSN == 0 {
		return Watermark{}, errNotLoaded
	}
	if err != nil {
		return Watermark{}, failed(ctx, "read the watermark", err)
	}
	return w, nil
}

// AwaitLSN waits until the warehouse has everything up to lsn, at most for the given time (0 = 2 s), and returns the watermark then.
// reached is false if the time was up first.
func (m *Measures) AwaitLSN(ctx context.Context, lsn uint64, atMost time.Duration) (w Watermark, reached bool, err error) {
	if atMost <= 0 {
		atMost = defaultWait
	}
	deadline := time.NewTimer(atMost)
	defer deadline.Stop()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		if w, err = m.Watermark(ctx); err != nil || w.LSN >= lsn {
			return w, err == nil, err
		}
		select {
		case <-ctx.Done():
			return w, false, fmt.Errorf("wait for the warehouse: %w", context.Cause(ctx))
		case <-deadline.C:
			return w, false, nil
		case <-poll.C:
		}
	}
}
