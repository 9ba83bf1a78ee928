package etl

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
)

// deadLetters parks rows that cannot stand in the warehouse, in Postgres, before their position is acknowledged.
type deadLetters struct {
	mu       sync.Mutex
	pg       *pgx.Conn
	pipeline string
	parked   func() // counts
	budget   int    // rows of one table, beyond which something is wrong with more than rows
	count    map[string]int
}

// budgetError says that so many rows of a table were set aside that a person should look before more are.
type budgetError struct {
	table string
	rows  int
}

// overBudget returns the budgetError in err, nil = none.
func overBudget(err error) *budgetError {
	over, _ := errors.AsType[*budgetError](err)
	return over
}

func (e *budgetError) Error() string {
	return fmt.Sprintf("%d rows of table %s were set aside since this session began: see etl.dead_letter for the reason, take it away, then `groundwork etl rebuild --table %[2]s --yes`", e.rows, e.table)
}

// park records why the row at v was left out; a fault without a column is about the row as a whole. Parking it again is harmless.
func (d *deadLetters) park(ctx context.Context, p *plan, row []field, v version, fault *columnError) error {
	key, err := p.jsonKey(row)
	if err != nil {
		return err
	}
	var raw []byte
	for i, c := range p.columns {
		if c.name == fault.column {
			raw = row[i].data
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	tag, err := d.pg.Exec(ctx, `INSERT INTO etl.dead_letter (pipeline, commit_lsn, ordinal, source, key, column_name, value, reason)
		VALUES ($1, $2::text::pg_lsn, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		d.pipeline, v.commit.String(), int64(v.ordinal), p.source.name, key, fault.column, raw, fault.err.Error())
	if err != nil {
		return fmt.Errorf("park a row of %s in etl.dead_letter: %w", p.source.name, err)
	}
	d.parked()
	// A load takes what there is, except where the warehouse refuses rows, each of which costs many inserts to find. Letters that were there
	// before do not count.
	if v.ordinal == 0 && fault.column != "" || tag.RowsAffected() == 0 {
		return nil
	}
	if d.count[p.source.name]++; d.count[p.source.name] > d.budget {
		return &budgetError{p.source.name, d.count[p.source.name]}
	}
	return nil
}

// holds reports whether the row with the key in row is set aside now.
func (d *deadLetters) holds(ctx context.Context, p *plan, row []field) (yes bool, err error) {
	key, err := p.jsonKey(row)
	if err != nil {
		return false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.pg.QueryRow(ctx, "SELECT EXISTS (SELECT FROM etl.dead_letter WHERE pipeline = $1 AND source = $2 AND key = $3 AND settled_at IS NULL)",
		d.pipeline, p.source.name, key).Scan(&yes); err != nil {
		return false, fmt.Errorf("look for a row of %s in etl.dead_letter: %w", p.source.name, err)
	}
	return yes, nil
}

// parkable returns the fault if err is about one value rather than about the stream.
func parkable(err error) (*columnError, bool) {
	c, ok := errors.AsType[*columnError](err)
	if !ok {
		return nil, false
	}
	_, ok = errors.AsType[*valueError](c.err)
	return c, ok
}

// jsonKey is the key of a row for people to read: {"id": "..."}.
func (p *plan) jsonKey(row []field) (json.RawMessage, error) {
	key := map[string]any{}
	for _, i := range p.keys {
		v, err := p.keyValue(row, i)
		if err != nil {
			return nil, err
		}
		key[p.columns[i].name] = v
	}
	return json.Marshal(key)
}

// textKey is the key of a row as both databases write it for a comparison.
func (p *plan) textKey(row []field) (string, error) {
	values := make([]string, len(p.keys))
	for i, column := range p.keys {
		var err error
		if values[i], err = p.keyValue(row, column); err != nil {
			return "", err
		}
	}
	return strings.Join(values, separator), nil
}

// jsonOf is the key that consists of values, as it stands in a dead letter.
func (p *plan) jsonOf(values []string) (json.RawMessage, error) {
	key := map[string]string{}
	for i, name := range p.mirror.Key {
		key[name] = values[i]
	}
	return json.Marshal(key)
}

// keyValue is one key column as text, in a form that ClickHouse takes as a parameter too.
func (p *plan) keyValue(row []field, i int) (string, error) {
	c := p.columns[i]
	data := row[i].data
	switch {
	case row[i].kind != fieldBinary:
		return "", fmt.Errorf("key column %s.%s was not sent: %w", p.source.name, c.name, errWire)
	case c.typ == "UUID" && len(data) == 16:
		h := hex.EncodeToString(data)
		return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
	case c.typ == "Int32" && len(data) == 4:
		return fmt.Sprint(int32(binary.BigEndian.Uint32(data))), nil
	case c.typ == "Int64" && len(data) == 8:
		return fmt.Sprint(int64(binary.BigEndian.Uint64(data))), nil
	case c.typ == "String":
		return string(data), nil
	}
	return "", fmt.Errorf("key column %s.%s: a key of type %s is not supported", p.source.name, c.name, c.typ)
}
