package etl

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Stages of a batch, from the first change that is waited for to the position that Postgres is told. Their times add up to the
// time of the batch, but for receiving, which goes on beside the others.
const (
	stageReceive    = "receive"    // waiting for Postgres
	stageDecode     = "decode"     // reading messages and encoding rows
	stageInsert     = "insert"     // until the warehouse has answered
	stageCheckpoint = "checkpoint" // writing the checkpoint
	stageAck        = "ack"        // telling Postgres
)

// Where a row came from.
const (
	fromLoad   = "load"
	fromStream = "stream"
)

// metrics are the figures that a Replicator keeps for Prometheus; docs/operations.md tells what each means.
type metrics struct {
	receivedBytes prometheus.Counter
	transactions  prometheus.Counter
	changes       map[byte]prometheus.Counter // by operation of pgoutput
	rows, bytes   *prometheus.CounterVec      // by where they came from
	stages        *prometheus.HistogramVec
	batchRows     prometheus.Histogram
	batchBytes    prometheus.Histogram
	visible       prometheus.Histogram
	loadRows      prometheus.Gauge
	loadExpected  prometheus.Gauge
	sessions      prometheus.Counter
	gaps          prometheus.Counter
}

// newMetrics registers the figures of one slot; a nil registerer keeps them to itself.
func newMetrics(r prometheus.Registerer, slot string, t *tracker) *metrics {
	r = prometheus.WrapRegistererWithPrefix("groundwork_etl_", prometheus.WrapRegistererWith(prometheus.Labels{"slot": slot}, r))
	make := promauto.With(r)
	counter := func(name, help string) prometheus.Counter {
		return make.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return make.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	}
	registerStatus(make, t)
	changes := make.NewCounterVec(prometheus.CounterOpts{Name: "changes_total", Help: "Changes decoded, by operation."}, []string{"operation"})
	byOperation := map[byte]prometheus.Counter{} // looked up once: they count every change
	for op, name := range operations {
		byOperation[op] = changes.WithLabelValues(name)
	}
	return &metrics{
		receivedBytes: counter("received_bytes_total", "Bytes of changes received from Postgres."),
		transactions:  counter("transactions_total", "Transactions applied, heartbeats included."),
		changes:       byOperation,
		rows:          make.NewCounterVec(prometheus.CounterOpts{Name: "rows_total", Help: "Rows and tombstones that the warehouse has stored, by where they came from: load or stream."}, []string{"source"}),
		bytes:         make.NewCounterVec(prometheus.CounterOpts{Name: "bytes_total", Help: "Encoded bytes of these rows."}, []string{"source"}),
		stages: make.NewHistogramVec(prometheus.HistogramOpts{Name: "stage_seconds", Buckets: prometheus.ExponentialBuckets(0.0005, 2.5, 13),
			Help: "Time of each stage in a batch: receive (waiting for Postgres), decode, insert, checkpoint, ack."}, []string{"stage"}),
		batchRows:    histogram("batch_rows", "Rows in a batch that the warehouse has stored.", prometheus.ExponentialBuckets(1, 4, 10)),
		batchBytes:   histogram("batch_bytes", "Encoded bytes in such a batch.", prometheus.ExponentialBuckets(256, 4, 10)),
		visible:      histogram("commit_to_visible_seconds", "From the commit of a batch's last transaction to its checkpoint in the warehouse.", prometheus.ExponentialBuckets(0.01, 2, 14)),
		loadRows:     make.NewGauge(prometheus.GaugeOpts{Name: "load_rows", Help: "Rows brought over by the load under way, or the last one."}),
		loadExpected: make.NewGauge(prometheus.GaugeOpts{Name: "load_expected_rows", Help: "Rows that this load has to bring over, by the estimate of Postgres."}),
		sessions:     counter("sessions_total", "Attempts to replicate; more than one an hour means that something breaks it off."),
		gaps:         counter("gaps_total", "Times that changes were lost on the way, each healed by a fresh load."),
	}
}

