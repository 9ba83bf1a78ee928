package etl

import (
	"context"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"golang.org/x/sys/unix"
)

// gulps reads the replication stream in large pieces. Postgres sends every change by itself, and waking for each costs the receiver
// several times what decoding it does, and the sender its processor. So while changes flow, a read waits a moment for more of them, and
// the kernel is told to wake nobody meanwhile (SO_RCVLOWAT): else the runtime's poller wakes for each change.
type gulps struct {
	source io.Reader
	socket syscall.RawConn // below source; nil = not known
	buffer []byte          // read, and not yet handed on
	memory []byte
	last   time.Time // when the last read ended
}

const (
	gulpBytes = 256 << 10
	gulpWait  = 10 * time.Millisecond // for more: little beside the shortest time between two flushes
	flowing   = 2 * time.Millisecond  // reads that follow each other faster are of a stream that flows
	undivided = 1 << 20               // more than comes in a wait; the kernel makes room for as much, and lets the sender go on until it is full
)

// use makes connections of this configuration read through g.
func (g *gulps) use(c *pgconn.Config) {
	dial := c.DialFunc
	c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if raw, ok := conn.(syscall.Conn); ok && err == nil {
			if g.socket, err = raw.SyscallConn(); err != nil {
				_ = conn.Close()
				return nil, err
			}
		}
		return conn, err
	}
	c.BuildFrontend = g.frontend
}

func (g *gulps) frontend(r io.Reader, w io.Writer) *pgproto3.Frontend {
	g.source, g.memory = r, make([]byte, gulpBytes)
	return pgproto3.NewFrontend(g, w)
}

// buffered is how many bytes a Read gives without waiting.
func (g *gulps) buffered() int { return len(g.buffer) }

// Read implements io.Reader.
func (g *gulps) Read(p []byte) (int, error) {
	if len(g.buffer) == 0 {
		if time.Since(g.last) < flowing {
			time.Sleep(gulpWait)
		}
		g.wakeFor(1)
		n, err := g.source.Read(g.memory)
		g.wakeFor(undivided)
		if n == len(g.memory) {
			g.last = time.Time{} // there is more than one gulp: no need to wait for it
		} else {
			g.last = time.Now()
		}
		if n == 0 {
			return 0, err
		}
		g.buffer = g.memory[:n] // an error comes again with the next read
	}
	n := copy(p, g.buffer)
	g.buffer = g.buffer[n:]
	return n, nil
}

// wakeFor makes the kernel wait for so many bytes before it tells of them. Where it cannot, it tells of every one.
func (g *gulps) wakeFor(bytes int) {
	if g.socket != nil {
		_ = g.socket.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, bytes) })
	}
}
