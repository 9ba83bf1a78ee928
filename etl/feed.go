package etl

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"
)

// feed receives the stream and sends our positions back. Reading stops while the queue is full; the status goes on, so that a
// slow warehouse never costs the connection.
type feed struct {
	conn   *pgconn.PgConn
	queue  chan message
	budget *semaphore.Weighted // of bytes in the queue
	limit  int64
	waited atomic.Int64       // nanoseconds that Postgres had nothing for us
	bytes  prometheus.Counter // received

	mu       sync.Mutex
	received pglogrepl.LSN
	applied  pglogrepl.LSN
}

// message is what the stream brings: data of the output plugin, or (data nil) the news that everything up to end was sent.
type message struct {
	data []byte
	end  pglogrepl.LSN
	cost int64
}

// queueLength bounds the number of small messages; the budget bounds the bytes of large ones.
const queueLength = 8192

func newFeed(conn *pgconn.PgConn, applied pglogrepl.LSN, queueBytes int, bytes prometheus.Counter) *feed {
	return &feed{conn: conn, bytes: bytes, queue: make(chan message, queueLength), limit: int64(queueBytes), budget: semaphore.NewWeighted(int64(queueBytes)), received: applied, applied: applied}
}

// receive reads until ctx is done or the connection fails.
func (f *feed) receive(ctx context.Context) error {
	for {
		asked := time.Now()
		raw, err := f.conn.ReceiveMessage(ctx)
		f.waited.Add(int64(time.Since(asked)))
		if err != nil {
			return fmt.Errorf("receive from Postgres: %w", err)
		}
		switch m := raw.(type) {
		case *pgproto3.CopyData:
			f.bytes.Add(float64(len(m.Data)))
			if err := f.take(ctx, m.Data); err != nil {
				return err
			}
		case *pgproto3.ErrorResponse:
			return fmt.Errorf("receive from Postgres: %w", pgconn.ErrorResponseToPgError(m))
		case *pgproto3.CopyDone, *pgproto3.CommandComplete, *pgproto3.ReadyForQuery:
			return errors.New("receive from Postgres: the server ended the stream")
		}
	}
}

func (f *feed) take(ctx context.Context, data []byte) error {
	if len(data) == 0 {
		return fmt.Errorf("empty replication message: %w", errWire)
	}
	switch data[0] {
	case pglogrepl.PrimaryKeepaliveMessageByteID:
		k, err := pglogrepl.ParsePrimaryKeepaliveMessage(data[1:])
		if err != nil {
			return fmt.Errorf("keepalive: %w", err)
		}
		if k.ReplyRequested {
			if err := f.status(); err != nil {
				return err
			}
		}
		return f.put(ctx, message{end: k.ServerWALEnd, cost: 1}, k.ServerWALEnd)
	case pglogrepl.XLogDataByteID:
		x, err := pglogrepl.ParseXLogData(data[1:])
		if err != nil {
			return fmt.Errorf("data: %w", err)
		}
		return f.put(ctx, message{data: append([]byte(nil), x.WALData...), cost: min(int64(len(x.WALData))+1, f.limit)}, x.WALStart)
	}
	return nil
}

// put queues a message, and counts the stream as received up to p.
func (f *feed) put(ctx context.Context, m message, p pglogrepl.LSN) error {
	if err := f.budget.Acquire(ctx, m.cost); err != nil {
		return err
	}
	select {
	case f.queue <- m:
		f.saw(p)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// done gives the message's share of the budget back.
func (f *feed) done(m message) { f.budget.Release(m.cost) }

func (f *feed) saw(p pglogrepl.LSN) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.received = max(f.received, p)
}

// ack tells Postgres that everything up to p is in the warehouse. Call it only with a position that the checkpoint holds.
func (f *feed) ack(p pglogrepl.LSN) error {
	f.mu.Lock()
	f.applied, f.received = max(f.applied, p), max(f.received, p)
	f.mu.Unlock()
	return f.status()
}

// status sends the positions. Writing beside the receiver's reading is safe: it takes no part of the connection's read state.
func (f *feed) status() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := pglogrepl.SendStandbyStatusUpdate(context.Background(), f.conn, pglogrepl.StandbyStatusUpdate{
		WALWritePosition: f.received, WALFlushPosition: f.applied, WALApplyPosition: f.applied})
	if err != nil {
		return fmt.Errorf("send status to Postgres: %w", err)
	}
	return nil
}

// keepStatus sends the positions at least every interval.
func (f *feed) keepStatus(ctx context.Context, interval time.Duration) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if err := f.status(); err != nil {
				return err
			}
		}
	}
}
