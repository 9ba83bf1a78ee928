package etl

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// errPaused ends a session whose pipeline is to stand still.
var errPaused = errors.New("paused")

// awaitResume returns when the pipeline is not, or no longer, paused. The lock is kept, so that standbys stay standbys.
func (s *session) awaitResume(ctx context.Context) error {
	announced := false
	for {
		stop, err := paused(ctx, s.lease, s.cfg.Pipeline)
		if err != nil || !stop {
			return err
		}
		if !announced {
			announced = true
			s.log.WarnContext(ctx, "paused; the slot keeps all WAL until `groundwork etl resume`", slog.String("slot", s.cfg.Slot))
			s.tracker.update(func(st *Status) { st.State = StatePaused })
			if err := s.sayRole(ctx, "paused"); err != nil {
				return err
			}
		}
		s.watchSlot(ctx, s.lease)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(s.cfg.ControlInterval):
		}
	}
}

// watch looks after what operators ask and how the slot fares, until ctx is done. On a pause it calls stop.
func (s *session) watch(ctx context.Context, stop context.CancelCauseFunc) {
	conn, err := connect(ctx, s.cfg.Postgres)
	if err != nil {
		stop(err)
		return
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	tick := time.NewTicker(s.cfg.ControlInterval)
	defer tick.Stop()
	for {
		yes, err := paused(ctx, conn, s.cfg.Pipeline)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			stop(err)
			return
		case yes:
			stop(errPaused)
			return
		}
		s.watchSlot(ctx, conn)
		s.watchParts(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
