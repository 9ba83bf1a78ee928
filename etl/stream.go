package etl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pglogrepl"
	"go.opentelemetry.io/otel/attribute"
	"golang.org/x/sync/errgroup"
)

// stopWithin bounds the last flush of a clean stop.
const stopWithin = 10 * time.Second

// errStop ends the goroutines of a session that is to stop cleanly.
var errStop = errors.New("stop")

// stream takes changes from the checkpoint on, until ctx is done (clean stop, nil) or something fails.
func (s *session) stream(ctx context.Context) error {
	interval, err := s.boundSilence(ctx)
	if err != nil {
		return err
	}
	if err := s.startReplication(ctx); err != nil {
		return err
	}
	f := newFeed(s.repl, s.socket, s.check.applied, s.cfg.QueueBytes, s.metrics.receivedBytes)
	a := newApplier(s, f)
	s.tracker.update(func(st *Status) {
		st.State, st.LastError, st.Applied, st.CommitTime = StateStreaming, "", s.check.applied, s.check.commitTime
	})
	s.log.InfoContext(ctx, "streaming", slog.String("from", s.check.applied.String()))

	// A stop must not cut off an insert, so it is apply that notices it; only an insert that hangs is cut off in the end.
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(stopWithin, cut) })()
	g, work := errgroup.WithContext(base)
	g.Go(func() error { return f.receive(work) })
	g.Go(func() error { return f.keepStatus(work, interval) })
	g.Go(func() error { return s.heartbeat(work, &a.commits) })
	g.Go(func() error { return a.run(work, ctx.Done()) })
	g.Go(func() error { return s.tend(work) })
	if err := g.Wait(); !errors.Is(err, errStop) {
		return err
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	if err := a.advance(last); err != nil {
		return fmt.Errorf("store the last changes before stopping: %w", err)
	}
	return nil
}

func (s *session) startReplication(ctx context.Context) error {
	err := pglogrepl.StartReplication(ctx, s.repl, s.cfg.Slot, s.check.applied, pglogrepl.StartReplicationOptions{
		Mode:       pglogrepl.LogicalReplication,
		PluginArgs: []string{"proto_version '1'", "binary 'true'", "messages 'true'", fmt.Sprintf("publication_names '%s'", s.cfg.Publication)}})
	if err != nil {
		return fmt.Errorf("start replication from slot %s at %s: %w", s.cfg.Slot, s.check.applied, err)
	}
	return nil
}

// senderTimeout is how long Postgres may go without a word from us before it frees the slot for a standby. Our status comes
// whatever the warehouse does, so only a machine or a network that is gone is silent so long.
const senderTimeout = 10 * time.Second

// boundSilence makes Postgres give a silent replicator up after senderTimeout, or sooner if it is set so, and returns how often to tell it
// our status: a third of that, if it is shorter than what was configured.
func (s *session) boundSilence(ctx context.Context) (time.Duration, error) {
	set := fmt.Sprintf(`SELECT set_config('wal_sender_timeout', least(nullif(setting::bigint, 0), %d)::text, false) FROM pg_settings WHERE name = 'wal_sender_timeout';
		SELECT setting FROM pg_settings WHERE name = 'wal_sender_timeout'`, senderTimeout.Milliseconds())
	results, err := s.repl.Exec(ctx, set).ReadAll()
	if err != nil {
		return 0, fmt.Errorf("bound wal_sender_timeout: %w", err)
	}
	patience, err := strconv.ParseInt(string(results[1].Rows[0][0]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read wal_sender_timeout: %w", err)
	}
	return min(s.cfg.StatusInterval, time.Duration(patience)*time.Millisecond/3), nil
}

// heartbeat makes an idle Postgres commit a message, so that the watermark's time goes on and the way is known to be open. It
// also notices when the lock's connection is lost.
func (s *session) heartbeat(ctx context.Context, commits *atomic.Uint64) error {
	tick := time.NewTicker(s.cfg.HeartbeatInterval)
	defer tick.Stop()
	for last := commits.Load(); ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		statement := "SELECT"
		if commits.Load() == last {
			statement = "SELECT pg_logical_emit_message(true, 'etl_hb', '')"
		}
		last = commits.Load()
		if _, err := s.lease.Exec(ctx, statement); err != nil {
			return fmt.Errorf("heartbeat: %w", err)
		}
	}
}