// registerStatus shows what the replicator says of itself anyway.
func registerStatus(make promauto.Factory, t *tracker) {
	read := func(f func(Status) float64) func() float64 {
		return func() float64 {
			s, _ := t.get()
			return f(s)
		}
	}
	gauge := func(name, help string, f func(Status) float64) {
		make.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read(f))
	}
	for _, state := range []State{StateStopped, StatePaused, StateStandby, StateLoading, StateStreaming} {
		make.NewGaugeFunc(prometheus.GaugeOpts{Name: "state", Help: "1 at what the replicator is doing, else 0.", ConstLabels: prometheus.Labels{"state": string(state)}},
			read(func(s Status) float64 { return indicator(s.State == state) }))
	}
	gauge("active", "1 in the one process that holds the replicator's lock.", func(s Status) float64 {
		return indicator(s.State == StatePaused || s.State == StateLoading || s.State == StateStreaming)
	})
	gauge("lag_bytes", "WAL between Postgres and the warehouse; NaN while there is no load or another process is active.", func(s Status) float64 { return s.known(float64(s.BehindBytes)) })
	gauge("lag_seconds", "How far back the warehouse is complete; NaN as above.", func(s Status) float64 { return s.known(s.Behind.Seconds()) })
	gauge("watermark_seconds", "Time of commit of the newest transaction in the warehouse.", func(s Status) float64 { return unixSeconds(s.CommitTime) })
	gauge("applied_lsn", "Position up to which the warehouse has everything.", func(s Status) float64 { return float64(s.Applied) })
	gauge("load_seconds_left", "How long the load or the rebuild under way will take, by the bytes that are done; NaN while there is none or nothing is known.", func(s Status) float64 {
		if s.Load == nil {
			return math.NaN()
		}
		left, ok := s.Load.Left(time.Now())
		if !ok {
			return math.NaN()
		}
		return left.Seconds()
	})
	gauge("slot_exists", "Whether Postgres has the slot.", func(s Status) float64 { return indicator(s.Slot.Exists) })
	gauge("slot_active", "Whether a process reads the slot.", func(s Status) float64 { return indicator(s.Slot.Active) })
	gauge("slot_kept_bytes", "WAL that Postgres keeps for the slot.", func(s Status) float64 { return float64(s.Slot.KeptBytes) })
	gauge("slot_limit_bytes", "Kept WAL that must not be reached.", func(s Status) float64 { return float64(s.KeptLimit) })
	for _, status := range []string{"reserved", "extended", "unreserved", "lost"} {
		make.NewGaugeFunc(prometheus.GaugeOpts{Name: "slot_wal_status", Help: "1 at what Postgres says of the slot's WAL, else 0.", ConstLabels: prometheus.Labels{"status": status}},
			read(func(s Status) float64 { return indicator(s.Slot.WALStatus == status) }))
	}
	gauge("slot_spill_bytes", "Bytes of large transactions that Postgres had to put on the disk in decoding, since its statistics were reset.", func(s Status) float64 { return float64(s.Slot.SpillBytes) })
	gauge("stopped_tables", "Tables that are left out, since too many of their rows were set aside.", func(s Status) float64 { return float64(len(s.Stopped)) })
	gauge("dead_rows", "Rows set aside in etl.dead_letter and not yet settled.", func(s Status) float64 { return float64(s.DeadRows) })
	make.NewCounterFunc(prometheus.CounterOpts{Name: "dead_rows_total", Help: "Rows set aside since the process started."}, read(func(s Status) float64 { return float64(s.DeadLetters) }))
	make.NewCounterFunc(prometheus.CounterOpts{Name: "loads_total", Help: "Full loads done since the process started."}, read(func(s Status) float64 { return float64(s.Loads) }))
}

// known hides a figure of lag that nobody has looked up.
func (s Status) known(v float64) float64 {
	if s.Applied == 0 || s.State == StateStandby || s.State == StateLoading {
		return math.NaN()
	}
	return v
}

func indicator(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMicro()) / 1e6
}

// wrote counts rows that the warehouse has acknowledged.
func (m *metrics) wrote(source string, rows, bytes int) {
	m.rows.WithLabelValues(source).Add(float64(rows))
	m.bytes.WithLabelValues(source).Add(float64(bytes))
	if source == fromLoad {
		m.loadRows.Add(float64(rows))
	}
}

// loadStarts shows how far the load has come from now on.
func (m *metrics) loadStarts(expected float64) {
	m.loadRows.Set(0)
	m.loadExpected.Set(expected)
}

// batch is what a batch took so far.
type batch struct {
	decode, insert time.Duration
	rows, bytes    int
	waited         time.Duration // of the receiver, when the batch began
}

// observe counts a batch whose rows are stored.
func (m *metrics) observe(b batch, waited, checkpoint, ack time.Duration) {
	for stage, took := range map[string]time.Duration{stageReceive: waited - b.waited, stageDecode: b.decode, stageInsert: b.insert, stageCheckpoint: checkpoint, stageAck: ack} {
		m.stages.WithLabelValues(stage).Observe(took.Seconds())
	}
	if b.rows > 0 {
		m.batchRows.Observe(float64(b.rows))
		m.batchBytes.Observe(float64(b.bytes))
	}
}
