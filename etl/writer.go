package etl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"
)

// insertsAtOnce is how many mirrors get their rows at the same time; never two inserts into one.
const insertsAtOnce = 3

// insertSettings make the answer mean "stored": no asynchronous insert, and no default in place of a null.
var insertSettings = clickhouse.Settings{
	"async_insert":                  0,
	"insert_null_as_default":        0,
	"input_format_null_as_default":  0,
	"input_format_parallel_parsing": 0,
}

// buffer collects the encoded rows of one mirror.
type buffer struct {
	plan *plan
	data []byte
	rows int
}

// writer gathers rows and puts them into the warehouse. It is used by one goroutine.
type writer struct {
	ch      driver.Conn
	buffers map[string]*buffer // by mirror
	rows    int
	bytes   int
}

func newWriter(ch driver.Conn) *writer { return &writer{ch: ch, buffers: map[string]*buffer{}} }

// row adds a row; tombstone adds the end of one.
func (w *writer) row(p *plan, row []field, stored map[int][]byte, v version) error {
	return w.add(p, func(dst []byte) ([]byte, error) { return p.appendRow(dst, row, stored, v) })
}

func (w *writer) tombstone(p *plan, key []field, v version) error {
	return w.add(p, func(dst []byte) ([]byte, error) { return p.appendTombstone(dst, key, v) })
}

func (w *writer) add(p *plan, encode func([]byte) ([]byte, error)) error {
	b := w.buffers[p.mirror.Table]
	if b == nil {
		b = &buffer{}
		w.buffers[p.mirror.Table] = b
	}
	if b.rows > 0 && b.plan.insert != p.insert {
		return fatalf("table %s changed its columns with rows of the old shape unwritten", p.source.name) // the apply loop flushes first
	}
	data, err := encode(b.data)
	if err != nil {
		return err
	}
	w.rows++
	w.bytes += len(data) - len(b.data)
	b.plan, b.data = p, data
	b.rows++
	return nil
}

// flush stores all buffered rows. When it returns nil the warehouse has acknowledged every one.
func (w *writer) flush(ctx context.Context) error {
	if w.rows == 0 {
		return nil
	}
	failpoint(failBeforeInsert)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(insertsAtOnce)
	for _, b := range w.buffers {
		if b.rows == 0 {
			continue
		}
		g.Go(func() error {
			if err := insert(gctx, w.ch, b.plan.insert, b.data); err != nil {
				return fmt.Errorf("write %d rows to %s: %w", b.rows, b.plan.mirror.Table, err)
			}
			failpoint(failBetweenTables)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, b := range w.buffers {
		if cap(b.data) > 8<<20 { // one large flush should not keep its memory for ever
			b.data = nil
		}
		b.data, b.rows = b.data[:0], 0
	}
	w.rows, w.bytes = 0, 0
	return nil
}

// insertPauses are the waits before sending the same bytes again after a failure that may pass. Rows sent twice have the same
// version and collapse.
var insertPauses = []time.Duration{100 * time.Millisecond, 400 * time.Millisecond, 1600 * time.Millisecond}

// insert sends encoded rows as one block.
func insert(ctx context.Context, ch driver.Conn, statement string, data []byte) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(insertSettings))
	for attempt := 0; ; attempt++ {
		err := ch.InsertFormat(ctx, "RowBinary", statement, bytes.NewReader(data))
		if err == nil || attempt == len(insertPauses) || ctx.Err() != nil || !mayPass(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(insertPauses[attempt]):
		}
	}
}

// mayPass reports whether a failed insert is worth the same attempt again: anything but a refusal by the server, and of those
// the ones about load.
func mayPass(err error) bool {
	ex, ok := errors.AsType[*clickhouse.Exception](err)
	return !ok || slices.Contains([]int32{159, 202, 209, 210, 241, 242, 252}, ex.Code)
}

// tombstoneBelow ends every row of the mirror that is older than v. It serves TRUNCATE, and a fresh load for the rows that the
// snapshot no longer has. Rows newer than v stay, so doing it again later does no harm.
func tombstoneBelow(ctx context.Context, ch driver.Conn, p *plan, v version) error {
	var names, values []string
	for i, c := range p.columns {
		if c.key {
			names, values = append(names, quote(p.columns[i].name)), append(values, quote(p.columns[i].name))
		}
	}
	table := quote(p.mirror.Table)
	statement := fmt.Sprintf("INSERT INTO %[1]s (%[2]s, _ver, _deleted) SELECT %[3]s, %[4]s, 1 FROM %[1]s FINAL WHERE _ver < %[4]s AND _deleted = 0",
		table, strings.Join(names, ", "), strings.Join(values, ", "), v.sql())
	if err := ch.Exec(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"async_insert": 0})), statement); err != nil {
		return fmt.Errorf("end old rows of %s: %w", p.mirror.Table, err)
	}
	return nil
}