// applier decodes the stream into the writer and moves the checkpoint. All its state belongs to one goroutine.
type applier struct {
	session    *session
	feed       *feed
	writer     *writer
	plans      map[uint32]*plan       // by Postgres' number of the relation, as the stream announced it
	unmirrored map[uint32]error       // likewise, of relations without a mirror: what a change of one means
	change     change                 // reused
	long       map[string]*longValues // by mirror, of those where an update lately left long values alone
	waiting    int                    // rows that wait for such values
	pace       pace

	inTx       bool
	version    version   // of the next change in the transaction
	commitTime time.Time // of the transaction
	piece      piece     // of the transaction, since it was last cut

	ready     pglogrepl.LSN // everything up to here is in the warehouse or in the writer
	readyTime time.Time     // commit time of the last transaction up to ready
	fresh     bool          // a transaction ended since the last checkpoint
	batch     batch         // since the last checkpoint
	advanced  time.Time     // when the checkpoint last moved

	commits atomic.Uint64 // transactions seen, for the heartbeat
}

func newApplier(s *session, f *feed) *applier {
	return &applier{session: s, feed: f, writer: newWriter(s.cfg.ClickHouse, s.dead.park), plans: map[uint32]*plan{}, unmirrored: map[uint32]error{}, long: map[string]*longValues{},
		pace: pace{shortest: s.cfg.FlushInterval, parts: &s.parts}, ready: s.check.applied, readyTime: s.check.commitTime}
}

// run applies messages until stop, which it reports as errStop.
func (a *applier) run(ctx context.Context, stop <-chan struct{}) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-stop:
			return a.drain(ctx)
		case p := <-a.feed.queue:
			if err := a.take(ctx, p); err != nil {
				return err
			}
		case job := <-a.session.swaps:
			if err := a.swap(ctx, job); err != nil {
				return err
			}
		case <-timer.C:
		}
		wait, due := a.due(len(a.feed.queue) > 0)
		if due {
			if err := a.advance(ctx); err != nil {
				return err
			}
		} else if wait > 0 {
			timer.Reset(wait)
		}
	}
}

// drain applies what has been received by now, and reports errStop.
func (a *applier) drain(ctx context.Context) error {
	for range len(a.feed.queue) {
		if err := a.take(ctx, <-a.feed.queue); err != nil {
			return err
		}
	}
	return errStop
}

// take applies a parcel, moves the checkpoint where it is due, and adds up the time that decoding takes.
func (a *applier) take(ctx context.Context, p *parcel) error {
	defer a.feed.done(p)
	started, inserting := time.Now(), a.batch.insert
	for i, m := range p.messages {
		if err := a.message(ctx, m); err != nil {
			return err
		}
		if a.inTx {
			continue
		}
		if _, due := a.due(i < len(p.messages)-1 || len(a.feed.queue) > 0); !due {
			continue
		}
		a.batch.decode += time.Since(started) - (a.batch.insert - inserting)
		if err := a.advance(ctx); err != nil {
			return err
		}
		started, inserting = time.Now(), a.batch.insert
	}
	a.batch.decode += time.Since(started) - (a.batch.insert - inserting)
	return nil
}

// due says whether the checkpoint is to move now, and if not, in what time (0 = when more comes). It moves at once after a quiet time and
// at most every interval in a busy one; never inside a transaction, whose rows only its size flushes. more is whether changes wait
// already: they go with the same flush, unless it is late.
func (a *applier) due(more bool) (wait time.Duration, now bool) {
	if a.inTx || !a.dirty() {
		return 0, false
	}
	if a.full() {
		return 0, true
	}
	interval, since := a.pace.interval(int64(a.session.stood.Load())-int64(a.ready)), time.Since(a.advanced)
	if since < interval {
		return interval - since, false
	}
	return 0, !more || since >= interval+interval/4
}

func (a *applier) dirty() bool { return a.ready > a.session.check.applied || a.writer.rows > 0 }

func (a *applier) full() bool {
	return a.waiting >= waitingAtOnce || a.writer.rows >= a.session.cfg.FlushRows || a.writer.bytes >= a.session.cfg.FlushBytes
}

