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

// spoilDone overwrites the messages of a parcel that is done. Tests set it, so that whoever goes on reading one is noticed.
var spoilDone = false

// feed receives the stream and sends our positions back. Reading stops while the queue is full; the status goes on, so that a
// slow warehouse never costs the connection.
type feed struct {
	conn   *pgconn.PgConn
	socket *gulps
	queue  chan *parcel
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
}

// parcel is the messages that came at once, in their order. One by one, handing them on would cost more than decoding them. What is of
// a message after its parcel is done is a copy: the memory is used again.
type parcel struct {
	messages []message
	data     []byte // of the messages
	cost     int64
}

const (
	queueLength = 8192     // bounds the number of small parcels; the budget bounds the bytes of large ones
	parcelBytes = 64 << 10 // a parcel with as much is handed on
)

// spareParcels are those that were done. Without them a stream that flows would leave as much memory to the garbage collector as it
// brings bytes, and the most that the process ever holds would be a matter of luck.
var spareParcels = sync.Pool{New: func() any {
	return &parcel{data: make([]byte, 0, parcelBytes+parcelBytes/8), messages: make([]message, 0, parcelBytes/128)}
}}

func newFeed(conn *pgconn.PgConn, socket *gulps, applied pglogrepl.LSN, queueBytes int, bytes prometheus.Counter) *feed {
	return &feed{conn: conn, socket: socket, bytes: bytes, queue: make(chan *parcel, queueLength), limit: int64(queueBytes), budget: semaphore.NewWeighted(int64(queueBytes)), received: applied, applied: applied}
}

// receive reads until ctx is done or the connection fails.
func (f *feed) receive(ctx context.Context) error {
	// One watcher for the whole stream: ReceiveMessage would begin and end one for every message.
	interrupted := context.AfterFunc(ctx, func() { _ = f.conn.Conn().SetReadDeadline(time.Now()) })
	defer interrupted()
	frontend := f.conn.Frontend()
	var p *parcel
	for {
		idle := f.buffered() == 0
		if p != nil && (idle || p.cost >= parcelBytes) {
			if err := f.put(ctx, p); err != nil {
				return err
			}
			p = nil
		}
		asked := time.Time{}
		if idle {
			asked = time.Now()
		}
		raw, err := frontend.Receive()
		if idle {
			f.waited.Add(int64(time.Since(asked)))
		}
		if err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return fmt.Errorf("receive from Postgres: %w", err)
		}
		switch m := raw.(type) {
		case *pgproto3.CopyData:
			f.bytes.Add(float64(len(m.Data)))
			if p == nil {
				p = f.parcel()
			}
			if err := f.take(p, m.Data); err != nil {
				return err
			}
		case *pgproto3.ErrorResponse:
			return fmt.Errorf("receive from Postgres: %w", pgconn.ErrorResponseToPgError(m))
		case *pgproto3.CopyDone, *pgproto3.CommandComplete, *pgproto3.ReadyForQuery:
			return errors.New("receive from Postgres: the server ended the stream")
		}
	}
}

// buffered is how much has been read of the messages to come.
func (f *feed) buffered() int { return f.conn.Frontend().ReadBufferLen() + f.socket.buffered() }

// parcel is an empty one, with room for as much as has come already. Those that trickle in hold no more memory than they need, since
// very many of them may wait.
func (f *feed) parcel() *parcel {
	if f.buffered() < parcelBytes/2 {
		return &parcel{}
	}
	return spareParcels.Get().(*parcel)
}

// take puts a message into the parcel.
func (f *feed) take(p *parcel, data []byte) error {
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
		p.add(message{end: k.ServerWALEnd}, 0)
	case pglogrepl.XLogDataByteID:
		x, err := pglogrepl.ParseXLogData(data[1:])
		if err != nil {
			return fmt.Errorf("data: %w", err)
		}
		if len(x.WALData) == 0 {
			return fmt.Errorf("empty change: %w", errWire)
		}
		p.add(message{data: x.WALData, end: x.WALStart}, f.buffered())
	}
	return nil
}

// add keeps a copy of the message, behind which so many bytes wait.
func (p *parcel) add(m message, behind int) {
	if m.data != nil {
		if cap(p.data)-len(p.data) < len(m.data) { // the messages before keep what they have
			p.data = make([]byte, 0, len(m.data)+min(behind, parcelBytes))
		}
		start := len(p.data)
		p.data = append(p.data, m.data...)
		m.data = p.data[start:len(p.data):len(p.data)]
	}
	p.messages = append(p.messages, m)
	p.cost += int64(len(m.data)) + 1
}

// put queues a parcel, and counts the stream as received up to its end.
func (f *feed) put(ctx context.Context, p *parcel) error {
	if len(p.messages) == 0 {
		return nil
	}
	p.cost = min(p.cost, f.limit)
	end := p.messages[len(p.messages)-1].end // once queued, it is whoever takes it that has it
	if err := f.budget.Acquire(ctx, p.cost); err != nil {
		return err
	}
	select {
	case f.queue <- p:
		f.saw(end)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// done gives the parcel's share of the budget back, and its memory, where that is of a common size.
func (f *feed) done(p *parcel) {
	f.budget.Release(p.cost)
	if spoilDone {
		for i := range p.data {
			p.data[i] = 0xAA
		}
	}
	if c := cap(p.data); c < parcelBytes || c > 2*parcelBytes {
		return
	}
	clear(p.messages)
	*p = parcel{messages: p.messages[:0], data: p.data[:0]}
	spareParcels.Put(p)
}

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
