package engine

import (
	"context"
	"fmt"
	"sync"

	"groundwork/internal/engine/chdb"
)

// pool lends connections to the engine, each to one request at a time. It holds back requests above its size.
type pool struct {
	open  func() (*chdb.Conn, error)
	slots chan struct{}
	mu    sync.Mutex
	idle  []*handle
}

// handle is a connection with what the gateway knows of its session.
type handle struct {
	conn     *chdb.Conn
	database string // last USE
}

func newPool(size int, open func() (*chdb.Conn, error)) *pool {
	return &pool{open: open, slots: make(chan struct{}, size)}
}

func (p *pool) acquire(ctx context.Context) (*handle, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		h := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return h, nil
	}
	p.mu.Unlock()
	conn, err := p.open()
	if err != nil {
		<-p.slots
		return nil, fmt.Errorf("open a connection to the engine: %w", err)
	}
	return &handle{conn: conn}, nil
}

// release takes a handle back. One whose session was changed, or that saw an error, is never lent again: after an error
// the engine keeps the failed statement's output in the connection and puts it before the next result, whoever asks.
func (p *pool) release(h *handle, clean bool) {
	if clean {
		p.mu.Lock()
		p.idle = append(p.idle, h)
		p.mu.Unlock()
	} else {
		h.conn.Close()
	}
	<-p.slots
}

// close waits for all handles to come back and closes them. Nothing can be acquired afterwards.
func (p *pool) close() {
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.idle {
		h.conn.Close()
	}
	p.idle = nil
}
