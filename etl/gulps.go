package etl

import (
	"io"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// gulps reads the replication stream in large pieces. Postgres sends every change by itself, and waking for each costs the receiver
// several times what decoding it does, and the sender its processor. So while changes flow, a read waits a moment for more of them.
type gulps struct {
	source io.Reader
	buffer []byte // read, and not yet handed on
	memory []byte
	last   time.Time // when the last read ended
}

const (
	gulpBytes = 256 << 10
	gulpWait  = time.Millisecond     // little beside the shortest time between two flushes
	flowing   = 2 * time.Millisecond // reads that follow each other faster are of a stream that flows
)

// frontend makes the connection read through g.
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
		n, err := g.source.Read(g.memory)
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
