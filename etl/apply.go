package etl

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pglogrepl"
)

// relation learns the shape of a table, at its first change in a session and after each ALTER TABLE.
func (a *applier) relation(ctx context.Context, msg *pglogrepl.RelationMessage) error {
	t := sourceTable{schema: msg.Namespace, name: msg.RelationName}
	var identity []string
	for _, c := range msg.Columns {
		t.columns = append(t.columns, sourceColumn{name: c.Name, typeOID: c.DataType})
		if c.Flags&1 != 0 {
			identity = append(identity, c.Name)
		}
	}
	catalog := a.session.catalog
	p := catalog.planned(t.name)
	if p == nil || !p.sameColumns(t) {
		// The table was altered. Rows of the old shape go first, then both sides are compared again.
		if err := a.flush(ctx); err != nil {
			return err
		}
		types, err := typeNames(ctx, a.session.control)
		if err != nil {
			return err
		}
		catalog.types = types
		if p, err = catalog.plan(ctx, t); err != nil {
			return err
		}
		catalog.replan(p)
	}
	for _, k := range p.mirror.Key {
		if !slices.Contains(identity, k) {
			return fatalf("table %s: column %s is the key of %s, but not part of the replica identity: give the table its primary key back, or REPLICA IDENTITY FULL", t.name, k, p.mirror.Table)
		}
	}
	a.plans[msg.RelationID] = p
	return nil
}

func (a *applier) planOf(relation uint32) (*plan, error) {
	if p := a.plans[relation]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("decode the stream: change of relation %d before its description", relation)
}

// operations names the changes of pgoutput for people.
var operations = map[byte]string{'I': "insert", 'U': "update", 'D': "delete"}

// applyChange buffers an insert, update or delete, and flushes if the buffer is full, be it in the middle of a transaction: what
// is sent is committed already, and the checkpoint waits for its end.
func (a *applier) applyChange(ctx context.Context, data []byte) error {
	c := &a.change
	if err := parseChange(data, c); err != nil {
		return fmt.Errorf("decode the stream: %w", err)
	}
	p, err := a.planOf(c.relation)
	if err != nil {
		return err
	}
	a.session.metrics.changes.WithLabelValues(operations[c.op]).Inc()
	v := a.version
	a.version.ordinal += ordinalsPerChange
	if known, err := a.superseded(ctx, p, c, v.commit); err != nil || known {
		return err
	}
	if err := a.buffer(ctx, p, c, v); err != nil {
		return err
	}
	if a.full() {
		return a.flush(ctx)
	}
	return nil
}

func (a *applier) buffer(ctx context.Context, p *plan, c *change, v version) error {
	if c.op == 'D' {
		return a.writer.tombstone(p, c.old, v)
	}
	previous := c.new // the row's key before the change
	if c.old != nil {
		for i := range c.new {
			if c.new[i].kind == fieldToast && (c.oldKind == 'O' || p.columns[i].key) {
				c.new[i] = c.old[i]
			}
		}
		moved, err := a.keyChanged(p, c)
		if err != nil {
			return err
		}
		if moved {
			previous = c.old
			if err := a.writer.tombstone(p, c.old, v); err != nil {
				return err
			}
		}
	}
	stored, err := a.stored(ctx, p, c.new, previous, v)
	if err != nil {
		return err
	}
	return a.putOrPark(ctx, p, c.new, stored, v.next())
}

func (a *applier) keyChanged(p *plan, c *change) (bool, error) {
	before, err := p.keyOf(c.old)
	if err != nil {
		return false, err
	}
	after, err := p.keyOf(c.new)
	return before != after, err
}

// putOrPark buffers a row; one with a value that the warehouse cannot hold is parked, and its key reads as gone: a mirror rather
// lacks a row than shows an old state of it.
func (a *applier) putOrPark(ctx context.Context, p *plan, row []field, stored map[int][]byte, v version) error {
	err := a.writer.row(p, row, stored, v)
	fault, ok := parkable(err)
	if !ok {
		return err
	}
	if err := a.session.dead.park(ctx, p, row, v, fault); err != nil {
		return err
	}
	return a.writer.tombstone(p, row, v)
}

// truncate ends all rows of the named tables that are older than the statement.
func (a *applier) truncate(ctx context.Context, msg *pglogrepl.TruncateMessage) error {
	v := a.version
	a.version.ordinal += ordinalsPerChange
	if err := a.flush(ctx); err != nil {
		return err
	}
	for _, id := range msg.RelationIDs {
		p, err := a.planOf(id)
		if err != nil {
			return err
		}
		if err := tombstoneBelow(ctx, a.session.cfg.ClickHouse, p, v); err != nil {
			return err
		}
		a.session.log.InfoContext(ctx, "table truncated", "table", p.source.name)
	}
	return nil
}

// stored fetches the long values that an update left alone and Postgres did not send. All earlier changes are written first, so
// the mirror has them. When changes are sent a second time it may have a later value, which a later version then corrects.
func (a *applier) stored(ctx context.Context, p *plan, row, previous []field, v version) (map[int][]byte, error) {
	var values map[int][]byte
	for i, f := range row {
		if f.kind != fieldToast {
			continue
		}
		if values == nil {
			values = map[int][]byte{}
			if err := a.flush(ctx); err != nil {
				return nil, err
			}
		}
		value, err := a.storedValue(ctx, p, previous, i, v)
		if err != nil {
			return nil, err
		}
		values[i] = value
	}
	return values, nil
}

func (a *applier) storedValue(ctx context.Context, p *plan, key []field, column int, v version) ([]byte, error) {
	var where []string
	var args []any
	for n, i := range p.keys {
		value, err := p.keyValue(key, i)
		if err != nil {
			return nil, err
		}
		where = append(where, fmt.Sprintf("%s = {k%d:%s}", quote(p.columns[i].name), n, p.columns[i].typ))
		args = append(args, named(fmt.Sprintf("k%d", n), value))
	}
	// Without FINAL and with tombstones: the newest version, whatever it is. The change's own tombstone (key change) is above.
	query := fmt.Sprintf("SELECT %s, _ver, _deleted FROM %s WHERE %s AND _ver != %s ORDER BY _ver DESC LIMIT 1",
		quote(p.columns[column].name), quote(p.mirror.Table), strings.Join(where, " AND "), v.sql())
	stream, err := a.session.cfg.ClickHouse.QueryFormat(ctx, "RowBinary", query, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s.%s: %w", p.mirror.Table, p.columns[column].name, err)
	}
	defer stream.Close()
	row, err := io.ReadAll(stream)
	if err != nil {
		return nil, fmt.Errorf("read %s.%s: %w", p.mirror.Table, p.columns[column].name, err)
	}
	const tail = 17 // _ver and _deleted
	if len(row) < tail || row[len(row)-1] == 1 && readVersion(row[len(row)-tail:]).less(v) {
		return nil, &gapError{fmt.Sprintf("an update of %s leaves a long value of %s alone, but %s does not have it", p.source.name, p.columns[column].name, p.mirror.Table)}
	}
	return bytes.Clone(row[:len(row)-tail]), nil
}
