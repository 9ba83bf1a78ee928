package embedded

import (
	"context"
	"fmt"
	"os"
	"time"
)

const (
	// maxRestarts is how often in a row the engine is started again before it is given up.
	maxRestarts = 8
	// settled is how long the engine must run for its earlier failures to be forgotten.
	settled = time.Minute
)

// supervise starts the engine again when it ends, until it is stopped or has failed too often.
func (e *Engine) supervise() {
	defer close(e.done)
	defer e.unlock()
	defer os.Remove(engineNoteFile(e.cfg.DataDir))
	for failures := 0; ; {
		started := time.Now()
		child := e.current()
		if e.isStopping() { // Stop may have seen the child before this one
			_ = child.end(context.Background())
			return
		}
		<-child.done
		if e.isStopping() {
			return
		}
		if time.Since(started) > settled {
			failures = 0
		}
		e.cfg.Logger.Error("the ClickHouse engine ended and is started again", "error", child.err)
		if err := e.restart(&failures, child.err); err != nil {
			e.err = err
			return
		}
	}
}

// restart tries until the engine answers, with growing pauses. It returns nil without an engine when stopped meanwhile, and
// an error when it gives up.
func (e *Engine) restart(failures *int, cause error) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-e.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		*failures++
		if *failures > maxRestarts {
			return fmt.Errorf("the ClickHouse engine failed %d times in a row and is given up: %w", *failures, cause)
		}
		select {
		case <-time.After(pause(*failures)):
		case <-e.stopping:
			return nil
		}
		err := e.launch(ctx)
		if err == nil || e.isStopping() {
			return nil
		}
		e.cfg.Logger.Error("the ClickHouse engine could not be started again", "error", err)
		cause = err
	}
}

// pause before the n-th restart in a row: 100 ms, 200 ms, 400 ms ... 10 s.
func pause(n int) time.Duration {
	return min(100*time.Millisecond<<(n-1), 10*time.Second)
}

func (e *Engine) isStopping() bool {
	select {
	case <-e.stopping:
		return true
	default:
		return false
	}
}
