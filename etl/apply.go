package etl

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pglogrepl"
)

// relation learns the shape of a table, at its first change in a session and after each ALTER TABLE.
func (a *applier) relation(ctx context.Context, msg *pglogrepl.RelationMessage) error {
	t := sourceTable{schema: msg.Namespace, name: msg.RelationName}
	sent := identity{table: t.name, kind: string(rune(msg.ReplicaIdentity))}
	for _, c := range msg.Columns {
		t.columns = append(t.columns, sourceColumn{name: c.Name, typeOID: c.DataType})
		if c.Flags&1 != 0 {
			sent.columns = append(sent.columns, c.Name)
		}
	}
	catalog := a.session.catalog
	if _, err := catalog.mirrorOf(t); err != nil {
		// Postgres describes a partition too, though its changes come as those of the table: it matters once a change names it.
		a.unmirrored[msg.RelationID] = err
		return nil
	}
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
		delete(a.long, p.mirror.Table) // it is of the old shape, and empty since the flush
	}
	if err := sent.check(p); err != nil {
		return &gapError{err.Error()} // which rows its changes meant cannot be known any more, even if the identity is back by now
	}
	a.plans[msg.RelationID] = p
	return nil
}

func (a *applier) planOf(relation uint32) (*plan, error) {
	if p := a.plans[relation]; p != nil {
		return p, nil
	}
	if err := a.unmirrored[relation]; err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("decode the stream: change of relation %d before its description", relation)
}

// operations names the changes of pgoutput for people.
var operations = map[byte]string{'I': "insert", 'U': "update", 'D': "delete"}

// applyChange buffers an insert, update or delete, and stores what is buffered when a piece of the transaction is full: what is sent is
// committed already, and the checkpoint waits for its end.
func (a *applier) applyChange(ctx context.Context, data []byte) error {
	c := &a.change
	if err := parseChange(data, c); err != nil {
		return fmt.Errorf("decode the stream: %w", err)
	}
	p, err := a.planOf(c.relation)
	if err != nil {
		return err
	}
	a.session.metrics.changes[c.op].Inc()
	v := a.version
	a.version.ordinal += ordinalsPerChange
	if known, err := a.superseded(ctx, p, c, v.commit); err != nil || known || p.state.stopped.Load() {
		return err
	}
	if err := a.buffer(ctx, p, c, v); err != nil {
		return err
	}
	a.piece.changes++
	a.piece.bytes += len(data)
	if a.pieceFull() {
		return a.cut(ctx)
	}
	return nil
}

// piece is what has come of the transaction since it began or was last cut. It counts only what Postgres sent, so that a transaction
// that comes again is cut in the same places.
type piece struct{ changes, bytes, waiting int }

func (a *applier) pieceFull() bool {
	return a.piece.changes >= a.session.cfg.FlushRows || a.piece.bytes >= a.session.cfg.FlushBytes || a.piece.waiting >= waitingAtOnce
}

// cut stores what is buffered in the middle of a transaction.
func (a *applier) cut(ctx context.Context) error {
	a.piece = piece{}
	ctx, span := a.session.batchSpan(ctx, "etl.piece")
	err := a.flush(ctx)
	endSpan(span, err)
	if err != nil {
		return err
	}
	failpoint(failMidTransaction)
	return nil
}

func (a *applier) buffer(ctx context.Context, p *plan, c *change, v version) error {
	long := a.long[p.mirror.Table]
	if c.op == 'D' {
		if err := long.ended(c.old); err != nil {
			return err
		}
		return a.writer.tombstone(p, c.old, v)
	}
	previous, moved := c.new, false // the row's key before the change
	if c.old != nil {
		for i := range c.new {
			if c.new[i].kind == fieldToast && (c.oldKind == 'O' || p.columns[i].key) {
				c.new[i] = c.old[i]
			}
		}
		var err error
		if moved, err = a.keyChanged(p, c); err != nil {
			return err
		}
		if moved {
			previous = c.old
		}
	}
	from, err := a.complete(ctx, p, c.new, previous)
	if err != nil {
		return err
	}
	long = a.long[p.mirror.Table]
	if moved {
		if err := errors.Join(long.ended(previous), a.writer.tombstone(p, previous, v)); err != nil {
			return err
		}
	}
	if err := long.saw(c.new, from); err != nil {
		return err
	}
	if from != nil {
		a.piece.waiting++
		a.waiting++
		from.waiting = append(from.waiting, waitingRow{ownRow(c.new), v.next()})
		return nil
	}
	return a.putOrPark(ctx, p, c.new, nil, v.next())
}

// complete fills in the long values that an update left alone, as far as this batch has them, and returns where the rest comes from.
func (a *applier) complete(ctx context.Context, p *plan, row, previous []field) (*lookup, error) {
	if !lacksValues(row) {
		return nil, nil
	}
	if a.long[p.mirror.Table] == nil {
		// Nobody has kept the rows of this batch: it goes to the mirror, which then has them all.
		if err := a.flush(ctx); err != nil {
			return nil, err
		}
		a.long[p.mirror.Table] = newLongValues(p)
	}
	return a.long[p.mirror.Table].complete(row, previous)
}

// resolve reads the long values that rows wait for and buffers these rows.
func (a *applier) resolve(ctx context.Context, l *longValues) error {
	if len(l.lookups) == 0 {
		return nil
	}
	stored, err := l.read(ctx, a)
	if err != nil {
		return err
	}
	for key, look := range l.lookups {
		for _, w := range look.waiting {
			own, err := l.plan.keyOf(w.row)
			if err != nil {
				return err
			}
			found, ok := stored[own]
			if !ok || found.version.less(w.version) { // the first time that this change comes
				found, ok = stored[key]
				ok = ok && !found.gone
			}
			if !ok {
				err = a.parkIncomplete(ctx, l.plan, look.row, w)
			} else {
				err = a.putOrPark(ctx, l.plan, w.row, found.values, w.version)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// parkIncomplete sets a row aside whose long value the mirror lacks because the row was set aside before. Any other lack is a gap.
func (a *applier) parkIncomplete(ctx context.Context, p *plan, before []field, w waitingRow) error {
	column := p.columns[slices.IndexFunc(w.row, func(f field) bool { return f.kind == fieldToast })].name
	known, err := a.session.dead.holds(ctx, p, before)
	if err != nil {
		return err
	}
	if !known {
		return &gapError{fmt.Sprintf("an update of %s leaves a long value of %s alone, but %s does not have it", p.source.name, column, p.mirror.Table)}
	}
	fault := &columnError{column, &valueError{"the update left this long value alone, and the warehouse does not have it since the row was set aside"}}
	if err := a.session.dead.park(ctx, p, w.row, w.version, fault); err != nil {
		return err
	}
	return a.writer.tombstone(p, w.row, w.version)
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
		if p.state.stopped.Load() {
			continue
		}
		if err := tombstoneBelow(ctx, a.session.cfg.ClickHouse, p, v); err != nil {
			return err
		}
		a.session.log.InfoContext(ctx, "table truncated", "table", p.source.name)
	}
	return nil
}
