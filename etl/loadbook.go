package etl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/jackc/pglogrepl"
)

// What the warehouse remembers of how a mirror was filled.
const (
	loadOpen       = "loading"
	loadRebuilding = "rebuilding"
	loadDone       = "done"
	loadStopped    = "stopped" // too much of the table was set aside
)

// loadRecord is a row of etl_load.
type loadRecord struct {
	source    string // empty = the load of all tables
	load      uint64 // epoch in which it began
	state     string
	snapshot  pglogrepl.LSN // 0 = none yet
	rows      int64
	bytes     int64 // of the table in Postgres
	bytesDone int64 // of these, in finished ranges
	ranges    int
	done      int       // finished ranges
	startedAt time.Time // by the clock of Postgres for the load of all tables, before its snapshot
}

// loadBook keeps the records of a pipeline in the warehouse.
type loadBook struct {
	ch       driver.Conn
	pipeline string
	epoch    uint64
	now      func() time.Time

	mu  sync.Mutex
	seq uint64
}

// loadInsert names the columns in the order in which write encodes them.
const loadInsert = "INSERT INTO etl_load (pipeline, source, seq, load, state, snapshot_lsn, rows, bytes, bytes_done, ranges, ranges_done, started_at, written_at)"

// write makes r the current record of its table, durably. Of two sessions the later one's records stand.
func (b *loadBook) write(ctx context.Context, r loadRecord) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq++
	var row rowBinary
	row.string(b.pipeline)
	row.string(r.source)
	row.uint64(b.epoch<<32 | b.seq)
	row.uint64(r.load)
	row.string(r.state)
	row.uint64(uint64(r.snapshot))
	row.uint64(uint64(r.rows))
	row.uint64(uint64(r.bytes))
	row.uint64(uint64(r.bytesDone))
	row.uint32(uint32(r.ranges))
	row.uint32(uint32(r.done))
	row.micros(r.startedAt)
	row.micros(b.now())
	if err := insert(ctx, b.ch, loadInsert, row); err != nil {
		return fmt.Errorf("record the load of %q: %w", r.source, err)
	}
	return nil
}

// readLoads reads the current records of a pipeline by table.
func readLoads(ctx context.Context, ch driver.Conn, pipeline string) (map[string]loadRecord, error) {
	rows, err := ch.Query(ctx, `SELECT source, load, state, snapshot_lsn, toInt64(rows), toInt64(bytes), toInt64(bytes_done), toInt64(ranges), toInt64(ranges_done), started_at
		FROM etl_load FINAL WHERE pipeline = {pipeline:String}`, named("pipeline", pipeline))
	if ex, ok := errors.AsType[*clickhouse.Exception](err); ok && ex.Code == 60 {
		return nil, fatalf("the warehouse has no table etl_load: run `groundwork migrate`")
	}
	if err != nil {
		return nil, fmt.Errorf("read the loads of pipeline %s: %w", pipeline, err)
	}
	defer rows.Close()
	records := map[string]loadRecord{}
	for rows.Next() {
		var r loadRecord
		var snapshot uint64
		var ranges, done int64
		if err := rows.Scan(&r.source, &r.load, &r.state, &snapshot, &r.rows, &r.bytes, &r.bytesDone, &ranges, &done, &r.startedAt); err != nil {
			return nil, fmt.Errorf("read the loads of pipeline %s: %w", pipeline, err)
		}
		r.snapshot, r.ranges, r.done = pglogrepl.LSN(snapshot), int(ranges), int(done)
		records[r.source] = r
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the loads of pipeline %s: %w", pipeline, err)
	}
	return records, nil
}

// resumable reports whether a load that was cut off can go on: its slot still has every change since, so that tables which are
// done stay true and the others may come from a later snapshot.
func (r loadRecord) resumable(c checkpoint, s slotState, sys system, slot string) bool {
	return r.state == loadOpen && r.snapshot > 0 &&
		s.exists && s.walStatus != "lost" && s.confirmed <= r.snapshot &&
		c.systemID == sys.id && c.timeline == sys.timeline && c.slot == slot && sys.position >= r.snapshot
}

// LoadReport is how far the filling of one mirror has come.
type LoadReport struct {
	Table       string  `json:"table"`
	State       string  `json:"state"` // loading, rebuilding
	Rows        int64   `json:"rows"`
	Bytes       int64   `json:"bytes"` // of the table in Postgres
	BytesDone   int64   `json:"bytes_done"`
	Ranges      int     `json:"ranges"`
	RangesDone  int     `json:"ranges_done"`
	RowRate     float64 `json:"rows_per_second"` // since it began
	SecondsLeft float64 `json:"seconds_left"`    // 0 = not known yet
}

// loads reports the mirrors that are being filled, and the tables that are stopped.
func (o *Operator) loads(ctx context.Context) (reports []LoadReport, stopped []string, err error) {
	records, err := readLoads(ctx, o.cfg.ClickHouse, o.cfg.Pipeline)
	if err != nil {
		return nil, nil, err
	}
	reports, stopped = []LoadReport{}, []string{}
	for _, r := range records {
		if r.state == loadStopped {
			stopped = append(stopped, r.source)
		}
		if r.source == "" || r.state == loadDone || r.state == loadStopped {
			continue
		}
		now := o.cfg.Now()
		p := LoadProgress{Rows: r.rows, Bytes: r.bytes, BytesDone: r.bytesDone, Started: r.startedAt}
		l := LoadReport{Table: r.source, State: r.state, Rows: r.rows, Bytes: r.bytes, BytesDone: r.bytesDone, Ranges: r.ranges, RangesDone: r.done, RowRate: p.Rate(now)}
		if left, ok := p.Left(now); ok {
			l.SecondsLeft = left.Seconds()
		}
		reports = append(reports, l)
	}
	slices.SortFunc(reports, func(a, b LoadReport) int { return strings.Compare(a.Table, b.Table) })
	slices.Sort(stopped)
	return reports, stopped, nil
}