// flush stores what is buffered without moving the checkpoint.
func (a *applier) flush(ctx context.Context) (err error) {
	if a.writer.rows == 0 && a.waiting == 0 {
		return nil
	}
	ctx, span := startSpan(ctx, "etl.flush", attribute.Int("waiting_rows", a.waiting))
	defer func() { endSpan(span, err) }()
	started := time.Now()
	for _, l := range a.long {
		if err := a.resolve(ctx, l); err != nil {
			return err
		}
	}
	rows, bytes := a.writer.rows, a.writer.bytes
	span.SetAttributes(attribute.Int("rows", rows), attribute.Int("bytes", bytes))
	if err := a.writer.flush(ctx); err != nil {
		return err
	}
	a.waiting = 0
	for mirror, l := range a.long {
		if l.reset() {
			delete(a.long, mirror)
		}
	}
	took := time.Since(started)
	a.batch.insert += took
	a.batch.rows += rows
	a.batch.bytes += bytes
	a.session.metrics.wrote(fromStream, rows, bytes)
	return nil
}

// advance stores what is buffered, then the checkpoint, then acknowledges: in this order, whatever happens between.
func (a *applier) advance(ctx context.Context) (err error) {
	ctx, span := a.session.batchSpan(ctx, "etl.batch")
	defer func() { endSpan(span, err) }()
	s, started := a.session, time.Now()
	if err := a.flush(ctx); err != nil {
		return err
	}
	began := time.Now()
	var checkpointed time.Duration
	if a.ready > s.check.applied {
		if err := a.checkpoint(ctx); err != nil {
			return err
		}
		checkpointed = time.Since(began)
		a.pace.took(time.Since(started))
		failpoint(failBeforeAck)
		_, acking := startSpan(ctx, "etl.ack", attribute.String("position", s.check.applied.String()))
		err := a.feed.ack(s.check.applied)
		endSpan(acking, err)
		if err != nil {
			return err
		}
	}
	a.advanced = time.Now()
	waited := time.Duration(a.feed.waited.Load())
	s.metrics.observe(a.batch, waited, checkpointed, a.advanced.Sub(began)-checkpointed)
	fresh, rows := a.fresh, int64(a.batch.rows)
	a.fresh, a.batch = false, batch{waited: waited}
	s.tracker.update(func(st *Status) {
		st.Applied, st.CommitTime = s.check.applied, s.check.commitTime
		st.Rows += rows
		if fresh {
			st.Lag = s.cfg.Now().Sub(s.check.commitTime)
			s.metrics.visible.Observe(st.Lag.Seconds())
		}
	})
	return nil
}

// checkpoint writes down that everything up to a.ready is stored.
func (a *applier) checkpoint(ctx context.Context) (err error) {
	s := a.session
	ctx, span := startSpan(ctx, "etl.checkpoint", attribute.String("position", a.ready.String()))
	defer func() { endSpan(span, err) }()
	failpoint(failBeforeCheckpoint)
	next := s.check
	next.applied, next.commitTime = a.ready, a.readyTime
	written, err := next.write(ctx, s.cfg.ClickHouse, s.cfg.Pipeline, s.cfg.Now())
	if err == nil {
		s.check = written
	}
	return err
}

// message takes one message of the stream.
func (a *applier) message(ctx context.Context, m message) error {
	if m.data == nil {
		// Everything before end was sent, and none of it is left out: what lies between ready and end is not ours.
		if !a.inTx {
			a.ready = max(a.ready, m.end)
		}
		return nil
	}
	switch m.data[0] {
	case 'I', 'U', 'D':
		return a.applyChange(ctx, m.data)
	}
	parsed, err := pglogrepl.Parse(m.data)
	if err != nil {
		return fmt.Errorf("decode the stream: %w", err)
	}
	switch msg := parsed.(type) {
	case *pglogrepl.BeginMessage:
		a.inTx, a.version, a.commitTime = true, version{msg.FinalLSN, ordinalsPerChange}, msg.CommitTime
		a.piece = piece{}
	case *pglogrepl.CommitMessage:
		a.inTx, a.ready, a.fresh = false, max(a.ready, msg.TransactionEndLSN), true
		if msg.CommitTime.After(a.readyTime) {
			a.readyTime = msg.CommitTime
		}
		a.commits.Add(1)
		a.session.metrics.transactions.Inc()
	case *pglogrepl.RelationMessage:
		return a.relation(ctx, msg)
	case *pglogrepl.TruncateMessage:
		return a.truncate(ctx, msg)
	case *pglogrepl.LogicalDecodingMessage:
		if msg.Prefix == ddlPrefix {
			return a.schemaChanged(ctx, msg.Content)
		}
	}
	return nil // types, origins and other messages (heartbeats) carry nothing to store
}
