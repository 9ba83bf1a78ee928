package etl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"go.opentelemetry.io/otel/attribute"
	"golang.org/x/sync/errgroup"
)

// insertsAtOnce is how many mirrors get their rows at the same time; never two inserts into one.
const insertsAtOnce = 3

// insertSettings make the answer mean "stored": no asynchronous insert, and no default in place of a null. States of a row that come in one
// block are left to merges and FINAL, as those in two are: taking them together on insert cost more than all else that the server does for it.
var insertSettings = clickhouse.Settings{
	"async_insert":                  0,
	"optimize_on_insert":            0,
	"insert_null_as_default":        0,
	"input_format_null_as_default":  0,
	"input_format_parallel_parsing": 0,
}

// writer gathers rows and puts them into the warehouse. It is used by one goroutine.
type writer struct {
	ch       driver.Conn
	blocks   map[string]*block // by mirror
	rows     int
	bytes    int
	keep     int // bytes of memory that each column may hold on to between flushes
	setAside setAside
}

// setAside keeps the key of a row that the warehouse refuses, durably. It may be called from several goroutines.
type setAside func(ctx context.Context, p *plan, key []field, v version, fault *columnError) error

func newWriter(ch driver.Conn, refused setAside) *writer {
	return &writer{ch: ch, blocks: map[string]*block{}, keep: keptBytes, setAside: refused}
}

// row adds a row; tombstone adds the end of one.
func (w *writer) row(p *plan, row []field, stored map[int][]byte, v version) error {
	b, err := w.block(p)
	if err != nil {
		return err
	}
	return w.added(b.row(row, stored, v))
}

func (w *writer) tombstone(p *plan, key []field, v version) error {
	b, err := w.block(p)
	if err != nil {
		return err
	}
	return w.added(b.tombstone(key, v))
}

func (w *writer) added(size int, err error) error {
	if err != nil {
		return err
	}
	w.rows++
	w.bytes += size
	return nil
}

// block is where the rows of p go.
func (w *writer) block(p *plan) (*block, error) {
	b := w.blocks[p.mirror.Table]
	switch {
	case b == nil:
		b = newBlock(p)
		w.blocks[p.mirror.Table] = b
	case b.plan != p && b.rows > 0 && b.plan.insert != p.insert:
		return nil, fatalf("table %s changed its columns with rows of the old shape unwritten", p.source.name) // the apply loop flushes first
	case b.plan != p && b.rows == 0:
		b.clear(p, w.keep)
	}
	return b, nil
}

// flush stores all buffered rows. When it returns nil the warehouse has acknowledged every one.
func (w *writer) flush(ctx context.Context) error {
	if w.rows == 0 {
		return nil
	}
	failpoint(failBeforeInsert)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(insertsAtOnce)
	for _, b := range w.blocks {
		if b.rows == 0 {
			continue
		}
		g.Go(func() error {
			ictx, span := startSpan(gctx, "etl.insert", attribute.String("table", b.plan.mirror.Table), attribute.Int("rows", b.rows))
			err := w.insert(ictx, b)
			endSpan(span, err)
			if err != nil {
				return err
			}
			failpoint(failBetweenTables)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, b := range w.blocks {
		b.clear(b.plan, w.keep)
	}
	w.rows, w.bytes = 0, 0
	return nil
}

// insertPauses are the waits before sending the same bytes again after a failure that may pass. Rows sent twice have the same
// version and collapse.
var insertPauses = []time.Duration{100 * time.Millisecond, 400 * time.Millisecond, 1600 * time.Millisecond}

// insert stores the block, in the table that is being built beside the mirror too.
func (w *writer) insert(ctx context.Context, b *block) error {
	if err := w.store(ctx, b, b.plan); err != nil {
		return fmt.Errorf("write %d rows to %s: %w", b.rows, b.plan.mirror.Table, err)
	}
	beside := b.plan.beside()
	if beside == "" {
		return nil
	}
	if err := w.store(ctx, b, b.plan.into(beside)); err != nil {
		return fmt.Errorf("write %d rows to %s: %w", b.rows, beside, err)
	}
	return nil
}

// insert stores rows that are encoded in RowBinary.
func insert(ctx context.Context, ch driver.Conn, statement string, data []byte) error {
	return send(ctx, ch, "RowBinary", statement, func() io.Reader { return bytes.NewReader(data) })
}

// send stores what data gives, as one block; it asks data anew for every attempt.
func send(ctx context.Context, ch driver.Conn, format, statement string, data func() io.Reader) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(insertSettings))
	for attempt := 0; ; attempt++ {
		err := ch.InsertFormat(ctx, format, statement, data())
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

// tombstoneBelow ends every row of the mirror, and of the table that is being built beside it, that is older than v. It serves
// TRUNCATE, and a load for the rows that the snapshot no longer has. Rows newer than v stay, so doing it again later does no harm.
func tombstoneBelow(ctx context.Context, ch driver.Conn, p *plan, v version) error {
	if beside := p.beside(); beside != "" {
		if err := tombstoneBelow(ctx, ch, p.into(beside), v); err != nil {
			return err
		}
	}
	names := make([]string, len(p.keys))
	for i, k := range p.keys {
		names[i] = quote(p.columns[k].name)
	}
	statement := fmt.Sprintf("INSERT INTO %[1]s (%[2]s, _ver, _deleted) SELECT %[2]s, %[3]s, 1 FROM %[1]s FINAL WHERE _ver < %[3]s AND _deleted = 0",
		quote(p.mirror.Table), strings.Join(names, ", "), v.sql())
	if err := ch.Exec(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"async_insert": 0})), statement); err != nil {
		return fmt.Errorf("end old rows of %s: %w", p.mirror.Table, err)
	}
	return nil
}
